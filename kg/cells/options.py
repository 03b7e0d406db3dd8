"""How a file of cells is attached: `AttachOptions`, and the id of the data set."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from tosg.errors import ConfigError, unknown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

#: Bytes of expression up to which ``auto`` keeps it in the graph; above, it links the file.
INLINE_LIMIT = 1024**3

#: `EXPRESSES` is stored for genes that at least this share of a group's cells expresses.
MIN_FRACTION = 0.1

#: Ends of names that say the format and nothing of the data set, outermost first.
_SUFFIXES = (
    *(".gz", ".zip", ".h5ad", ".zarr", ".h5mu", ".loom", ".h5", ".csv", ".tsv", ".txt", ".tab"),
    *(".parquet", "matrix.mtx"),
)

_ID = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*$")


@dataclass(frozen=True)
class AttachOptions:
    """How to attach a file of cells.

    Attributes
    ----------
    id : str or None
        Id of the data set; by default the file's name.
    storage : str
        ``inline`` (in the graph), ``linked`` (in the file) or ``auto`` (by `INLINE_LIMIT`).
    markers : sequence of str
        Genes whose values become properties of the cells.
    unit : str or None
        What the values are, where that is not certain; see `tosg.kg.cells.values.units`.
    matrix : str or None
        ``X``, ``raw.X`` or a layer; by default the one with counts.
    allow_scaled : bool
        Whether z-scores may be attached.
    round : bool
        Whether corrected counts (decimals) are rounded to counts.
    title, license : str
    organism : str
        ``human`` (leave other species out) or ``any``.
    metacells : int
        Sum about this many cells to one; 0 for none.
    metacell_method : str
        ``kmeans`` or ``random``.
    seed : int
        Of the meta-cells.
    min_fraction : float
        A group EXPRESSES a gene that this share of its cells has, 0 ... 1.

    Raises
    ------
    ConfigError
        A value that is not allowed, or two that exclude each other.
    """

    id: str | None = None
    storage: str = "auto"
    markers: Sequence[str] = ()
    unit: str | None = None
    matrix: str | None = None
    allow_scaled: bool = False
    round: bool = False
    title: str = ""
    license: str = ""
    organism: str = "human"
    metacells: int = 0
    metacell_method: str = "kmeans"
    seed: int = 0
    min_fraction: float = MIN_FRACTION

    def __post_init__(self) -> None:
        object.__setattr__(self, "markers", tuple(self.markers))
        for name, value, known in (
            ("storage", self.storage, ("auto", "inline", "linked")),
            ("organism", self.organism, ("human", "any")),
            ("metacell method", self.metacell_method, ("kmeans", "random")),
        ):
            if value not in known:
                raise unknown(name, value, known)
        if self.metacells < 0 or self.metacells == 1:
            raise ConfigError(
                "the size of a meta-cell cannot be 1 or negative",
                where="--metacells",
                found=self.metacells,
                expected="2 or more, or 0 for none",
            )
        if not 0 <= self.min_fraction <= 1:
            raise ConfigError(
                "the threshold of EXPRESSES is not a fraction",
                where="--min-fraction",
                found=self.min_fraction,
                expected="0 ... 1",
            )
        if self.metacells and self.storage == "linked":
            raise ConfigError(
                "meta-cells cannot be linked, since no file has them",
                where="--storage",
                found="linked",
                expected="inline or auto, with --metacells",
            )


class AttachKeywords(TypedDict, total=False):
    """`AttachOptions` as keywords of a function: ``**options: Unpack[AttachKeywords]``."""

    id: str | None
    storage: str
    markers: Sequence[str]
    unit: str | None
    matrix: str | None
    allow_scaled: bool
    round: bool
    title: str
    license: str
    organism: str
    metacells: int
    metacell_method: str
    seed: int
    min_fraction: float


def dataset_id(given: str | None, path: Path) -> str:
    """Id of a data set: as given, else the file's name.

    Raises
    ------
    ConfigError
        An id with other characters than letters, digits, dot, dash and underscore.
    """
    stem = path.name
    for suffix in _SUFFIXES:
        stem = stem.removesuffix(suffix)
    name = given or re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._")
    if not _ID.match(name):
        raise ConfigError(
            "the id of a data set has characters that are not allowed",
            where="--id",
            found=name,
            expected="letters, digits, dot, dash and underscore",
        )
    return name
