"""Gene sets of Reactome, WikiPathways and PID with a licence per row, as Hetionet compiled them.

Identifiers are those of Hetionet's pathways, so that both sources meet in one node:
``WP100_r74146`` is WikiPathways WP100, ``PC7_10399`` is Hetionet's own number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from tosg.loaders.base import FileSpec, Loader, evidence_json
from tosg.loaders.columns import blank_to_null, keep_identified, listed_ids, noting_repeats, parents
from tosg.loaders.formats.tables import Layout, read_table
from tosg.loaders.reference.hetionet import pathway_curies

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.claims.log import FileLog, SourceLog

_LAYOUT = Layout(("identifier", "name", "n_genes", "source", "license", "genes"))


class Pathways(Loader):
    """See the module."""

    name = "pathways"
    title = "Pathways of Reactome, WikiPathways and PID with their genes"
    homepage = "https://github.com/dhimmel/pathways"
    license = "CC0 1.0"
    nodes = ("Pathway",)
    relationships = (("Gene", "PARTICIPATES_IN", "Pathway"),)
    tested_on = "the whole table"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "pathways",
            ("pathways.tsv", "pathways.tsv.gz"),
            "pathways with their genes",
            url=(
                "https://raw.githubusercontent.com/dhimmel/pathways/"
                "1bd2c68853e38297d20f8f885419ff81fc0608a8/data/pathways.tsv"
            ),
            sha256="2f18d7d4790ff72b3d0f3076563dc60938167bdfcb9ed55901e4d5ddc5014925",
            release="2.0",
        ),
    )

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        path = files["pathways"]
        file, origin = log.file(path), self.origin(path, release)
        for batch in noting_repeats(_rows(path, file), "curie", file):
            ids = batch.column("curie")
            license_ = pc.utf8_trim_whitespace(batch.column("license"))
            yield origin.entities(
                batch.num_rows,
                batch.column("line"),
                type="Pathway",
                id=ids,
                name=blank_to_null(batch.column("name")),
                license=license_,
            )
            genes = listed_ids(batch, "genes", "|", "ncbigene", file)
            stated = pc.cast(pc.list_value_length(genes), pa.string())
            other = pc.sum(pc.not_equal(stated, batch.column("n_genes"))).as_py() or 0
            if other:
                file.note("pathway that states another number of genes", other)
            row = pa.array(parents(genes))
            columns = (batch.column(name).to_pylist() for name in ("identifier", "source"))
            evidence = [
                evidence_json({"identifier": identifier, "source": source})
                for identifier, source in zip(*columns, strict=True)
            ]
            yield origin.relationships(
                len(row),
                batch.column("line").take(row),
                type="PARTICIPATES_IN",
                start_type="Gene",
                start=genes.flatten(),
                end_type="Pathway",
                end=ids.take(row),
                evidence=pa.array(evidence, pa.string()).take(row),
                license=license_.take(row),
            )


def _rows(path: Path, file: FileLog) -> Iterator[pa.RecordBatch]:
    """Pathways with their ``curie``."""
    for raw in read_table(path, _LAYOUT, file):
        ids = pathway_curies(pc.utf8_trim_whitespace(raw.column("identifier")))
        batch = raw.append_column("curie", ids)
        batch = keep_identified(batch, "curie", "identifier", file, ("identifier", "name"))
        file.parsed(batch.num_rows)
        yield batch
