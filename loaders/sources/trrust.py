"""TRRUST: which transcription factor raises or lowers which gene, with PubMed references.

The table has symbols only, so a table of gene symbols is read too. Where rows contradict each
other, each sign is a claim of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from tosg.loaders.base import FileSpec, Loader, evidence_json
from tosg.loaders.columns import keep, note_duplicates
from tosg.loaders.formats.tables import Layout, read_table
from tosg.loaders.reference.symbols import SYMBOLS, read_symbols, with_genes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.claims.log import FileLog, SourceLog

_LAYOUT = Layout(("factor", "target", "mode", "pubmed_ids"), header=False)

_SIGNS = {"Activation": 1, "Repression": -1, "Unknown": 0}


class Trrust(Loader):
    """See the module."""

    name = "trrust"
    title = "TRRUST: signed regulation of genes by transcription factors"
    homepage = "https://www.grnpedia.org/trrust"
    license = "CC BY-SA 4.0"
    signs = "Activation 1, Repression -1, Unknown 0"
    relationships = (("Gene", "REGULATES", "Gene"),)
    tested_on = "the whole human table"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "regulation",
            ("trrust_rawdata.human.tsv", "trrust*.tsv", "trrust*.tsv.gz"),
            "factor, target, mode, references",
            url=(
                "https://raw.githubusercontent.com/juexinwang/GRGNN/"
                "134728b376c2a25f250473729c560b7df264fedb/data/trrust_rawdata.human.tsv"
            ),
            release="2",
            sha256="9b909319ccc8e36588b5a1bd3640e0dfba03936c6fc154cc4304d742bec11bed",
        ),
        SYMBOLS,
    )

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        symbols = read_symbols(files["symbols"], log.file(files["symbols"]))
        path = files["regulation"]
        file, origin = log.file(path), self.origin(path, release)
        shown = ("factor", "target", "mode", "pubmed_ids")
        for raw in read_table(path, _LAYOUT, file):
            known = pc.is_in(raw.column("mode"), pa.array(list(_SIGNS)))
            batch = keep(raw, known, file, "unknown mode", shown)
            batch = with_genes(batch, "factor", symbols, file, to="start")
            batch = with_genes(batch, "target", symbols, file, to="end")
            file.parsed(batch.num_rows)
            whole = (batch.column(name) for name in shown)
            note_duplicates(pc.binary_join_element_wise(*whole, "\t"), file, "row given again")
            loops = pc.sum(pc.equal(batch.column("start"), batch.column("end"))).as_py() or 0
            if loops:
                file.note("factor that regulates itself", loops)
            signs = pa.array(list(_SIGNS.values()), pa.int8())
            yield origin.relationships_of(
                batch,
                "REGULATES",
                ("Gene", "start"),
                ("Gene", "end"),
                sign=signs.take(pc.index_in(batch.column("mode"), pa.array(list(_SIGNS)))),
                evidence=_evidence(batch, file),
            )


def _evidence(batch: pa.RecordBatch, file: FileLog) -> list[str | None]:
    found = []
    for mode, text in zip(
        batch.column("mode").to_pylist(), batch.column("pubmed_ids").to_pylist(), strict=True
    ):
        references = [r.strip() for r in text.split(";") if r.strip()]
        pubmed_ids = sorted({r for r in references if r.isdecimal()}, key=int)
        for odd in sorted(set(references) - set(pubmed_ids)):
            file.note("reference that is no PubMed number, left out", 1, odd)
        found.append(evidence_json({"mode": mode, "pubmed_ids": pubmed_ids}))
    return found
