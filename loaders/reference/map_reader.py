"""What the maps of a user's own data share: reading YAML, checking keys, and values of a link.

A map says what a table's columns, or a graph's labels and properties, are in the schema. It is
checked before a row is read: unknown keys, types and columns are errors that name the nearest known
ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

import polars as pl
import pyarrow as pa
import yaml

from tosg.errors import DataError, TosgError, unknown
from tosg.kg.schema.curies import known_prefix
from tosg.kg.schema.types import entity_types, relationship_types
from tosg.loaders.columns import blank_to_null, evidence, known_curies, split, with_words
from tosg.loaders.formats.opening import read_text
from tosg.loaders.scores import Score

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from tosg.kg.claims.log import FileLog
    from tosg.kg.schema.kinds import RelationshipType

#: Keys of an entity that are one text, and those that are lists.
TEXT_KEYS = ("name", "symbol", "description")
LIST_KEYS = ("synonyms", "xrefs")

#: Keys of a relationship besides its type and its ends.
VALUE_KEYS = ("sign", "score", "action", "evidence")

#: Signs between fields that a map may call by a name.
SEPARATORS = {"tab": "\t", "comma": ",", "semicolon": ";", "space": " ", "bar": "|"}

#: Signs as numbers, where a map does not say what the words of a column mean.
_PLAIN_SIGNS = {"1": 1, "-1": -1, "0": 0}

_PAGE = "docs/own-data.md describes the keys of a map"

_Map = TypeVar("_Map")


class Described(NamedTuple):
    """What every map says of its data: name, licence and release of the source."""

    source: str
    license: str
    release: str


class DescribedMap(Protocol):
    """A map that was read."""

    @property
    def about(self) -> Described:
        """Name, licence and release."""


@dataclass(frozen=True, slots=True)
class MappedField:
    """A column, and what separates the values in it ("" where there is one)."""

    column: str
    separator: str = ""


@dataclass(frozen=True, slots=True)
class LinkValues:
    """Columns of what a relationship says besides its ends; ``signs``: words and what they mean."""

    sign: str = ""
    signs: dict[str, int] = field(default_factory=dict)
    score: Score | None = None
    action: str = ""
    evidence: dict[str, MappedField] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that are read."""
        found = [self.sign, self.action, *(f.column for f in self.evidence.values())]
        if self.score is not None:
            found += [*self.score.numbers, *self.score.texts]
        return tuple(column for column in found if column)

    def add(self, batch: pa.RecordBatch, file: FileLog, key: str = "") -> pa.RecordBatch:
        """Add sign and score as columns; rows whose word or number is not known are rejected.

        Parameters
        ----------
        batch : RecordBatch
        file : FileLog
        key : str
            Keeps the columns of several relationships of one row apart.
        """
        if self.sign:
            words, to = self.signs or _PLAIN_SIGNS, f"sign{key}\0"
            batch = with_words(batch, self.sign, words, file, to=to, type_=pa.int8())
        if self.score is not None:
            batch = self.score.add(batch, file, to=f"score{key}\0")
        return batch

    def claimed(
        self, batch: pa.RecordBatch, key: str = "", arrays: Iterable[str] = (), array: str = ""
    ) -> dict[str, object]:
        """Columns of claims: sign, score, action and evidence.

        Parameters
        ----------
        batch : RecordBatch
            As `add` returns it.
        key : str
            As for `add`.
        arrays : iterable of str
            Columns that are lists by their header.
        array : str
            What separates the items of those.
        """
        separators = {
            name: f.separator or (array if f.column in arrays else "")
            for name, f in self.evidence.items()
        }
        columns = {name: f.column for name, f in self.evidence.items()}
        told = evidence(
            batch,
            texts={name: column for name, column in columns.items() if not separators[name]},
            lists={name: (columns[name], sign) for name, sign in separators.items() if sign},
        ) if self.evidence else None  # fmt: skip
        return {
            "sign": batch.column(f"sign{key}\0") if self.sign else None,
            "score": batch.column(f"score{key}\0") if self.score is not None else None,
            "action": blank_to_null(batch.column(self.action)) if self.action else None,
            "evidence": told,
        }


def described_columns(
    batch: pa.RecordBatch,
    texts: Mapping[str, str],
    lists: Mapping[str, MappedField],
    file: FileLog,
) -> dict[str, object]:
    """Columns of entity claims: texts, synonyms and cross-references; unknown ones are noted."""
    found: dict[str, object] = {k: blank_to_null(batch.column(c)) for k, c in texts.items()}
    for key, given in lists.items():
        values = split(batch.column(given.column), given.separator or "\0")
        found[key] = known_curies(values, file) if key == "xrefs" else values
    return found


def open_map(path: Path, read: Callable[[str, object], _Map]) -> _Map:
    """Read and check a map.

    Parameters
    ----------
    path : Path
    read : callable
        Name of the file and YAML document -> map.

    Raises
    ------
    DataError
        It is no YAML mapping, lacks a key, or has one that is not known.
    """
    try:
        document = yaml.safe_load(read_text(path))
    except yaml.YAMLError as error:
        raise DataError("the map is not YAML", where=path, found=error, hint=_PAGE) from error
    try:
        return read(str(path), document)
    except DataError:
        raise
    except (TosgError, ValueError) as error:
        raise DataError("the map is wrong", where=path, found=error, hint=_PAGE) from error


