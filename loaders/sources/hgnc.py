"""HGNC: approved names of human genes, and the bridge between their identifiers.

The genes are HGNC's complete set, or its re-export as OBO graph JSON, whichever the file is.
Cross-references join the gene's identifiers in Entrez, HGNC and Ensembl; UniProt accessions make
``ENCODES``, gene groups ``MEMBER_OF``.
"""

from __future__ import annotations

import json
import re
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from tosg.errors import DataError
from tosg.kg.claims.log import FileLog
from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.columns import (
    REPEATED,
    blank_to_null,
    first_rows,
    keep,
    known_curies,
    listed_ids,
    note_duplicates,
    noting_repeats,
    parents,
    split,
    with_curies,
)
from tosg.loaders.formats.obo import open_obo, parse_terms
from tosg.loaders.formats.obo_graph import is_json
from tosg.loaders.formats.opening import read_text
from tosg.loaders.formats.tables import Layout, read_table
from tosg.loaders.formats.terms import claims_of_terms
from tosg.loaders.reference.symbols import HGNC_LAYOUT, hgnc_genes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.claims.log import SourceLog
    from tosg.loaders.base import Origin

_OBO = "http://purl.obolibrary.org/obo/"
_HGNC = "https://storage.googleapis.com/public-download-files/hgnc/tsv/tsv"
_INGEST = "https://raw.githubusercontent.com/biopragmatics/obo-db-ingest"


def _withdrawn_header(line: str) -> list[str]:
    # The last column explains itself in its name: MERGED_INTO_REPORT(S) (i.e. HGNC_ID|SYMBOL|...)
    names = [name.strip() for name in line.split("\t")]
    return ["MERGED_INTO" if name.startswith("MERGED_INTO") else name for name in names]


_WITHDRAWN = Layout(
    ("HGNC_ID", "STATUS", "WITHDRAWN_SYMBOL", "MERGED_INTO"), parse_header=_withdrawn_header
)

#: Predicate -> (relationship type, type of the end, its prefix).
EDGES = {
    f"{_OBO}RO0002205": ("ENCODES", "Protein", "uniprot"),
    f"{_OBO}RO0002350": ("MEMBER_OF", "GeneFamily", "hgnc.genegroup"),
}

#: Predicates that are no relationships of the graph, and why.
LEFT_OUT = {
    "is_a": "kind of gene, not stored",
    f"{_OBO}RO0002162": "species of the gene, not stored",
    f"{_OBO}ROHOM0000017": "gene of another species",
    f"{_OBO}RO0002511": "transcript, not stored",
    f"{_OBO}obo_gene_product_is_a": "enzyme class, not stored",
}


class Hgnc(Loader):
    """See the module."""

    name = "hgnc"
    title = "HGNC: approved gene names, gene groups, the bridge between gene identifiers"
    homepage = "https://www.genenames.org"
    license = "CC0 1.0"
    quirks = (
        "The complete set states no release: it is the day of its newest change.",
        "Fields of several values are quoted, with | between them.",
        "A withdrawn gene leads to the gene that it was merged into, if that is one.",
    )
    tested_on = "the whole complete set of 2024-10-18; withdrawn genes: a small file of its layout"
    nodes = ("Gene", "GeneFamily")
    relationships = (
        ("Gene", "ENCODES", "Protein"),
        ("Gene", "MEMBER_OF", "GeneFamily"),
        ("GeneFamily", "IS_A", "GeneFamily"),
    )
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "genes",
            (
                "hgnc_complete_set.txt",
                "hgnc_complete_set*.txt",
                "hgnc_complete_set*.txt.gz",
                "hgnc.json.gz",
                "hgnc.json",
                "hgnc*.json.gz",
                "hgnc*.json",
            ),
            "genes: the complete set, or OBO graph JSON",
            url=f"{_HGNC}/hgnc_complete_set.txt",
            whole_bytes=2_000_000,
        ),
        FileSpec(
            "withdrawn",
            ("withdrawn.txt", "withdrawn.txt.gz"),
            "withdrawn genes and those that they were merged into",
            required=False,
            url=f"{_HGNC}/withdrawn.txt",
        ),
        FileSpec(
            "groups",
            ("hgnc.genegroup.obo", "hgnc.genegroup*.obo", "hgnc.genegroup*.obo.gz"),
            "gene groups with their texts",
            required=False,
            url=(
                f"{_INGEST}/5613ff7e7e5d40905639a4092d0a4e104929710d"
                "/export/hgnc.genegroup/hgnc.genegroup.obo"
            ),
            sha256="8441a7e98a23dec49432011ae06b3c04fbba861d44d0c242d60aecf28b0fdf33",
        ),
    )

    def _release(self, files: Mapping[str, Path]) -> str:
        if not is_json(files["genes"]):
            return _newest(files["genes"])
        found = re.search(
            r'oboInOwl#hasDate",\s*"val":\s*"(\d{2}):(\d{2}):(\d{4})', read_text(files["genes"])
        )
        return f"{found.group(3)}-{found.group(2)}-{found.group(1)}" if found else ""

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        path = files["genes"]
        file, origin = log.file(path), self.origin(path, release)
        replaced: dict[str, list[str]] = {}
        if "withdrawn" in files:
            replaced = _replaced(files["withdrawn"], log.file(files["withdrawn"]))
        if is_json(path):
            graph = _graph(path)
            yield _genes(graph, file, origin)
            yield from _edges(graph, file, origin)
        else:
            for batch in noting_repeats(hgnc_genes(path, file), "curie", file):
                yield from _of_complete_set(batch, file, origin, replaced)
        if "groups" in files:
            obo = open_obo(files["groups"])
            origin = self.origin(obo.path, self.stated_release(obo.release), part="groups")
            yield from claims_of_terms(
                parse_terms(obo, log.file(obo.path)),
                log.file(obo.path),
                origin,
                {"hgnc.genegroup": "GeneFamily"},
            )


