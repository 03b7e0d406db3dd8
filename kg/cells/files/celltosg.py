"""Folders of the OmniCellTOSG release, of `tosg-export --layout celltosg`, and of the WebApp.

Names of files and columns are in `tosg.kg.schema.celltosg`. The matrices are dense and wide, so
they are mapped and read in blocks of rows.

A gene of the release has several columns, one per transcript, and each holds the gene's counts or,
where its data set did not name that transcript, zeros: the largest value of a cell is the gene's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tosg.errors import DataError
from tosg.kg.cells.files.source import CellSource, Matrix, reading
from tosg.kg.schema import celltosg as names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

_Array = npt.NDArray[Any]
_Int64s = npt.NDArray[np.int64]

#: Prefix of identifiers of proteins in folders that tosg writes.
_PROTEIN = "uniprot:"


def is_celltosg(folder: Path) -> bool:
    """Whether a folder has the files of the layout, in the release's or the WebApp's spelling."""
    release = (folder / names.SHARD_FOLDER).is_dir() and _cell_table(folder) is not None
    return release or (folder / names.WEBAPP_MATRIX).is_file()


def read_celltosg(folder: Path) -> CellSource:
    """Read a folder of the layout.

    Raises
    ------
    DataError
        A file is missing, matrices have different widths, or tables do not fit them.
    """
    with reading(folder):
        if (folder / names.SHARD_FOLDER).is_dir():
            return _read_release(folder)
        return _read_webapp(folder)


def _cell_table(folder: Path) -> Path | None:
    return next((folder / n for n in names.CELL_TABLES if (folder / n).is_file()), None)


@dataclass(frozen=True)
class _Columns:
    """Variables, and the columns of the matrices that each of them has."""

    var: pd.DataFrame
    columns: _Int64s
    starts: _Int64s

    @classmethod
    def of(cls, var: pd.DataFrame, columns: Sequence[Sequence[int]]) -> _Columns:
        lengths = np.array([len(c) for c in columns], np.int64)
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64)
        return cls(var, np.array([c for own in columns for c in own], np.int64), starts)

    @property
    def several(self) -> int:
        """Variables with more than one column."""
        return int((np.diff(np.append(self.starts, len(self.columns))) > 1).sum())

    def take(self, rows: _Array) -> _Array:
        """Values of the variables (b, n_variables) in rows of a matrix (b, width)."""
        taken: _Array = rows[:, self.columns]
        if len(self.columns) == len(self.starts):
            return taken
        return np.asarray(np.maximum.reduceat(taken, self.starts, axis=1))


def _read_release(folder: Path) -> CellSource:
    import pandas as pd

    table = _cell_table(folder)
    assert table is not None  # noqa: S101
    obs = pd.read_parquet(table) if table.suffix == ".parquet" else pd.read_csv(table, dtype=str)
    if missing := {names.SHARD_COLUMN, names.SHARD_ROW_COLUMN} - set(obs.columns):
        raise DataError(
            "the table of cells does not say where their expression is",
            where=table,
            found=f"no column {', '.join(sorted(missing))}",
            expected=f"{names.SHARD_COLUMN} and {names.SHARD_ROW_COLUMN}",
        )
    shard = obs[names.SHARD_COLUMN].astype(str).to_numpy()
    row: _Int64s = obs[names.SHARD_ROW_COLUMN].to_numpy(np.int64)
    paths = {n: folder / names.SHARD_FOLDER / n for n in dict.fromkeys(shard.tolist())}
    shapes = {n: _shape(p) for n, p in paths.items()}
    width = _one_width(folder, shapes)
    for name, (n_rows, _) in shapes.items():
        last = int(row[shard == name].max())
        if not (row[shard == name].min() >= 0 and last < n_rows):
            raise DataError(
                "a cell is in a row that its matrix does not have",
                where=paths[name],
                found=f"row {last}",
                expected=f"0 ... {n_rows - 1}",
            )
    notes: list[str] = []
    columns = _entity_columns(folder, width, notes)
    known = _read_notes(folder)
    source = _source(
        folder, obs, _names_of_cells(obs, shard, row), columns, _ShardRows(paths, shard, row), notes
    )
    source.files.extend([table, *paths.values()])
    source.title = f"OmniCellTOSG layout, {folder.name}"
    if known.get("unit"):
        source.notes.append(f"{names.NOTES} says that the unit is {known['unit']}")
    return source


class _ShardRows:
    """Rows of the matrices by their cell."""

    def __init__(self, paths: Mapping[str, Path], shard: _Array, row: _Int64s) -> None:
        self.paths, self.shard, self.row = paths, shard, row

    def __call__(self, cells: slice | _Array) -> _Array:
        shard, row = self.shard[cells], self.row[cells]
        out: _Array | None = None
        for name in dict.fromkeys(shard.tolist()):
            mapped = np.load(self.paths[name], mmap_mode="r", allow_pickle=False)
            inside = shard == name
            read = np.asarray(mapped[row[inside]])
            if out is None:
                out = np.empty((len(shard), mapped.shape[1]), read.dtype)
            out[inside] = read
        return np.empty((0, 0), np.float32) if out is None else out


def _shape(path: Path) -> tuple[int, int]:
    if not path.is_file():
        raise DataError(
            "a matrix of the folder is missing", where=path, hint="download the folder again"
        )
    mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    if mapped.ndim != 2 or mapped.dtype.kind not in "fiu":
        raise DataError(
            "a file of the folder is not a matrix",
            where=path,
            found=f"{mapped.dtype} of shape {mapped.shape}",
            expected="numbers, cells x entities",
        )
    return int(mapped.shape[0]), int(mapped.shape[1])


def _one_width(folder: Path, shapes: Mapping[str, tuple[int, int]]) -> int:
    widths = {width: name for name, (_, width) in shapes.items()}
    if len(widths) != 1:
        raise DataError(
            "matrices of the folder have different widths",
            where=folder / names.SHARD_FOLDER,
            found="; ".join(f"{name}: {width:,}" for width, name in sorted(widths.items())),
            expected="one width: columns are entities, in the order of the tables",
            hint="the files are of different releases: download one of them again",
        )
    return next(iter(widths))


def _entity_columns(folder: Path, width: int, notes: list[str]) -> _Columns:
    """Variables of the matrices: entities by identifier where tosg wrote them, else genes."""
    import pandas as pd

    table = folder / names.NAME_TABLE
    if table.is_file():
        entities = pd.read_csv(table, dtype=str, keep_default_na=False)
        if len(entities) < width:
            raise DataError(
                "a matrix is wider than there are entities",
                where=folder,
                found=f"{width:,} columns",
                expected=f"at most {len(entities):,}, the rows of {names.NAME_TABLE}",
                hint="matrices and tables are of different releases",
            )
        column = names.find_spelling(entities.columns, names.ID_SPELLINGS)
        ids = [] if column is None else entities[column][:width].tolist()
        if ids and all(":" in text for text in ids):
            return _own_columns(folder, ids, entities)
    return _gene_columns(folder / names.GENE_COLUMNS, width, notes)


def _own_columns(folder: Path, ids: list[str], entities: pd.DataFrame) -> _Columns:
    import pandas as pd

    name = names.find_spelling(entities.columns, names.NAME_SPELLINGS)
    columns: dict[str, Any] = {"gene_ids": ids}
    if name is not None:
        columns["feature_name"] = entities[name][: len(ids)].tolist()
    columns["feature_types"] = [
        "Antibody Capture" if text.startswith(_PROTEIN) else "Gene Expression" for text in ids
    ]
    if (folder / names.MEASURED).is_file():
        measured = np.load(folder / names.MEASURED, allow_pickle=False)
        if measured.ndim != 2 or measured.shape[1] != len(ids):
            raise DataError(
                "what was measured does not fit the matrices",
                where=folder / names.MEASURED,
                found=f"shape {measured.shape}",
                expected=f"(data sets, {len(ids):,})",
            )
        columns["feature_is_filtered"] = ~measured.all(axis=0)
    var = pd.DataFrame(columns, index=pd.Index(ids))
    return _Columns.of(var, [[i] for i in range(len(ids))])


def _gene_columns(path: Path, width: int, notes: list[str]) -> _Columns:
    import pandas as pd

    if not path.is_file():
        raise DataError(
            "the folder does not say which columns are of which gene",
            where=path.parent,
            expected=f"{names.GENE_COLUMNS}, as beside the release's loader",
            hint="copy it from the repository of the release into the folder",
        )
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    if not {"gene_name", "indices"} <= set(table.columns):
        raise DataError(
            "the table of genes has other columns",
            where=path,
            found=", ".join(table.columns),
            expected="gene_name, indices",
        )
    columns: list[list[int]] = []
    for gene, text in zip(table["gene_name"], table["indices"], strict=True):
        try:
            own = [int(part) for part in text.split(";") if part.strip()]
        except ValueError as error:
            raise DataError(
                "columns of a gene are not numbers", where=path, found=f"{gene}: {text}"
            ) from error
        if not own or not 0 <= min(own) <= max(own) < width:
            raise DataError(
                "a gene has a column that the matrices do not have",
                where=path,
                found=f"{gene}: {text}",
                expected=f"0 ... {width - 1}",
                hint="matrices and table are of different releases",
            )
        columns.append(own)
    made = _Columns.of(pd.DataFrame(index=pd.Index(table["gene_name"].tolist())), columns)
    if made.several:
        notes.append(
            f"{made.several:,} genes have several columns: a cell's largest value is the gene's"
        )
    return made


def _names_of_cells(obs: pd.DataFrame, shard: _Array, row: _Int64s) -> list[str]:
    if "cell_id" in obs.columns and obs["cell_id"].notna().all() and obs["cell_id"].is_unique:
        return [str(text) for text in obs["cell_id"]]
    return [f"{s.removesuffix('.npy')}:{r}" for s, r in zip(shard.tolist(), row, strict=True)]


def _read_notes(folder: Path) -> dict[str, Any]:
    path = folder / names.NOTES
    document = json.loads(path.read_bytes()) if path.is_file() else {}
    return document if isinstance(document, dict) else {}


def _read_webapp(folder: Path) -> CellSource:
    import pandas as pd

    path, ids = folder / names.WEBAPP_MATRIX, folder / names.WEBAPP_IDS
    n_cells, width = _shape(path)
    if not ids.is_file():
        raise DataError(
            "the folder does not say what its columns are",
            where=folder,
            expected=names.WEBAPP_IDS,
            hint="copy the whole folder of the WebApp's result",
        )
    table = pd.read_csv(ids, dtype=str, keep_default_na=False)
    if len(table) != width or "Original_ID" not in table.columns:
        raise DataError(
            "the table of columns does not fit the matrix",
            where=ids,
            found=f"{len(table):,} rows with {', '.join(table.columns)}",
            expected=f"{width:,} rows with Original_ID",
        )
    places: dict[str, list[int]] = {}
    for place, own in enumerate(table["Original_ID"]):
        if own:  # the WebApp fills entities that the user's table does not have with zeros
            places.setdefault(own, []).append(place)
    columns = _Columns.of(pd.DataFrame(index=pd.Index(list(places))), list(places.values()))
    notes = [f"{width - len(columns.columns):,} of {width:,} columns were not measured"]
    obs = _labels(folder / names.WEBAPP_LABELS, n_cells)
    cells = [f"{folder.name}:{i}" for i in range(n_cells)]
    rows = np.arange(n_cells)
    take = _ShardRows({"": path}, np.full(n_cells, "", object), rows)
    source = _source(folder, obs, cells, columns, take, notes)
    source.files.extend(p for p in (path, ids, folder / names.WEBAPP_LABELS) if p.is_file())
    return source


def _labels(path: Path, n_cells: int) -> pd.DataFrame:
    import pandas as pd

    if not path.is_file():
        return pd.DataFrame(index=range(n_cells))
    try:
        labels = np.load(path, allow_pickle=False)
    except ValueError as error:
        raise DataError(
            "the labels are Python objects, which can run any code when they are read",
            where=path,
            expected="numbers or texts",
            hint="write them with their type: `numpy.save(path, labels.astype(str))`",
        ) from error
    if len(labels) != n_cells:
        raise DataError(
            "the labels do not fit the matrix",
            where=path,
            found=f"{len(labels):,} rows",
            expected=f"{n_cells:,}",
        )
    labels = labels.reshape(n_cells, -1)
    return pd.DataFrame({f"label_{i}": labels[:, i].astype(str) for i in range(labels.shape[1])})


def _source(
    folder: Path,
    obs: pd.DataFrame,
    cells: list[str],
    columns: _Columns,
    rows: _ShardRows,
    notes: list[str],
) -> CellSource:
    import pandas as pd

    obs = obs.set_index(pd.Index(cells))
    shape = (len(obs), len(columns.var))
    matrix = Matrix(
        "matrix",
        shape,
        columns.var,
        shape[0] * len(columns.columns),
        False,
        lambda wanted: columns.take(rows(wanted)),
        str(folder),
    )
    return CellSource(folder, [], obs, columns.var, [matrix], "celltosg", notes=notes)
