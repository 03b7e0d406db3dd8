"""Names of genes that passed through other tools, read back: ``HLA.DRA``, ``GRCh38_CD3D``.

Each reading is a guess. `tosg.kg.cells.var.matching` uses one only if all readings of a name lead
to one entity, and reports it.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

_PREFIX = re.compile(
    r"(?i)^(?:(?:GRCh3[78]|hg19|hg38|human|homo_sapiens)(?:\.p\d+)?[_.:-]+|gene[:-])(\S+)$"
)
_ENSG = r"(ENSG\d{11})(?:\.\d+)?"
_ID_FIRST = re.compile(rf"(?i)^{_ENSG}[_|:;,.(\- ]+([^\s)]+)\)?$")
_ID_LAST = re.compile(rf"(?i)^(\S+?)[_|:;,.(\- ]+{_ENSG}\)?$")
_PAR_Y = re.compile(rf"(?i)^{_ENSG}_PAR_Y$")
_ENTREZ_LAST = re.compile(r"^([A-Za-z][\w.-]*)\|(\d+)$")  # TCGA: CD3D|915
#: BD Rhapsody's targeted panels: CD3D|NM_000732.4|Reference_end; others join a transcript.
_TRANSCRIPT_LAST = re.compile(
    r"^([A-Za-z][\w.-]*)\|(?:[NX][MR]_\d+|ENST\d{11})(?:\.\d+)?(?:\|.*)?$"
)
_LOC = re.compile(r"^LOC(\d+)$")  # NCBI's name of a gene without a symbol: its number
_SUFFIX = re.compile(r"^(.+)[-.](\d{1,3})$")
_R_NUMBER = re.compile(r"^X(\d.*)$")

#: Dots that are tried as a dot or a dash; names with more are clones (RP11.34P13.7.2).
_MAX_DOTS = 3


def identifiers_in(text: str) -> Iterator[str]:
    """Yield identifiers that are joined to a name: ``ENSG00000167286_CD3D``, ``CD3D|915``."""
    bare = _bare(text)
    if bare != text:
        yield bare
    text = bare
    if (found := _PAR_Y.match(text) or _ID_FIRST.match(text)) or (found := _ID_LAST.match(text)):
        yield next(g for g in found.groups() if g and g.upper().startswith("ENSG"))
    if found := _ENTREZ_LAST.match(text):
        yield f"GeneID:{found[2]}"
    if found := _LOC.match(text):
        yield f"GeneID:{found[1]}"


def symbols_in(text: str, names: Container[str]) -> Iterator[str]:
    """Yield the symbols that a name may have been before a tool changed it.

    Parameters
    ----------
    text : str
        As in the file.
    names : container of str
        All names of the file: ``CD4-1`` is a second CD4 only where there is a first one.
    """
    bare = _bare(text)
    if bare != text:
        yield bare
    if found := _PAR_Y.match(bare):
        return
    joined = ((_ID_FIRST, 2), (_ID_LAST, 1), (_ENTREZ_LAST, 1), (_TRANSCRIPT_LAST, 1))
    for pattern, group in joined:
        if found := pattern.match(bare):
            yield found[group]
            return
    if (found := _SUFFIX.match(bare)) and found[1] in names:
        yield found[1]
        return
    if found := _R_NUMBER.match(bare):
        yield found[1]
    yield from _dashes(bare)


def _bare(text: str) -> str:
    """Strip blanks, quotes and the prefix of a human genome or of an annotation (gene-CD3D)."""
    text = text.strip().strip("\"'").strip()
    found = _PREFIX.match(text)
    return found[1] if found else text


def _dashes(text: str) -> Iterator[str]:
    """Yield a name with some of its dots as dashes: R writes HLA-DRA as HLA.DRA."""
    parts = text.split(".")
    if not 1 < len(parts) <= _MAX_DOTS + 1 or not all(parts):
        return
    for joints in itertools.product(".-", repeat=len(parts) - 1):
        reading = parts[0] + "".join(j + p for j, p in zip(joints, parts[1:], strict=True))
        if reading != text:
            yield reading
