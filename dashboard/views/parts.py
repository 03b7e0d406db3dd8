"""What several views share: the graph's revision, links, pictures and downloads."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import streamlit as st
from neo4j_viz.streamlit import display_widget

from tosg.dashboard import connection, questions
from tosg.interop.palette import SIGN_MARKS, TYPE_COLOURS
from tosg.kg.database.bookkeeping import read_meta

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pyarrow as pa
    from neo4j_viz import VisualizationGraph

    from tosg.interop.palette import Edge, Entity

#: Where the script keeps the pages of a visitor, by address.
PAGES = "pages"

PICTURE_HEIGHT = "520px"

#: Widths of words and of the picture beside them.
SIDE_BY_SIDE = (2, 3)


def revision() -> int:
    """The graph's revision: what is cached is of one revision, and never shown for another."""
    return read_meta(connection.graph().db).revision


def show_if_empty() -> bool:
    """Say what to do with an empty graph; whether it is empty."""
    if connection.graph().stats().entities:
        return False
    st.info("The graph is empty. Load something into it, then reload this page.")
    st.code("tosg build open-human        # or: tosg demo, tosg load SOURCE FILE", language="sh")
    return True


def entity_link(id_: str, label: str) -> None:
    """A link to an entity's page."""
    st.page_link(st.session_state[PAGES]["entity"], label=label, query_params={"id": id_})


def offer_names(key: str, text: str, label: str, *, many: bool = False) -> bool:
    """Complete the name in a field: buttons with the names that begin with what stands there.

    Parameters
    ----------
    key : str
        Of the field, in the state of the session; a button writes the name into it.
    text : str
        What stands in the field.
    label : str
        Type of what is meant, or ``Entity``.
    many : bool
        Whether the field holds several names with commas between; the last is completed.

    Returns
    -------
    bool
        Whether names were offered.
    """
    *before, last = text.split(",") if many else [text]
    found = questions.completions(connection.graph(), last.strip(), label)
    for name, shown in found:
        whole = ", ".join([*(b.strip() for b in before), name])
        st.button(shown, key=f"{key}: {name}", on_click=_fill, args=(key, whole), type="tertiary")
    return bool(found)


def _fill(key: str, value: str) -> None:
    st.session_state[key] = value


def picture(graph: VisualizationGraph, key: str) -> list[str]:
    """Show a picture; returns the ids of the nodes that the visitor selected in it."""
    widget = graph.render_widget(height=PICTURE_HEIGHT)
    display_widget(widget, key=key)
    selected: Any = widget.selected
    return [str(id_) for id_ in getattr(selected, "nodeIds", None) or []]


def legend(types: Iterable[str]) -> None:
    """Say what the colours and the line widths mean."""
    dots = " ".join(
        f'<span style="white-space:nowrap"><span aria-hidden="true" '
        f'style="color:{TYPE_COLOURS.get(t, "#CCCCCC")}">&#9679;</span> {t}</span>'
        for t in sorted(set(types))
    )
    st.html(f"<p>{dots}. Blue raises (+), orange lowers (\N{MINUS SIGN}), thicker is surer.</p>")


def show_edges(entities: Sequence[Entity], edges: Sequence[Edge]) -> None:
    """The relationships of a picture as a table: the picture in words."""
    names = {e.id: e.label for e in entities}
    st.dataframe(
        [
            {
                "start": names.get(e.start, e.start),
                "relationship": f"{e.type} {SIGN_MARKS.get(e.sign, '')}".strip(),
                "end": names.get(e.end, e.end),
                "score": e.score,
                "sources": ", ".join(e.sources),
            }
            for e in edges
        ],
        hide_index=True,
    )


def downloads(table: pa.Table, name: str) -> None:
    """Buttons that save a result as CSV, JSON or Parquet."""
    import pyarrow.parquet as pq

    from tosg.json_text import json_text

    parquet = io.BytesIO()
    pq.write_table(table, parquet)
    flat = table.to_pandas()
    columns = st.columns(3)
    columns[0].download_button("CSV", flat.to_csv(index=False), f"{name}.csv", "text/csv")
    columns[1].download_button(
        "JSON", json_text(table.to_pylist(), indent=2), f"{name}.json", "application/json"
    )
    columns[2].download_button(
        "Parquet", parquet.getvalue(), f"{name}.parquet", "application/octet-stream"
    )
