"""Search: by meaning and by words; a hit opens its entity."""

from __future__ import annotations

import streamlit as st

from tosg.dashboard import connection
from tosg.dashboard.views import parts
from tosg.kg.schema.types import entity_types


def show() -> None:
    """Draw the view."""
    st.title("Search")
    if parts.show_if_empty():
        return
    text = st.text_input(
        "Words, a name, or a question",
        key="q",
        bind="query-params",
        placeholder="interferon response in lupus",
    )
    types = st.multiselect("Types", list(entity_types()), key="types", bind="query-params")
    k = st.slider("Results", 5, 50, 10, step=5, key="k", bind="query-params")
    if not text.strip():
        st.caption("Nothing in the text is syntax: IL-2/STAT5 is a search.")
        return
    from tosg.kg.search.hybrid import note_of

    with st.spinner("Searching"):
        found = connection.graph().search(text, types=types or None, k=k)
    note = note_of(found)
    if note:
        st.warning(note)
    if not found.num_rows:
        st.info("Nothing was found. Try fewer words, or all types.")
    for row in found.to_pylist():
        with st.container(border=True):
            label = row["symbol"] or row["name"] or row["id"]
            parts.entity_link(row["id"], f"{label} \N{MIDDLE DOT} {row['type']}")
            st.caption(_how(row))
            st.text(row["snippet"] or row["name"] or "")


def _how(row: dict[str, object]) -> str:
    ways = [str(row["id"]), str(row["name"] or "")]
    if row["text_rank"] is not None:
        ways.append(f"words: rank {row['text_rank']}")
    if row["vector_rank"] is not None:
        ways.append(f"meaning: rank {row['vector_rank']}, cosine {row['similarity']:.2f}")
    return " \N{MIDDLE DOT} ".join(w for w in ways if w)
