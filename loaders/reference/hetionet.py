"""Hetionet's words for things, and the graph's: kinds of nodes, metaedges, identifiers."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from tosg.kg.schema.curies import curies


@dataclass(frozen=True)
class NodeKind:
    """How one kind of Hetionet's nodes is written in the graph."""

    type: str
    prefix: str  # of its identifiers
    license: str  # that which Hetionet states for all nodes of this kind


_CC0 = "CC0 1.0"
_BY = "CC BY 4.0"
_BY3 = "CC BY 3.0"

#: The licences of nodes and edges are those that Hetionet's own notebook gives them
#: (integrate.ipynb in github.com/dhimmel/integrate at 93feba17). Pathways have one each, which the
#: files do not tell.
KINDS: dict[str, NodeKind] = {
    "Anatomy": NodeKind("Anatomy", "uberon", _BY3),
    "Biological Process": NodeKind("BiologicalProcess", "go", _BY),
    "Cellular Component": NodeKind("CellularComponent", "go", _BY),
    "Compound": NodeKind("Drug", "drugbank", "CC BY-NC 4.0"),
    "Disease": NodeKind("Disease", "doid", _BY3),
    "Gene": NodeKind("Gene", "ncbigene", _CC0),
    "Molecular Function": NodeKind("MolecularFunction", "go", _BY),
    "Pathway": NodeKind("Pathway", "", ""),  # two kinds of identifiers, see `pathway_curies`
    "Pharmacologic Class": NodeKind("DrugClass", "ndfrt", _BY),
    "Side Effect": NodeKind("Phenotype", "umls", "CC BY-NC-SA 4.0"),
    "Symptom": NodeKind("Phenotype", "mesh", _CC0),
}


@dataclass(frozen=True)
class Metaedge:
    """How one metaedge is written in the graph; ``turned`` swaps its ends."""

    type: str
    source: str  # kinds of the ends, as in the SIF
    target: str
    license: str = ""  # that which Hetionet states for all edges of this kind
    turned: bool = False
    sign: int | None = None


#: The notebook gives no licence to the edges of Bgee (AdG, AuG), LINCS L1000 (CdG, CuG, Gr>G), the
#: evolutionary rates (GcG) and the interactomes (GiG), and to AeG, CbG, DaG and GpPW one for each
#: edge, which the SIF does not tell.
METAEDGES: dict[str, Metaedge] = {
    "AdG": Metaedge("DOWNREGULATED_IN", "Anatomy", "Gene", turned=True),
    "AeG": Metaedge("EXPRESSED_IN", "Anatomy", "Gene", turned=True),
    "AuG": Metaedge("UPREGULATED_IN", "Anatomy", "Gene", turned=True),
    "CbG": Metaedge("TARGETS", "Compound", "Gene"),
    "CcSE": Metaedge("CAUSES", "Compound", "Side Effect", "CC BY-NC-SA 4.0"),
    "CdG": Metaedge("DOWNREGULATES", "Compound", "Gene"),
    "CpD": Metaedge("PALLIATES", "Compound", "Disease", _CC0),
    "CrC": Metaedge("RESEMBLES", "Compound", "Compound", _CC0),
    "CtD": Metaedge("TREATS", "Compound", "Disease", _CC0),
    "CuG": Metaedge("UPREGULATES", "Compound", "Gene"),
    "DaG": Metaedge("ASSOCIATED_WITH", "Disease", "Gene", turned=True),
    "DdG": Metaedge("DOWNREGULATED_IN", "Disease", "Gene", _CC0, turned=True),
    "DlA": Metaedge("LOCALIZES_TO", "Disease", "Anatomy", _CC0),
    "DpS": Metaedge("HAS_PHENOTYPE", "Disease", "Symptom", _CC0),
    "DrD": Metaedge("RESEMBLES", "Disease", "Disease", _CC0),
    "DuG": Metaedge("UPREGULATED_IN", "Disease", "Gene", _CC0, turned=True),
    "GcG": Metaedge("COVARIES_WITH", "Gene", "Gene"),
    "GiG": Metaedge("INTERACTS_WITH", "Gene", "Gene"),
    "GpBP": Metaedge("PARTICIPATES_IN", "Gene", "Biological Process", _BY),
    "GpCC": Metaedge("LOCATED_IN", "Gene", "Cellular Component", _BY),
    "GpMF": Metaedge("HAS_FUNCTION", "Gene", "Molecular Function", _BY),
    "GpPW": Metaedge("PARTICIPATES_IN", "Gene", "Pathway"),
    "Gr>G": Metaedge("REGULATES", "Gene", "Gene", sign=0),
    "PCiC": Metaedge("MEMBER_OF", "Pharmacologic Class", "Compound", _BY, turned=True),
}


def ends_of(metaedge: Metaedge) -> tuple[str, str, str]:
    """Start type, relationship type and end type of a metaedge, as stored."""
    ends = KINDS[metaedge.source].type, KINDS[metaedge.target].type
    start, end = ends[::-1] if metaedge.turned else ends
    return start, metaedge.type, end


KIND_NAMES = pa.array(list(KINDS))
_KIND_TYPES = pa.array([kind.type for kind in KINDS.values()])
KIND_LICENSES = pa.array([kind.license for kind in KINDS.values()])


def node_columns(ids: pa.Array) -> tuple[pa.Array, pa.Array, pa.Array]:
    """Type, CURIE and kind of ``Kind::identifier``; null where they cannot be told."""
    parts = pc.extract_regex(ids, r"^(?P<kind>[^:]+)::(?P<key>.+)$")
    kinds, keys = pc.struct_field(parts, 0), pc.struct_field(parts, 1)
    number = pc.index_in(kinds, KIND_NAMES)
    found = pa.nulls(len(ids), pa.string())
    for position, kind in enumerate(KINDS.values()):
        chosen = pc.fill_null(pc.equal(number, position), False)
        if not pc.any(chosen).as_py():
            continue
        some = keys.filter(chosen)
        fitting = curies(some, kind.prefix) if kind.prefix else pathway_curies(some)
        found = pc.replace_with_mask(found, chosen, fitting)
    return _KIND_TYPES.take(number), found, kinds


def pathway_curies(keys: pa.Array) -> pa.Array:
    """CURIEs of Hetionet's pathways: ``WP100_r74146`` is a revision of WikiPathways WP100.

    ``PC7_10399`` is Hetionet's own number for a gene set of Pathway Commons 7.
    """
    unrevised = pc.replace_substring_regex(keys, r"^(WP\d+)_r\d+$", r"\1")
    return pc.coalesce(curies(unrevised, "wikipathways"), curies(keys, "hetionet"))
