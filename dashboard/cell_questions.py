"""What the view of the cells asks the graph; see `tosg.dashboard.questions`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tosg.cypher.quoting import quote_property
from tosg.dashboard.questions import frame_of
from tosg.kg.schema.support import MAP_PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from tosg.graph import KnowledgeGraph

#: Cells that a violin or a map shows at most.
MOST_CELLS = 2_000

#: Up to so many cells, all are read to draw the sample; of more, some are looked up.
SCANNED_CELLS = 20_000

#: Row numbers looked up at once, and for one sample at most.
_LOOKUPS, MOST_LOOKUPS = 8_000, 200_000

#: Steps over row numbers that spread evenly: a prime near the golden ratio of 2**32.
_SPREAD = 2654435761

#: Fields of a group that cells are filtered and counted by.
FILTER_FIELDS = ("cell_type", "tissue", "disease", "sex", "development_stage", "dataset")


def group_values(graph: KnowledgeGraph) -> dict[str, list[str]]:
    """The values of each field that groups of cells have."""
    fields = ", ".join(f"collect(DISTINCT g.{field}) AS {field}" for field in FILTER_FIELDS)
    row = graph.db.rows(f"CYPHER 5 MATCH (g:CellGroup) RETURN {fields}")[0]
    return {field: sorted(row[field]) for field in FILTER_FIELDS}


def _where(chosen: Mapping[str, Sequence[str]]) -> tuple[str, dict[str, list[str]]]:
    used = {f: list(values) for f, values in chosen.items() if values and f in FILTER_FIELDS}
    clause = " AND ".join(f"g.{field} IN ${field}" for field in used)
    return (f"WHERE {clause} " if clause else ""), used


def cells_by(
    graph: KnowledgeGraph, field: str, chosen: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Cells and groups per value of a field, over the groups that were chosen."""
    if field not in FILTER_FIELDS:
        raise ValueError(field)
    clause, params = _where(chosen)
    return frame_of(
        graph,
        f"MATCH (g:CellGroup) {clause}RETURN coalesce(g.{field}, 'not stated') AS {field}, "
        "sum(g.n_cells) AS cells, count(*) AS groups ORDER BY cells DESC",
        **params,
    )


def donors_of(graph: KnowledgeGraph, datasets: Sequence[str]) -> pd.DataFrame:
    """Donors of data sets and their cells, as attaching counted them: no cell is read.

    Returns
    -------
    DataFrame
        dataset, donor_id, cells; donors with most cells first.
    """
    import pandas as pd

    rows = [
        (dataset, row["name"] or row["label"], row["cells"])
        for dataset in datasets
        for row in graph.cells_report(dataset).fields.get("donor_id", {}).get("labels", [])
        if row["kind"] == "text"
    ]
    frame = pd.DataFrame(rows, columns=["dataset", "donor_id", "cells"])
    return frame.sort_values(["cells", "donor_id"], ascending=[False, True], ignore_index=True)


