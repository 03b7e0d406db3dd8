"""The real cells of the demo: 700 blood cells that the package scanpy brings along."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from tosg.errors import DataError

FILE = "10x_pbmc68k_reduced.h5ad"


def blood_cells() -> Path:
    """Find the file of blood cells in the installed scanpy; scanpy is not imported.

    Returns
    -------
    Path
        An h5ad file of 700 cells with 765 genes.

    Raises
    ------
    DataError
        scanpy is not installed, or has no such file.
    """
    spec = importlib.util.find_spec("scanpy")
    places = [] if spec is None else list(spec.submodule_search_locations or ())
    for place in places:
        path = Path(place) / "datasets" / FILE
        if path.is_file():
            return path
    raise DataError(
        "the demo's blood cells are not there",
        where=f"package scanpy, datasets/{FILE}",
        found=f"scanpy at {places[0]} without it" if places else "no package scanpy",
        hint="pip install 'tosg[demo]'",
    )
