"""Columns of a table as distinct texts and codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from typing import Any

    import pandas as pd

_Codes = npt.NDArray[np.int64]


def factors(series: pd.Series[Any]) -> tuple[list[str], _Codes]:
    """Distinct texts of a column, and the position of each cell's; a missing value is ``""``."""
    import pandas as pd

    if isinstance(series.dtype, pd.CategoricalDtype):
        codes, values = series.cat.codes.to_numpy(np.int64), list(series.cat.categories)
    else:
        found, uniques = pd.factorize(series, use_na_sentinel=True)
        codes, values = found.astype(np.int64), list(uniques)
    texts = [text(v) for v in values]
    if (codes < 0).any():
        texts.append("")
        codes = np.where(codes < 0, len(texts) - 1, codes)
    return texts, np.asarray(codes, np.int64)


def text(value: object) -> str:
    """A cell of a table as text; ``54.0`` that passed through a float column is ``54``."""
    if isinstance(value, bytes):
        return value.decode(errors="replace").strip()
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()
