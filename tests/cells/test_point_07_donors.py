"""Issue 11, point 7: who a donor is, who is no person, and cells that are attached already."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tosg.errors import DataError, UsageError
from tosg.kg.cells.notes import _about_donors
from tosg.kg.cells.obs import columns as table
from tosg.kg.cells.obs.chosen import cells_of_no_person, choose_cells
from tosg.kg.cells.obs.donors import is_no_person, two_persons
from tosg.kg.cells.obs.mapping import CellMapping
from tosg.kg.cells.obs.terms import TermIndex
from tosg.kg.cells.values.pseudobulk import group_cells

WHERE = Path("file.h5ad")


def fields(obs: pd.DataFrame, maps: Any = ()) -> dict[str, table.FieldColumn]:
    mapping = CellMapping.read(list(maps)).complete(obs, WHERE)
    return table.read_fields(obs, mapping, lambda _: TermIndex(), WHERE)


@pytest.mark.parametrize(
    "word",
    [
        *("pooled", "Doublet", "doublets", "Negative", "unassigned", "multiplet", "AMBIGUOUS"),
        *("not assigned", "not_assigned", "study-a/doublet", " Pool "),
        # souporcell, scSplit, demuxlet, HTODemux, BD Rhapsody, cellhashR, pools with a number
        *("Doublet_1", "doublet_D1_D2", "DBL-D1,D2", "AMB-D1-D2", "singlet", "SNG", "Multiplet"),
        *("Undetermined", "cross-sample doublet", "HTO1_doublet", "unassigned_3", "no_hash"),
        *("pool1", "Pool_A", "donor pool 2", "Mixed donors", "Not Determined", "undefined"),
    ],
)
def test_words_that_are_no_person(word: str) -> None:
    assert is_no_person(word)


@pytest.mark.parametrize(
    "word", ["D1", "Negative-1", "poolman", "Samdoublet", "Pool-ABC", "Amber", "", "nan", "0"]
)
def test_names_are_persons(word: str) -> None:
    assert not is_no_person(word)


@pytest.mark.parametrize(
    ("names", "pairs"),
    [
        (["0", "1", "0/1", "1/0", "2/0"], {"0/1", "1/0"}),  # souporcell; no cell is of donor 2
        (["HTO-A", "HTO-B", "HTO-A_HTO-B"], {"HTO-A_HTO-B"}),
        (["D1", "D2", "D1,D2", "D1+D2", "D1 and D2", "D1_D3"], {"D1,D2", "D1+D2", "D1 and D2"}),
        (["s/0", "s/1", "s/0/1", "t/0", "t/0/1"], {"s/0/1"}),
        (["a_b", "a", "c_d"], set()),
        (["1", "1_1"], set()),
    ],
)
def test_a_name_of_two_other_donors_is_no_person(names: list[str], pairs: set[str]) -> None:
    assert two_persons(names) == pairs
    columns = fields(pd.DataFrame({"donor_id": names}))
    assert set(cells_of_no_person(columns)) == pairs


@pytest.mark.parametrize("text", ["NA_character_", "<NA>", "not_available", ".", "Not-Specified"])
def test_what_stands_for_nothing_is_no_donor(text: str) -> None:
    columns = fields(pd.DataFrame({"donor_id": ["D1", text]}))
    assert columns["donor_id"].names() == ["D1", None]


def test_cells_of_no_one_person_have_no_donor_and_are_counted() -> None:
    words = ["doublet", "D1", "unassigned", "D2", "nan", "pooled", "doublet"]
    columns = fields(pd.DataFrame({"donor_id": words}))
    found = table.properties(columns)
    assert found["donor_id"] == [None, "D1", None, "D2", None, None, None]
    assert found["no_donor"] == ["doublet", None, "unassigned", None, None, "pooled", "doublet"]
    assert cells_of_no_person(columns) == {"doublet": 2, "unassigned": 1, "pooled": 1}
    note = _about_donors(columns, pd.DataFrame({"donor_id": words}))[0]
    assert note.startswith("4 cells are of no one person and in no split by donor")
    assert "doublet (2)" in note
    groups = group_cells("d", columns, np.ones(7, np.int64))
    assert [p["n_donors"] for p in groups.properties] == [2]


def test_a_donor_who_is_called_so_can_be_named() -> None:
    obs = pd.DataFrame({"donor_id": ["Pool", "D1"]})
    columns = fields(obs, ["donor_id:Pool=Mr Pool"])
    assert columns["donor_id"].names() == ["Mr Pool", "D1"]
    assert not cells_of_no_person(columns)


def test_meta_cells_are_made_of_cells_of_one_person() -> None:
    columns = fields(pd.DataFrame({"donor_id": ["doublet", "D1", "D1", "pooled"]}))
    chosen = choose_cells(columns, 4, WHERE, organism="human", metacells=True)
    assert chosen.rows.tolist() == [1, 2]
    assert chosen.left_out == {
        "of no one person (doublet)": 1,
        "of no one person (pooled)": 1,
    }
    single = choose_cells(columns, 4, WHERE, organism="human", metacells=False)
    assert (single.rows.tolist(), single.left_out) == ([0, 1, 2, 3], {})
    columns = fields(pd.DataFrame({"donor_id": ["doublet"] * 4}))
    with pytest.raises(DataError, match="no cell is of one person"):
        choose_cells(columns, 4, WHERE, organism="human", metacells=True)


TWO_STUDIES = pd.DataFrame(
    {
        "dataset_id": ["a", "a", "b", "b", "b", None],
        "donor_id": ["D1", "D2", "D1", "doublet", "nan", "D1"],
    }
)


def test_a_donor_may_be_made_of_several_columns() -> None:
    obs = TWO_STUDIES.rename(columns={"dataset_id": "study", "donor_id": "patient"})
    columns = fields(obs, ["donor_id=study+patient"])
    assert columns["donor_id"].names() == ["a/D1", "a/D2", "b/D1", None, None, None]
    assert table.properties(columns)["no_donor"] == [None, None, None, "b/doublet", None, None]
    assert columns["donor_id"].source.origin == "study+patient"
    with pytest.raises(UsageError, match="column of obs"):
        fields(obs, ["donor_id=study+nothing"])
    plus = obs.rename(columns={"patient": "study+patient"})
    assert fields(plus, ["donor_id=study+patient"])["donor_id"].names()[0] == "D1"


def test_several_columns_in_a_mapping_file(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text("donor_id: [dataset_id, donor_id]\n")
    columns = fields(TWO_STUDIES, [str(tmp_path / "m.yaml")])
    assert columns["donor_id"].names()[:3] == ["a/D1", "a/D2", "b/D1"]


def test_studies_of_cellxgene_tell_donors_apart_by_themselves() -> None:
    columns = fields(TWO_STUDIES)
    assert columns["donor_id"].names()[:3] == ["a/D1", "a/D2", "b/D1"]
    assert columns["donor_id"].source.origin == "dataset_id+donor_id"
    one = TWO_STUDIES.assign(dataset_id="a")
    assert fields(one)["donor_id"].names()[:3] == ["D1", "D2", "D1"]
    # As asked, with a word of warning.
    asked = fields(TWO_STUDIES, ["donor_id=donor_id"])
    assert asked["donor_id"].names()[:3] == ["D1", "D2", "D1"]
    assert "--map donor_id=dataset_id+donor_id" in _about_donors(asked, TWO_STUDIES)[1]


def test_donors_of_both_sexes_are_named() -> None:
    obs = pd.DataFrame({"donor_id": ["D1", "D1", "D2"], "sex": ["F", "male", "female"]})
    notes = _about_donors(fields(obs), obs)
    assert [note for note in notes if "both sexes (D1)" in note]
    assert not _about_donors(fields(obs[1:]), obs[1:])
