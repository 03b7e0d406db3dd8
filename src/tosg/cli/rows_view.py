"""Rows of a query as text: a table for the eye, CSV and JSON for programs.

The table has entities by id and name, and says of vectors and bytes only how long they are; CSV
and JSON hold every value whole.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tosg.kg.query.json_text import json_text, json_value

if TYPE_CHECKING:
    import pyarrow as pa

#: Longer lists of numbers are vectors.
_LONGEST = 16

#: Cells of a table for the eye are cut here; the other formats cut nothing.
_WIDEST = 72

_ENTITY = {"id", "type", "name", "symbol"}
_PATH = {"nodes", "relationships"}
_RELATIONSHIP = {"type", "start", "end", "sign", "score", "sources"}


def plain(value: Any) -> Any:
    """Replace vectors and byte arrays by what they are, at any depth."""
    if isinstance(value, bytes):
        return f"<{len(value):,} bytes>"
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list):
        if len(value) > _LONGEST and all(isinstance(v, int | float) for v in value):
            return f"<{len(value):,} numbers>"
        return [plain(v) for v in value]
    return value


def text(value: Any) -> str:
    """One value in one line, for the eye."""
    value = plain(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return "; ".join(text(v) for v in value)
    if isinstance(value, dict):
        return _graph_text(value)
    return " ".join(str(value).split())


def _graph_text(value: dict[str, Any]) -> str:
    keys = set(value)
    if keys == _ENTITY:
        return f"{value['id']} {_called(value)}".strip()
    if keys == _RELATIONSHIP:
        return f"{value['start']} -{_arrow(value)}-> {value['end']}"
    if keys == _PATH:
        return _path_text(value["nodes"], value["relationships"])
    return json.dumps(value, ensure_ascii=False, default=str)


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
    rows = [[_cut(text(v)) for v in row.values()] for row in table.to_pylist()]
    heads = list(table.column_names)
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
    """Write rows as CSV; an entity is two columns, its id and its name (or symbol).

    Lists, maps, relationships and paths are JSON. Null is nothing between the commas and the empty
    string is ``""``; in a table of one column null is ``""`` too, as readers skip empty lines.
    """
    entities = {f.name for f in table.schema if _is_entity(f.type)}
    heads: list[Any] = []
    for name in table.column_names:
        heads += [name, f"{name}_name"] if name in entities else [name]
    lines = [heads]
    for record in table.to_pylist():
        line: list[Any] = []
        for name, value in record.items():
            if name in entities:
                line += [value["id"], _called(value) or None] if value else [None, None]
            else:
                line.append(value)
        lines.append(line)
    return "\n".join(",".join(map(_exact, line)) or '""' for line in lines)


def _is_entity(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return pa.types.is_struct(kind) and {f.name for f in kind} == _ENTITY


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


def as_json(table: pa.Table) -> str:
    """Write rows as a JSON array of objects."""
    return json_text(table.to_pylist(), indent=2)
