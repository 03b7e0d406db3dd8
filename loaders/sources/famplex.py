"""FamPlex: families and complexes that texts name (RAS, MEK, NFkappaB), with their members.

``isa`` makes a gene a member of a family, ``partof`` of a complex; families can be in families.

Format: https://github.com/sorgerlab/famplex (relations.csv has no header).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tosg.kg.claims.log import BAD_ID
from tosg.kg.schema.curies import curie
from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.formats.tables import Layout, read_table
from tosg.loaders.reference.facts import Fact, Ref, fact_claims
from tosg.loaders.reference.participants import protein_ref
from tosg.loaders.reference.symbols import SYMBOLS, SymbolTable, read_symbols

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from tosg.kg.claims.log import FileLog, SourceLog

_LAYOUT = Layout(("ns1", "id1", "relation", "ns2", "id2"), delimiter=",", header=False, quoted=True)


class FamPlex(Loader):
    """See the module."""

    name = "famplex"
    title = "FamPlex: protein families and complexes with their members"
    homepage = "https://github.com/sorgerlab/famplex"
    license = "CC0 1.0"
    nodes = ("GeneFamily", "Complex")
    relationships = (
        ("Gene", "MEMBER_OF", "GeneFamily"),
        ("Protein", "MEMBER_OF", "GeneFamily"),
        ("GeneFamily", "MEMBER_OF", "GeneFamily"),
        ("Complex", "MEMBER_OF", "GeneFamily"),
        ("Gene", "MEMBER_OF", "Complex"),
        ("Protein", "MEMBER_OF", "Complex"),
        ("Complex", "MEMBER_OF", "Complex"),
    )
    quirks = (
        "What has parts is a complex, whatever else it is; the others are families.",
        "A family that is part of a complex stands for one of its members; it is left out.",
    )
    tested_on = "made-up rows in the layout of relations.csv"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "relations",
            ("relations.csv", "famplex*relations*.csv"),
            "members of families and complexes",
            url="https://raw.githubusercontent.com/sorgerlab/famplex/master/relations.csv",
            whole_bytes=40_000,
        ),
        SYMBOLS,
    )

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        symbols = read_symbols(files["symbols"], log.file(files["symbols"]))
        path = files["relations"]
        file, origin = log.file(path), self.origin(path, release)
        rows = [row for batch in read_table(path, _LAYOUT, file) for row in batch.to_pylist()]
        complexes = {r["id2"] for r in rows if r["relation"] == "partof" and r["ns2"] == "FPLX"}
        nodes: dict[Ref, int] = {}
        facts = [_fact(row, complexes, symbols, nodes, file) for row in rows]
        yield origin.entities(
            len(nodes),
            list(nodes.values()),
            type=[type_ for type_, _ in nodes],
            id=[id_ for _, id_ in nodes],
            name=[id_.partition(":")[2].replace("_", " ") for _, id_ in nodes],
        )
        yield from fact_claims([f for f in facts if f is not None], origin)


def _ref(
    namespace: str, id_: str, complexes: set[str], symbols: SymbolTable
) -> tuple[Ref | None, str]:
    """The entity of a name, or why there is none."""
    if namespace == "FPLX":
        found = curie(id_, "fplx")
        type_ = "Complex" if id_ in complexes else "GeneFamily"
        return (None, BAD_ID) if found is None else ((type_, found), "")
    if namespace == "HGNC":
        gene, how = symbols.resolve(id_)
        return (None, f"{how} symbol") if gene is None else (("Gene", gene), "")
    if namespace == "UP":
        ref = protein_ref(id_)
        return ref, "" if ref else BAD_ID
    return None, f"namespace {namespace} without a type in the graph"


def _fact(
    row: Mapping[str, str],
    complexes: set[str],
    symbols: SymbolTable,
    nodes: dict[Ref, int],
    file: FileLog,
) -> Fact | None:
    line, shown = int(row["line"]), f"{row['id1']} {row['relation']} {row['id2']}"
    if row["relation"] not in ("isa", "partof"):
        file.reject("unknown relation", line, shown)
        return None
    member, why = _ref(row["ns1"], row["id1"].strip(), complexes, symbols)
    whole, why_whole = _ref(row["ns2"], row["id2"].strip(), complexes, symbols)
    if member is None or whole is None:
        file.reject(why or why_whole, line, shown)
        return None
    file.parsed()
    for ref in (member, whole):
        if ref[0] in ("GeneFamily", "Complex"):
            nodes.setdefault(ref, line)
    if member[0] == "GeneFamily" and whole[0] == "Complex":
        file.note("family that is part of a complex, left out", 1, shown)
        return None
    return Fact("MEMBER_OF", member, whole, line)
