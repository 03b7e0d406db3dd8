"""Overview: what is in the graph, from whom, and what the last loads did."""

from __future__ import annotations

from operator import itemgetter

import pandas as pd
import streamlit as st

from tosg.dashboard import charts, connection, questions
from tosg.dashboard.views import parts
from tosg.errors import QueryTimeoutError
from tosg.interop import viz

#: Reports of loads that are listed.
MOST_REPORTS = 10


def show() -> None:
    """Draw the view."""
    st.title("What is in the graph")
    if parts.show_if_empty():
        return
    graph = connection.graph()
    counts = graph.stats()
    boxes = st.columns(4)
    boxes[0].metric("Entities", f"{sum(counts.entities.values()):,}")
    boxes[1].metric("Relationships", f"{sum(counts.knowledge.values()):,}")
    boxes[2].metric("Cells", f"{counts.nodes.get('Cell', 0):,}")
    boxes[3].metric("Cell groups", f"{counts.nodes.get('CellGroup', 0):,}")
    left, right = st.columns(2)
    with left:
        st.subheader("Entities by type")
        _counts(counts.entities, "type", "entities")
    with right:
        st.subheader("Relationships by type")
        _counts(counts.knowledge, "type", "relationships")
    st.subheader("How the types are joined")
    revision = parts.revision()
    pairs = _metagraph(revision)
    parts.picture(viz.draw_metagraph(counts.entities, pairs), "metagraph")
    with st.expander("The same as a table"):
        st.dataframe(pd.DataFrame(pairs, columns=["start", "relationship", "end", "count"]))
    _coverage(revision)
    _datasets()
    _loads()
    _sources(revision)


def _counts(counts: dict[str, int], label: str, value: str) -> None:
    frame = pd.DataFrame(
        sorted(counts.items(), key=itemgetter(1), reverse=True), columns=[label, value]
    )
    st.altair_chart(charts.bars(frame, label, value, log=True))
    with st.expander("Table"):
        st.dataframe(frame, hide_index=True)


@st.cache_data(show_spinner="Counting the relationships", max_entries=4)
def _metagraph(revision: int) -> list[tuple[str, str, str, int | None]]:  # noqa: ARG001 - the key
    return questions.metagraph(connection.graph())


@st.cache_data(show_spinner="Counting the vectors", max_entries=4)
def _embedded(revision: int) -> pd.DataFrame:  # noqa: ARG001 - the key
    return questions.embedded(connection.graph())


@st.cache_data(show_spinner="Counting what each source claims", max_entries=4)
def _claims(revision: int) -> pd.DataFrame:  # noqa: ARG001 - the key
    return questions.sources_table(connection.graph())


def _coverage(revision: int) -> None:
    st.subheader("Text vectors")
    frame = _embedded(revision)
    if not int(frame["embedded"].sum()):
        st.info("No entity has a vector yet: search works by words alone. Run `tosg embed`.")
        return
    share = (frame["embedded"] / frame["entities"]).map("{:.0%}".format)
    st.table(frame.assign(share=share).set_index("type"))


def _datasets() -> None:
    st.subheader("Data sets of cells")
    frame = questions.dataset_table(connection.graph())
    if frame.empty:
        st.info("No cells are attached. Run `tosg cells attach FILE.h5ad`.")
    else:
        st.table(frame.set_index("dataset"))


def _loads() -> None:
    st.subheader("Last loads")
    rows = questions.last_loads(connection.graph(), MOST_REPORTS)
    if rows:
        st.table(pd.DataFrame(rows).set_index("load"))
    else:
        st.info("No load is on record.")


def _sources(revision: int) -> None:
    st.subheader("Sources and licences")
    try:
        st.table(_claims(revision).set_index("source"))
    except QueryTimeoutError as error:
        st.info(f"Not counted: {error}")
        st.info("`tosg stats` counts the claims of each source without a limit of time.")
