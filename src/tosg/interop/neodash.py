"""A dashboard for NeoDash 2.4, made from the named statements and the schema.

NeoDash imports the JSON (a page per kind of question); what it asks is each statement's own
Cypher, with the values that a visitor has to give chosen in a selector above it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from tosg.cypher.tokens import tokens
from tosg.kg.query.statements import statements
from tosg.kg.schema import names
from tosg.kg.schema.types import ENTITY, entity_types, snake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tosg.cypher.header import Parameter, Statement

NEODASH_VERSION = "2.4"

#: Columns of NeoDash's grid, and rows of a selector and of an answer.
_WIDE, _LOW, _HIGH = 24, 3, 10

#: Names of pages, by the type of the first value that a statement must be given.
_PAGES = {
    "Gene": "Genes",
    "Protein": "Genes",
    "Pathway": "Pathways",
    "Disease": "Diseases",
    "Drug": "Drugs",
    "CellType": "Cells",
    ENTITY: "Any entity",
}

#: Types whose symbol is the better caption.
_SYMBOLS = ("Gene", "Protein")

#: Page of the statements that need no value.
_REST = "Cells"

_OVERVIEW: tuple[tuple[str, str, str, dict[str, str]], ...] = (
    (
        "Entities by type",
        "bar",
        (
            "CYPHER 5 MATCH (n:Entity) WITH head([l IN labels(n) WHERE l <> 'Entity']) AS type "
            "RETURN type, count(*) AS entities ORDER BY entities DESC"
        ),
        {"index": "type", "value": "entities", "key": "(none)"},
    ),
    (
        "Relationships by type",
        "bar",
        (
            "CYPHER 5 MATCH (:Entity)-[r]->(:Entity) RETURN type(r) AS type, "
            "count(*) AS relationships ORDER BY relationships DESC"
        ),
        {"index": "type", "value": "relationships", "key": "(none)"},
    ),
    (
        "Data sets of cells",
        "table",
        (
            "CYPHER 5 MATCH (d:Dataset) RETURN d.id AS dataset, d.title AS title, "
            "d.unit AS unit, d.n_cells AS cells, d.license AS license ORDER BY dataset"
        ),
        {},
    ),
    (
        "Last loads",
        "table",
        "CYPHER 5 MATCH (r:TosgReport) RETURN r.id AS load ORDER BY load DESC LIMIT 10",
        {},
    ),
)


def make_neodash() -> dict[str, Any]:
    """Make the dashboard as plain values for JSON.

    Returns
    -------
    dict
        What NeoDash 2.4 imports. Statements whose answer is finished outside the database, or
        that need the embedding model, are named on the first page instead.
    """
    by_page: dict[str, list[Statement]] = {}
    for statement in statements().values():
        if _is_whole(statement):
            by_page.setdefault(_page_of(statement), []).append(statement)
    pages = {"Overview": _overview()}
    pages |= {title: list(_reports(title, asked)) for title, asked in by_page.items()}
    return {
        "uuid": _uid("dashboard"),
        "title": "tosg: what the graph knows",
        "version": NEODASH_VERSION,
        "settings": {
            "pagenumber": 0,
            "editable": True,
            "fullscreenEnabled": True,
            "parameters": {},
            "queryTimeLimit": 60,
        },
        "pages": [{"title": title, "reports": reports} for title, reports in pages.items()],
        "parameters": {},
        "extensions": {},
    }


def _is_whole(statement: Statement) -> bool:
    """Whether the database alone answers it, with values that a selector can give."""
    return not statement.after and not any("VECTOR" in p.type for p in statement.params)


def _page_of(statement: Statement) -> str:
    required = [p for p in statement.params if p.required]
    return _PAGES.get(required[0].element, _REST) if required else _REST


def _overview() -> list[dict[str, Any]]:
    left = [s for s in statements().values() if not _is_whole(s)]
    words = "Asked with `tosg query` alone, since more than Cypher answers them:\n\n" + "\n".join(
        f"- **{s.name}**: {s.help}" for s in left
    )
    made = [
        _report(
            "Overview", title, kind, query, x=12 * (i % 2), y=_HIGH * (i // 2), selection=chosen
        )
        for i, (title, kind, query, chosen) in enumerate(_OVERVIEW)
    ]
    return [*made, _report("Overview", "More questions", "text", words, y=2 * _HIGH, width=_WIDE)]


def _reports(page: str, asked: list[Statement]) -> Iterator[dict[str, Any]]:
    """Selectors of what the page's statements must be given, and the answers below them."""
    chosen = {_name(p): p for s in asked for p in s.params if p.required}
    for i, parameter in enumerate(chosen.values()):
        yield _selector(parameter, page, x=12 * (i % 2), y=_LOW * (i // 2))
    top = _LOW * ((len(chosen) + 1) // 2)
    for i, statement in enumerate(asked):
        yield from _answers(page, statement, top + i * _HIGH)


def _answers(page: str, statement: Statement, y: int) -> Iterator[dict[str, Any]]:
    """A statement's rows, and where they hold relationships or paths these drawn."""
    query = _filled(statement)
    drawn = any(c.type in ("PATH", "RELATIONSHIP") for c in statement.returns)
    width = _WIDE // 2 if drawn else _WIDE
    yield _report(page, statement.help, "table", query, y=y, width=width)
    if drawn:
        yield _report(
            page,
            f"{statement.name}, drawn",
            "graph",
            query,
            x=width,
            y=y,
            selection={t: "symbol" if t in _SYMBOLS else "name" for t in entity_types()},
            settings={"actionsRules": []},  # later versions of NeoDash look for it
        )


def _selector(parameter: Parameter, page: str, *, x: int, y: int) -> dict[str, Any]:
    title = f"{parameter.name}: {parameter.help}"
    if parameter.element == ENTITY or parameter.element in entity_types():
        kind = "Custom Query"
        query = (
            f"CYPHER 5 MATCH (n:{names.label(parameter.element)}) "
            "WHERE toLower(coalesce(n.symbol, n.name, n.id)) CONTAINS toLower($input) "
            "RETURN DISTINCT n.id AS value, coalesce(n.symbol, n.name, '') + ' (' + n.id + ')' "
            "AS display ORDER BY size(display), display LIMIT 25"
        )
    else:
        kind, query = "Free Text", "RETURN true"
    settings = {
        "type": kind,
        "entityType": kind,
        "parameterName": _name(parameter),
        "helperText": parameter.help,
        "clearParameterOnFieldClear": True,
        **({"multiSelector": True} if parameter.many else {}),
    }
    return _report(page, title, "select", query, x=x, y=y, height=_LOW, settings=settings)


def _name(parameter: Parameter) -> str:
    """Name of the selector's value: statements that ask for the same share it."""
    return f"neodash_{parameter.name}_{snake(parameter.element).replace(' ', '_')}"


def _filled(statement: Statement) -> str:
    """The statement's Cypher: what must be given from the selectors, the rest as its default."""
    values = {
        p.name: f"${_name(p)}" if p.required else as_literal(p.default) for p in statement.params
    }
    text = statement.cypher
    for token in reversed([t for t in tokens(text) if t.kind == "parameter"]):
        text = text[: token.start] + values[token.text[1:].strip("`")] + text[token.end :]
    return text


def as_literal(value: Any) -> str:
    """Write a plain value of a statement's header as Cypher."""
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace("'", "\\'")
        return f"'{escaped}'"
    if isinstance(value, list):
        return f"[{', '.join(map(as_literal, value))}]"
    return json.dumps(value)


def _report(
    page: str,
    title: str,
    kind: str,
    query: str,
    *,
    x: int = 0,
    y: int = 0,
    width: int = _WIDE // 2,
    height: int = _HIGH,
    selection: dict[str, str] | None = None,
    settings: dict[str, Any] | None = None,
) -> dict[str, Any]:
    return {
        "id": _uid(f"{page}/{title}/{query}"),
        "title": title,
        "query": query,
        "type": kind,
        "x": x,
        "y": y,
        "width": width,
        "height": height,
        "selection": selection or {},
        "settings": settings or {},
        "schema": [],
    }


def _uid(what: str) -> str:
    """The same identifier for the same report, so that the file changes only with its content."""
    return str(uuid5(NAMESPACE_URL, f"tosg/{what}"))
