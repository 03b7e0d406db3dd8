"""The folder of OmniCellTOSG: texts of entities as CSV, edges as arrays of positions.

``s_name.csv``, ``s_desc.csv`` and ``s_bio.csv`` have one row for each entity, in the order of the
columns of the expression matrices; ``edge_index.npy`` has (2, E) positions of those rows, and
``internal_edge_index.npy`` and ``ppi_edge_index.npy`` the two parts of it. Older folders write
``S_name.csv``, and ``BioMedGraphica_ID`` where newer ones write ``BioMedGraphica_Conn_ID``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from tosg.errors import DataError
from tosg.kg.schema.celltosg import (
    DESCRIPTION_SPELLINGS,
    ID_SPELLINGS,
    NAME_SPELLINGS,
    SEQUENCE_SPELLINGS,
    TYPE_SPELLINGS,
)
from tosg.loaders.formats.opening import refuse_page
from tosg.loaders.formats.tables import Layout

if TYPE_CHECKING:
    from pathlib import Path

_Longs: TypeAlias = npt.NDArray[np.int64]

#: Names of entities, one row each, by the spelling of their column; ``number`` is their identifier.
NAMES = {
    spelling: Layout(
        ("number", spelling), renamed={"number": ID_SPELLINGS}, delimiter=",", quoted=True
    )
    for spelling in NAME_SPELLINGS
}

#: Types of entities, where a folder of tosg says them.
ENTITY_LABELS = Layout(
    ("number",),
    optional=("Label",),
    renamed={"number": ID_SPELLINGS},
    delimiter=",",
    quoted=True,
)

#: Edges with types, in folders of tosg and of the web application.
TYPED_EDGES = Layout(
    ("from", "to", *TYPE_SPELLINGS),
    renamed={"from": ("BMGC_From_ID", "From_ID"), "to": ("BMGC_To_ID", "To_ID")},
    delimiter=",",
    quoted=True,
)

#: Descriptions of entities, in the order of their names.
TEXTS = Layout(
    ("number", "text"),
    renamed={"number": ID_SPELLINGS, "text": DESCRIPTION_SPELLINGS},
    delimiter=",",
    quoted=True,
)

#: Sequences of entities, in the order of their names.
SEQUENCES = Layout(
    ("number", "sequence"),
    renamed={"number": ID_SPELLINGS, "sequence": SEQUENCE_SPELLINGS},
    delimiter=",",
    quoted=True,
)


def read_edge_index(path: Path, nodes: int) -> _Longs:
    """Read positions of the ends of edges; the file is mapped into memory.

    Parameters
    ----------
    path : Path
        A ``.npy`` file of whole numbers.
    nodes : int
        Number of entities: every position is below.

    Returns
    -------
    ndarray of int64, (2, E)
        Start and end of each edge; E may be 0.

    Raises
    ------
    DataError
        It is no such array, holds Python objects, is cut off, or points past the entities.
    """
    with path.open("rb") as stream:
        refuse_page(stream, path)
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        empty = path.stat().st_size == 0
        raise DataError(
            "the file is empty" if empty else "the file is not an array of numbers, or is cut off",
            where=path,
            found=error,
            expected="(2, E) whole numbers in a .npy file",
            hint="download it again; see `tosg sources`",
        ) from error
    if found.ndim != 2 or found.shape[0] != 2 or found.dtype.kind not in "iu":
        raise DataError(
            "the array does not hold edges",
            where=path,
            found=f"shape {found.shape}, {found.dtype}",
            expected="(2, E) whole numbers",
        )
    least, most = (int(found.min()), int(found.max())) if found.size else (0, -1)
    if least < 0 or most >= nodes:
        raise DataError(
            "an edge points to an entity that is not there",
            where=path,
            found=f"position {least if least < 0 else most}",
            expected=f"0 to {nodes - 1}, as there are {nodes} entities",
            hint="are the arrays and the tables of one release?",
        )
    return np.asarray(found, np.int64) if found.dtype != np.int64 else found
