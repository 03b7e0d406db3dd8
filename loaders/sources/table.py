"""Anyone's own table, by a map: columns to entities and relationships, a sign and a score.

``tosg load table FILE --config map.yaml`` loads it under the name, licence and release of the map;
``--dry-run`` shows the first rows as they would enter, and what would be rejected.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from tosg.errors import DataError
from tosg.loaders.base import FileSpec, Origin
from tosg.loaders.columns import keep, not_negated, with_curies
from tosg.loaders.formats.tables import Layout, read_table
from tosg.loaders.reference.map_reader import described_columns
from tosg.loaders.reference.mapped_source import MappedSource, map_spec
from tosg.loaders.reference.symbols import SYMBOLS, SymbolTable, read_symbols, with_genes
from tosg.loaders.reference.table_map import (
    EntityMap,
    EntityRef,
    RelationshipMap,
    TableMap,
    read_map,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tosg.kg.claims.log import FileLog, SourceLog
    from tosg.loaders.reference.map_reader import Described


class Table(MappedSource):
    """See the module."""

    name = "table"
    title = "Anyone's own table, by a map of its columns"
    homepage = "https://github.com/tosg"
    quirks = ("Symbols of genes need HGNC's complete set or gene_info beside the table.",)
    tested_on = "made-up tables"
    files: ClassVar[tuple[FileSpec, ...]] = (
        map_spec("the columns"),
        FileSpec(
            "table",
            ("*.tsv", "*.csv", "*.tsv.gz", "*.csv.gz", "*.txt", "*.txt.gz"),
            "the table",
        ),
        replace(SYMBOLS, required=False),
    )

    def _about(self, path: Path) -> Described:
        return read_map(path).about

    def locate(self, paths: Sequence[Path]) -> dict[str, Path]:
        """Find the files; a table of symbols beside the own table is not taken for it."""
        symbols = [p for p in paths if p.is_file() and SYMBOLS.matches(p.name) is not None]
        found = super().locate([p for p in paths if p not in symbols] or paths)
        if symbols:
            found["symbols"] = symbols[0]
        return found

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        mapped = read_map(files["map"])
        described = log.file(files["map"])
        described.read()
        described.parsed()
        symbols = None
        if "symbols" in files:
            symbols = read_symbols(files["symbols"], log.file(files["symbols"]))
        elif any(ref.symbols for ref in mapped.refs):
            raise DataError(
                "the map names genes by symbol, and there is no table of symbols",
                where=files["map"],
                expected=" or ".join(SYMBOLS.names[:3]),
                hint=f"give it beside the table; it is at {SYMBOLS.url}",
            )
        path = files["table"]
        file, origin = log.file(path), self.origin(path, release, mapped.about.license)
        columns = mapped.columns or mapped.used
        layout = Layout(
            columns,
            delimiter=mapped.delimiter,
            quoted=mapped.quoted,
            header=not mapped.columns,
            comment=mapped.comment,
        )
        for raw in read_table(path, layout, file):
            batch = _identified(_kept(raw, mapped, file), mapped, symbols, file)
            for number, link in enumerate(mapped.relationships):
                batch = link.values.add(batch, file, str(number))
            file.parsed(batch.num_rows)
            for entity in mapped.entities:
                yield _entity(batch, entity, origin, file)
            for number, link in enumerate(mapped.relationships):
                yield _relationship(batch, number, link, origin)


def _kept(batch: pa.RecordBatch, mapped: TableMap, file: FileLog) -> pa.RecordBatch:
    for condition in mapped.where:
        values = pc.utf8_trim_whitespace(batch.column(condition.column))
        hit = pc.is_in(values, pa.array(condition.values, pa.string()))
        if condition.negated:
            batch = not_negated(batch, hit, file, (condition.column,))
        else:
            batch = keep(batch, hit, file, f"other {condition.column}", (condition.column,))
    return batch


def _identified(
    batch: pa.RecordBatch, mapped: TableMap, symbols: SymbolTable | None, file: FileLog
) -> pa.RecordBatch:
    """Add one column of CURIEs per way in which the map names entities."""
    for ref in dict.fromkeys(mapped.refs):
        if ref.symbols and symbols is not None:
            batch = with_genes(batch, ref.column, symbols, file, to=_key(ref))
        else:
            batch = with_curies(batch, ref.column, ref.prefix, file, to=_key(ref))
    return batch


def _key(ref: EntityRef) -> str:
    return f"{ref.column}\0{ref.prefix}\0{ref.symbols}"


def _entity(
    batch: pa.RecordBatch, entity: EntityMap, origin: Origin, file: FileLog
) -> pa.RecordBatch:
    return origin.entities(
        batch.num_rows,
        batch.column("line"),
        type=entity.id.type,
        id=batch.column(_key(entity.id)),
        **described_columns(batch, entity.texts, entity.lists, file),
    )


def _relationship(
    batch: pa.RecordBatch, number: int, link: RelationshipMap, origin: Origin
) -> pa.RecordBatch:
    return origin.relationships(
        batch.num_rows,
        batch.column("line"),
        type=link.type,
        start_type=link.start.type,
        start=batch.column(_key(link.start)),
        end_type=link.end.type,
        end=batch.column(_key(link.end)),
        **link.values.claimed(batch, str(number)),
    )
