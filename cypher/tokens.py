"""Cypher text cut into tokens: enough to find parameters, clauses and the end of a statement.

This is no parser. Whether a statement is right, what it returns and whether it writes is asked
of the database (``EXPLAIN``); here only what must be known of the text itself is found.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<comment>//[^\r\n]*|/\*.*?(?:\*/|\Z))
    | (?P<string>'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")
    | (?P<parameter>\$(?:`(?:``|[^`])*`|\w+))
    | (?P<quoted>`(?:``|[^`])*`)
    | (?P<number>\d(?:[\w]|\.(?=\d))*)
    | (?P<word>[^\W\d]\w*)
    | (?P<symbol>.)
    """,
    re.VERBOSE | re.DOTALL,
)

_OPEN, _CLOSE = "([{", ")]}"

#: A backslash with what it escapes; with the four digits where Neo4j puts a character in the place
#: of all of it.
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|.)", re.DOTALL)

#: Words that are values: alone in a ``RETURN`` they are no variables.
_CONSTANTS = frozenset({"TRUE", "FALSE", "NULL", "NAN", "INF", "INFINITY"})

#: What follows these is a name, even if it reads like the first word of a clause.
_BEFORE_NAMES = (".", ":", "|", "&", "!")

#: What follows these is a value or its name.
_BEFORE_VALUES = frozenset(
    {"AS", "RETURN", "WITH", "DISTINCT", "BY", "WHERE", "AND", "OR", "XOR", "NOT", "IN", "UNWIND"}
    | set(",([+-/%^<>=")
)

#: A clause of these ends the items of ``RETURN``.
_AFTER_ITEMS = frozenset({"ORDER", "SKIP", "OFFSET", "LIMIT", "UNION", "NEXT"})


@dataclass(frozen=True, slots=True)
class Token:
    """One token.

    Attributes
    ----------
    kind : str
        ``string``, ``parameter``, ``quoted``, ``number``, ``word`` or ``symbol``.
    text : str
    start, end : int
        Offsets in the text.
    depth : int
        How many brackets stand open around it.
    """

    kind: str
    text: str
    start: int
    end: int
    depth: int

    @property
    def keyword(self) -> str:
        """The word in upper case; "" for any other token."""
        return self.text.upper() if self.kind == "word" else ""


def tokens(text: str) -> list[Token]:
    """Cut a text into its tokens, without space and comments."""
    found, depth = [], 0
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        if kind in ("space", "comment"):
            continue
        if match.group() in _CLOSE:
            depth = max(0, depth - 1)
        found.append(Token(kind, match.group(), match.start(), match.end(), depth))
        if match.group() in _OPEN:
            depth += 1
    return found


def parameters(text: str) -> dict[str, int]:
    """Names of the parameters in a text, each with the line (from 1) where it stands first."""
    found: dict[str, int] = {}
    for token in tokens(text):
        if token.kind == "parameter":
            name = token.text[1:].strip("`")
            found.setdefault(name, text.count("\n", 0, token.start) + 1)
    return found


@dataclass(frozen=True, slots=True)
class StatementParts:
    """A statement taken apart.

    Attributes
    ----------
    prefix : str
        ``CYPHER 5`` and the like, as it was given; "" where there is none.
    body : str
        The statement without prefix, closing semicolon and what follows it.
    verb : str
        First word of the body, in upper case.
    several : bool
        Whether more follows after a semicolon.
    offset : int
        Where the body begins in the text.
    """

    prefix: str
    body: str
    verb: str
    several: bool
    offset: int


def parts(text: str) -> StatementParts:
    """Take the ``CYPHER`` prefix and closing semicolons off a statement."""
    found = tokens(text)
    first = _after_prefix(found)
    prefix = text[found[0].start : found[first - 1].end] if first else ""
    stop = next((i for i, t in enumerate(found) if t.text == ";"), len(found))
    body = found[first:stop]
    several = any(t.text != ";" for t in found[stop:])
    if not body:
        return StatementParts(prefix, "", "", several, len(text))
    return StatementParts(
        prefix, text[body[0].start : body[-1].end], body[0].keyword, several, body[0].start
    )


def _after_prefix(found: list[Token]) -> int:
    """Number of tokens of ``CYPHER [version] [option=value ...]``."""
    if not found or found[0].keyword != "CYPHER":
        return 0
    at = 1
    if at < len(found) and found[at].kind == "number":
        at += 1
    while at + 2 < len(found) and found[at].kind == "word" and found[at + 1].text == "=":
        at += 3
    return at


def misread_escape(text: str) -> int | None:
    r"""Offset of the first ``\uXXXX`` for which a text means other tokens than `tokens` finds.

    Neo4j puts characters in the place of these escapes before it looks for strings and comments:
    one can be a word of a clause, or the end of a string or comment. Those of other characters in
    strings are harmless.
    """
    strings = [(t.start, t.end) for t in tokens(text) if t.kind == "string"]
    for match in _ESCAPE.finditer(text):
        if match[1] is None:
            continue
        inside = any(start < match.start() < end for start, end in strings)
        if not inside or chr(int(match[1], 16)) in "'\"`\\":
            return match.start()
    return None


