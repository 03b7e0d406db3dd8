"""The loader that most people write: one connection, ``UNWIND $rows ... MERGE``, 10,000 a time."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import neo4j

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

BATCH = 10_000

#: kind in Hetionet -> how its keys become CURIEs
PREFIXES = {
    "Anatomy": "uberon:",
    "Biological Process": "go:",
    "Cellular Component": "go:",
    "Compound": "drugbank:",
    "Disease": "doid:",
    "Gene": "ncbigene:",
    "Molecular Function": "go:",
    "Pharmacologic Class": "ndfrt:",
    "Side Effect": "umls:",
    "Symptom": "mesh:",
}


def curie(node: str) -> str:
    """Turn ``Disease::DOID:14330`` into ``doid:14330``."""
    kind, _, key = node.partition("::")
    if kind == "Pathway":
        if key.startswith("WP"):
            return "wikipathways:" + key.split("_")[0]
        return "hetionet:" + key
    return PREFIXES[kind] + key.split(":")[-1]


def load(
    uri: str,
    auth: tuple[str, str],
    sif: Path,
    metaedges: Mapping[str, Any],
    undirected: set[str],
    aliases: Mapping[str, str],
    release: str,
) -> int:
    """Load a SIF file into a graph that has the nodes, and a unique constraint on their ids.

    Parameters
    ----------
    uri, auth
        The database.
    sif : Path
        Hetionet's edges.
    metaedges : mapping
        Abbreviation to a record with ``type``, ``turned`` and ``sign``.
    undirected : set of str
        Types whose ends are put in order.
    aliases : mapping
        Identifier to that of the node, where it is another one.
    release : str
        Of the source.

    Returns
    -------
    int
        Rows that were sent.
    """
    waiting: dict[str, list[dict[str, Any]]] = {}
    sent = 0
    with (
        neo4j.GraphDatabase.driver(uri, auth=auth) as driver,
        driver.session() as session,
        gzip.open(sif, "rt", encoding="utf-8") as file,
    ):
        next(file)
        for line in file:
            source, abbreviation, target = line.rstrip("\n").split("\t")
            metaedge = metaedges[abbreviation]
            start, end = curie(source), curie(target)
            start, end = aliases.get(start, start), aliases.get(end, end)
            if metaedge.turned or (metaedge.type in undirected and start > end):
                start, end = end, start
            properties = {"sources": ["hetionet"], "licenses": ["CC0 1.0"], "releases": [release]}
            if metaedge.sign is not None:
                properties["sign"] = metaedge.sign
            rows = waiting.setdefault(metaedge.type, [])
            rows.append({"start": start, "end": end, "properties": properties})
            if len(rows) == BATCH:
                _send(session, metaedge.type, rows)
                sent += len(rows)
                rows.clear()
        for type_, rows in waiting.items():
            _send(session, type_, rows)
            sent += len(rows)
    return sent


def _send(session: neo4j.Session, type_: str, rows: list[dict[str, Any]]) -> None:
    session.run(
        "UNWIND $rows AS row MATCH (a:Entity {id: row.start}) MATCH (b:Entity {id: row.end}) "
        f"MERGE (a)-[r:{type_}]->(b) SET r += row.properties",
        rows=rows,
    ).consume()
