"""CellPhoneDB: ligands and receptors, with complexes and small molecules made by enzymes.

A partner is a UniProt accession or the name of a complex; the table of complexes has its members.
What makes a small molecule (``..._byENZYME``) is a complex of its enzymes in these tables; it is
kept as such.

Tables: https://github.com/ventolab/cellphonedb-data (version 4 and 5 have the same columns).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from tosg.loaders.base import FileSpec, Loader, evidence_json
from tosg.loaders.formats.tables import Layout, read_table
from tosg.loaders.reference.complexes import ComplexRecord, complex_claims
from tosg.loaders.reference.facts import Fact, Ref, fact_claims
from tosg.loaders.reference.participants import PARTNERS, protein_ref

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from tosg.kg.claims.log import FileLog, SourceLog

_PARTS = tuple(f"uniprot_{n}" for n in range(1, 6))
_COMPLEXES = Layout(
    ("complex_name", *_PARTS[:4]),
    delimiter=",",
    quoted=True,
    optional=(_PARTS[4], "complexPortal_complex", "reactome_complex"),
)
_PAIRS = Layout(
    ("partner_a", "partner_b", "source"),
    delimiter=",",
    quoted=True,
    optional=("classification", "directionality", "modulatory_effect", "version"),
)

#: How the modulatory effect of a ligand gives a sign.
_EFFECTS = {"stimulatory": 1, "activation": 1, "inhibitory": -1, "inhibition": -1}


class CellPhoneDB(Loader):
    """See the module."""

    name = "cellphonedb"
    title = "CellPhoneDB: ligands, receptors and their complexes"
    homepage = "https://www.cellphonedb.org"
    license = "MIT"
    nodes = ("Complex",)
    relationships = (
        *PARTNERS,
        ("Protein", "MEMBER_OF", "Complex"),
    )
    signs = "modulatory_effect: stimulatory 1, inhibitory -1; others 0"
    quirks = (
        "directionality Ligand-Receptor is REGULATES, others (Adhesion-Adhesion, ...) are contact.",
        "A Receptor-Ligand row is turned round.",
    )
    tested_on = "the whole tables of version 5"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "pairs",
            ("interaction_input.csv",),
            "interacting partners",
            url=(
                "https://raw.githubusercontent.com/ventolab/cellphonedb-data/master/data/"
                "interaction_input.csv"
            ),
            whole_bytes=300_000,
        ),
        FileSpec(
            "complexes",
            ("complex_input.csv",),
            "members of complexes",
            url=(
                "https://raw.githubusercontent.com/ventolab/cellphonedb-data/master/data/"
                "complex_input.csv"
            ),
            whole_bytes=30_000,
        ),
    )

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        path = files["complexes"]
        records = dict(_complexes(path, log.file(path)))
        yield from complex_claims(list(records.values()), self.origin(path, release))
        path = files["pairs"]
        file, origin = log.file(path), self.origin(path, release)
        for batch in read_table(path, _PAIRS, file):
            facts = [_fact(row, records, file) for row in batch.to_pylist()]
            yield from fact_claims([f for f in facts if f is not None], origin)


def _complexes(path: Path, file: FileLog) -> Iterator[tuple[str, ComplexRecord]]:
    for batch in read_table(path, _COMPLEXES, file):
        for row in batch.to_pylist():
            name = row["complex_name"].strip()
            given = [row[part].strip() for part in _PARTS if row[part].strip()]
            members = [protein_ref(part) for part in given]
            known = tuple(m for m in members if m is not None)
            if not name or not known or len(known) < len(given):
                file.reject("complex with a bad member", row["line"], f"{name} {given}")
                continue
            file.parsed()
            id_ = "cellphonedb:" + re.sub(r"\s+", "_", name)
            yield name, ComplexRecord(id_, row["line"], known, name=name.replace("_", " "))


def _fact(
    row: Mapping[str, str], records: Mapping[str, ComplexRecord], file: FileLog
) -> Fact | None:
    line, shown = int(row["line"]), f"{row['partner_a']} {row['partner_b']}"
    a, b = (_partner(row[f"partner_{end}"].strip(), records) for end in "ab")
    if a is None or b is None:
        file.reject("partner that is no accession and no known complex", line, shown)
        return None
    file.parsed()
    if a == b:
        file.note("partner that interacts with itself, kept out", 1, shown)
        return None
    way = row["directionality"].strip()
    effect = row["modulatory_effect"].strip().lower()
    evidence = evidence_json(
        {
            "references": [r.strip() for r in row["source"].split(";") if r.strip()],
            "classification": row["classification"],
            "directionality": way,
            "modulatory_effect": row["modulatory_effect"],
        }
    )
    if way not in ("Ligand-Receptor", "Receptor-Ligand"):
        return Fact("INTERACTS_WITH", a, b, line, evidence=evidence)
    start, end = (a, b) if way == "Ligand-Receptor" else (b, a)
    return Fact("REGULATES", start, end, line, _EFFECTS.get(effect, 0), evidence=evidence)


def _partner(text: str, records: Mapping[str, ComplexRecord]) -> Ref | None:
    if text in records:
        return "Complex", records[text].id
    return protein_ref(text)
