"""Issue 11, point 3: which gene or protein a variable stands for, or why none."""

from __future__ import annotations

import csv
import gzip
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pytest

from tosg.kg.cells.var.antibodies import _antigens, antigen_of
from tosg.kg.cells.var.entity_names import EntityNames, NameIndex
from tosg.kg.cells.var.matching import VariableMap, match_variables
from tosg.kg.cells.var.variables import variable_of, variables_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Row = tuple[str, str | None, list[str], list[str]]

#: id, symbol, synonyms, xrefs
GENES: list[Row] = [
    (
        "ncbigene:915",
        "CD3D",
        ["T3D", "1", "NA", "2-Sep", "T"],
        ["ensembl:ENSG00000167286", "hgnc:1673"],
    ),
    ("ncbigene:920", "CD4", ["CD4mut"], ["ensembl:ENSG00000010610"]),
    ("ncbigene:925", "CD8A", ["CD8"], ["ensembl:ENSG00000153563"]),
    ("ncbigene:3122", "HLA-DRA", [], ["ensembl:ENSG00000204287"]),
    ("ncbigene:4512", "MT-CO1", ["COX1"], []),
    ("ncbigene:5742", "PTGS1", ["COX1"], []),
    ("ncbigene:5133", "PDCD1", ["PD-1", "PD1"], ["ensembl:ENSG00000188389"]),
    ("ncbigene:7080", "NKX2-1", ["TTF1"], []),
    ("ncbigene:5788", "PTPRC", ["CD45", "LCA"], []),
    ("ncbigene:1", "A.B", [], []),
    ("ncbigene:2", "A-B", [], []),
    ("ncbigene:3021", "H3-3B", ["H3F3B"], []),
    ("ncbigene:7", "XIST", ["ghost"], ["ensembl:ENSG00000229807"]),
]
PROTEINS: list[Row] = [
    ("uniprot:P04234", "CD3D", [], []),
    ("uniprot:P01730", "CD4", [], []),
    ("uniprot:P01732", "CD8A", ["CD antigen CD8a"], []),
    ("uniprot:P08575", "PTPRC", ["CD antigen CD45", "CD45"], []),
    ("uniprot:P18621", "RPL17", ["PD-1"], []),
    ("uniprot:Q15116", "PDCD1", ["CD antigen CD279", "PD1"], []),
    ("uniprot:P84243", "H3F3A", ["H3F3B"], []),
    ("uniprot:P10747", "CD28", ["TP44"], []),
]


def names(rows: Sequence[Row], wanted: Any = None, also: Any = ()) -> EntityNames:
    columns = ("id", "symbol", "synonyms", "xrefs")
    table = [dict(zip(columns, row, strict=True)) for row in rows]
    lists = pa.list_(pa.string())
    schema = pa.schema(
        [("id", pa.string()), ("symbol", pa.string()), ("synonyms", lists), ("xrefs", lists)]
    )
    return EntityNames.of([pa.RecordBatch.from_pylist(table, schema)], wanted, also)


def matched(var: pd.DataFrame) -> VariableMap:
    variables = variables_of(var)
    encoded = {"ncbigene:3021": {"uniprot:P84243"}}
    every = match_variables(variables, NameIndex(names(GENES), names(PROTEINS), encoded))
    proteins = names(PROTEINS, variables)
    genes = names(GENES, variables, proteins.symbol_of.values())
    assert match_variables(variables, NameIndex(genes, proteins, encoded)) == every
    return every


def gene(name: str, **columns: Any) -> str | None:
    frame = pd.DataFrame({k: [v] for k, v in columns.items()}, index=[name])
    return matched(frame).entities[0]


def antibody(name: str) -> tuple[str | None, str]:
    found = matched(pd.DataFrame({"feature_types": ["Antibody Capture"]}, index=[name]))
    return found.entities[0], found.reasons.get(name, "")


@pytest.mark.parametrize(
    "name",
    [
        "1",
        "12",
        "1.0",
        "3e5",
        "-7",
        "NA",
        "nan",
        "None",
        "-",
        "?",
        "2-Sep",
        "Sep-02",
        "T",
        "CD4MUT",
    ],
)
def test_only_a_name_can_be_an_alias(name: str) -> None:
    assert gene(name) is None


@pytest.mark.parametrize("name", ["1-Mar", "Mar-01", "2-Sep", "02.09.2001", "2001-09-02", "9/2"])
def test_dates_of_a_spreadsheet_are_reported_as_such(name: str) -> None:
    found = matched(pd.DataFrame(index=[name]))
    assert found.unmapped == [name]
    assert found.reasons[name].startswith("a date")


