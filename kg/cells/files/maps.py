"""Two-dimensional maps of cells (UMAP, t-SNE, places on a slide) in ``obsm``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

#: Maps that are kept of a file: each costs two numbers a cell.
MAPS = 4

#: How maps are called that people look at first.
_FIRST = ("umap", "tsne", "spatial")

CellMaps = dict[str, "npt.NDArray[np.float64]"]


def read_maps(group: Any, n_cells: int) -> tuple[CellMaps, list[str]]:
    """Read the maps of a group in the layout of AnnData.

    Parameters
    ----------
    group : h5py.Group or zarr.Group
    n_cells : int

    Returns
    -------
    maps : dict of str to (n_cells, 2) float64
        By name, ``X_umap`` as ``umap``; at most `MAPS`.
    others : list of str
        Names of further ones, which are left out.
    """
    obsm = group.get("obsm", {})
    found = {
        map_name(key): key
        for key in sorted(obsm)
        if getattr(obsm[key], "shape", None) == (n_cells, 2) and obsm[key].dtype.kind in "fiu"
    }
    ordered = sorted(found, key=lambda name: (_rank(name), name))
    maps = {name: np.asarray(obsm[found[name]][:], np.float64) for name in ordered[:MAPS]}
    return maps, ordered[MAPS:]


def map_name(key: str) -> str:
    """Name of a map as a part of a property: word characters only, without ``X_``."""
    return re.sub(r"[^A-Za-z0-9_]", "_", key.removeprefix("X_")).lower()


def _rank(name: str) -> int:
    return next((i for i, first in enumerate(_FIRST) if first in name), len(_FIRST))
