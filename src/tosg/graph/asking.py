"""Ask a graph: queries, search, counts, reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tosg.graph.telling import warn_caller
from tosg.kg.query.limits import QUERY_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from tosg.graph.connection import GraphConnection
    from tosg.kg.database.counts import GraphCounts


def query(
    graph: GraphConnection,
    query: str,
    /,
    *,
    params: Mapping[str, Any] | None = None,
    timeout: float | None = QUERY_TIMEOUT,
    limit: int | None = None,
    first: bool = False,
    **named: Any,
) -> pa.Table:
    """Run a named statement, ``@file.cypher`` or Cypher that reads.

    Parameters
    ----------
    query : str
        Name of a statement (`tosg query --list`), ``@file``, or Cypher.
    params : mapping, optional
        Values of its parameters. Those whose name is no argument of this method can be given
        by name: ``graph.query("pathways_of_gene", gene="JAK1")``. Texts are read as the
        command line reads them: ``genes="TP53,MDM2"`` is a list of two.
    timeout : float or None
        Seconds it may take, 120 by default; None for no limit.
    limit : int, optional
        Rows to return at most; a parameter ``$limit`` of the query goes into `params`.
    first : bool
        Whether the entity with most relationships is taken where a name has several, with a
        warning that names them; else that is an error that lists them.
    **named
        Further values of its parameters.

    Returns
    -------
    pyarrow.Table
        One column per column of the result; ``.to_pandas()`` makes a data frame. An entity is
        a struct of id, type, name and symbol.

    Raises
    ------
    QueryError
        It does not parse, would write, or runs past its time.
    UsageError
        A statement, an entity or a parameter of that name does not exist.

    Warns
    -----
    TosgWarning
        A value was ambiguous, a name in the Cypher is not in the schema, or a data set is
        attached in part.
    """
    from tosg.interop.notebooks import show_in_notebooks
    from tosg.kg.query.run import run_query

    values = {**(params or {}), **named}
    told: list[str] = []
    table = run_query(
        graph.db, query, values, timeout=timeout, limit=limit, first=first, warnings=told
    )
    warn_caller(told)
    return show_in_notebooks(table)


def search(
    graph: GraphConnection, text: str, *, types: Sequence[str] | None = None, k: int = 10
) -> pa.Table:
    """Find entities by name, by meaning and by words.

    Parameters
    ----------
    text : str
        Any text; nothing in it is syntax.
    types : sequence of str, optional
        Only entities of these types.
    k : int
        Results at most, 1 or more.

    Returns
    -------
    pyarrow.Table
        At most `k` rows: entities that have the text as symbol, name or synonym, then those
        with a name that begins with it, then the others, best first. Columns: id, type, name,
        symbol, ``score`` (sum of 1 / (60 + rank) over both rankings), ``vector_rank``,
        ``text_rank``, ``similarity`` (cosine), ``match`` (what the text is to the entity),
        ``matched`` (the name that is meant), snippet. Where the text is a name of several,
        ``schema.metadata[b"ambiguity"]`` lists them.

    Raises
    ------
    ConfigError
        The text is blank, or the graph's model is not installed.
    UsageError
        The schema has no such type.

    Warns
    -----
    TosgWarning
        A type has no vectors and was searched by words alone.
    """
    from tosg.interop.notebooks import show_in_notebooks
    from tosg.kg.search.hybrid import note_of, search

    found = search(graph.db, text, types=types, k=k)
    if note := note_of(found):
        warn_caller([note])
    return show_in_notebooks(found)


def stats(graph: GraphConnection) -> GraphCounts:
    """Count nodes per label and relationships per type.

    Warns
    -----
    TosgWarning
        A data set is attached in part.
    """
    from tosg.kg.cells.stored.staging import describe_partial
    from tosg.kg.database import counts

    warn_caller(describe_partial(graph.db))
    return counts.count(graph.db)


def count_by_source(graph: GraphConnection) -> dict[str, dict[str, int]]:
    """Count ``nodes`` and ``relationships`` that each source claims; reads all of them."""
    from tosg.kg.database import counts

    return counts.by_source(graph.db)


def revision(graph: GraphConnection) -> int:
    """Read the graph's revision: it rises with every load that changed something."""
    from tosg.kg.database.bookkeeping import read_meta

    return read_meta(graph.db).revision


def report(graph: GraphConnection, id_: str | None = None) -> dict[str, Any]:
    """Read the report of a load, by default of the latest.

    Parameters
    ----------
    id_ : str, optional
        One of `report_ids`.

    Returns
    -------
    dict
        Plain values: files read, rows rejected by kind, claims, counts before and after.

    Raises
    ------
    UsageError
        There is no such report.
    """
    from tosg.kg.report.kept import read_report

    return read_report(graph.db, id_)


def report_ids(graph: GraphConnection) -> list[str]:
    """List the loads whose reports the graph keeps, latest first."""
    from tosg.kg.report.kept import report_ids

    return report_ids(graph.db)
