"""Rows of a query as text: a table for the eye, CSV and JSON for programs.

The table has entities by id and name, and says of vectors and bytes only how long they are; CSV
and JSON hold every value whole.
"""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

from tosg.json_text import json_text, json_value
from tosg.kg.query.rows import JSON, column_kind, is_declared

if TYPE_CHECKING:
    import pyarrow as pa

#: Longer lists of numbers are vectors.
_LONGEST = 16

#: Cells of a table for the eye are cut here; the other formats cut nothing.
_WIDEST = 72


def summarise(value: Any) -> Any:
    """Replace vectors and byte arrays by what they are, at any depth."""
    if isinstance(value, bytes):
        return f"<{len(value):,} bytes>"
    if isinstance(value, dict):
        return {k: summarise(v) for k, v in value.items()}
    if isinstance(value, list):
        if len(value) > _LONGEST and all(isinstance(v, int | float) for v in value):
            return f"<{len(value):,} numbers>"
        return [summarise(v) for v in value]
    return value


def value_text(value: Any, kind: str = "") -> str:
    """One value in one line, for the eye.

    Parameters
    ----------
    value : any
    kind : str
        What it is besides a plain value, as `tosg.kg.query.rows.column_kind` says: "NODE", ...
    """
    if value is None:
        return ""
    if kind.startswith("LIST<"):
        return "; ".join(value_text(v, kind[5:-1]) for v in value)
    if kind == "NODE":
        return _printable(f"{value['id'] or ''} {_called(value)}".strip())
    if kind == "RELATIONSHIP":
        return _printable(f"{value['start']} -{_arrow(value)}-> {value['end']}")
    if kind == "PATH":
        return _printable(_path_text(value["nodes"], value["relationships"]))
    value = summarise(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return "; ".join(value_text(v) for v in value)
    return _printable(json_text(value) if isinstance(value, dict) else str(value))


def _printable(words: str) -> str:
    """One line in which control characters, which a terminal would obey, are spelled out."""
    line = " ".join(words.split())
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)


def _called(entity: dict[str, Any]) -> str:
    return str(entity["symbol"] or entity["name"] or "")


def _arrow(relationship: dict[str, Any]) -> str:
    sign = {1: "(+)", -1: "(-)"}.get(relationship["sign"], "")
    return f"{relationship['type']}{sign}"


def _path_text(nodes: list[dict[str, Any]], relationships: list[dict[str, Any]]) -> str:
    """Write a path along its nodes: ``TP53 -REGULATES(+)-> MDM2 <-ENCODES- ...``."""
    parts = [_called(nodes[0]) or str(nodes[0]["id"])] if nodes else []
    for node, before, tie in zip(nodes[1:], nodes, relationships, strict=False):
        forward = tie["start"] == before["id"]
        parts.append(f"-{_arrow(tie)}->" if forward else f"<-{_arrow(tie)}-")
        parts.append(_called(node) or str(node["id"]))
    return " ".join(parts)


def as_table(table: pa.Table) -> str:
    """Write rows in columns for the eye, numbers to the right."""
    columns = [
        [_cut(value_text(v, column_kind(field))) for v in column.to_pylist()]
        for field, column in zip(table.schema, table.columns, strict=True)
    ]
    rows = [list(row) for row in zip(*columns, strict=True)]
    heads = [_printable(name) for name in table.column_names]
    widths = [max([len(h), *(len(r[i]) for r in rows)]) for i, h in enumerate(heads)]
    right = [_is_number(table.schema.field(i).type) for i in range(len(heads))]
    lines = [heads, ["-" * w for w in widths], *rows]
    return "\n".join(
        "  ".join(
            cell.rjust(w) if r else cell.ljust(w)
            for cell, w, r in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    )


def _cut(cell: str) -> str:
    return cell if len(cell) <= _WIDEST else cell[: _WIDEST - 1] + "…"


def _is_number(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def as_csv(table: pa.Table) -> str:
    """Write rows as CSV, with a header that does not depend on the rows.

    Where a statement declares a column of entities, it is two columns: the id and the name (or
    symbol). Other entities, lists, maps, relationships and paths are JSON. Null is nothing between
    the commas and the empty string is ``""``; in a table of one column null is ``""`` too, as
    readers skip empty lines.
    """
    heads: list[Any] = []
    columns: list[list[Any]] = []
    for field, column in zip(table.schema, table.columns, strict=True):
        values = column.to_pylist()
        heads.append(field.name)
        if not (is_declared(field) and column_kind(field) == "NODE"):
            columns.append([_exact(v) for v in values])
            continue
        heads.append(_free_name(f"{field.name}_name", {*table.column_names, *heads}))
        columns.append([_exact(v and v["id"]) for v in values])
        columns.append([_exact((v and _called(v)) or None) for v in values])
    lines = [[_exact(head) for head in heads], *zip(*columns, strict=True)]
    return "\n".join(",".join(line) or '""' for line in lines)


def _free_name(name: str, taken: set[str]) -> str:
    """Find a name for a second column that no column has."""
    numbered = (f"{name}_{n}" for n in itertools.count(2))
    return name if name not in taken else next(n for n in numbered if n not in taken)


def _exact(value: Any) -> str:
    """Write a value for a CSV file so that nothing is lost: all digits, strings as they are."""
    if value is None:
        return ""
    # As `float` reads them: CSV, other than JSON, can hold NaN and infinities.
    written = repr(value) if isinstance(value, float) else json_value(value)
    if not isinstance(written, str):
        written = json_text(written)
    if written and not set(written) & set(',"\r\n'):
        return written
    return '"' + written.replace('"', '""') + '"'


def plain_rows(table: pa.Table) -> list[dict[str, Any]]:
    """Make a dict of each row; a column of JSON texts has the values that they are of.

    Values are plain Python; bytes, NaN and infinities are still in them (`json_value`).
    """
    columns = {
        field.name: [_from_json(v) for v in column.to_pylist()]
        if column_kind(field) == JSON
        else column.to_pylist()
        for field, column in zip(table.schema, table.columns, strict=True)
    }
    rows = zip(*columns.values(), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def as_json(table: pa.Table) -> str:
    """Write rows as a JSON array of objects; a column of JSON texts as the values they are of."""
    return json_text(plain_rows(table), indent=2)


def _from_json(written: str | None) -> Any:
    return None if written is None else json.loads(written)
