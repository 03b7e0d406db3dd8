"""Annotations with ontology terms: GAF 2.0 to 2.2, GPAD 1.x and 2.0, and GPI, the entities of GPAD.

None has a header of columns; the version stands in the first comment lines. What the five layouts
say in different columns is brought into one form here.

Formats: https://geneontology.org/docs/go-annotation-file-gaf-format-2.2/ and
https://github.com/geneontology/go-annotation/blob/master/specs/gpad-gpi-2-0.md
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from tosg.errors import DataError
from tosg.loaders.formats.opening import read_preamble
from tosg.loaders.formats.tables import Layout, read_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tosg.kg.claims.log import FileLog

_GAF = Layout(
    ("db", "local", "symbol", "qualifier", "term", "references", "evidence", "with", "aspect",
     "name", "synonyms", "type", "taxon", "date", "assigned_by", "extension", "form"),
    header=False, comment="!", ragged=15,
)  # fmt: skip
_GPAD_1 = Layout(
    ("db", "local", "qualifier", "term", "references", "evidence", "with", "other_taxon", "date",
     "assigned_by", "extension", "properties"),
    header=False, comment="!", ragged=10,
)  # fmt: skip
_GPAD_2 = Layout(
    ("subject", "negation", "qualifier", "term", "references", "evidence", "with", "other_taxon",
     "date", "assigned_by", "extension", "properties"),
    header=False, comment="!", ragged=10,
)  # fmt: skip
_GPI_1 = Layout(
    ("db", "local", "symbol", "name", "synonyms", "type", "taxon", "parent", "xrefs",
     "properties"),
    header=False, comment="!", ragged=7,
)  # fmt: skip
_GPI_2 = Layout(
    ("subject", "symbol", "name", "synonyms", "type", "taxon", "encoded_by", "parent", "members",
     "xrefs", "properties"),
    header=False, comment="!", ragged=6,
)  # fmt: skip

#: (tag of the version, its first number) -> layout.
_ANNOTATIONS = {("gaf", "2"): _GAF, ("gpa", "1"): _GPAD_1, ("gpa", "2"): _GPAD_2}
_ENTITIES = {("gpi", "1"): _GPI_1, ("gpi", "2"): _GPI_2}

#: Relations as GPAD 2.0 writes them, in the Relation Ontology -> their names in GAF.
_RELATIONS = {
    "RO:0002327": "enables",
    "RO:0002326": "contributes_to",
    "RO:0002331": "involved_in",
    "RO:0002263": "acts_upstream_of",
    "RO:0004034": "acts_upstream_of_positive_effect",
    "RO:0004035": "acts_upstream_of_negative_effect",
    "RO:0002264": "acts_upstream_of_or_within",
    "RO:0004032": "acts_upstream_of_or_within_positive_effect",
    "RO:0004033": "acts_upstream_of_or_within_negative_effect",
    "RO:0001025": "located_in",
    "BFO:0000050": "part_of",
    "RO:0002432": "is_active_in",
    "RO:0002325": "colocalizes_with",
}

#: What an annotation has, in any layout.
ANNOTATION_COLUMNS = (
    "subject", "negated", "relation", "term", "references", "evidence", "aspect", "taxon",
    "assigned_by", "form", "line",
)  # fmt: skip


def stated_date(path: Path) -> str:
    """Day on which the file was made, as its comments say; "" where they do not."""
    for line in read_preamble(path, "!"):
        if found := re.match(r"date-generated:\s*(\d{4}-\d{2}-\d{2})", line):
            return found.group(1)
    return ""


def states_species(path: Path) -> bool:
    """Whether the annotations of a file name the species of what they annotate: those of GAF do."""
    return _layout(path, _ANNOTATIONS) is _GAF


def is_annotation_file(path: Path) -> bool:
    """Whether a file says that it is GAF or GPAD."""
    return _version(path) is not None


def read_annotations(path: Path, file: FileLog) -> Iterator[pa.RecordBatch]:
    """Read a GAF or GPAD file in the form of `ANNOTATION_COLUMNS`.

    Yields
    ------
    RecordBatch
        ``subject`` as ``database:identifier``; ``negated``: bool; ``relation``: by name, with
        ``|`` between several, "" where GAF 2.1 says none; ``aspect``: F, P or C, "" in GPAD;
        ``taxon``: number of the first taxon, "" in GPAD; ``form``: the gene product form.

    Raises
    ------
    DataError
        The file says no version, or another than these.
    """
    layout = _layout(path, _ANNOTATIONS)
    for raw in read_table(path, layout, file):
        names = raw.schema.names
        said = pc.split_pattern(raw["qualifier"], "|")
        negated = pc.match_substring_regex(raw["qualifier"], r"(?i)(?:^|\|)\s*NOT\s*(?:$|\|)")
        if "negation" in names:
            negated = pc.or_(negated, pc.not_equal(pc.utf8_trim_whitespace(raw["negation"]), ""))
        empty = pa.repeat(pa.scalar(""), raw.num_rows)
        columns = {
            "subject": _subject(raw),
            "negated": negated,
            "relation": _relation(said),
            "aspect": raw["aspect"] if "aspect" in names else empty,
            "taxon": _taxon(raw["taxon"]) if "taxon" in names else empty,
            "form": raw["form"] if "form" in names else empty,
        }
        yield pa.record_batch(
            {n: columns[n] if n in columns else raw[n] for n in ANNOTATION_COLUMNS}
        )


def read_entities(path: Path, file: FileLog) -> Iterator[pa.RecordBatch]:
    """Read a GPI file: ``subject``, ``symbol``, ``name``, ``synonyms``, ``taxon``, ``parent``.

    Raises
    ------
    DataError
        The file says no version, or another than 1.x and 2.0.
    """
    layout = _layout(path, _ENTITIES)
    for raw in read_table(path, layout, file):
        kept = ("symbol", "name", "synonyms", "parent", "line")
        yield pa.record_batch(
            {
                "subject": _subject(raw),
                "taxon": _taxon(raw["taxon"]),
                **{name: raw[name] for name in kept},
            }
        )


def _subject(raw: pa.RecordBatch) -> pa.Array:
    if "subject" in raw.schema.names:
        whole = pc.utf8_trim_whitespace(raw["subject"])
    else:
        db, local = (pc.utf8_trim_whitespace(raw[name]) for name in ("db", "local"))
        whole = pc.binary_join_element_wise(db, local, ":")
    # `MGI:MGI:88039`: some databases repeat their name in the identifier.
    return pc.replace_substring_regex(whole, r"^(MGI|HGNC):(?:MGI|HGNC):", r"\1:")


def _relation(lists: pa.ListArray) -> pa.Array:
    flat = pc.utf8_trim_whitespace(lists.flatten())
    code = pc.index_in(flat, pa.array(list(_RELATIONS)))
    named = pc.coalesce(pa.array(list(_RELATIONS.values())).take(code), flat)
    plain = pc.if_else(pc.equal(pc.utf8_upper(named), "NOT"), "", named)
    joined = pc.binary_join(pa.ListArray.from_arrays(lists.offsets, plain), "|")
    return pc.replace_substring_regex(pc.replace_substring(joined, "||", "|"), r"^\||\|$", "")


def _taxon(values: pa.Array) -> pa.Array:
    """Number of the first taxon: a second one is the organism that it meets."""
    found = pc.extract_regex(values, r"^\s*(?:taxon|NCBITaxon|ncbitaxon):(?P<number>\d+)")
    return pc.fill_null(pc.struct_field(found, 0), "")


def _version(path: Path) -> tuple[str, str] | None:
    for line in read_preamble(path, "!"):
        if found := re.match(r"(gaf|gpa|gpad|gpi)-version:\s*(\d+)", line):
            return found.group(1).replace("gpad", "gpa"), found.group(2)
    return None


def _layout(path: Path, layouts: dict[tuple[str, str], Layout]) -> Layout:
    version = _version(path)
    layout = layouts.get(version) if version else None
    if layout is None:
        raise DataError(
            "the file states no version that is read",
            where=path,
            found=f"{version[0]}-version: {version[1]}.x" if version else "no version",
            expected=" or ".join(f"!{tag}-version: {number}.x" for tag, number in layouts),
            hint="is this the right file? see `tosg sources`",
        )
    return layout