def _newest(path: Path) -> str:
    """Day of the newest change of a record: the complete set states no release."""
    newest = ""
    for batch in read_table(path, HGNC_LAYOUT, FileLog("hgnc", path)):
        days = batch.column("date_modified")
        days = days.filter(pc.match_substring_regex(days, r"^\d{4}-\d{2}-\d{2}$"))
        newest = max(newest, pc.max(days).as_py() or "")
    return newest


def _of_complete_set(
    batch: pa.RecordBatch, file: FileLog, origin: Origin, replaced: Mapping[str, list[str]]
) -> Iterator[pa.RecordBatch]:
    """Claims of genes, their proteins and their groups."""
    line, ids = batch.column("line"), batch.column("curie")
    former = ("prev_symbol", "alias_symbol", "prev_name", "alias_name")
    words = [split(batch.column(name), "|").to_pylist() for name in former]
    yield origin.entities(
        batch.num_rows,
        line,
        type="Gene",
        id=ids,
        name=blank_to_null(batch.column("name")),
        symbol=blank_to_null(batch.column("symbol")),
        synonyms=[list(dict.fromkeys(chain(*lists))) for lists in zip(*words, strict=True)],
        xrefs=known_curies(_xref_lists(batch), file),
        replaces=[replaced.get(id_, []) for id_ in ids.to_pylist()],
    )
    groups = listed_ids(batch, "gene_group_id", "|", "hgnc.genegroup", file)
    yield from _group_names(batch, groups, origin)
    proteins = listed_ids(batch, "uniprot_ids", "|", "uniprot", file)
    for ends, type_, end_type in (
        (proteins, "ENCODES", "Protein"),
        (groups, "MEMBER_OF", "GeneFamily"),
    ):
        row = pa.array(parents(ends))
        yield origin.relationships(
            len(row),
            line.take(row),
            type=type_,
            start_type="Gene",
            start=ids.take(row),
            end_type=end_type,
            end=ends.flatten(),
        )


def _xref_lists(batch: pa.RecordBatch) -> pa.Array:
    columns = [
        pc.binary_join_element_wise(pa.scalar(prefix), blank_to_null(batch.column(name)), ":")
        for prefix, name in (("ncbigene", "entrez_id"), ("ensembl", "ensembl_gene_id"))
    ]
    rows = zip(*(column.to_pylist() for column in columns), strict=True)
    return pa.array([[x for x in row if x] for row in rows], pa.list_(pa.string()))


def _group_names(
    batch: pa.RecordBatch, groups: pa.ListArray, origin: Origin
) -> Iterator[pa.RecordBatch]:
    """Claims of the groups by name, where every gene has as many names as groups."""
    names = split(batch.column("gene_group"), "|")
    if not pc.all(pc.equal(pc.list_value_length(groups), pc.list_value_length(names))).as_py():
        return
    first = first_rows(groups.flatten())
    yield origin.entities(
        len(first),
        batch.column("line").take(pa.array(parents(groups)).take(first)),
        type="GeneFamily",
        id=groups.flatten().take(first),
        name=names.flatten().take(first),
    )


def _replaced(path: Path, file: FileLog) -> dict[str, list[str]]:
    """Living gene -> withdrawn genes that were merged into it and nothing else."""
    replaced: dict[str, list[str]] = {}
    for raw in read_table(path, _WITHDRAWN, file):
        batch = with_curies(raw, "HGNC_ID", "hgnc", file)
        rows = (batch.column(name).to_pylist() for name in ("curie", "MERGED_INTO", "line"))
        for id_, text, line in zip(*rows, strict=True):
            targets = re.findall(r"(HGNC:\d+)\|[^,|]*\|Approved", text)
            if len(targets) == 1:
                replaced.setdefault(targets[0].lower(), []).append(id_)
                file.parsed()
            else:
                kind = "withdrawn, split into several genes" if targets else "withdrawn"
                file.reject(kind, line, f"{id_} | {text}")
    return replaced


