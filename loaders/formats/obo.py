"""Reading OBO files with fastobo, term by term.

Published OBO files are often not quite valid: definitions without the list of references, synonyms
without a scope, tags without a value. So each stanza is parsed by itself. What fastobo refuses is
repaired where the meaning is plain and left out where not, and both are counted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tosg.errors import DataError
from tosg.loaders.columns import REPEATED
from tosg.loaders.formats.opening import read_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tosg.kg.claims.log import FileLog

# Scopes of synonyms that name the same thing, or nearly; NARROW and BROAD name others.
_SAME = ("EXACT", "RELATED")
#: Stanzas that are parsed at once.
_BLOCK_STANZAS = 200

_USED = re.compile(
    r"(id|name|namespace|def|synonym|xref|alt_id|is_a|relationship|is_obsolete|replaced_by|consider):"
)
# What qualifiers of a cross-reference say, as {source="MONDO:relatedTo"}.
_SAYS_EQUIVALENT = re.compile(r"(?i)equivalent(To|$)|exact(Match|$)")
_SAYS_OTHERWISE = re.compile(
    r"(?i)related|broad|narrow|close|sibling|hierarchy|inexact|subclass|superclass|obsolete"
)


@dataclass(slots=True)
class Term:
    """One ``[Term]`` stanza; identifiers as they stand in the file.

    Attributes
    ----------
    line : int
        Line of ``[Term]``.
    synonyms : list of str
        Of scope EXACT or RELATED.
    xrefs : list of str
        Those that no qualifier calls related, broader, narrower or the like.
    exact : list of str
        Those of `xrefs` that a qualifier calls equivalent or exact.
    relationships : list of (str, str)
        Type and target of each ``relationship``.
    """

    id: str
    line: int
    name: str | None = None
    definition: str | None = None
    namespace: str | None = None
    synonyms: list[str] = field(default_factory=list)
    xrefs: list[str] = field(default_factory=list)
    exact: list[str] = field(default_factory=list)
    alt_ids: list[str] = field(default_factory=list)
    is_a: list[str] = field(default_factory=list)
    relationships: list[tuple[str, str]] = field(default_factory=list)
    obsolete: bool = False
    replaced_by: list[str] = field(default_factory=list)
    consider: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Obo:
    """An OBO file in memory: header clauses, and stanzas as (line, text)."""

    path: Path
    header: dict[str, str]
    stanzas: list[tuple[int, str]]
    whole: bool  # whether the last line ends

    @property
    def release(self) -> str:
        """``data-version`` or ``date``, as 2015-05-14 where it holds a day; "" without either."""
        text = self.header.get("data-version") or self.header.get("date") or ""
        if day := re.search(r"(\d{4})([-_]?)(\d{2})\2(\d{2})", text):
            return f"{day.group(1)}-{day.group(3)}-{day.group(4)}"
        if day := re.match(r"(\d{2}):(\d{2}):(\d{4})", text):
            return f"{day.group(3)}-{day.group(2)}-{day.group(1)}"
        return text


def open_obo(path: Path) -> Obo:
    """Read an OBO file and cut it into stanzas.

    Raises
    ------
    DataError
        Missing, empty, cut off, not UTF-8, or no OBO file.
    """
    text = read_text(path)
    first = text.lstrip().split("\n", 1)[0]
    if not re.match(r"(format-version|data-version|ontology|date|auto-generated-by|!)", first):
        raise DataError(
            "this is not an OBO file",
            where=f"{path}, line 1",
            found=first[:100],
            expected="format-version: 1.2 or 1.4",
            hint="is this the right file? see `tosg sources`",
        )
    starts = [m.start() for m in re.finditer(r"^\[", text, re.MULTILINE)]
    if not starts:
        raise DataError("the file has no stanzas", where=path, expected="[Term] and its clauses")
    header = dict(
        line.split(":", 1) for line in text[: starts[0]].split("\n") if re.match(r"[\w-]+:", line)
    )
    line = 1 + text.count("\n", 0, starts[0])
    stanzas = []
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        stanzas.append((line, text[start:end]))
        line += text.count("\n", start, end)
    return Obo(path, {k: v.strip() for k, v in header.items()}, stanzas, text.endswith("\n"))


def parse_terms(obo: Obo, file: FileLog) -> Iterator[Term]:
    """Parse the terms; each is read, and rejected as "not valid OBO" where nothing can be done.

    The caller counts each yielded term as parsed or rejected.
    """
    seen: set[str] = set()
    if not obo.whole:
        file.note("last line without a line end; the file may be cut off")
    for position, (line, text, whole) in enumerate(_frames(obo)):
        if not text.startswith("[Term]"):
            continue
        file.read()
        last = position == len(obo.stanzas) - 1
        cut_off_in = obo.path if last and not obo.whole else None
        frame = whole or _parse(text, line, file, cut_off_in)
        if frame is None:
            file.reject("not valid OBO", line, text.split("\n")[1])
            continue
        term = term_of_frame(frame, line, file)
        if term.id in seen:
            file.note(REPEATED, 1, term.id)
        seen.add(term.id)
        yield term


def _frames(obo: Obo) -> Iterator[tuple[int, str, Any]]:
    """Line, text and frame of each stanza; None as the frame of those in a block with a fault.

    Blocks of stanzas are parsed at once, which is many times faster than one by one.
    """
    for start in range(0, len(obo.stanzas), _BLOCK_STANZAS):
        block = obo.stanzas[start : start + _BLOCK_STANZAS]
        frames, _ = _try("".join(text for _, text in block).split("\n"), whole=True)
        if frames is None or len(frames) != len(block):
            frames = [None] * len(block)
        for (line, text), frame in zip(block, frames, strict=True):
            yield line, text, frame


def _parse(text: str, line: int, file: FileLog, cut_off_in: Path | None) -> Any:
    """Frame of one stanza, None where it has no usable identifier."""
    lines = text.rstrip("\n").split("\n")
    frame, _ = _try(lines)
    if frame is not None:
        return frame
    repaired = [_repaired(clause) for clause in lines]
    frame, wrong = _try(repaired)
    if frame is not None:
        file.note("clause repaired")
        return frame
    numbers = [n for n, clause in enumerate(repaired) if n == 0 or _USED.match(clause)]
    for clause in repaired[1:]:
        if clause and not _USED.match(clause):
            file.note(f"clause {clause.partition(':')[0]} of a term, not used", 1, clause)
    while wrong is not None:
        kept = [repaired[n] for n in numbers]
        frame, wrong = _try(kept)
        if frame is not None:
            return frame
        if wrong is None or not 2 <= wrong < len(numbers):
            return None  # the identifier itself
        number = numbers.pop(wrong)
        if cut_off_in is not None and number == len(lines) - 1:
            raise DataError(
                "the file is cut off in the middle of a line",
                where=f"{cut_off_in}, line {line + number}",
                found=lines[number],
                hint="download it again; `tosg fetch` checks the hash",
            )
        file.note("clause that is not valid OBO, left out", 1, lines[number])
    return None


def _try(lines: list[str], *, whole: bool = False) -> tuple[Any, int | None]:
    """Frame (with ``whole``, all of them), or None and the position of the line at fault."""
    import fastobo

    try:
        document = fastobo.loads("\n".join(lines) + "\n", threads=1)
        return (list(document) if whole else document[0]), None
    except SyntaxError as error:
        return None, max(0, min((error.lineno or 1) - 1, len(lines) - 1))


def _repaired(clause: str) -> str:
    """Add what a clause lacks where its meaning is plain; "" for a tag without a value."""
    if re.fullmatch(r"[\w-]+:\s*", clause):
        return ""
    quoted = r'"(?:[^"\\]|\\.)*"'
    # References are not used here, so a list of them that is missing or malformed may go.
    if found := re.match(rf"def: {quoted}", clause):
        return f"{found.group()} []"
    if found := re.match(rf"(synonym: {quoted})\s*(EXACT|RELATED|NARROW|BROAD)?", clause):
        return f"{found.group(1)} {found.group(2) or 'RELATED'} []"
    return clause


def term_of_frame(frame: Any, line: int, file: FileLog) -> Term:
    """Take what is used from the clauses of a frame of fastobo, and note the others."""
    term = Term(str(frame.id), line)
    for clause in frame:
        tag = clause.raw_tag()
        if tag == "name":
            _take_name(term, clause.name, file)
        elif tag == "def":
            if term.definition is None:
                term.definition = clause.definition
            else:
                file.note("second definition of a term, left out", 1, f"{term.id} | {clause}")
        elif tag == "synonym":
            if (clause.synonym.scope or "RELATED") in _SAME:
                term.synonyms.append(clause.synonym.desc)
            else:
                file.note("synonym of something narrower or broader, left out")
        elif tag == "xref":
            _take_xref(term, clause, file)
        elif tag == "relationship":
            term.relationships.append((str(clause.typedef), str(clause.term)))
        elif not _take_simple(term, tag, clause):
            file.note(f"clause {tag} of a term, not used", 1, f"{term.id} | {clause}")
    return term


def _take_name(term: Term, name: str, file: FileLog) -> None:
    if term.name is None:
        term.name = name
        return
    term.synonyms.append(name)
    file.note("second name of a term, taken as a synonym", 1, f"{term.id} | {name}")


def _take_simple(term: Term, tag: str, clause: Any) -> bool:
    """Take a clause of one value; False where nothing uses such clauses."""
    if tag == "namespace":
        term.namespace = str(clause.namespace)
    elif tag == "alt_id":
        term.alt_ids.append(str(clause.alt_id))
    elif tag == "is_a":
        term.is_a.append(str(clause.term))
    elif tag == "is_obsolete":
        term.obsolete = clause.obsolete
    elif tag == "replaced_by":
        term.replaced_by.append(str(clause.term))
    elif tag == "consider":
        term.consider.append(str(clause.term))
    else:
        return False
    return True


def _take_xref(term: Term, clause: Any, file: FileLog) -> None:
    """Take a cross-reference, unless its qualifiers say that it is one to something else."""
    said = [text for q in clause.qualifiers or () for text in (str(q.key), str(q.value))]
    id_ = str(clause.xref.id)
    if any(_SAYS_EQUIVALENT.search(text) for text in said):
        term.xrefs.append(id_)
        term.exact.append(id_)
    elif any(_SAYS_OTHERWISE.search(text) for text in said):
        kind = "cross-reference to something related, broader or narrower, left out"
        file.note(kind, 1, f"{term.id} | {clause}")
    else:
        term.xrefs.append(id_)
