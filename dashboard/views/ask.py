"""Ask: the named statements as forms, and free Cypher, guarded as ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from tosg.dashboard import connection, questions
from tosg.dashboard.views import parts
from tosg.errors import TosgError
from tosg.interop import viz
from tosg.kg.query.statements import statements
from tosg.kg.schema.types import ENTITY, entity_types

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tosg.cypher.header import Parameter

FREE = "Cypher"

#: Rows shown at most; a download has as many.
MOST_ROWS = 1_000


def show() -> None:
    """Draw the view."""
    st.title("Ask")
    if parts.show_if_empty():
        return
    known = statements()
    name = st.selectbox(
        "Question",
        [*known, FREE],
        key="statement",
        bind="query-params",
    )
    if name == FREE:
        _free()
        return
    statement = known[name]
    st.markdown(statement.help)
    question, answer = st.columns(parts.SIDE_BY_SIDE)  # one below the other on a phone
    with question:
        with st.form("form"):
            values = {p.name: _field(name, p) for p in statement.params}
            asked = st.form_submit_button("Ask")
        with st.expander("The Cypher of this question"):
            st.code(statement.cypher, language="cypher")
    given = {k: v for k, v in values.items() if v not in (None, "")}
    missing = [p.name for p in statement.params if p.required and p.name not in given]
    with answer:
        if _offer_names(name, statement.params, given):
            return
        if not missing:
            _run(name, given)
        elif asked:
            st.warning("Fill in " + ", ".join(missing) + ".")


def _offer_names(statement: str, params: Sequence[Parameter], given: dict[str, Any]) -> bool:
    """Complete the names of entities that were begun; whether one was."""
    for p in params:
        if p.name in given and (p.element == ENTITY or p.element in entity_types()):
            text = ", ".join(given[p.name]) if p.many else str(given[p.name])
            with st.container(border=False):
                place = st.empty()
                if parts.offer_names(f"{statement}.{p.name}", text, p.element, many=p.many):
                    place.caption(f"No {p.element} is called {text}. These names begin so:")
                    return True
    return False


def _field(statement: str, parameter: Parameter) -> Any:
    key = f"{statement}.{parameter.name}"
    label = f"{parameter.name}: {parameter.help}"
    default = None if parameter.required else parameter.default
    if parameter.type == "BOOLEAN":
        return st.checkbox(label, bool(default), key=key, bind="query-params")
    if parameter.type == "INTEGER":
        return st.number_input(label, value=default, step=1, key=key, bind="query-params")
    if parameter.type == "FLOAT":
        return st.number_input(label, value=default, key=key, bind="query-params")
    shown = ", ".join(default) if isinstance(default, list) else str(default or "")
    text = st.text_input(label, shown, key=key, bind="query-params").strip()
    if parameter.many:
        return [part.strip() for part in text.split(",") if part.strip()] or None
    return text


def _free() -> None:
    query = st.text_area(
        "Cypher that reads",
        "MATCH (d:Drug)-[r:TARGETS]->(g:Gene) RETURN d, r, g LIMIT 25",
        key="cypher",
        bind="query-params",
        height=160,
    )
    st.caption("It only reads, and has a time limit. Nodes come back as id, type and name.")
    if st.button("Ask") or st.query_params.get("cypher"):
        _run(query, {})


def _run(query: str, values: dict[str, Any]) -> None:
    try:
        with st.spinner("Asking"):
            table = connection.graph().query(query, params=values, limit=MOST_ROWS)
    except TosgError as error:
        st.error(str(error))
        return
    st.caption(f"{table.num_rows:,} rows" + (", cut off" if table.num_rows >= MOST_ROWS else ""))
    if not table.num_rows:
        st.info("The graph has no answer to this.")
        return
    rows = table.to_pylist()
    entities, edges = questions.drawable(rows[: questions.MOST_NEIGHBOURS])
    if edges:
        parts.picture(viz.draw(entities, edges), "answer")
        parts.legend(e.type for e in entities)
    st.dataframe([{k: _short(v) for k, v in row.items()} for row in rows], hide_index=True)
    parts.downloads(table, "answer")


def _short(value: Any) -> Any:
    """An entity by its name, a path by its names: a table cell that can be read."""
    if isinstance(value, list):
        return ", ".join(str(_short(v)) for v in value)
    if isinstance(value, dict) and "nodes" in value:
        return " \N{RIGHTWARDS ARROW} ".join(str(_short(n)) for n in value["nodes"])
    if isinstance(value, dict) and {"start", "end", "type"} <= set(value):
        return f"{value['start']} {value['type']} {value['end']}"
    if isinstance(value, dict) and "id" in value:
        return value.get("symbol") or value.get("name") or value["id"]
    return value
