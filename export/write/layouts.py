"""Exports in layouts of other tools: a training set first, then the layout made of it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tosg.errors import ConfigError, unknown
from tosg.export.format.manifest import LAYOUT, MANIFEST, read_manifest
from tosg.export.layouts.annotated import write_anndata, write_mudata
from tosg.export.layouts.cell_texts import write_cell_texts
from tosg.export.layouts.celltosg import write_celltosg
from tosg.export.layouts.stored import StoredSet
from tosg.export.write.export import check_names, export, export_each
from tosg.export.write.workspace import disk_errors
from tosg.progress import Progress, silent

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

    from tosg.export.selection import Selection
    from tosg.export.write.result import ExportResult
    from tosg.kg.database.connection import Database

    Writer = Callable[[StoredSet, Path, Progress], None]

#: Layouts that are one file, with how its name ends.
_FILES: dict[str, tuple[str, Writer]] = {
    "anndata": (".h5ad", write_anndata),
    "mudata": (".h5mu", write_mudata),
    "text": (".parquet", write_cell_texts),
}

EXPORT_LAYOUTS = (LAYOUT, "celltosg", *_FILES)


def export_layout(
    db: Database,
    selection: Selection,
    out: str | os.PathLike[str],
    layout: str,
    *,
    dry_run: bool = False,
    progress: Progress = silent,
    **how: Any,
) -> ExportResult:
    """Export a selection in one of `EXPORT_LAYOUTS`; `how` are options of `export`.

    The training set stands beside `out` as ``OUT.set`` until the layout is made of it; after a
    failure it stays, and `resume` goes on from it.

    Raises
    ------
    UsageError
        There is no such layout.
    ConfigError
        There is something at `out`, or what writes the layout is not installed.
    ExportError
        As `export`; the selection has no cells.
    """
    check_layout(layout)
    if layout == LAYOUT:
        return export(db, selection, out, dry_run=dry_run, progress=progress, **how)
    path = find_place(Path(out), layout)
    made_of = path.with_name(f"{path.name}.set")
    result = export(db, selection, made_of, dry_run=dry_run, progress=progress, **how)
    if dry_run:
        return replace(result, folder=path)
    write_layout(made_of, path, layout, progress)
    shutil.rmtree(made_of)
    return _placed(result, path)


def export_each_layout(
    db: Database,
    selections: Mapping[str, Selection],
    out: str | os.PathLike[str],
    layout: str,
    *,
    resume: bool = False,
    dry_run: bool = False,
    progress: Progress = silent,
    **how: Any,
) -> dict[str, ExportResult]:
    """Export several selections at once in one of `EXPORT_LAYOUTS`; see `export_each`.

    All training sets stand before the first layout is made of one, and until the last is made.

    Raises
    ------
    UsageError
        There is no such layout.
    ConfigError
        There is something in a place, two selections have the same, or as `export_each`.
    ExportError
        As `export_each`; a selection has no cells.
    """
    check_layout(layout)
    how |= {"resume": resume, "dry_run": dry_run, "progress": progress}
    if layout == LAYOUT:
        return export_each(db, selections, out, **how)
    check_names(selections)
    sets: dict[str, Selection] = {}
    places: dict[str, Path] = {}
    for name, selection in selections.items():
        path = _name_place(Path(out) / name, layout)
        folder = f"{path.name}.set"
        if folder in sets:
            raise ConfigError(
                "two selections would be written to one place",
                where="selections",
                found=name,
                expected=f"another name than that of {path}",
            )
        if not (resume and (path.with_name(folder) / MANIFEST).is_file()):
            check_place(path)  # else what stands there may have been made before the kill
        sets[folder], places[folder] = selection, path
    results = export_each(db, sets, out, **how)
    for folder, path in () if dry_run else places.items():
        if not _is_taken(path):
            write_layout(path.with_name(folder), path, layout, progress)
    for folder, path in () if dry_run else places.items():
        shutil.rmtree(path.with_name(folder))
    return {
        name: replace(result, folder=path) if dry_run else _placed(result, path)
        for name, (folder, path) in zip(selections, places.items(), strict=True)
        for result in [results[folder]]
    }


def _placed(result: ExportResult, path: Path) -> ExportResult:
    """Say where a layout stands and how large it is."""
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    return replace(result, folder=path, bytes=sum(p.stat().st_size for p in files))


def check_layout(layout: str) -> None:
    """Check the name of a layout, which needs no database.

    Raises
    ------
    UsageError
        There is no such layout.
    """
    if layout not in EXPORT_LAYOUTS:
        raise unknown("layout", layout, EXPORT_LAYOUTS, where="layout")


def find_place(out: Path, layout: str) -> Path:
    """Say where a layout goes: for one file, with its ending; nothing may be there.

    Raises
    ------
    ConfigError
        Something is there.
    """
    path = _name_place(out, layout)
    check_place(path)
    return path


def _name_place(out: Path, layout: str) -> Path:
    path = out.resolve()
    if layout not in _FILES:
        return path
    suffix = _FILES[layout][0]
    return path if path.suffix == suffix else path.with_name(path.name + suffix)


def _is_taken(path: Path) -> bool:
    return path.is_file() or (path.is_dir() and any(path.iterdir()))


def check_place(path: Path) -> None:
    """Check that nothing is in a place.

    Raises
    ------
    ConfigError
        Something is.
    """
    if _is_taken(path):
        raise ConfigError(
            "the output is there already",
            where=path,
            expected="nothing, or an empty folder",
            hint="name another place, or remove what is there",
        )


def write_layout(folder: Path, path: Path, layout: str, progress: Progress) -> None:
    """Make a layout of a training set, whole or not at all."""
    stored = StoredSet(read_manifest(folder))
    with disk_errors(path):
        if layout in _FILES:
            path.parent.mkdir(parents=True, exist_ok=True)
            _FILES[layout][1](stored, path, progress)
            return
        partial = path.with_name(f"{path.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        try:
            write_celltosg(stored, partial, progress)
            if path.exists():
                path.rmdir()  # an empty folder that the user made
            partial.replace(path)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
