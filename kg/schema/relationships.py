"""Types of relationships between entities, one entry each, and their properties."""

from __future__ import annotations

from tosg.kg.schema.kinds import RelationshipType

_GENE_PRODUCTS = ("Gene", "Protein")

_INTERACTORS = (*_GENE_PRODUCTS, "Complex")

RELATIONSHIP_TYPES: tuple[RelationshipType, ...] = (
    RelationshipType(
        "INTERACTS_WITH",
        (
            *tuple((a, b) for a in _INTERACTORS for b in _INTERACTORS),
            *tuple((a, "Metabolite") for a in _INTERACTORS),
            *tuple(("Metabolite", b) for b in _INTERACTORS),
        ),
        "binds or acts together with",
        directed=False,
    ),
    RelationshipType(
        "REGULATES",
        tuple(
            (a, b)
            for a in (*_GENE_PRODUCTS, "Complex", "Metabolite")
            for b in (*_GENE_PRODUCTS, "Complex", "Metabolite")
        ),
        "changes the activity or amount of; sign 1 up, -1 down, 0 unknown",
        keys=("sign",),
        self_loops=True,
    ),
    RelationshipType(
        "PHOSPHORYLATES",
        tuple((a, b) for a in _GENE_PRODUCTS for b in _GENE_PRODUCTS),
        "adds a phosphate to",
        self_loops=True,
    ),
    RelationshipType("ENCODES", (("Gene", "Protein"),), "is the gene of"),
    RelationshipType("TRANSCRIBED_TO", (("Gene", "Transcript"),), "is transcribed to"),
    RelationshipType("TRANSLATED_TO", (("Transcript", "Protein"),), "is translated to"),
    RelationshipType(
        "MEMBER_OF",
        (
            ("Gene", "GeneFamily"),
            ("Protein", "GeneFamily"),
            ("Complex", "GeneFamily"),
            ("GeneFamily", "GeneFamily"),
            ("Protein", "Complex"),
            ("Gene", "Complex"),
            ("Metabolite", "Complex"),
            ("Complex", "Complex"),
            ("Drug", "DrugClass"),
        ),
        "belongs to",
    ),
    RelationshipType(
        "PARTICIPATES_IN",
        tuple(
            (a, b)
            for a in (*_GENE_PRODUCTS, "Complex", "Metabolite", "Drug")
            for b in ("Pathway", "BiologicalProcess")
        ),
        "takes part in",
    ),
    RelationshipType(
        "LOCATED_IN",
        tuple((a, "CellularComponent") for a in (*_GENE_PRODUCTS, "Complex")),
        "is found in",
    ),
    RelationshipType(
        "HAS_FUNCTION",
        tuple((a, "MolecularFunction") for a in (*_GENE_PRODUCTS, "Complex")),
        "has the function",
    ),
    RelationshipType(
        "ASSOCIATED_WITH",
        (
            *tuple(
                (a, b)
                for a in (*_GENE_PRODUCTS, "Pathway", "CellType", "Anatomy")
                for b in ("Disease", "Phenotype")
            ),
            ("Disease", "Anatomy"),
            ("Disease", "CellType"),
            ("Disease", "Pathway"),
            ("Gene", "Drug"),
        ),
        "is associated with; of a gene and a drug: with the response to it",
    ),
    RelationshipType(
        "TARGETS",
        tuple(("Drug", b) for b in (*_GENE_PRODUCTS, "Complex")),
        "acts on",
        keys=("action",),
    ),
    RelationshipType(
        "TREATS", (("Drug", "Disease"), ("Drug", "Phenotype")), "changes the course of"
    ),
    RelationshipType(
        "PALLIATES", (("Drug", "Disease"), ("Drug", "Phenotype")), "eases the symptoms of"
    ),
    RelationshipType(
        "CAUSES",
        (("Drug", "Phenotype"), ("Gene", "Disease"), ("Disease", "Phenotype")),
        "brings about",
    ),
    RelationshipType(
        "HAS_PHENOTYPE", (("Disease", "Phenotype"), ("Gene", "Phenotype")), "shows as"
    ),
    RelationshipType(
        "EXPRESSED_IN",
        tuple((a, b) for a in _GENE_PRODUCTS for b in ("Anatomy", "CellType")),
        "is expressed in",
    ),
    RelationshipType(
        "UPREGULATED_IN",
        tuple((a, b) for a in _GENE_PRODUCTS for b in ("Anatomy", "Disease", "CellType")),
        "is raised in",
    ),
    RelationshipType(
        "DOWNREGULATED_IN",
        tuple((a, b) for a in _GENE_PRODUCTS for b in ("Anatomy", "Disease", "CellType")),
        "is lowered in",
    ),
    RelationshipType(
        "UPREGULATES", tuple(("Drug", b) for b in _GENE_PRODUCTS), "raises the amount of"
    ),
    RelationshipType(
        "DOWNREGULATES", tuple(("Drug", b) for b in _GENE_PRODUCTS), "lowers the amount of"
    ),
    RelationshipType("LOCALIZES_TO", (("Disease", "Anatomy"),), "shows in"),
    RelationshipType(
        "RESEMBLES", (("Disease", "Disease"), ("Drug", "Drug")), "is similar to", directed=False
    ),
    RelationshipType(
        "COVARIES_WITH", (("Gene", "Gene"),), "evolves at the same rate as", directed=False
    ),
    RelationshipType(
        "IS_A",
        tuple(
            (t, t)
            for t in (
                "Disease",
                "Phenotype",
                "BiologicalProcess",
                "MolecularFunction",
                "CellularComponent",
                "Anatomy",
                "CellType",
                "Pathway",
                "GeneFamily",
                "DrugClass",
                "Drug",
                "Metabolite",
            )
        ),
        "is a kind of",
    ),
    RelationshipType(
        "PART_OF",
        (
            *tuple(
                (t, t) for t in ("BiologicalProcess", "CellularComponent", "Anatomy", "Pathway")
            ),
            ("CellType", "Anatomy"),
            ("MolecularFunction", "BiologicalProcess"),
        ),
        "is part of",
    ),
)

#: Properties of relationships between knowledge nodes, besides a type's keys.
RELATIONSHIP_PROPERTIES: dict[str, tuple[str, str]] = {
    "sources": ("LIST<STRING>", "who claims it; sorted"),
    "licenses": ("LIST<STRING>", "under what licence; parallel to `sources`"),
    "releases": ("LIST<STRING>", "as of which release; parallel to `sources`"),
    "scores": ("LIST<FLOAT>", "each source's score 0..1, NaN where it gives none; parallel"),
    "evidence": ("LIST<STRING>", "each source's own numbers and references, JSON; parallel"),
    "score": ("FLOAT", "the greatest of `scores`; absent where there is none"),
    "sign": ("INTEGER", "1 up, -1 down, 0 unknown or contradicted; absent where none is given"),
    "action": ("STRING", "what the drug does to its target"),
}
