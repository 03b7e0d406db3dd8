"""Attach a file of cells to the graph, whole or not at all."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from tosg.errors import DatabaseError, DataError
from tosg.files import hash_file
from tosg.kg.cells.files.opening import open_source
from tosg.kg.cells.obs.mapping import CellMapping
from tosg.kg.cells.options import AttachKeywords, AttachOptions, dataset_id
from tosg.kg.cells.plan import AttachPlan, check_source, hash_attachment, make_plan
from tosg.kg.cells.report import AttachReport
from tosg.kg.cells.same_cells import note_same_cells, refuse_same_files
from tosg.kg.cells.stored import staged_writer, staging, switch
from tosg.kg.cells.stored.dataset import datasets
from tosg.kg.cells.value_pass import PassResult, ValuePass
from tosg.kg.cells.values.normalise import PROTEIN_UNIT
from tosg.kg.cells.var.measured import measured_of
from tosg.kg.cells.var.variables import names_of
from tosg.kg.database import indexes as ddl
from tosg.kg.database.lease import hold_lease
from tosg.progress import Progress, silent

if TYPE_CHECKING:
    from tosg.kg.database.connection import Database


def attach(
    db: Database,
    path: str | Path,
    mapping: CellMapping | None = None,
    *,
    replace_existing: bool = False,
    dry_run: bool = False,
    progress: Progress = silent,
    **options: Unpack[AttachKeywords],
) -> AttachReport:
    """Attach a file of cells: all its cells, groups and EXPRESSES, or nothing.

    Parameters
    ----------
    db : Database
    path : str or Path
        What `tosg.kg.cells.files.opening.open_source` reads: h5ad, zarr, h5mu, Loom, 10x, tables.
    mapping : CellMapping, optional
        Which columns say what a cell is; CELLxGENE's columns are found without.
    replace_existing, dry_run, progress
        As of `tosg.KnowledgeGraph.attach_cells`, with its errors.
    **options
        Fields of `AttachOptions`.
    """
    chosen = AttachOptions(**options)
    path = Path(path)
    dataset = dataset_id(chosen.id, path)
    started = time.monotonic()
    with open_source(path) as source:
        check_source(source)
        completed = (mapping or CellMapping()).complete(source.obs, source.path, source.organism)
        hashes = [hash_file(f) for f in source.files]
        key = hash_attachment(hashes, completed, replace(chosen, id=dataset))
        files = [str(f) for f in source.files]

        # A dry run refuses what the real one would.
        def before() -> AttachReport | None:
            found = _before(db, dataset, key, files, replace_existing=replace_existing)
            if found is None:
                refuse_same_files(db, dataset, hashes, metacells=chosen.metacells > 0)
            return found

        found = before()
        if found is not None and not dry_run:
            return found
        if dry_run:
            plan = make_plan(db, source, dataset, hashes, completed, chosen, key)
            _read_values(db, None, plan, progress)
        else:
            ddl.ensure_schema(db)
            with hold_lease(db, f"tosg cells attach {dataset}", wait=staging.WAIT) as lease:
                stage = staging.Stage(db, lease)
                recovered = switch.recover(stage)
                # Again: another writer may have attached it, or what was recovered is this one.
                if (found := before()) is not None:
                    return found
                # Read under the lease: no loader changes genes and terms in the meantime.
                plan = make_plan(db, source, dataset, hashes, completed, chosen, key)
                plan.report.status = "replaced" if _is_attached(db, dataset) else "attached"
                _write(stage, plan, progress)
                if recovered:  # said once, and no part of what the data set's node keeps
                    plan.report.notes.append(recovered)
    plan.report.seconds = round(time.monotonic() - started, 3)
    return plan.report


def stored_report(db: Database, dataset: str) -> AttachReport:
    """Give the report of a data set that is attached.

    Raises
    ------
    UsageError
        It is not attached; names the nearest ones.
    """
    datasets(db, [dataset])
    query = "CYPHER 5 MATCH (d:Dataset {id: $id}) RETURN d.report AS report"
    return AttachReport.of(json.loads(db.rows(query, id=dataset)[0]["report"]))


def _is_attached(db: Database, dataset: str) -> bool:
    return bool(db.rows("CYPHER 5 MATCH (d:Dataset {id: $id}) RETURN d.id", id=dataset))


def _before(
    db: Database, dataset: str, key: str, files: list[str], *, replace_existing: bool
) -> AttachReport | None:
    """Give the report of the data set if it is attached as it would be now."""
    rows = db.rows(
        "CYPHER 5 MATCH (d:Dataset {id: $id}) RETURN d.key AS key, d.report AS report, "
        "d.storage = 'linked' AS linked, d.files AS files",
        id=dataset,
    )
    if not rows:
        return None
    moved = rows[0]["linked"] and rows[0]["files"] != files
    if rows[0]["key"] == key and not moved:
        report = AttachReport.of(json.loads(rows[0]["report"]))
        return replace(report, status="unchanged")
    if replace_existing:
        return None
    raise DataError(
        "a data set of this id is attached already, and this one differs",
        where=f"dataset {dataset}",
        found=f"the same content, linked at {rows[0]['files'][0]}"
        if rows[0]["key"] == key
        else "another file, mapping or option",
        expected="the same as before, or a new id",
        hint="--replace replaces it; --id NAME attaches this one under another id",
    )


def _write(stage: staging.Stage, plan: AttachPlan, progress: Progress) -> None:
    stage.begin(plan.dataset, plan.key)
    try:
        result = _read_values(stage.db, stage, plan, progress)
        staged_writer.write_groups(stage, plan.groups)
        staged_writer.write_expresses(stage, result.expresses)
        staged_writer.write_dataset(stage, _dataset_properties(plan, result))
        stage.ready()
    except DatabaseError:
        raise  # the next writer removes what is staged
    except BaseException:
        stage.discard()  # the file is wrong, or the user stopped it; the connection is fine
        raise
    switch.switch(stage)


def _read_values(
    db: Database, stage: staging.Stage | None, plan: AttachPlan, progress: Progress
) -> PassResult:
    """Read, check and stage all values, and complete the report; no stage in a dry run."""
    values = ValuePass(plan)
    for columns, done in values.run():
        if stage:
            staged_writer.write_staged_cells(stage, plan.dataset, columns)
        progress("attaching cells", done, plan.n_cells)
    result = values.result()
    report = plan.report
    if result.fingerprint:
        report.notes += note_same_cells(db, plan.dataset, result.fingerprint, plan.n_cells)
    measured = measured_of(plan.filtered, result.variable_cells > 0)
    report.variables["unmeasured"] = [
        v for v, m in zip(plan.variables, measured.tolist(), strict=True) if not m
    ]
    report.storage, report.bytes = plan.storage, result.bytes
    report.expresses = sum(len(edges.ids) for edges in result.expresses)
    for marker in plan.markers:
        if not measured[marker.variable]:
            report.notes.append(f"{marker.name} was not measured: no cell has {marker.property}")
            report.markers.remove(marker.property)
            if stage:
                stage.drop_property(marker.property)
    report.notes += _empty_note(result.empty_cells, plan.n_cells)
    return result


def _empty_note(empty: int, n_cells: int) -> list[str]:
    if not empty:
        return []
    found = f"{empty:,} of {n_cells:,} cells have no value at all"
    return [f"{found}: an unfiltered matrix (raw_feature_bc_matrix) has droplets, not cells"]


def _dataset_properties(plan: AttachPlan, result: PassResult) -> dict[str, Any]:
    """Properties of the data set's node; see `tosg.kg.cells.stored.dataset.DatasetInfo`."""
    return {
        "title": plan.report.title,
        "path": str(plan.source.path),
        "files": [str(f) for f in plan.source.files],
        "sha256s": plan.sha256s,
        "fingerprint": result.fingerprint,
        "layout": plan.source.layout,
        "matrix": plan.matrix.name,
        "unit": plan.unit,
        "mean_unit": plan.report.mean_unit,
        "protein_unit": PROTEIN_UNIT if plan.protein_means else "",
        "total_property": plan.total_property,
        "library_size": plan.library_column,
        "storage": plan.storage,
        "n_cells": plan.n_cells,
        "n_variables": len(plan.variables),
        "license": plan.options.license,
        "variables": plan.variables,
        "variable_entities": [e or "" for e in plan.found.entities],
        "measured": measured_of(plan.filtered, result.variable_cells > 0).tolist(),
        "modalities": list(plan.normaliser.modalities),
        "variable_cells": result.variable_cells.tolist(),
        "notes": plan.report.notes,
        "maps": sorted(plan.source.maps),
        "markers": plan.report.markers,
        "variable_names": [names_of(v) for v in plan.variables_of],
        "min_fraction": plan.options.min_fraction,
        "report": json.dumps(plan.report.as_dict(), ensure_ascii=False),
    }
