"""Reading ages, sexes and missing values; mappings of columns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.cells import cells_table

from tosg.errors import ConfigError, UsageError
from tosg.kg.cells.obs import columns as table
from tosg.kg.cells.obs.age_columns import read_ages
from tosg.kg.cells.obs.detect import unmapped_hints
from tosg.kg.cells.obs.fields import BY_NAME, is_human, is_missing, sex
from tosg.kg.cells.obs.mapping import CellMapping
from tosg.kg.cells.obs.terms import TermIndex, match_labels
from tosg.kg.cells.obs.texts import factors


def test_missing_and_sex() -> None:
    assert all(map(is_missing, ["nan", "None", "unknown", "", " NA ", None, float("nan")]))
    assert not is_missing("0")
    assert [sex(t) for t in ("PATO:0000383", "M", "Female", "hermaphrodite")] == [
        "female",
        "male",
        "female",
        None,
    ]


def test_species_are_man_however_they_are_written() -> None:
    words = ["Homo sapiens", "Homo_sapiens", "NCBITaxon:9606", "NCBITaxon_9606", "taxid:9606"]
    assert all(map(is_human, [*words, "Homo sapiens (human)", "Human", "9606"]))
    assert not is_human("human and mouse")
    assert not is_human("Mus_musculus")


@pytest.mark.parametrize(
    ("field", "text"),
    [
        *(("cell_type", t) for t in ("NK_1", "Mono_2", "Treg_2", "cluster_5", "Ex_1", "CD_4")),
        ("disease", "COVID_19"),
        ("tissue", "Lung_1"),
        ("development_stage", "Day_5"),
        ("development_stage", "Day:5"),
        ("assay", "Chromium_3"),
        ("assay", "SMART_seq2"),
    ],
)
def test_a_name_with_a_number_is_no_identifier(field: str, text: str) -> None:
    f = BY_NAME[field]
    label = match_labels([text], f, TermIndex() if f.label else None)[text]
    assert label.name == text
    assert label.kind == ("not in the graph" if f.label else "text")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        # Numbers of clusters look alike: the cell keeps the text.
        ("CL:12312", "bad identifier"),
        ("cl_12312", "bad identifier"),
        ("UBERON:0000178", "wrong ontology"),
        ("GO:0006915", "not in the graph"),
    ],
)
def test_a_broken_or_foreign_term_is_reported(text: str, kind: str) -> None:
    label = match_labels([text], BY_NAME["cell_type"], TermIndex())[text]
    assert (label.kind, label.name) == (kind, None if kind == "wrong ontology" else text)


def test_all_spellings_of_a_node_are_one_label() -> None:
    index = TermIndex(
        names={"cl:0000084": "T cell"},
        by_id={"cl:0000001": {"cl:0000084"}},
        by_name={"t cell": {"cl:0000084"}},
        by_synonym={"t lymphocyte": {"cl:0000084"}},
    )
    texts = ["t cell", "T lymphocyte", "CL:0000084", "CL:0000001"]
    found = match_labels(texts, BY_NAME["cell_type"], index)
    assert {(x.name, x.term, x.node) for x in found.values()} == {
        ("T cell", "cl:0000084", "cl:0000084")
    }


def test_numbers_that_passed_through_a_float_column() -> None:
    texts, codes = factors(pd.Series([1.0, float("nan"), 2.0, 1.0]))
    assert [texts[c] for c in codes] == ["1", "", "2", "1"]


def test_pairs_win_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "map.yaml"
    file.write_text(
        "donor_id: patient\n"
        "tissue: {column: organ, values: {'bl*': lung, '*': null}}\n"
        "sex: {constant: female}\n"
    )
    mapping = CellMapping.read([str(file), "donor_id=label"], ["disease=normal"])
    assert mapping.fields["donor_id"].column == "label"
    columns = table.read_fields(
        cells_table(4), mapping.complete(cells_table(4), "x"), lambda _: TermIndex(), "x"
    )
    assert columns["tissue"].names() == [None, "lung", None, "lung"]
    assert columns["sex"].names() == ["female"] * 4
    assert columns["disease"].terms() == ["pato:0000461"] * 4
    assert columns["age"].source.found
    ages = read_ages(columns, np.zeros(4, bool))
    assert ages is not None
    assert ages.years == [30.0, 31.0, 32.0, 30.0]


def test_python_says_what_a_file_says(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(
        "donor_id: [study, patient]\ntissue: {constant: blood}\n"
        "cell_type: {column: label, values: {B: B cell}}\n"
    )
    mapping = {
        "donor_id": ["study", "patient"],
        "tissue": {"constant": "blood"},
        "cell_type": {"column": "label", "values": {"B": "B cell"}},
        "cell_type:NK": "natural killer cell",
        "sex": "gender",
    }
    pairs = ["cell_type:NK=natural killer cell", "sex=gender"]
    assert CellMapping.of(mapping) == CellMapping.read([str(path), *pairs])
    with pytest.raises(ConfigError, match="unknown key of a field"):
        CellMapping.of({"tissue": {"constants": "blood"}})


def test_terms_of_cellxgene_are_found_by_themselves() -> None:
    obs = pd.DataFrame(
        {
            "cell_type_ontology_term_id": ["CL:0000084", "CL:12312", "PATO:0000461", "CL_0000236"],
            "cell_type": ["T cell", "?", "?", "B cell"],
            "sex_ontology_term_id": ["PATO:0000383", "unknown", "PATO:0000384", "PATO:0000384"],
            "is_primary_data": [True, False, True, True],
        }
    )
    index = TermIndex(names={"cl:0000084": "T cell"})
    mapping = CellMapping().complete(obs, "x")
    columns = table.read_fields(obs, mapping, lambda _: index, "x")
    found = table.properties(columns)
    assert found["cell_type"] == ["T cell", "CL:12312", None, "B cell"]
    assert found["cell_type_id"] == ["cl:0000084", None, None, "cl:0000236"]
    assert found["sex"] == ["female", None, "male", "male"]
    assert found["is_primary_data"] == [True, False, True, True]
    kinds = [label.kind for label in columns["cell_type"].labels]
    assert sorted(kinds) == ["bad identifier", "matched", "not in the graph", "wrong ontology"]


def test_a_suffix_of_an_old_schema_is_cut_off_and_noted() -> None:
    obs = pd.DataFrame({"tissue_ontology_term_id": ["UBERON:0000178 (cell culture)"]})
    index = TermIndex(names={"uberon:0000178": "blood"})
    mapping = CellMapping().complete(obs, "x")
    column = table.read_fields(obs, mapping, lambda _: index, "x")["tissue"]
    assert column.terms() == ["uberon:0000178"]
    assert column.labels[0].note == "without (cell culture)"


def test_a_missing_column_names_the_nearest() -> None:
    mapping = CellMapping.read(["donor_id=pateint"])
    with pytest.raises(UsageError, match="did you mean patient"):
        mapping.complete(cells_table(), "file.h5ad")


@pytest.mark.parametrize(
    ("maps", "sets", "message"),
    [
        (["donor=patient"], [], "donor_id"),
        (["nothere.yaml"], [], "no such mapping file"),
        ([], ["tissue="], "no name or no value"),
    ],
)
def test_wrong_mappings(maps: list[str], sets: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        CellMapping.read(maps, sets)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a\n", "not a table"),
        ("a: [b", "does not parse"),
        ("donor_id: {colum: x}", "unknown key"),
        ("donor_id: {values: {a: b}}", "either column or constant"),
        ("donor_id: {column: x, values: 3}", "values is not a table"),
    ],
)
def test_wrong_mapping_files(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "m.yaml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        CellMapping.read([str(tmp_path / "m.yaml")])


def test_columns_that_may_hold_a_field_are_named() -> None:
    hints = unmapped_hints(cells_table(), {})
    assert hints["donor_id"] == ["patient"]
    assert hints["sex"] == ["gender"]
    assert hints["tissue"] == ["organ"]
