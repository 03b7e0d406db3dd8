"""What whole graphs share: nodes by identifiers of the graph's own, and typed edges between them.

A graph's tables name the ends of edges by its own node identifiers, and what an edge says in its
own words. `NodeIndex` leads from the first to types and CURIEs, `typed_edges` from the second to
relationships of the schema.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tosg.kg.schema.types import relationship_types
from tosg.loaders.columns import keep, not_negated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tosg.kg.claims.log import FileLog
    from tosg.loaders.origin import Origin

_Longs: TypeAlias = npt.NDArray[np.int64]

#: Kind of rejection of an edge whose end was not read as a node.
NO_NODE = "end that is not in the nodes"

#: Kind of rejection of an edge whose word has no relationship in the schema.
NO_TYPE = "relation without a type in the graph"


@dataclass(frozen=True, slots=True)
class EdgeRule:
    """The relationship that an edge of some kind is.

    Attributes
    ----------
    type : str
        Relationship type.
    sign : int or None
    turned : bool or None
        Whether the ends change places; None: as the schema has them, for edges that a graph gives
        without a direction or with another one.
    action : str or None
        Of a drug on its target.
    negated : bool
        Whether such an edge says that something is not so.
    """

    type: str = ""
    sign: int | None = None
    turned: bool | None = False
    action: str | None = None
    negated: bool = False


#: An edge that says that something is not so.
NEGATED = EdgeRule(negated=True)


class NodeIndex:
    """Types and CURIEs of the nodes that were read, by the graph's own identifiers."""

    def __init__(self) -> None:
        self._rows: dict[str, int] = {}
        self._types: list[pa.Array] = []
        self._ids: list[pa.Array] = []
        self._whole: tuple[pa.Array, pa.Array] | None = None

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, keys: pa.Array, types: pa.Array, ids: pa.Array) -> None:
        """Add nodes; of one that comes again the first stays."""
        if not len(keys):
            return
        first = sum(map(len, self._ids))
        for number, key in enumerate(keys.to_pylist(), first):
            self._rows.setdefault(key, number)
        self._types.append(types.cast(pa.string()))
        self._ids.append(ids.cast(pa.string()))
        self._whole = None

    def look_up(self, keys: pa.Array) -> tuple[pa.Array, pa.Array]:
        """Types and CURIEs of nodes; null where there is no such node."""
        if self._whole is None:
            empty = [pa.array([], pa.string())]
            self._whole = (
                pa.concat_arrays(self._types or empty),
                pa.concat_arrays(self._ids or empty),
            )
        coded = keys.dictionary_encode()
        found = [self._rows.get(key) for key in coded.dictionary.to_pylist()]
        rows = pa.array(found, pa.int64()).take(coded.indices)
        types, ids = self._whole
        return types.take(rows), ids.take(rows)


def typed_edges(
    batch: pa.RecordBatch,
    word: str,
    ends: tuple[str, str],
    nodes: NodeIndex,
    rule_of: Callable[[str, str, str], EdgeRule | None],
    file: FileLog,
    shown: Sequence[str],
) -> pa.RecordBatch:
    """Resolve the ends of edges and give each its relationship; what has none is rejected by kind.

    Parameters
    ----------
    batch : RecordBatch
        With a ``line`` column.
    word : str
        Column with what the edge says.
    ends : (str, str)
        Columns with the graph's own identifiers of start and end.
    nodes : NodeIndex
    rule_of : callable
        Word, start type and end type -> rule; None where the schema has nothing for it. Where an
        end is no node its type is "": what is negated is told first.
    file : FileLog
    shown : sequence of str
        Columns that the example of a rejection shows.

    Returns
    -------
    RecordBatch
        With the columns ``kind``, ``start_type``, ``start``, ``end_type``, ``end``, ``sign`` and
        ``action``.
    """
    for name, column in zip(("from", "to"), ends, strict=True):
        types, ids = nodes.look_up(batch.column(column))
        batch = batch.append_column(f"{name}_type\0", types).append_column(f"{name}\0", ids)
    words = pc.fill_null(batch.column(word), "")
    keys = pc.binary_join_element_wise(
        words,
        pc.fill_null(batch.column("from_type\0"), ""),
        pc.fill_null(batch.column("to_type\0"), ""),
        "\0",
    ).dictionary_encode()
    decided = [_decide(key, rule_of) for key in keys.dictionary.to_pylist()]
    batch = batch.append_column("code\0", keys.indices.cast(pa.int64()))
    batch = not_negated(batch, _flags(batch, [d.negated for d in decided]), file, shown)
    unknown = _flags(batch, [d.why == NO_TYPE for d in decided])
    batch = keep(batch, ~unknown, file, NO_TYPE, shown)
    there = pc.and_(batch.column("from\0").is_valid(), batch.column("to\0").is_valid())
    batch = keep(batch, there, file, NO_NODE, shown)
    for why in sorted({d.why for d in decided} - {"", NO_TYPE, NO_NODE}):
        batch = keep(batch, ~_flags(batch, [d.why == why for d in decided]), file, why, shown)
    turned = pa.array(_flags(batch, [d.turned for d in decided]))
    ends_of = turn_ends(
        turned,
        (batch.column("from_type\0"), batch.column("from\0")),
        (batch.column("to_type\0"), batch.column("to\0")),
    )
    code = batch.column("code\0")
    batch = batch.drop_columns(["from\0", "to\0", "from_type\0", "to_type\0", "code\0"])
    added = {
        "kind": pa.array([d.rule.type for d in decided], pa.string()).take(code),
        **ends_of,
        "sign": pa.array([d.rule.sign for d in decided], pa.int8()).take(code),
        "action": pa.array([d.rule.action for d in decided], pa.string()).take(code),
    }
    for name, column in added.items():
        batch = batch.append_column(name, column)
    return batch


