"""MSigDB: sets of genes by symbol (GMT), the hallmark collection by default.

A line is a set: its name, its address, and the symbols of its genes, separated by tabs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from tosg.kg.claims.log import BAD_ID
from tosg.kg.schema.curies import curie
from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.reference.gene_sets import gene_set_claims
from tosg.loaders.reference.symbols import SYMBOLS, read_symbols

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from tosg.kg.claims.log import SourceLog


class MSigDB(Loader):
    """See the module."""

    name = "msigdb"
    title = "MSigDB: hallmark sets of genes"
    homepage = "https://www.gsea-msigdb.org/gsea/msigdb"
    license = "CC BY 4.0"
    nodes = ("Pathway",)
    relationships = (("Gene", "PARTICIPATES_IN", "Pathway"),)
    quirks = ("Symbols are those of the release; renamed ones are found by previous symbol.",)
    tested_on = "the hallmark collection of version 7.0"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "sets",
            ("h.all.v2024.1.Hs.symbols.gmt", "h.all.v*.symbols.gmt", "*.symbols.gmt"),
            "sets of genes (GMT)",
            url=(
                "https://data.broadinstitute.org/gsea-msigdb/msigdb/release/2024.1.Hs/"
                "h.all.v2024.1.Hs.symbols.gmt"
            ),
            whole_bytes=40_000,
        ),
        SYMBOLS,
    )

    def _release(self, files: Mapping[str, Path]) -> str:
        found = re.search(r"\.v(\d+(?:\.\d+)*)", files["sets"].name)
        return found.group(1) if found else ""

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        symbols = read_symbols(files["symbols"], log.file(files["symbols"]))
        path = files["sets"]
        file, origin = log.file(path), self.origin(path, release)

        def resolve(symbol: str) -> tuple[str | None, str]:
            gene, how = symbols.resolve(symbol)
            return gene, f"{how} symbol"

        yield from gene_set_claims(path, file, origin, _identify, resolve)


def _identify(title: str) -> tuple[str | None, str]:
    id_ = curie(title, "msigdb.set")
    name = title.removeprefix("HALLMARK_").replace("_", " ").capitalize()
    return id_, BAD_ID if id_ is None else name
