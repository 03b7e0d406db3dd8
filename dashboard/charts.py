"""Charts by Altair. Every chart comes with its table, which a screen reader can read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt

if TYPE_CHECKING:
    import pandas as pd

#: Marks of an axis of orders of magnitude.
_POWERS = [0, *(10**n for n in range(1, 10))]

#: Bars in one chart at most; the table below it has them all.
MOST_BARS = 40


def bars(frame: pd.DataFrame, label: str, value: str, *, log: bool = False) -> alt.Chart:
    """Horizontal bars, largest first."""
    scale = alt.Scale(type="symlog", nice=True) if log else alt.Scale()
    few = {"values": _POWERS} if log else {}  # a symlog axis sets its marks too close to be read
    return (
        alt.Chart(frame.head(MOST_BARS))
        .mark_bar(color="#0072B2")
        .encode(
            x=alt.X(f"{value}:Q", scale=scale, title=value, axis=alt.Axis(labelFlush=False, **few)),
            y=alt.Y(f"{label}:N", sort="-x", title=None, axis=alt.Axis(labelLimit=260)),
            tooltip=[label, alt.Tooltip(f"{value}:Q", format=",")],
        )
        .properties(padding={"left": 5, "right": 28, "top": 8, "bottom": 5})
    )


def dot_plot(frame: pd.DataFrame, unit: str) -> alt.Chart:
    """Genes across groups: colour is the mean, size the fraction of cells that express it."""
    genes = list(dict.fromkeys(frame.sort_values("place")["gene"]))  # as they were asked for
    return (
        alt.Chart(frame)
        .mark_circle(stroke="#555", strokeWidth=0.5)
        .encode(
            x=alt.X("gene:N", title=None, sort=genes),
            y=alt.Y("group:N", title=None, axis=alt.Axis(labelLimit=320)),
            size=alt.Size("fraction:Q", scale=alt.Scale(domain=[0, 1], range=[0, 350])),
            color=alt.Color("mean:Q", title=f"mean ({unit})", scale=alt.Scale(scheme="viridis")),
            tooltip=[
                "gene",
                "group",
                alt.Tooltip("mean:Q", format=".3f"),
                alt.Tooltip("fraction:Q", format=".1%"),
                "cells",
                "dataset",
            ],
        )
    )


def violins(frame: pd.DataFrame, field: str, unit: str) -> alt.FacetChart:
    """Distribution of one gene in single cells, a violin per value of a field."""
    return (
        alt.Chart(frame)
        .transform_density("value", as_=["value", "density"], groupby=[field])
        .mark_area(orient="horizontal", color="#0072B2", opacity=0.8)
        .encode(
            x=alt.X("density:Q", stack="center", title=None, axis=None),
            y=alt.Y("value:Q", title=unit),
        )
        .properties(width=70, height=240)
        .facet(
            column=alt.Column(
                f"{field}:N",
                header=alt.Header(labelAngle=-40, labelAlign="right", labelLimit=180, title=None),
            )
        )
    )


def cell_map(frame: pd.DataFrame, colour: str, *, numbers: bool, title: str) -> alt.Chart:
    """Cells at their two coordinates, coloured by a label or by a value."""
    kind, scheme = ("Q", "viridis") if numbers else ("N", "tableau20")
    return (
        alt.Chart(frame)
        .mark_circle(size=16, opacity=0.8)
        .encode(
            x=alt.X("x:Q", title=None, axis=None),
            y=alt.Y("y:Q", title=None, axis=None),
            color=alt.Color(f"{colour}:{kind}", title=title, scale=alt.Scale(scheme=scheme)),
            tooltip=["id", colour],
        )
        .properties(height=480)
    )
