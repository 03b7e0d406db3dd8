"""Edges from the graph as columns: the reader's Arrow batches with names turned into codes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tosg.export.graph.edges import Claimant, Edges
from tosg.kg.claims.schemas import LIST_SEPARATOR
from tosg.kg.merge.agreement import NO_SIGN
from tosg.kg.schema.types import all_relationship_types

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
from itertools import zip_longest

#: Separates lists, as `LIST_SEPARATOR` their items: no source, licence or release contains it.
_LIST = "\x1e"

#: Properties that are read with every edge; those of few distinct values by groups.
NUMBER_PROPERTIES = ("score",)
GROUPED = ("sign", "sources", "licenses", "releases")

#: Columns of edges while they are read.
_KINDS = {
    "type": np.int16,
    "start": np.int64,
    "end": np.int64,
    "score": np.float32,
    "sign": np.int8,
    "key": np.int32,
    "source": np.int32,
}


def list_key_properties(types: Iterable[str] | None) -> tuple[str, ...]:
    """Key properties besides the sign that relationships of these types may have."""
    known = all_relationship_types()
    chosen = known if types is None else {t: known[t] for t in types if t in known}
    return tuple(sorted({k for t in chosen.values() for k in t.keys} - {"sign"}))


class CodeTable:
    """Names to codes, in the order of first sight."""

    def __init__(self, first: Iterable[Any] = ()) -> None:
        self.places: dict[Any, int] = {name: i for i, name in enumerate(first)}

    def of(self, names: Iterable[Any]) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Codes of names, new ones added."""
        return np.array([self.places.setdefault(n, len(self.places)) for n in names], np.int64)

    def names(self) -> tuple[Any, ...]:
        """All names by code."""
        return tuple(self.places)


class EdgeColumns:
    """Collects batches of relationships; `edges` gives them as one `Edges` with ``idx`` ends."""

    def __init__(self) -> None:
        self._parts: list[dict[str, np.ndarray[Any, Any]]] = []
        self._types = CodeTable()
        self._keys = CodeTable(["{}"])
        self._sources = CodeTable([()])

    def add(self, batch: pa.RecordBatch | pa.Table) -> None:
        """Take in a batch: type, start_idx, end_idx, and any of the properties or ``group``."""
        columns = {name: _array(batch.column(name)) for name in batch.schema.names}
        n = batch.num_rows
        if n == 0:
            return
        part = {
            "type": self._coded(columns["type"], self._types, str),
            "start": columns["start_idx"].to_numpy(zero_copy_only=False),
            "end": columns["end_idx"].to_numpy(zero_copy_only=False),
            "score": _floats(columns.get("score"), n),
        }
        if "group" in columns:
            part |= self._ungrouped(columns["group"])
        else:
            part |= self._columns(columns, n)
        self._parts.append({name: part[name].astype(k, copy=False) for name, k in _KINDS.items()})

    def _ungrouped(self, group: pa.DictionaryArray) -> dict[str, np.ndarray[Any, Any]]:
        """Columns of a batch whose properties are grouped: worked out once per group."""
        groups = [json.loads(text) for text in group.dictionary.to_pylist()]
        known = list_key_properties(None)
        rows = {
            name: pa.array([g.get(name) for g in groups], kind)
            for name, kind in (
                ("sign", pa.int64()),
                *((n, pa.list_(pa.string())) for n in GROUPED[1:]),
                *((k, pa.string()) for k in known),
            )
        }
        index = group.indices.to_numpy(zero_copy_only=False)
        return {name: a[index] for name, a in self._columns(rows, len(groups)).items()}

    def _columns(self, columns: Mapping[str, pa.Array], n: int) -> dict[str, np.ndarray[Any, Any]]:
        return {
            "sign": _signs(columns.get("sign"), n),
            "key": self._key_codes(columns, n),
            "source": self._source_codes(columns, n),
        }

    def edges(self) -> Edges:
        """All edges that were added."""
        whole: dict[str, Any] = {
            name: np.concatenate([np.empty(0, kind), *(part[name] for part in self._parts)])
            for name, kind in _KINDS.items()
        }
        return Edges(
            **whole,
            lifted=np.zeros(len(whole["start"]), dtype=bool),
            types=self._types.names(),
            keys=self._keys.names(),
            sources=self._sources.names(),
        )

    @staticmethod
    def _coded(array: pa.Array, codes: CodeTable, make: Any) -> np.ndarray[Any, Any]:
        """Codes of an Arrow column through its distinct values."""
        if not pa.types.is_dictionary(array.type):
            array = array.dictionary_encode()
        used = array.indices.to_numpy(zero_copy_only=False)
        seen = np.flatnonzero(np.bincount(used, minlength=len(array.dictionary)))
        place = np.zeros(len(array.dictionary), dtype=np.int64)
        place[seen] = codes.of(make(v) for v in array.dictionary.take(pa.array(seen)).to_pylist())
        coded: np.ndarray[Any, Any] = place[used]
        return coded

    def _key_codes(self, columns: Mapping[str, pa.Array], n: int) -> np.ndarray[Any, Any]:
        names = [k for k in list_key_properties(None) if k in columns and columns[k].null_count < n]
        if not names:
            return np.zeros(n, dtype=np.int64)
        distinct = []
        for name in names:
            encoded = columns[name].cast(pa.string()).dictionary_encode()
            values = [*encoded.dictionary.to_pylist(), None]
            filled = encoded.indices.fill_null(len(values) - 1)
            distinct.append((name, values, filled.to_numpy(zero_copy_only=False)))
        rows = np.stack([d[2] for d in distinct], axis=1)
        combinations, inverse = np.unique(rows, axis=0, return_inverse=True)
        documents = [
            {name: values[c] for (name, values, _), c in zip(distinct, row, strict=True)}
            for row in combinations
        ]
        codes = self._keys.of(write_canonical(d) for d in documents)
        return codes[inverse.reshape(-1)]

    def _source_codes(self, columns: Mapping[str, pa.Array], n: int) -> np.ndarray[Any, Any]:
        if "sources" not in columns:
            return np.zeros(n, dtype=np.int64)
        return self._coded(join_claims(columns), self._sources, _claims_of)


