"""Query results in notebooks: a small table in place of Arrow's listing of chunks."""

from __future__ import annotations

import sys

import pyarrow as pa

from tosg.html_text import HTML_ROWS, rows_html
from tosg.kg.query.rows import column_kind
from tosg.kg.query.rows_text import value_text

#: What a table's metadata say of a result of ours; tables of others are shown as ever.
_MARK = {b"tosg": b"result"}

#: Letters of one value that are shown.
_LONGEST = 200


def show_in_notebooks(table: pa.Table) -> pa.Table:
    """Mark a result as ours, and have a notebook show such tables by their rows.

    Parameters
    ----------
    table : pyarrow.Table
        Any rows and columns.

    Returns
    -------
    pyarrow.Table
        The same rows and columns; outside a notebook the very same table.
    """
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if shell is None:
        return table
    shell.display_formatter.formatters["text/html"].for_type(pa.Table, table_html)
    return table.replace_schema_metadata({**(table.schema.metadata or {}), **_MARK})


def table_html(table: pa.Table) -> str | None:
    """Write the first rows as HTML; None for a table that is no result of ours."""
    if not _MARK.items() <= (table.schema.metadata or {}).items():
        return None
    first = table.slice(0, HTML_ROWS)
    columns = [
        [_cell(value, column_kind(field)) for value in column.to_pylist()]
        for field, column in zip(first.schema, first.columns, strict=True)
    ]
    rows = list(zip(*columns, strict=True))
    title = f"{table.num_rows:,} row{'' if table.num_rows == 1 else 's'}"
    return rows_html(title, table.column_names, rows, total=table.num_rows)


def _cell(value: object, kind: str) -> object:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    text = value_text(value, kind)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