def dots(
    graph: KnowledgeGraph, genes: Sequence[str], chosen: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Mean and fraction of genes (ids) in the chosen groups.

    Returns
    -------
    DataFrame
        group, gene, place (of the gene in `genes`), mean, fraction, cells, unit; groups of one cell
        type, tissue and disease come as one row per data set. A gene below a group's threshold has
        no row there.
    """
    clause, params = _where(chosen)
    return frame_of(
        graph,
        "UNWIND range(0, size($genes) - 1) AS place "
        "MATCH (n:Entity {id: $genes[place]})-[:ENCODES*0..1]->(m) "
        f"MATCH (m)<-[e:EXPRESSES]-(g:CellGroup) {clause}MATCH (g)-[:FROM]->(d:Dataset) "
        "WITH g, d, n, m, e, place ORDER BY g.id, place "
        "RETURN g.id AS group_id, coalesce(g.cell_type, 'not stated') AS cell_type, "
        "g.tissue AS tissue, g.disease AS disease, g.dataset AS dataset, g.n_cells AS cells, "
        "coalesce(n.symbol, n.name, n.id) AS gene, place, m.id AS measured, e.mean AS mean, "
        "e.fraction AS fraction, d.mean_unit AS unit LIMIT 5000",
        **params,
        genes=list(genes),
    )


def sample_cells(
    graph: KnowledgeGraph,
    dataset: str,
    chosen: Mapping[str, Sequence[str]],
    donors: Mapping[str, int] | None = None,
) -> pd.DataFrame:
    """Up to `MOST_CELLS` cells of a data set, always the same ones.

    Parameters
    ----------
    graph : KnowledgeGraph
    dataset : str
    chosen : mapping
        Field of `FILTER_FIELDS` -> values that cells may have.
    donors : mapping, optional
        Only cells of these donors; with how many cells each has.

    Which cells are shown does not depend on their order in the file. Of many cells, some are looked
    up by row numbers spread over all; so a sample costs the same however many cells there are.

    Returns
    -------
    DataFrame
        idx, id, cell_type, tissue, disease, donor_id, sex; ascending by idx.
    """
    import pandas as pd

    fields = [f for f in chosen if chosen[f] and f in FILTER_FIELDS and f != "dataset"]
    clause = "".join(f" AND c.{field} IN ${field}" for field in fields)
    values = {f: list(chosen[f]) for f in fields}
    shown = (
        "RETURN c.idx AS idx, c.id AS id, c.cell_type AS cell_type, c.tissue AS tissue, "
        "c.disease AS disease, c.donor_id AS donor_id, c.sex AS sex"
    )
    if donors:
        clause += " AND c.donor_id IN $donors"
        values["donors"] = list(donors)
    where, params = _where({**chosen, "dataset": [dataset]})
    counted = f"MATCH (g:CellGroup) {where}RETURN coalesce(sum(g.n_cells), 0) AS n"
    fitting = int(frame_of(graph, counted, **params)["n"].iloc[0])
    if min(fitting, sum(donors.values()) if donors else fitting) <= SCANNED_CELLS:
        return frame_of(
            graph,
            f"MATCH (c:Cell {{dataset: $dataset}}) WHERE true{clause} "
            f"WITH c ORDER BY (c.idx * {_SPREAD}) % 4294967296 LIMIT $most {shown} ORDER BY idx",
            dataset=dataset,
            most=MOST_CELLS,
            **values,
        )
    low, high = _range_of_cells(graph)
    found: list[pd.DataFrame] = []
    for start in range(0, MOST_LOOKUPS, _LOOKUPS):
        # In the order of the look-ups, which is spread over all cells: any first part is a sample.
        rows = frame_of(
            graph,
            "UNWIND range(0, size($idx) - 1) AS n MATCH (c:Cell {idx: $idx[n]}) "
            f"WHERE c.dataset = $dataset{clause} {shown}, n ORDER BY n LIMIT $most",
            idx=[low + (n * _SPREAD) % (high - low + 1) for n in range(start, start + _LOOKUPS)],
            dataset=dataset,
            most=MOST_CELLS,
            **values,
        )
        found.append(rows.drop(columns="n"))
        if sum(map(len, found)) >= MOST_CELLS:
            break
    drawn = pd.concat(found).drop_duplicates("idx").head(MOST_CELLS)
    return drawn.sort_values("idx", ignore_index=True)


def _range_of_cells(graph: KnowledgeGraph) -> tuple[int, int]:
    """The least and the greatest row number of all cells, from their index."""
    ends = [
        graph.db.rows(
            "CYPHER 5 MATCH (c:Cell) USING INDEX c:Cell(idx) WHERE c.idx >= 0 "
            f"RETURN c.idx AS idx ORDER BY c.idx {order} LIMIT 1"
        )[0]["idx"]
        for order in ("ASC", "DESC")
    ]
    return int(ends[0]), int(ends[1])


def maps_of(graph: KnowledgeGraph, dataset: str) -> list[str]:
    """Names of the two-dimensional maps that a data set came with, as ``umap``."""
    rows = graph.db.rows(
        "CYPHER 5 MATCH (d:Dataset {id: $id}) RETURN coalesce(d.maps, []) AS maps", id=dataset
    )
    return [str(name) for name in rows[0]["maps"]] if rows else []


def places(graph: KnowledgeGraph, cell_idx: Sequence[int], name: str) -> pd.DataFrame:
    """Places of some cells on a map: idx, x, y; cells that it does not have are left out."""
    place = quote_property(MAP_PREFIX + name)
    return frame_of(
        graph,
        f"MATCH (c:Cell) WHERE c.idx IN $idx AND c.{place} IS NOT NULL "
        f"RETURN c.idx AS idx, c.{place}[0] AS x, c.{place}[1] AS y ORDER BY idx",
        idx=list(cell_idx),
    )


def expression_of_cells(
    graph: KnowledgeGraph, dataset: str, cell_idx: Sequence[int], entity_id: str
) -> list[float] | None:
    """Stored value of one entity in some cells, in the data set's unit; None if not measured."""
    import numpy as np

    from tosg.kg.cells.stored.dataset import datasets as read_datasets
    from tosg.kg.cells.stored.dataset import read_expression

    info = read_datasets(graph.db, [dataset])[0]
    wanted = {entity_id, *_products(graph, entity_id)}
    columns = [i for i, e in enumerate(info.variable_entities) if e in wanted and info.measured[i]]
    if not columns:
        return None
    values: list[float] = []
    for block in read_expression(graph.db, info, np.asarray(cell_idx, np.int64)):
        hit = np.isin(block.indices, columns)
        rows = np.repeat(np.arange(len(block)), np.diff(block.indptr))[hit]
        dense = np.zeros(len(block))
        np.add.at(dense, rows, block.values[hit])
        values += dense.tolist()
    return values


def _products(graph: KnowledgeGraph, id_: str) -> list[str]:
    rows = graph.db.rows(
        "CYPHER 5 MATCH (:Entity {id: $id})-[:ENCODES]->(p) RETURN p.id AS id", id=id_
    )
    return [row["id"] for row in rows]
