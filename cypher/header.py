"""The header of a statement's file: what it is called, takes and returns, checked both ways.

A header is the run of ``//`` lines that the file begins with::

    // name: genes_of_pathway
    // mode: read
    // param pathway: Pathway - id or name of the pathway
    // param limit: INTEGER = 100 - genes at most
    // returns gene: NODE - a gene of the pathway
    // help: The genes of a pathway, by symbol.

A parameter without a default must be given, and may be null only where its default is (or its type
is ``ANY``). Its type is one of `SCALARS`, ``LIST<...>`` of one, or a label of the schema
(`EntityType` there): the user then gives an id, symbol or name and the statement gets the id. A
parameter that the text uses and the header does not declare is an error, and so is one that is
declared and not used.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from tosg.cypher.tokens import parameters
from tosg.errors import SchemaError

#: Types of values; ``TEXT VECTOR`` is given as text (or, from Python, as a vector) and
#: passed as its embedding; ``LABEL`` is a label of the schema by its own name.
SCALARS = ("STRING", "INTEGER", "FLOAT", "BOOLEAN", "ANY", "LABEL", "TEXT VECTOR")

MODES = ("read", "write")

_LINE = re.compile(r"//\s?(?P<key>name|mode|param|returns|after|help)\b\s*(?P<rest>.*)")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_AFTER = re.compile(r"\w+(\(\w+(, \w+)*\))?")
_TYPE = r"(?:LIST<[A-Za-z ]+>|[A-Za-z][A-Za-z]*(?: VECTOR)?)"
_PARAM = re.compile(
    rf"(?P<name>\w+)\s*:\s*(?P<type>{_TYPE})(?:\s*=\s*(?P<default>.+?))?\s+-\s+(?P<help>.+)"
)
_RETURNS = re.compile(r"(?P<name>\w+)\s*:\s*(?P<type>[A-Z]+(?:<[A-Z]+>)?)\s+-\s+(?P<help>.+)")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One declared parameter. ``default`` counts only where it is not required."""

    name: str
    type: str
    help: str
    required: bool = True
    default: Any = None

    @property
    def element(self) -> str:
        """Type of one value: what a list holds, or the type itself."""
        return self.type[5:-1] if self.many else self.type

    @property
    def many(self) -> bool:
        """Whether it takes a list."""
        return self.type.startswith("LIST<")


@dataclass(frozen=True, slots=True)
class Column:
    """One declared column of the result."""

    name: str
    type: str
    help: str


@dataclass(frozen=True, slots=True)
class Statement:
    """A Cypher statement with what its header says.

    Attributes
    ----------
    name : str
        "" for a statement without header.
    mode : str
        ``read`` or ``write``.
    params : tuple of Parameter
        Without a header: those found in the text, of type ANY.
    returns : tuple of Column
        Empty without a header.
    help : str
    text : str
        All of it, header included, so that it can be kept and run again.
    where : str
        File, or "the query".
    after : str
        Name of the step that finishes the rows (`tosg.kg.query.finishing`); "" for none. In the
        header it is ``// after: NAME(param, ...)`` with the parameters that the step uses.
    """

    name: str
    mode: str
    params: tuple[Parameter, ...]
    returns: tuple[Column, ...]
    help: str
    text: str
    where: str
    after: str = ""

    @property
    def declared(self) -> bool:
        """Whether it has a header."""
        return bool(self.name)

    @property
    def cypher(self) -> str:
        """The statement without its header."""
        lines = self.text.splitlines(keepends=True)
        return "".join(lines[_header_length(lines) :]).strip() + "\n"


def make_plain_statement(text: str, where: str) -> Statement:
    """Make a statement of Cypher without header; its parameters are those in the text."""
    params = tuple(Parameter(name, "ANY", "") for name in parameters(text))
    return Statement("", "read", params, (), "", text, where)


def has_header(text: str) -> bool:
    """Whether a text begins with the header of a statement."""
    return re.match(r"\s*//\s?name:", text) is not None


