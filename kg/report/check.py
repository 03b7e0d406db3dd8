"""Checks of a whole graph against the schema, its bookkeeping and its last report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tosg.errors import DataError
from tosg.kg.database import counts as stats
from tosg.kg.database import indexes as ddl
from tosg.kg.database.bookkeeping import read_meta, read_properties
from tosg.kg.database.lease import is_at_work
from tosg.kg.merge.pending import is_readable
from tosg.kg.report import kept
from tosg.kg.report.claims_check import check_claims
from tosg.kg.report.findings import Finding
from tosg.kg.schema import names
from tosg.kg.schema.types import (
    ENTITY,
    SCHEMA_VERSION,
    all_relationship_types,
    entity_types,
    support_types,
)
from tosg.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tosg.kg.database.connection import Database

_PENDING = "CYPHER 5 MATCH (p:TosgPending) RETURN p.rows AS rows ORDER BY p.source, p.part"

#: Rules in the order they are checked.
RULES = (
    "labels",
    "relationships",
    "claims",
    "indexes",
    "numbers",
    "bookkeeping",
    "counts",
    "embeddings",
)


def check(db: Database, progress: Progress = silent) -> list[Finding]:
    """Check a graph; empty where all is well. Reads every node and relationship once.

    Parameters
    ----------
    db : Database
        The graph.
    progress : Progress
        Called with each rule.
    """
    counts = stats.count(db)
    found = (
        _labels(db),
        _relationships(db, counts),
        check_claims(db, counts),
        (Finding("indexes", problem) for problem in ddl.missing_or_offline(db)),
        _numbers(db),
        _bookkeeping(db),
        _counts(db, counts),
        _embeddings(db),
    )
    findings: list[Finding] = []
    for number, (rule, of_rule) in enumerate(zip(RULES, found, strict=True)):
        progress(f"checking {rule}", number, len(RULES))
        findings += of_rule
    return findings


def _labels(db: Database) -> Iterator[Finding]:
    types = list(entity_types())
    rows = db.rows(
        f"CYPHER 5 MATCH (n:{ENTITY}) "
        "WITH n, size([l IN labels(n) WHERE l IN $types]) AS types WHERE types <> 1 "
        "RETURN types = 0 AS none, count(*) AS n, min(n.id) AS example",
        types=types,
    )
    for r in rows:
        what = "no type label" if r["none"] else "more than one type label"
        yield Finding("labels", f"knowledge nodes have {what}", r["n"], str(r["example"]))
    known = list(names.labels())
    rows = db.rows(
        f"CYPHER 5 MATCH (n) WHERE NOT n:{ENTITY} "
        "UNWIND CASE WHEN size(labels(n)) = 0 THEN [''] ELSE labels(n) END AS label "
        "WITH label, n WHERE label IN $types OR NOT label IN $known "
        "RETURN label, count(*) AS n, min(elementId(n)) AS example ORDER BY label",
        types=types,
        known=known,
    )
    for r in rows:
        what = (
            f"nodes have the label {r['label']} and not {ENTITY}"
            if r["label"] in types
            else f"nodes have a label that the schema does not know: {r['label'] or '(none)'}"
        )
        yield Finding("labels", what, r["n"], r["example"])


def _relationships(db: Database, counts: stats.GraphCounts) -> Iterator[Finding]:
    ours = [*entity_types(), *support_types()]
    known = all_relationship_types()
    for name, n in counts.relationships.items():
        if name not in known:
            yield Finding(
                "relationships",
                f"relationships have a type that the schema does not know: {name}",
                n,
            )
            continue
        rows = db.rows(
            f"CYPHER 5 MATCH (a)-[r:{names.relationship_type(name)}]->(b) "
            "WITH [l IN labels(a) WHERE l IN $ours][0] AS start, "
            "[l IN labels(b) WHERE l IN $ours][0] AS end, a, b "
            "RETURN start, end, count(*) AS n, min(coalesce(a.id, '?') + ' -> ' + "
            "coalesce(b.id, '?')) AS example",
            ours=ours,
        )
        allowed = set(known[name].pairs)
        if not known[name].directed:
            allowed |= {(b, a) for a, b in allowed}
        for r in rows:
            if (r["start"], r["end"]) not in allowed:
                what = (
                    f"{name} goes from {r['start']} to {r['end']}, which the schema does not allow"
                )
                yield Finding("relationships", what, r["n"], r["example"])
    if counts.relationships.get("SIGNALS_IN"):
        rows = db.rows(
            "CYPHER 5 MATCH (n)-[r:SIGNALS_IN]->(g) "
            f"WHERE NOT EXISTS {{ MATCH (:{ENTITY} {{idx: r.target_idx}}) }} "
            "RETURN count(r) AS n, "
            "min(coalesce(n.id, '?') + ' in ' + coalesce(g.id, '?')) AS example"
        )
        if rows[0]["n"]:
            what = "SIGNALS_IN name a target that is not there"
            yield Finding("relationships", what, rows[0]["n"], rows[0]["example"])


def _numbers(db: Database) -> Iterator[Finding]:
    meta = read_meta(db)
    for label in (ENTITY, "Cell"):
        rows = db.rows(
            f"CYPHER 5 MATCH (n:{label}) WITH count(n) AS n, count(n.idx) AS numbered, "
            "count(DISTINCT n.idx) AS distinct, count(DISTINCT n.id) AS ids, "
            "max(n.idx) AS greatest RETURN *"
        )
        r = rows[0]
        if r["numbered"] < r["n"]:
            yield Finding("numbers", f":{label} nodes have no idx", r["n"] - r["numbered"])
        if r["distinct"] < r["numbered"]:
            yield Finding("numbers", f":{label} nodes share an idx", r["numbered"] - r["distinct"])
        if r["ids"] < r["n"]:
            yield Finding("numbers", f":{label} nodes have no id or share one", r["n"] - r["ids"])
        if r["greatest"] is not None and r["greatest"] >= meta.next_idx:
            yield Finding(
                "numbers",
                f"the greatest idx of :{label} is not below the next one",
                example=f"{r['greatest']}, next {meta.next_idx}",
            )


def _bookkeeping(db: Database) -> Iterator[Finding]:
    meta = read_meta(db)
    if meta.schema_version != SCHEMA_VERSION:
        yield Finding(
            "bookkeeping",
            f"the graph has schema version {meta.schema_version}, this tosg {SCHEMA_VERSION}",
        )
    at_work = meta.writer is not None and is_at_work(meta.writer)
    if meta.loading is not None:
        what = (
            "a load is at work; check again when it has ended"
            if at_work
            else "a load stopped half way; run it again, or `tosg repair`"
        )
        yield Finding("bookkeeping", what, example=str(meta.loading))
    lost = sum(not is_readable(row) for row in db.rows(_PENDING))
    if lost:
        what = "parts of waiting claims cannot be read; `tosg repair` removes them, then load again"
        yield Finding("bookkeeping", what, lost)
    if meta.unsettled and not at_work:
        yield Finding(
            "bookkeeping",
            "texts and cells have not followed the last load; run it again, or `tosg repair`",
        )


def _counts(db: Database, counts: stats.GraphCounts) -> Iterator[Finding]:
    if not kept.report_ids(db):
        return
    try:
        last = kept.read_report(db)
    except DataError as error:
        yield Finding("counts", f"{error.what}; the next load writes a new one")
        return
    after = stats.GraphCounts(last["after"]["nodes"], last["after"]["relationships"])
    for now, then in (
        (counts.entities, after.entities),
        (counts.knowledge, after.knowledge),
    ):
        for name in sorted({*now, *then}):
            if now.get(name, 0) != then.get(name, 0):
                yield Finding(
                    "counts",
                    f"{name}: {now.get(name, 0)} in the graph, "
                    f"{then.get(name, 0)} after the last load",
                    abs(now.get(name, 0) - then.get(name, 0)),
                    last["id"],
                )


def _embeddings(db: Database) -> Iterator[Finding]:
    rows = db.rows(
        f"CYPHER 5 MATCH (n:{ENTITY}) WHERE n.embedding IS NOT NULL "
        "RETURN size(n.embedding) AS width, count(*) AS n, min(n.id) AS example ORDER BY width"
    )
    expected = read_properties(db).get("embedding_dim")
    for r in rows:
        if expected is not None and r["width"] != expected:
            what = f"vectors have {r['width']} numbers, not {expected}"
            yield Finding("embeddings", what, r["n"], r["example"])
    if expected is None and len(rows) > 1:
        widths = ", ".join(str(r["width"]) for r in rows)
        yield Finding("embeddings", f"vectors differ in length: {widths}", rows[-1]["n"])
    rows = db.rows(
        f"CYPHER 5 MATCH (n:{ENTITY}) WHERE (n.embedding IS NULL) <> (n.embedding_f32 IS NULL) "
        "RETURN count(*) AS n, min(n.id) AS example"
    )
    if rows[0]["n"]:
        what = "nodes have only one of embedding and embedding_f32"
        yield Finding("embeddings", what, rows[0]["n"], rows[0]["example"])
