"""Scores of signaling edges in groups of cells, as a model or a method infers them.

The score of an edge in a group is a relationship from the edge's source to the group, which names
the target by its ``idx``: ``(:Gene)-[:SIGNALS_IN {target_idx, type, sign, score, sd, seeds,
method}]->(:CellGroup)``. ``docs/decisions/signals.md`` says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from tosg.errors import ConfigError, DataError
from tosg.kg.cells.stored import staging, switch
from tosg.kg.database import bookkeeping as meta
from tosg.kg.database.lease import hold_lease

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from tosg.kg.database.connection import Database

#: Columns of a table of scores; the last four may be left out.
SIGNAL_COLUMNS = pl.Schema(
    {
        "group": pl.String(),
        "source": pl.String(),
        "target": pl.String(),
        "score": pl.Float64(),
        "type": pl.String(),
        "sign": pl.Int64(),
        "sd": pl.Float64(),
        "seeds": pl.Int64(),
    }
)
_NEEDED = ("group", "source", "target", "score")
_KEY = ["group", "source", "target", "type", "sign"]

_TEXTS = (pl.String, pl.Categorical, pl.Enum)

#: What holds of every row, by what is said where it does not.
_RULES = {
    "a score of a signal is missing": ~pl.any_horizontal(pl.col(*_NEEDED).is_null()),
    "a score of a signal is no number": pl.col("score").is_finite(),
    "the deviation of a signal is no number from 0": pl.col("sd").is_null()
    | (pl.col("sd").is_finite() & (pl.col("sd") >= 0)),
    "the sign of a signal is not -1, 0 or 1": pl.col("sign").is_null()
    | pl.col("sign").is_in([-1, 0, 1]),
    "a signal is the mean of no seed": pl.col("seeds").is_null() | (pl.col("seeds") >= 1),
}

#: Memory that one score takes in the transaction that writes all of them: what one of the
#: `EXPRESSES` takes (`switch`), and 250 bytes for each property that it has more.
BYTES_PER_SIGNAL = 3_000
_ROWS = 20_000


@dataclass(frozen=True)
class SignalReport:
    """What writing scores did.

    Attributes
    ----------
    method : str
    written, replaced : int
        Scores that are there now, and earlier ones of the same method in the same groups.
    groups : int
        Groups that have them.
    """

    method: str
    written: int
    replaced: int
    groups: int


def write_signals(db: Database, scores: pa.Table, method: str) -> SignalReport:
    """Write scores of edges in groups of cells; those of the same method there are replaced.

    Parameters
    ----------
    db : Database
    scores : Table
        One row per edge and group: see `SIGNAL_COLUMNS`.
    method : str
        What made the scores; scores of other methods stay.

    Raises
    ------
    ConfigError
        The method has no name.
    DataError
        A column is missing or of another kind, a value is missing or cannot be, a row is there
        twice, a group, gene or protein is not in the graph, or the table is too large for one
        transaction of the server; nothing is written.
    """
    if not method.strip():
        raise ConfigError(
            "scores of signals need the name of what made them",
            where="method",
            found=repr(method),
            expected="a name, as 'gradient times input'",
        )
    table = _checked(scores)
    _check_room(db, table.height)
    with hold_lease(db, "signals", wait=staging.WAIT) as lease:
        _check_ends(db, table)
        groups = table["group"].unique().sort().to_list()
        with lease.transaction() as tx:
            replaced = staging.run(
                tx,
                "UNWIND $groups AS id MATCH (:CellGroup {id: id})<-[s:SIGNALS_IN]-() "
                "WHERE s.method = $method DELETE s RETURN count(*) AS n",
                groups=groups,
                method=method,
            )[0]["n"]
            written = 0
            for part in table.iter_slices(_ROWS):
                written += staging.run(
                    tx,
                    "UNWIND $rows AS row MATCH (g:CellGroup {id: row.group}) "
                    "MATCH (n:Entity {id: row.source}) MATCH (m:Entity {id: row.target}) "
                    "CREATE (n)-[:SIGNALS_IN {target_idx: m.idx, type: row.type, "
                    "sign: row.sign, score: row.score, sd: row.sd, seeds: row.seeds, "
                    "method: $method}]->(g) RETURN count(*) AS n",
                    rows=part.to_dicts(),
                    method=method,
                )[0]["n"]
            if written != table.height:
                raise DataError(
                    "not every score was written, so none is",
                    where="signals",
                    found=f"{written:,} written",
                    expected=f"{table.height:,}",
                    hint="tosg check looks for nodes that share an identifier",
                )
            meta.bump_revision(tx)
    return SignalReport(method, written, replaced, len(groups))


def _checked(scores: pa.Table) -> pl.DataFrame:
    """The table in the order and types of `SIGNAL_COLUMNS`, checked."""
    missing = [name for name in _NEEDED if name not in scores.column_names]
    unknown = [name for name in scores.column_names if name not in SIGNAL_COLUMNS]
    if missing or unknown:
        raise DataError(
            "a table of signals has other columns",
            where="columns",
            found=", ".join(scores.column_names),
            expected=", ".join(SIGNAL_COLUMNS),
            hint="the columns after score may be left out",
        )
    if not scores.num_rows:
        raise DataError(
            "there are no scores to write",
            where="signals",
            found="0 rows",
            expected="a row for each edge and group",
        )
    given = pl.DataFrame(scores)
    columns = [
        _cast(given[name], kind) if name in given.columns else pl.lit(None, kind).alias(name)
        for name, kind in SIGNAL_COLUMNS.items()
    ]
    table = pl.select(columns)
    for what, rule in _RULES.items():
        wrong = table.filter(~rule)
        if wrong.height:
            raise _row_error(what, wrong)
    twice = table.filter(table.select(_KEY).is_duplicated())
    if twice.height:
        raise _row_error("an edge has two scores in one group", twice)
    return table


def _cast(column: pl.Series, kind: pl.DataType) -> pl.Series:
    """A column in the type that is written; a fraction for an integer is refused, not cut."""
    expected = "numbers" if kind.is_float() else "whole numbers" if kind.is_integer() else "texts"
    error = DataError(
        "a column of signals is of another kind",
        where=column.name,
        found=f"{column.dtype}, as {column.drop_nulls().head(3).to_list()}",
        expected=expected,
    )
    fits = column.dtype == pl.Null or (
        column.dtype.is_numeric() if kind.is_numeric() else column.dtype in _TEXTS
    )
    if not fits:
        raise error
    found = column.cast(kind, strict=False)
    cut = kind.is_integer() and not (found.cast(column.dtype) == column).fill_null(True).all()
    if cut or found.null_count() > column.null_count():
        raise error
    return found


def _check_room(db: Database, rows: int) -> None:
    """All rows are one transaction: refuse what the server has no memory for."""
    most = switch.room(db) // BYTES_PER_SIGNAL
    if rows > most:
        raise DataError(
            "scores are written in one transaction, and the server has no memory for so many",
            where="signals",
            found=f"{rows:,} rows",
            expected=f"{most:,} at most, with the memory that it has",
            hint="keep the strongest edges of each group, or give the server more memory "
            "(TOSG_NEO4J_MEMORY)",
        )


def _row_error(what: str, rows: pl.DataFrame) -> DataError:
    where = "1 row" if rows.height == 1 else f"{rows.height:,} rows, the first of them below"
    return DataError(
        what,
        where=where,
        found=rows.row(0, named=True),
        expected="one finite score for each group, source, target, type and sign",
    )


def _check_ends(db: Database, table: pl.DataFrame) -> None:
    ends = pl.concat([table["source"], table["target"]]).unique().sort().to_list()
    groups = table["group"].unique().sort().to_list()
    hint = "MATCH (g:CellGroup) RETURN g.id, g.dataset, g.cell_type lists them"
    _check_known(db, "CellGroup", groups, "group of cells", hint)
    hint = "ends are given by the graph's own ids, as ncbigene:6772"
    _check_known(db, "Gene|Protein", ends, "gene or protein", hint)


def _check_known(db: Database, labels: str, ids: Sequence[str], what: str, hint: str) -> None:
    label = "CellGroup" if labels == "CellGroup" else "Entity"
    query = (
        f"CYPHER 5 UNWIND $ids AS id MATCH (n:{label} {{id: id}}) WHERE n:{labels} "
        "RETURN collect(n.id) AS ids"
    )
    found: dict[str, Any] = db.rows(query, ids=list(ids))[0]
    unknown = sorted(set(ids) - set(found["ids"]))
    if unknown:
        raise DataError(
            f"signals of what is no {what} of the graph",
            where=f"{len(unknown):,} of {len(ids):,}",
            found=", ".join(unknown[:5]),
            expected=f"ids of a {what}",
            hint=hint,
        )
