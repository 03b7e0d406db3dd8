"""Human Protein Atlas: where genes are expressed, and where in the cell their proteins are.

The atlas table has, for each gene, the tissues in which its RNA is raised; the other tables have
RNA by tissue (consensus), proteins by staining (IHC) and locations in the cell with GO's terms.
Tissues are names; those that UBERON has are read.

Columns: https://www.proteinatlas.org/about/download
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from tosg.kg.schema.curies import curie, curies
from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.columns import evidence, keep, keep_identified, not_negated
from tosg.loaders.formats.tables import Layout, read_table
from tosg.loaders.options import Option
from tosg.loaders.reference.genes import is_ensembl_gene
from tosg.loaders.reference.hpa_tissues import find_tissue
from tosg.loaders.scores import Score, with_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tosg.kg.claims.log import FileLog, SourceLog
    from tosg.loaders.base import Origin

_RAISED = "RNA tissue specific nTPM"
_ATLAS = Layout(
    ("Gene", "Ensembl", "RNA tissue specificity", _RAISED),
    quoted=True,
    renamed={_RAISED: ("RNA tissue specific NX", "RNA tissue specific TPM")},
)
_RNA = Layout(("Gene", "Tissue", "nTPM"), quoted=True, renamed={"nTPM": ("NX", "TPM")})
_IHC = Layout(("Gene", "Tissue", "Cell type", "Level", "Reliability"), quoted=True)
_GRADES = ("Enhanced", "Supported", "Approved", "Uncertain")
_LOCATIONS = Layout(
    ("Gene", "Main location", *_GRADES, "GO id"),
    quoted=True,
    optional=("Additional location", "Extracellular location"),
)
_RNA_SCORE = Score(
    "nTPM / (1.0 + nTPM)",
    numbers=("nTPM",),
    help="1 normalised transcript per million, HPA's limit of detection, is 0.5",
)
_GRADE_SCORE = Score(
    "CASE Reliability WHEN 'Enhanced' THEN 0.9 WHEN 'Supported' THEN 0.7 "
    "WHEN 'Approved' THEN 0.5 WHEN 'Uncertain' THEN 0.2 END",
    texts=("Reliability",),
    help="HPA's reliability of a staining or a location, in its order",
)
_THRESHOLD = Option("least_ntpm", "least expression of RNA that is kept", 1.0, least=0)
_NOTHING = pa.scalar(None, pa.string())
_LEVELS = ("High", "Medium", "Low", "Ascending", "Descending")
_DOWNLOAD = "https://www.proteinatlas.org/download"


class Hpa(Loader):
    """See the module."""

    name = "hpa"
    title = "Human Protein Atlas: expression in tissues and locations in the cell"
    homepage = "https://www.proteinatlas.org"
    license = "CC BY-SA 4.0"
    relationships = (
        ("Gene", "EXPRESSED_IN", "Anatomy"),
        ("Gene", "LOCATED_IN", "CellularComponent"),
    )
    scores = (_RNA_SCORE, _GRADE_SCORE)
    options = (_THRESHOLD,)
    quirks = (
        "A level `Not detected` never becomes a relationship.",
        "Names of tissues lead to UBERON; the number of a sample (skin 1) is dropped.",
        "Types of cells in a staining have names only and stay in the evidence.",
        "Older releases call nTPM NX; the table of stainings was normal_tissue.tsv.",
        "In the atlas table only tissues stand in which a gene is raised.",
    )
    tested_on = "9 genes of the atlas table of 2021, and made-up rows in the layout of the others"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "atlas",
            ("proteinatlas.tsv.zip", "proteinatlas.tsv", "proteinatlas*.tsv*"),
            "genes with the tissues in which they are raised",
            url=f"{_DOWNLOAD}/proteinatlas.tsv.zip",
            whole_bytes=1_000_000,
        ),
        FileSpec(
            "rna",
            ("rna_tissue_consensus.tsv.zip", "rna_tissue_consensus*.tsv*"),
            "RNA by tissue",
            required=False,
            url=f"{_DOWNLOAD}/tsv/rna_tissue_consensus.tsv.zip",
            whole_bytes=1_000_000,
        ),
        FileSpec(
            "staining",
            ("normal_ihc_data.tsv.zip", "normal_ihc_data*.tsv*", "normal_tissue*.tsv*"),
            "proteins by tissue and type of cell (IHC)",
            required=False,
            url=f"{_DOWNLOAD}/tsv/normal_ihc_data.tsv.zip",
            whole_bytes=1_000_000,
        ),
        FileSpec(
            "locations",
            ("subcellular_location.tsv.zip", "subcellular_location*.tsv*"),
            "locations in the cell",
            required=False,
            url=f"{_DOWNLOAD}/tsv/subcellular_location.tsv.zip",
            whole_bytes=200_000,
        ),
    )

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        path = files["atlas"]
        file, origin = log.file(path), self.origin(path, release)
        for raw in read_table(path, _ATLAS, file):
            batch = _genes(raw, "Ensembl", file, ("Gene", "Ensembl"))
            file.parsed(batch.num_rows)
            raised = _raised(batch, file)
            yield _expressed(raised, file, origin, self.value(_THRESHOLD), counted=False)
        if "rna" in files:
            path = files["rna"]
            file, origin = log.file(path), self.origin(path, release)
            for raw in read_table(path, _RNA, file):
                batch = _genes(raw, "Gene", file, ("Gene", "Tissue"))
                yield _expressed(batch, file, origin, self.value(_THRESHOLD), counted=True)
        if "staining" in files:
            path = files["staining"]
            file, origin = log.file(path), self.origin(path, release)
            for raw in read_table(path, _IHC, file):
                yield _stained(raw, file, origin)
        if "locations" in files:
            path = files["locations"]
            file, origin = log.file(path), self.origin(path, release)
            for raw in read_table(path, _LOCATIONS, file):
                yield _located(raw, file, origin)


def _genes(
    batch: pa.RecordBatch, column: str, file: FileLog, shown: Sequence[str]
) -> pa.RecordBatch:
    """Add the gene; rows whose identifier is no gene of Ensembl are rejected."""
    genes = pc.utf8_trim_whitespace(batch[column])
    ids = pc.if_else(is_ensembl_gene(genes), curies(genes, "ensembl"), _NOTHING)
    return keep_identified(batch.append_column("gene", ids), "gene", column, file, shown)


def _raised(batch: pa.RecordBatch, file: FileLog) -> pa.RecordBatch:
    """One row for each tissue of a gene, as ``salivary gland: 88.4;liver: 2``."""
    rows = [
        (line, gene, tissue.strip(), number.strip(), specificity)
        for line, gene, text, specificity in zip(
            batch["line"].to_pylist(),
            batch["gene"].to_pylist(),
            batch[_RAISED].to_pylist(),
            batch["RNA tissue specificity"].to_pylist(),
            strict=True,
        )
        for tissue, _, number in (part.rpartition(":") for part in text.split(";") if part.strip())
    ]
    lost = [row for row in rows if not re.fullmatch(r"\d+(?:\.\d+)?", row[3])]
    if lost:
        file.note("tissue without a number, left out", len(lost), [r[2] for r in lost[:5]])
        rows = [row for row in rows if row not in lost]
    texts = ("gene", "Tissue", "nTPM", "specificity")
    columns = {
        name: pa.array([row[place] for row in rows], pa.string())
        for place, name in enumerate(texts, 1)
    }
    return pa.record_batch({"line": pa.array([row[0] for row in rows], pa.int64()), **columns})


def _with_tissues(batch: pa.RecordBatch, file: FileLog, *, counted: bool) -> pa.RecordBatch:
    """Add the tissue's CURIE; rows of tissues without one are rejected, or noted."""
    words = batch["Tissue"].dictionary_encode()
    found = [find_tissue(word) for word in words.dictionary.to_pylist()]
    batch = batch.append_column("anatomy", pa.array(found, pa.string()).take(words.indices))
    there = batch["anatomy"].is_valid()
    if counted:
        return keep(batch, there, file, "tissue without a term of UBERON", ("Tissue",))
    lost = batch.filter(pc.invert(there))["Tissue"]
    if len(lost):
        file.note("tissue without a term of UBERON", len(lost), sorted(set(lost.to_pylist())))
    return batch.filter(there)


