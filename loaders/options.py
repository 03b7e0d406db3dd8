"""Options of sources: each declares its type, and values arrive as text.

A value from a command line or a recipe is text: ``release=1.10`` is the text "1.10" and never the
number 1.1, and ``010``, ``1_000``, ``yes``, ``null`` and ``0x10`` stay what they are. The option
says what it wants and refuses everything else.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from tosg.errors import ConfigError

T = TypeVar("T", str, int, float, bool, tuple[str, ...])

_FLAGS = {"true": True, "false": False}


@dataclass(frozen=True)
class Option(Generic[T]):
    """One option of a source.

    Attributes
    ----------
    name : str
    help : str
        What it does, in a few words.
    default : str, int, float, bool or tuple of str
        Its value where none is given; its type is the option's. Lists are written with commas.
    choices : tuple
        The only values it takes; empty where any of its type will do.
    least, most : float
        Bounds of a number, both included.
    """

    name: str
    help: str
    default: T
    choices: tuple[T, ...] = ()
    least: float = -math.inf
    most: float = math.inf

    @property
    def type_name(self) -> str:
        """Word for its type: text, whole number, number, true or false, list."""
        return _TYPES[type(self.default)]

    def parse(self, given: object, source: str) -> T:
        """Turn a given value into one of the option's type.

        Parameters
        ----------
        given : object
            Text, or in Python a value of the option's type (a whole number will do for text).
        source : str
            Whose option it is, for errors.

        Raises
        ------
        ConfigError
            It is of another type, out of bounds, or not among the choices.
        """
        value = cast("T | None", _READ[type(self.default)](given))
        bounded = isinstance(value, int | float) and not isinstance(value, bool)
        inside = not bounded or self.least <= cast("float", value) <= self.most
        if value is None or not inside or (self.choices and value not in self.choices):
            raise ConfigError(
                f"the option {self.name} of the source {source} has a wrong value",
                found=repr(given),
                expected=self._expected(),
                hint="`tosg sources` lists the options of each source",
            )
        return value

    def _expected(self) -> str:
        if self.choices:
            return "one of " + ", ".join(map(str, self.choices))
        bounds: list[str] = [
            f"{word} {bound:g}"
            for word, bound in (("at least", self.least), ("at most", self.most))
            if math.isfinite(bound)
        ]
        if isinstance(self.default, str):
            return "text (not a Python float: 1.10 would become 1.1)"
        return ", ".join([self.type_name, *bounds])


def _text(given: object) -> str | None:
    if isinstance(given, bool) or not isinstance(given, str | int):
        return None
    return str(given).strip()


def _whole(given: object) -> int | None:
    if isinstance(given, int) and not isinstance(given, bool):
        return given
    text = given.strip() if isinstance(given, str) else ""
    return int(text) if text.removeprefix("-").isdecimal() and text.isascii() else None


def _number(given: object) -> float | None:
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        return None
    if isinstance(given, str) and "_" in given:
        return None
    try:
        value = float(given)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _flag(given: object) -> bool | None:
    if isinstance(given, bool):
        return given
    return _FLAGS.get(given.strip().lower()) if isinstance(given, str) else None


def _list(given: object) -> tuple[str, ...] | None:
    items = given.split(",") if isinstance(given, str) else given
    if not isinstance(items, list | tuple):
        return None
    texts = [_text(item) for item in items]
    return None if None in texts else tuple(t for t in texts if t)


_READ: dict[type, Any] = {str: _text, int: _whole, float: _number, bool: _flag, tuple: _list}
_TYPES = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    tuple: "a list, with commas between",
}
