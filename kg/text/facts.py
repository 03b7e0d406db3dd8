"""What the graph says about entities, as one frame for the composer.

An annotation may stand at the gene or at its protein, depending on the source. Both texts tell
both, through ``ENCODES``. What is annotated tells its genes in turn: a pathway, a disease.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from tosg.kg.reader.bulk import read_relationships
from tosg.kg.schema.templates import KNOWN
from tosg.kg.schema.types import ENTITY, relationship_types
from tosg.kg.text.compose import FACTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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

#: relationship type, label of the start, label of the end -> section of the end's text
_OF_ENDS = {
    **{
        (kind, start, end): "genes"
        for kind, end in (*_OF_GENE_PRODUCTS, ("HAS_PHENOTYPE", "Phenotype"),
                          ("ASSOCIATED_WITH", "Phenotype"))
        for start in ("Gene", "Protein")
    },
    **{(kind, "Drug", end): "drugs" for kind in ("TREATS", "PALLIATES")
       for end in ("Disease", "Phenotype")},
    ("CAUSES", "Drug", "Phenotype"): "drugs",
    ("HAS_PHENOTYPE", "Disease", "Phenotype"): "diseases",
    **{("MEMBER_OF", start, end): "members" for start in ("Gene", "Protein", "Complex",
       "Metabolite", "GeneFamily") for end in ("Complex", "GeneFamily")},
}  # fmt: skip

TYPES = ("ASSOCIATED_WITH", "CAUSES", "ENCODES", "HAS_FUNCTION", "HAS_PHENOTYPE", "LOCATED_IN",
         "MEMBER_OF", "PALLIATES", "PARTICIPATES_IN", "TARGETS", "TREATS")  # fmt: skip

#: Facts about one end of a section; no text has room for more.
_MOST = 60

#: Entities in one query of `read_known`, and relationships of each that are told.
_BLOCK, _SHOWN = 2_000, 12

_KNOWN = f"""CYPHER 5
UNWIND $idx AS idx
MATCH (n:{ENTITY} {{idx: idx}})
CALL (n) {{
  MATCH (n)-[r]-(other:{ENTITY})
  WITH DISTINCT type(r) AS kind, startNode(r) = n AS out,
    coalesce(other.symbol, other.name, other.id) AS name
  RETURN kind, out, name ORDER BY kind, out DESC, name LIMIT {_SHOWN}
}}
RETURN idx, kind, out, name"""


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
    labels = entities.select(
        "idx",
        label="type",
        item=pl.coalesce("name", "symbol"),
        short=pl.coalesce("symbol", "name"),
    )
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
            _side(
                ends.filter((pl.col("type") == "HAS_PHENOTYPE") & (pl.col("label") == "Disease")),
                "phenotypes",
            ),
            *_of_ends(ends),
        ]
    ).drop_nulls("item")


def read_known(db: Database, idx: Sequence[int]) -> pl.DataFrame:
    """Read what relationships of any type say of some entities: the section ``known``.

    Parameters
    ----------
    db : Database
        The graph.
    idx : sequence of int
        Entities of which there is nothing else to tell.

    Returns
    -------
    DataFrame
        In the schema `FACTS`.
    """
    verbs = {t.name: t.help.partition(";")[0].strip() for t in relationship_types().values()}
    rows = [
        (r["idx"], KNOWN.key, _phrase(verbs[r["kind"]], r["name"], out=r["out"]), None)
        for start in range(0, len(idx), _BLOCK)
        for r in db.rows(_KNOWN, idx=list(idx[start : start + _BLOCK]))
        if r["kind"] in verbs
    ]
    return pl.DataFrame(rows, FACTS, orient="row")


def _phrase(verb: str, name: str, *, out: bool) -> str:
    """``is part of M phase``, or from the other end ``M phase is part of it``."""
    return f"{verb} {name}" if out else f"{name} {verb} it"


def _of_ends(ends: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Facts about what relationships lead to, the first of each: its genes, drugs, members."""
    table = pl.DataFrame(
        [(*key, section) for key, section in _OF_ENDS.items()],
        {"type": pl.String(), "label": pl.String(), "label_end": pl.String(),
         "section": pl.String()},
        orient="row",
    )  # fmt: skip
    yield (
        ends.join(table, on=["type", "label", "label_end"])
        .select("section", "score", idx="end_idx", item="short")
        .group_by("idx", "section", "item")
        .agg(pl.col("score").max())
        .sort("score", "item", descending=[True, False], nulls_last=True)
        .group_by("idx", "section", maintain_order=True)
        .head(_MOST)
        .select(FACTS.names())
    )


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