def test_a_column_that_says_it_holds_entrez_numbers_is_believed() -> None:
    for column in ("entrez_id", "entrezgene", "Entrez Gene ID", "ncbi_gene_id", "GeneID"):
        for number in ("915", 915, 915.0):
            assert gene("x", **{column: number}) == "ncbigene:915"
    assert gene("x", hgnc_id="1673") == gene("x", hgnc_id="HGNC:1673") == "ncbigene:915"
    assert gene("x", gene_id="915") is None
    assert gene("x", number="915") is None
    frame = pd.DataFrame(index=pd.Index(["915", "920"], name="entrez_id"))
    assert matched(frame).entities == ["ncbigene:915", "ncbigene:920"]
    assert matched(pd.DataFrame(index=["915", "920"])).entities == [None, None]


def test_present_symbols_win_over_previous_ones_and_those_over_aliases() -> None:
    """Point 4: GARS, SEPT2 and HN1 were ambiguous since another gene has them as an alias."""
    rows = [
        {"id": "ncbigene:4735", "symbol": "SEPTIN2", "synonyms": ["SEPT2"], "previous": ["SEPT2"]},
        {"id": "ncbigene:23157", "symbol": "SEPTIN6", "synonyms": ["SEPT2"], "previous": []},
        {"id": "ncbigene:2617", "symbol": "GARS1", "synonyms": ["GARS"], "previous": ["GARS"]},
        {"id": "ncbigene:2618", "symbol": "GART", "synonyms": ["GARS"], "previous": None},
        {"id": "ncbigene:1", "symbol": "NEW", "synonyms": ["OLD"], "previous": ["OLD"]},
        {"id": "ncbigene:2", "symbol": "OLD", "synonyms": [], "previous": []},
        {"id": "ncbigene:3", "symbol": "X1", "synonyms": ["WAS"], "previous": ["WAS"]},
        {"id": "ncbigene:4", "symbol": "X2", "synonyms": ["WAS"], "previous": ["WAS"]},
    ]
    lists = pa.list_(pa.string())
    schema = pa.schema(
        [("id", pa.string()), ("symbol", pa.string())]
        + [(name, lists) for name in ("synonyms", "previous", "xrefs")]
    )
    genes = EntityNames.of([pa.RecordBatch.from_pylist(rows, schema)])
    variables = variables_of(pd.DataFrame(index=["SEPT2", "GARS", "OLD", "WAS"]))
    # A protein that only calls itself so does not make a previous symbol ambiguous.
    proteins = names([("uniprot:P1", "OTHER", ["GARS"], [])])
    found = match_variables(variables, NameIndex(genes, proteins))
    assert found.entities == ["ncbigene:4735", "ncbigene:2617", "ncbigene:2", None]
    assert found.how == ["previous symbol", "previous symbol", "symbol", None]
    assert found.ambiguous == {"WAS": ["ncbigene:3", "ncbigene:4"]}


def test_of_two_records_with_one_symbol_the_one_of_hgnc_is_meant() -> None:
    rows: list[Row] = [
        ("hgnc:25255", "LRRC53", [], ["ncbigene:105378803"]),
        ("ncbigene:100144878", "LRRC53", [], ["hgnc:25255"]),
    ]
    found = match_variables(variables_of(pd.DataFrame(index=["LRRC53"])), NameIndex(names(rows)))
    assert found.entities == ["hgnc:25255"]


def test_an_alias_that_a_protein_of_another_gene_has_is_ambiguous() -> None:
    found = matched(pd.DataFrame(index=["PD-1", "PD1", "COX1", "H3F3B"]))
    assert found.entities == [None, "ncbigene:5133", None, "ncbigene:3021"]
    assert found.ambiguous == {
        "PD-1": ["ncbigene:5133", "uniprot:P18621"],
        "COX1": ["ncbigene:4512", "ncbigene:5742"],
    }


@pytest.mark.parametrize(
    "name", ["CD3D|NM_000732.4|Reference_end", "CD3D|ENST00000300692.9", "CD3D|NM_000732|PolyA_1"]
)
def test_a_name_with_its_transcript_is_the_gene(name: str) -> None:
    assert gene(name) == "ncbigene:915"


def test_numbers_that_no_column_explains_are_said() -> None:
    frame = pd.DataFrame(index=["915.0", "920"])
    assert set(matched(frame).reasons.values()) == {
        "a number, which no column calls an Entrez number"
    }
    named = pd.DataFrame({"entrez_id": ["915.0", "920"]}, index=["a", "b"])
    assert matched(named).entities == ["ncbigene:915", "ncbigene:920"]


