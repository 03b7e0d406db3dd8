"""Tables of transcription factors and their targets by symbol, as decoupleR writes them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from tosg.loaders.columns import evidence, keep
from tosg.loaders.formats.tables import Layout, choose_layout, read_table
from tosg.loaders.reference.symbols import with_genes
from tosg.loaders.scores import with_number

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tosg.kg.claims.log import FileLog
    from tosg.loaders.base import Origin
    from tosg.loaders.reference.symbols import SymbolTable
    from tosg.loaders.scores import Score

_COLUMNS = ("source", "target", "weight")
_OPTIONAL = ("confidence", "references", "PMID", "resources")

LAYOUTS = {
    "csv": Layout(_COLUMNS, delimiter=",", quoted=True, optional=_OPTIONAL),
    "tsv": Layout(_COLUMNS, optional=_OPTIONAL, renamed={"weight": ("mor",)}),
}

#: Factors that are complexes, not genes: CollecTRI writes AP1 and NFKB.
FACTOR_COMPLEXES = ("AP1", "NFKB")


def read_regulons(
    path: Path,
    symbols: SymbolTable,
    file: FileLog,
    origin: Origin,
    score: Score | None = None,
) -> Iterator[pa.RecordBatch]:
    """Claims of a table source, target, weight: the sign is the weight's, its size is evidence.

    Parameters
    ----------
    path : Path
    symbols : SymbolTable
    file : FileLog
    origin : Origin
    score : Score, optional
        Over the columns of the table.
    """
    for raw in read_table(path, LAYOUTS[choose_layout(path, LAYOUTS)], file):
        complexes = pc.is_in(raw.column("source"), pa.array(FACTOR_COMPLEXES))
        batch = keep(raw, pc.invert(complexes), file, "factor that is a complex", ("source",))
        batch = with_genes(batch, "source", symbols, file, to="start")
        batch = with_genes(batch, "target", symbols, file, to="end")
        batch = with_number(batch, "weight", file, to="number")
        batch = keep(batch, batch.column("number").is_valid(), file, "no weight", ("source",))
        if score is not None:
            batch = score.add(batch, file)
        file.parsed(batch.num_rows)
        yield origin.relationships_of(
            batch,
            "REGULATES",
            ("Gene", "start"),
            ("Gene", "end"),
            sign=pc.cast(pc.sign(batch.column("number")), pa.int8()),
            score=batch.column("score") if score is not None else None,
            evidence=evidence(
                batch,
                texts={"confidence": "confidence"},
                numbers={"weight": "weight"},
                lists={"pubmed_ids": ("PMID", ";"), "resources": ("resources", ";")},
            ),
        )


def release_in(name: str) -> str:
    """Date or year in a file name, "" without one."""
    found = re.search(r"(20\d{2}(?:[-_]?\d{2}){0,2})", name)
    return found.group(1) if found else ""
