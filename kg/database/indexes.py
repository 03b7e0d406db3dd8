"""Making the constraints and indexes of the schema, and waiting for them.

`ensure_schema` makes what is missing and waits until everything is ``ONLINE``; an index whose
definition has changed in the schema is replaced. `tosg embed` makes the vector indexes, once the
width of the vectors is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tosg.deadline import Deadline
from tosg.errors import DatabaseError, SchemaError
from tosg.kg.schema.indexes import Definition, definitions
from tosg.progress import Progress, silent

if TYPE_CHECKING:
    from tosg.kg.database.connection import Database
    from tosg.kg.schema.indexes import IndexKind

_NOT_ONLINE = (
    "CYPHER 5 SHOW INDEXES YIELD name, type, state, populationPercent, failureMessage "
    "WHERE type <> 'LOOKUP' AND state <> 'ONLINE' "
    "RETURN name, state, populationPercent AS done, failureMessage AS reason ORDER BY name"
)

#: Seconds that indexes may take to come online.
INDEX_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class StoredIndex:
    """An index as the database shows it."""

    name: str
    kind: str
    label: str
    properties: tuple[str, ...]
    state: str
    owner: str | None


def ensure_schema(
    db: Database,
    *,
    wait: float | None = INDEX_SECONDS,
    progress: Progress = silent,
) -> list[str]:
    """Make the constraints and indexes that are missing; run again, it changes nothing.

    Parameters
    ----------
    db : Database
        The graph.
    wait : float, optional
        Seconds until everything must be online; None does not wait.
    progress : Progress
        Called with the stage and how much of it is done.

    Returns
    -------
    list of str
        Names of what was made.

    Raises
    ------
    SchemaError
        The data break a constraint.
    DatabaseError
        An index failed, or is not online in time.
    """
    present = {f.name: f for f in found(db)}
    missing = []
    for d in definitions():
        other = present.get(d.name)
        if other is not None and not _fits(d, other):
            drop_index(db, other)
            other = None
        if other is None:
            missing.append(d)
    # All indexes in one transaction are filled by one scan of the store, and while they are
    # filled the constraints (which wait for theirs one by one) are made.
    _create_indexes(db, [d for d in missing if d.kind == "RANGE"])
    for d in missing:
        if d.kind == "UNIQUENESS":
            _create_constraint(db, d)
    _create_indexes(db, [d for d in missing if d.kind == "FULLTEXT"])
    if wait is not None:
        wait_online(db, wait, progress=progress)
    return [d.name for d in missing]


def _create_indexes(db: Database, wanted: list[Definition]) -> None:
    if not wanted:
        return
    with db.session(write=True) as session, session.begin_transaction() as transaction:
        for d in wanted:
            transaction.run(d.statement()).consume()
        transaction.commit()


def _create_constraint(db: Database, d: Definition) -> None:
    try:
        db.write(d.statement())
    except DatabaseError as error:
        if "ConstraintCreationFailed" not in str(error.found):
            raise
        raise SchemaError(
            f"nodes of one label share a {d.properties[0]}",
            where=f":{d.label}({d.properties[0]})",
            found=error.found,
            expected="unique values",
            hint="`tosg check` lists them",
        ) from error


def _fits(wanted: Definition, other: StoredIndex) -> bool:
    kind = "RANGE" if wanted.kind == "UNIQUENESS" else wanted.kind
    return (
        other.kind == kind
        and other.label == wanted.label
        and set(other.properties) == set(wanted.properties)
        and (other.owner is not None) == (wanted.kind == "UNIQUENESS")
    )


def found(db: Database) -> list[StoredIndex]:
    """List the indexes of the database that stand on one label, as it shows them."""
    rows = db.rows(
        "CYPHER 5 SHOW INDEXES YIELD name, type, entityType, labelsOrTypes, properties, state, "
        "owningConstraint WHERE entityType = 'NODE' AND size(labelsOrTypes) = 1 "
        "RETURN name, type, labelsOrTypes[0] AS label, properties, state, owningConstraint "
        "ORDER BY name"
    )
    return [
        StoredIndex(
            r["name"],
            r["type"],
            r["label"],
            tuple(r["properties"]),
            r["state"],
            r["owningConstraint"],
        )
        for r in rows
    ]


def missing_or_offline(db: Database) -> list[str]:
    """Describe what of the schema's constraints and indexes is not there or not online."""
    present = {f.name: f for f in found(db)}
    problems = []
    for d in definitions():
        other = present.get(d.name)
        if other is None:
            problems.append(f"{d.kind.lower()} {d.name} is missing")
        elif not _fits(d, other):
            problems.append(f"{d.kind.lower()} {d.name} is not what the schema asks for")
        elif other.state != "ONLINE":
            problems.append(f"{d.kind.lower()} {d.name} is {other.state}")
    return problems


def wait_online(
    db: Database,
    deadline: float = INDEX_SECONDS,
    *,
    progress: Progress = silent,
) -> None:
    """Wait until every index of tosg is ``ONLINE``; those of other programs are their own matter.

    Parameters
    ----------
    db : Database
        The graph.
    deadline : float
        Seconds to wait at most.
    progress : Progress
        Called with the stage and how much of it is done.

    Raises
    ------
    DatabaseError
        An index failed (with the database's reason), or is not online in time.
    """
    end = Deadline(deadline)
    pause = 0.02
    while True:
        rows = [r for r in db.rows(_NOT_ONLINE) if is_own(r["name"])]
        failed = [r for r in rows if r["state"] == "FAILED"]
        if failed:
            raise DatabaseError(
                "an index could not be filled",
                where=", ".join(r["name"] for r in failed),
                found=_last_lines(failed[0]["reason"]),
                hint="`tosg repair` shortens what is too long for it, and makes it again",
            )
        progress("filling indexes", min((r["done"] for r in rows), default=100.0), 100.0)
        if not rows:
            return
        if end.passed:
            raise DatabaseError(
                f"indexes are not online after {deadline:g} s",
                where=", ".join(r["name"] for r in rows),
                found=f"{min(r['done'] for r in rows):.0f} % filled",
                hint="they go on filling; run the command again later",
                retryable=True,
            )
        end.sleep(pause)
        pause = min(pause * 1.5, 0.5)


def is_own(name: str) -> bool:
    """Whether an index of this name is one of tosg's: of the schema, or of vectors."""
    return name.endswith("_embedding") or any(d.name == name for d in definitions())


def _last_lines(reason: str) -> str:
    """What a failed index says, without the frames of the server's code."""
    said = [line.strip() for line in reason.splitlines() if not line.lstrip().startswith("at ")]
    return " ".join(said)[:500]


def drop(db: Database) -> list[str]:
    """Take away the schema's constraints and indexes; returns the names of those that were there.

    Parameters
    ----------
    db : Database
        The graph.
    """
    wanted = {d.name for d in definitions()}
    gone = [f for f in found(db) if f.name in wanted]
    for other in gone:
        drop_index(db, other)
    return [f.name for f in gone]


def drop_index(db: Database, other: StoredIndex) -> None:
    """Drop an index, or the constraint that it belongs to."""
    kind: IndexKind = "UNIQUENESS" if other.owner is not None else "RANGE"
    name = other.owner or other.name
    db.write(Definition(name, kind, other.label, other.properties).drop_statement())