@pytest.mark.parametrize(
    ("name", "entity", "by"),
    [
        ("HLA.DRA", "ncbigene:3122", "HLA-DRA"),
        ("NKX2.1", "ncbigene:7080", "NKX2-1"),
        ("MT.CO1", "ncbigene:4512", "MT-CO1"),
        ("GRCh38_CD3D", "ncbigene:915", "CD3D"),
        ("GRCh38____CD3D", "ncbigene:915", "CD3D"),
        ("hg19-CD3D", "ncbigene:915", "CD3D"),
        ("ENSG00000167286_CD3D", "ncbigene:915", "ENSG00000167286"),
        ("ENSG00000167286.12|CD3D", "ncbigene:915", "ENSG00000167286"),
        ("CD3D_ENSG00000167286", "ncbigene:915", "ENSG00000167286"),
        # The identifier is unknown, the name is not.
        ("ENSG00000999999_CD3D", "ncbigene:915", "CD3D"),
        ("CD3D|915", "ncbigene:915", "GeneID:915"),
        ("CD3D (ENSG00000167286)", "ncbigene:915", "ENSG00000167286"),
        ("gene-CD3D", "ncbigene:915", "CD3D"),
        ("gene:ENSG00000167286", "ncbigene:915", "ENSG00000167286"),
        ("GRCh38_ENSG00000167286.3", "ncbigene:915", "ENSG00000167286.3"),
        ("LOC915", "ncbigene:915", "GeneID:915"),
        ("ENSG00000167286.12_PAR_Y", "ncbigene:915", "ENSG00000167286"),
        (" CD3D", "ncbigene:915", "CD3D"),
        ('"CD3D"', "ncbigene:915", "CD3D"),
    ],
)
def test_names_that_passed_through_other_tools(name: str, entity: str, by: str) -> None:
    found = matched(pd.DataFrame(index=[name]))
    assert (found.entities, found.by, found.read_back) == ([entity], [by], [name])
    assert found.as_dict()["matched"][name]["by"] == by


def test_a_name_with_two_readings_is_not_read() -> None:
    frame = pd.DataFrame(index=["A.B.", "A.B", "RP11.34P13.7", "mm10_CD3D", "CD3D_x"])
    found = matched(frame)
    assert found.entities == [None, "ncbigene:1", None, None, None]
    assert found.read_back == []
    assert found.reasons["mm10_CD3D"] == "of Mus musculus"
    twice = names([*GENES, ("ncbigene:8", "Q-1.2", [], []), ("ncbigene:9", "Q.1-2", [], [])])
    result = match_variables(variables_of(pd.DataFrame(index=["Q.1.2"])), NameIndex(twice))
    assert result.ambiguous == {"Q.1.2": ["ncbigene:8", "ncbigene:9"]}


def test_a_numbered_name_is_a_second_one_only_beside_the_first() -> None:
    found = matched(pd.DataFrame(index=["CD4", "CD4-1", "CD3D-1", "NKX2-1"]))
    assert found.entities == ["ncbigene:920", None, None, "ncbigene:7080"]
    assert found.duplicates == {"CD4-1": "CD4"}
    assert found.unmapped == ["CD3D-1"]
    # With identifiers, the second may be another gene.
    frame = pd.DataFrame({"gene_ids": ["", "ENSG00000167286"]}, index=["CD4", "CD4-1"])
    assert matched(frame).entities == ["ncbigene:920", "ncbigene:915"]


def test_identifiers_beat_names() -> None:
    assert gene("CD4", gene_ids="ENSG00000167286") == "ncbigene:915"
    frame = pd.DataFrame(
        {"gene_ids": ["ENSG00000010610", "ENSG00000282815"]}, index=["CD4", "CD4_alt"]
    ).assign(gene_symbols="CD4")
    found = matched(frame)
    assert found.entities == ["ncbigene:920", None]
    assert found.duplicates == {"CD4_alt": "CD4"}


def test_an_alias_does_not_contradict_an_identifier() -> None:
    found = matched(pd.DataFrame({"gene_ids": ["ENSG00000555555"]}, index=["ghost"]))
    assert found.entities == [None]
    assert found.reasons == {"ghost": "its identifier is not that of ghost"}
    assert gene("ghost") == "ncbigene:7"


def test_an_identifier_of_two_genes_is_decided_by_the_name_among_them() -> None:
    twice = [*GENES, ("ncbigene:9", "OTHER", [], ["ensembl:ENSG00000167286"])]
    index = NameIndex(names(twice))
    frame = pd.DataFrame({"gene_ids": ["ENSG00000167286"] * 2}, index=["CD3D", "CD4"])
    found = match_variables(variables_of(frame), index)
    assert found.entities == ["ncbigene:915", None]
    assert found.ambiguous == {"CD4": ["ncbigene:9", "ncbigene:915"]}


