"""Cells: counts by their labels, genes across groups, single cells as violins and as a map."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from tosg.dashboard import cell_questions, charts, connection
from tosg.dashboard.views import parts
from tosg.kg.query.lookup import find_entities

if TYPE_CHECKING:
    import pandas as pd

#: Cells can be counted by these, over the groups that fit the filters.
LABELS = {
    "cell_type": "Cell type",
    "tissue": "Tissue",
    "disease": "Disease",
    "sex": "Sex",
    "development_stage": "Development stage",
    "dataset": "Data set",
}

DONOR = "donor_id"


def show() -> None:
    """Draw the view."""
    st.title("Cells")
    if parts.show_if_empty():
        return
    values = cell_questions.group_values(connection.graph())
    if not values["dataset"]:
        st.info("No cells are attached. Attach a file, then reload this page.")
        st.code("tosg cells attach mine.h5ad --dry-run", language="sh")
        return
    chosen = _filters(values)
    shown = {**LABELS, DONOR: "Donor"}
    by = st.segmented_control(
        "Count by", list(shown), default="cell_type", format_func=shown.__getitem__, key="by"
    )
    frame = _counted(by or "cell_type", values, chosen)
    if frame.empty:
        st.info("No group of cells fits these filters.")
        return
    st.altair_chart(charts.bars(frame, by or "cell_type", "cells"))
    with st.expander("Table"):
        st.dataframe(frame, hide_index=True)
    _genes(chosen)
    _single_cells(values["dataset"], chosen)


def _counted(by: str, values: dict[str, list[str]], chosen: dict[str, list[str]]) -> pd.DataFrame:
    if by != DONOR:
        return cell_questions.cells_by(connection.graph(), by, chosen)
    if any(chosen[field] for field in chosen if field != "dataset"):
        st.caption("Donors are counted over whole data sets: the other filters have no part in it.")
    return _donors(tuple(chosen["dataset"] or values["dataset"]), parts.revision())


@st.cache_data(show_spinner="Reading the donors", max_entries=16)
def _donors(datasets: tuple[str, ...], revision: int) -> pd.DataFrame:  # noqa: ARG001 - the key
    return cell_questions.donors_of(connection.graph(), datasets)


def _filters(values: dict[str, list[str]]) -> dict[str, list[str]]:
    columns = st.columns(3)
    used = [field for field in LABELS if values[field]]
    return {
        field: columns[i % 3].multiselect(
            LABELS[field], values[field], key=field, bind="query-params"
        )
        for i, field in enumerate(used)
    }


def _genes(chosen: dict[str, list[str]]) -> None:
    st.subheader("Genes across groups")
    given = st.text_input(
        "Genes, separated by commas", key="genes", bind="query-params", placeholder="CD3D, MS4A1"
    )
    names = [g.strip() for g in given.split(",") if g.strip()]
    if not names:
        return
    found = find_entities(connection.graph().db, "Gene", names)
    for name in [*found.missing, *found.ambiguous]:
        why = ", ".join(found.ambiguous.get(name, [])) or "not in the graph"
        st.warning(f"{name}: {why}")
    parts.offer_names("genes", given, "Gene", many=True)
    frame = cell_questions.dots(connection.graph(), list(found.ids.values()), chosen)
    if frame.empty:
        st.info("No chosen group expresses them above the threshold.")
        return
    group = frame["cell_type"] + " \N{MIDDLE DOT} " + frame["dataset"]
    for unit, part in frame.assign(group=group).groupby("unit"):
        st.altair_chart(charts.dot_plot(part, str(unit)))
    st.caption("An absent dot is a group below the threshold, or one that did not measure it.")
    with st.expander("Table"):
        st.dataframe(frame, hide_index=True)


def _single_cells(datasets: list[str], chosen: dict[str, list[str]]) -> None:
    st.subheader("Single cells")
    dataset = st.selectbox("Data set", datasets, key="of", bind="query-params")
    donors = _donors((dataset,), parts.revision())
    known = {str(d): int(n) for d, n in zip(donors["donor_id"], donors["cells"], strict=True)}
    only = st.multiselect("Donor", list(known), key="donor", bind="query-params") if known else []
    cells = cell_questions.sample_cells(
        connection.graph(), dataset, chosen, {donor: known[donor] for donor in only}
    )
    if cells.empty:
        st.info("No cell of this data set fits the filters.")
        return
    if len(cells) == cell_questions.MOST_CELLS:
        st.caption(f"A fixed sample of {cell_questions.MOST_CELLS:,} cells is shown.")
    gene = st.text_input("Gene", key="gene", bind="query-params", placeholder="MS4A1").strip()
    cells = cells.assign(cell_type=cells["cell_type"].fillna("not stated"))
    values = _values(dataset, cells, gene) if gene else None
    if values is not None:
        unit = next(d.unit for d in connection.graph().datasets() if d.id == dataset)
        cells = cells.assign(value=values)
        st.altair_chart(charts.violins(cells, "cell_type", f"{gene} ({unit})"))
    _map(dataset, cells, gene if values is not None else "")


def _values(dataset: str, cells: pd.DataFrame, gene: str) -> list[float] | None:
    """Values of a gene in the cells; None, and why, where there are none."""
    graph = connection.graph()
    found = find_entities(graph.db, "Gene", [gene])
    if gene not in found.ids:
        st.warning(f"{gene} is no gene of the graph, or means several.")
        parts.offer_names("gene", gene, "Gene")
        return None
    values = cell_questions.expression_of_cells(
        graph, dataset, cells["idx"].tolist(), found.ids[gene]
    )
    if values is None:
        st.info(f"{dataset} did not measure {gene}.")
    return values


def _map(dataset: str, cells: pd.DataFrame, gene: str) -> None:
    """The cells on the data set's own map, coloured by a label or by the gene."""
    names = cell_questions.maps_of(connection.graph(), dataset)
    if not names:
        st.caption("This data set came without a map of its cells (obsm, as X_umap).")
        return
    columns = st.columns(2)
    name = columns[0].selectbox("Map", names, key="map", bind="query-params")
    labels = ["cell_type", "tissue", "disease", "donor_id", "sex"]
    colour = columns[1].selectbox("Colour", [gene, *labels] if gene else labels, key="colour")
    placed = cell_questions.places(connection.graph(), cells["idx"].tolist(), name)
    frame = cells.merge(placed, on="idx").rename(columns={"value": gene} if gene else {})
    st.altair_chart(charts.cell_map(frame, colour, numbers=colour == gene, title=colour))