def _expressed(
    batch: pa.RecordBatch, file: FileLog, origin: Origin, least: float, *, counted: bool
) -> pa.RecordBatch:
    """Claims of RNA in tissues; ``counted``: whether its rows are those of the file."""
    if counted:
        batch = with_number(batch, "nTPM", file, to="number")
        high = pc.fill_null(pc.greater_equal(batch["number"], least), False)
        batch = keep(batch, high, file, "below the threshold", ("Gene", "Tissue", "nTPM"))
    batch = _with_tissues(batch, file, counted=counted)
    batch = _RNA_SCORE.add(batch, file)
    if counted:
        file.parsed(batch.num_rows)
    texts = {} if counted else {"specificity": "specificity"}
    return origin.relationships_of(
        batch,
        "EXPRESSED_IN",
        ("Gene", "gene"),
        ("Anatomy", "anatomy"),
        score=batch["score"],
        evidence=evidence(batch, numbers={"ntpm": "nTPM"}, texts=texts),
    )


def _stained(raw: pa.RecordBatch, file: FileLog, origin: Origin) -> pa.RecordBatch:
    """Claims of proteins that a staining shows in a tissue."""
    shown = ("Gene", "Tissue", "Cell type", "Level")
    batch = not_negated(raw, pc.equal(raw["Level"], "Not detected"), file, shown)
    known = pc.is_in(batch["Level"], pa.array(_LEVELS))
    batch = keep(batch, known, file, "level that says nothing", shown)
    batch = _genes(batch, "Gene", file, shown)
    batch = _with_tissues(batch, file, counted=True)
    batch = _GRADE_SCORE.add(batch, file)
    file.parsed(batch.num_rows)
    return origin.relationships_of(
        batch,
        "EXPRESSED_IN",
        ("Gene", "gene"),
        ("Anatomy", "anatomy"),
        score=batch["score"],
        evidence=evidence(
            batch,
            lists={
                "protein_levels": ("Level", "|"),
                "cell_types": ("Cell type", "|"),
                "reliabilities": ("Reliability", "|"),
            },
        ),
    )