@pytest.mark.parametrize(
    "name",
    [
        *("CD4_TotalSeqB", "CD4_TotalC", "CD4 (TotalSeq C)", "CD4-A0072", "ADT_CD4", "CD4_ADT"),
        *("anti-human CD4", "anti-CD4", "Hu.CD4", "HuMs.CD4", "CD4.1", "CD4-1", "CD4_RPA-T4"),
        *("CD4.OKT4", "CD4-AB", "prot_CD4", "P01730", "uniprot:P01730"),
        *("CD4:SK3|CD4|AHS0227|pAbO", "CD4|CD4|AHS0227|pAbO"),  # BD Rhapsody
    ],
)
def test_what_vendors_add_to_the_name_of_an_antigen(name: str) -> None:
    assert antibody(name) == ("uniprot:P01730", "")


@pytest.mark.parametrize(
    ("name", "entity", "reason"),
    [
        ("CD279", "uniprot:Q15116", ""),
        ("PD-1", "uniprot:Q15116", ""),
        ("CD279 (PD-1)_TotalSeqC", "uniprot:Q15116", ""),
        ("CD45_HI30", "uniprot:P08575", ""),
        ("CD8a", "uniprot:P01732", ""),
        # Known by its name in UniProt only.
        ("TP44", "uniprot:P10747", ""),
        ("CD8", None, "complex (CD8A, CD8B)"),
        ("CD3_UCHT1_TotalSeqB", None, "complex (CD3D, CD3E, CD3G)"),
        ("CD3:UCHT1|CD3E|AHS0231|pAbO", None, "complex (CD3D, CD3E, CD3G)"),
        ("CD45RA", None, "isoform (PTPRC)"),
        ("CD45.RO", None, "isoform (PTPRC)"),
        ("CD16", None, "two proteins (FCGR3A, FCGR3B)"),
        ("HLA.DR", None, "complex (HLA-DRA, HLA-DRB1)"),
        ("CD41", None, "ITGA2B is no protein of the graph"),
        ("TCR V\u03b17.2", None, "gene segment (TRAV1-2)"),
        ("IgG1_control_TotalSeqB", None, "isotype control"),
        ("Mouse IgG2a, κ isotype Ctrl", None, "isotype control"),
        ("Rat-IgG2b", None, "isotype control"),
        ("Hashtag_3", None, "hashtag"),
        # Two names that mean two proteins.
        ("CD4 (PD-1)", None, ""),
    ],
)
def test_antibodies_are_right_or_unmapped(name: str, entity: str | None, reason: str) -> None:
    assert antibody(name) == (entity, reason)


def test_two_antibodies_of_one_protein_are_duplicates() -> None:
    frame = pd.DataFrame({"feature_types": "ADT"}, index=["CD4_RPA-T4", "CD4_SK3"])
    assert matched(frame).duplicates == {"CD4_SK3": "CD4_RPA-T4"}


@pytest.mark.parametrize("kind", ["CRISPR Guide Capture", "Peaks", "Multiplexing Capture", "hto"])
def test_guides_peaks_and_hashtags_are_no_genes(kind: str) -> None:
    found = matched(pd.DataFrame({"feature_types": [kind]}, index=["CD4"]))
    assert found.entities == [None]
    assert found.reasons == {"CD4": "neither a gene nor a protein"}


def test_names_that_only_antibodies_have_need_no_type() -> None:
    index = ["CD4", "CD4_TotalSeqB", "ADT_CD8a", "CD28-ADT", "HTO_3", "Hashtag1"]
    index += ["CD279:EH12-1|PDCD1|AHS0014|pAbO", "SampleTag02_hs|stO"]  # BD Rhapsody
    found = matched(pd.DataFrame(index=index))
    assert found.entities == [
        *("ncbigene:920", "uniprot:P01730", "uniprot:P01732", "uniprot:P10747"),
        *(None, None, "uniprot:Q15116", None),
    ]


def test_a_biotype_in_the_column_of_types_is_a_gene() -> None:
    assert gene("CD4", feature_type="protein_coding") == "ncbigene:920"


def test_data_sets_of_earlier_releases_are_read() -> None:
    old = variable_of('["CD4", ["CD4"], ["CD4"], true]')
    assert (old.protein, old.organism) == (True, None)


def test_the_table_of_antigens_agrees_with_hgnc(shared_data: Path) -> None:
    path = shared_data / "official" / "hgnc" / "hgnc_complete_set.txt.gz"
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        genes = list(csv.DictReader(stream, delimiter="\t"))
    symbols = {g["symbol"] for g in genes}
    assert {s for a in _antigens().values() for s in a.symbols} <= symbols
    different = {}
    for row in genes:
        antigen = antigen_of(row["cd"]) if row["cd"] else None
        if antigen is not None and not antigen.note and antigen.symbols != (row["symbol"],):
            different[row["cd"]] = antigen.symbols
    # HGNC gives CD98 to the light chain; the antibodies and UniProt mean the heavy one.
    assert different == {"CD98": ("SLC3A2",)}
