"""A small graph and its cells in a real database, whose values say where they come from.

Names: genes ``g0..g5``, proteins ``p0..p4``, a pathway, a drug. Numbers: the vector of node ``i``
at column ``j`` is ``i + j / 10000`` with ``i`` the place of the node by idx; the count of variable
``v`` in cell ``c`` is ``100 * c + v + 1`` or nothing. `dense` gives what an export has to hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tosg.kg.cells.values.codec import encode

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tosg.kg.database.connection import Database

DIMENSION = 6

#: (label, id, name); idx are 10, 13, 16, ... in this order.
NODES = (
    *(("Gene", f"ncbigene:{i}", f"G{i}") for i in range(6)),
    *(("Protein", f"uniprot:P{i}", f"P{i}") for i in range(5)),
    ("Pathway", "reactome:R-1", "signals"),
    ("Drug", "drugbank:DB1", "stopper"),
)
IDX = {id_: 10 + 3 * i for i, (_, id_, _) in enumerate(NODES)}
WITHOUT_TEXT = {"ncbigene:4", "reactome:R-1"}


def g(i: int) -> str:
    return f"ncbigene:{i}"


def p(i: int) -> str:
    return f"uniprot:P{i}"


#: (type, start, end, properties)
EDGES: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("ENCODES", g(0), p(0), {"source": "hgnc"}),
    ("ENCODES", g(1), p(1), {"source": "hgnc"}),
    ("ENCODES", g(1), p(2), {"source": "hgnc"}),
    ("ENCODES", g(2), p(3), {"source": "hgnc"}),
    ("ENCODES", g(3), p(3), {"source": "hgnc"}),
    ("INTERACTS_WITH", g(1), g(0), {"score": 0.5, "source": "hetionet"}),
    ("INTERACTS_WITH", p(0), p(1), {"score": 0.25, "source": "intact"}),
    ("INTERACTS_WITH", p(0), p(2), {"score": 0.75, "source": "intact"}),
    ("INTERACTS_WITH", p(1), p(2), {"score": 0.875, "source": "intact"}),
    ("INTERACTS_WITH", p(0), p(0), {"source": "intact"}),
    ("INTERACTS_WITH", p(3), p(4), {"source": "intact"}),
    ("INTERACTS_WITH", g(4), g(5), {"source": "hetionet"}),
    ("REGULATES", g(0), g(2), {"sign": 1, "source": "trrust"}),
    ("REGULATES", g(0), g(2), {"sign": -1, "source": "trrust"}),
    ("REGULATES", p(0), p(3), {"sign": 1, "score": 0.5, "source": "signor"}),
    ("PHOSPHORYLATES", p(0), p(1), {"sign": 1, "source": "signor"}),
    ("PHOSPHORYLATES", p(0), p(2), {"sign": -1, "source": "signor"}),
    ("TARGETS", "drugbank:DB1", g(0), {"action": "inhibitor", "source": "drugcentral"}),
    ("TARGETS", "drugbank:DB1", g(0), {"action": "agonist", "source": "drugcentral"}),
    ("TARGETS", "drugbank:DB1", p(3), {"source": "drugcentral"}),
    ("PARTICIPATES_IN", g(0), "reactome:R-1", {"source": "pathways"}),
    ("PARTICIPATES_IN", g(1), "reactome:R-1", {"source": "pathways"}),
    ("PARTICIPATES_IN", g(2), "reactome:R-1", {"source": "pathways"}),
)

#: Entity of each variable (None: unknown to the graph), and which are measured.
VARIABLES: dict[str, tuple[str | None, ...]] = {
    "alpha": (g(3), g(0), None, g(1), p(4), g(2)),
    "beta": (g(2), p(0), g(5), g(1)),
}
MEASURED = {
    "alpha": (True, True, True, True, True, True),
    "beta": (True, True, False, True),
}
TYPES = ("B cell", "T cell", "NK cell")


def cell_rows(dataset: str, donors: int, per_donor: int, first: int) -> list[dict[str, Any]]:
    """Cells of a data set; number ``c`` counts over all data sets from `first`."""
    rows: list[dict[str, Any]] = []
    for k in range(donors * per_donor):
        c = first + k
        counts = counts_of(dataset, c)
        rows.append(
            {
                "id": f"{dataset}:{c:04d}",
                "idx": 1000 + 7 * c,
                "dataset": dataset,
                "donor_id": f"d{k // per_donor}",
                "cell_type": TYPES[k % 3],
                "tissue": ("blood", "lung")[k % 2],
                "age_years": 20.0 + k // per_donor,
                "n_genes": len(counts),
                "n_counts": float(sum(counts.values()) or 1),
                "is_primary_data": c % 10 != 9,
                "row": k,
                "expr_X": 1.0,
                "expression": encode(list(counts), list(counts.values())),
                **({"note": f"only {c}"} if c % 4 == 0 else {}),
            }
        )
    return rows


def counts_of(dataset: str, c: int) -> dict[int, int]:
    """Counts of cell c by position of the variable."""
    n = len(VARIABLES[dataset])
    return {v: 100 * c + v + 1 for v in range(n) if (c + v) % 3 and (dataset != "beta" or v != 2)}


def dense(ids: list[str], nodes: list[str]) -> NDArray[np.float32]:
    """What cells hold as stored: (cells, nodes), 0 where nothing is stored."""
    out = np.zeros((len(ids), len(nodes)), dtype=np.float32)
    place = {node: i for i, node in enumerate(nodes)}
    for j, id_ in enumerate(ids):
        dataset, c = id_.split(":")
        for v, count in counts_of(dataset, int(c)).items():
            entity = VARIABLES[dataset][v]
            if entity in place and MEASURED[dataset][v]:
                out[j, place[entity]] = count
    return out


def write_graph(db: Database) -> None:
    """Write the knowledge side into a database that has the schema's constraints."""
    rows: list[dict[str, Any]] = []
    for i, (label, id_, name) in enumerate(NODES):
        vector = [i + j / 10_000 for j in range(DIMENSION)]
        properties: dict[str, Any] = {
            "id": id_,
            "idx": IDX[id_],
            "name": name,
            "text": f'{name}: "quoted",\ttab\nline é',
            "sources": ["hetionet", "hgnc"],
            "licenses": ["CC0", ""],
            "releases": ["1.0", "2024"],
        }
        if label in ("Gene", "Protein"):
            properties["symbol"] = name
        if id_ not in WITHOUT_TEXT:
            properties |= {"embedding_f32": np.array(vector, "<f4").tobytes()}
        rows.append({"label": label, "p": properties})
    for label in {r["label"] for r in rows}:
        db.write(
            f"UNWIND $rows AS row CREATE (n:Entity:{label}) SET n = row.p",
            rows=[r for r in rows if r["label"] == label],
        )
    for kind in sorted({e[0] for e in EDGES}):
        chosen = [(s, e, dict(props)) for t, s, e, props in EDGES if t == kind]
        db.write(
            "UNWIND $rows AS row MATCH (a:Entity {id: row.s}), (b:Entity {id: row.e}) "
            f"CREATE (a)-[r:{kind}]->(b) SET r = row.p",
            rows=[{"s": s, "e": e, "p": _claims(props)} for s, e, props in chosen],
        )
    db.write(
        "MERGE (m:TosgMeta {key: 'graph'}) SET m.schema_version = 1, m.revision = 3, "
        "m.next_idx = 5000, m.embedding_model = 'toy', m.embedding_revision = 'r1'"
    )


