"""ChEMBL's mechanisms: which drug acts on which protein, and how.

The table is the export of the mechanism report (https://www.ebi.ac.uk/chembl/explore/
drug_mechanisms): semicolons, every cell quoted. Targets are ChEMBL's; the mapping file of the
release leads to UniProt. A target of several proteins is a group: each of them is a target.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from tosg.kg.claims.log import BAD_ID
from tosg.kg.schema.curies import curie
from tosg.loaders.base import FileSpec, Loader, evidence_json
from tosg.loaders.formats.tables import Layout, read_table
from tosg.loaders.reference.facts import Fact, Ref, fact_claims
from tosg.loaders.reference.participants import protein_ref

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from tosg.kg.claims.log import FileLog, SourceLog

_MECHANISMS = Layout(
    ("Parent Molecule ChEMBL ID", "Parent Molecule Name", "Action Type", "Target ChEMBL ID",
     "Target Organism"),
    delimiter=";",
    quoted=True,
    optional=("Mechanism of Action", "Max Phase", "References"),
    renamed={"Parent Molecule ChEMBL ID": ("Molecule ChEMBL ID",),
             "Parent Molecule Name": ("Molecule Name",)},
)  # fmt: skip
_TARGETS = Layout(("accession", "target", "name", "type"), header=False, comment="#")


class Chembl(Loader):
    """See the module."""

    name = "chembl"
    title = "ChEMBL: mechanisms of action of drugs"
    homepage = "https://www.ebi.ac.uk/chembl"
    license = "CC BY-SA 3.0"
    nodes = ("Drug",)
    relationships = (("Drug", "TARGETS", "Protein"),)
    quirks = ("A protein complex or family is its proteins; the evidence names the target.",)
    tested_on = "made-up rows in the layout of ChEMBL 34"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "mechanisms",
            ("chembl_mechanisms.csv", "*mechanism*.csv", "*mechanism*.csv.gz"),
            "mechanisms of action",
            whole_bytes=500_000,
        ),
        FileSpec(
            "targets",
            ("chembl_uniprot_mapping.txt", "chembl_uniprot_mapping*.txt*"),
            "targets and their UniProt accessions",
            url=(
                "https://ftp.ebi.ac.uk/pub/databases/chembl/ChEMBLdb/latest/"
                "chembl_uniprot_mapping.txt"
            ),
            whole_bytes=500_000,
        ),
    )

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        targets = _targets(files["targets"], log.file(files["targets"]))
        path = files["mechanisms"]
        file, origin = log.file(path), self.origin(path, release)
        names: dict[str, tuple[int, str]] = {}
        for batch in read_table(path, _MECHANISMS, file):
            facts = [f for row in batch.to_pylist() for f in _facts(row, targets, names, file)]
            yield from fact_claims(facts, origin)
        yield origin.entities(
            len(names),
            [line for line, _ in names.values()],
            type="Drug",
            id=list(names),
            name=[name or None for _, name in names.values()],
        )


def _targets(path: Path, file: FileLog) -> dict[str, list[Ref]]:
    """Proteins of each target."""
    found: dict[str, list[Ref]] = {}
    for batch in read_table(path, _TARGETS, file):
        for row in batch.to_pylist():
            ref = protein_ref(row["accession"])
            if ref is None:
                file.reject(BAD_ID, row["line"], row["accession"])
                continue
            file.parsed()
            found.setdefault(row["target"].strip(), []).append(ref)
    return found


def _facts(
    row: Mapping[str, str],
    targets: Mapping[str, list[Ref]],
    names: dict[str, tuple[int, str]],
    file: FileLog,
) -> list[Fact]:
    line, target = int(row["line"]), row["Target ChEMBL ID"].strip()
    shown = f"{row['Parent Molecule Name']} {target}"
    if row["Target Organism"].strip() not in ("Homo sapiens", ""):
        file.reject("other species", line, f"{shown} {row['Target Organism']}")
        return []
    drug = curie(row["Parent Molecule ChEMBL ID"], "chembl.compound")
    if drug is None:
        file.reject(BAD_ID, line, shown)
        return []
    if target not in targets:
        file.reject("target without a protein", line, shown)
        return []
    file.parsed()
    names.setdefault(drug, (line, row["Parent Molecule Name"].strip()))
    evidence = evidence_json(
        {
            "mechanism": row["Mechanism of Action"],
            "max_phase": row["Max Phase"],
            "target": target,
            "members": len(targets[target]) if len(targets[target]) > 1 else None,
            "pubmed_ids": sorted(set(re.findall(r"\b\d{6,9}\b", row["References"]))),
        }
    )
    action = row["Action Type"].strip().lower() or None
    return [
        Fact("TARGETS", ("Drug", drug), ref, line, None, None, action, evidence)
        for ref in targets[target]
    ]
