"""DrugCentral: names, synonyms and scope notes of drugs; joins DrugBank's drugs by name.

In the published table of release 54 the columns ``name`` and ``definition`` belong to other drugs
than ``identifier`` and ``synonyms``: row 52 has the synonyms of paracetamol, which is DrugCentral
52, and another drug's name. Where a table shows this (names stand among the synonyms of other
rows, not of their own), each name is given the identifier whose synonyms, or whose name in the
OBO file, it is; a name that fits none is rejected.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa

from tosg.kg.schema.curies import curie_map
from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.columns import (
    REPEATED,
    blank_to_null,
    keep,
    known_curies,
    note_duplicates,
    split,
    with_curies,
)
from tosg.loaders.formats.obo import open_obo, parse_terms
from tosg.loaders.formats.tables import Layout, read_table
from tosg.loaders.formats.terms import claims_of_terms

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.claims.log import FileLog, SourceLog
    from tosg.loaders.formats.obo import Term

_LAYOUT = Layout(("identifier", "name", "definition", "synonyms", "alts"))
_INGEST = "https://raw.githubusercontent.com/biopragmatics/obo-db-ingest"


class DrugCentral(Loader):
    """See the module."""

    name = "drugcentral"
    title = "DrugCentral: drugs with synonyms, descriptions and structure keys"
    homepage = "https://drugcentral.org"
    license = "CC BY-SA 4.0"
    nodes = ("Drug",)
    tested_on = "the whole structures of 2021-09-01 (OBO) and a table of 4,995 drugs"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "drugs",
            ("drugcentral.tsv", "drugcentral*.tsv", "drugcentral*.tsv.gz"),
            "drugs with their texts",
            url=(
                f"{_INGEST}/5613ff7e7e5d40905639a4092d0a4e104929710d"
                "/export/drugcentral/drugcentral.tsv"
            ),
            release="54",
            sha256="dc08b913c8763de8b3c8c1ed837ba2739008b0cb23fa484116916bebca172f4c",
        ),
        FileSpec(
            "structures",
            ("drugcentral-2021_09_01.obo", "drugcentral*.obo", "drugcentral*.obo.gz"),
            "CAS numbers and InChIKeys (OBO)",
            required=False,
            url=(
                f"{_INGEST}/11fd82eb3e1f1351fa0501e3c11dad14c74bd77e"
                "/export/drugcentral/drugcentral.obo"
            ),
            sha256="f9d12c6a4cdf743ce76660280f4ae29604ea43d65c7172cec187401b1ef96037",
        ),
    )

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        terms: list[Term] = []
        if "structures" in files:
            obo = open_obo(files["structures"])
            origin = self.origin(obo.path, self.stated_release(obo.release), part="structures")
            file = log.file(obo.path)
            terms = list(parse_terms(obo, file))
            yield from claims_of_terms(terms, file, origin, {"drugcentral": "Drug"})
        path = files["drugs"]
        file, origin = log.file(path), self.origin(path, release)
        rows = _placed(_rows(path, file), terms, file)
        file.parsed(len(rows))
        ids = pa.array([row.id for row in rows], pa.string())
        note_duplicates(ids, file, REPEATED)
        alts = pa.array([row.alts for row in rows], pa.list_(pa.string()))
        yield origin.entities(
            len(rows),
            pa.array([row.line for row in rows], pa.int64()),
            type="Drug",
            id=ids,
            name=pa.array([row.name for row in rows], pa.string()),
            description=pa.array([row.definition for row in rows], pa.string()),
            synonyms=[row.synonyms for row in rows],
            xrefs=known_curies(alts, file),
        )


@dataclass(frozen=True, slots=True)
class _Row:
    id: str
    line: int
    name: str
    definition: str | None
    synonyms: list[str]
    alts: list[str]


def _rows(path: Path, file: FileLog) -> list[_Row]:
    rows: list[_Row] = []
    for raw in read_table(path, _LAYOUT, file):
        shown = ("identifier", "name")
        batch = with_curies(raw, "identifier", "drugcentral", file, to="id", shown=shown)
        named = blank_to_null(batch.column("name")).is_valid()
        batch = keep(batch, named, file, "no name", ("identifier",))
        columns = (
            batch.column("id").to_pylist(),
            batch.column("line").to_pylist(),
            blank_to_null(batch.column("name")).to_pylist(),
            blank_to_null(batch.column("definition")).to_pylist(),
            split(batch.column("synonyms"), "|").to_pylist(),
            split(batch.column("alts"), "|").to_pylist(),
        )
        rows += [_Row(*values) for values in zip(*columns, strict=True)]
    return rows


def _placed(rows: list[_Row], terms: list[Term], file: FileLog) -> list[_Row]:
    """Rows in which identifier, name and synonyms belong to one drug."""
    owners: dict[str, set[str]] = {}
    for row in rows:
        for synonym in row.synonyms:
            owners.setdefault(synonym.casefold(), set()).add(row.id)
    found = [owners.get(row.name.casefold(), set()) for row in rows]
    own = sum(row.id in ids for row, ids in zip(rows, found, strict=True))
    others = sum(bool(ids) and row.id not in ids for row, ids in zip(rows, found, strict=True))
    if others <= own:
        return rows
    ids_of_terms = curie_map(term.id for term in terms)
    for term in terms:
        if term.id in ids_of_terms and term.name:
            owners.setdefault(term.name.casefold(), set()).add(ids_of_terms[term.id])
    synonyms = {row.id: row.synonyms for row in rows}
    placed: list[_Row] = []
    for row in rows:
        ids = owners.get(row.name.casefold(), set())
        if len(ids) != 1:
            kind = "name of another identifier, " + ("ambiguous" if ids else "unknown which")
            file.reject(kind, row.line, f"{row.id} | {row.name}")
            continue
        (id_,) = ids
        if id_ != row.id:
            file.note("name moved to the identifier it belongs to", 1, f"{row.name}: {id_}")
        placed.append(replace(row, id=id_, synonyms=synonyms.get(id_, [])))
    return placed
