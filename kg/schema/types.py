"""The graph's schema, as data in one place.

Constraints, indexes, the quoting of names, ``tosg schema``, claim checks and the documentation's
tables all come from the two tables below. A new type is one entry.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from tosg.kg.schema.templates import DRUG_SECTIONS, GENE_SECTIONS, Template

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
    help : str
        What a node of this type is.
    template : Template
        How its text is composed.
    merge_by_name : bool
        Whether unambiguous names and synonyms join nodes of different prefixes.
    """

    label: str
    prefixes: tuple[str, ...]
    help: str
    template: Template
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
    self_loops : bool
        Whether a node may have it to itself.
    help : str
        How to read it: "start VERB end".
    """

    name: str
    pairs: tuple[tuple[str, str], ...]
    help: str
    directed: bool = True
    keys: tuple[str, ...] = ()
    self_loops: bool = False


ENTITY_TYPES: tuple[EntityType, ...] = (
    EntityType(
        "Gene",
        ("ncbigene", "hgnc", "ensembl"),
        "a gene; the join key of everything else",
        Template("a gene", 160, 400, GENE_SECTIONS),
    ),
    EntityType(
        "Transcript", ("ensembl", "refseq"), "a transcript of a gene", Template("a transcript")
    ),
    EntityType(
        "Protein",
        ("uniprot",),
        "a protein as UniProt names it",
        Template("a protein", 160, 400, GENE_SECTIONS),
    ),
    EntityType(
        "Complex",
        ("complexportal", "signor", "cellphonedb"),
        "a protein complex",
        Template("a protein complex"),
    ),
    EntityType(
        "GeneFamily", ("hgnc.genegroup",), "a group of related genes", Template("a gene family")
    ),
    EntityType(
        "Pathway",
        (
            "reactome",
            "wikipathways",
            "pid.pathway",
            "kegg.pathway",
            "pathwaycommons",
            "msigdb.set",
            "hetionet",
        ),
        "a named pathway",
        Template("a pathway"),
    ),
    EntityType(
        "BiologicalProcess", ("go",), "what genes do together", Template("a biological process")
    ),
    EntityType(
        "MolecularFunction", ("go",), "what one gene product does", Template("a molecular function")
    ),
    EntityType(
        "CellularComponent",
        ("go",),
        "where in or around the cell",
        Template("a cellular component"),
    ),
    EntityType(
        "Disease", ("mondo", "doid", "efo"), "a disease", Template("a disease"), merge_by_name=True
    ),
    EntityType(
        "Phenotype",
        ("hp", "mesh", "umls", "symp"),
        "a symptom or side effect",
        Template("a symptom or phenotype"),
        merge_by_name=True,
    ),
    EntityType(
        "Drug",
        ("drugbank", "drugcentral", "chembl.compound", "pubchem.compound"),
        "a drug or other compound given to people",
        Template("a drug", 160, 600, DRUG_SECTIONS),
        merge_by_name=True,
    ),
    EntityType("DrugClass", ("ndfrt", "atc"), "a class of drugs", Template("a class of drugs")),
    EntityType(
        "Metabolite",
        ("chebi", "hmdb", "kegg.compound"),
        "a small molecule of the cell",
        Template("a metabolite"),
    ),
    EntityType(
        "Anatomy",
        ("uberon",),
        "an organ, tissue or other part of the body",
        Template("an anatomical structure"),
    ),
    EntityType("CellType", ("cl",), "a type of cell", Template("a type of cell")),
)

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
        ),
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


@dataclass(frozen=True, slots=True)
class SupportType:
    """A node that is no knowledge: cells, and the graph's own bookkeeping.

    Attributes
    ----------
    label : str
        Neo4j label.
    unique : tuple of str
        Properties with a uniqueness constraint each.
    indexed : tuple of str
        Properties with a range index each.
    help : str
        What a node of this label is.
    """

    label: str
    unique: tuple[str, ...]
    help: str
    indexed: tuple[str, ...] = ()


SUPPORT_TYPES: tuple[SupportType, ...] = (
    SupportType("Dataset", ("id",), "a file of cells that was attached"),
    SupportType(
        "Cell",
        ("id", "idx"),
        "a cell, or a meta-cell where n_cells > 1, with its expression",
        ("dataset", "cell_type", "tissue", "disease", "donor_id"),
    ),
    SupportType(
        "CellGroup",
        ("id",),
        "a pseudobulk: the cells of one dataset, cell type, tissue, disease, sex and stage",
        ("dataset", "cell_type", "tissue", "disease"),
    ),
    SupportType("TosgMeta", ("key",), "schema version, revision, next idx, the writer's lease"),
    SupportType("TosgPending", (), "claims about relationships whose end no source has named yet"),
    SupportType("TosgReport", ("id",), "the report of one load"),
    SupportType("TosgBuild", ("id",), "what a recipe used: files, hashes, versions"),
)

#: Relationships that cells bring; written by attaching cells, not by loaders.
CELL_RELATIONSHIP_TYPES: tuple[RelationshipType, ...] = (
    RelationshipType(
        "EXPRESSES",
        (("CellGroup", "Gene"), ("CellGroup", "Protein")),
        "expresses, with mean log1p counts per 10,000 and the fraction of cells above 0",
    ),
    RelationshipType("OF_TYPE", (("CellGroup", "CellType"),), "is of the cell type"),
    RelationshipType("FROM_TISSUE", (("CellGroup", "Anatomy"),), "was taken from"),
    RelationshipType("WITH_DISEASE", (("CellGroup", "Disease"),), "has the disease"),
    RelationshipType("FROM", (("CellGroup", "Dataset"),), "belongs to the dataset"),
)

#: Properties of every knowledge node that have a range index per type label.
ENTITY_INDEXED = ("name", "symbol")

#: The full-text index on :Entity, and what it covers.
FULLTEXT_INDEX = "entity_text"
FULLTEXT_PROPERTIES = ("name", "symbol", "synonyms", "description", "text")

#: The full-text index on :Entity in which accents do not matter, and what it covers.
NAMES_INDEX = "entity_names"
NAMES_PROPERTIES = ("name", "symbol", "synonyms")
NAMES_ANALYZER = "standard-folding"

#: Properties of knowledge nodes: name -> (type, meaning).
ENTITY_PROPERTIES: dict[str, tuple[str, str]] = {
    "id": ("STRING", "CURIE with the Bioregistry prefix; unique"),
    "idx": ("INTEGER", "row number for block reads and exports; unique, never reused"),
    "name": ("STRING", "the preferred name"),
    "symbol": ("STRING", "the symbol of a gene or protein"),
    "synonyms": ("LIST<STRING>", "other names"),
    "previous": (
        "LIST<STRING>",
        "those of `synonyms` that a source has, or had before, as the name or symbol itself",
    ),
    "xrefs": ("LIST<STRING>", "other identifiers of the same concept, and cross-references"),
    "description": ("STRING", "the source's own text"),
    "text": ("STRING", "what is embedded: composed from name, synonyms, description and graph"),
    "embedding": ("LIST<FLOAT>", "the vector of `text`, unit length"),
    "embedding_f32": ("BYTES", "the same vector, little-endian float32"),
    "embedding_key": ("STRING", "hash of model, model revision and `text`"),
    "sources": ("LIST<STRING>", "who claims it; sorted"),
    "licenses": ("LIST<STRING>", "under what licence; parallel to `sources`"),
    "releases": ("LIST<STRING>", "as of which release; parallel to `sources`"),
    "joined": ("LIST<STRING>", "which identifiers were found to mean the same, how, by whom"),
    "claims": ("LIST<STRING>", "the claims as they were given, one JSON document each"),
}

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

#: Properties of cells, groups and data sets that tosg itself writes, besides `ENTITY_PROPERTIES`.
CELL_PROPERTIES = {
    **dict.fromkeys(
        (
            "dataset", "donor_id", "cell_type", "tissue", "disease", "sex", "development_stage",
            "assay", "group", "file", "unit", "title", "license", "no_donor",
        ),
        "STRING",
    ),
    **dict.fromkeys(("n_cells", "n_genes", "n_donors", "row"), "INTEGER"),
    **dict.fromkeys(
        (
            "age_years", "post_conception_weeks", "mean", "fraction", "expression_total",
            "n_counts_protein", "protein_clr",
        ),
        "FLOAT",
    ),
    "expression": "BYTES",
}  # fmt: skip

#: How the names of marker properties begin: the expression of one gene, on the cell.
MARKER_PREFIX = "expr_"

#: How the names of properties begin that place a cell on a map: ``map_umap`` is [x, y].
MAP_PREFIX = "map_"

#: Whose texts and scalars win where several sources describe one entity, best first; sources that
#: are not listed come after these in alphabetical order.
SOURCE_RANK: tuple[str, ...] = (
    "hgnc",
    "ncbi_gene",
    "uniprot",
    "mondo",
    "disease_ontology",
    "cl",
    "uberon",
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


@cache
def support_types() -> dict[str, SupportType]:
    """Labels of cells and bookkeeping, by label."""
    return {t.label: t for t in SUPPORT_TYPES}


@cache
def all_relationship_types() -> dict[str, RelationshipType]:
    """Relationship types of knowledge and of cells, by name."""
    return {t.name: t for t in (*RELATIONSHIP_TYPES, *CELL_RELATIONSHIP_TYPES)}


def snake(label: str) -> str:
    """Turn a label into the form that index names use: ``GeneFamily`` -> ``gene_family``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", label).lower()
