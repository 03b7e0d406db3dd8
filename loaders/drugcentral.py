"""DrugCentral: names, synonyms and scope notes of drugs; joins DrugBank's drugs by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa

from tosg.kg.curies import curies
from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.obo import open_obo, read_terms
from tosg.loaders.rows import blank_to_null, keep, known_curies, note_duplicates, split
from tosg.loaders.tables import Layout, read_table
from tosg.loaders.terms import claims_of_terms

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.source_log import SourceLog

_LAYOUT = Layout(("identifier", "name", "definition", "synonyms", "alts"))
_INGEST = "https://raw.githubusercontent.com/biopragmatics/obo-db-ingest"


class DrugCentral(Loader):
    """See the module."""

    name = "drugcentral"
    title = "DrugCentral: drugs with synonyms, descriptions and structure keys"
    homepage = "https://drugcentral.org"
    license = "CC BY-SA 4.0"
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
        path = files["drugs"]
        file, origin = log.file(path), self.origin(path, release)
        seen: list[pa.Array] = []
        for raw in read_table(path, _LAYOUT, file):
            ids = curies(raw.column("identifier"), "drugcentral")
            batch = keep(raw, ids.is_valid(), file, "bad identifier", ("identifier", "name"))
            ids = ids.drop_null()
            file.parsed(batch.num_rows)
            seen.append(ids)
            yield origin.entities(
                batch.num_rows,
                batch.column("line"),
                type="Drug",
                id=ids,
                name=blank_to_null(batch.column("name")),
                description=blank_to_null(batch.column("definition")),
                synonyms=split(batch.column("synonyms"), "|"),
                xrefs=known_curies(split(batch.column("alts"), "|"), file),
            )
        note_duplicates(pa.concat_arrays(seen), file, "identifier given more than once")
        if "structures" in files:
            obo = open_obo(files["structures"])
            origin = self.origin(obo.path, str(self.options.get("release", obo.release)))
            file = log.file(obo.path)
            types = {"drugcentral": "Drug"}
            yield from claims_of_terms(read_terms(obo, file), file, origin, types)
