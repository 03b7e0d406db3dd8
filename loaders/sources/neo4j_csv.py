"""Anyone's own graph, from a folder that ``neo4j-admin database import`` takes (BioCypher).

A map says what its labels and types are in the schema; nodes and relationships of others are
rejected by name. Delimiters, quotes and which files belong together are read from BioCypher's
import script where it lies beside them. ``tosg load neo4j_csv FOLDER --config map.yaml --dry-run``
shows the first rows as they would enter, and what would be rejected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from tosg.errors import DataError
from tosg.kg.schema.curies import curies, parse_curies
from tosg.kg.schema.types import entity_types, relationship_types
from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.columns import (
    blank_to_null,
    evidence,
    keep,
    keep_identified,
    known_curies,
    split,
    with_words,
)
from tosg.loaders.formats.neo4j_csv import CsvStyle, CsvTable, find_tables, read_style
from tosg.loaders.reference.graph_map import GraphMap, LabelMap, LinkMap, read_graph_map
from tosg.loaders.reference.graph_tables import EdgeRule, NodeIndex, typed_edges
from tosg.loaders.scores import Score

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tosg.kg.claims.log import FileLog, SourceLog
    from tosg.loaders.base import Origin


class Neo4jCsv(Loader):
    """See the module."""

    name = "neo4j_csv"
    title = "Anyone's own graph: a folder for neo4j-admin (BioCypher), by a map of its labels"
    homepage = "https://neo4j.com/docs/operations-manual/current/import/"
    license = "as the map says"
    nodes = tuple(entity_types())
    relationships = tuple(
        (a, kind.name, b) for kind in relationship_types().values() for a, b in kind.pairs
    )
    scores = (Score("as the map says"),)
    signs = "as the map says"
    quirks = (
        "Identifier spaces, as in :ID(Protein), keep equal numbers of different tables apart.",
        "Typed and array columns are read as the header says; columns :IGNORE are left out.",
        "Part files are found by the expressions of BioCypher's import script, or by their names.",
        "A node of several labels is the first of them that the map has.",
    )
    tested_on = "made-up folders: one file a table, parts with a header, BioCypher's script"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec("map", ("map.yaml", "*.yaml", "*.yml"), "the map of labels and types"),
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

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        super().__init__(options)
        self._named = "source" in (options or {})

    def locate(self, paths: Sequence[Path]) -> dict[str, Path]:
        """Find the files; the claims are kept under the name that the map gives."""
        found = super().locate(paths)
        if not self._named:
            self.source = read_graph_map(found["map"]).source
        return found

    def _release(self, files: Mapping[str, Path]) -> str:
        return read_graph_map(files["map"]).release

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
                file, origin = log.file(part), self.origin(part, release, mapped.license)
                read = _nodes if table.header.is_nodes else _relationships
                yield from read(table, part, style, mapped, index, file, origin)


def _needed(table: CsvTable, part: Path, names: Sequence[str]) -> None:
    """Refuse a map that names properties which a table has not."""
    missing = [name for name in names if name and name not in table.header.columns]
    if missing:
        raise DataError(
            "the map names properties that the table has not",
            where=part,
            found=", ".join(table.header.columns)[:300],
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


def _nodes(
    table: CsvTable,
    part: Path,
    style: CsvStyle,
    mapped: GraphMap,
    index: NodeIndex,
    file: FileLog,
    origin: Origin,
) -> Iterator[pa.RecordBatch]:
    for raw in table.batches(part, style, file):
        batch = _labelled(table, raw, ":LABEL", style.array, mapped.nodes)
        known = batch["label\0"].is_valid()
        kind = "label that is not in the map"
        batch = keep(batch, known, file, kind, ("given\0", ":ID"))
        for label in sorted(set(batch["label\0"].to_pylist())):
            rule = mapped.nodes[label]
            _needed(table, part, (rule.id, *rule.texts.values(), *rule.lists.values()))
            some = batch.filter(pc.equal(batch["label\0"], label))
            yield _entities(some, table, rule, style, index, file, origin)


def _entities(
    batch: pa.RecordBatch,
    table: CsvTable,
    rule: LabelMap,
    style: CsvStyle,
    index: NodeIndex,
    file: FileLog,
    origin: Origin,
) -> pa.RecordBatch:
    given = batch[rule.id]
    ids = curies(given, rule.prefix) if rule.prefix else parse_curies(given)
    batch = batch.append_column("curie\0", ids).append_column("named\0", given)
    batch = keep_identified(batch, "curie\0", "named\0", file, (":ID",))
    type_ = pa.repeat(pa.scalar(rule.type), batch.num_rows)
    index.add(_keys(batch[":ID"], table.header.spaces[":ID"]), type_, batch["curie\0"])
    file.parsed(batch.num_rows)
    lists = {key: split(batch[column], style.array) for key, column in rule.lists.items()}
    if "xrefs" in lists:
        lists["xrefs"] = known_curies(lists["xrefs"], file)
    texts = {key: blank_to_null(batch[column]) for key, column in rule.texts.items()}
    return origin.entities(
        batch.num_rows, batch["line"], type=rule.type, id=batch["curie\0"], **texts, **lists
    )


def _keys(ids: pa.Array, space: str) -> pa.Array:
    """Identifiers with their space, so that equal ones of two tables stay apart."""
    return pc.binary_join_element_wise(pa.scalar(space), ids, "\0")


def _relationships(
    table: CsvTable,
    part: Path,
    style: CsvStyle,
    mapped: GraphMap,
    index: NodeIndex,
    file: FileLog,
    origin: Origin,
) -> Iterator[pa.RecordBatch]:
    for raw in table.batches(part, style, file):
        batch = _labelled(table, raw, ":TYPE", "\0", mapped.links)
        shown = (":START_ID", "given\0", ":END_ID")
        known = batch["label\0"].is_valid()
        batch = keep(batch, known, file, "type that is not in the map", shown)
        for label in sorted(set(batch["label\0"].to_pylist())):
            some = batch.filter(pc.equal(batch["label\0"], label))
            link = mapped.links[label]
            yield _linked(some, table, part, link, style, index, file, origin)


def _linked(
    batch: pa.RecordBatch,
    table: CsvTable,
    part: Path,
    link: LinkMap,
    style: CsvStyle,
    index: NodeIndex,
    file: FileLog,
    origin: Origin,
) -> pa.RecordBatch:
    numbers = (*link.score.numbers, *link.score.texts) if link.score else ()
    _needed(table, part, (link.sign, link.action, *numbers))
    _needed(table, part, [f.column for f in link.evidence.values()])
    spaces = table.header.spaces
    for end in (":START_ID", ":END_ID"):
        batch = batch.append_column(f"{end}\0", _keys(batch[end], spaces[end]))
    ends = (":START_ID\0", ":END_ID\0")
    rule = EdgeRule(link.becomes, turned=link.turned)
    shown = (":START_ID", "given\0", ":END_ID")
    batch = typed_edges(batch, "label\0", ends, index, lambda *_: rule, file, shown)
    if link.sign:
        words = link.signs or {"1": 1, "-1": -1, "0": 0}
        batch = with_words(batch, link.sign, words, file, to="sign\0", type_=pa.int8())
    if link.score is not None:
        batch = link.score.add(batch, file, to="score\0")
    file.parsed(batch.num_rows)
    told = {k: f.separator or (style.array if f.column in table.header.arrays else "")
            for k, f in link.evidence.items()}  # fmt: skip
    return origin.relationships(
        batch.num_rows,
        batch["line"],
        type=batch["kind"],
        start_type=batch["start_type"],
        start=batch["start"],
        end_type=batch["end_type"],
        end=batch["end"],
        sign=batch["sign\0"] if link.sign else None,
        score=batch["score\0"] if link.score is not None else None,
        action=blank_to_null(batch[link.action]) if link.action else None,
        evidence=evidence(
            batch,
            texts={k: f.column for k, f in link.evidence.items() if not told[k]},
            lists={k: (f.column, told[k]) for k, f in link.evidence.items() if told[k]},
        )
        if link.evidence
        else None,
    )
