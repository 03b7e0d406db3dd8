"""Values of a statement's parameters: read from text, checked, entities found by name."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, time, timedelta
from json import JSONDecodeError
from typing import TYPE_CHECKING, Any

import neo4j.spatial
import neo4j.time
import neo4j.vector
import numpy as np

from tosg.errors import ConfigError, UsageError, unknown
from tosg.kg.query.lookup import candidates, find_entities, one_entity
from tosg.kg.query.statements import SURROGATE, parameter_labels

if TYPE_CHECKING:
    from tosg.cypher.header import Parameter, Statement
    from tosg.kg.database.connection import Database


def parse_params(pairs: Sequence[str], *queries: Statement) -> dict[str, Any]:
    """Read ``KEY=VALUE`` as the statements declare it, else as JSON, else as text.

    Parameters
    ----------
    pairs : sequence of str
        As on the command line. A list is JSON, or its parts with commas between them.
    *queries : Statement
        The statements that share the values.

    Raises
    ------
    ConfigError
        A pair without ``=``, a key given twice, or a value that is not of the declared type.
    UsageError
        None of the statements has such a parameter.
    """
    found: dict[str, Any] = {}
    known = {p.name: p for q in reversed(queries) for p in q.params if not q.declared}
    known |= {p.name: p for q in reversed(queries) for p in q.params if q.declared}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        key = key.strip()
        if not equals:
            raise ConfigError(
                "a parameter has no value", where="--param", found=pair, expected="KEY=VALUE"
            )
        if key in found:
            raise ConfigError("a parameter is given twice", where="--param", found=key)
        if key not in known:
            raise unknown("parameter", key, known, where="--param")
        found[key] = _parse(known[key], value)
    return found


def _parse(param: Parameter, text: str) -> Any:
    """Read one value from text; types are checked by `bind`."""
    if param.many:
        value = _json(param, text)
        if value is None and text.strip() == "null":
            return None
        return value if isinstance(value, list) else _split(param, text)
    if param.element in ("INTEGER", "FLOAT", "BOOLEAN", "ANY"):
        value = _json(param, text.strip().lower() if param.element == "BOOLEAN" else text)
        return text if value is None and text.strip() != "null" else value
    return text


def _split(param: Parameter, text: str) -> list[Any]:
    words = [w.strip() for w in re.split(r"[,\n]", text) if w.strip()]
    typed = param.element in ("INTEGER", "FLOAT", "BOOLEAN")
    return [_json(param, w) if typed else w for w in words]


#: How a text begins that is meant as JSON, even if it does not parse: ``[18F]FDG`` is a name.
_MEANT_AS_JSON = re.compile(r'\s*(\[\s*["\[{]|\{\s*["}]|\[.*\]\s*$|\{.*\}\s*$)', re.DOTALL)


def _json(param: Parameter, text: str) -> Any:
    """Value of a JSON text; None for other text (JSON has no NaN and no Infinity).

    Raises
    ------
    ConfigError
        The text is meant as JSON and does not parse.
    """

    def refuse(name: str) -> Any:
        raise ValueError(name)

    try:
        return json.loads(text, parse_constant=refuse)
    except RecursionError as error:
        raise _bad_json(param, text, f"lists and maps at most {DEEPEST} deep") from error
    except ValueError as error:
        if _MEANT_AS_JSON.match(text) is None:
            return None
        where = f", from character {error.pos + 1}" if isinstance(error, JSONDecodeError) else ""
        raise _bad_json(param, text, f"valid JSON{where}") from error


def _bad_json(param: Parameter, text: str, expected: str) -> ConfigError:
    return ConfigError(
        "a parameter is not valid JSON",
        where=param.name,
        found=_short(text),
        expected=expected,
        hint='lists as ["TP53", "MDM2"] or TP53,MDM2; a text that begins with a bracket in quotes',
    )


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:80]}..."


def bind(
    db: Database,
    statement: Statement,
    params: Mapping[str, Any],
    *,
    strict: bool = True,
    first: bool = False,
) -> tuple[dict[str, Any], list[str]]:
    """Make the values that a statement runs with: defaults, types, entities as ids.

    Parameters
    ----------
    db : Database
        Where entities and the embedding model are looked up.
    statement : Statement
    params : mapping
        What the user gave; texts are read as on the command line (`parse_params`).
    strict : bool
        Whether a value that the statement does not take is an error; else it is left out.
    first : bool
        Whether the entity with most relationships is taken where a name has several.

    Returns
    -------
    values : dict
    warnings : list of str
        What of a list of entities is left out, and which of several entities was taken.

    Raises
    ------
    ConfigError
        A value is missing or not of its type.
    AmbiguousNameError
        A name that several entities have.
    UsageError
        A value that the statement does not take, an entity that is not in the graph.
    """
    known = {p.name for p in statement.params}
    if strict and (extra := set(params) - known):
        raise unknown("parameter", sorted(extra)[0], known, where=statement.name or "the query")
    missing = [
        p.name
        for p in statement.params
        if p.required and (p.name not in params or (params[p.name] is None and p.type != "ANY"))
    ]
    if missing:
        raise ConfigError(
            "a parameter has no value",
            where=statement.name or "the query",
            found=", ".join(missing),
            expected="; ".join(
                f"{p.name}: {p.type}" + (f" - {p.help}" if p.help else "")
                for p in statement.params
                if p.name in missing
            ),
            hint=" ".join(f"--param {name}=..." for name in missing),
        )
    values: dict[str, Any] = {}
    warnings: list[str] = []
    for param in statement.params:
        given = _passable(param, params.get(param.name, param.default))
        if given is None and param.default is not None:
            raise _wrong_type(param, None)
        values[param.name] = None if given is None else _value(db, param, given, warnings, first)
    return values, warnings


_PYTHON: dict[str, tuple[type, ...]] = {
    "STRING": (str,),
    "INTEGER": (int,),
    "FLOAT": (float, int),
    "BOOLEAN": (bool,),
    "LABEL": (str,),
}

#: What the driver takes as it is, besides numbers, texts, lists and mappings.
_TAKEN = (
    bool, float, bytes, bytearray, date, time, timedelta, np.datetime64, np.timedelta64,
    neo4j.time.Date, neo4j.time.Time, neo4j.time.DateTime, neo4j.time.Duration,
    neo4j.spatial.Point, neo4j.vector.Vector,
)  # fmt: skip


#: How deep lists and maps may stand in one another.
DEEPEST = 100


def _passable(param: Parameter, given: Any, depth: int = 0) -> Any:
    """Make a value that the database can take, or say what it cannot, at any depth."""
    if depth > DEEPEST:
        raise _not_passable(param, given, f"lists and maps at most {DEEPEST} deep")
    if given is None or isinstance(given, _TAKEN):
        return given
    if hasattr(given, "tolist"):  # NumPy's and pandas'; of dates it would make numbers
        given = list(given) if given.ndim else given.item()
    if isinstance(given, int):
        if not -(2**63) <= given < 2**63:
            raise _not_passable(param, given, "a whole number of at most 64 bits")
        return given
    if isinstance(given, str):
        if SURROGATE.search(given):
            raise _not_passable(param, given, "text that is valid Unicode")
        return given
    if isinstance(given, Mapping):
        if not all(isinstance(key, str) for key in given):
            raise _not_passable(param, given, "a mapping with texts as keys")
        return {
            _passable(param, key): _passable(param, value, depth + 1)
            for key, value in given.items()
        }
    if isinstance(given, Sequence):
        return [_passable(param, value, depth + 1) for value in given]
    raise _not_passable(param, given, "a number, text, date, list or mapping")


def _not_passable(param: Parameter, given: Any, expected: str) -> ConfigError:
    return ConfigError(
        "a parameter cannot be passed to the database",
        where=param.name,
        found=_as_text(given),
        expected=expected,
    )


def _as_text(value: Any) -> str:
    """Show a value as JSON, or else its type: no reader has to know Python."""
    try:
        return _short(json.dumps(value))
    except (TypeError, ValueError, RecursionError):
        return f"a value of type {type(value).__name__}"


def _value(db: Database, param: Parameter, given: Any, warnings: list[str], first: bool) -> Any:
    # A text for a parameter of any type is that text: the command line has read it as JSON already.
    if isinstance(given, str) and param.type != "ANY":
        given = _parse(param, given)
    entities = param.element in parameter_labels()
    if param.many:
        if isinstance(given, str) or not isinstance(given, Sequence):
            raise _wrong_type(param, given)
        if entities:
            return _entities(db, param, given, warnings, first)
        return [_scalar(param, v) for v in given]
    if entities:
        name = _name(param, given)
        found = find_entities(db, param.element, [name])
        warnings += [f"{param.name}: {note}" for note in found.notes]
        if first and name in found.ambiguous:
            return _first(db, param, name, found.ambiguous[name], warnings)
        return one_entity(db, found, param.element, name, param.name)
    if param.element == "TEXT VECTOR" and not isinstance(given, str):
        return _vector(param, given)
    if param.element == "TEXT VECTOR":
        from tosg.kg.search.by_meaning import embed_text

        return embed_text(db, given)
    return _scalar(param, given)


def _name(param: Parameter, given: Any) -> str:
    """Name of an entity; a whole number is an identifier without its prefix."""
    if isinstance(given, int) and not isinstance(given, bool):
        return str(given)
    return str(_scalar(param, given))


def _first(db: Database, param: Parameter, name: str, ids: list[str], warnings: list[str]) -> str:
    chosen, *others = candidates(db, ids)
    warnings.append(
        f"{param.name}: {name} is ambiguous, {chosen} was taken instead of "
        + "; ".join(map(str, others))
    )
    return chosen.id


def _vector(param: Parameter, given: Any) -> list[float]:
    """Take a vector as it is: from Python it may be given instead of a text."""
    if not isinstance(given, Sequence) or not given:
        raise _wrong_type(param, given)
    if not all(isinstance(v, float | int) and not isinstance(v, bool) for v in given):
        raise _wrong_type(param, given)
    return [float(v) for v in given]


def _entities(
    db: Database, param: Parameter, given: Sequence[Any], warnings: list[str], first: bool
) -> list[str]:
    """The ids in the order of the names, each once."""
    texts = [_name(param, v) for v in given]
    if not texts and param.default == [] and not param.required:
        return []
    if not texts:
        raise ConfigError(
            "a list of names is empty", where=param.name, expected=f"{param.type} - {param.help}"
        )
    found = find_entities(db, param.element, texts)
    warnings += [f"{param.name}: {note}" for note in found.notes]
    ids = dict(found.ids)
    if first:
        ids |= {name: _first(db, param, name, of, warnings) for name, of in found.ambiguous.items()}
    if not ids:
        raise UsageError(
            f"none of the names is a {param.element} of the graph",
            where=param.name,
            found=", ".join(texts[:LISTED_NAMES]),
            hint=_ambiguous_names(db, found.ambiguous) or "try `tosg search`",
        )
    _warn(warnings, param, len(texts), "not in the graph", found.missing)
    if found.ambiguous and not first:
        left_out = _ambiguous_names(db, found.ambiguous)
        _warn(warnings, param, len(texts), "ambiguous", [left_out], len(found.ambiguous))
    return list(dict.fromkeys(ids[text] for text in texts if text in ids))


#: Names that a warning or an error lists.
LISTED_NAMES = 10


def _warn(
    warnings: list[str],
    param: Parameter,
    total: int,
    what: str,
    names: Sequence[str],
    count: int | None = None,
) -> None:
    if names:
        warnings.append(
            f"{param.name}: {count or len(names)} of {total} left out, {what}: "
            + ", ".join(names[:LISTED_NAMES])
            + (", ..." if len(names) > LISTED_NAMES else "")
        )


def _ambiguous_names(db: Database, ambiguous: Mapping[str, list[str]]) -> str:
    """Say what each of some names could be."""
    shown = [
        f"{name} could be " + " or ".join(str(c) for c in candidates(db, ids))
        for name, ids in list(ambiguous.items())[:LISTED_NAMES]
    ]
    return "; ".join(shown) + ("; ..." if len(ambiguous) > LISTED_NAMES else "")


def _scalar(param: Parameter, value: Any) -> Any:
    wanted = _PYTHON.get(param.element)
    if wanted is None:
        if param.element != "ANY" and not isinstance(value, str):
            raise _wrong_type(param, value)
        return value
    if isinstance(value, bool) and param.element != "BOOLEAN":
        raise _wrong_type(param, value)
    if not isinstance(value, wanted):
        raise _wrong_type(param, value)
    if param.element == "LABEL" and value not in parameter_labels():
        raise unknown("label", value, parameter_labels(), where=param.name)
    return float(value) if isinstance(value, int) and param.element == "FLOAT" else value


def _wrong_type(param: Parameter, value: Any) -> ConfigError:
    return ConfigError(
        "a parameter is not of its type",
        where=param.name,
        found=_as_text(value),
        expected=f"{param.type} - {param.help}",
    )
