"""The report that every load ends with: what was read, claimed, rejected, joined and written.

Three sums must hold, or the load fails:

- rows of each file: read = parsed + rejected;
- claims of each source: given = made + merged + unchanged + rejected;
- the database: before + made - removed = after, per label and relationship type, as the database
  itself counts them.
"""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tosg.errors import DatabaseError, TosgError
from tosg.html_text import rows_html
from tosg.kg.database.counts import GraphCounts
from tosg.kg.schema.types import ENTITY, SCHEMA_VERSION
from tosg.kg.write.counts import WriteCounts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tosg.kg.claims.log import Rejection, SourceLog
    from tosg.kg.merge.counts import SourceCounts

#: Examples of joined and ambiguous identifiers that the report keeps.
IDENTITY_EXAMPLES = 20


def new_id() -> str:
    """Name for a load: its start in UTC, and something that no other load has."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(3)}"


@dataclass(slots=True)
class IdentityReport:
    """Identifiers that were joined into one node, and those that were not because unclear."""

    joined: int = 0
    by: dict[str, int] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)
    ambiguous: int = 0
    ambiguous_examples: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "joined": self.joined,
            "by": dict(sorted(self.by.items())),
            "examples": self.examples,
            "ambiguous": self.ambiguous,
            "ambiguous_examples": self.ambiguous_examples,
        }


def identity_of(joins: Iterable[Any], ambiguous: Iterable[object]) -> IdentityReport:
    """Sum up joins (which have ``how``) and ambiguities for the report."""
    joins, unclear = list(joins), [str(a) for a in ambiguous]
    by = Counter(str(j.how) for j in joins)
    shown = [str(j) for j in joins[:IDENTITY_EXAMPLES]]
    return IdentityReport(len(joins), dict(by), shown, len(unclear), unclear[:IDENTITY_EXAMPLES])


@dataclass(frozen=True, slots=True)
class Undated:
    """Files of one source that state no release, and what they met in the graph.

    Attributes
    ----------
    files : list of str
        Their base names.
    stored : list of str
        Releases of the source's stored claims, oldest first; "" where these state none either.
    """

    files: list[str]
    stored: list[str]

    def as_dict(self) -> dict[str, list[str]]:
        """Plain values for JSON."""
        return {"files": self.files, "stored": self.stored}


@dataclass
class LoadReport:
    """Everything that one load did.

    Attributes
    ----------
    id : str
        Name of the load; sorts by time.
    way : str
        ``import`` (first load of an empty managed database) or ``bolt``.
    sources : list of SourceLog
        Rows of each file that each loader read.
    hashes : dict of str to str
        sha256 of each file, by its path as in `sources`.
    claims : dict
        Source to what became of its claims.
    rejections : list of Rejection
        Claims that were not used (rows that were not are in `sources`).
    identity : IdentityReport
        Nodes merged, identifiers that were unclear.
    licenses : list of str
        Licences of the claims that were read, ``unstated`` where a source states none.
    unmatched : list of str
        Patterns of licences to leave out that none of them fits.
    pending : int
        Claims kept beside the graph until a source brings their ends.
    left_alone : dict of str to int
        Nodes and relationships of other programs, or damaged ones, that the load met and left as
        they are, by kind; `tosg check` names all of them.
    disappeared : dict of str to dict
        For sources of which the graph held another release: ``entities`` and ``relationships``
        that this release does not claim any more. They stay, with the release that did.
    undated : dict of str to Undated
        For sources of which the graph held claims from other files: the files that state no
        release, so that it is not known which is the newer.
    excerpts : dict of str to set of str
        Sources of which an excerpt was loaded, not the whole, and the types that it claims.
    recovered : str or None
        What of a data set that an interrupted run had left was completed or cleared.
    remapped : dict of str to int
        Data sets of cells whose mapping changed, with the variables that are mapped now.
    not_remapped : dict of str to str
        Data sets of cells that could not be mapped again, and why.
    written : WriteCounts
        What the writer did.
    before, after : GraphCounts
        What the database counted.
    seconds : dict of str to float
        Time per stage.
    """

    id: str
    way: str = ""
    sources: list[SourceLog] = field(default_factory=list)
    hashes: dict[str, str] = field(default_factory=dict)
    claims: dict[str, SourceCounts] = field(default_factory=dict)
    rejections: list[Rejection] = field(default_factory=list)
    identity: IdentityReport = field(default_factory=IdentityReport)
    licenses: list[str] = field(default_factory=list)
    unmatched: list[str] = field(default_factory=list)
    pending: int = 0
    texts: int | None = None
    left_alone: dict[str, int] = field(default_factory=dict)
    disappeared: dict[str, dict[str, int]] = field(default_factory=dict)
    undated: dict[str, Undated] = field(default_factory=dict)
    excerpts: dict[str, set[str]] = field(default_factory=dict)
    recovered: str | None = None
    remapped: dict[str, int] = field(default_factory=dict)
    not_remapped: dict[str, str] = field(default_factory=dict)
    written: WriteCounts = field(default_factory=WriteCounts)
    before: GraphCounts = field(default_factory=GraphCounts)
    after: GraphCounts = field(default_factory=GraphCounts)
    seconds: dict[str, float] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Whether the load changed the graph."""
        return self.written.anything

    def _repr_html_(self) -> str:
        columns = ("source", "rows read", "rejected", "claims", "made", "merged", "unchanged",
                   "not used")  # fmt: skip
        rows = []
        for log in self.sources:
            c = self.claims.get(log.source)
            rows.append(
                (
                    log.source,
                    sum(f.rows_read for f in log.files.values()),
                    sum(f.rows_rejected for f in log.files.values()),
                    *((c.given, c.made, c.merged, c.unchanged, c.rejected) if c else (0,) * 5),
                )
            )
        done = f"by {self.way}" if self.changed else "changed nothing"
        notes = [*self.differences, f"{self.pending:,} claims wait for their ends"]
        return rows_html(f"Load {self.id}: {done}", columns, rows, notes=notes)

    def check_sums(self) -> None:
        """Check the sums of rows and of claims.

        Raises
        ------
        TosgError
            A sum does not hold.
        """
        for log in self.sources:
            for file in log.files.values():
                if file.rows_read != file.rows_parsed + file.rows_rejected:
                    raise TosgError(
                        "rows of a file do not add up; this is a fault in tosg",
                        where=file.path,
                        found=f"{file.rows_parsed} parsed + {file.rows_rejected} rejected",
                        expected=f"{file.rows_read} read",
                    )
        for source, c in self.claims.items():
            if c.given != c.made + c.merged + c.unchanged + c.rejected:
                raise TosgError(
                    "claims of a source do not add up; this is a fault in tosg",
                    where=source,
                    found=f"{c.made} made + {c.merged} merged + {c.unchanged} unchanged "
                    f"+ {c.rejected} rejected",
                    expected=f"{c.given} given",
                )

    def check_graph(self) -> None:
        """Compare what was written with what the database counts before and after.

        Raises
        ------
        DatabaseError
            They differ; all differences are listed, and kept in ``differences``.
        """
        self.differences = [
            *_differences(":", self.before.entities, self.after.entities, self.written.nodes),
            *_differences(
                "-", self.before.knowledge, self.after.knowledge, self.written.relationships
            ),
        ]
        # Nodes that another program made may have no type label, or several.
        nodes = self.written.total("nodes")
        expected = self.before.nodes.get(ENTITY, 0) + nodes.made - nodes.removed
        expected -= self.written.extra_labels
        if self.after.nodes.get(ENTITY, 0) != expected:
            self.differences.append(
                f":{ENTITY}: {self.after.nodes.get(ENTITY, 0)} in the database, {expected} by the "
                "report"
            )
        if self.differences:
            raise DatabaseError(
                "the database does not hold what the load wrote",
                where=f"load {self.id}",
                found="; ".join(self.differences[:10]),
                expected="before + made - removed = after",
                hint="did another program write at the same time? `tosg check` looks further; "
                "running the load again is safe",
            )

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        from tosg.version import VERSION

        return {
            "id": self.id,
            "tosg": VERSION,
            "schema_version": SCHEMA_VERSION,
            "way": self.way,
            "changed": self.changed,
            "agrees": not self.differences,
            "sources": [self._source(log) for log in self.sources],
            "claims": {s: c.as_dict() for s, c in sorted(self.claims.items())},
            "rejections": [r.as_dict() for r in self.rejections],
            "identity": self.identity.as_dict(),
            "licenses": self.licenses,
            "unmatched": self.unmatched,
            "pending": self.pending,
            "texts": self.texts,
            "left_alone": self.left_alone,
            "disappeared": self.disappeared,
            "undated": {s: u.as_dict() for s, u in sorted(self.undated.items())},
            "excerpts": {s: sorted(types) for s, types in sorted(self.excerpts.items())},
            "recovered": self.recovered,
            "remapped": self.remapped,
            "not_remapped": self.not_remapped,
            "written": self.written.as_dict(),
            "before": self.before.as_dict(),
            "after": self.after.as_dict(),
            "differences": self.differences,
            "seconds": {k: round(v, 3) for k, v in self.seconds.items()},
        }

    def _source(self, log: SourceLog) -> dict[str, Any]:
        document = log.as_dict()
        for shown, path in zip(document["files"], log.files, strict=True):
            shown["sha256"] = self.hashes.get(str(path))
        return document


def _differences(
    mark: str, before: Mapping[str, int], after: Mapping[str, int], written: Mapping[str, Any]
) -> list[str]:
    wrong = []
    for name in sorted({*before, *after, *written}):
        change = written.get(name)
        expected = before.get(name, 0) + (change.made - change.removed if change else 0)
        if after.get(name, 0) != expected:
            shown = f":{name}" if mark == ":" else f"[:{name}]"
            wrong.append(f"{shown}: {after.get(name, 0)} in the database, {expected} by the report")
    return wrong
