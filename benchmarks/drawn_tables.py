"""Drawn tables in the layouts of real sources, quirks included, for `benchmarks.parse`.

Values are drawn; columns, widths, the shares of rows that are rejected, and the spellings are those
of the real files.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

Ints = npt.NDArray[np.int64]
Draw = np.random.Generator

_SENTENCE = (
    "Activated kinase {n} phosphorylates its substrate at two residues, and this is enough to keep "
    "it in the cytosol of stimulated cells, as mutants of either residue show in three cell lines."
)


@dataclass(frozen=True)
class DrawnTable:
    """One source's files as drawn.

    Attributes
    ----------
    source : str
        Name of the loader.
    write : callable
        Writes the files of a number of rows into a folder.
    pandas : mapping
        File name -> arguments of `pandas.read_csv`.
    rows : int
        Rows of the main file in a full run.
    """

    source: str
    write: Callable[[Path, int, Draw], None]
    pandas: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    rows: int = 300_000


def _texts(pattern: str, numbers: Ints) -> pl.Series:
    """One text per number: the pattern with ``{}`` for it."""
    before, _, after = pattern.partition("{}")
    text = pl.Series("n", numbers).cast(pl.String)
    return pl.select(pl.concat_str(pl.lit(before), text, pl.lit(after))).to_series()


def _padded(prefix: str, numbers: Ints, width: int) -> pl.Series:
    text = pl.Series("n", numbers).cast(pl.String).str.zfill(width)
    return pl.select(pl.concat_str(pl.lit(prefix), text)).to_series()


def _some(draw: Draw, n: int, *words: str, p: tuple[float, ...] | None = None) -> pl.Series:
    return pl.Series("w", words).gather(draw.choice(len(words), n, p=p))


def _skewed(draw: Draw, n: int, most: int) -> Ints:
    """Numbers from 1, few of them often: how genes are studied."""
    return (1 + most * draw.random(n) ** 2).astype(np.int64)


def write_string(folder: Path, rows: int, draw: Draw) -> None:
    """Links in both orders, sorted by the first protein; aliases of every protein."""
    proteins = 19_600
    ends = draw.integers(0, proteins, (2, rows // 2))
    first, second = np.concatenate((ends, ends[::-1]), axis=1)
    order = np.argsort(first, kind="stable")
    score = np.tile((150 + 850 * draw.random(rows // 2) ** 4).astype(np.int64), 2)
    channels = (
        "neighborhood", "fusion", "cooccurence", "coexpression", "experimental", "database",
        "textmining",
    )  # fmt: skip
    columns = {
        "protein1": _padded("9606.ENSP", first[order], 11),
        "protein2": _padded("9606.ENSP", second[order], 11),
    }
    for name in channels:
        drawn = draw.integers(40, 700, len(order)) * (draw.random(len(order)) < 0.35)
        columns[name] = pl.Series(name, drawn)
    columns["combined_score"] = pl.Series("s", score[order])
    pl.DataFrame(columns).write_csv(
        folder / "9606.protein.links.detailed.v12.0.txt", separator=" ", quote_style="never"
    )
    kinds = (
        "Ensembl_HGNC_uniprot_ids",
        "Ensembl_UniProt",
        *(f"Ensembl_kind_{k}" for k in range(13)),
    )
    number = np.repeat(np.arange(proteins), len(kinds))
    is_accession = np.tile(np.arange(len(kinds)) < 2, proteins)
    alias = pl.select(
        pl.when(pl.Series(is_accession))
        .then(_padded("P", number % 100_000, 5))
        .otherwise(_padded("name ", number, 5))
    ).to_series()
    pl.DataFrame(
        {
            "#string_protein_id": _padded("9606.ENSP", number, 11),
            "alias": alias,
            "source": pl.Series("s", kinds).gather(np.tile(np.arange(len(kinds)), proteins)),
        }
    ).write_csv(folder / "9606.protein.aliases.v12.0.txt", separator="\t", quote_style="never")


def write_biogrid(folder: Path, rows: int, draw: Draw) -> None:
    """TAB3 with all its columns: a tenth is of other species, a sixth genetic."""
    a, b = _skewed(draw, rows, 20_000), _skewed(draw, rows, 20_000)
    dash = pl.repeat("-", rows, eager=True)
    organism = _some(draw, rows, "9606", "10090", p=(0.92, 0.08))
    two = {
        "#BioGRID Interaction ID": pl.Series(100_000 + np.arange(rows)),
        "Entrez Gene Interactor A": a,
        "Entrez Gene Interactor B": b,
        "BioGRID ID Interactor A": 100_000 + a,
        "BioGRID ID Interactor B": 100_000 + b,
        "Systematic Name Interactor A": dash,
        "Systematic Name Interactor B": dash,
        "Official Symbol Interactor A": _texts("GENE{}", a),
        "Official Symbol Interactor B": _texts("GENE{}", b),
        "Synonyms Interactor A": _texts("ALT{}|OTHER|RP11-1A2.3", a),
        "Synonyms Interactor B": _texts("ALT{}|OTHER", b),
        "Experimental System": _some(
            draw, rows, "Affinity Capture-MS", "Two-hybrid", "Proximity Label-MS"
        ),
        "Experimental System Type": _some(draw, rows, "physical", "genetic", p=(0.85, 0.15)),
        "Author": _texts("Some A ({})", draw.integers(1995, 2026, rows)),
        "Publication Source": _texts("PUBMED:{}", 10_000_000 + _skewed(draw, rows, 40_000)),
        "Organism ID Interactor A": organism,
        "Organism ID Interactor B": organism,
        "Throughput": _some(draw, rows, "High Throughput", "Low Throughput"),
        "Score": _texts("0.{}", draw.integers(1, 999_999, rows)),
        "Modification": dash,
        "Qualifications": _some(
            draw, rows, "-", "a screen was done with tagged baits; see table 1"
        ),
        "Tags": dash,
        "Source Database": pl.repeat("BIOGRID", rows, eager=True),
        "SWISS-PROT Accessions Interactor A": _padded("P", a, 5),
        "TREMBL Accessions Interactor A": _padded("A0A0A0MR", a % 90, 2),
        "REFSEQ Accessions Interactor A": _texts("NP_{}|NP_001", a),
        "SWISS-PROT Accessions Interactor B": _padded("P", b, 5),
        "TREMBL Accessions Interactor B": dash,
        "REFSEQ Accessions Interactor B": _texts("NP_{}", b),
        "Ontology Term IDs": dash,
        "Ontology Term Names": dash,
        "Ontology Term Categories": dash,
        "Ontology Term Qualifier IDs": dash,
        "Ontology Term Qualifier Names": dash,
        "Ontology Term Types": dash,
        "Organism Name Interactor A": pl.repeat("Homo sapiens", rows, eager=True),
        "Organism Name Interactor B": pl.repeat("Homo sapiens", rows, eager=True),
    }
    pl.DataFrame(two).write_csv(
        folder / "BIOGRID-ORGANISM-Homo_sapiens-5.0.100.tab3.txt",
        separator="\t",
        quote_style="never",
    )


def write_gene_info(folder: Path, rows: int, draw: Draw) -> None:
    """Genes of which a tenth is of another species; lists of names and of cross-references."""
    number = 1 + np.arange(rows)
    plain = {
        "#tax_id": _some(draw, rows, "9606", "63221", p=(0.9, 0.1)),
        "GeneID": number,
        "Symbol": _texts("GENE{}", number),
        "LocusTag": pl.repeat("-", rows, eager=True),
        "Synonyms": pl.select(
            pl.concat_str(_texts("ALT{}", number), _texts("|X{}|HEL-S-163pA", number))
        ).to_series(),
        "dbXrefs": pl.select(
            pl.concat_str(
                _texts("MIM:{}", 100_000 + number % 500_000),
                _texts("|HGNC:HGNC:{}", number),
                _padded("|Ensembl:ENSG", number, 11),
                _texts("|AllianceGenome:HGNC:{}", number),
            )
        ).to_series(),
        "chromosome": _some(draw, rows, *map(str, range(1, 23)), "X", "MT"),
        "map_location": _some(draw, rows, "19q13.4", "12p13.31", "Xq28"),
        "description": _texts("alpha-1-B glycoprotein, similar to number {}", number),
        "type_of_gene": _some(draw, rows, "protein-coding", "ncRNA", "pseudo"),
        "Symbol_from_nomenclature_authority": _texts("GENE{}", number),
        "Full_name_from_nomenclature_authority": _texts("gene of the number {}", number),
        "Nomenclature_status": _some(draw, rows, "O", "-"),
        "Other_designations": _texts(
            "protein {}|epididymis secretory sperm binding protein|HEL-S-163pA", number
        ),
        "Modification_date": _texts("202604{}", draw.integers(10, 29, rows)),
        "Feature_type": _some(draw, rows, "-", "regulatory:enhancer", p=(0.95, 0.05)),
    }
    pl.DataFrame(plain).write_csv(
        folder / "Homo_sapiens.gene_info", separator="\t", quote_style="never"
    )


def write_gene2go(folder: Path, rows: int, draw: Draw) -> None:
    """Annotations of which half is of another species and a hundredth is negated."""
    pl.DataFrame(
        {
            "#tax_id": _some(draw, rows, "9606", "10090"),
            "GeneID": _skewed(draw, rows, 20_000),
            "GO_ID": _padded("GO:", draw.integers(1, 40_000, rows), 7),
            "Evidence": _some(draw, rows, "IEA", "IDA", "IBA", "TAS"),
            "Qualifier": _some(
                draw, rows, "located_in", "involved_in", "NOT enables", p=(0.5, 0.49, 0.01)
            ),
            "GO_term": _texts("term of the number {}", draw.integers(1, 40_000, rows)),
            "PubMed": _texts("{}|21873635", 10_000_000 + _skewed(draw, rows, 40_000)),
            "Category": _some(draw, rows, "Component", "Process", "Function"),
        }
    ).write_csv(folder / "gene2go", separator="\t", quote_style="never")


def write_signor(folder: Path, rows: int, draw: Draw) -> None:
    """Signed relationships with a sentence each, quoted; a twentieth is of other species."""
    a, b = _skewed(draw, rows, 6_000), _skewed(draw, rows, 6_000)
    kind = draw.choice(4, rows, p=(0.8, 0.08, 0.07, 0.05))
    forms = {
        "TYPE{}": lambda _: ("protein", "complex", "chemical", "phenotype"),
        "ID{}": lambda n: (
            _padded("P", n, 5),
            _texts("SIGNOR-C{}", n),
            _texts("CHEBI:{}", n),
            _texts("SIGNOR-PH{}", n),
        ),
        "DATABASE{}": lambda _: ("UNIPROT", "SIGNOR", "ChEBI", "SIGNOR"),
    }
    columns: dict[str, object] = {}
    for end, number, kinds in (("A", a, kind), ("B", b, draw.permutation(kind))):
        columns[f"ENTITY{end}"] = _texts("GENE{}", number)
        for name, form in forms.items():
            chosen = pl.DataFrame(
                [
                    pl.Series(str(k), [value] * rows if isinstance(value, str) else value)
                    for k, value in enumerate(form(number))
                ]
            )
            pick = pl.when(pl.Series("k", kinds) == 0).then(pl.col("0"))
            for k in (1, 2, 3):
                pick = pick.when(pl.Series("k", kinds) == k).then(pl.col(str(k)))
            columns[name.format(end)] = chosen.select(pick.alias("x")).to_series()
    columns |= {
        "EFFECT": _some(
            draw, rows, "up-regulates activity", "down-regulates activity", "unknown",
            "up-regulates quantity by expression", "form complex",
        ),
        "MECHANISM": _some(draw, rows, "phosphorylation", "binding", "transcriptional regulation"),
        "RESIDUE": _some(draw, rows, "", "Ser473", "Thr308"),
        "SEQUENCE": _some(draw, rows, "", "RRPHFPQsYSASGTA"),
        "TAX_ID": _some(draw, rows, "9606", "10090", "-1", p=(0.9, 0.05, 0.05)),
        "CELL_DATA": _some(draw, rows, "", "BTO:0000007"),
    }  # fmt: skip
    for name in (
        "TISSUE_DATA", "MODULATOR_COMPLEX", "TARGET_COMPLEX", "MODIFICATIONA", "MODASEQ",
        "MODIFICATIONB", "MODBSEQ",
    ):  # fmt: skip
        columns[name] = pl.repeat("", rows, eager=True)
    columns |= {
        "PMID": pl.Series(10_000_000 + _skewed(draw, rows, 40_000)),
        "DIRECT": _some(draw, rows, "t", "f"),
        "NOTES": pl.repeat("", rows, eager=True),
        "ANNOTATOR": _some(draw, rows, "gcesareni", "amattioni"),
        "SENTENCE": _texts(_SENTENCE.replace("{n}", "{}"), a),
        "SCORE": _texts("0.{}", draw.integers(100, 999, rows)),
        "SIGNOR_ID": _texts("SIGNOR-{}", 1 + np.arange(rows)),
    }
    pl.DataFrame(columns).write_csv(
        folder / "signor_all_data.tsv", separator="\t", quote_style="always"
    )


_TAB = {"sep": "\t", "quoting": 3}

TABLES = {
    "STRING links": DrawnTable(
        "string",
        write_string,
        {
            "9606.protein.links.detailed.v12.0.txt": {"sep": " "},
            "9606.protein.aliases.v12.0.txt": _TAB,
        },
        1_000_000,
    ),
    "BioGRID TAB3": DrawnTable(
        "biogrid", write_biogrid, {"BIOGRID-ORGANISM-Homo_sapiens-5.0.100.tab3.txt": _TAB}
    ),
    "NCBI gene_info": DrawnTable("ncbi_gene", write_gene_info, {"Homo_sapiens.gene_info": _TAB}),
    "NCBI gene2go": DrawnTable("gene2go", write_gene2go, {"gene2go": _TAB}, 600_000),
    "SIGNOR": DrawnTable("signor", write_signor, {"signor_all_data.tsv": {"sep": "\t"}}, 100_000),
}
