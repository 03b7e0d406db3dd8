"""Write ``docs/reliability.md`` from the pieces in ``docs/reliability``; a test compares.

Run it after a change of a piece: ``python docs/scripts/write_reliability.py``.
"""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1]
PIECES = DOCS / "reliability"
TARGET = DOCS / "reliability.md"

HEAD = """# Never wrong without a word

A guess is certain, or reported, or not made. This page lists every case that was tried, with its
right value and the test that holds it. It is put together from the pages in
[reliability](reliability) (`python docs/scripts/write_reliability.py`), one for each part of the
package; a test checks that every test named here exists.

"""


def write() -> str:
    """The whole page: a list of the parts, then the parts, their headings one level down."""
    parts = [piece.read_text(encoding="utf-8").strip() for piece in sorted(PIECES.glob("*.md"))]
    titles = [part.split("\n", 1)[0].removeprefix("# ").strip() for part in parts]
    links = [f"- [{title}](#{anchor(title)})" for title in titles]
    bodies = [re.sub(r"^#", "##", p.replace("](../", "]("), flags=re.MULTILINE) for p in parts]
    cases = sum(count_cases(part) for part in parts)
    return (
        HEAD
        + f"{cases:,} cases in {len(parts)} parts:\n\n"
        + "\n".join([*links, "", *(f"{body}\n" for body in bodies)])
    )


def anchor(title: str) -> str:
    """The address of a heading on the page."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def count_cases(part: str) -> int:
    """Rows of tables, without their heads."""
    rows = len(re.findall(r"^\|", part, flags=re.MULTILINE))
    return rows - 2 * len(re.findall(r"^\|[-| :]+\|$", part, flags=re.MULTILINE))


if __name__ == "__main__":
    TARGET.write_text(write(), encoding="utf-8")
