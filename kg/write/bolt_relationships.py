"""Writing relationships over Bolt: those that another program wrote are left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tosg.kg.merge.relationships import property_columns
from tosg.kg.schema import names
from tosg.kg.schema.types import ENTITY, relationship_types
from tosg.kg.write.bolt_parameters import Columns, same_keys
from tosg.kg.write.bolt_rows import CREATE_RELATIONSHIPS, FEW_ROWS, relationship_rows
from tosg.kg.write.counts import Changes
from tosg.kg.write.stored import encode_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tosg.kg.merge.diff import RelationshipChanges
    from tosg.kg.write.bolt_session import MergeWriting, WriteSession

#: Relationships in one transaction.
EDGE_ROWS = 20_000

_LISTED_NODES = 20_000


class RelationshipWriter:
    """Writes the relationships of one merge, whose nodes have been written.

    Parameters
    ----------
    work : MergeWriting
        What is written where.
    """

    def __init__(self, work: MergeWriting) -> None:
        self._db, self._merged, self._session = work.db, work.merged, work.session
        self._counts, self._progress = work.counts, work.progress
        self._ids: NDArray[np.int64] | None = None
        self._removed: dict[str, pl.DataFrame] = {}

    def write(self) -> None:
        """Create the new relationships and set what changed; `remove` comes last."""
        types = self._merged.relationship_types
        for n, name in enumerate(types):
            changes = self._merged.relationship_changes(name)
            self._progress(f"writing relationships: {name}", n, len(types))
            self._create(name, changes)
            rtype = relationship_types()[name]
            values = [c for c in property_columns(rtype) if c not in rtype.keys]
            set_relationships(self._session, name, encode_columns(changes.changed), values)
            if changes.removed.height:
                self._removed[name] = changes.removed
            self._counts.relationships[name] = Changes(
                changes.made.height,
                changes.changed.height,
                changes.unchanged,
                self._remove_repeated(name, changes.repeated),
            )

    def _create(self, name: str, changes: RelationshipChanges) -> None:
        if not changes.made.height:
            return
        kind = names.relationship_type(name)
        properties = list(property_columns(relationship_types()[name]))
        made = self._with_node_ids(encode_columns(changes.made)).sort("start", "end")

        def statements() -> Iterator[tuple[str, dict[str, Any]]]:
            for part in made.iter_slices(EDGE_ROWS):
                if part.height <= FEW_ROWS:
                    rows = relationship_rows(name, part, properties)
                    yield CREATE_RELATIONSHIPS, {"rows": rows, "expected": part.height}
                    continue
                columns = Columns(part, ("start", "end"))
                yield (
                    (
                        f"CYPHER 5 UNWIND range(0, {part.height - 1}) AS i "
                        f"MATCH (a:{ENTITY}) WHERE id(a) = {columns['start']} "
                        f"MATCH (b:{ENTITY}) WHERE id(b) = {columns['end']} "
                        f"CREATE (a)-[:{kind} {columns.properties(properties)}]->(b)"
                    ),
                    {**columns.parameters, "expected": part.height},
                )

        self._session.create_relationships(statements())

    def _with_node_ids(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Replace the ends' ``idx`` by the database's own ids: the fastest way to a node.

        They are looked up once per writer and valid as long as the lease is held.
        """
        if self._ids is None:
            self._ids = self._node_ids()
        for end in ("start", "end"):
            ids = pl.Series(end, self._ids[rows[f"{end}_idx"].to_numpy()])
            rows = rows.with_columns(ids)
        return rows.drop("start_idx", "end_idx")

    def _node_ids(self) -> NDArray[np.int64]:
        wanted = self._merged.nodes["idx"].drop_nulls().sort()
        ids = np.full((int(wanted[-1]) + 1) if len(wanted) else 0, -1, np.int64)
        for start in range(0, len(wanted), _LISTED_NODES):
            row = self._db.rows(
                f"CYPHER 5 UNWIND $idx AS idx MATCH (n:{ENTITY} {{idx: idx}}) "
                "RETURN collect(idx) AS idx, collect(id(n)) AS ids",
                idx=wanted[start : start + _LISTED_NODES].to_list(),
            )[0]
            ids[np.array(row["idx"], np.int64)] = np.array(row["ids"], np.int64)
        return ids

    def _remove_repeated(self, name: str, rows: pl.DataFrame) -> int:
        """Leave one of those relationships that are stored more than once."""
        return self._delete(
            name, rows, " WITH i, collect(r) AS rs FOREACH (r IN tail(rs) | DELETE r)"
        )

    def remove(self) -> None:
        """Remove the relationships that nobody claims any more, with their copies."""
        for name, rows in self._removed.items():
            self._progress(f"removing relationships: {name}", None)
            self._counts.relationships[name].removed += self._delete(name, rows, " DELETE r")

    def _delete(self, name: str, rows: pl.DataFrame, clause: str) -> int:
        """Delete relationships of one type; returns how many the database counted."""
        deleted = 0
        for part in rows.iter_slices(EDGE_ROWS):
            columns = Columns(part, ("start_idx", "end_idx"))
            query = match_relationships(name, columns) + clause
            deleted += self._session.run(query, columns.parameters).relationships_deleted
        return deleted


def set_relationships(
    session: WriteSession, name: str, rows: pl.DataFrame, properties: list[str]
) -> None:
    """Set properties of stored relationships of one type.

    Parameters
    ----------
    session : WriteSession
        Under the lease.
    name : str
        The type.
    rows : DataFrame
        ``start_idx, end_idx``, the type's key properties, and the properties to set.
    properties : list of str
        Which.
    """
    for part in rows.iter_slices(EDGE_ROWS):
        columns = Columns(part, ("start_idx", "end_idx"))
        session.run(
            match_relationships(name, columns) + f" SET {columns.assignments(properties, 'r')}",
            columns.parameters,
        )


def match_relationships(name: str, columns: Columns) -> str:
    """Cypher that binds ``i`` and ``r``: the claimed relationships of each row's key."""
    keys = relationship_types()[name].keys
    return (
        f"CYPHER 5 UNWIND range(0, {columns.rows - 1}) AS i "
        f"MATCH (a:{ENTITY} {{idx: {columns['start_idx']}}}) "
        f"MATCH (b:{ENTITY} {{idx: {columns['end_idx']}}}) "
        f"MATCH (a)-[r:{names.relationship_type(name)}]->(b) "
        f"WHERE r.sources IS NOT NULL{same_keys(columns, keys, 'r')}"
    )