def calls(text: str) -> Iterator[str]:
    """Names of procedures that a text calls with arguments, at any depth."""
    found = tokens(text)
    for i in _words(found, "CALL"):
        name = ""
        for token in found[i + 1 :]:
            if token.text == "(" and name:
                yield name
            if token.kind not in ("word", "quoted") and token.text != ".":
                break
            name += token.text.strip("`")


def commands(text: str) -> Iterator[str]:
    """Commands that stand in a text, at any depth: ``LOAD CSV``, ``SHOW ...``, ``TERMINATE ...``.

    A variable of one of these names is taken for a command where a word follows it.
    """
    found = tokens(text)
    for i in _words(found, "LOAD", "SHOW", "TERMINATE"):
        after = found[i + 1].keyword if i + 1 < len(found) else ""
        if after == "CSV" or (after and found[i].keyword != "LOAD"):
            yield f"{found[i].keyword} {after}"


def _words(found: list[Token], *wanted: str) -> Iterator[int]:
    for i, token in enumerate(found):
        if token.keyword in wanted and not (i and found[i - 1].text in _BEFORE_NAMES):
            yield i


def limit_without_order(text: str) -> bool:
    """Whether some ``LIMIT`` or ``SKIP`` stands behind a projection without ``ORDER BY``."""
    found = tokens(text)
    ordered: dict[int, bool] = {}
    for i, token in enumerate(found):
        if not _is_clause(found, i):
            continue
        if token.keyword in ("WITH", "RETURN"):
            ordered[token.depth] = False
        elif token.keyword == "ORDER":
            ordered[token.depth] = True
        elif token.keyword in ("LIMIT", "SKIP", "OFFSET") and not ordered.get(token.depth, True):
            return True
    return False


def _is_clause(found: list[Token], i: int) -> bool:
    """Whether a word is not a name: ``n.limit``, ``:Limit``, ``{limit: 1}``, ``limit + 1``."""
    if found[i].kind != "word":
        return False
    before = found[i - 1].text if i else ""
    after = found[i + 1].text if i + 1 < len(found) else ""
    if before in _BEFORE_NAMES or before.upper() in _BEFORE_VALUES:
        return False
    return after not in (":", ".", "=", ",", ")")


def with_return(body: str, columns: Sequence[str]) -> str:
    """Add the ``YIELD`` and ``RETURN`` that the call of a procedure needs in a subquery.

    Alone it may go without, as in ``CALL db.labels()``; any other body is left as it is.

    Parameters
    ----------
    body : str
    columns : sequence of str
        What the body returns.
    """
    found = tokens(body)
    start = 1 if found[0].keyword == "OPTIONAL" else 0
    words = [t.keyword for t in found if t.depth == 0]
    if found[start].keyword != "CALL" or found[start + 1].text in "({" or "RETURN" in words:
        return body
    names = ", ".join(named(c) for c in columns)
    at = next((i for i, t in enumerate(found) if t.keyword == "YIELD" and t.depth == 0), len(found))
    if at < len(found) and found[-1].text != "*":
        return f"{body} RETURN {names}"
    last = found[at - 1]
    arguments = "" if last.text == ")" else "()"
    return f"{body[: last.end]}{arguments} YIELD {names} RETURN {names}"


def named(name: str) -> str:
    """Write any text as a name; see `tosg.cypher.quoting` for names of the schema."""
    return "`" + name.replace("`", "``") + "`"


def with_aliases(body: str) -> str:
    """Name every item of the outer ``RETURN``, so that the body can stand in a subquery.

    ``RETURN nodes(p), n.name AS x`` becomes ``RETURN nodes(p) AS `nodes(p)`, n.name AS x``.
    """
    found = tokens(body)
    inserts: list[tuple[int, str]] = []
    for i, token in enumerate(found):
        if token.depth == 0 and token.keyword == "RETURN" and _is_clause(found, i):
            inserts += _missing_aliases(body, list(_items(found, i + 1)))
    for at, text in sorted(inserts, reverse=True):
        body = body[:at] + text + body[at:]
    return body


def _items(found: list[Token], start: int) -> Iterator[list[Token]]:
    item: list[Token] = []
    for i in range(start, len(found)):
        token = found[i]
        if token.depth == 0 and token.keyword in _AFTER_ITEMS and _is_clause(found, i) and item:
            break
        if token.depth == 0 and token.text == ",":
            yield item
            item = []
        elif not (token.keyword == "DISTINCT" and not item and i == start):
            item.append(token)
    yield item


def _missing_aliases(body: str, items: list[list[Token]]) -> list[tuple[int, str]]:
    found = []
    for item in items:
        plain = len(item) == 1 and (
            item[0].kind == "quoted"
            or item[0].text == "*"
            or (item[0].kind == "word" and item[0].keyword not in _CONSTANTS)
        )
        if not item or plain or any(t.depth == item[0].depth and t.keyword == "AS" for t in item):
            continue
        found.append((item[-1].end, f" AS {named(body[item[0].start : item[-1].end])}"))
    return found
