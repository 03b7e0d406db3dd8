"""Open Targets: interactions of genes with their scores, and what genes do (Parquet).

Give one part file of a data set, or several joined into one; a folder of parts is read by giving
its files one by one.

Data sets: https://platform-docs.opentargets.org/data-access/datasets
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.columns import evidence, keep
from tosg.loaders.formats.parquet import read_parquet
from tosg.loaders.reference.genes import with_ensembl_genes
from tosg.loaders.scores import Score

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.claims.log import FileLog, SourceLog

_INTERACTIONS = ("sourceDatabase", "targetA", "targetB", "speciesA", "speciesB", "scoring")
_TARGETS = ("id", "approvedSymbol", "approvedName", "functionDescriptions", "symbolSynonyms")
_SCORE = Score("scoring", numbers=("scoring",), help="the score of the database, 0 to 1")
_FOLDER = "https://ftp.ebi.ac.uk/pub/databases/opentargets/platform/25.06/output"


class OpenTargets(Loader):
    """See the module."""

    name = "open_targets"
    title = "Open Targets: interactions of genes and their functions"
    homepage = "https://platform.opentargets.org"
    license = "CC0 1.0"
    nodes = ("Gene",)
    relationships = (("Gene", "INTERACTS_WITH", "Gene"),)
    scores = (_SCORE,)
    quirks = ("A row without a second gene (a molecule alone) is rejected.",)
    tested_on = "one part of the targets and 100 interactions"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "interactions",
            ("interaction*.parquet", "otp_interactions*.parquet"),
            "interactions of genes",
            url=f"{_FOLDER}/interaction",
            whole_bytes=1_000_000,
            states_rows="the footer of the Parquet file",
        ),
        FileSpec(
            "targets",
            ("target*.parquet",),
            "genes with their functions",
            required=False,
            url=f"{_FOLDER}/target",
            whole_bytes=1_000_000,
            states_rows="the footer of the Parquet file",
        ),
    )

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        if "targets" in files:
            path = files["targets"]
            file, origin = log.file(path), self.origin(path, release, part="targets")
            for batch in read_parquet(path, _TARGETS, file):
                shown = ("id", "approvedSymbol")
                genes = with_ensembl_genes(batch, "id", file, to="gene", shown=shown)
                file.parsed(genes.num_rows)
                yield origin.entities(
                    genes.num_rows,
                    genes.column("line"),
                    type="Gene",
                    id=genes.column("gene"),
                    name=genes.column("approvedName"),
                    symbol=genes.column("approvedSymbol"),
                    description=_first(genes.column("functionDescriptions")),
                    synonyms=[
                        sorted({x["label"] for x in row or ()})
                        for row in genes.column("symbolSynonyms").to_pylist()
                    ],
                )
        path = files["interactions"]
        file, origin = log.file(path), self.origin(path, release)
        for batch in read_parquet(path, _INTERACTIONS, file):
            pairs = _pairs(batch, file)
            yield origin.relationships_of(
                pairs,
                "INTERACTS_WITH",
                ("Gene", "a"),
                ("Gene", "b"),
                score=pairs.column("score"),
                evidence=evidence(pairs, lists={"databases": ("sourceDatabase", "|")}),
            )


def _pairs(batch: pa.RecordBatch, file: FileLog) -> pa.RecordBatch:
    shown = ("sourceDatabase", "targetA", "targetB")
    for species in ("speciesA", "speciesB"):
        taxon = pc.struct_field(batch.column(species), "taxon_id")
        human = pc.or_kleene(pc.is_null(taxon), pc.equal(taxon, 9606))
        batch = keep(batch, human, file, "other species", shown)
    for end, to in (("targetA", "a"), ("targetB", "b")):
        batch = keep(batch, batch.column(end).is_valid(), file, "no second gene", shown)
        batch = with_ensembl_genes(batch, end, file, to=to, shown=shown)
    text = pc.cast(batch.column("scoring"), pa.string())
    position = batch.schema.get_field_index("scoring")
    batch = batch.set_column(position, "scoring", pc.fill_null(text, ""))
    batch = _SCORE.add(batch, file)
    loops = pc.equal(batch.column("a"), batch.column("b"))
    if count := pc.sum(loops).as_py() or 0:
        file.note("gene whose product interacts with itself, kept out", count)
    file.parsed(batch.num_rows)
    return batch.filter(pc.invert(loops))


def _first(lists: pa.Array) -> pa.Array:
    return pa.array([row[0] if row else None for row in lists.to_pylist()], pa.string())
