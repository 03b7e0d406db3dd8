"""PSI-MI TAB 2.5 to 2.7 (MITAB), a table of binary molecular interactions.

A field is ``-`` or a list with ``|`` of ``database:"identifier"(text)``; quotes are there only
where the identifier holds one of the marks. The columns are the same everywhere, their captions
are not: IntAct, FlyBase and InnateDB each have their own.

Format: https://psicquic.github.io/MITAB27Format.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from tosg.loaders.formats.tables import Layout

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Name of a column here -> its captions, without case, punctuation and a plural's ``(s)``.
_CAPTIONS = {
    "id_A": ("idinteractora", "uniqueidentifiera"),
    "id_B": ("idinteractorb", "uniqueidentifierb"),
    "alt_A": ("altidinteractora", "altidentifiera"),
    "alt_B": ("altidinteractorb", "altidentifierb"),
    "methods": ("interactiondetectionmethod",),
    "publications": ("publicationidentifier", "publicationid", "pmid"),
    "taxid_A": ("taxidinteractora", "ncbitaxida"),
    "taxid_B": ("taxidinteractorb", "ncbitaxidb"),
    "types": ("interactiontype",),
    "interaction_ids": ("interactionidentifier", "idinteractioninsourcedb"),
    "confidence": ("confidencevalue", "confidencescore", "interactionconfidencescore"),
    "expansion": ("expansionmethod",),
    "role_A": ("biologicalroleinteractora", "biologicalrolea"),
    "role_B": ("biologicalroleinteractorb", "biologicalroleb"),
    "negative": ("negative",),
}
_NAMES = {caption: name for name, captions in _CAPTIONS.items() for caption in captions}


def _header(line: str) -> list[str]:
    captions = [re.sub(r"\(s\)|[^a-z]", "", c.lower()) for c in line.split("\t")]
    return [_NAMES.get(caption, caption) for caption in captions]


#: Version 2.5 ends before the expansion; what it does not have is "".
MITAB = Layout(
    tuple(_CAPTIONS)[:11],
    optional=tuple(_CAPTIONS)[11:],
    parse_header=_header,
    members=("human.txt", "intact.txt", "*"),
)


def parse_identifiers(values: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Database (lower case) and identifier of the first entry of each field; null for ``-``."""
    parts = pc.extract_regex(
        pc.utf8_trim_whitespace(values), r'^(?P<db>[^:|"]+):"?(?P<id>[^"|(]+)"?'
    )
    return pc.utf8_lower(pc.struct_field(parts, 0)), pc.struct_field(parts, 1)


def find_value(values: pa.Array, database: str) -> pa.Array:
    """Identifier that follows a database in a field of several; "" where there is none."""
    pattern = rf'(?:^|\|){re.escape(database)}:"?(?P<value>[^"|(]*)'
    found = pc.struct_field(pc.extract_regex(values, pattern), 0)
    return pc.fill_null(pc.utf8_trim_whitespace(found), "")


def name_terms(values: pa.Array) -> pa.Array:
    """Names of the terms of a field, joined by ``|``, as ``physical association``; "" for ``-``."""
    name = r'(?:[\w-]+:)?"?MI:\d+"?\("?([^|]*?)"?\)(\||$)'
    return pc.replace_substring_regex(blank_dash(values), name, r"\1\2")


def blank_dash(values: pa.Array) -> pa.Array:
    """The same fields with "" for ``-``."""
    return pc.if_else(pc.equal(pc.utf8_trim_whitespace(values), "-"), "", values)


def has_term(values: pa.Array, accessions: Sequence[str]) -> pa.Array:
    """Whether a field has one of some terms of the PSI-MI vocabulary, as ``MI:0217``."""
    return pc.match_substring_regex(values, "|".join(rf"\b{a}\b" for a in accessions))


def is_taxon(values: pa.Array, taxon: str) -> pa.Array:
    """Whether a field names a taxon, as ``taxid:9606(human)``."""
    return pc.match_substring_regex(values, rf"(?:^|\|)taxid:{re.escape(taxon)}(?:$|[(|])")
