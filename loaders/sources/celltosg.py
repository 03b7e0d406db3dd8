"""OmniCellTOSG: its signaling graph of transcripts and proteins, from its folder.

Nodes are named by BioMedGraphica's numbers alone (``BMGC_PT000001``). Loaded together with
BioMedGraphica, whose tables say which transcript or protein each is, they are the same nodes;
without, they keep the number. Internal edges lead from transcripts to proteins, the others join
proteins. A folder that tosg wrote (``tosg-export --layout celltosg``) has identifiers, types of
nodes and types of edges of the graph's own, and all of them are read. The expression matrices of
the folder are cells: `tosg cells attach` reads them.

Layout: https://github.com/FuhaiLiAiLab/OmniCellTOSG (README and CellTOSG_Loader).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tosg.errors import DataError
from tosg.kg.schema.celltosg import (
    ALL_EDGES,
    DESCRIPTION_TABLE,
    INTERNAL_EDGES,
    NAME_TABLE,
    PPI_EDGES,
    SEQUENCE_TABLE,
    WEBAPP_EDGES,
    WEBAPP_IDS,
)
from tosg.kg.schema.curies import parse_curies
from tosg.kg.schema.types import entity_types, relationship_triples, relationship_types
from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.columns import blank_to_null, evidence, keep
from tosg.loaders.formats.celltosg import (
    ENTITY_LABELS,
    NAMES,
    SEQUENCES,
    TEXTS,
    TYPED_EDGES,
    read_edge_index,
)
from tosg.loaders.formats.tables import choose_layout, read_table
from tosg.loaders.reference.biomedgraphica import RELATIONS, number_columns
from tosg.loaders.reference.graph_tables import (
    NO_NODE,
    NO_TYPE,
    EdgeRule,
    NodeIndex,
    edge_claims,
    typed_edges,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.claims.log import FileLog, SourceLog
    from tosg.loaders.base import Origin

_BATCH = 100_000

#: Start and end type -> relationship. The folder has no other kinds of edges.
_KINDS = {
    ("Gene", "Transcript"): "TRANSCRIBED_TO",
    ("Transcript", "Protein"): "TRANSLATED_TO",
    ("Protein", "Protein"): "INTERACTS_WITH",
}

#: Edges by file: the whole, and its two parts.
_WHOLE = "edges"
_PARTS = ("internal edges", "protein edges")


class CellTosg(Loader):
    """See the module."""

    name = "celltosg"
    title = "OmniCellTOSG: its graph of transcripts and proteins"
    homepage = "https://github.com/FuhaiLiAiLab/OmniCellTOSG"
    license = "MIT"
    nodes = tuple(entity_types())
    relationships = relationship_triples()
    quirks = (
        "The release has genes, transcripts and proteins; a folder of tosg may have every type.",
        "Both spellings of the names of files and of the first column are read.",
        "Where both parts of edge_index.npy are there, they are read, and their sum is compared.",
        "Rows of names and texts have to stand in one order: a position in an edge is a row.",
        "Sequences and vectors of texts have no place in the graph.",
    )
    tested_on = "made-up folders in both spellings, of the shapes that its own loader reads"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec("names", (NAME_TABLE, "S_name.csv"), "names of the entities"),
        FileSpec(
            _WHOLE,
            (ALL_EDGES,),
            "all edges, as positions of entities",
        ),
        FileSpec(
            _PARTS[0],
            (INTERNAL_EDGES,),
            "edges from transcripts to proteins",
            required=False,
        ),
        FileSpec(
            _PARTS[1],
            (PPI_EDGES,),
            "edges between proteins",
            required=False,
        ),
        FileSpec("texts", (DESCRIPTION_TABLE, "S_desc.csv"), "descriptions", required=False),
        FileSpec("sequences", (SEQUENCE_TABLE, "S_bio.csv"), "sequences", required=False),
        FileSpec("labels", (WEBAPP_IDS,), "types of the entities, as tosg writes", required=False),
        FileSpec("typed edges", (WEBAPP_EDGES,), "edges with their types", required=False),
    )

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        labels = None
        if "labels" in files:
            labels = _read_labels(files["labels"], log.file(files["labels"]))
        path = files["names"]
        file, origin = log.file(path), self.origin(path, release)
        numbers: list[pa.Array] = []
        index = NodeIndex()
        spelling = choose_layout(path, NAMES)
        for raw in read_table(path, NAMES[spelling], file):
            numbers.append(raw["number"])
            batch = _identified(raw, labels, file)
            index.add(batch["number"], batch["type"], batch["id"])
            yield _entities(batch, spelling, "name", origin)
        whole = pa.concat_arrays(numbers)
        if "texts" in files:
            path = files["texts"]
            file, origin = log.file(path), self.origin(path, release)
            seen: list[pa.Array] = []
            for raw in read_table(path, TEXTS, file):
                seen.append(raw["number"])
                yield _entities(_identified(raw, labels, file), "text", "description", origin)
            _check_order(whole, pa.concat_arrays(seen), path)
        if "sequences" in files:
            path = files["sequences"]
            file = log.file(path)
            for raw in read_table(path, SEQUENCES, file):
                file.parsed(raw.num_rows)
            file.note("sequence, which has no place in the graph", file.rows_parsed)
        if "typed edges" in files:
            path = files["typed edges"]
            file, origin = log.file(path), self.origin(path, release)
            for raw in read_table(path, TYPED_EDGES, file):
                yield _typed_relationships(raw, index, file, origin)
        else:
            yield from self._edges(files, log, release, whole, index)

    def _edges(
        self,
        files: Mapping[str, Path],
        log: SourceLog,
        release: str,
        numbers: pa.Array,
        index: NodeIndex,
    ) -> Iterator[pa.RecordBatch]:
        types, ids = index.look_up(numbers)
        edges = {
            key: read_edge_index(files[key], len(numbers))
            for key in (_WHOLE, *_PARTS)
            if key in files
        }
        total = edges[_WHOLE].shape[1]
        if set(_PARTS) <= edges.keys():
            count = sum(edges[key].shape[1] for key in _PARTS)
            if count != total:
                text = f"{total:,} edges in all, {count:,} in the two parts"
                log.file(files[_PARTS[0]]).note("parts with another number of edges", 1, text)
            read: tuple[str, ...] = _PARTS
        else:
            read = (_WHOLE,)
        if not any(edges[key].shape[1] for key in read):
            raise DataError("the folder has no edges", where=files[_WHOLE])
        for key in read:
            file, origin = log.file(files[key]), self.origin(files[key], release)
            for first in range(0, edges[key].shape[1], _BATCH):
                part = edges[key][:, first : first + _BATCH]
                yield _relationships(part, first, key, types, ids, file, origin)


def _read_labels(path: Path, file: FileLog) -> tuple[pa.Array, pa.Array]:
    """Identifiers and types of the entities that have one."""
    keys: list[pa.Array] = []
    labels: list[pa.Array] = []
    for batch in read_table(path, ENTITY_LABELS, file):
        file.parsed(batch.num_rows)
        known = pc.is_in(batch["Label"], pa.array(list(entity_types())))
        keys.append(batch["number"].filter(known))
        labels.append(batch["Label"].filter(known))
    return pa.concat_arrays(keys), pa.concat_arrays(labels)


def _identified(
    raw: pa.RecordBatch, labels: tuple[pa.Array, pa.Array] | None, file: FileLog
) -> pa.RecordBatch:
    """Entities with their types and CURIEs: of BioMedGraphica's numbers, or of the graph's own."""
    types, ids = number_columns(raw["number"])
    if labels is not None:
        keys, words = labels
        types = pc.coalesce(types, words.take(pc.index_in(raw["number"], keys)))
        own = pc.if_else(types.is_valid(), parse_curies(raw["number"]), None)
        ids = pc.coalesce(ids, own)
    batch = raw.append_column("type", types).append_column("id", ids)
    kind = "entity of a type that is not in the graph"
    batch = keep(batch, ids.is_valid(), file, kind, ("number",))
    file.parsed(batch.num_rows)
    return batch


def _entities(batch: pa.RecordBatch, column: str, to: str, origin: Origin) -> pa.RecordBatch:
    texts: dict[str, object] = {to: blank_to_null(batch[column], "nan", "NaN")}
    return origin.entities(
        batch.num_rows, batch["line"], type=batch["type"], id=batch["id"], **texts
    )


def _rule(word: str, _start: str, _end: str) -> EdgeRule | None:
    if word in relationship_types():
        return EdgeRule(word, turned=None)
    return RELATIONS.get(word)


def _typed_relationships(
    raw: pa.RecordBatch, index: NodeIndex, file: FileLog, origin: Origin
) -> pa.RecordBatch:
    """Relationships of a folder that says what each edge is."""
    shown = ("from", "Type", "to")
    batch = typed_edges(raw, "Type", ("from", "to"), index, _rule, file, shown)
    return edge_claims(
        batch,
        file,
        origin,
        evidence=evidence(batch, texts={"relation": "Type"}),
    )


def _check_order(names: pa.Array, texts: pa.Array, path: Path) -> None:
    if names.equals(texts):
        return
    raise DataError(
        "the rows of names and descriptions are not those of the same entities",
        where=path,
        found=f"{len(texts):,} rows",
        expected=f"the {len(names):,} entities of the names, in their order",
        hint="are both files of one release?",
    )


def _relationships(
    edges: npt.NDArray[np.int64],
    first: int,
    key: str,
    types: pa.Array,
    ids: pa.Array,
    file: FileLog,
    origin: Origin,
) -> pa.RecordBatch:
    ends = [pa.array(np.ascontiguousarray(end)) for end in edges]
    columns = {f"{name}_type": types.take(end) for name, end in zip(("a", "b"), ends, strict=True)}
    columns |= {name: ids.take(end) for name, end in zip(("a", "b"), ends, strict=True)}
    columns |= {"from": ends[0], "to": ends[1]}
    numbers = pa.array(np.arange(first + 1, first + 1 + edges.shape[1]))
    batch = pa.record_batch({**columns, "line": numbers})
    file.read(batch.num_rows)
    there = pc.and_(batch["a"].is_valid(), batch["b"].is_valid())
    batch = keep(batch, there, file, NO_NODE, ("from", "to"))
    pairs = pc.binary_join_element_wise(batch["a_type"], batch["b_type"], " ")
    code = pc.index_in(pairs, pa.array([" ".join(pair) for pair in _KINDS]))
    batch = batch.append_column("kind", pa.array(list(_KINDS.values())).take(code))
    batch = keep(batch, batch["kind"].is_valid(), file, NO_TYPE, ("a", "b"))
    file.parsed(batch.num_rows)
    batch = batch.append_column("part", pa.repeat(pa.scalar(key), batch.num_rows))
    return origin.relationships(
        batch.num_rows,
        batch["line"],
        type=batch["kind"],
        start_type=batch["a_type"],
        start=batch["a"],
        end_type=batch["b_type"],
        end=batch["b"],
        evidence=evidence(batch, texts={"part": "part"}),
    )
