"""Data sets taken away, and mapped anew to a graph that has learned new identifiers."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tosg.kg import meta
from tosg.kg.cells import staging
from tosg.kg.cells.attach import create_expresses
from tosg.kg.cells.dataset import datasets, read_expression
from tosg.kg.cells.fields import BY_NAME
from tosg.kg.cells.groups import GROUP_RELATIONSHIPS, GroupSums, normalised
from tosg.kg.cells.terms import TermIndex, read_terms, resolve
from tosg.kg.cells.variables import read_entity_names, variable_of
from tosg.kg.cells.variables import resolve as resolve_variables

if TYPE_CHECKING:
    import neo4j

    from tosg.kg.cells.dataset import DatasetInfo
    from tosg.kg.database import Database


@dataclass(frozen=True)
class RemapReport:
    """What mapping a data set anew changed.

    Attributes
    ----------
    dataset, status : str
        ``remapped`` or ``unchanged``.
    mapped : int
        Variables that stand for an entity now.
    gained, lost, moved : dict
        Variable -> entity, for those that had none, that have none now, and that have another.
    expresses : int
        EXPRESSES relationships that were made.
    links : int
        Groups whose cell type, tissue or disease was linked anew.
    """

    dataset: str
    status: str
    mapped: int
    gained: dict[str, str]
    lost: dict[str, str]
    moved: dict[str, str]
    expresses: int = 0
    links: int = 0

    def document(self) -> dict[str, Any]:
        """Everything, as plain JSON content."""
        return asdict(self)


def detach(db: Database, dataset: str) -> int:
    """Take a data set away with its cells and groups; returns the number of cells.

    Raises
    ------
    UsageError
        It is not attached; names the nearest ones.
    """
    with meta.lease(db, f"tosg cells detach {dataset}", wait=staging.WAIT) as lease:
        stage = staging.Stage(db, lease)
        stage.recover()
        info = datasets(db, [dataset])[0]
        stage.remove(dataset)
    return info.n_cells


def remap(db: Database, dataset: str, *, lease: meta.Lease | None = None) -> RemapReport:
    """Map a data set's variables, groups and labels anew to the graph as it is now.

    Expression itself is not touched: its indices are positions in the data set's variables.

    Parameters
    ----------
    db : Database
    dataset : str
        Its id.
    lease : Lease, optional
        The right to write, where the caller holds it.

    Raises
    ------
    UsageError
        The data set is not attached; names the nearest ones.
    DataError
        The linked file that new means would be read from is missing or has changed.
    """
    holding = (
        meta.lease(db, f"tosg cells remap {dataset}", wait=staging.WAIT)
        if lease is None
        else nullcontext(lease)
    )
    with holding as held:
        stage = staging.Stage(db, held)
        stage.recover()
        return _remap(stage, datasets(db, [dataset])[0])


def _remap(stage: staging.Stage, info: DatasetInfo) -> RemapReport:
    db = stage.db
    row = db.rows(
        "CYPHER 5 MATCH (d:Dataset {id: $id}) "
        "RETURN d.variable_names AS names, d.min_fraction AS min_fraction",
        id=info.id,
    )[0]
    variables = [variable_of(v) for v in row["names"]]
    found = resolve_variables(
        variables,
        read_entity_names(db, "Gene", variables),
        read_entity_names(db, "Protein", variables),
    )
    old, new = info.variable_entities, found.entities
    pairs = list(zip(info.variables, old, new, strict=True))
    gained = {v: b for v, a, b in pairs if a is None and b is not None}
    lost = {v: a for v, a, b in pairs if a is not None and b is None}
    moved = {v: b for v, a, b in pairs if a is not None and b is not None and a != b}
    changed = np.array([i for i, (_, a, b) in enumerate(pairs) if a != b], np.int64)
    links = _links(db, info.id)
    status = "remapped" if len(changed) or links else "unchanged"
    edges = _edges(db, info, changed, new, row["min_fraction"]) if len(changed) else []
    if status == "remapped":
        with stage.transaction() as transaction:
            touched = {e for i in changed.tolist() for e in (old[i], new[i]) if e is not None}
            _write(transaction, info.id, [e or "" for e in new], sorted(touched), edges, links)
            meta.bump_revision(transaction)
    made = sum(len(e["ids"]) for e in edges)
    return RemapReport(info.id, status, found.n_mapped, gained, lost, moved, made, len(links))


def _edges(
    db: Database,
    info: DatasetInfo,
    changed: np.ndarray[Any, Any],
    new: list[str | None],
    min_fraction: float,
) -> list[dict[str, Any]]:
    """EXPRESSES of the variables whose entity changed."""
    if info.unit == "scaled":
        return []
    cells = db.rows(
        "CYPHER 5 MATCH (c:Cell) WHERE c.dataset = $id WITH c ORDER BY c.idx "
        "RETURN collect(c.idx) AS idx, collect(c.group) AS groups",
        id=info.id,
    )[0]
    groups = sorted(set(cells["groups"]))
    position = {g: i for i, g in enumerate(groups)}
    codes = np.array([position[g] for g in cells["groups"]], np.int64)
    sums = GroupSums(len(groups), len(info.variables))
    chosen = np.zeros(len(info.variables), bool)
    chosen[changed] = [new[i] is not None for i in changed.tolist()]
    start = 0
    for block in read_expression(db, info, np.array(cells["idx"], np.int64)):
        values = normalised(info.unit, block.indptr, block.values)
        keep = chosen[block.indices]
        before = np.zeros(len(keep) + 1, np.int64)
        np.cumsum(keep, out=before[1:])
        stop = start + len(block.cell_idx)
        sums.add(codes[start:stop], before[block.indptr], block.indices[keep], values[keep])
        start = stop
    edges = []
    for g, group in enumerate(groups):
        variables, mean, fraction = sums.expressed(g, min_fraction)
        if len(variables):
            ids = [new[v] for v in variables.tolist()]
            edges.append(
                {"group": group, "ids": ids, "mean": mean.tolist(), "fraction": fraction.tolist()}
            )
    return edges


def _links(db: Database, dataset: str) -> list[dict[str, Any]]:
    """Links from groups to cell types, tissues and diseases that are not as they would be now."""
    changes = []
    for name, (relationship, label) in GROUP_RELATIONSHIPS.items():
        rows = db.rows(
            "CYPHER 5 MATCH (g:CellGroup {dataset: $id}) "
            f"OPTIONAL MATCH (g)-[:{relationship}]->(n) RETURN g.id AS id, g.`{name}` AS name, "
            f"g.`{name}_id` AS term, n.id AS node ORDER BY id",
            id=dataset,
        )
        texts = {r["term"] or r["name"] for r in rows} - {None}
        index: TermIndex = read_terms(db, label) if texts else TermIndex()
        found = resolve(texts, BY_NAME[name], index)
        for r in rows:
            text = r["term"] or r["name"]
            node = found[text].node if text is not None else None
            if node != r["node"]:
                changes.append(
                    {"group": r["id"], "relationship": relationship, "label": label, "node": node}
                )
    return changes


def _write(
    transaction: neo4j.Transaction,
    dataset: str,
    entities: list[str],
    touched: list[str],
    edges: list[dict[str, Any]],
    links: list[dict[str, Any]],
) -> None:
    staging.run(
        transaction,
        "MATCH (d:Dataset {id: $id}) SET d.variable_entities = $entities",
        id=dataset,
        entities=entities,
    )
    staging.run(
        transaction,
        "UNWIND $touched AS t MATCH (e:Entity {id: t})<-[r:EXPRESSES]-(g:CellGroup) "
        "WHERE g.dataset = $id DELETE r",
        id=dataset,
        touched=touched,
    )
    for edge in edges:
        create_expresses(transaction, "CellGroup", edge)
    for link in links:
        relationship, label = link["relationship"], link["label"]
        staging.run(
            transaction,
            f"MATCH (g:CellGroup {{id: $group}})-[r:{relationship}]->() DELETE r",
            group=link["group"],
        )
        if link["node"] is not None:
            staging.run(
                transaction,
                f"MATCH (g:CellGroup {{id: $group}}) MATCH (n:Entity {{id: $node}}) "
                f"WHERE n:{label} CREATE (g)-[:{relationship}]->(n)",
                group=link["group"],
                node=link["node"],
            )
