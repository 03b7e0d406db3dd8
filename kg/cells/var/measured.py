"""Which variables of a file were measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tosg.kg.cells.obs.flags import read_flags

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

_COLUMN = "feature_is_filtered"


def filtered_of(var: pd.DataFrame, x_var: pd.DataFrame, where: str | Path) -> npt.NDArray[np.bool_]:
    """Tell which variables were taken out of ``X``: CELLxGENE's ``feature_is_filtered``.

    Parameters
    ----------
    var : DataFrame
        Variables of the attached matrix.
    x_var : DataFrame
        Variables of ``X``, which carry the flag.
    where : str or Path
        The file, for errors.

    Returns
    -------
    (n_variables,) bool

    Raises
    ------
    DataError
        A flag is neither yes nor no.
    """
    if _COLUMN not in x_var.columns or not x_var.index.is_unique:
        return np.zeros(len(var), bool)
    texts = [str(flag) for flag in x_var[_COLUMN].tolist()]
    flags = read_flags(texts, f"var, {_COLUMN}", where)
    filtered = {name for name, text in zip(x_var.index, texts, strict=True) if flags[text]}
    return np.array([name in filtered for name in var.index], bool)


def measured_of(filtered: npt.NDArray[np.bool_], seen: Any) -> npt.NDArray[np.bool_]:
    """Tell which variables were measured: those that were kept, or have a value all the same.

    Parameters
    ----------
    filtered : (n_variables,) bool
        See `filtered_of`.
    seen : (n_variables,) bool
        Whether any cell has a value other than 0.
    """
    return np.asarray(~filtered | np.asarray(seen, bool))
