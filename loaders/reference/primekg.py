"""PrimeKG's words for things, and the graph's: types of nodes, and identifiers by their source.

STaRK keeps the same nodes in files of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from tosg.kg.schema.curies import parse_curies

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Type of PrimeKG -> type of the graph.
PRIMEKG_TYPES = {
    "gene/protein": "Gene",
    "drug": "Drug",
    "disease": "Disease",
    "effect/phenotype": "Phenotype",
    "biological_process": "BiologicalProcess",
    "molecular_function": "MolecularFunction",
    "cellular_component": "CellularComponent",
    "pathway": "Pathway",
    "anatomy": "Anatomy",
}

#: Source of diseases that are several of MONDO's.
GROUP_SOURCE = "MONDO_grouped"

#: Kind of rejection of such a disease: which one is meant is not said.
A_GROUP = "group of diseases, not one"

_PREFIXES = {
    "NCBI": "ncbigene", "DrugBank": "drugbank", "MONDO": "mondo", "HPO": "hp", "GO": "go",
    "REACTOME": "reactome", "UBERON": "uberon",
}  # fmt: skip
_PAD = {"mondo": 7, "hp": 7, "go": 7, "uberon": 7}


def translate(values: pa.Array, words: Mapping[str, str]) -> pa.Array:
    """The word that each value means; null where it means none."""
    return pa.array(list(words.values())).take(pc.index_in(values, pa.array(list(words))))


def primekg_curies(ids: pa.Array, sources: pa.Array) -> pa.Array:
    """CURIEs from number and source; numbers of ontologies have lost their leading zeros."""
    prefix = translate(sources, _PREFIXES)
    for name, width in _PAD.items():
        ours = pc.fill_null(pc.equal(prefix, name), False)
        ids = pc.if_else(ours, pc.utf8_lpad(ids, width, "0"), ids)
    return parse_curies(pc.binary_join_element_wise(prefix, ids, ":"))
