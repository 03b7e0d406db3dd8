"""Reads entities and facts, composes, compares with what is stored, writes what differs."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import polars as pl

from tosg.kg.database import bookkeeping as meta
from tosg.kg.database.lease import PATIENCE, hold_lease
from tosg.kg.reader.bulk import read_nodes
from tosg.kg.schema.names import choose_types
from tosg.kg.schema.types import ENTITY, entity_types
from tosg.kg.text.compose import ENTITIES, FACTS, compose, is_bare
from tosg.kg.text.facts import read_facts, read_known
from tosg.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tosg.kg.database.connection import Database
    from tosg.kg.database.lease import Lease

#: Texts in one transaction.
TEXTS_PER_WRITE = 5_000

_SET = (
    f"CYPHER 5 UNWIND range(0, size($idx) - 1) AS i MATCH (n:{ENTITY} {{idx: $idx[i]}}) "
    "SET n.text = $text[i]"
)


def refresh(
    db: Database,
    *,
    types: Sequence[str] | None = None,
    lease: Lease | None = None,
    connections: int = 4,
    progress: Progress = silent,
) -> int:
    """Compose the texts and write those that changed.

    Parameters
    ----------
    db : Database
        The graph.
    types : sequence of str, optional
        Labels of entities; by default all.
    lease : Lease, optional
        The right to write, where the caller holds it; by default it is taken if anything is to
        be written.
    connections : int
        Blocks read at once.
    progress : Progress
        Called with the stage and how much of it is done.

    Returns
    -------
    int
        Texts written; 0 where nothing changed, and then the graph is not touched.

    Raises
    ------
    UsageError
        The schema has no such type.
    DatabaseError
        Another writer is at work, or the database went away; what was written stays valid.
    """
    labels = choose_types(types)
    revision = meta.read_meta(db).revision
    changed = changed_texts(db, labels, connections)
    if changed.is_empty():
        return 0
    holding = hold_lease(db, "tosg text", wait=PATIENCE) if lease is None else nullcontext(lease)
    with holding as held:
        if meta.read_meta(db).revision != revision:
            changed = changed_texts(db, labels, connections)
        _write(held, changed, progress)
    return len(changed)


def changed_texts(db: Database, labels: Sequence[str], connections: int = 4) -> pl.DataFrame:
    """Compose the texts of some types; returns ``idx, text`` of those that are not as stored."""
    frames = _entities(db, connections)
    facts = FACTS.to_frame()
    if any(entity_types()[label].template.sections for label in labels):
        named = pl.concat(
            frame.select("idx", "name", "symbol", type=pl.lit(label))
            for label, frame in frames.items()
        )
        facts = read_facts(db, named, connections=connections)
    changed = []
    for label in labels:
        frame = frames[label]
        texts = compose(label, frame.select(list(ENTITIES)), facts)
        texts = _told(db, label, frame, texts)
        stored = frame.select("idx", stored="text")
        changed.append(
            texts.join(stored, on="idx")
            .filter(pl.col("text").ne_missing(pl.col("stored")))
            .select("idx", "text")
        )
    return pl.concat(changed).sort("idx")


def _told(db: Database, label: str, frame: pl.DataFrame, texts: pl.DataFrame) -> pl.DataFrame:
    """Tell relationships of those entities whose texts say nothing else."""
    known = read_known(db, texts.filter(is_bare(label))["idx"].to_list())
    if known.is_empty():
        return texts
    some = frame.select(list(ENTITIES)).join(known, on="idx", how="semi")
    return texts.update(compose(label, some, known), on="idx")


def _entities(db: Database, connections: int) -> dict[str, pl.DataFrame]:
    """Read the entities of all types at once; what other programs wrote amiss counts as absent."""
    columns = ("id", "name", "symbol", "synonyms", "description", "text", "type")
    schema = pl.Schema({**ENTITIES, "text": pl.String()})
    batches = list(read_nodes(db, ENTITY, columns, connections=connections, strict=False))
    frames = [pl.DataFrame(batch).select([*schema, "type"]) for batch in batches]
    everything = pl.concat([pl.Schema({**schema, "type": pl.String()}).to_frame(), *frames])
    return {
        label: everything.filter(pl.col("type") == label).drop("type") for label in entity_types()
    }


def _write(
    lease: Lease,
    changed: pl.DataFrame,
    progress: Progress,
) -> None:
    for start in range(0, len(changed), TEXTS_PER_WRITE):
        part = changed[start : start + TEXTS_PER_WRITE]
        with lease.transaction() as tx:
            tx.run(_SET, idx=part["idx"].to_list(), text=part["text"].to_list()).consume()
            if start == 0:
                meta.bump_revision(tx)
        progress("writing texts", start + len(part), len(changed))
