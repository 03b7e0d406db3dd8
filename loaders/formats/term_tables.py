"""Term tables of the Single Cell Portal (id, label, synonyms), and OBO slims beside them.

The tables have no header, ids with an underscore, and synonyms joined by ``||``. They give every
term a node, so that cells labelled with it find the graph.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pyarrow.compute as pc

from tosg.loaders.base import Loader
from tosg.loaders.columns import blank_to_null, keep, noting_repeats, split, with_curies
from tosg.loaders.formats.obo import open_obo, parse_terms
from tosg.loaders.formats.tables import Layout, read_table
from tosg.loaders.formats.terms import claims_of_terms

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from tosg.kg.claims.log import FileLog, SourceLog

_LAYOUT = Layout(("id", "label", "synonyms"), header=False)
PORTAL = (
    "https://raw.githubusercontent.com/broadinstitute/scp-ingest-pipeline/"
    "33577a276502bc63e8e8e8d55b2165154f46586d/ingest/validation/ontologies"
)


class TermTable(Loader):
    """A table of terms, and OBO files where there are any."""

    prefix: ClassVar[str]
    type: ClassVar[str]
    #: Types of the terms that are taken from OBO files, by prefix.
    obo_types: ClassVar[Mapping[str, str]] = {}

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        path = files["terms"]
        file, origin = log.file(path), self.origin(path, release)
        for batch in noting_repeats(self._rows(path, file), "curie", file):
            yield origin.entities(
                batch.num_rows,
                batch.column("line"),
                type=self.type,
                id=batch.column("curie"),
                name=blank_to_null(batch.column("label")),
                synonyms=split(batch.column("synonyms"), "||"),
            )
        for spec in self.files[1:]:
            if spec.key in files:
                obo = open_obo(files[spec.key])
                file = log.file(obo.path)
                origin = self.origin(obo.path, self.stated_release(obo.release), part=spec.key)
                terms = parse_terms(obo, file)
                yield from claims_of_terms(terms, file, origin, self.obo_types)

    def _rows(self, path: Path, file: FileLog) -> Iterator[pa.RecordBatch]:
        """Rows of present terms with their ``curie``."""
        for raw in read_table(path, _LAYOUT, file):
            batch = with_curies(raw, "id", self.prefix, file, shown=("id", "label"))
            current = pc.invert(pc.match_substring_regex(batch.column("label"), "(?i)^obsolete "))
            batch = keep(batch, current, file, "obsolete", ("id", "label"))
            file.parsed(batch.num_rows)
            yield batch
