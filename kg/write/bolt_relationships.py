"""Writing relationships over Bolt: those that another program wrote are left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tosg.kg.claims.frame_file import FrameFile
from tosg.kg.merge.relationships import property_columns
from tosg.kg.schema import names
from tosg.kg.schema.types import ENTITY, relationship_types
from tosg.kg.write.bolt_parameters import Columns, same_keys
from tosg.kg.write.bolt_rows import CREATE_RELATIONSHIPS, FEW_ROWS, relationship_rows
from tosg.kg.write.bolt_session import MergeWriter
from tosg.kg.write.counts import Changes
from tosg.kg.write.stored import encode_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tosg.kg.write.bolt_session import MergeWriting, WriteSession

#: Relationships in one transaction.
EDGE_ROWS = 20_000

_LISTED_NODES = 20_000


class RelationshipWriter(MergeWriter):
    """Writes the relationships of one merge, whose nodes have been written."""

    def __init__(self, work: MergeWriting) -> None:
        super().__init__(work)
        self._ids: NDArray[np.int64] | None = None
        self._removed: dict[str, FrameFile] = {}

    def write(self) -> None:
        """Create the new relationships and set what changed; `remove` comes last.

        All new relationships of a type are written before any is changed: a claim may move from
        a relationship of one part to a new one of another.
        """
        types = self._merged.relationship_types
        for n, name in enumerate(types):
            self._progress(f"writing relationships: {name}", n, len(types))
            counts = self._counts.relationships[name] = Changes()
            waiting = self._create_parts(name, counts)
            rtype = relationship_types()[name]
            values = [c for c in property_columns(rtype) if c not in rtype.keys]
            for rows in waiting["changed"].batches():
                set_relationships(self._session, name, encode_columns(rows), values)
            for rows in waiting["repeated"].batches():
                counts.removed += self._remove_repeated(name, rows)
            self._removed[name] = waiting["removed"]

    def _create_parts(self, name: str, counts: Changes) -> dict[str, FrameFile]:
        """Create the new relationships of each part; other differences wait, on disk if many."""
        waiting = {
            kind: FrameFile(self._merged.folder / f"{kind}-{name}.arrow", compact=True)
            for kind in ("changed", "removed", "repeated")
        }
        for part in self._merged.relationship_parts(name):
            changes = part.changes
            self._create(name, changes.made)
            for kind, file in waiting.items():
                file.add(getattr(changes, kind))
            counts.made += changes.made.height
            counts.changed += changes.changed.height
            counts.unchanged += changes.unchanged
        counts.unchanged += self._merged.left(name)
        return waiting

    def _create(self, name: str, made: pl.DataFrame) -> None:
        if not made.height:
            return
        kind = names.relationship_type(name)
        properties = list(property_columns(relationship_types()[name]))
        made = self._with_node_ids(encode_columns(made)).sort("start", "end")

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
        for name, removed in self._removed.items():
            for rows in removed.batches():
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
