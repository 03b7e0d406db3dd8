"""BioMedGraphica's words for things, and the graph's: entity numbers, and what is known of each.

An entity has a number of BioMedGraphica's own whose letters say its type (``BMG_GN000001`` in the
whole graph, ``BMGC_GN000001`` in the connected one). OmniCellTOSG names its nodes by them alone.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from tosg.kg.schema.curies import curies
from tosg.loaders.reference.graph_tables import EdgeRule

#: Letters of an entity's number -> type of the graph.
LETTERS = {
    "GN": "Gene",
    "TS": "Transcript",
    "PT": "Protein",
    "PW": "Pathway",
    "MT": "Metabolite",
    "PH": "Phenotype",
    "DS": "Disease",
    "DG": "Drug",
}

#: Type of a relation -> rule. Promoters, microbes and exposures have no type in the graph.
RELATIONS: dict[str, EdgeRule] = {
    "Gene-Transcript": EdgeRule("TRANSCRIBED_TO"),
    "Transcript-Protein": EdgeRule("TRANSLATED_TO"),
    "Protein-Protein": EdgeRule("INTERACTS_WITH"),
    "Protein-Pathway": EdgeRule("PARTICIPATES_IN"),
    "Protein-Phenotype": EdgeRule("ASSOCIATED_WITH"),
    "Protein-Disease": EdgeRule("ASSOCIATED_WITH"),
    "Pathway-Protein": EdgeRule("PARTICIPATES_IN", turned=True),
    "Pathway-Drug": EdgeRule("PARTICIPATES_IN", turned=True),
    "Metabolite-Protein": EdgeRule("INTERACTS_WITH"),
    "Metabolite-Pathway": EdgeRule("PARTICIPATES_IN"),
    "Phenotype-Disease": EdgeRule("HAS_PHENOTYPE", turned=True),
    "Disease-Phenotype": EdgeRule("HAS_PHENOTYPE"),
    "Drug-Protein": EdgeRule("TARGETS"),
    "Drug-Pathway": EdgeRule("PARTICIPATES_IN"),
    "Drug-Phenotype": EdgeRule("CAUSES"),
    "Drug-Disease": EdgeRule("TREATS"),
}


def number_columns(numbers: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Type and CURIE of BioMedGraphica's numbers; null where they are none, or of another type."""
    letters = pc.struct_field(
        pc.extract_regex(numbers, r"^BMGC?_(?P<letters>[A-Z]{2})\d+$"), "letters"
    )
    types = pa.array(list(LETTERS.values())).take(pc.index_in(letters, pa.array(list(LETTERS))))
    ids = curies(numbers, "biomedgraphica")
    return types, pc.if_else(types.is_valid(), ids, pa.scalar(None, pa.string()))
