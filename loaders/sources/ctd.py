"""CTD: chemicals and diseases, and genes and diseases, with direct evidence or by inference.

Reports have their column names in a comment line, ``# ChemicalName,ChemicalID,...``; identifiers
of chemicals and diseases are MeSH's, without a prefix for chemicals.

Format: https://ctdbase.org/downloads/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.columns import evidence, keep, with_curies
from tosg.loaders.formats.tables import Layout, read_table
from tosg.loaders.options import Option
from tosg.loaders.scores import Score

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.claims.log import SourceLog

_GENES = Layout(
    ("GeneSymbol", "GeneID", "DiseaseName", "DiseaseID", "DirectEvidence", "InferenceScore"),
    delimiter=",",
    quoted=True,
    comment="#",
    optional=("PubMedIDs",),
)
_CHEMICALS = Layout(
    ("ChemicalName", "ChemicalID", "DiseaseName", "DiseaseID", "DirectEvidence"),
    delimiter=",",
    quoted=True,
    comment="#",
    optional=("PubMedIDs", "InferenceScore"),
)

_SCORE = Score(
    "CASE WHEN DirectEvidence <> '' THEN 1.0 "
    "WHEN InferenceScore IS NULL THEN NULL ELSE InferenceScore / (50.0 + InferenceScore) END",
    numbers=("InferenceScore",),
    texts=("DirectEvidence",),
    help=(
        "curated evidence is sure; CTD's inference score (a log-transformed count of the network "
        "between gene and disease) has no upper bound, and 50 becomes 0.5"
    ),
)
INFERRED = Option("inferred", "whether inferred associations are loaded too", False)


class Ctd(Loader):
    """See the module."""

    name = "ctd"
    title = "CTD: genes and chemicals of diseases"
    homepage = "https://ctdbase.org"
    license = "LicenseRef-CTD"
    nodes = ("Drug", "Disease")
    relationships = (
        ("Gene", "ASSOCIATED_WITH", "Disease"),
        ("Drug", "TREATS", "Disease"),
    )
    scores = (_SCORE,)
    options = (INFERRED,)
    quirks = (
        "Inferred rows, most of the files, are left out unless asked for.",
        "A chemical with 'marker/mechanism' is no treatment; the row is counted and left out.",
    )
    tested_on = "made-up rows in the layout of the reports, and the head of one report"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "genes",
            ("CTD_genes_diseases.csv.gz", "CTD_genes_diseases*.csv*", "CTD_curated_genes*.csv*"),
            "genes of diseases",
            url="https://ctdbase.org/reports/CTD_genes_diseases.csv.gz",
            whole_bytes=5_000_000,
        ),
        FileSpec(
            "chemicals",
            ("CTD_chemicals_diseases.csv.gz", "CTD_chemicals_diseases*.csv*"),
            "chemicals of diseases",
            required=False,
            url="https://ctdbase.org/reports/CTD_chemicals_diseases.csv.gz",
            whole_bytes=5_000_000,
        ),
    )

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        yield from self._genes(files["genes"], log, release)
        if "chemicals" in files:
            yield from self._chemicals(files["chemicals"], log, release)

    def _genes(self, path: Path, log: SourceLog, release: str) -> Iterator[pa.RecordBatch]:
        file, origin = log.file(path), self.origin(path, release)
        shown = ("GeneSymbol", "GeneID", "DiseaseID")
        for raw in read_table(path, _GENES, file):
            batch = raw
            if not self.value(INFERRED):
                direct = pc.not_equal(raw.column("DirectEvidence"), "")
                batch = keep(raw, direct, file, "inferred, not curated", shown)
            batch = with_curies(batch, "GeneID", "ncbigene", file, to="gene", shown=shown)
            batch = with_curies(batch, "DiseaseID", "", file, to="disease", shown=shown)
            batch = _SCORE.add(batch, file)
            file.parsed(batch.num_rows)
            yield origin.entities_of(batch, "Disease", "disease", "DiseaseName")
            yield origin.relationships_of(
                batch,
                "ASSOCIATED_WITH",
                ("Gene", "gene"),
                ("Disease", "disease"),
                score=batch.column("score"),
                evidence=_told(batch),
            )

    def _chemicals(self, path: Path, log: SourceLog, release: str) -> Iterator[pa.RecordBatch]:
        file, origin = log.file(path), self.origin(path, release)
        shown = ("ChemicalName", "DiseaseName", "DirectEvidence")
        for raw in read_table(path, _CHEMICALS, file):
            treats = pc.match_substring(raw.column("DirectEvidence"), "therapeutic")
            batch = keep(raw, treats, file, "no curated treatment", shown)
            batch = with_curies(batch, "ChemicalID", "mesh", file, to="drug", shown=shown)
            batch = with_curies(batch, "DiseaseID", "", file, to="disease", shown=shown)
            batch = _SCORE.add(batch, file)
            file.parsed(batch.num_rows)
            for type_, id_, name in (
                ("Drug", "drug", "ChemicalName"),
                ("Disease", "disease", "DiseaseName"),
            ):
                yield origin.entities_of(batch, type_, id_, name)
            yield origin.relationships_of(
                batch,
                "TREATS",
                ("Drug", "drug"),
                ("Disease", "disease"),
                score=batch.column("score"),
                evidence=_told(batch),
            )


def _told(batch: pa.RecordBatch) -> pa.Array:
    return evidence(
        batch,
        lists={"direct_evidence": ("DirectEvidence", "|"), "pubmed_ids": ("PubMedIDs", "|")},
        numbers={"inference_score": "InferenceScore"},
    )
