"""Mappings between ontologies as SSSOM tables (https://mapping-commons.github.io/sssom/).

A mapping's own predicate is obeyed: exact matches and equivalent classes are ``same_as``, which
joins nodes; close, related, broad and narrow matches join nothing and are counted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from tosg.loaders.columns import keep, not_negated, with_curies
from tosg.loaders.formats.opening import read_preamble
from tosg.loaders.formats.tables import Layout, read_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tosg.kg.claims.log import FileLog
    from tosg.loaders.base import Origin

_LAYOUT = Layout(
    ("subject_id", "predicate_id", "object_id"),
    optional=("subject_label", "object_label", "predicate_modifier"),
    comment="#",
)

#: Predicates that say that both are the same concept.
_EXACT = pa.array(["skos:exactMatch", "owl:equivalentClass", "owl:sameAs"])

_SHOWN = ("subject_id", "predicate_id", "object_id")


def mapping_release(path: Path) -> str:
    """``mapping_set_version`` of the header, its date where it has one; "" without it."""
    said = dict(line.split(":", 1) for line in read_preamble(path) if ":" in line)
    version = said.get("mapping_set_version", said.get("mapping_date", "")).strip(" '\"")
    day = re.search(r"\d{4}-\d{2}-\d{2}", version)
    return day.group() if day else version


def exact_mappings(path: Path, file: FileLog) -> Iterator[pa.RecordBatch]:
    """Rows that say that two concepts are the same, with ``subject`` and ``object`` as CURIEs.

    Others are rejected by kind: "not an exact match", "negated ...", "obsolete subject".
    """
    for raw in read_table(path, _LAYOUT, file):
        negated = pc.equal(raw.column("predicate_modifier"), "Not")
        batch = not_negated(raw, negated, file, _SHOWN)
        exact = pc.is_in(batch.column("predicate_id"), _EXACT)
        batch = keep(batch, exact, file, "not an exact match, joins nothing", _SHOWN)
        current = pc.invert(
            pc.match_substring_regex(batch.column("subject_label"), "(?i)^obsolete ")
        )
        batch = keep(batch, current, file, "obsolete subject", (*_SHOWN, "subject_label"))
        batch = with_curies(batch, "subject_id", "", file, to="subject", shown=_SHOWN)
        yield with_curies(batch, "object_id", "", file, to="object", shown=_SHOWN)


def mapping_claims(
    path: Path, file: FileLog, origin: Origin, prefix: str, type_: str
) -> Iterator[pa.RecordBatch]:
    """Entity claims of the subjects of one prefix, with their equivalents as ``same_as``.

    A subject has one claim, however many rows say what is the same.
    """
    found: dict[str, _Subject] = {}
    for rows in exact_mappings(path, file):
        ours = pc.starts_with(rows.column("subject"), f"{prefix}:")
        batch = keep(rows, ours, file, "subject of another ontology", _SHOWN)
        file.parsed(batch.num_rows)
        for row in batch.select(["subject", "object", "line", "subject_label"]).to_pylist():
            subject = found.setdefault(row["subject"], _Subject(row["line"], row["subject_label"]))
            subject.same.append(row["object"])
    yield origin.entities(
        len(found),
        pa.array([subject.line for subject in found.values()], pa.int64()),
        type=type_,
        id=list(found),
        name=[subject.label or None for subject in found.values()],
        same_as=[sorted(set(subject.same)) for subject in found.values()],
    )


@dataclass(slots=True)
class _Subject:
    """First line and label of a subject, and what is the same."""

    line: int
    label: str
    same: list[str] = field(default_factory=list)
