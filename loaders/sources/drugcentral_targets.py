"""DrugCentral's table of targets: what a drug acts on, how, and how strongly.

A row is an activity; those with MOA 1 are the mechanism by which the drug works. Accessions of one
row are the members of a protein group, and each of them is a target.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tosg.kg.claims.log import BAD_ID
from tosg.kg.schema.curies import curie
from tosg.loaders.base import FileSpec, Loader, evidence_json
from tosg.loaders.columns import of_species
from tosg.loaders.formats.tables import Layout, read_table
from tosg.loaders.reference.facts import Fact, fact_claims
from tosg.loaders.reference.participants import protein_ref
from tosg.loaders.scores import Score

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from tosg.kg.claims.log import FileLog, SourceLog

_LAYOUT = Layout(
    ("DRUG_NAME", "STRUCT_ID", "TARGET_NAME", "ACCESSION", "ACT_VALUE", "ACT_TYPE", "ACT_SOURCE",
     "MOA", "ACTION_TYPE", "ORGANISM"),
    quoted=True,
)  # fmt: skip

_SCORE = Score(
    "CASE WHEN MOA = 1 THEN 1.0 WHEN ACT_VALUE IS NULL THEN 0.5 "
    "WHEN ACT_VALUE >= 10 THEN 0.9 WHEN ACT_VALUE <= 0 THEN 0.0 ELSE 0.09 * ACT_VALUE END",
    numbers=("MOA", "ACT_VALUE"),
    help=(
        "a target of the mechanism of action is sure; other activities by -log10 of the molar "
        "value (10 is 0.1 nM), below that; 0.5 where no value is given"
    ),
)


class DrugCentralTargets(Loader):
    """See the module."""

    name = "drugcentral_targets"
    title = "DrugCentral: targets of drugs with action and mechanism"
    homepage = "https://drugcentral.org"
    license = "CC BY-SA 4.0"
    nodes = ("Drug",)
    relationships = (("Drug", "TARGETS", "Protein"),)
    scores = (_SCORE,)
    quirks = (
        "Every cell is quoted; ACCESSION is a list with | where the target is a group.",
        "Rows of other organisms are left out.",
    )
    tested_on = "the whole table of about 2018"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "targets",
            ("drug.target.interaction.tsv.gz", "drug.target.interaction*.tsv*"),
            "drugs, targets and activities",
            url=(
                "https://unmtid-dbs.net/download/DrugCentral/2021_09_01/"
                "drug.target.interaction.tsv.gz"
            ),
            whole_bytes=500_000,
        ),
    )

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        path = files["targets"]
        file, origin = log.file(path), self.origin(path, release)
        names: dict[str, tuple[int, str]] = {}
        for raw in read_table(path, _LAYOUT, file):
            shown = ("DRUG_NAME", "TARGET_NAME", "ORGANISM")
            batch = of_species(raw, "ORGANISM", file, "Homo sapiens", shown=shown)
            batch = _SCORE.add(batch, file)
            facts = [f for row in batch.to_pylist() for f in _facts(row, names, file)]
            yield from fact_claims(facts, origin)
        yield origin.entities(
            len(names),
            [line for line, _ in names.values()],
            type="Drug",
            id=list(names),
            name=[name for _, name in names.values()],
        )


def _facts(
    row: Mapping[str, object], names: dict[str, tuple[int, str]], file: FileLog
) -> list[Fact]:
    line, shown = int(str(row["line"])), f"{row['DRUG_NAME']} {row['ACCESSION']}"
    drug = curie(str(row["STRUCT_ID"]), "drugcentral")
    given = [part.strip() for part in str(row["ACCESSION"]).split("|") if part.strip()]
    targets = [ref for part in given if (ref := protein_ref(part)) is not None]
    if drug is None or not targets or len(targets) < len(given):
        file.reject(BAD_ID, line, shown)
        return []
    file.parsed()
    names.setdefault(drug, (line, str(row["DRUG_NAME"]).strip()))
    action = str(row["ACTION_TYPE"]).strip().lower() or None
    evidence = evidence_json(
        {
            "activities": [f"{row['ACT_TYPE']} {row['ACT_VALUE']}"] if row["ACT_VALUE"] else [],
            "activity_sources": [str(row["ACT_SOURCE"])] if row["ACT_SOURCE"] else [],
            "mechanism_of_action": True if row["MOA"] == "1" else None,
            "target": str(row["TARGET_NAME"]),
            "members": len(given) if len(given) > 1 else None,
        }
    )
    score = row["score"] if isinstance(row["score"], float) else None
    return [
        Fact("TARGETS", ("Drug", drug), target, line, None, score, action, evidence)
        for target in targets
    ]
