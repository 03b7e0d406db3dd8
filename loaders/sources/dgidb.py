"""DGIdb: drugs and the genes that they interact with (version 5, interactions.tsv)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pyarrow.compute as pc

from tosg.kg.schema.curies import parse_curies
from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.columns import blank_to_null, evidence, keep, keep_identified
from tosg.loaders.formats.tables import Layout, read_table
from tosg.loaders.scores import Score

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from tosg.kg.claims.log import SourceLog

_LAYOUT = Layout(
    ("gene_concept_id", "interaction_source_db_name", "interaction_type", "interaction_score",
     "drug_concept_id", "drug_name"),
    optional=("gene_name", "approved", "interaction_source_db_version"),
)  # fmt: skip

_SCORE = Score(
    "interaction_score / (1.0 + interaction_score)",
    numbers=("interaction_score",),
    help="DGIdb's score has no upper bound: 1 (as many sources as expected) becomes 0.5",
)


class DGIdb(Loader):
    """See the module."""

    name = "dgidb"
    title = "DGIdb: drugs and the genes that they act on"
    homepage = "https://dgidb.org"
    license = "MIT"
    nodes = ("Drug",)
    relationships = (("Drug", "TARGETS", "Gene"),)
    scores = (_SCORE,)
    quirks = ("Rows without a concept of the gene or of the drug are rejected.",)
    tested_on = "made-up rows in the layout of version 5"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "interactions",
            ("interactions.tsv", "dgidb*interactions*.tsv", "dgidb*.tsv"),
            "interactions of drugs and genes",
            url="https://dgidb.org/data/latest/interactions.tsv",
            whole_bytes=5_000_000,
        ),
    )

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        path = files["interactions"]
        file, origin = log.file(path), self.origin(path, release)
        shown = ("drug_concept_id", "drug_name", "gene_concept_id")
        for raw in read_table(path, _LAYOUT, file):
            batch = raw
            for end, to in (("gene_concept_id", "gene"), ("drug_concept_id", "drug")):
                there = blank_to_null(batch.column(end), "NULL", "None").is_valid()
                batch = keep(batch, there, file, f"no {end}", shown)
                # `chembl` names several kinds of identifiers; drugs are its compounds.
                text = pc.replace_substring_regex(batch.column(end), "^chembl:", "chembl.compound:")
                batch = batch.append_column(to, parse_curies(text))
                batch = keep_identified(batch, to, end, file, shown)
            batch = _SCORE.add(batch, file)
            file.parsed(batch.num_rows)
            action = blank_to_null(pc.utf8_lower(batch.column("interaction_type")), "null", "none")
            yield origin.entities(
                batch.num_rows,
                batch.column("line"),
                type="Drug",
                id=batch.column("drug"),
                name=blank_to_null(batch.column("drug_name"), "NULL"),
            )
            yield origin.relationships_of(
                batch,
                "TARGETS",
                ("Drug", "drug"),
                ("Gene", "gene"),
                action=action,
                score=batch.column("score"),
                evidence=evidence(
                    batch,
                    lists={"databases": ("interaction_source_db_name", "|")},
                    texts={"approved": "approved"},
                ),
            )
