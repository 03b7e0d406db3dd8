"""A finished training set: its classes by split, its graph, and one cell as its own graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from tosg.dashboard import charts, connection, jobs
from tosg.dashboard.views import parts
from tosg.export.format.manifest import SPLITS, read_manifest
from tosg.interop import viz
from tosg.interop.cell_graph import strongest_of_cell

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

#: Nodes of the picture of one cell: the most expressed that have edges among them.
MOST_DRAWN = 40


def show() -> None:
    """Draw the list and the chosen training set."""
    folders = jobs.finished(connection.graph().settings)
    if not folders:
        st.info(f"None yet in {jobs.folder_of(connection.graph().settings)}.")
        return
    folder = st.selectbox("Training set", folders, format_func=lambda f: f.name)
    manifest = read_manifest(folder)
    content = manifest.content
    show_counts(content["counts"], _size(content), content["warnings"])
    if content.get("splits"):
        _classes(content)
    _graph(folder, content)


def show_counts(counts: Mapping[str, int], size: int, warnings: Sequence[str]) -> None:
    """Counts, size and warnings of an export, written or planned."""
    columns = st.columns(4)
    for i, (name, n) in enumerate(counts.items()):
        columns[i % 4].metric(name.replace("_", " "), f"{n:,}")
    st.caption(f"{size / 1e6:,.1f} MB")
    for warning in warnings:
        st.warning(warning)


def _size(content: Mapping[str, Any]) -> int:
    return sum(int(file["bytes"]) for file in content["files"].values())


def _classes(content: Mapping[str, Any]) -> None:
    splits = content["splits"]
    classes = (content.get("target") or {}).get("classes") or []
    st.subheader("Splits")
    if not splits.get("donor_safe"):
        st.warning("Not safe for donors: cells of one donor can be in two splits.")
    rows = []
    for name in SPLITS:
        part = splits[name]
        donors = part.get("donors")
        row = {
            "split": name,
            "cells": part["cells"],
            "donors": len(donors) if isinstance(donors, list) else donors,
        }
        row |= dict(zip(classes, part.get("targets") or [], strict=False))
        rows.append(row)
    st.dataframe(rows, hide_index=True)


def _graph(folder: Path, content: Mapping[str, Any]) -> None:
    import tosg

    ts = tosg.TrainingSet(folder, add_reverses=False)
    nodes = pd.read_parquet(folder / "nodes.parquet", columns=["id", "type", "name", "symbol"])
    edges = ts.graph.edge_index.numpy()
    degree = np.bincount(edges.ravel(), minlength=len(nodes))
    st.subheader("Most connected nodes")
    top = nodes.assign(edges=degree).nlargest(20, "edges")
    st.altair_chart(
        charts.bars(top.assign(label=top["symbol"].fillna(top["name"])), "label", "edges")
    )
    with st.expander("Table"):
        st.dataframe(top, hide_index=True)
    if content["counts"].get("cells"):
        _cell(ts)


def _cell(ts: Any) -> None:
    st.subheader("One cell as its own graph")
    number = int(st.number_input("Row in cells.parquet", 0, ts.n_cells - 1, 0, step=1))
    entities, edges, _ = strongest_of_cell(ts, number, MOST_DRAWN)
    if not entities:
        st.info("No two nodes that this cell expresses are joined.")
        return
    parts.picture(viz.draw(entities, edges), "cell")
    parts.legend(e.type for e in entities)
    with st.expander("The same as a table"):
        parts.show_edges(entities, edges)
