"""AnnData: h5ad files of every version, and zarr folders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tosg.errors import DataError
from tosg.kg.cells.files.maps import MAPS, read_maps
from tosg.kg.cells.files.matrices import dense_matrix, sparse_matrix
from tosg.kg.cells.files.source import CellSource, Matrix, with_unique_names
from tosg.kg.cells.files.texts import recoded

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

#: Layers in which counts are kept by custom; looked at first.
COUNT_LAYERS = ("counts", "raw_counts", "count", "raw", "umi", "umis")

#: Where uns says the species of all cells: CELLxGENE's schema 6 and later, and others.
_ORGANISM = ("organism_ontology_term_id", "organism", "species")


def read_h5ad(path: Path, file: Any) -> CellSource:
    """Read an HDF5 file that is open; the source closes it."""
    import h5py

    if not isinstance(file["obs"], h5py.Dataset) and "raw.X" not in file:
        return read_anndata(path, file, "h5ad", close=file.close)
    # Before anndata 0.7, tables were compound arrays with categories elsewhere: the library reads
    # them, and writes nothing back.
    import anndata

    notes: list[str] = []
    data = anndata.read_h5ad(path, backed="r")
    obs, var = data.obs, with_unique_names(data.var, notes)
    raw = file.get("raw.X", file.get("raw/X"))
    raw_var = None if data.raw is None else with_unique_names(data.raw.var, notes)
    data.file.close()
    matrices = _matrices(path, file, var, raw, raw_var)
    return CellSource(path, [path], obs, var, matrices, "h5ad", notes=notes, _close=file.close)


def read_anndata(
    path: Path, group: Any, layout: str, *, files: list[Path] | None = None, close: Any = None
) -> CellSource:
    """Read a group of HDF5 or zarr in the layout of AnnData.

    Parameters
    ----------
    path : Path
        What errors name.
    group : h5py.Group or zarr.Group
    layout : str
        Name of the layout; see `CellSource`.
    files : list of Path, optional
        Every file that the content depends on; by default ``path``.
    close : callable, optional
        Called when the source is closed.
    """
    notes: list[str] = []
    obs = read_frame(group, "obs", notes)
    var = with_unique_names(read_frame(group, "var", notes), notes)
    raw_var = None
    if "raw" in group and _has(group["raw"], "X"):
        raw_var = with_unique_names(read_frame(group, "raw/var", notes), notes)
    maps, others = read_maps(group, len(obs))
    if others:
        notes.append(f"maps of the cells beyond the first {MAPS} are left out: {', '.join(others)}")
    return CellSource(
        path,
        files or [path],
        obs,
        var,
        _matrices(path, group, var, group["raw/X"] if raw_var is not None else None, raw_var),
        layout,
        title=_said(group, "title"),
        organism=next((s for n in _ORGANISM if (s := _said(group, n))), ""),
        notes=notes,
        maps=maps,
        _close=close or (lambda: None),
    )


def _matrices(
    path: Path, group: Any, var: pd.DataFrame, raw: Any, raw_var: pd.DataFrame | None
) -> list[Matrix]:
    """Matrices in the order in which counts are looked for."""
    layers = {n: group["layers"][n] for n in sorted(group["layers"])} if "layers" in group else {}
    found = _layers(layers, COUNT_LAYERS, var, path)
    if raw_var is not None:
        found.append(_matrix("raw.X", raw, raw_var, path))
    if _has(group, "X"):
        found.append(_matrix("X", group["X"], var, path))
    others = [name for name in layers if name.lower() not in COUNT_LAYERS]
    return found + _layers(layers, others, var, path)


def _said(group: Any, name: str) -> str:
    """Text that uns has under a name; "" where it has none, or not one text."""
    from anndata.io import read_elem

    if "uns" not in group or name not in group["uns"]:
        return ""
    value = read_elem(group[f"uns/{name}"])
    values = [v.decode() if isinstance(v, bytes) else v for v in np.ravel(value).tolist()]
    texts = {v for v in values if isinstance(v, str)}
    return texts.pop() if len(texts) == 1 else ""


def read_frame(group: Any, name: str, notes: list[str]) -> pd.DataFrame:
    """Read a table of AnnData; texts of another encoding than UTF-8 are said in ``notes``."""
    import pandas as pd
    from anndata.io import read_elem

    try:
        found = read_elem(group[name])
    except UnicodeDecodeError:
        found = read_elem(recoded(group, name, notes))
    if not isinstance(found, pd.DataFrame):
        raise TypeError(f"{name} is not a table but {type(found).__name__}")
    return found


def _has(group: Any, name: str) -> bool:
    """Whether a group has an element that is not a written None."""
    element = group.get(name) if hasattr(group, "get") else None
    return element is not None and element.attrs.get("encoding-type") != "null"


def _layers(layers: Mapping[str, Any], names: Any, var: pd.DataFrame, path: Path) -> list[Matrix]:
    by_name = {name.lower(): name for name in layers}
    found = [by_name[n.lower()] for n in names if n.lower() in by_name]
    return [_matrix(f"layers/{n}", layers[n], var, path) for n in found]


def _matrix(name: str, element: Any, var: pd.DataFrame, path: Path) -> Matrix:
    if hasattr(element, "dtype"):
        return dense_matrix(name, element, var, path)
    encoding = str(element.attrs.get("encoding-type", element.attrs.get("h5sparse_format", "")))
    if encoding not in ("csr", "csc", "csr_matrix", "csc_matrix"):
        raise DataError(
            "the encoding of a matrix is not supported",
            where=f"{path}: {name}",
            found=encoding or "no encoding-type",
            expected="a dense array, csr_matrix or csc_matrix",
        )
    shape = element.attrs["shape" if "shape" in element.attrs else "h5sparse_shape"]
    by_row = encoding.startswith("csr")
    return sparse_matrix(name, element, (int(shape[0]), int(shape[1])), var, path, by_row=by_row)
