"""TFLink: transcription factors and their targets, without signs, from small and large screens."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.columns import evidence, of_species, with_curies
from tosg.loaders.formats.tables import Layout, read_table
from tosg.loaders.scores import Score

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from tosg.kg.claims.log import SourceLog

_A, _B, _SMALL = "NCBI.GeneID.TF", "NCBI.GeneID.Target", "Small-scale.evidence"
_LAYOUT = Layout(
    (_A, _B, "Detection.method", "PubmedID", "Organism", "Source.database", _SMALL),
)
_SCORE = Score(
    f"CASE \"{_SMALL}\" WHEN 'Yes' THEN 0.7 ELSE 0.3 END",
    texts=(_SMALL,),
    help="a focused experiment is surer than a screen of the whole genome",
)


class TFLink(Loader):
    """See the module."""

    name = "tflink"
    title = "TFLink: transcription factors and their targets"
    homepage = "https://tflink.net"
    license = "LicenseRef-TFLink-non-commercial"
    relationships = (("Gene", "REGULATES", "Gene"),)
    scores = (_SCORE,)
    signs = "0: the table gives none"
    tested_on = "an excerpt of 49 rows"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "pairs",
            (
                "TFLink_Homo_sapiens_interactions_All_simpleFormat_v1.0.tsv.gz",
                "TFLink_Homo_sapiens_*.tsv*",
                "tflink*.tsv*",
            ),
            "factors and targets",
            url=(
                "https://cdn.netbiol.org/tflink/download_files/"
                "TFLink_Homo_sapiens_interactions_All_simpleFormat_v1.0.tsv.gz"
            ),
            whole_bytes=50_000_000,
        ),
    )

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        path = files["pairs"]
        file, origin = log.file(path), self.origin(path, release)
        for raw in read_table(path, _LAYOUT, file):
            batch = of_species(raw, "Organism", file, "Homo sapiens", shown=(_A, _B, "Organism"))
            batch = with_curies(batch, _A, "ncbigene", file, to="start", shown=(_A, _B))
            batch = with_curies(batch, _B, "ncbigene", file, to="end", shown=(_A, _B))
            batch = _SCORE.add(batch, file)
            file.parsed(batch.num_rows)
            yield origin.relationships_of(
                batch,
                "REGULATES",
                ("Gene", "start"),
                ("Gene", "end"),
                sign=0,
                score=batch.column("score"),
                evidence=evidence(
                    batch,
                    lists={
                        "methods": ("Detection.method", ";"),
                        "pubmed_ids": ("PubmedID", ";"),
                        "databases": ("Source.database", ";"),
                    },
                ),
            )
