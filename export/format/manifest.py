"""The manifest of a training set: what it holds (`content`) and how it was made (`run`).

The layout is in ``docs/formats/training-set.md``. The manifest is written last, so a folder
without one is not a training set.
"""

from __future__ import annotations

import hashlib
import json
import tokenize
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import pyarrow as pa

from tosg.errors import ExportError, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

MANIFEST = "manifest.json"
FORMAT_VERSION = 1

#: Of a training set that grew: a split is several ranges of rows.
GROWN_VERSION = 2
LAYOUT = "tosg"
SPLITS = ("train", "val", "test")

#: Parts of `content` that every training set has.
KEYS = (
    *("selection", "counts", "node_types", "edge_types", "edge_keys", "edge_sources", "datasets"),
    *("expression", "target", "splits", "digests", "files"),
)


@dataclass(frozen=True)
class SplitRows(Sequence[int]):
    """Rows of a split of a training set that grew: ranges, one after the other.

    Attributes
    ----------
    ranges : tuple of range
        Increasing, none within another.
    """

    ranges: tuple[range, ...]

    def __len__(self) -> int:
        return sum(map(len, self.ranges))

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> list[int]: ...
    def __getitem__(self, index: int | slice) -> int | list[int]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        place = index + len(self) if index < 0 else index
        for rows in self.ranges:
            if 0 <= place < len(rows):
                return rows[place]
            place -= len(rows)
        raise IndexError(f"row {index} of {len(self)}")


