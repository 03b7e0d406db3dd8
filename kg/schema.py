"""The graph's schema, as data in one place.

Constraints, indexes, the quoting of names, ``tosg schema``, claim checks and the documentation's
tables all come from the two tables below. A new type is one entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

SCHEMA_VERSION = 1

#: Label that every knowledge node has besides its type's.
ENTITY = "Entity"


@dataclass(frozen=True, slots=True)
class EntityType:
    """One type of knowledge node.

    Attributes
    ----------
    label : str
        Neo4j label.
    prefixes : tuple of str
        Bioregistry prefixes whose identifiers name the concept itself, best first: the id of a
        class of equivalents is that of the best prefix; the others become ``xrefs``. A
        cross-reference with any other prefix is kept but never joins two nodes.
    merge_by_name : bool
        Whether an exact and unambiguous name joins nodes of different prefixes.
    help : str
        What a node of this type is.
    """

    label: str
    prefixes: tuple[str, ...]
    help: str
    merge_by_name: bool = False


@dataclass(frozen=True, slots=True)
class RelationshipType:
    """One type of relationship between knowledge nodes.

    Attributes
    ----------
    name : str
        Neo4j relationship type, a verb in upper case.
    pairs : tuple of (str, str)
        Labels of start and end that it allows.
    directed : bool
        Undirected relationships are stored once, ends ordered by CURIE.
    keys : tuple of str
        Properties that are part of its key besides type, start and end.
    help : str
        How to read it: "start VERB end".
    """

    name: str
    pairs: tuple[tuple[str, str], ...]
    help: str
    directed: bool = True
    keys: tuple[str, ...] = ()


ENTITY_TYPES: tuple[EntityType, ...] = (
    EntityType("Gene", ("ncbigene", "hgnc", "ensembl"), "a gene; the join key of everything else"),
    EntityType("Transcript", ("ensembl", "refseq"), "a transcript of a gene"),
    EntityType("Protein", ("uniprot",), "a protein as UniProt names it"),
    EntityType("Complex", ("complexportal", "signor", "cellphonedb"), "a protein complex"),
    EntityType("GeneFamily", ("hgnc.genegroup",), "a group of related genes"),
    EntityType(
        "Pathway",
        ("reactome", "wikipathways", "pid.pathway", "kegg.pathway", "pathwaycommons"),
        "a named pathway",
    ),
    EntityType("BiologicalProcess", ("go",), "what genes do together"),
    EntityType("MolecularFunction", ("go",), "what one gene product does"),
    EntityType("CellularComponent", ("go",), "where in or around the cell"),
    EntityType("Disease", ("mondo", "doid", "efo"), "a disease", merge_by_name=True),
    EntityType(
        "Phenotype", ("hp", "mesh", "umls", "symp"), "a symptom or side effect", merge_by_name=True
    ),
    EntityType(
        "Drug",
        ("drugbank", "drugcentral", "chembl.compound", "pubchem.compound"),
        "a drug or other compound given to people",
        merge_by_name=True,
    ),
    EntityType("DrugClass", ("ndfrt", "atc"), "a class of drugs"),
    EntityType("Metabolite", ("chebi", "hmdb", "kegg.compound"), "a small molecule of the cell"),
    EntityType("Anatomy", ("uberon",), "an organ, tissue or other part of the body"),
    EntityType("CellType", ("cl",), "a type of cell"),
)

_GENE_PRODUCTS = ("Gene", "Protein")

RELATIONSHIP_TYPES: tuple[RelationshipType, ...] = (
    RelationshipType(
        "INTERACTS_WITH",
        (
            ("Gene", "Gene"),
            ("Protein", "Protein"),
            ("Complex", "Complex"),
            ("Complex", "Protein"),
            ("Protein", "Complex"),
        ),
        "binds or acts together with",
        directed=False,
    ),
    RelationshipType(
        "REGULATES",
        tuple(
            (a, b)
            for a in (*_GENE_PRODUCTS, "Complex", "Metabolite")
            for b in (*_GENE_PRODUCTS, "Complex")
        ),
        "changes the activity or amount of; sign 1 up, -1 down, 0 unknown",
        keys=("sign",),
    ),
    RelationshipType(
        "PHOSPHORYLATES",
        tuple((a, b) for a in _GENE_PRODUCTS for b in _GENE_PRODUCTS),
        "adds a phosphate to",
    ),
    RelationshipType("ENCODES", (("Gene", "Protein"),), "is the gene of"),
    RelationshipType("TRANSCRIBED_TO", (("Gene", "Transcript"),), "is transcribed to"),
    RelationshipType("TRANSLATED_TO", (("Transcript", "Protein"),), "is translated to"),
    RelationshipType(
        "MEMBER_OF",
        (
            ("Gene", "GeneFamily"),
            ("Protein", "Complex"),
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
        tuple(
            (a, b)
            for a in (*_GENE_PRODUCTS, "Pathway", "CellType", "Anatomy")
            for b in ("Disease", "Phenotype")
        )
        + (("Disease", "Anatomy"), ("Disease", "CellType"), ("Disease", "Pathway")),
        "is associated with",
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
        tuple((t, t) for t in ("BiologicalProcess", "CellularComponent", "Anatomy", "Pathway"))
        + (("CellType", "Anatomy"), ("MolecularFunction", "BiologicalProcess")),
        "is part of",
    ),
)

#: Whose texts and scalars win where several sources describe one entity, best first; sources that
#: are not listed come after these in alphabetical order.
SOURCE_RANK: tuple[str, ...] = (
    "hgnc",
    "ncbi_gene",
    "uniprot",
    "disease_ontology",
    "drugcentral",
    "goa",
    "pathways",
    "hetionet",
    "intact",
    "trrust",
    "demo",
)


@cache
def entity_types() -> dict[str, EntityType]:
    """Entity types by label."""
    return {t.label: t for t in ENTITY_TYPES}


@cache
def relationship_types() -> dict[str, RelationshipType]:
    """Relationship types by name."""
    return {t.name: t for t in RELATIONSHIP_TYPES}
