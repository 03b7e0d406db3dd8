"""Reading ontologies as OBO graph JSON, with fastobo: the same terms as from the OBO file.

The format: https://github.com/geneontology/obographs.
"""

from __future__ import annotations

import io
import json
import re
from typing import TYPE_CHECKING, Any

from tosg.errors import DataError
from tosg.loaders.columns import REPEATED
from tosg.loaders.formats.obo import Term, open_obo, parse_terms, term_of_frame
from tosg.loaders.formats.opening import check_utf8, open_bytes, read_bytes, strip_bom

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tosg.kg.claims.log import FileLog


def is_json(path: Path) -> bool:
    """Whether the file is a JSON object, by its first bytes."""
    with open_bytes(path) as stream:
        return strip_bom(stream.read(512), path).lstrip().startswith(b"{")


def read_ontology(path: Path, file: FileLog) -> tuple[str, Iterator[Term]]:
    """Release and terms of an ontology file, OBO or OBO graph JSON.

    The caller counts each term as parsed or rejected; see `tosg.loaders.formats.obo.parse_terms`.

    Raises
    ------
    DataError
        The file is missing, cut off, in another encoding, or neither of the two.
    """
    if is_json(path):
        return _read_graph(path, file)
    obo = open_obo(path)
    return obo.release, parse_terms(obo, file)


def ontology_release(path: Path) -> str:
    """Release that an ontology file states; "" without one."""
    if not is_json(path):
        return open_obo(path).release
    with open_bytes(path) as stream:
        head = stream.read(1 << 20)
    return _day(head.decode("utf-8", "replace"))


def _read_graph(path: Path, file: FileLog) -> tuple[str, Iterator[Term]]:
    import fastobo

    data = strip_bom(read_bytes(path), path)
    check_utf8(data, path, first_line=1)
    try:
        # fastobo aborts on JSON of another shape, so that is looked at first.
        if not isinstance(json.loads(data)["graphs"][0]["nodes"], list):
            raise TypeError("nodes is not a list")
        document = fastobo.load_graph(io.BytesIO(data))
    except (SyntaxError, ValueError, RuntimeError, LookupError, TypeError) as error:
        raise DataError(
            "the file is not an OBO graph, or is cut off",
            where=path,
            found=" ".join(str(error).split())[:200],
            expected='{"graphs": [{"nodes": [...], "edges": [...]}]}',
            hint="download it again; is this the right file? see `tosg sources`",
        ) from error
    if not any(type(frame).__name__ == "TermFrame" for frame in document):
        raise DataError("the ontology has no terms", where=path, hint="is this the right file?")
    return _day(str(document.header)), _terms(document, file)


def _terms(document: Iterable[Any], file: FileLog) -> Iterator[Term]:
    """Terms in the order of the file; ``line`` is the position of the node, from 1."""
    seen: set[str] = set()
    for position, frame in enumerate(document, 1):
        if type(frame).__name__ != "TermFrame":
            continue
        file.read()
        term = term_of_frame(frame, position, file)
        if term.id in seen:
            file.note(REPEATED, 1, term.id)
        seen.add(term.id)
        yield term


def _day(text: str) -> str:
    """First day of a release in a text, as in ``releases/2026-07-31/doid.json``."""
    found = re.search(r"releases/(?:v)?(\d{4}-\d{2}-\d{2})", text)
    return found.group(1) if found else ""