def _graph(path: Path) -> dict[str, Any]:
    text = read_text(path)
    try:
        document = json.loads(text)
        graph: dict[str, Any] = document["graphs"][0]
        if not isinstance(graph["nodes"], list) or not isinstance(graph["edges"], list):
            raise TypeError("nodes and edges are not lists")
    except json.JSONDecodeError as error:
        raise DataError(
            "the file is not JSON, or is cut off",
            where=f"{path}, line {error.lineno}, column {error.colno}",
            found=error.msg,
            hint="download it again; `tosg fetch` checks the hash",
        ) from error
    except (KeyError, IndexError, TypeError) as error:
        raise DataError(
            "the file is not an OBO graph",
            where=path,
            found=f"{type(error).__name__}: {error}",
            expected='{"graphs": [{"nodes": [...], "edges": [...]}]}',
            hint="is this the right file? see `tosg sources`",
        ) from error
    return graph


def _genes(graph: dict[str, Any], file: FileLog, origin: Origin) -> pa.RecordBatch:
    """Claims about the genes; ``line`` is the position in ``nodes``, from 1."""
    nodes = _objects(graph["nodes"])
    file.read(len(nodes))
    batch = pa.record_batch(
        {
            "line": pa.array(range(1, len(nodes) + 1), pa.int64()),
            "node": pa.array([_text(node, "id") for node in nodes], pa.string()),
            "symbol": pa.array([_text(node, "lbl") for node in nodes], pa.string()),
            "name": pa.array([_definition(node) for node in nodes], pa.string()),
            "xrefs": pa.array([_xrefs(node) for node in nodes], pa.list_(pa.string())),
            "current": pa.array([not _meta(node).get("deprecated") for node in nodes]),
        }
    )
    is_gene = pc.starts_with(batch.column("node"), f"{_OBO}hgnc_")
    batch = keep(batch, is_gene, file, "node that is no gene", ("node", "symbol"))
    batch = with_curies(batch, "node", "hgnc", file)
    batch = keep(batch, batch.column("current"), file, "obsolete", ("node", "symbol"))
    file.parsed(batch.num_rows)
    note_duplicates(batch.column("curie"), file, REPEATED)
    return origin.entities(
        batch.num_rows,
        batch.column("line"),
        type="Gene",
        id=batch.column("curie"),
        name=pc.coalesce(batch.column("name"), batch.column("symbol")),
        symbol=batch.column("symbol"),
        xrefs=known_curies(batch.column("xrefs"), file),
    )


def _edges(graph: dict[str, Any], file: FileLog, origin: Origin) -> Iterator[pa.RecordBatch]:
    """Claims of the edges; ``line`` goes on counting after the nodes."""
    edges = _objects(graph["edges"])
    first = len(graph["nodes"]) + 1
    file.read(len(edges))
    batch = pa.record_batch(
        {
            "line": pa.array(range(first, first + len(edges)), pa.int64()),
            **{
                key: pa.array([_text(edge, key) for edge in edges], pa.string())
                for key in ("sub", "pred", "obj")
            },
        }
    )
    shown = ("sub", "pred", "obj")
    for predicate, why in LEFT_OUT.items():
        other = pc.not_equal(batch.column("pred"), predicate)
        batch = keep(batch, other, file, why, shown)
    known = pc.is_in(batch.column("pred"), pa.array(list(EDGES)))
    batch = keep(batch, known, file, "unknown predicate", shown)
    for predicate, (type_, end_type, prefix) in EDGES.items():
        some = batch.filter(pc.equal(batch.column("pred"), predicate))
        some = with_curies(some, "sub", "hgnc", file, to="start", shown=shown)
        some = with_curies(some, "obj", prefix, file, to="end", shown=shown)
        file.parsed(some.num_rows)
        yield origin.relationships(
            some.num_rows,
            some.column("line"),
            type=type_,
            start_type="Gene",
            start=some.column("start"),
            end_type=end_type,
            end=some.column("end"),
        )


def _objects(items: list[Any]) -> list[dict[str, Any]]:
    # What is no object has no fields, and is rejected for that like any other record.
    return [item if isinstance(item, dict) else {} for item in items]


def _meta(node: dict[str, Any]) -> dict[str, Any]:
    meta = node.get("meta")
    return meta if isinstance(meta, dict) else {}


def _text(item: dict[str, Any], key: str) -> str | None:
    value = item.get(key)
    return value.strip() or None if isinstance(value, str) else None


def _definition(node: dict[str, Any]) -> str | None:
    definition = _meta(node).get("definition")
    return _text(definition, "val") if isinstance(definition, dict) else None


def _xrefs(node: dict[str, Any]) -> list[str]:
    xrefs = _meta(node).get("xrefs")
    found = [_text(x, "val") for x in _objects(xrefs if isinstance(xrefs, list) else [])]
    return [value for value in found if value is not None]
