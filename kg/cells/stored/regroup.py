"""Labels and groups of a data set's cells as they would be if it were attached now.

The type, tissue and disease of each cell are matched again: by the id of the node where one was
matched, else by the term or the text of the file. Groups follow from the cells. A group
that only gets another name keeps its EXPRESSES; one whose cells come from several groups gets new
ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tosg.cypher.quoting import quote_property
from tosg.kg.cells.obs.fields import BY_NAME
from tosg.kg.cells.obs.outcomes import cells_by_label, outcomes_of
from tosg.kg.cells.obs.terms import SEVERAL, TermIndex, match_labels, read_terms
from tosg.kg.cells.values.pseudobulk import GROUP_FIELDS, GROUP_RELATIONSHIPS, group_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tosg.kg.cells.obs.terms import Label
    from tosg.kg.database.connection import Database

#: What a cell and its group say alike.
VALUES = (*GROUP_FIELDS, *(f"{name}_id" for name in GROUP_RELATIONSHIPS))


class Labels:
    """Matches labels of cells again; each text once, and the names of each type are read once."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._indexes: dict[str, TermIndex] = {}
        self._found: dict[tuple[str, str], Label] = {}

    def label(self, name: str, text: str) -> Label:
        """What a text of a field is now."""
        if (name, text) not in self._found:
            kind = GROUP_RELATIONSHIPS[name][1]
            if kind not in self._indexes:
                self._indexes[kind] = read_terms(self._db, kind)
            found = match_labels([text], BY_NAME[name], self._indexes[kind])
            self._found[name, text] = found[text]
        return self._found[name, text]

    def values(self, old: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
        """Values as they would be now, and field -> node; what has no node stays as it is."""
        new = {name: old[name] for name in VALUES}
        nodes: dict[str, str] = {}
        for name in GROUP_RELATIONSHIPS:
            text = old[f"{name}_id"] or old[name]
            label = None if text is None else self.label(name, text)
            if label is not None and label.node is not None:
                new[name], new[f"{name}_id"] = label.name, label.term
                nodes[name] = label.node
        return new, nodes

    def fields(self, old: Mapping[str, Any]) -> dict[str, Any]:
        """What a stored report says of the fields, with the outcome that each value has now."""
        new = dict(old)
        for name in GROUP_RELATIONSHIPS.keys() & old.keys():
            cells = cells_by_label(old[name])
            labels = {text: self.label(name, text) for text in cells}
            new[name] = old[name] | outcomes_of(labels.values(), cells)
        return new


@dataclass
class Part:
    """Cells of one group that say the same: the whole group, if no run was interrupted."""

    group: str
    values: dict[str, Any]
    idx: list[int]
    n_cells: int
    donors: set[str]


@dataclass
class Group:
    """A group as it should be.

    Attributes
    ----------
    id : str
    values : dict
    nodes : dict
        Field -> ids of the graph's nodes, as `SEVERAL` joins them.
    parts : list of Part
        Its cells, by where they are now.
    node : str or None
        Id of the :CellGroup that is or becomes this group.
    rebuilt : bool
        Whether its EXPRESSES have to be made from its cells.
    changed : bool
        Whether the node or its links are not as they should be.
    """

    id: str
    values: dict[str, Any]
    nodes: dict[str, str]
    parts: list[Part] = field(default_factory=list)
    node: str | None = None
    rebuilt: bool = False
    changed: bool = False

    @property
    def n_cells(self) -> int:
        """Measured cells."""
        return sum(part.n_cells for part in self.parts)

    @property
    def n_donors(self) -> int:
        """Donors that are known."""
        return len(set[str]().union(*(part.donors for part in self.parts)))

    @property
    def moving(self) -> list[Part]:
        """Cells that do not say what they should."""
        return [p for p in self.parts if p.group != self.id or p.values != self.values]


def is_current(db: Database, dataset: str, labels: Labels) -> bool:
    """Whether every group is named and linked as it would be now; cells are not looked at."""
    return all(
        labels.values(node) == ({name: node[name] for name in VALUES}, node["nodes"])
        for node in _nodes(db, dataset).values()
    )


def regroup(db: Database, dataset: str, labels: Labels) -> tuple[list[Group], list[str]]:
    """Group the cells of a data set as they would be now.

    Returns
    -------
    groups : list of Group
        By id.
    gone : list of str
        Ids of :CellGroup nodes that none of them is or becomes.
    """
    nodes, parts = _nodes(db, dataset), _parts(db, dataset)
    groups: dict[str, Group] = {}
    for part in parts:
        values, linked = labels.values(part.values)
        name = group_id(dataset, values)
        groups.setdefault(name, Group(name, values, linked)).parts.append(part)
    for group in groups.values():
        before = {part.group for part in group.parts}
        if group.id in nodes:
            group.node = group.id
        elif len(before) == 1 and before <= nodes.keys() - groups.keys():
            group.node = next(iter(before))
        node = nodes.get(group.node or "", {})
        # Cells of an interrupted run may be here already: the node counts those it was made of.
        group.rebuilt = before != {group.node} or node["n_cells"] != group.n_cells
        is_ = {name: node.get(name) for name in (*VALUES, "nodes")}
        group.changed = group.rebuilt or is_ != group.values | {"nodes": group.nodes}
    used = {group.node for group in groups.values()}
    return [groups[name] for name in sorted(groups)], sorted(nodes.keys() - used)


def _nodes(db: Database, dataset: str) -> dict[str, dict[str, Any]]:
    links = ", ".join(
        f"{name}: [(g)-[:{relationship}]->(n) | n.id]"
        for name, (relationship, _) in GROUP_RELATIONSHIPS.items()
    )
    rows = db.rows(
        f"CYPHER 5 MATCH (g:CellGroup {{dataset: $id}}) RETURN g.id AS id, "
        f"{_columns('g')}, g.n_cells AS n_cells, {{{links}}} AS nodes",
        id=dataset,
    )
    for row in rows:
        row["nodes"] = {
            name: SEVERAL.join(sorted(ids)) for name, ids in row["nodes"].items() if ids
        }
    return {row["id"]: row for row in rows}


def _parts(db: Database, dataset: str) -> list[Part]:
    rows = db.rows(
        "CYPHER 5 MATCH (c:Cell {dataset: $id}) WITH c ORDER BY c.idx "
        f"RETURN c.group AS group, {_columns('c')}, collect(c.idx) AS idx, "
        "sum(c.n_cells) AS n_cells, collect(DISTINCT c.donor_id) AS donors ORDER BY idx[0]",
        id=dataset,
    )
    return [
        Part(
            group=row["group"],
            values={name: row[name] for name in VALUES},
            idx=row["idx"],
            n_cells=row["n_cells"],
            donors=set(row["donors"]),
        )
        for row in rows
    ]


def _columns(variable: str) -> str:
    return ", ".join(f"{variable}.{key} AS {key}" for key in map(quote_property, VALUES))
