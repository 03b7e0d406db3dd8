"""Bgee: in which anatomical entities and cell types a gene is expressed.

A call ``absent`` says that the gene is not expressed there; it never becomes a relationship.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.columns import evidence, keep, not_negated, with_curies
from tosg.loaders.formats.tables import Layout, read_table
from tosg.loaders.reference.genes import with_ensembl_genes
from tosg.loaders.scores import Score

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.claims.log import SourceLog

_QUALITY, _WHERE = "Call quality", "Anatomical entity ID"
_LAYOUT = Layout(
    ("Gene ID", _WHERE, "Anatomical entity name", "Expression", _QUALITY),
    quoted=True,
    optional=("Expression score", "FDR", "Expression rank"),
)
_SCORE = Score(
    f"CASE \"{_QUALITY}\" WHEN 'gold quality' THEN 0.9 WHEN 'silver quality' THEN 0.6 "
    "WHEN 'bronze quality' THEN 0.3 END",
    texts=(_QUALITY,),
    help="Bgee's quality of a call; its expression score, how high a gene ranks, is evidence",
)


class Bgee(Loader):
    """See the module."""

    name = "bgee"
    title = "Bgee: where a gene is expressed"
    homepage = "https://www.bgee.org"
    license = "CC0 1.0"
    relationships = (
        ("Gene", "EXPRESSED_IN", "Anatomy"),
        ("Gene", "EXPRESSED_IN", "CellType"),
    )
    scores = (_SCORE,)
    quirks = ("Rows of one gene and place by sex, stage and strain are one relationship.",)
    tested_on = "two excerpts of 299 rows"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "calls",
            ("Homo_sapiens_expr_simple.tsv.gz", "Homo_sapiens_expr_*.tsv*"),
            "calls of expression",
            url=(
                "https://www.bgee.org/ftp/current/download/calls/expr_calls/"
                "Homo_sapiens_expr_simple.tsv.gz"
            ),
            whole_bytes=5_000_000,
        ),
    )

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        path = files["calls"]
        file, origin = log.file(path), self.origin(path, release)
        shown = ("Gene ID", _WHERE, "Expression")
        for raw in read_table(path, _LAYOUT, file):
            absent = pc.equal(raw.column("Expression"), "absent")
            batch = not_negated(raw, absent, file, shown)
            batch = with_ensembl_genes(batch, "Gene ID", file, to="gene", shown=shown)
            batch = with_curies(batch, _WHERE, "", file, to="place", shown=shown)
            prefix = pc.list_element(pc.split_pattern(batch.column("place"), ":"), 0)
            place = pa.array(["Anatomy", "CellType"]).take(
                pc.index_in(prefix, pa.array(["uberon", "cl"]))
            )
            batch = batch.append_column("type", place)
            kind = "place that is no anatomy and no cell type"
            batch = keep(batch, place.is_valid(), file, kind, shown)
            batch = _SCORE.add(batch, file)
            file.parsed(batch.num_rows)
            yield origin.relationships(
                batch.num_rows,
                batch.column("line"),
                type="EXPRESSED_IN",
                start_type="Gene",
                start=batch.column("gene"),
                end_type=batch.column("type"),
                end=batch.column("place"),
                score=batch.column("score"),
                evidence=evidence(
                    batch,
                    lists={"qualities": (_QUALITY, "|"), "ranks": ("Expression rank", "|")},
                ),
            )
