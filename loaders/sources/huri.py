"""HuRI: pairs of human proteins that a systematic two-hybrid screen found, by Ensembl gene."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pyarrow.compute as pc

from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.formats.tables import Layout, read_table
from tosg.loaders.reference.genes import with_ensembl_genes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from tosg.kg.claims.log import SourceLog

_LAYOUT = Layout(("a", "b"), header=False)


class HuRI(Loader):
    """See the module."""

    name = "huri"
    title = "HuRI: the human reference interactome, binary interactions of proteins"
    homepage = "https://interactome-atlas.org"
    license = "CC BY 4.0"
    relationships = (("Gene", "INTERACTS_WITH", "Gene"),)
    quirks = ("The table has no header and no scores.",)
    tested_on = "made-up rows in the layout of HuRI.tsv"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "pairs",
            ("HuRI.tsv", "HuRI*.tsv", "HI-union.tsv", "HI-*.tsv"),
            "pairs of Ensembl genes",
            url="http://www.interactome-atlas.org/data/HuRI.tsv",
            whole_bytes=1_000_000,
        ),
    )

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        path = files["pairs"]
        file, origin = log.file(path), self.origin(path, release)
        for raw in read_table(path, _LAYOUT, file):
            batch = with_ensembl_genes(raw, "a", file, to="start", shown=("a", "b"))
            batch = with_ensembl_genes(batch, "b", file, to="end", shown=("a", "b"))
            loops = pc.equal(batch.column("start"), batch.column("end"))
            if count := pc.sum(loops).as_py() or 0:
                file.note("gene whose product interacts with itself, kept out", count)
            file.parsed(batch.num_rows)
            batch = batch.filter(pc.invert(loops))
            yield origin.relationships_of(
                batch,
                "INTERACTS_WITH",
                ("Gene", "start"),
                ("Gene", "end"),
            )
