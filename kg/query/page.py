"""The page of the documentation that lists the named statements: ``docs/statements.md``.

Written by ``python -m tosg.kg.query.page > docs/statements.md``; a test compares the two.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from tosg.kg.query.statements import statements

if TYPE_CHECKING:
    from tosg.cypher.header import Statement

_HEAD = """\
# Named statements

Questions that come with tosg. Run one with

    tosg query NAME --param KEY=VALUE --format table|csv|json|arrow

Each format but `table`, which is for the eye, holds every value whole. JSON has bytes as base64,
null for NaN and infinities, and dates, times and durations as ISO 8601 text. In CSV a column of
entities that a named statement declares is two columns, the id and the name (or symbol); entities
that your own Cypher returns, lists, maps, relationships and paths are JSON, bytes base64; null is
nothing between the commas and the empty text is `""` (in a table of one column, null is `""` too).
The header of a query is the same with rows and without. A column whose values have no common type
(texts and numbers, maps of different keys) is JSON text in Arrow and CSV, marked as Arrow's type
`arrow.json`; in JSON its values stand as they are.

From Python it is `tosg.connect().query(NAME, KEY=VALUE)`; any that returns nodes can be the
selection of an export (`tosg-export OUT --nodes NAME --param KEY=VALUE`, `--cells` for cells).

A parameter whose type is a label (`Gene`, `Disease`, ...) takes an id, another id of the same
thing, a symbol, a name or a synonym: `gene=TP53`, `gene=ncbigene:7157` and `gene=p53` are one.
A list is JSON (`'["TP53", "MDM2"]'`) or has commas between its parts (`TP53,MDM2`). A `TEXT VECTOR`
is given as text and compared by meaning. A `LABEL` is a type of entity, as in `Gene` or `Disease`.

Your own statements can have the same header: see `tosg query NAME --describe` and run them with
`tosg query @FILE`. This page is made from the headers.
"""


def page() -> str:
    """Write the page."""
    known = statements()
    contents = [f"- [`{s.name}`](#{s.name}): {s.help}" for s in known.values()]
    return "\n".join([_HEAD, *contents, "", *(_section(s) for s in known.values())])


def _section(statement: Statement) -> str:
    lines = [f"## {statement.name}", "", statement.help, ""]
    lines += ["| parameter | type | default | |", "|---|---|---|---|"]
    for p in statement.params:
        default = "must be given" if p.required else f"`{json.dumps(p.default)}`"
        lines.append(f"| `{p.name}` | {_type(p.type)} | {default} | {p.help} |")
    if not statement.params:
        lines[-2:] = ["No parameters."]
    lines += ["", "| column | type | |", "|---|---|---|"]
    lines += [f"| `{c.name}` | {_type(c.type)} | {c.help} |" for c in statement.returns]
    return "\n".join([*lines, "", "```cypher", statement.cypher.rstrip(), "```", ""])


def _type(name: str) -> str:
    return f"`{name}`"


if __name__ == "__main__":
    sys.stdout.write(page())
