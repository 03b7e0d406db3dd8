"""A hash of what a file of cells holds, whatever its format: names of cells, and their values."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tosg.kg.cells.csr import CsrRows

_SIZE_BYTES = 20


class Fingerprint:
    """Hashes cells block by block; the blocks' sizes do not matter.

    The same cells as h5ad, zarr or 10x files, zipped or saved again, have the same fingerprint.
    """

    def __init__(self) -> None:
        self._parts = [hashlib.blake2b(digest_size=_SIZE_BYTES) for _ in range(4)]

    def add(self, names: Iterable[str], cells: CsrRows) -> None:
        """Add the next cells: their names in the file, and their values."""
        parts = (
            "".join(f"{name}\0" for name in names).encode(),
            np.diff(cells.indptr).astype("<i8").tobytes(),
            np.asarray(cells.indices).astype("<i8").tobytes(),
            np.asarray(cells.values).astype("<f4").tobytes(),
        )
        for hasher, content in zip(self._parts, parts, strict=True):
            hasher.update(content)

    def hexdigest(self) -> str:
        """Hash of all cells so far, in hexadecimal."""
        together = b"".join(hasher.digest() for hasher in self._parts)
        return hashlib.blake2b(together, digest_size=_SIZE_BYTES).hexdigest()
