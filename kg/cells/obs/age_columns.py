"""Ages of all cells of a file, from their age and their stage of development."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tosg.kg.cells.obs.ages import Age, read_age, says_unborn
from tosg.kg.cells.obs.texts import factors

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from tosg.kg.cells.obs.columns import FieldColumn
    from tosg.kg.cells.obs.terms import Label


@dataclass(frozen=True)
class CellAges:
    """Ages of the cells of a file.

    Attributes
    ----------
    years, post_conception_weeks : list of float or None
        One per cell; at most one of the two is known.
    read_as : dict of str to int
        Unit -> number of cells whose age was read in it.
    not_read : dict of str to int
        Text -> number of cells whose age is not known for all that.
    """

    years: list[float | None]
    post_conception_weeks: list[float | None]
    read_as: dict[str, int] = field(default_factory=dict)
    not_read: dict[str, int] = field(default_factory=dict)

    def properties(self) -> dict[str, list[Any]]:
        """Properties of the cells."""
        found: dict[str, list[Any]] = {"age_years": list(self.years)}
        if any(weeks is not None for weeks in self.post_conception_weeks):
            found["post_conception_weeks"] = list(self.post_conception_weeks)
        return found


def read_ages(columns: Mapping[str, FieldColumn], unborn: npt.NDArray[np.bool_]) -> CellAges | None:
    """Read the age of each cell: from its age, else from its stage; None without such fields.

    Parameters
    ----------
    columns : mapping
        Fields of the cells.
    unborn : (n_cells,) bool
        Whether a cell is said to be from before birth; see `unborn_cells`.
    """
    sources = [columns[name] for name in ("age", "development_stage") if name in columns]
    if not sources:
        return None
    n = len(unborn)
    ages: list[Age | None] = [None] * n
    texts = [""] * n
    for column in sources:
        plain = column is columns.get("age") and column.source.unit_column is None
        # Per label and clock, not per cell: there are few labels and many cells.
        read = [[_age(lab, plain=plain, unborn=u) for u in (False, True)] for lab in column.labels]
        for i, (code, u) in enumerate(zip(column.codes.tolist(), unborn.tolist(), strict=True)):
            texts[i] = texts[i] or (
                ""
                if column.labels[code].kind == "missing"
                else (column.labels[code].name or column.labels[code].raw)
            )
            ages[i] = ages[i] or read[code][u]
    read_as: dict[str, int] = {}
    not_read: dict[str, int] = {}
    for age, text in zip(ages, texts, strict=True):
        if age is not None:
            read_as[age.read_as] = read_as.get(age.read_as, 0) + 1
        elif text:
            not_read[text] = not_read.get(text, 0) + 1
    return CellAges(
        [None if age is None else age.years for age in ages],
        [None if age is None else age.post_conception_weeks for age in ages],
        read_as,
        not_read,
    )


def _age(label: Label, *, plain: bool, unborn: bool) -> Age | None:
    for part in (label.name, label.term, label.raw):
        if part and (age := read_age(part, plain=plain, unborn=unborn)) is not None:
            return age
    return None


def unborn_cells(obs: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Tell which rows of a table say in any column that they are from before birth."""
    import pandas as pd

    found = np.zeros(len(obs), bool)
    for column in obs.columns:
        series = obs[column]
        if isinstance(series.dtype, pd.CategoricalDtype) or series.dtype.kind in "OSUT":
            texts, codes = factors(series)
            says = np.array([says_unborn(text) for text in texts], bool)
            found |= says[codes]
    return found