def _located(raw: pa.RecordBatch, file: FileLog, origin: Origin) -> pa.RecordBatch:
    """Claims of locations in the cell, one for each term of GO that a gene has."""
    batch = _genes(raw, "Gene", file, ("Gene",))
    file.parsed(batch.num_rows)
    lines: list[int] = []
    found: dict[str, list[str]] = {"gene": [], "go": [], "Reliability": [], "location": []}
    for row in batch.to_pylist():
        named = re.findall(r"([^;(]+?)\s*\((GO:\d+)\)", row["GO id"])
        terms = {name.strip(): curie(go, "go") for name, go in named}
        for grade in _GRADES:
            for place in filter(None, (word.strip() for word in row[grade].split(";"))):
                term = terms.get(place)
                if term is None:
                    file.note("location without a term of GO, left out", 1, place)
                    continue
                lines.append(row["line"])
                for key, value in zip(found, (row["gene"], term, grade, place), strict=True):
                    found[key].append(value)
    places = pa.record_batch(
        {
            "line": pa.array(lines, pa.int64()),
            **{name: pa.array(values, pa.string()) for name, values in found.items()},
        }
    )
    places = _GRADE_SCORE.add(places, file)
    return origin.relationships_of(
        places,
        "LOCATED_IN",
        ("Gene", "gene"),
        ("CellularComponent", "go"),
        score=places["score"],
        evidence=evidence(
            places, lists={"locations": ("location", "|"), "reliabilities": ("Reliability", "|")}
        ),
    )
