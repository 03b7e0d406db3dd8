"""The piece of a text that shows why it was found."""

from __future__ import annotations

import re

#: Characters of a snippet, the dots at its ends not counted.
LENGTH = 160


def snippet(text: str, query: str, length: int = LENGTH) -> str:
    """Cut the piece of a text that has the most words of a query; whole words only.

    Parameters
    ----------
    text : str
        What was found.
    query : str
        What was searched for.
    length : int
        Characters at most.
    """
    if len(text) <= length:
        return text
    wanted = {w for w in re.findall(r"\w+", query.lower()) if len(w) > 1}
    spans = [m.span() for m in re.finditer(r"\S+", text)]
    hits = [bool(wanted & set(re.findall(r"\w+", text[a:b].lower()))) for a, b in spans]
    best = (-1, 0, 0)
    stop = count = 0
    for start, (begin, _) in enumerate(spans):
        while stop < len(spans) and spans[stop][1] - begin <= length:
            count += hits[stop]
            stop += 1
        if count > best[0]:
            best = (count, start, max(stop, start + 1))
        count -= hits[start] if stop > start else 0
        stop = max(stop, start + 1)
    _, first, last = best
    piece = text[spans[first][0] : min(spans[last - 1][1], spans[first][0] + length)]
    before = "... " if first else ""
    after = " ..." if last < len(spans) else ""
    return f"{before}{piece}{after}"
