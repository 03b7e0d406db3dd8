"""Rows of a query as text: entities by id and name, never a vector or byte array."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

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
    """One value in one line."""
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
    """Write rows as CSV; an entity is two columns, its id and its name (or symbol)."""
    records = table.to_pylist()
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    entities = {f.name for f in table.schema if _is_entity(f.type)}
    heads: list[str] = []
    for name in table.column_names:
        heads += [name, f"{name}_name"] if name in entities else [name]
    writer.writerow(heads)
    for record in records:
        row: list[str] = []
        for name, value in record.items():
            if name in entities:
                row += [value["id"] or "", _called(value)] if value else ["", ""]
            else:
                row.append(_exact(value))
        writer.writerow(row)
    return out.getvalue().removesuffix("\n")


def _is_entity(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return pa.types.is_struct(kind) and {f.name for f in kind} == _ENTITY


def _exact(value: Any) -> str:
    """Write a value so that nothing is lost: all digits, strings with their line ends."""
    if isinstance(value, float):
        return repr(value)
    return value if isinstance(value, str) else text(value)


def as_json(table: pa.Table) -> str:
    """Write rows as a JSON array of objects."""
    rows = [plain(row) for row in table.to_pylist()]
    return json.dumps(rows, indent=2, ensure_ascii=False, default=str)
