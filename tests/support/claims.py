"""Claims as plain dicts, written short, and as the batches that loaders emit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tosg.kg.claims.schemas import entity_claims, relationship_claims
from tosg.kg.claims.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pyarrow as pa

Claim = dict[str, Any]

_LISTS = ("synonyms", "previous", "xrefs", "same_as", "replaces")


def entity(type_: str, id_: str, source: str = "s1", release: str = "1", **more: Any) -> Claim:
    """One claim about an entity."""
    claim: Claim = dict.fromkeys(("name", "symbol", "description"))
    claim |= {name: [] for name in _LISTS}
    claim |= {"kind": "entity", "type": type_, "id": id_, "source": source, "release": release}
    return {**claim, "part": "", "license": "", **more}


def edge(
    type_: str,
    start: tuple[str, str],
    end: tuple[str, str],
    source: str = "s1",
    release: str = "1",
    **more: Any,
) -> Claim:
    """One claim about a relationship; ends are (label, id), evidence a dict."""
    claim: Claim = dict.fromkeys(("sign", "action", "score"))
    claim |= {"kind": "edge", "type": type_, "start_type": start[0], "start": start[1]}
    claim |= {"end_type": end[0], "end": end[1], "source": source, "release": release}
    return {**claim, "license": "", "evidence": {}, **more}


def batches(claims: Sequence[Claim]) -> list[pa.RecordBatch]:
    """Claims as Arrow batches, in runs of one kind, in their order."""
    found = []
    for i, claim in enumerate(claims):
        row = {k: v for k, v in claim.items() if k != "kind"}
        columns: dict[str, object] = {k: [v] for k, v in row.items()}
        columns |= {"file": ["test.tsv"], "line": [i + 1]}
        if claim["kind"] == "entity":
            found.append(entity_claims(columns, 1))
        else:
            evidence = row["evidence"]
            columns["evidence"] = [json.dumps(evidence, sort_keys=True) if evidence else None]
            found.append(relationship_claims(columns, 1))
    return found


def fill(spool: Spool, claims: Iterable[Claim]) -> Spool:
    """Put claims into a spool."""
    for batch in batches(list(claims)):
        spool.add(batch)
    return spool


GENE, OTHER, PROTEIN = ("Gene", "ncbigene:1"), ("Gene", "ncbigene:2"), ("Protein", "uniprot:P1")
LUPUS = ("Disease", "mondo:1")

#: A small graph of two sources and a third's word on one relationship.
SMALL_GRAPH = [
    entity(*GENE, "a", name="one"),
    entity(*OTHER, "a", name="two"),
    entity(*PROTEIN, "a", name="three"),
    entity(*LUPUS, "b", name="lupus"),
    edge("INTERACTS_WITH", GENE, OTHER, "a", score=0.5),
    edge("ENCODES", GENE, PROTEIN, "a"),
    edge("ASSOCIATED_WITH", GENE, LUPUS, "b", score=0.25),
    edge("ASSOCIATED_WITH", GENE, LUPUS, "c", score=0.75),
]
