"""Issue 11, point 8: ages as what they are, and words that are yes or no."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from tosg.errors import DataError
from tosg.kg.cells.obs import columns as table
from tosg.kg.cells.obs.age_columns import CellAges, read_ages, unborn_cells
from tosg.kg.cells.obs.ages import read_age, unit_column, unit_in_name
from tosg.kg.cells.obs.flags import flag, read_flags
from tosg.kg.cells.obs.mapping import CellMapping
from tosg.kg.cells.obs.terms import TermIndex
from tosg.kg.cells.report_rows import age_rows


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("postnatal 54 years", 54.0),
        ("29-year-old human stage", 29.0),
        ("29-year-old stage", 29.0),
        ("54 yrs", 54.0),
        ("54y", 54.0),
        ("54 yo", 54.0),
        ("aged 54 years", 54.0),
        ("1,5 years", 1.5),
        ("6 months", 0.5),
        ("3-month-old stage", 0.25),
        ("18 mo", 1.5),
        ("12 weeks", 0.23),
        ("12-week-old stage", 0.23),
        ("10 days", 0.0274),
        ("HsapDv:0000144", 50.0),
        ("HsapDv:0000154", 60.0),
        ("HsapDv:0000206", 80.0),
    ],
)
def test_ages_after_birth(text: str, years: float) -> None:
    age = read_age(text)
    assert age is not None
    assert age.years == pytest.approx(years, abs=5e-5)
    assert age.post_conception_weeks is None


@pytest.mark.parametrize(
    ("text", "weeks"),
    [
        ("17 pcw", 17.0),
        ("17PCW", 17.0),
        ("PCW 17", 17.0),
        ("pcw17.5", 17.5),
        ("fetal 17 pcw", 17.0),
        ("17 weeks post-conception", 17.0),
        ("17 post-conception weeks", 17.0),
        ("17th week post-fertilization stage", 17.0),
        ("17th week post-fertilization human stage", 17.0),
        ("GW20", 18.0),
        ("20 weeks gestation", 18.0),
        ("20 weeks of gestation", 18.0),
        ("gestational week 20", 18.0),
        ("56 dpc", 8.0),
        ("56 days post conception", 8.0),
    ],
)
def test_ages_before_birth(text: str, weeks: float) -> None:
    age = read_age(text)
    assert age is not None
    assert (age.years, age.post_conception_weeks) == (None, weeks)


@pytest.mark.parametrize(
    "text",
    [
        *("prenatal 16-18 W", "16-18 pcw", "60-69", "60-69 years", "sixth decade human stage"),
        *("80 year-old and over human stage", "MmusDv:0000110", "HsapDv:0000003", "adult", "54"),
        *("Carnegie stage 17", ">89", "90+", "", "-5", "5 minutes", "GW 1"),
    ],
)
def test_what_is_no_clear_age(text: str) -> None:
    assert read_age(text) is None


def test_a_number_alone_is_years_in_a_column_of_ages_up_to_what_people_reach() -> None:
    assert read_age("54", plain=True) == read_age("54.0", plain=True)
    assert read_age("500", plain=True) is None


def test_weeks_of_the_unborn_are_of_an_unknown_clock() -> None:
    assert read_age("17 weeks", unborn=True) is None
    assert read_age("17 weeks old", unborn=True) is not None
    assert read_age("17 pcw", unborn=True) is not None
    assert read_age("17", plain=True, unborn=True) is None


def ages(obs: pd.DataFrame, maps: Any = ()) -> CellAges:
    mapping = CellMapping.read(list(maps)).complete(obs, "file")
    columns = table.read_fields(obs, mapping, lambda _: TermIndex(), "file")
    found = read_ages(columns, unborn_cells(obs))
    assert found is not None
    return found


def test_the_unit_stands_in_a_neighbouring_column() -> None:
    for value, unit in (("age", "age_unit"), ("age_value", "age_unit"), ("Age", "Age.units")):
        obs = pd.DataFrame(
            {value: [54, 6, 2, 17, 54, None], unit: ["year", "months", "week", "pcw", None, "year"]}
        )
        found = ages(obs, [f"age={value}"])
        assert found.years == [54.0, 0.5, 0.0383, None, None, None]
        assert found.post_conception_weeks == [None, None, None, 17.0, None, None]
        assert found.not_read == {"54": 1}
    assert unit_column("age", ["age", "sex"]) is None


def test_the_unit_stands_in_the_name_of_the_column() -> None:
    for name, years in (("age_months", 0.5), ("Age (weeks)", 0.115), ("age.years", 6.0)):
        found = ages(pd.DataFrame({name: [6]}), [f"age={name}"])
        assert found.years == pytest.approx([years], abs=1e-4)
    assert unit_in_name("stage") is None
    assert unit_in_name("average") is None


@pytest.mark.parametrize(
    ("name", "weeks"),
    [
        *(("gestational_weeks", 18.0), ("Weeks of gestation", 18.0), ("gest_age_weeks", 18.0)),
        *(("weeks_post_conception", 20.0), ("post_conception_weeks", 20.0), ("PCW", 20.0)),
        ("days_post_fertilization", 20 / 7),
    ],
)
def test_the_name_of_a_column_says_that_ages_are_before_birth(name: str, weeks: float) -> None:
    found = ages(pd.DataFrame({name: [20]}), [f"age={name}"])
    assert (found.years, found.not_read) == ([None], {})
    assert found.post_conception_weeks == pytest.approx([weeks], abs=1e-4)


@pytest.mark.parametrize("name", ["gestational_age", "fetal_age_weeks", "prenatal_days"])
def test_numbers_before_birth_without_a_clear_unit_are_not_read(name: str) -> None:
    found = ages(pd.DataFrame({name: [20]}), [f"age={name}"])
    assert (found.years, found.post_conception_weeks) == ([None], [None])
    assert found.not_read == {f"20 {name}": 1}


def test_what_is_not_read_is_counted() -> None:
    obs = pd.DataFrame(
        {
            "age": ["54", "60-69", "60-69", "17 weeks", "3 months", "nan"],
            "source": ["brain", "brain", "brain", "fetal brain", "brain", "brain"],
        }
    )
    found = ages(obs)
    assert found.years == [54.0, None, None, None, 0.25, None]
    assert found.not_read == {"60-69": 2, "17 weeks": 1}
    assert found.read_as == {"numbers as years": 1, "months": 1}
    rows = age_rows({"read_as": found.read_as, "not_read": found.not_read})
    assert [text for _, text in rows] == [
        "1 cells read as numbers as years, 1 cells read as months",
        "  3 cells not read: 60-69 (2), 17 weeks (1)",
    ]


def test_the_stage_says_the_age_where_there_is_no_other() -> None:
    obs = pd.DataFrame(
        {
            "age": ["54", "unknown", "unknown"],
            "development_stage": [
                "adult stage",
                "29-year-old stage",
                "10th week post-fertilization stage",
            ],
        }
    )
    found = ages(obs)
    assert found.years == [54.0, 29.0, None]
    assert found.properties()["post_conception_weeks"] == [None, None, 10.0]


@pytest.mark.parametrize("text", ["True", "TRUE", "T", "t", "yes", "Y", "1", "1.0", " true "])
def test_yes(text: str) -> None:
    assert flag(text) is True


@pytest.mark.parametrize("text", ["False", "FALSE", "F", "no", "n", "0", "0.0"])
def test_no(text: str) -> None:
    assert flag(text) is False


def test_missing_flags_are_neither() -> None:
    assert flag("nan") is None
    assert flag("") is None


def test_an_unknown_word_is_an_error() -> None:
    with pytest.raises(DataError, match="other values") as caught:
        read_flags(["T", "maybe", "F", "2"], "obs, x", "file")
    assert caught.value.found == "maybe, 2"
    obs = pd.DataFrame({"is_primary_data": ["yes", "primary"]})
    mapping = CellMapping().complete(obs, "file")
    with pytest.raises(DataError, match="is_primary_data"):
        table.read_fields(obs, mapping, lambda _: TermIndex(), "file")


@pytest.mark.parametrize(
    "values",
    [
        ["True", "False", "nan"],
        ["T", "F", None],
        [1.0, 0.0, float("nan")],
        pd.Categorical([True, False, None]),
        pd.array([1, 0, None], dtype="UInt8"),
        pd.array([True, False, None], dtype="boolean"),
    ],
)
def test_primary_data_however_it_was_written(values: Any) -> None:
    obs = pd.DataFrame({"is_primary_data": values})
    mapping = CellMapping().complete(obs, "file")
    columns = table.read_fields(obs, mapping, lambda _: TermIndex(), "file")
    assert table.properties(columns)["is_primary_data"] == [True, False, None]
