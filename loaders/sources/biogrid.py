"""BioGRID: physical interactions between human genes' products (TAB3).

Genetic interactions (a phenotype of two mutations) are no contact; they are left out unless asked
for. The column Score is on a scale of each publication's own, so it stays in the evidence.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.columns import evidence, keep, of_species, with_curies
from tosg.loaders.formats.tables import Layout, read_table
from tosg.loaders.reference.binary import GENETIC
from tosg.loaders.scores import Score

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.claims.log import SourceLog

_A, _B = "Entrez Gene Interactor A", "Entrez Gene Interactor B"
_TAX_A, _TAX_B = "Organism ID Interactor A", "Organism ID Interactor B"
_LAYOUT = Layout(
    (
        "BioGRID Interaction ID", _A, _B, "Experimental System", "Experimental System Type",
        "Publication Source", _TAX_A, _TAX_B, "Throughput", "Score",
    ),
    renamed={
        _TAX_A: ("Organism Interactor A",),
        _TAX_B: ("Organism Interactor B",),
        "Publication Source": ("Pubmed ID",),
        "BioGRID Interaction ID": ("#BioGRID Interaction ID",),
    },
    members=("BIOGRID-ORGANISM-Homo_sapiens-[0-9]*.txt", "*"),
)  # fmt: skip

_SCORE = Score(
    "CASE WHEN Throughput = 'Low Throughput' THEN 0.6 "
    "WHEN Throughput = 'High Throughput' THEN 0.3 ELSE 0.6 END",
    texts=("Throughput",),
    help=(
        "BioGRID gives no common score; a focused experiment counts twice a screen, and a pair "
        "keeps the best of its experiments"
    ),
)


class BioGrid(Loader):
    """See the module."""

    name = "biogrid"
    title = "BioGRID: physical interactions of human gene products"
    homepage = "https://thebiogrid.org"
    license = "MIT"
    relationships = (("Gene", "INTERACTS_WITH", "Gene"),)
    scores = (_SCORE,)
    options = (GENETIC,)
    quirks = (
        "The archive has a table for each species; that of Homo sapiens is read.",
        "Both interactors have to be human.",
        "The same pair of one experiment can stand in several rows; they are one relationship.",
    )
    tested_on = "an excerpt of 50 rows and made-up rows"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "interactions",
            (
                "BIOGRID-ORGANISM-Homo_sapiens*.tab3.txt",
                "BIOGRID-ORGANISM-LATEST.tab3.zip",
                "BIOGRID*tab3*.zip",
                "BIOGRID*tab3*.txt",
                "biogrid*.txt",
            ),
            "interactions (TAB3)",
            url=(
                "https://downloads.thebiogrid.org/Download/BioGRID/Latest-Release/"
                "BIOGRID-ORGANISM-LATEST.tab3.zip"
            ),
            whole_bytes=10_000_000,
        ),
    )

    def _release(self, files: Mapping[str, Path]) -> str:
        found = re.search(r"(\d+\.\d+\.\d+)", files["interactions"].name)
        return found.group(1) if found else ""

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        path = files["interactions"]
        file, origin = log.file(path), self.origin(path, release)
        shown = (_A, _B, "Experimental System")
        for raw in read_table(path, _LAYOUT, file):
            batch = of_species(raw, _TAX_A, file, "9606", shown=(*shown, _TAX_A))
            batch = of_species(batch, _TAX_B, file, "9606", shown=(*shown, _TAX_B))
            if not self.value(GENETIC):
                physical = pc.equal(batch.column("Experimental System Type"), "physical")
                batch = keep(batch, physical, file, "genetic interaction", shown)
            batch = with_curies(batch, _A, "ncbigene", file, to="a", shown=shown)
            batch = with_curies(batch, _B, "ncbigene", file, to="b", shown=shown)
            batch = _SCORE.add(batch, file)
            loops = pc.equal(batch.column("a"), batch.column("b"))
            if count := pc.sum(loops).as_py() or 0:
                file.note("gene whose product interacts with itself, kept out", count)
            file.parsed(batch.num_rows)
            batch = batch.filter(pc.invert(loops))
            published = pc.replace_substring(batch.column("Publication Source"), "PUBMED:", "")
            batch = batch.append_column("pubmed", published)
            yield origin.relationships_of(
                batch,
                "INTERACTS_WITH",
                ("Gene", "a"),
                ("Gene", "b"),
                score=pa.array(batch.column("score"), pa.float64()),
                evidence=evidence(
                    batch,
                    lists={
                        "pubmed_ids": ("pubmed", "|"),
                        "biogrid_ids": ("BioGRID Interaction ID", "|"),
                        "systems": ("Experimental System", "|"),
                        "throughput": ("Throughput", "|"),
                        "scores_as_published": ("Score", "|"),
                    },
                ),
            )
