"""Attach a file of cells to the graph, whole or not at all."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from tosg.cypher.quoting import quote_property
from tosg.errors import DatabaseError, DataError
from tosg.files import hash_file
from tosg.kg.cells.files.opening import open_source
from tosg.kg.cells.obs.mapping import CellMapping
from tosg.kg.cells.options import AttachKeywords, AttachOptions, dataset_id
from tosg.kg.cells.plan import AttachPlan, check_source, hash_attachment, make_plan
from tosg.kg.cells.report import AttachReport
from tosg.kg.cells.same_cells import note_same_cells, refuse_same_files
from tosg.kg.cells.stored import staging, switch
from tosg.kg.cells.stored.dataset import datasets
from tosg.kg.cells.values.codec import encode_block
from tosg.kg.cells.values.fingerprint import Fingerprint
from tosg.kg.cells.values.library import check_library_sizes
from tosg.kg.cells.values.normalise import PROTEIN_UNIT, clr_divisors
from tosg.kg.cells.values.pseudobulk import GROUP_RELATIONSHIPS, GroupSums
from tosg.kg.cells.var.markers import marker_columns
from tosg.kg.cells.var.measured import measured_of
from tosg.kg.cells.var.modality import GENE, PROTEIN
from tosg.kg.cells.var.variables import names_of
from tosg.kg.database import bookkeeping as meta
from tosg.kg.database import indexes as ddl
from tosg.kg.database.lease import hold_lease
from tosg.progress import Progress, silent

if TYPE_CHECKING:
    import numpy.typing as npt

    from tosg.kg.cells.csr import CsrRows
    from tosg.kg.database.connection import Database

#: Cells per transaction, and bytes of vectors per transaction.
_BATCH_CELLS = 4096
_BATCH_BYTES = 16_000_000


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
        h5ad file, zarr folder, 10x .h5 file or 10x mtx folder.
    mapping : CellMapping, optional
        Which columns say what a cell is; CELLxGENE's columns are found without.
    replace_existing : bool
        Whether a data set of the same id that differs is replaced.
    dry_run : bool
        Read and check everything, write nothing.
    progress : Progress
        Called with the stage and how much of it is done.
    **options
        Fields of `AttachOptions`.

    Returns
    -------
    AttachReport

    Raises
    ------
    DataError
        The file is wrong, a data set of that id is attached already and differs, or its cells are
        attached under another id.
    ConfigError
        The mapping or an option is wrong.
    DatabaseError
        The database went away, or another writer holds the lease.
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
            _Writer(db, None, plan, progress).run()
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
        hint="--replace puts this one in its place; --id NAME attaches it beside",
    )


def _write(stage: staging.Stage, plan: AttachPlan, progress: Progress) -> None:
    stage.begin(plan.dataset, plan.key)
    try:
        _Writer(stage.db, stage, plan, progress).run()
        stage.ready()
    except DatabaseError:
        raise  # the next writer throws away what is staged
    except BaseException:
        stage.discard()  # the file is wrong, or the user stopped it; the connection is fine
        raise
    switch.switch(stage)


class _Writer:
    """One pass over the values: cells in batches, sums of groups, then groups and data set.

    Without a stage nothing is written (a dry run).
    """

    def __init__(
        self,
        db: Database,
        stage: staging.Stage | None,
        plan: AttachPlan,
        progress: Progress,
    ) -> None:
        self.db, self.stage, self.plan = db, stage, plan
        self.fingerprint = Fingerprint()
        self.progress = progress
        #: Cells with a value of each variable.
        self.cells_with = np.zeros(len(plan.variables), np.int64)
        self.empty = 0
        self.sums = GroupSums(len(plan.groups.properties), len(plan.variables))
        self.bytes = 0

    def run(self) -> None:
        """Write every block of cells, then the data set and its groups."""
        start = 0
        for block in self.plan.blocks():
            stop = start + len(block.rows)
            self._block(block, start, stop)
            start = stop
            self.progress("attaching cells", start, self.plan.n_cells)
        measured = measured_of(self.plan.filtered, self.cells_with > 0)
        report = self.plan.report
        if self.plan.partition is None:
            report.notes += note_same_cells(
                self.db, self.plan.dataset, self.fingerprint.hexdigest(), self.plan.n_cells
            )
        report.variables["unmeasured"] = [
            v for v, m in zip(self.plan.variables, measured.tolist(), strict=True) if not m
        ]
        report.storage, report.bytes = self.plan.storage, self.bytes
        edges = list(self._edges())
        report.expresses = sum(len(e["ids"]) for e in edges)
        for marker in self.plan.markers:
            if not measured[marker.variable]:
                report.notes.append(
                    f"{marker.name} was not measured: no cell has {marker.property}"
                )
                report.markers.remove(marker.property)
                if self.stage:
                    self.stage.drop_property(marker.property)
        report.notes += self._notes()
        if self.stage:
            self._dataset(self.stage, measured.tolist())
            self._groups(self.stage)
            for edge in edges:
                self._expresses(self.stage, edge)

    def _notes(self) -> list[str]:
        """What only the values tell."""
        if not self.empty:
            return []
        empty = f"{self.empty:,} of {self.plan.n_cells:,} cells have no value at all"
        return [f"{empty}: an unfiltered matrix (raw_feature_bc_matrix) has droplets, not cells"]

    def _block(self, block: CsrRows, start: int, stop: int) -> None:
        plan = self.plan
        self.fingerprint.add(plan.source.obs.index[plan.rows[start:stop]], block)
        self.cells_with += np.bincount(block.indices, minlength=len(self.cells_with))
        self.empty += int(np.count_nonzero(block.lengths == 0))
        totals, columns = self._totals(block, start, stop)
        comparable = plan.normaliser.normalise(block, totals)
        if plan.unit != "scaled":
            self.sums.add(plan.groups.codes[start:stop], comparable)
        columns |= {k: v[start:stop] for k, v in plan.properties.items()}
        columns["n_cells"] = plan.sizes[start:stop].tolist()
        ids = plan.groups.ids
        columns["group"] = [ids[g] for g in plan.groups.codes[start:stop].tolist()]
        columns |= marker_columns(plan.markers, comparable)
        if plan.storage == "inline":
            vectors = encode_block(block)
            self.bytes += sum(map(len, vectors))
            columns["expression"] = vectors
        if self.stage:
            self._cells(self.stage, columns, stop - start)

    def _totals(
        self, block: CsrRows, start: int, stop: int
    ) -> tuple[npt.NDArray[Any] | None, dict[str, list[Any]]]:
        """What the values of genes are divided by, and the properties that say so."""
        plan = self.plan
        genes = plan.normaliser.only(block, GENE)
        columns: dict[str, list[Any]] = {"n_genes": genes.lengths.tolist()}
        if not plan.normaliser.is_linear:
            return None, columns
        whole = plan.unit == "counts"
        totals = genes.row_sums(genes.values.astype(np.int64) if whole else None)
        if plan.library_sizes is not None:
            sizes = plan.library_sizes[start:stop]
            check_library_sizes(block, totals, sizes, plan.library_column, plan.source.path)
            totals = sizes
        columns[plan.total_property] = totals.tolist()
        if plan.normaliser.n_proteins:
            proteins = plan.normaliser.only(block, PROTEIN)
            columns["n_counts_protein"] = proteins.row_sums().astype(np.float64).tolist()
            columns["protein_clr"] = clr_divisors(proteins, plan.normaliser.n_proteins).tolist()
        return totals, columns

    def _cells(self, stage: staging.Stage, columns: dict[str, list[Any]], n: int) -> None:
        vectors = columns.get("expression")
        mean = sum(map(len, vectors)) / n if vectors else 1
        size = int(max(1, min(_BATCH_CELLS, _BATCH_BYTES // max(1, mean))))
        for start in range(0, n, size):
            part = {k: v[start : start + size] for k, v in columns.items()}
            self._batch(stage, part, min(size, n - start))

    def _batch(self, stage: staging.Stage, columns: dict[str, list[Any]], n: int) -> None:
        # In a map of their own: a column of a file may be called like a parameter of ours.
        sets = ", ".join(f"{key}: $columns.{key}[i]" for key in map(quote_property, columns))
        query = (
            f"UNWIND range(0, $n - 1) AS i CREATE (c:{staging.CELL} "
            f"{{dataset: $dataset_id, idx: $first_idx + i, {sets}}})"
        )
        with stage.transaction() as transaction:
            first = meta.reserve_idx(transaction, n)
            staging.run(
                transaction,
                query,
                n=n,
                dataset_id=self.plan.dataset,
                first_idx=first,
                columns=columns,
            )

    def _dataset(self, stage: staging.Stage, measured: list[bool]) -> None:
        plan = self.plan
        properties = {
            "title": plan.report.title,
            "path": str(plan.source.path),
            "files": [str(f) for f in plan.source.files],
            "sha256s": plan.sha256s,
            "fingerprint": "" if plan.partition else self.fingerprint.hexdigest(),
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
            "measured": measured,
            "modalities": list(plan.normaliser.modalities),
            "variable_cells": self.cells_with.tolist(),
            "notes": plan.report.notes,
            "markers": plan.report.markers,
            "variable_names": [names_of(v) for v in plan.variables_of],
            "min_fraction": plan.options.min_fraction,
            "report": json.dumps(plan.report.as_dict(), ensure_ascii=False),
        }
        stage.write(f"MATCH (d:{staging.DATASET}) SET d += $properties", properties=properties)

    def _groups(self, stage: staging.Stage) -> None:
        groups = self.plan.groups
        links = {name: switch.waiting(kind) for name, (kind, _) in GROUP_RELATIONSHIPS.items()}
        stage.write(
            f"UNWIND $groups AS p CREATE (g:{staging.GROUP}) SET g = p",
            groups=[
                properties | {links[name]: node for name, node in nodes.items()}
                for properties, nodes in zip(groups.properties, groups.nodes, strict=True)
            ],
        )

    def _expresses(self, stage: staging.Stage, edge: dict[str, Any]) -> None:
        if edge["ids"]:
            values = (edge["ids"], edge["mean"], edge["fraction"])
            stage.write(
                f"MATCH (g:{staging.GROUP} {{id: $group}}) SET g += $waiting",
                group=edge["group"],
                waiting=dict(zip(staging.WAITING, values, strict=True)),
            )

    def _edges(self) -> Any:
        if self.plan.unit == "scaled":
            return
        entities = np.array([e or "" for e in self.plan.found.entities], object)
        for g, group in enumerate(self.plan.groups.ids):
            variables, mean, fraction = self.sums.expressed(g, self.plan.options.min_fraction)
            known = entities[variables] != ""
            yield {
                "group": group,
                "ids": entities[variables[known]].tolist(),
                "mean": mean[known].tolist(),
                "fraction": fraction[known].tolist(),
            }