def parse_statement(text: str, where: str, labels: frozenset[str] | None = None) -> Statement:
    """Read a statement with its header.

    Parameters
    ----------
    text : str
    where : str
        File name, for errors.
    labels : frozenset of str, optional
        Labels that may be types of parameters; None lets any capitalised word be one.

    Raises
    ------
    SchemaError
        The header lacks something, has a line twice or one that does not parse, or does not
        fit the parameters of the text.
    """
    lines = text.splitlines()
    single: dict[str, str] = {}
    params: dict[str, Parameter] = {}
    at: dict[str, int] = {}
    returns: list[Column] = []
    for number, line in enumerate(lines[: _header_length(lines)], 1):
        here = f"{where}:{number}"
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise _wrong(
                "a line of the header is not understood", here, line,
                "// name: | mode: | param NAME: TYPE - help | returns NAME: TYPE - help | help:",
            )  # fmt: skip
        key, rest = match["key"], match["rest"]
        if key == "param":
            param = _param(rest, here, labels)
            _once(param.name in params, "a parameter is declared twice", here, param.name)
            params[param.name], at[param.name] = param, number
        elif key == "returns":
            column = _column(rest, here)
            _once(column.name in {c.name for c in returns}, "a column twice", here, column.name)
            returns.append(column)
        else:
            _once(key in single, "a line of the header stands twice", here, key)
            single[key] = _value(key, rest, here)
    _complete(single, returns, where)
    step, *taken = re.findall(r"\w+", single.get("after", "")) or [""]
    _both_ways(lines, params, at, where, frozenset(taken))
    return Statement(
        single["name"], single["mode"], tuple(params.values()), tuple(returns),
        single["help"], text, where, step,
    )  # fmt: skip


def _wrong(what: str, where: str, found: str = "", expected: str = "") -> SchemaError:
    return SchemaError(what, where=where, found=found or None, expected=expected or None)


def _header_length(lines: list[str]) -> int:
    return next((i for i, x in enumerate(lines) if not x.strip().startswith("//")), len(lines))


def _once(again: bool, what: str, here: str, found: str) -> None:
    if again:
        raise _wrong(what, here, found)


def _value(key: str, rest: str, here: str) -> str:
    value = rest.removeprefix(":").strip()
    if not rest.startswith(":") or not value:
        raise _wrong(f"the header's {key} is empty", here, rest, f"// {key}: ...")
    if key == "mode" and value not in MODES:
        raise _wrong("the mode is unknown", here, value, " or ".join(MODES))
    if key == "after" and not _AFTER.fullmatch(value):
        raise _wrong("the step does not parse", here, value, "NAME or NAME(param, ...)")
    if key == "name" and not _NAME.fullmatch(value):
        raise _wrong("the name does not fit", here, value, "small letters, digits, _")
    return value


def _param(rest: str, here: str, labels: frozenset[str] | None) -> Parameter:
    match = _PARAM.fullmatch(rest)
    if match is None:
        raise _wrong("a parameter does not parse", here, rest, "NAME: TYPE [= JSON] - what it is")
    given = Parameter(match["name"], match["type"], match["help"])
    known = given.element in SCALARS or (
        given.element in labels if labels is not None else given.element[:1].isupper()
    )
    if not known:
        raise _wrong(
            "the type of a parameter is unknown", here, given.type,
            f"{', '.join(SCALARS)}, a label of the schema, or LIST<...> of one",
        )  # fmt: skip
    if match["default"] is None:
        return given
    try:
        default = json.loads(match["default"])
    except ValueError as error:
        raise _wrong(
            "the default of a parameter is not JSON", here, match["default"], "1, null, [], ..."
        ) from error
    return Parameter(given.name, given.type, given.help, required=False, default=default)


def _column(rest: str, here: str) -> Column:
    match = _RETURNS.fullmatch(rest)
    if match is None:
        raise _wrong("a column does not parse", here, rest, "NAME: TYPE - what it is")
    return Column(match["name"], match["type"], match["help"])


def _complete(single: dict[str, str], returns: list[Column], where: str) -> None:
    for key in ("name", "mode", "help"):
        if key not in single:
            raise _wrong(f"the header has no {key}", where, expected=f"// {key}: ...")
    if not returns and single["mode"] == "read":
        raise _wrong(
            "the header does not say what is returned",
            where,
            expected="// returns NAME: TYPE - ...",
        )


def _both_ways(
    lines: list[str],
    params: dict[str, Parameter],
    at: dict[str, int],
    where: str,
    taken: frozenset[str],
) -> None:
    length = _header_length(lines)
    used = parameters("\n".join(lines[length:]))
    for name, line in used.items():
        if name not in params:
            raise _wrong(
                "a parameter is not declared", f"{where}:{line + length}", f"${name}",
                f"// param {name}: TYPE - ... in the header",
            )  # fmt: skip
    for name in taken - set(params):
        raise _wrong("the step takes a parameter that is not declared", where, name)
    for name in params:
        if name not in used and name not in taken:
            raise _wrong(
                "a declared parameter is not used", f"{where}:{at[name]}", name, f"${name}"
            )