def write_all(db: Database) -> None:
    """Write the knowledge side and both data sets."""
    write_graph(db)
    write_cells(db)


def _claims(props: dict[str, Any]) -> dict[str, Any]:
    source = props.pop("source")
    return {**props, "sources": [source], "licenses": ["CC BY 4.0"], "releases": ["r"]}


def write_cells(
    db: Database, *, donors: tuple[int, int] = (6, 4), per_donor: int = 9, unit: str = "counts"
) -> int:
    """Write both data sets; returns the number of cells."""
    total = 0
    for dataset, n in zip(VARIABLES, donors, strict=True):
        rows = cell_rows(dataset, n, per_donor, total)
        total += len(rows)
        db.write(
            "CREATE (d:Dataset) SET d = $p",
            p={
                "id": dataset,
                "title": f"The {dataset} cells",
                "license": "CC BY 4.0",
                "unit": unit if dataset == "beta" else "counts",
                "storage": "inline",
                "files": [f"{dataset}.h5ad"],
                "sha256s": [f"{dataset}-hash"],
                "variables": [f"{dataset}_v{i}" for i in range(len(VARIABLES[dataset]))],
                "variable_entities": [e or "" for e in VARIABLES[dataset]],
                "measured": list(MEASURED[dataset]),
                "n_cells": len(rows),
                "path": f"{dataset}.h5ad",
                "matrix": "X",
                "mean_unit": "log1p_cp10k",
            },
        )
        for start in range(0, len(rows), 5000):
            db.write(
                "UNWIND $rows AS row CREATE (c:Cell) SET c = row", rows=rows[start : start + 5000]
            )
    return total
