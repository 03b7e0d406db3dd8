"""Where claims come from, and claims with that provenance from columns and from rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tosg.kg.claims.schemas import entity_claims, relationship_claims

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Origin:
    """The provenance columns of claims from one file: source, licence, release, file, part.

    Files of one source that have releases of their own are parts (see `ENTITY_CLAIMS`).
    """

    source: str
    license: str
    release: str
    file: str
    part: str = ""

    def entities(self, n: int, line: object, **columns: object) -> pa.RecordBatch:
        """Entity claims; ``license`` and ``release`` may be given per row."""
        return entity_claims({**self._columns(line), "part": self.part, **columns}, n)

    def relationships(self, n: int, line: object, **columns: object) -> pa.RecordBatch:
        """Relationship claims; ``license`` and ``release`` may be given per row."""
        return relationship_claims({**self._columns(line), **columns}, n)

    def entities_of(
        self, batch: pa.RecordBatch, type_: str, id_: str, name: str | None = None
    ) -> pa.RecordBatch:
        """Entity claims of one type, one a row.

        Parameters
        ----------
        batch : RecordBatch
            With the columns `id_` and `name`, and ``line``.
        type_ : str
        id_, name : str
            Columns.
        """
        named = {} if name is None else {"name": batch.column(name)}
        ids = batch.column(id_)
        return self.entities(batch.num_rows, batch.column("line"), type=type_, id=ids, **named)

    def named_entities(self, type_: str, found: Sequence[tuple[int, str, str]]) -> pa.RecordBatch:
        """Entity claims of one type from line, CURIE and name ("" where there is none)."""
        lines = [line for line, _, _ in found]
        ids = [id_ for _, id_, _ in found]
        names = [name or None for _, _, name in found]
        return self.entities(len(found), lines, type=type_, id=ids, name=names)

    def relationships_of(
        self,
        batch: pa.RecordBatch,
        type_: str,
        start: tuple[str, str],
        end: tuple[str, str],
        **columns: object,
    ) -> pa.RecordBatch:
        """Relationship claims of one type, one a row.

        Parameters
        ----------
        batch : RecordBatch
            With the columns of both ends, and ``line``.
        type_ : str
        start, end : (str, str)
            Entity type and column of each end.
        **columns
            What else is claimed, as ``score``, ``sign`` and ``evidence``.
        """
        return self.relationships(
            batch.num_rows,
            batch.column("line"),
            type=type_,
            start_type=start[0],
            start=batch.column(start[1]),
            end_type=end[0],
            end=batch.column(end[1]),
            **columns,
        )

    def _columns(self, line: object) -> dict[str, object]:
        return {
            "source": self.source,
            "license": self.license,
            "release": self.release,
            "file": self.file,
            "line": line,
        }