def write_canonical(values: Mapping[str, Any]) -> str:
    """Canonical JSON of key properties; those without a value are left out."""
    given = {k: v for k, v in values.items() if v is not None}
    return json.dumps(given, sort_keys=True, ensure_ascii=False)


def join_claims(columns: Mapping[str, pa.Array]) -> pa.DictionaryArray:
    """Join the parallel lists ``sources``, ``licenses``, ``releases`` of each row into one text."""
    parts = [
        pc.fill_null(pc.binary_join(columns[name], LIST_SEPARATOR), "")
        for name in ("sources", "licenses", "releases")
        if name in columns
    ]
    return pc.binary_join_element_wise(*parts, _LIST).dictionary_encode()


def list_claimants(joined: pa.DictionaryArray) -> set[Claimant]:
    """Distinct (source, license, release) of joined claims."""
    return {claimant for text in joined.dictionary.to_pylist() for claimant in _claims_of(text)}


def _claims_of(joined: str) -> tuple[Claimant, ...]:
    lists = [part.split(LIST_SEPARATOR) for part in joined.split(_LIST)]
    sources, licenses, releases = ([*lists, [], []])[:3]
    rows = zip_longest(sources, licenses, releases, fillvalue="")
    return tuple(sorted({row for row in rows if row[0]}))


def _array(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    if isinstance(column, pa.ChunkedArray):
        return column.combine_chunks() if column.num_chunks else pa.array([], column.type)
    return column


def _floats(column: pa.Array | None, n: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    if column is None or column.null_count == n:
        return np.full(n, np.nan, dtype=np.float32)
    values: np.ndarray[Any, Any] = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return values.astype(np.float32)


def _signs(column: pa.Array | None, n: int) -> np.ndarray[Any, np.dtype[np.int8]]:
    if column is None or column.null_count == n:
        return np.full(n, NO_SIGN, dtype=np.int8)
    filled: np.ndarray[Any, Any] = pc.fill_null(column, NO_SIGN).to_numpy(zero_copy_only=False)
    return filled.astype(np.int8)
