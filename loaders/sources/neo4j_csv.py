"""Anyone's own graph, from a folder that ``neo4j-admin database import`` takes (BioCypher).

A map says what its labels and types are in the schema; nodes and relationships of others are
rejected by name. Delimiters, quotes and which files belong together are read from BioCypher's
import script where it lies beside them. ``tosg load neo4j_csv FOLDER --config map.yaml --dry-run``
shows the first rows as they would enter, and what would be rejected.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from tosg.errors import DataError
from tosg.kg.schema.curies import curies, parse_curies
from tosg.loaders.base import FileSpec
from tosg.loaders.columns import keep, keep_identified
from tosg.loaders.formats.neo4j_csv import CsvStyle, CsvTable, find_tables, read_style
from tosg.loaders.reference.graph_map import GraphMap, LabelMap, LinkMap, read_graph_map
from tosg.loaders.reference.graph_tables import EdgeRule, NodeIndex, edge_claims, typed_edges
from tosg.loaders.reference.map_reader import MappedField, described_columns
from tosg.loaders.reference.mapped_source import MappedSource, map_spec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tosg.kg.claims.log import FileLog, SourceLog
    from tosg.loaders.base import Origin
    from tosg.loaders.reference.map_reader import Described


#: Columns that the example of a rejected relationship shows.
_SHOWN = (":START_ID", "given\0", ":END_ID")


class Neo4jCsv(MappedSource):
    """See the module."""

    name = "neo4j_csv"
    title = "Anyone's own graph: a folder for neo4j-admin (BioCypher), by a map of its labels"
    homepage = "https://neo4j.com/docs/operations-manual/current/import/"
    quirks = (
        "Identifier spaces, as in :ID(Protein), keep equal numbers of different tables apart.",
        "Typed and array columns are read as the header says; columns :IGNORE are left out.",
        "Part files are found by the expressions of BioCypher's import script, or by their names.",
        "A node of several labels is the first of them that the map has.",
    )
    tested_on = "made-up folders: one file a table, parts with a header, BioCypher's script"
    files: ClassVar[tuple[FileSpec, ...]] = (
        map_spec("labels and types"),
        FileSpec(
            "tables",
            ("*.csv", "*.tsv", "*.csv.gz", "*.tsv.gz"),
            "tables of nodes and relationships",
            many=True,
        ),
        FileSpec(
            "script",
            ("neo4j-admin-import-call.sh",),
            "BioCypher's import script",
            required=False,
        ),
    )

    def _about(self, path: Path) -> Described:
        return read_graph_map(path).about

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        mapped = read_graph_map(files["map"])
        script = files.get("script")
        for path in (files["map"], *((script,) if script else ())):
            log.file(path).read()
            log.file(path).parsed()
        style = read_style(script, mapped.style)
        tables = find_tables(self.parts(files, "tables"), script, style)
        index = NodeIndex()
        # Relationships need the types of their ends: all nodes come first.
        for table in sorted(tables, key=lambda t: not t.header.is_nodes):
            for part in table.parts:
                origin = self.origin(part, release, mapped.about.license)
                reading = _Reading(table, part, style, mapped, index, log.file(part), origin)
                yield from _nodes(reading) if table.header.is_nodes else _relationships(reading)


@dataclass(frozen=True)
class _Reading:
    """One part of a table, what the map says of it, and where its claims come from."""

    table: CsvTable
    part: Path
    style: CsvStyle
    mapped: GraphMap
    index: NodeIndex
    file: FileLog
    origin: Origin

    def batches(self) -> Iterator[pa.RecordBatch]:
        return self.table.batches(self.part, self.style, self.file)

    def need(self, names: Sequence[str]) -> None:
        """Refuse a map that names properties which the table has not."""
        columns = self.table.header.columns
        missing = [name for name in names if name and name not in columns]
        if missing:
            raise DataError(
                "the map names properties that the table has not",
                where=self.part,
                found=", ".join(columns)[:300],
                expected=", ".join(missing),
            )


def _labelled(
    table: CsvTable,
    batch: pa.RecordBatch,
    column: str,
    separator: str,
    known: Mapping[str, object],
) -> pa.RecordBatch:
    """Add which entry of the map each row is: its first label that has one, or null."""
    if column in batch.schema.names:
        texts = batch[column]
    else:
        texts = pa.repeat(pa.scalar(table.label or table.name), batch.num_rows)
    coded = texts.dictionary_encode()
    found = [
        next((w for w in text.replace("|", separator).split(separator) if w in known), None)
        for text in coded.dictionary.to_pylist()
    ]
    batch = batch.append_column("label\0", pa.array(found, pa.string()).take(coded.indices))
    return batch.append_column("given\0", texts.cast(pa.string()))


def _nodes(reading: _Reading) -> Iterator[pa.RecordBatch]:
    known = reading.mapped.nodes
    for raw in reading.batches():
        batch = _labelled(reading.table, raw, ":LABEL", reading.style.array, known)
        kind = "label that is not in the map"
        batch = keep(batch, batch["label\0"].is_valid(), reading.file, kind, ("given\0", ":ID"))
        for label in sorted(set(batch["label\0"].to_pylist())):
            some = batch.filter(pc.equal(batch["label\0"], label))
            yield _entities(some, known[label], reading)


def _entities(batch: pa.RecordBatch, rule: LabelMap, reading: _Reading) -> pa.RecordBatch:
    reading.need((rule.id, *rule.texts.values(), *rule.lists.values()))
    file, array = reading.file, reading.style.array
    given = batch[rule.id]
    ids = curies(given, rule.prefix) if rule.prefix else parse_curies(given)
    batch = batch.append_column("curie\0", ids).append_column("named\0", given)
    batch = keep_identified(batch, "curie\0", "named\0", file, (":ID",))
    type_ = pa.repeat(pa.scalar(rule.type), batch.num_rows)
    keys = _keys(batch[":ID"], reading.table.header.spaces[":ID"])
    reading.index.add(keys, type_, batch["curie\0"])
    file.parsed(batch.num_rows)
    lists = {key: MappedField(column, array) for key, column in rule.lists.items()}
    return reading.origin.entities(
        batch.num_rows,
        batch["line"],
        type=rule.type,
        id=batch["curie\0"],
        **described_columns(batch, rule.texts, lists, file),
    )


def _keys(ids: pa.Array, space: str) -> pa.Array:
    """Identifiers with their space, so that equal ones of two tables stay apart."""
    return pc.binary_join_element_wise(pa.scalar(space), ids, "\0")


def _relationships(reading: _Reading) -> Iterator[pa.RecordBatch]:
    known = reading.mapped.links
    for raw in reading.batches():
        batch = _labelled(reading.table, raw, ":TYPE", "\0", known)
        there = batch["label\0"].is_valid()
        batch = keep(batch, there, reading.file, "type that is not in the map", _SHOWN)
        for label in sorted(set(batch["label\0"].to_pylist())):
            some = batch.filter(pc.equal(batch["label\0"], label))
            yield _linked(some, known[label], reading)


def _linked(batch: pa.RecordBatch, link: LinkMap, reading: _Reading) -> pa.RecordBatch:
    reading.need(link.values.columns)
    header, file = reading.table.header, reading.file
    for end in (":START_ID", ":END_ID"):
        batch = batch.append_column(f"{end}\0", _keys(batch[end], header.spaces[end]))
    ends = (":START_ID\0", ":END_ID\0")
    rule = EdgeRule(link.becomes, turned=link.turned)
    batch = typed_edges(batch, "label\0", ends, reading.index, lambda *_: rule, file, _SHOWN)
    batch = link.values.add(batch, file)
    claimed = link.values.claimed(batch, arrays=header.arrays, array=reading.style.array)
    return edge_claims(batch, file, reading.origin, **claimed)