def take_rows(rows: range | SplitRows, places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows at some places of a split, (n,) int64."""
    if isinstance(rows, range):
        return places + rows.start
    starts = np.array([r.start for r in rows.ranges], np.int64)
    ends = np.cumsum([len(r) for r in rows.ranges])
    which = np.searchsorted(ends, places, side="right")
    shifts: NDArray[np.int64] = starts - (ends - np.diff(ends, prepend=0))
    return places + shifts[which]


@dataclass(frozen=True)
class Manifest:
    """The manifest of one training set.

    Attributes
    ----------
    folder : Path
        Where the training set is.
    content : mapping
        The same for the same graph and selection.
    run : mapping
        About the one run that wrote it.
    """

    folder: Path
    content: Mapping[str, Any]
    run: Mapping[str, Any]

    @property
    def counts(self) -> Mapping[str, int]:
        """Numbers of nodes, edges, cells, values."""
        counts: Mapping[str, int] = self.content["counts"]
        return counts

    @property
    def has_cells(self) -> bool:
        """Whether the training set has cells, or is a plain graph."""
        return self.content["expression"] is not None

    @property
    def n_nodes(self) -> int:
        """Number of nodes, N."""
        return self.counts["nodes"]

    @property
    def n_cells(self) -> int:
        """Number of cells, M."""
        return self.counts["cells"]

    @property
    def node_types(self) -> list[str]:
        """Labels of nodes; `node_type` holds positions in it."""
        return [t["name"] for t in self.content["node_types"]]

    @property
    def edge_types(self) -> list[str]:
        """Relationship types; `edge_type` holds positions in it."""
        return [t["name"] for t in self.content["edge_types"]]

    @property
    def digest(self) -> str:
        """Hash of the digests of the content: equal where graph, cells and their order are."""
        text = json.dumps(self.content["digests"], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def path(self, name: str) -> Path:
        """Path of one of its files."""
        return self.folder / name

    def rows(self, split: str | None = None) -> range | SplitRows:
        """Rows of a split in ``cells.parquet``; rows of all cells where `split` is None.

        They are consecutive, unless the training set grew.

        Raises
        ------
        ExportError
            The training set has no cells.
        UsageError
            There is no such split.
        """
        if not self.has_cells:
            raise ExportError(
                "this training set has no cells, only a graph",
                where=self.folder,
                hint="export with --cells, or use `graph` and `to_hetero()`",
            )
        if split is None:
            return range(self.n_cells)
        splits = self.content["splits"]
        if split not in SPLITS or splits is None:
            raise unknown("split", split, SPLITS if splits else (), where=self.folder)
        if "ranges" in splits[split]:
            return SplitRows(tuple(range(a, b) for a, b in splits[split]["ranges"]))
        return range(splits[split]["start"], splits[split]["stop"])


def manifest_bytes(content: Mapping[str, Any], run: Mapping[str, Any]) -> bytes:
    """Serialise a manifest: UTF-8, keys sorted, one line feed at the end."""
    document = {"content": content, "run": run}
    text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode()


def read_manifest(folder: str | Path) -> Manifest:
    """Read and check the manifest of a training set.

    Parameters
    ----------
    folder : str or Path
        The training set, or its ``manifest.json`` (or a copy of it under any name).

    Raises
    ------
    ExportError
        The folder is not a training set, the manifest is damaged, or of another format.
    """
    path = Path(folder)
    if path.name != MANIFEST and not path.is_file():
        path = path / MANIFEST
    folder, document = path.parent, _document(path)
    content = document.get("content")
    if not isinstance(content, dict) or not isinstance(document.get("run"), dict):
        raise ExportError(
            "the manifest is damaged",
            where=path,
            found=f"keys {', '.join(sorted(document))}",
            expected="content, run",
        )
    if content.get("format") not in (FORMAT_VERSION, GROWN_VERSION):
        raise ExportError(
            "the training set is of a format that this tosg does not read",
            where=path,
            found=f"format {content.get('format')}",
            expected=f"format {FORMAT_VERSION} or {GROWN_VERSION}",
            hint="read it with the version of tosg in run.tosg, or export again",
        )
    if missing := [key for key in KEYS if key not in content]:
        raise ExportError(
            "the manifest is damaged",
            where=path,
            found=f"no {', '.join(missing)} in content",
            expected=f"content with {', '.join(KEYS)}",
            hint="copy or export it again",
        )
    return Manifest(folder, content, document["run"])


def check_parts(manifest: Manifest) -> None:
    """Check that the parts of the manifest fit each other.

    Raises
    ------
    ExportError
        Data sets differ in unit, or the shards do not add up to the cells.
    """
    expression = manifest.content["expression"]
    if expression is None:
        return
    path = manifest.path(MANIFEST)
    units = {d["id"]: d["unit"] for d in manifest.content["datasets"]}
    if set(units.values()) != {expression["unit"]}:
        found = "; ".join(f"{name}: {unit}" for name, unit in units.items())
        raise format_error(path, found, f"data sets of the unit {expression['unit']}")
    rows, shards = 0, expression["shards"]
    for shard in shards:
        if shard["start"] != rows:
            raise format_error(path, f"shard {shard['name']} from row {shard['start']}", rows)
        rows += shard["cells"]
    if rows != manifest.counts["cells"]:
        found = f"{rows:,} cells in {len(shards):,} shards"
        raise format_error(path, found, f"{manifest.counts['cells']:,}, as in counts")


def format_error(where: Path, found: object, expected: object) -> ExportError:
    """Build the error for what breaks a rule of the format."""
    return ExportError(
        "the training set breaks a rule of its format",
        where=where,
        found=found,
        expected=expected,
        hint="copy or export it again",
    )


#: What pyarrow and NumPy raise; NumPy reads the head of a damaged file as Python.
_DAMAGED = (
    *(OSError, ValueError, EOFError, SyntaxError),
    *(tokenize.TokenError, pa.ArrowException),
)


@contextmanager
def naming_damage(path: Path) -> Iterator[None]:
    """Name the file whose content is damaged, whatever its reader says of it."""
    try:
        yield
    except _DAMAGED as error:
        raise ExportError(
            "a file of the training set cannot be read",
            where=path,
            found=" ".join(str(error).split()),
            hint="copy or export it again",
        ) from error


def _document(path: Path) -> dict[str, Any]:
    folder = path.parent
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise ExportError(
            "the folder is not a training set",
            where=folder,
            found="no such folder" if not folder.is_dir() else "no manifest.json",
            expected="a folder that tosg-export has finished",
        ) from error
    except OSError as error:
        raise ExportError(
            "the manifest cannot be read", where=path, found=error.strerror or error
        ) from error
    except ValueError as error:
        raise ExportError(
            "the manifest does not parse",
            where=path,
            found=error,
            expected="the manifest.json of a training set",
        ) from error
    if not isinstance(document, dict):
        raise ExportError("the manifest is damaged", where=path, found=type(document).__name__)
    return document