class MapReader:
    """Checks the parts of a map; an error names the file and what is known.

    Parameters
    ----------
    where : str
        The file, for errors.
    """

    def __init__(self, where: str) -> None:
        self.where = where

    def mapping(self, value: object, what: str, keys: tuple[str, ...]) -> dict[str, Any]:
        """A mapping with known keys only."""
        if not isinstance(value, Mapping):
            raise DataError(
                f"{what} is not a mapping",
                where=self.where,
                found=repr(value)[:120],
                expected="keys " + ", ".join(keys),
                hint=_PAGE,
            )
        for key in value:
            if key not in keys:
                raise unknown(f"key of {what}", str(key), keys, where=self.where)
        return dict(value)

    def need(self, found: Mapping[str, Any], what: str, *keys: str) -> None:
        """Refuse a mapping that lacks a key."""
        for key in keys:
            if found.get(key) in (None, "", []):
                raise DataError(
                    f"{what} lacks the key {key}", where=self.where, expected=key, hint=_PAGE
                )

    def about(self, found: Mapping[str, Any]) -> Described:
        """Name, licence and release of the source."""
        texts = (str(found.get(key) or "") for key in ("source", "license", "release"))
        return Described(*texts)

    def entity_type(self, given: object) -> str:
        """A type of entities."""
        if given not in entity_types():
            raise unknown("type of entity", str(given), entity_types(), where=self.where)
        return str(given)

    def relationship_type(self, given: object) -> RelationshipType:
        """A type of relationships."""
        kind = relationship_types().get(str(given))
        if kind is None:
            known = relationship_types()
            raise unknown("type of relationship", str(given), known, where=self.where)
        return kind

    def prefix(self, found: Mapping[str, Any]) -> str:
        """Prefix of identifiers; "" where each names its own."""
        return known_prefix(str(found["prefix"])) if found.get("prefix") else ""

    def texts(self, found: Mapping[str, Any]) -> dict[str, str]:
        """Columns of name, symbol and description."""
        return {key: str(found[key]) for key in TEXT_KEYS if found.get(key)}

    def field(self, value: object, what: str) -> MappedField:
        """A column, with what separates its values."""
        if isinstance(value, str):
            return MappedField(value)
        found = self.mapping(value, what, ("column", "separator"))
        self.need(found, what, "column")
        return MappedField(str(found["column"]), str(found.get("separator") or ""))

    def values(self, found: Mapping[str, Any]) -> LinkValues:
        """Columns of what a relationship says besides its ends; see `VALUE_KEYS`."""
        column, words = self._sign(found.get("sign"))
        return LinkValues(
            column,
            words,
            self._score(found.get("score")),
            str(found.get("action") or ""),
            self._evidence(found.get("evidence")),
        )

    def _sign(self, value: object) -> tuple[str, dict[str, int]]:
        """Column of a sign ("" where there is none), and what its words mean."""
        found = self.mapping(value or {}, "sign", ("column", "words"))
        words = dict(found.get("words") or {})
        for word, sign in words.items():
            if sign not in (1, -1, 0) or isinstance(sign, bool):
                raise DataError(
                    "the sign of a word is not 1, -1 or 0",
                    where=self.where,
                    found=f"{word}: {sign}",
                    expected="1, -1 or 0 (unknown)",
                )
        if words:
            self.need(found, "sign", "column")
        return str(found.get("column") or ""), {str(k): int(v) for k, v in words.items()}

    def _score(self, value: object) -> Score | None:
        """The formula of a score."""
        if not value:
            return None
        found = self.mapping(value, "score", ("formula", "numbers", "texts"))
        self.need(found, "score", "formula")
        numbers, texts = (tuple(map(str, found.get(k) or ())) for k in ("numbers", "texts"))
        formula = str(found["formula"])
        try:
            named = pl.sql_expr(formula).meta.root_names()
        except pl.exceptions.PolarsError as error:
            raise DataError(
                "the formula of a score is not SQL",
                where=self.where,
                found=f"{formula}: {error}",
                expected="an expression over columns, as confidence / 1000",
            ) from error
        if missing := sorted(set(named) - {*numbers, *texts}):
            raise DataError(
                "the formula of a score has columns that are not listed",
                where=self.where,
                found=", ".join(missing),
                expected="each under numbers or texts",
            )
        return Score(formula, numbers, texts)

    def _evidence(self, value: object) -> dict[str, MappedField]:
        """Columns that are kept as evidence, by the key that they get."""
        if not value:
            return {}
        if not isinstance(value, Mapping):
            raise DataError("evidence is not a mapping", where=self.where, found=repr(value)[:120])
        return {str(k): self.field(v, "evidence") for k, v in value.items()}
