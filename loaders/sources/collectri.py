"""CollecTRI: signed regulation of genes by transcription factors, collected from 12 resources."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.reference.regulons import read_regulons, release_in
from tosg.loaders.reference.symbols import SYMBOLS, read_symbols

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from tosg.kg.claims.log import SourceLog


class CollecTRI(Loader):
    """See the module."""

    name = "collectri"
    title = "CollecTRI: signed regulation of genes by transcription factors"
    homepage = "https://github.com/saezlab/CollecTRI"
    license = "GPL-3.0"
    relationships = (("Gene", "REGULATES", "Gene"),)
    signs = "weight: above 0 is 1, below 0 is -1"
    quirks = (
        "AP1 and NFKB are complexes without members in the table; their rows are rejected.",
        "OmniPath's answer (datasets=collectri) is read too; it writes complexes COMPLEX:...",
    )
    tested_on = "the whole table of decoupleR (2025)"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "regulons",
            ("collectri.csv", "collectri*.csv", "*CollecTRI*.csv", "collectri*.tsv"),
            "factors, targets and signs",
            url="https://rescued.omnipathdb.org/CollecTRI.csv",
            whole_bytes=500_000,
        ),
        SYMBOLS,
    )

    def _release(self, files: Mapping[str, Path]) -> str:
        return release_in(files["regulons"].name)

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        symbols = read_symbols(files["symbols"], log.file(files["symbols"]))
        path = files["regulons"]
        yield from read_regulons(path, symbols, log.file(path), self.origin(path, release))
