"""DISEASES: genes of diseases, from curated resources, experiments and text mining (Jensen lab).

The tables have no header. Text mining gives a z-score and stars; curated rows and experiments give
stars, 0 to 5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.columns import evidence, keep, with_curies
from tosg.loaders.formats.tables import Layout, read_table
from tosg.loaders.reference.symbols import SYMBOLS, read_symbols, with_genes
from tosg.loaders.scores import Score

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.claims.log import SourceLog

_STATED = Layout(
    ("protein", "symbol", "disease", "name", "source", "evidence", "stars"), header=False
)
_MINED = Layout(("protein", "symbol", "disease", "name", "z_score", "stars", "url"), header=False)
_SCORE = Score("stars / 5.0", numbers=("stars",), help="DISEASES' confidence, 0 to 5 stars")
_FOLDER = "https://download.jensenlab.org"


class Diseases(Loader):
    """See the module."""

    name = "diseases"
    title = "DISEASES: genes of diseases with confidence"
    homepage = "https://diseases.jensenlab.org"
    license = "CC BY 4.0"
    relationships = (("Gene", "ASSOCIATED_WITH", "Disease"),)
    scores = (_SCORE,)
    quirks = ("Terms that are no DOID (ICD-10, AmyCo) are rejected.",)
    tested_on = "made-up rows in the layout of the tables"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "knowledge",
            ("human_disease_knowledge_filtered.tsv", "human_disease_knowledge*.tsv"),
            "curated genes of diseases",
            url=f"{_FOLDER}/human_disease_knowledge_filtered.tsv",
            whole_bytes=300_000,
        ),
        FileSpec(
            "textmining",
            ("human_disease_textmining_filtered.tsv", "human_disease_textmining*.tsv"),
            "genes and diseases that texts name together",
            required=False,
            url=f"{_FOLDER}/human_disease_textmining_filtered.tsv",
            whole_bytes=5_000_000,
        ),
        SYMBOLS,
    )

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        symbols = read_symbols(files["symbols"], log.file(files["symbols"]))
        for key, layout in (("knowledge", _STATED), ("textmining", _MINED)):
            if key not in files:
                continue
            path = files[key]
            file, origin = log.file(path), self.origin(path, release)
            for raw in read_table(path, layout, file):
                ours = pc.starts_with(raw.column("disease"), "DOID:")
                batch = keep(raw, ours, file, "disease without a DOID", ("disease", "name"))
                batch = with_curies(batch, "disease", "doid", file, to="end")
                batch = with_genes(batch, "symbol", symbols, file, to="start")
                batch = _SCORE.add(batch, file)
                file.parsed(batch.num_rows)
                channel = pa.repeat(pa.scalar(key), batch.num_rows)
                batch = batch.append_column("channel", channel)
                more = {"sources": ("source", "|")} if key == "knowledge" else {}
                yield origin.relationships_of(
                    batch,
                    "ASSOCIATED_WITH",
                    ("Gene", "start"),
                    ("Disease", "end"),
                    score=batch.column("score"),
                    evidence=evidence(batch, lists={"channels": ("channel", "|"), **more}),
                )
