"""Writes what mapping a data set again changes: cells, groups and their relationships.

A small change is one transaction. A larger one takes several, each with whole groups, cells
before the groups that they move to and the data set's node last: a run that was killed is
completed by the next one.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from tosg.kg.cells.obs.terms import SEVERAL
from tosg.kg.cells.stored import staging
from tosg.kg.cells.values.pseudobulk import GROUP_RELATIONSHIPS
from tosg.kg.database import bookkeeping as meta

if TYPE_CHECKING:
    from collections.abc import Sequence

    import neo4j

    from tosg.kg.cells.report import AttachReport
    from tosg.kg.cells.stored.regroup import Group
    from tosg.kg.cells.values.pseudobulk import GroupEdges

#: Cells and relationships that change in one transaction.
MOST = 100_000

_Statement = tuple[str, dict[str, Any]]


def write_report(stage: staging.Stage, dataset: str, report: AttachReport) -> None:
    """Keep a report of which only the outcomes of names changed."""
    query = "MATCH (d:Dataset {id: $id}) SET d.report = $report"
    stage.write(query, id=dataset, report=_json(report))


class GroupWriter:
    """Collects statements and runs them in transactions of bounded size.

    Parameters
    ----------
    stage : Stage
    dataset : str
    """

    def __init__(self, stage: staging.Stage, dataset: str) -> None:
        self._stage, self._dataset = stage, dataset
        self._waiting: list[_Statement] = []
        self._size = 0

    def move(self, group: Group) -> None:
        """Let cells say what their group says."""
        query = "UNWIND $idx AS i MATCH (c:Cell {idx: i}) SET c += $values"
        values = {**group.values, "group": group.id}
        for part in group.moving:
            for start in range(0, len(part.idx), MOST):
                idx = part.idx[start : start + MOST]
                self._add(len(idx), [(query, {"idx": idx, "values": values})])

    def update(self, group: Group, edges: GroupEdges | None, *, donors: bool) -> None:
        """Make or rename the node of a group, link it, and replace its EXPRESSES where given.

        All in one transaction: `regroup` takes a node that counts its cells for whole.
        """
        values: dict[str, Any] = {**group.values, "id": group.id}
        if group.rebuilt:
            values["n_cells"] = group.n_cells
            values["n_donors"] = group.n_donors if donors else None
        statements: list[_Statement] = []
        if group.node is None:
            query = "MATCH (d:Dataset {id: $id}) CREATE (:CellGroup {id: $group, dataset: $id})"
            statements.append((f"{query}-[:FROM]->(d)", {"group": group.id, "id": self._dataset}))
        found = "MATCH (g:CellGroup {id: $group})"
        statements.append(
            (f"{found} SET g += $values", {"group": group.node or group.id, "values": values})
        )
        kinds = "|".join(relationship for relationship, _ in GROUP_RELATIONSHIPS.values())
        statements.append((f"{found}-[r:{kinds}]->() DELETE r", {"group": group.id}))
        for name, nodes in group.nodes.items():
            relationship, label = GROUP_RELATIONSHIPS[name]
            query = (
                f"{found} UNWIND $nodes AS id MATCH (n:Entity {{id: id}}) WHERE n:{label} "
                f"CREATE (g)-[:{relationship}]->(n)"
            )
            statements.append((query, {"group": group.id, "nodes": nodes.split(SEVERAL)}))
        if edges is not None:
            statements += _expressing([edges], ())
        self._add(len(statements) + (2 * len(edges.ids) if edges else 0), statements)

    def express(self, edges: Sequence[GroupEdges], kept: Sequence[str]) -> None:
        """Replace the EXPRESSES of some groups, except those to the entities that are kept."""
        self._add(len(edges) + 2 * sum(len(e.ids) for e in edges), _expressing(edges, kept))

    def remove(self, group: str) -> None:
        """Delete a group that has no cells any more."""
        self._add(
            MOST // 4, [("MATCH (g:CellGroup {id: $group}) DETACH DELETE g", {"group": group})]
        )

    def finish(self, entities: list[str], report: AttachReport) -> None:
        """Write what is left, and what the data set's node says."""
        with self._stage.transaction() as transaction:
            self._run(transaction)
            counted = staging.run(
                transaction,
                "MATCH (g:CellGroup {dataset: $id}) RETURN count(g) AS groups, "
                "sum(COUNT { (g)-[:EXPRESSES]->() }) AS expresses",
                id=self._dataset,
            )[0]
            staging.run(
                transaction,
                "MATCH (d:Dataset {id: $id}) "
                "SET d.variable_entities = $entities, d.report = $report",
                id=self._dataset,
                entities=entities,
                report=_json(replace(report, **counted)),
            )

    def _add(self, size: int, statements: list[_Statement]) -> None:
        if self._waiting and self._size + size > MOST:
            with self._stage.transaction() as transaction:
                self._run(transaction)
        self._waiting += statements
        self._size += size

    def _run(self, transaction: neo4j.Transaction) -> None:
        for query, parameters in self._waiting:
            staging.run(transaction, query, **parameters)
        meta.bump_revision(transaction)
        self._waiting, self._size = [], 0


def _expressing(edges: Sequence[GroupEdges], kept: Sequence[str]) -> list[_Statement]:
    gone = (
        "MATCH (g:CellGroup)-[r:EXPRESSES]->(e) WHERE g.id IN $groups "
        "AND NOT e.id IN $kept DELETE r"
    )
    made = (
        "MATCH (g:CellGroup {id: $group}) "
        "UNWIND range(0, size($ids) - 1) AS i MATCH (e:Entity {id: $ids[i]}) "
        "CREATE (g)-[:EXPRESSES {mean: $mean[i], fraction: $fraction[i]}]->(e)"
    )
    groups = [e.group for e in edges]
    statements: list[_Statement] = [(gone, {"groups": groups, "kept": list(kept)})]
    return statements + [(made, asdict(e)) for e in edges if e.ids]


def _json(report: AttachReport) -> str:
    return json.dumps(report.as_dict(), ensure_ascii=False)
