"""STRING: protein links with a combined score and the scores of each channel.

Links name proteins by Ensembl; the table of aliases leads to UniProt, preferring the accession
that HGNC gives the protein's gene. Each pair stands in the file twice; it becomes one
relationship. Links below the threshold are left out and counted.

Files and columns: https://string-db.org/cgi/download (README of each file).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from tosg.kg.schema.curies import curies
from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.columns import blank_to_null, evidence, keep
from tosg.loaders.formats.tables import Layout, read_table
from tosg.loaders.options import Option
from tosg.loaders.scores import Score

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.claims.log import FileLog, SourceLog
    from tosg.loaders.base import Origin

_CHANNELS = (
    "neighborhood", "fusion", "cooccurence", "coexpression", "experimental", "database",
    "textmining",
)  # fmt: skip
_LINKS = Layout(("protein1", "protein2", "combined_score"), delimiter=" ", optional=_CHANNELS)
_ALIASES = Layout(
    ("string_protein_id", "alias", "source"),
    comment="#",
    renamed={"string_protein_id": ("#string_protein_id",)},
)

_INFO = Layout(
    ("string_protein_id", "preferred_name", "annotation"),
    comment="#",
    renamed={"string_protein_id": ("#string_protein_id",)},
)
_NO_TEXT = "annotation not available"

#: Kinds of aliases that are UniProt accessions, the surest first.
_UNIPROT = ("Ensembl_HGNC_uniprot_ids", "Ensembl_UniProt", "UniProt_AC", "BLAST_UniProt_AC")

_SCORE = Score(
    "combined_score / 1000",
    numbers=("combined_score",),
    help="STRING writes its probability as a whole number up to 1000",
)
THRESHOLD = Option("threshold", "least combined score of a link, 0 to 1", 0.4, least=0, most=1)
_HUMAN = "9606."


class String(Loader):
    """See the module."""

    name = "string"
    title = "STRING: links between human proteins, with scores by channel"
    homepage = "https://string-db.org"
    license = "CC BY 4.0"
    nodes = ("Protein",)
    relationships = (("Protein", "INTERACTS_WITH", "Protein"),)
    scores = (_SCORE,)
    options = (THRESHOLD,)
    quirks = (
        "A protein whose aliases give several UniProt accessions of the same kind is rejected.",
        "A link is functional association, not always contact; the channels are in the evidence.",
    )
    tested_on = "the first 5,000 rows of v12.0, and made-up rows with aliases"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "links",
            (
                "9606.protein.links.detailed.v12.0.txt.gz",
                "9606.protein.links.detailed.v*.txt.gz",
                "9606.protein.physical.links.detailed.v*.txt.gz",
                "9606.protein.*links*.txt.gz",
                "*.protein.links*.txt*",
            ),
            "links with scores",
            url=(
                "https://stringdb-downloads.org/download/protein.links.detailed.v12.0/"
                "9606.protein.links.detailed.v12.0.txt.gz"
            ),
            whole_bytes=50_000_000,
        ),
        FileSpec(
            "aliases",
            (
                "9606.protein.aliases.v12.0.txt.gz",
                "9606.protein.aliases.v*.txt.gz",
                "*.protein.aliases*.txt*",
            ),
            "names of each protein in other databases",
            url=(
                "https://stringdb-downloads.org/download/protein.aliases.v12.0/"
                "9606.protein.aliases.v12.0.txt.gz"
            ),
            whole_bytes=10_000_000,
        ),
        FileSpec(
            "info",
            (
                "9606.protein.info.v12.0.txt.gz",
                "9606.protein.info.v*.txt.gz",
                "*.protein.info*.txt*",
            ),
            "symbols and descriptions of the proteins",
            required=False,
            url=(
                "https://stringdb-downloads.org/download/protein.info.v12.0/"
                "9606.protein.info.v12.0.txt.gz"
            ),
            whole_bytes=1_000_000,
        ),
    )

    def _release(self, files: Mapping[str, Path]) -> str:
        found = re.search(r"\.v(\d+(?:\.\d+)*)", files["links"].name)
        return found.group(1) if found else ""

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        accessions = _accessions(files["aliases"], log.file(files["aliases"]))
        if "info" in files:
            path = files["info"]
            yield from _described(path, accessions, log.file(path), self.origin(path, release))
        path = files["links"]
        file, origin = log.file(path), self.origin(path, release)
        threshold = self.value(THRESHOLD)
        for raw in read_table(path, _LINKS, file):
            batch = raw
            for end in ("protein1", "protein2"):
                human = pc.starts_with(batch.column(end), _HUMAN)
                batch = keep(batch, human, file, "other species", ("protein1", "protein2"))
            once = pc.less(batch.column("protein1"), batch.column("protein2"))
            batch = keep(batch, once, file, "pair in the other order", ("protein1", "protein2"))
            batch = _SCORE.add(batch, file)
            sure = pc.greater_equal(batch.column("score"), threshold)
            batch = keep(batch, sure, file, "below the threshold", ("protein1", "combined_score"))
            for end in ("protein1", "protein2"):
                ids = _mapped(batch.column(end), accessions)
                batch = batch.append_column(f"{end}_id", ids)
                kind = "protein without one UniProt accession"
                batch = keep(batch, ids.is_valid(), file, kind, (end,))
            different = pc.not_equal(batch.column("protein1_id"), batch.column("protein2_id"))
            batch = keep(batch, different, file, "two products of one accession", ("protein1",))
            file.parsed(batch.num_rows)
            yield origin.relationships_of(
                batch,
                "INTERACTS_WITH",
                ("Protein", "protein1_id"),
                ("Protein", "protein2_id"),
                score=batch.column("score"),
                evidence=evidence(batch, numbers={c: c for c in _CHANNELS}, blanks=("0",)),
            )


def _accessions(path: Path, file: FileLog) -> pl.DataFrame:
    """One accession per protein: ``string_protein_id``, ``accession`` (CURIE)."""
    parts: list[pl.DataFrame] = []
    for raw in read_table(path, _ALIASES, file):
        batch = keep(
            raw,
            pc.starts_with(raw.column("string_protein_id"), _HUMAN),
            file,
            "other species",
            ("string_protein_id",),
        )
        rank = pc.index_in(batch.column("source"), pa.array(_UNIPROT))
        file.parsed(batch.num_rows)
        batch = batch.append_column("rank", rank).filter(rank.is_valid())
        ids = curies(batch.column("alias"), "uniprot")
        whole = batch.append_column("accession", ids).filter(ids.is_valid())
        parts.append(pl.DataFrame(pa.table(whole.columns, names=whole.schema.names)))
    found = pl.concat(parts) if parts else pl.DataFrame()
    best = pl.col("rank") == pl.col("rank").min().over("string_protein_id")
    one = pl.col("accession").n_unique().over("string_protein_id") == 1
    chosen = found.filter(best)
    several = chosen.filter(~one)["string_protein_id"].unique().sort()
    if len(several):
        file.note("protein with several accessions of the same kind", len(several), several[:5])
    return chosen.filter(one).select("string_protein_id", "accession").unique(maintain_order=True)


def _described(
    path: Path, accessions: pl.DataFrame, file: FileLog, origin: Origin
) -> Iterator[pa.RecordBatch]:
    """Claims of the proteins by what STRING calls them and says of them."""
    shown = ("string_protein_id", "preferred_name")
    for raw in read_table(path, _INFO, file):
        human = pc.starts_with(raw.column("string_protein_id"), _HUMAN)
        batch = keep(raw, human, file, "other species", shown)
        batch = batch.append_column("id", _mapped(batch["string_protein_id"], accessions))
        known = batch["id"].is_valid()
        batch = keep(batch, known, file, "protein without one UniProt accession", shown)
        file.parsed(batch.num_rows)
        text = pc.utf8_trim_whitespace(batch["annotation"])
        said = pc.and_(pc.not_equal(text, _NO_TEXT), pc.not_equal(text, ""))
        yield origin.entities(
            batch.num_rows,
            batch["line"],
            type="Protein",
            id=batch["id"],
            symbol=blank_to_null(batch["preferred_name"]),
            description=pc.if_else(said, text, pa.scalar(None, pa.string())),
        )


def _mapped(values: pa.Array, accessions: pl.DataFrame) -> pa.Array:
    known = accessions["string_protein_id"].to_arrow().cast(pa.string())
    found = accessions["accession"].to_arrow().cast(pa.string())
    return found.take(pc.index_in(values, known))
