"""Hetionet's words for things, and the graph's: kinds of nodes, metaedges, identifiers."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from tosg.kg.curies import curies

#: Kind of a Hetionet node -> (type, prefix of its identifiers).
KINDS: dict[str, tuple[str, str]] = {
    "Anatomy": ("Anatomy", "uberon"),
    "Biological Process": ("BiologicalProcess", "go"),
    "Cellular Component": ("CellularComponent", "go"),
    "Compound": ("Drug", "drugbank"),
    "Disease": ("Disease", "doid"),
    "Gene": ("Gene", "ncbigene"),
    "Molecular Function": ("MolecularFunction", "go"),
    "Pathway": ("Pathway", ""),  # two kinds of identifiers, see `pathway_curies`
    "Pharmacologic Class": ("DrugClass", "ndfrt"),
    "Side Effect": ("Phenotype", "umls"),
    "Symptom": ("Phenotype", "mesh"),
}


@dataclass(frozen=True)
class Metaedge:
    """How one metaedge is written in the graph; ``turned`` swaps its ends."""

    type: str
    source: str  # kinds of the ends, as in the SIF
    target: str
    turned: bool = False
    sign: int | None = None


METAEDGES: dict[str, Metaedge] = {
    "AdG": Metaedge("DOWNREGULATED_IN", "Anatomy", "Gene", turned=True),
    "AeG": Metaedge("EXPRESSED_IN", "Anatomy", "Gene", turned=True),
    "AuG": Metaedge("UPREGULATED_IN", "Anatomy", "Gene", turned=True),
    "CbG": Metaedge("TARGETS", "Compound", "Gene"),
    "CcSE": Metaedge("CAUSES", "Compound", "Side Effect"),
    "CdG": Metaedge("DOWNREGULATES", "Compound", "Gene"),
    "CpD": Metaedge("PALLIATES", "Compound", "Disease"),
    "CrC": Metaedge("RESEMBLES", "Compound", "Compound"),
    "CtD": Metaedge("TREATS", "Compound", "Disease"),
    "CuG": Metaedge("UPREGULATES", "Compound", "Gene"),
    "DaG": Metaedge("ASSOCIATED_WITH", "Disease", "Gene", turned=True),
    "DdG": Metaedge("DOWNREGULATED_IN", "Disease", "Gene", turned=True),
    "DlA": Metaedge("LOCALIZES_TO", "Disease", "Anatomy"),
    "DpS": Metaedge("HAS_PHENOTYPE", "Disease", "Symptom"),
    "DrD": Metaedge("RESEMBLES", "Disease", "Disease"),
    "DuG": Metaedge("UPREGULATED_IN", "Disease", "Gene", turned=True),
    "GcG": Metaedge("COVARIES_WITH", "Gene", "Gene"),
    "GiG": Metaedge("INTERACTS_WITH", "Gene", "Gene"),
    "GpBP": Metaedge("PARTICIPATES_IN", "Gene", "Biological Process"),
    "GpCC": Metaedge("LOCATED_IN", "Gene", "Cellular Component"),
    "GpMF": Metaedge("HAS_FUNCTION", "Gene", "Molecular Function"),
    "GpPW": Metaedge("PARTICIPATES_IN", "Gene", "Pathway"),
    "Gr>G": Metaedge("REGULATES", "Gene", "Gene", sign=0),
    "PCiC": Metaedge("MEMBER_OF", "Pharmacologic Class", "Compound", turned=True),
}

KIND_NAMES = pa.array(list(KINDS))
_KIND_TYPES = pa.array([label for label, _ in KINDS.values()])


def node_columns(ids: pa.Array) -> tuple[pa.Array, pa.Array, pa.Array]:
    """Type, CURIE and kind of ``Kind::identifier``; null where they cannot be told."""
    parts = pc.extract_regex(ids, r"^(?P<kind>[^:]+)::(?P<key>.+)$")
    kinds, keys = pc.struct_field(parts, 0), pc.struct_field(parts, 1)
    number = pc.index_in(kinds, KIND_NAMES)
    found = pa.nulls(len(ids), pa.string())
    for position, (_, prefix) in enumerate(KINDS.values()):
        chosen = pc.fill_null(pc.equal(number, position), False)
        if not pc.any(chosen).as_py():
            continue
        some = keys.filter(chosen)
        fitting = curies(some, prefix) if prefix else pathway_curies(some)
        found = pc.replace_with_mask(found, chosen, fitting)
    return _KIND_TYPES.take(number), found, kinds


def pathway_curies(keys: pa.Array) -> pa.Array:
    """CURIEs of Hetionet's pathways: ``WP100_r74146`` is a revision of WikiPathways WP100.

    ``PC7_10399`` is Hetionet's own number for a gene set of Pathway Commons 7.
    """
    unrevised = pc.replace_substring_regex(keys, r"^(WP\d+)_r\d+$", r"\1")
    return pc.coalesce(curies(unrevised, "wikipathways"), curies(keys, "hetionet"))
