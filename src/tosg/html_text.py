"""Small HTML for notebooks: what a result is, at a glance. Everything in it is escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: Rows of a table that are shown; the rest is counted.
HTML_ROWS = 20

_TABLE = "border-collapse:collapse;font-size:90%"
_LEFT = "text-align:left;vertical-align:top;padding:2px 12px 2px 0"
_RIGHT = "text-align:right;vertical-align:top;padding:2px 12px 2px 0"


def facts_html(title: str, rows: Iterable[tuple[str, object]], notes: Iterable[str] = ()) -> str:
    """Write names and values, one pair a line, under a title.

    Parameters
    ----------
    title : str
    rows : iterable of (str, object)
        Numbers get commas; empty texts and None are left out.
    notes : iterable of str
        Lines below.
    """
    lines = "".join(
        f'<tr><th style="{_LEFT}">{escape(name)}</th><td style="{_LEFT}">{_value(value)}</td></tr>'
        for name, value in rows
        if value not in ("", None)
    )
    return _framed(title, f'<table style="{_TABLE}">{lines}</table>' if lines else "", notes)


def rows_html(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    total: int | None = None,
    notes: Iterable[str] = (),
) -> str:
    """Write a table, its first `HTML_ROWS` rows.

    Parameters
    ----------
    title : str
    columns : sequence of str
    rows : sequence of rows
        Numbers stand to the right, with commas.
    total : int, optional
        How many rows there are, where `rows` is a part.
    notes : iterable of str
        Lines below.
    """
    count = len(rows) if total is None else total
    head = "".join(f'<th style="{_LEFT}">{escape(c)}</th>' for c in columns)
    body = "".join(
        "<tr>" + "".join(f'<td style="{_side(v)}">{_value(v)}</td>' for v in row) + "</tr>"
        for row in rows[:HTML_ROWS]
    )
    more = [f"{HTML_ROWS} of {count:,} rows"] if count > HTML_ROWS else []
    table = f'<table style="{_TABLE}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    return _framed(title, table, [*more, *notes])


def _framed(title: str, inner: str, notes: Iterable[str]) -> str:
    below = "".join(f"<div><small>{escape(note)}</small></div>" for note in notes)
    return f"<div><strong>{escape(title)}</strong>{inner}{below}</div>"


def _side(value: object) -> str:
    return _RIGHT if isinstance(value, int | float) and not isinstance(value, bool) else _LEFT


def _value(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4g}"
    return escape(str(value))
