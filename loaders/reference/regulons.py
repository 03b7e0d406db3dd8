"""Tables of transcription factors and their targets by symbol, of decoupleR and of OmniPath."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from tosg.loaders.base import Loader
from tosg.loaders.columns import evidence, keep
from tosg.loaders.formats.tables import Layout, choose_layout, read_table
from tosg.loaders.reference.symbols import read_symbols, with_genes
from tosg.loaders.scores import with_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.claims.log import FileLog, SourceLog
    from tosg.loaders.base import Origin
    from tosg.loaders.reference.symbols import SymbolTable
    from tosg.loaders.scores import Score

_COLUMNS = ("source", "target", "weight")
_OPTIONAL = ("confidence", "references", "PMID", "resources")

LAYOUTS = {
    "csv": Layout(_COLUMNS, delimiter=",", quoted=True, optional=_OPTIONAL),
    "tsv": Layout(_COLUMNS, optional=_OPTIONAL, renamed={"weight": ("mor",)}),
}

#: What OmniPath's web service answers for a data set of regulons: the same in its own columns.
_OMNIPATH = Layout(
    ("source", "source_genesymbol", "target_genesymbol", "is_stimulation", "is_inhibition"),
    optional=("dorothea_level", "sources", "references"),
)
_SIGNED = ("stimulation", "inhibition")
_TRUE = ("1", "True", "TRUE", "true")

#: Factors that are complexes, not genes: CollecTRI writes AP1 and NFKB.
FACTOR_COMPLEXES = ("AP1", "NFKB")


class Regulons(Loader):
    """Base of the sources that are such a table, the file ``regulons`` beside symbols."""

    relationships = (("Gene", "REGULATES", "Gene"),)

    def _release(self, files: Mapping[str, Path]) -> str:
        return release_in(files["regulons"].name)

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        symbols = read_symbols(files["symbols"], log.file(files["symbols"]))
        path = files["regulons"]
        score = self.scores[0] if self.scores else None
        yield from read_regulons(path, symbols, log.file(path), self.origin(path, release), score)


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
    layouts = {**LAYOUTS, "omnipath": _OMNIPATH}
    kind = choose_layout(path, layouts)
    for table in read_table(path, layouts[kind], file):
        raw = _from_omnipath(table) if kind == "omnipath" else table
        complexes = pc.or_(
            pc.is_in(raw.column("source"), pa.array(FACTOR_COMPLEXES)),
            pc.starts_with(raw.column("source"), "COMPLEX:"),
        )
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


def _from_omnipath(table: pa.RecordBatch) -> pa.RecordBatch:
    """The columns of `LAYOUTS`: a weight of 1 or -1, and 0 where both signs or none are said.

    A pair of several levels has its best; of the references the numbers of PubMed stay.
    """
    up, down = (pc.is_in(table[f"is_{word}"], pa.array(_TRUE)) for word in _SIGNED)
    weight = pc.if_else(up, pc.if_else(down, "0", "1"), pc.if_else(down, "-1", "0"))
    complexes = pc.starts_with(table["source"], "COMPLEX:")
    level = pa.repeat(pa.scalar(""), table.num_rows)
    for letter in "EDCBA":
        level = pc.if_else(pc.match_substring(table["dorothea_level"], letter), letter, level)
    number = pc.replace_substring_regex(table["references"], r"[^;:]*:", "")
    return pa.record_batch(
        {
            "source": pc.if_else(complexes, table["source"], table["source_genesymbol"]),
            "target": table["target_genesymbol"],
            "weight": weight,
            "confidence": level,
            "references": table["references"],
            "PMID": pc.replace_substring_regex(number, r"(?:^|;)[^;]*[^\d;][^;]*", ""),
            "resources": table["sources"],
            "line": table["line"],
        }
    )


def release_in(name: str) -> str:
    """Date or year in a file name, "" without one."""
    found = re.search(r"(20\d{2}(?:[-_]?\d{2}){0,2})", name)
    return found.group(1) if found else ""
