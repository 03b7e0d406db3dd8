"""HPO's annotations: phenotypes of diseases and genes, and genes of diseases.

A row with the qualifier NOT says that a disease does not show a phenotype; it is left out. Only
aspect P is a phenotype; modes of inheritance, courses and modifiers are left out and counted.

Formats: https://obophenotype.github.io/human-phenotype-ontology/annotations/
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from tosg.kg.schema.curies import parse_curies
from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.columns import (
    evidence,
    keep,
    keep_identified,
    not_negated,
    with_curies,
)
from tosg.loaders.formats.opening import read_preamble
from tosg.loaders.formats.tables import Layout, read_table
from tosg.loaders.scores import Score

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.claims.log import FileLog, SourceLog

_DISEASES = Layout(
    ("database_id", "disease_name", "qualifier", "hpo_id", "reference", "evidence", "frequency",
     "aspect"),
    comment="#",
    optional=("onset", "sex", "modifier"),
)  # fmt: skip
_GENES = Layout(("ncbi_gene_id", "gene_symbol", "hpo_id"), optional=("frequency", "disease_id"))
_CAUSES = Layout(("ncbi_gene_id", "gene_symbol", "association_type", "disease_id"))

_EVIDENCE = Score(
    "CASE evidence WHEN 'PCS' THEN 1.0 WHEN 'TAS' THEN 0.8 WHEN 'IEA' THEN 0.5 END",
    texts=("evidence",),
    help="PCS from a clinical study, TAS stated by an author, IEA parsed by machine",
)
_KIND = Score(
    "CASE association_type WHEN 'MENDELIAN' THEN 1.0 WHEN 'POLYGENIC' THEN 0.6 "
    "WHEN 'UNKNOWN' THEN 0.5 END",
    texts=("association_type",),
    help="a Mendelian cause is surer than one of several, or of an unknown kind",
)

#: The branch of modes of inheritance: its terms are among the phenotypes of genes.
_INHERITANCE = (
    "hp:0000005", "hp:0000006", "hp:0000007", "hp:0001417", "hp:0001419", "hp:0001423",
    "hp:0001425", "hp:0001426", "hp:0001427", "hp:0001428", "hp:0001442", "hp:0001450",
    "hp:0001452", "hp:0001466", "hp:0003743", "hp:0003744", "hp:0003745", "hp:0010982",
    "hp:0010983", "hp:0010984",
)  # fmt: skip
_FOLDER = "https://purl.obolibrary.org/obo/hp/hpoa"


class HpoAnnotations(Loader):
    """See the module."""

    name = "hpo_annotations"
    title = "HPO annotations: phenotypes of diseases and genes, genes of diseases"
    homepage = "https://hpo.jax.org"
    license = "LicenseRef-HPO"
    nodes = ("Disease",)
    relationships = (
        ("Disease", "HAS_PHENOTYPE", "Phenotype"),
        ("Gene", "HAS_PHENOTYPE", "Phenotype"),
        ("Gene", "ASSOCIATED_WITH", "Disease"),
    )
    scores = (_EVIDENCE, _KIND)
    quirks = (
        "Diseases are OMIM's, Orphanet's and DECIPHER's; a mapping joins them with MONDO's.",
        "Gene numbers stand with and without a prefix.",
    )
    tested_on = "the whole files of 2025-01-16"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "diseases",
            ("phenotype.hpoa", "phenotype.hpoa.gz", "phenotype*.hpoa*"),
            "phenotypes of diseases",
            url=f"{_FOLDER}/phenotype.hpoa",
            whole_bytes=2_000_000,
        ),
        FileSpec(
            "genes",
            ("genes_to_phenotype.txt", "genes_to_phenotype.txt.gz"),
            "phenotypes of genes",
            required=False,
            url=f"{_FOLDER}/genes_to_phenotype.txt",
            whole_bytes=3_000_000,
        ),
        FileSpec(
            "causes",
            ("genes_to_disease.txt", "genes_to_disease.txt.gz"),
            "genes of diseases",
            required=False,
            url=f"{_FOLDER}/genes_to_disease.txt",
            whole_bytes=1_000_000,
        ),
    )

    def _release(self, files: Mapping[str, Path]) -> str:
        for line in read_preamble(files["diseases"], "#"):
            if found := re.search(r"version: *(\d{4}-\d{2}-\d{2})", line):
                return found.group(1)
        return ""

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        yield from self._diseases(files["diseases"], log, release)
        if "genes" in files:
            yield from self._genes(files["genes"], log, release)
        if "causes" in files:
            yield from self._causes(files["causes"], log, release)

    def _diseases(self, path: Path, log: SourceLog, release: str) -> Iterator[pa.RecordBatch]:
        file, origin = log.file(path), self.origin(path, release)
        shown = ("database_id", "qualifier", "hpo_id")
        for raw in read_table(path, _DISEASES, file):
            negated = pc.equal(raw.column("qualifier"), "NOT")
            batch = not_negated(raw, negated, file, shown)
            phenotype = pc.equal(batch.column("aspect"), "P")
            batch = keep(batch, phenotype, file, "no phenotype: another aspect", (*shown, "aspect"))
            batch = _with_disease(batch, "database_id", file)
            batch = with_curies(batch, "hpo_id", "hp", file, to="phenotype", shown=shown)
            batch = _EVIDENCE.add(batch, file)
            file.parsed(batch.num_rows)
            named = pc.utf8_trim_whitespace(batch.column("disease_name"))
            yield origin.entities(
                batch.num_rows,
                batch.column("line"),
                type="Disease",
                id=batch.column("disease"),
                name=named,
            )
            yield origin.relationships_of(
                batch,
                "HAS_PHENOTYPE",
                ("Disease", "disease"),
                ("Phenotype", "phenotype"),
                score=batch.column("score"),
                evidence=evidence(
                    batch,
                    lists={
                        "references": ("reference", ";"),
                        "evidence_codes": ("evidence", ";"),
                        "frequencies": ("frequency", ";"),
                        "onsets": ("onset", ";"),
                        "sexes": ("sex", ";"),
                    },
                ),
            )

    def _genes(self, path: Path, log: SourceLog, release: str) -> Iterator[pa.RecordBatch]:
        file, origin = log.file(path), self.origin(path, release)
        shown = ("ncbi_gene_id", "gene_symbol", "hpo_id")
        for raw in read_table(path, _GENES, file):
            batch = with_curies(raw, "ncbi_gene_id", "ncbigene", file, to="gene", shown=shown)
            batch = with_curies(batch, "hpo_id", "hp", file, to="phenotype", shown=shown)
            inherited = pc.is_in(batch.column("phenotype"), pa.array(_INHERITANCE))
            kind = "no phenotype: a mode of inheritance"
            batch = keep(batch, pc.invert(inherited), file, kind, shown)
            file.parsed(batch.num_rows)
            yield origin.relationships_of(
                batch,
                "HAS_PHENOTYPE",
                ("Gene", "gene"),
                ("Phenotype", "phenotype"),
                evidence=evidence(
                    batch,
                    lists={"frequencies": ("frequency", ";"), "diseases": ("disease_id", ";")},
                ),
            )

    def _causes(self, path: Path, log: SourceLog, release: str) -> Iterator[pa.RecordBatch]:
        file, origin = log.file(path), self.origin(path, release)
        shown = ("ncbi_gene_id", "gene_symbol", "disease_id")
        for raw in read_table(path, _CAUSES, file):
            batch = with_curies(raw, "ncbi_gene_id", "ncbigene", file, to="gene", shown=shown)
            batch = _with_disease(batch, "disease_id", file)
            batch = _KIND.add(batch, file)
            file.parsed(batch.num_rows)
            yield origin.relationships_of(
                batch,
                "ASSOCIATED_WITH",
                ("Gene", "gene"),
                ("Disease", "disease"),
                score=batch.column("score"),
                evidence=evidence(batch, lists={"kinds": ("association_type", ";")}),
            )


def _with_disease(batch: pa.RecordBatch, column: str, file: FileLog) -> pa.RecordBatch:
    """Add the disease's CURIE: ``ORPHA:1`` is Orphanet's, others name their own prefix."""
    text = pc.replace_substring_regex(batch.column(column), r"^ORPHA:", "orpha:")
    batch = batch.append_column("disease", parse_curies(text))
    return keep_identified(batch, "disease", column, file, (column,))
