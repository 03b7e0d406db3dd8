"""Scores of a source: how its own numbers become a score from 0 to 1.

A formula is one text: it is what runs, and what the source's page shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from tosg.loaders.columns import blank_to_null, keep

if TYPE_CHECKING:
    from tosg.kg.claims.log import FileLog

#: What tables write where there is no number.
BLANKS = ("-", "NA", "N/A", "null", "None")


@dataclass(frozen=True, slots=True)
class Score:
    """How the score of a relationship follows from columns of a table.

    Attributes
    ----------
    formula : str
        SQL expression over the columns, as ``combined_score / 1000`` or ``CASE level WHEN 'A'
        THEN 1.0 ELSE 0.5 END``; see `polars.sql_expr`. Its value is from 0 to 1, or null.
    numbers : tuple of str
        Columns of the formula that hold numbers; the others are text.
    texts : tuple of str
        Columns of the formula that hold text.
    help : str
        Why this formula: what the source says about its numbers.
    """

    formula: str
    numbers: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    help: str = ""

    def add(self, batch: pa.RecordBatch, file: FileLog, to: str = "score") -> pa.RecordBatch:
        """Add the score as a float64 column.

        Rows whose number is no finite number are rejected as "number that cannot be read" (also
        ``NaN``), rows whose score is not from 0 to 1 as "score outside 0 to 1". An empty number
        gives no score (null).
        """
        for column in self.numbers:
            batch = with_number(batch, column, file, to=f"{column}\0")
        frame = pl.DataFrame(
            {
                **{name: pl.from_arrow(batch.column(f"{name}\0")) for name in self.numbers},
                **{name: pl.from_arrow(batch.column(name)) for name in self.texts},
            }
        )
        score = frame.select(pl.sql_expr(self.formula).cast(pl.Float64)).to_series().to_arrow()
        batch = batch.drop_columns([f"{name}\0" for name in self.numbers])
        batch = batch.append_column(to, pa.array(score, pa.float64()))
        value = batch.column(to)
        inside = pc.and_(pc.greater_equal(value, 0.0), pc.less_equal(value, 1.0))
        fine = pc.or_(pc.is_null(value), pc.fill_null(inside, False))
        return keep(batch, fine, file, "score outside 0 to 1", (*self.numbers, *self.texts))


def with_number(
    batch: pa.RecordBatch, column: str, file: FileLog, *, to: str, blanks: tuple[str, ...] = BLANKS
) -> pa.RecordBatch:
    """Add a column of text as float64; rows with another text than a finite number are rejected.

    Empty values and ``blanks`` are null; ``NaN`` and ``inf`` are rejected.
    """
    text = blank_to_null(batch.column(column), *blanks)
    finite = pc.match_substring_regex(text, r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$")
    fine = pc.or_(pc.is_null(text), pc.fill_null(finite, False))
    if not pc.all(fine).as_py():
        shown = (column,)
        batch = keep(batch, fine, file, "number that cannot be read", shown)
        text = text.filter(fine)
    return batch.append_column(to, pc.cast(text, pa.float64()))
