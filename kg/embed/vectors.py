"""Vectors and their keys at the nodes, and the vector indexes over them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

from tosg.kg.database import indexes as ddl
from tosg.kg.embed.info import ModelInfo, write_model_info
from tosg.kg.schema import names
from tosg.kg.schema.types import ENTITY, entity_types, snake
from tosg.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from tosg.kg.database.connection import Database
    from tosg.kg.database.lease import Lease

#: Nodes in one transaction.
VECTORS_PER_WRITE = 1_000

#: Seconds that vector indexes may take to come online.
VECTOR_INDEX_SECONDS = 3600.0

#: Links of a vector in the index, and candidates weighed for each: twice and four times Neo4j's
#: own, for genes that are called alike (docs/decisions/texts-and-search.md has the figures).
LINKS = 32
WEIGHED = 400

_SET = (
    f"CYPHER 5 UNWIND range(0, size($idx) - 1) AS i MATCH (n:{ENTITY} {{idx: $idx[i]}}) "
    "CALL db.create.setNodeVectorProperty(n, 'embedding', $vectors[i]) "
    "SET n.embedding_f32 = $bytes[i], n.embedding_key = $keys[i]"
)

_STRIP = (
    f"CYPHER 5 MATCH (n:{ENTITY}) WHERE n.embedding_key IS NOT NULL WITH n LIMIT $most "
    "REMOVE n.embedding, n.embedding_f32, n.embedding_key RETURN count(*) AS n"
)


def hash_text(info: ModelInfo, text: str) -> str:
    """Key of a text's vector: changes with the model, its revision or the text."""
    parts = "\0".join((info.name, info.revision, text))
    return hashlib.sha256(parts.encode("utf-8")).hexdigest()[:32]


def write_vectors(
    lease: Lease,
    info: ModelInfo,
    idx: Sequence[int],
    keys: Sequence[str],
    vectors: NDArray[np.float32],
) -> None:
    """Write vectors to nodes, and the model beside the first of each batch.

    Parameters
    ----------
    lease : Lease
    info : ModelInfo
    idx : sequence of int
        The nodes.
    keys : sequence of str
        Their keys.
    vectors : (n, D) float32
        Of unit length. `embedding` and `embedding_f32` get the same values to the bit.
    """
    little = vectors.astype("<f4", copy=False)
    for start in range(0, len(idx), VECTORS_PER_WRITE):
        part = slice(start, start + VECTORS_PER_WRITE)
        parameters: dict[str, Any] = {
            "idx": list(idx[part]),
            "keys": list(keys[part]),
            "vectors": vectors[part].tolist(),
            "bytes": [row.tobytes() for row in little[part]],
        }
        with lease.transaction() as tx:
            write_model_info(tx, info)
            tx.run(_SET, parameters).consume()


def strip(db: Database, lease: Lease) -> None:
    """Take away all vectors, their indexes, and the note of their model, in that order."""
    known = {index_name(label) for label in entity_types()}
    for found in ddl.found(db):
        if found.name in known:
            db.write(f"CYPHER 5 DROP INDEX {found.name} IF EXISTS")
    while True:
        with lease.transaction() as tx:
            gone = tx.run(_STRIP, most=10 * VECTORS_PER_WRITE).single(strict=True)["n"]
            if not gone:
                write_model_info(tx, None)
        if not gone:
            return


def index_name(label: str) -> str:
    """Name of the vector index of a type: ``gene_family_embedding``."""
    return f"{snake(label)}_embedding"


def ensure_indexes(
    db: Database,
    dim: int,
    labels: Sequence[str],
    *,
    wait: float | None = VECTOR_INDEX_SECONDS,
    progress: Progress = silent,
) -> list[str]:
    """Make the vector indexes of types that have vectors, and wait until they are online.

    Quantization is off: with it, a tenth to a quarter of the true neighbours are missed. An
    index that was made with other options is made again.

    Parameters
    ----------
    db : Database
    dim : int
        Width of the vectors.
    labels : sequence of str
        Types.
    wait : float, optional
        Seconds to wait for them; None does not wait.
    progress : Progress
        Called with the stage and how much of it is done.

    Returns
    -------
    list of str
        Names of those that were made.
    """
    wanted, present = _Options(dim, LINKS, WEIGHED, quantized=False), _present(db)
    made = []
    for label in labels:
        name, quoted = index_name(label), names.label(label)
        if present.get(name) == wanted or not _has_vectors(db, quoted):
            continue
        if name in present:
            db.write(f"CYPHER 5 DROP INDEX {name} IF EXISTS")
        db.write(
            f"CYPHER 5 CREATE VECTOR INDEX {name} IF NOT EXISTS FOR (n:{quoted}) "
            "ON (n.embedding) OPTIONS {indexConfig: {`vector.dimensions`: $dim, "
            "`vector.similarity_function`: 'cosine', `vector.quantization.enabled`: false, "
            "`vector.hnsw.m`: $links, `vector.hnsw.ef_construction`: $weighed}}",
            dim=dim,
            links=LINKS,
            weighed=WEIGHED,
        )
        made.append(name)
    # Also those that were there: a run that was killed leaves them filling.
    there = {index_name(label) for label in labels} & {*present, *made}
    if there and wait is not None:
        ddl.wait_online(db, wait, progress=progress)
    return made


def indexed_labels(db: Database) -> list[str]:
    """Types that have a vector index which is online, in the schema's order."""
    return [label for label, state in index_states(db).items() if state == "ONLINE"]


def index_states(db: Database) -> dict[str, str]:
    """State of each type's vector index, as the database calls it, in the schema's order."""
    states = {f.name: f.state for f in ddl.found(db) if f.kind == "VECTOR"}
    return {t: states[index_name(t)] for t in entity_types() if index_name(t) in states}


class _Options(NamedTuple):
    """What an index of vectors is made with, as far as it can differ."""

    dim: int
    links: int
    weighed: int
    quantized: bool


def _present(db: Database) -> dict[str, _Options]:
    rows = db.rows(
        "CYPHER 5 SHOW VECTOR INDEXES YIELD name, options RETURN name, options.indexConfig AS made"
    )
    return {r["name"]: _options(r["made"]) for r in rows}


def _options(made: dict[str, Any]) -> _Options:
    # 5.26 says whether an index is quantized, later versions say how.
    quantized = made.get("vector.quantization.enabled", made.get("vector.quantization.type"))
    return _Options(
        dim=made["vector.dimensions"],
        links=made["vector.hnsw.m"],
        weighed=made["vector.hnsw.ef_construction"],
        quantized=quantized not in (False, "NONE"),
    )


def _has_vectors(db: Database, quoted: str) -> bool:
    found = db.rows(
        f"CYPHER 5 MATCH (n:{quoted}) WHERE n.embedding_key IS NOT NULL RETURN 1 AS one LIMIT 1"
    )
    return bool(found)