def turn_ends(
    turned: pa.Array, first: tuple[pa.Array, pa.Array], last: tuple[pa.Array, pa.Array]
) -> dict[str, pa.Array]:
    """Both ends of relationships, as ``start_type``, ``start``, ``end_type`` and ``end``.

    Parameters
    ----------
    turned : BooleanArray
        Whether the ends change places.
    first, last : (Array, Array)
        Types and CURIEs of the ends as a graph gives them.
    """
    return {
        "start_type": pc.if_else(turned, last[0], first[0]),
        "start": pc.if_else(turned, last[1], first[1]),
        "end_type": pc.if_else(turned, first[0], last[0]),
        "end": pc.if_else(turned, first[1], last[1]),
    }


def edge_claims(
    batch: pa.RecordBatch, file: FileLog, origin: Origin, **claimed: object
) -> pa.RecordBatch:
    """Claims of edges, one a row; the rows count as parsed.

    Parameters
    ----------
    batch : RecordBatch
        With ``line`` and the columns that `typed_edges` adds.
    file : FileLog
    origin : Origin
    **claimed
        What else is claimed, as ``score`` and ``evidence``; ``sign`` and ``action`` are those of
        the batch where they are not given.
    """
    file.parsed(batch.num_rows)
    ends = {name: batch.column(name) for name in ("start_type", "start", "end_type", "end")}
    said = {name: batch.column(name) for name in ("sign", "action")}
    return origin.relationships(
        batch.num_rows,
        batch.column("line"),
        type=batch.column("kind"),
        **ends,
        **(said | claimed),
    )


@dataclass(frozen=True, slots=True)
class _Decided:
    rule: EdgeRule
    turned: bool = False
    negated: bool = False
    why: str = ""


def _decide(key: str, rule_of: Callable[[str, str, str], EdgeRule | None]) -> _Decided:
    word, start, end = key.split("\0")
    rule = rule_of(word, start, end)
    if rule is None:
        return _Decided(EdgeRule(), why=NO_TYPE)
    if rule.negated:
        return _Decided(rule, negated=True)
    if not (start and end):
        return _Decided(rule, why=NO_NODE)
    pairs = relationship_types()[rule.type].pairs
    ways = (False, True) if rule.turned is None else (rule.turned,)
    for turned in ways:
        if ((end, start) if turned else (start, end)) in pairs:
            return _Decided(rule, turned)
    return _Decided(rule, why=f"no {rule.type} between these types")


def _flags(batch: pa.RecordBatch, values: Iterable[bool]) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = np.asarray([*values, False], bool)[
        batch.column("code\0").to_numpy()
    ]
    return found


def text_of(found: Mapping[str, Any], *keys: str) -> str | None:
    """First of some keys whose value is a text that says something, or a list of one."""
    for key in keys:
        value = found.get(key)
        if isinstance(value, list | tuple) and value:
            value = value[0]
        if (
            isinstance(value, str)
            and value.strip()
            and value.strip().lower() not in ("nan", "none")
        ):
            return value.strip()
    return None
