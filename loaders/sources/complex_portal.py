"""Complex Portal: human protein complexes with their members (ComplexTab).

Format: https://www.ebi.ac.uk/complexportal/documentation/data_formats. Members stand with their
stoichiometry, ``P84022(1)``; 0 means that it is unknown.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from tosg.kg.claims.log import BAD_ID
from tosg.kg.schema.curies import curie
from tosg.loaders.base import FileSpec, Loader, evidence_json
from tosg.loaders.columns import of_species
from tosg.loaders.formats.tables import Layout, read_table
from tosg.loaders.reference.complexes import ComplexRecord, complex_claims
from tosg.loaders.reference.participants import protein_ref

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from tosg.kg.claims.log import FileLog, SourceLog
    from tosg.loaders.reference.facts import Ref

_MEMBERS = "Identifiers (and stoichiometry) of molecules in complex"
_LAYOUT = Layout(
    ("Complex ac", "Recommended name", "Aliases for complex", "Taxonomy identifier", _MEMBERS,
     "Description"),
    optional=("Cross references", "Complex properties"),
    renamed={"Complex ac": ("#Complex ac",)},
)  # fmt: skip


class ComplexPortal(Loader):
    """See the module."""

    name = "complex_portal"
    title = "Complex Portal: protein complexes with their members"
    homepage = "https://www.ebi.ac.uk/complexportal"
    license = "CC0 1.0"
    nodes = ("Complex",)
    relationships = (
        ("Protein", "MEMBER_OF", "Complex"),
        ("Complex", "MEMBER_OF", "Complex"),
        ("Metabolite", "MEMBER_OF", "Complex"),
    )
    quirks = (
        "Isoforms and chains count for their protein; RNA members have no type in the graph.",
    )
    tested_on = "an excerpt of 99 rows"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "complexes",
            ("9606.tsv", "9606*.tsv", "EBI_complex*.tsv", "*complextab*.tsv"),
            "complexes (ComplexTab)",
            url="https://ftp.ebi.ac.uk/pub/databases/intact/complex/current/complextab/9606.tsv",
            whole_bytes=1_000_000,
        ),
    )

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        path = files["complexes"]
        file, origin = log.file(path), self.origin(path, release)
        for raw in read_table(path, _LAYOUT, file):
            shown = ("Complex ac", "Taxonomy identifier")
            batch = of_species(raw, "Taxonomy identifier", file, "9606", shown=shown)
            records = [r for row in batch.to_pylist() if (r := _record(row, file)) is not None]
            yield from complex_claims(records, origin)


def _record(row: Mapping[str, str], file: FileLog) -> ComplexRecord | None:
    id_ = curie(row["Complex ac"], "complexportal")
    if id_ is None:
        file.reject(BAD_ID, int(row["line"]), row["Complex ac"])
        return None
    file.parsed()
    members: list[Ref] = []
    counts: dict[str, int] = {}
    for part in row[_MEMBERS].split("|"):
        text, _, count = part.strip().partition("(")
        ref = _member(text)
        if ref is None:
            file.note("member without a type in the graph, left out", 1, f"{id_}: {text}")
            continue
        members.append(ref)
        if count.rstrip(")").isdecimal() and int(count.rstrip(")")):
            counts[ref[1]] = int(count.rstrip(")"))
    aliases = tuple(a.strip() for a in row["Aliases for complex"].split("|") if a.strip() != "-")
    return ComplexRecord(
        id_,
        int(row["line"]),
        tuple(members),
        name=row["Recommended name"].strip() or None,
        description=_text(row["Description"]),
        synonyms=tuple(a for a in aliases if a),
        xrefs=_same(row["Cross references"]),
        evidence=evidence_json({"stoichiometry": counts or None}),
    )


def _member(text: str) -> Ref | None:
    if text.startswith("CPX-"):
        found = curie(text, "complexportal")
        return None if found is None else ("Complex", found)
    if text.startswith("CHEBI:"):
        found = curie(text, "chebi")
        return None if found is None else ("Metabolite", found)
    return protein_ref(text)


def _text(value: str) -> str | None:
    value = value.strip()
    return None if value in ("", "-") else value


def _same(text: str) -> tuple[str, ...]:
    """Identifiers of the same complex elsewhere: those with the qualifier ``identity``."""
    found = re.findall(r"([a-z ]+:[^|(]+)\(identity\)", text)
    return tuple(x for x in (curie(f.replace(" ", "")) for f in found) if x is not None)
