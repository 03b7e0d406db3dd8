"""Ages of donors: years after birth, or weeks after conception, where a text says one clearly.

Years after birth and weeks after conception are two clocks. Each has its own property of :Cell
(``age_years``, ``post_conception_weeks``); one number for both would be read as an age.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

DAYS_PER_YEAR = 365.25
#: Gestational weeks are counted from the last menstruation, two weeks before conception.
GESTATION_BEFORE_CONCEPTION_WEEKS = 2.0
#: A number without a unit is years only up to the age that people reach.
MAX_PLAIN_YEARS = 122.0

_NUMBER = r"(\d+(?:[.,]\d+)?)"
_UNITS = {
    "years": r"years?|yrs?|y|yo|y\.?o\.?",
    "months": r"months?|mos?|mths?",
    "weeks": r"weeks?|wks?|w",
    "days": r"days?|d",
}
_PCW = (
    r"(?:pcw|p\.c\.w\.|wpc|(?:weeks?|wks?|w)[\s_-]*(?:pc|post[\s_-]*(?:conception(?:al)?"
    r"|fertili[sz]ation))|post[\s_-]*(?:conception(?:al)?|fertili[sz]ation)[\s_-]*(?:weeks?|wks?))"
)
_GESTATION = (
    r"(?:gw|ga|(?:weeks?|wks?|w)[\s_-]*(?:of[\s_-]*)?(?:gestation(?:al)?(?:[\s_-]*age)?|ga)"
    r"|gestation(?:al)?[\s_-]*(?:weeks?|wks?))"
)
_DPC = r"(?:dpc|days?[\s_-]*post[\s_-]*(?:conception|fertili[sz]ation))"
_BEFORE = r"(?:(?:embryonic|embryo|f(?:o)?etal|f(?:o)?etus|prenatal|human)\s+)?"
_AFTER = r"(?:[\s-]*olds?)?(?:\s+(?:human\s+)?stage)?"

_BORN = {
    unit: re.compile(
        rf"(?i)^(?P<born>post[\s-]?natal\s+|aged?\s+)?{_NUMBER}\s*(?:-\s*|_)?(?:{words})"
        rf"(?P<old>[\s-]*olds?)?(?:\s+(?:human\s+)?stage)?$"
    )
    for unit, words in _UNITS.items()
}
_CONCEIVED = {
    "post-conception weeks": [
        re.compile(rf"(?i)^{_BEFORE}{_NUMBER}(?:st|nd|rd|th)?[\s_-]*{_PCW}{_AFTER}$"),
        re.compile(rf"(?i)^{_BEFORE}{_PCW}[\s_-]*{_NUMBER}$"),
    ],
    "gestational weeks": [
        re.compile(rf"(?i)^{_BEFORE}{_NUMBER}(?:st|nd|rd|th)?[\s_-]*{_GESTATION}{_AFTER}$"),
        re.compile(rf"(?i)^{_BEFORE}{_GESTATION}[\s_-]*{_NUMBER}$"),
    ],
    "post-conception days": [
        re.compile(rf"(?i)^{_BEFORE}{_NUMBER}[\s_-]*{_DPC}$"),
        re.compile(rf"(?i)^{_BEFORE}{_DPC}[\s_-]*{_NUMBER}$"),
    ],
}
_PLAIN = re.compile(rf"^{_NUMBER}$")
_HSAPDV = re.compile(r"(?i)^hsapdv[:_](\d{7})$")
_UNBORN = re.compile(
    r"(?i)embryo|f(?:o)?etal|f(?:o)?etus|pre-?natal|gestation|\bgest_|conception|fertili[sz]ation|carnegie"
    r"|\bpcw\b"
)
_UNIT_IN_NAME = re.compile(
    r"(?i)(?:^|[^a-z])(years?|yrs?|months?|mos?|weeks?|wks?|days?|pcw|gw)(?:$|[^a-z])"
)


#: Beginning of a unit in the name of a column -> what it counts.
_BEFORE_BIRTH = (("w", "weeks"), ("d", "days"))
#: What the name of a column says of its clock -> how ages are written by it, by what is counted.
_CLOCKS = (
    (r"gest", {"weeks": "gw"}),
    (r"concep|fertili", {"weeks": "pcw", "days": "dpc"}),
)


@dataclass(frozen=True, slots=True)
class Age:
    """An age as a text says it.

    Attributes
    ----------
    years : float or None
        After birth.
    post_conception_weeks : float or None
        Before birth.
    read_as : str
        Unit of the text: what reports say of it.
    """

    years: float | None = None
    post_conception_weeks: float | None = None
    read_as: str = ""


def read_age(text: str, *, plain: bool = False, unborn: bool = False) -> Age | None:
    """Read an age, where the text says one clearly.

    ``postnatal 54 years``, ``29-year-old human stage``, ``3 months``, ``12 weeks``, ``17 pcw``,
    ``17th week post-fertilization stage``, ``GW 20``, ``HsapDv:0000144`` (the terms of HsapDv for
    single years from 2 to 91). Ranges and decades give None.

    Parameters
    ----------
    text : str
    plain : bool
        Whether a number alone is years, as in a column called age.
    unborn : bool
        Whether something else about the cell says that it is from before birth. Numbers alone,
        and weeks without ``old`` or ``postnatal``, are then of an unknown clock, and not read.
    """
    text = text.strip()
    for unit, pattern in _BORN.items():
        if found := pattern.match(text):
            said = found["born"] or found["old"] or unit in ("years", "months")
            if unborn and not said:
                return None
            return _born(_number(found[2]), unit)
    for unit, patterns in _CONCEIVED.items():
        for pattern in patterns:
            if found := pattern.match(text):
                return _conceived(_number(found[1]), unit)
    if plain and not unborn and (found := _PLAIN.match(text)):
        years = _number(found[1])
        return Age(years, None, "numbers as years") if years <= MAX_PLAIN_YEARS else None
    if found := _HSAPDV.match(text):
        years_of_term = _hsapdv_years(int(found[1]))
        return None if years_of_term is None else Age(years_of_term, None, "years")
    return None


def says_unborn(text: str) -> bool:
    """Whether a text is about a time before birth (embryo, fetal, prenatal, gestation)."""
    return bool(_UNBORN.search(text))


def unit_in_name(column: str) -> str | None:
    """Find the unit of age in the name of a column, as in ``age_months``.

    A column of times before birth names its clock: numbers of ``gestational_weeks`` are weeks of
    gestation, and those of ``gestational_age`` or ``fetal_age_days`` are not read as years.
    """
    found = _UNIT_IN_NAME.search(column)
    unit = found[1].lower() if found else ""
    if not says_unborn(column) or unit in ("pcw", "gw"):
        return unit or None
    counted = next((u for start, u in _BEFORE_BIRTH if unit.startswith(start)), None)
    clock = next((words for word, words in _CLOCKS if re.search(word, column, re.I)), None)
    return clock.get(counted, column) if clock and counted else column


def unit_column(column: str, columns: Iterable[str]) -> str | None:
    """Find the column that has the unit of another one: ``age_unit``, ``age_value``'s ``age_unit``.

    Parameters
    ----------
    column : str
        The column with the numbers.
    columns : iterable of str
        All columns.
    """
    wanted = {f"{column}{mark}{unit}" for mark in ("_", ".", " ", "") for unit in ("unit", "units")}
    wanted |= {re.sub(r"(?i)value", unit, column) for unit in ("unit", "units")} - {column}
    lowered = {w.lower() for w in wanted} | {"age_unit", "age_units", "age.unit"}
    return next((c for c in columns if c.lower() in lowered and c != column), None)


def _number(text: str) -> float:
    return float(text.replace(",", "."))


def _born(number: float, unit: str) -> Age:
    years = {
        "years": number,
        "months": number / 12,
        "weeks": number * 7 / DAYS_PER_YEAR,
        "days": number / DAYS_PER_YEAR,
    }[unit]
    return Age(
        round(years, 4), None, unit if unit in ("years", "months") else f"{unit} after birth"
    )


def _conceived(number: float, unit: str) -> Age | None:
    weeks = {
        "post-conception weeks": number,
        "gestational weeks": number - GESTATION_BEFORE_CONCEPTION_WEEKS,
        "post-conception days": number / 7,
    }[unit]
    return Age(None, round(weeks, 4), unit) if weeks >= 0 else None


def _hsapdv_years(number: int) -> float | None:
    # HsapDv numbers its terms for single years in two runs.
    if 96 <= number <= 173:
        return float(number - 94)
    if 206 <= number <= 217:
        return float(number - 126)
    return None
