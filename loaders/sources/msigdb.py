"""MSigDB: sets of genes by symbol (GMT), the hallmark collection by default.

A line is a set: its name, its address, and the symbols of its genes, separated by tabs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from tosg.kg.claims.log import BAD_ID
from tosg.kg.schema.curies import curie
from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.formats.gmt import read_gmt
from tosg.loaders.reference.facts import FACTS_AT_ONCE, Fact, fact_claims
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
        sets: list[tuple[int, str, str]] = []
        facts: list[Fact] = []
        for line, name, _, members in read_gmt(path):
            if len(facts) >= FACTS_AT_ONCE:
                yield from fact_claims(facts, origin)
                facts = []
            file.read()
            id_ = curie(name, "msigdb.set")
            if id_ is None:
                file.reject(BAD_ID, line, name)
                continue
            file.parsed()
            sets.append((line, id_, name.removeprefix("HALLMARK_").replace("_", " ").capitalize()))
            for symbol in members:
                gene, how = symbols.resolve(symbol)
                if gene is None:
                    file.note(f"member with {how} symbol, left out", 1, f"{name}: {symbol}")
                else:
                    facts.append(Fact("PARTICIPATES_IN", ("Gene", gene), ("Pathway", id_), line))
        yield origin.entities(
            len(sets),
            [line for line, _, _ in sets],
            type="Pathway",
            id=[id_ for _, id_, _ in sets],
            name=[name for _, _, name in sets],
        )
        yield from fact_claims(facts, origin)
