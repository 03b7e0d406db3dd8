"""What reports keep of the labels of a field: each distinct value, and what it was matched to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tosg.kg.cells.obs.terms import Label


def outcomes_of(labels: Iterable[Label], cells: Mapping[str, int]) -> dict[str, Any]:
    """Describe labels with their cells, as plain JSON content.

    Parameters
    ----------
    labels : iterable of Label
    cells : mapping
        Value as in the file -> number of cells.

    Returns
    -------
    dict
        ``labels``: a row for each, those with most cells first: label, cells, kind, name, id (what
        it was matched to), how and note; see `Label`. ``values``: kind -> label -> cells.
    """
    rows: list[dict[str, Any]] = [
        {
            "label": label.raw,
            "cells": cells[label.raw],
            "kind": label.kind,
            "name": label.name,
            "id": label.term,
            "how": label.how,
            "note": label.note,
        }
        for label in labels
    ]
    rows.sort(key=lambda row: (-row["cells"], row["label"]))
    values: dict[str, dict[str, int]] = {}
    for row in rows:
        values.setdefault(row["kind"], {})[row["label"]] = row["cells"]
    return {"labels": rows, "values": values}


def cells_by_label(found: Mapping[str, Any]) -> dict[str, int]:
    """Read cells per value back from what a report keeps of a field."""
    return {text: n for values in found["values"].values() for text, n in values.items()}


def cells_by_kind(found: Mapping[str, Any]) -> dict[str, int]:
    """Count the cells of a field by what became of their value."""
    return {kind: sum(values.values()) for kind, values in found["values"].items()}
