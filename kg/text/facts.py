"""What the graph says about genes, proteins and drugs, as one frame for the composer.

An annotation may stand at the gene or at its protein, depending on the source. Both texts tell
both, through ``ENCODES``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tosg.kg.reader.bulk import read_relationships
from tosg.kg.text.compose import FACTS

if TYPE_CHECKING:
    from tosg.kg.database.connection import Database

#: relationship type, label of the other end -> section of the gene's or protein's text
_OF_GENE_PRODUCTS = {
    ("HAS_FUNCTION", "MolecularFunction"): "functions",
    ("PARTICIPATES_IN", "BiologicalProcess"): "processes",
    ("PARTICIPATES_IN", "Pathway"): "pathways",
    ("LOCATED_IN", "CellularComponent"): "locations",
    ("ASSOCIATED_WITH", "Disease"): "diseases",
    ("CAUSES", "Disease"): "diseases",
}

TYPES = ("ASSOCIATED_WITH", "CAUSES", "ENCODES", "HAS_FUNCTION", "LOCATED_IN", "PARTICIPATES_IN",
         "TARGETS", "TREATS")  # fmt: skip


def read_facts(db: Database, entities: pl.DataFrame, *, connections: int = 4) -> pl.DataFrame:
    """Read the facts that texts tell.

    Parameters
    ----------
    db : Database
        The graph.
    entities : DataFrame
        ``idx, type, name, symbol`` of all knowledge nodes.
    connections : int
        Blocks read at once.

    Returns
    -------
    DataFrame
        In the schema `FACTS`.
    """
    batches = list(read_relationships(db, TYPES, ("score",), connections=connections))
    if not batches:
        return FACTS.to_frame()
    edges = pl.concat(
        [pl.DataFrame(batch).with_columns(pl.col("type").cast(pl.String)) for batch in batches]
    )
    return facts_of(edges, entities)


def facts_of(edges: pl.DataFrame, entities: pl.DataFrame) -> pl.DataFrame:
    """Turn relationships (``type, start_idx, end_idx, score``) into facts; see `read_facts`."""
    labels = entities.select("idx", label="type", item=pl.coalesce("name", "symbol"))
    ends = edges.join(labels.rename({"idx": "start_idx"}), on="start_idx").join(
        labels.rename({"idx": "end_idx"}), on="end_idx", suffix="_end"
    )
    products = ends.filter(pl.col("label").is_in(["Gene", "Protein"]))
    drugs = ends.filter(pl.col("label") == "Drug")
    about = [
        _side(products.filter((pl.col("type") == kind) & (pl.col("label_end") == other)), section)
        for (kind, other), section in _OF_GENE_PRODUCTS.items()
    ]
    targeted = drugs.filter(pl.col("type") == "TARGETS")
    about.append(_side(targeted, "drugs", at="end"))
    shared = _through_encodes(pl.concat(about), edges)
    symbols = entities.select(end_idx="idx", symbol=pl.coalesce("symbol", "name"))
    targets = targeted.join(symbols, on="end_idx").with_columns(item_end=pl.col("symbol"))
    return pl.concat(
        [
            shared,
            _side(targets, "targets"),
            _side(drugs.filter(pl.col("type") == "TREATS"), "treats"),
        ]
    ).drop_nulls("item")


def _side(edges: pl.DataFrame, section: str, at: str = "start") -> pl.DataFrame:
    """Facts about one side of relationships; the item is the name of the other."""
    return edges.select(
        idx=f"{at}_idx",
        section=pl.lit(section),
        item="item_end" if at == "start" else "item",
        score="score",
    )


def _through_encodes(facts: pl.DataFrame, edges: pl.DataFrame) -> pl.DataFrame:
    """Tell each gene what is said of its proteins, and each protein what is said of its genes."""
    encodes = edges.filter(pl.col("type") == "ENCODES").select("start_idx", "end_idx")
    swapped = encodes.select(start_idx="end_idx", end_idx="start_idx")
    pairs = pl.concat([encodes, swapped]).rename({"start_idx": "idx", "end_idx": "other"})
    passed_on = (
        facts.join(pairs, on="idx")
        .select("section", "item", "score", idx="other")
        .select(facts.columns)
    )
    return pl.concat([facts, passed_on])
