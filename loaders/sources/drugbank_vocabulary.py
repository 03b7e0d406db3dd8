"""DrugBank's open vocabulary: names, synonyms and structure keys of drugs.

Accession numbers are identifiers that a drug had before; those that look like DrugBank's are kept
as replaced ones, so that older files find their drug.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from tosg.kg.schema.curies import curies
from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.columns import filter_lists, noting_repeats, split, with_curies
from tosg.loaders.formats.tables import Layout, read_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.claims.log import FileLog, SourceLog

_LAYOUT = Layout(
    ("DrugBank ID", "Accession Numbers", "Common name", "CAS", "Synonyms", "Standard InChI Key"),
    delimiter=",",
    quoted=True,
)


class DrugBankVocabulary(Loader):
    """See the module."""

    name = "drugbank_vocabulary"
    title = "DrugBank's open vocabulary: names and synonyms of drugs"
    homepage = "https://go.drugbank.com/releases/latest#open-data"
    license = "CC0 1.0"
    nodes = ("Drug",)
    quirks = ("Lists are joined by ' | '; only accession numbers that start with DB are kept.",)
    tested_on = "the whole vocabulary (19,842 rows)"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "drugs",
            ("drugbank vocabulary.csv", "drugbank_vocabulary.csv.gz", "drugbank*vocabulary*.csv*",
             "drugbank_all_drugbank_vocabulary*.zip"),
            "vocabulary",
            url="https://go.drugbank.com/releases/latest/downloads/all-drugbank-vocabulary",
            whole_bytes=1_000_000,
        ),
    )  # fmt: skip

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        path = files["drugs"]
        file, origin = log.file(path), self.origin(path, release)
        for batch in noting_repeats(_rows(path, file), "curie", file):
            numbers = split(batch.column("Accession Numbers"), "|")
            old = curies(numbers.flatten(), "drugbank")
            yield origin.entities(
                batch.num_rows,
                batch.column("line"),
                type="Drug",
                id=batch.column("curie"),
                name=pc.utf8_trim_whitespace(batch.column("Common name")),
                synonyms=split(batch.column("Synonyms"), "|"),
                xrefs=_keys(batch),
                replaces=filter_lists(numbers, old, old.is_valid()),
            )


def _rows(path: Path, file: FileLog) -> Iterator[pa.RecordBatch]:
    for raw in read_table(path, _LAYOUT, file):
        shown = ("DrugBank ID", "Common name")
        batch = with_curies(raw, "DrugBank ID", "drugbank", file, shown=shown)
        file.parsed(batch.num_rows)
        yield batch


def _keys(batch: pa.RecordBatch) -> list[list[str]]:
    """CAS number and InChIKey of each drug as CURIEs."""
    cas = curies(batch.column("CAS"), "cas").to_pylist()
    keys = curies(batch.column("Standard InChI Key"), "inchikey").to_pylist()
    return [[x for x in pair if x is not None] for pair in zip(cas, keys, strict=True)]
