"""Types of entities, one entry each, and the properties of an entity."""

from __future__ import annotations

from tosg.kg.schema.kinds import EntityType
from tosg.kg.schema.templates import (
    DISEASE_SECTIONS,
    DRUG_SECTIONS,
    GENE_SECTIONS,
    GROUP_SECTIONS,
    PHENOTYPE_SECTIONS,
    TERM_SECTIONS,
    Template,
)

ENTITY_TYPES: tuple[EntityType, ...] = (
    EntityType(
        "Gene",
        ("ncbigene", "hgnc", "ensembl", "biomedgraphica"),
        "a gene; the join key of everything else",
        Template("a gene", 160, 400, GENE_SECTIONS),
    ),
    EntityType(
        "Transcript",
        ("ensembl", "refseq", "biomedgraphica"),
        "a transcript of a gene",
        Template("a transcript"),
    ),
    EntityType(
        "Protein",
        ("uniprot", "biomedgraphica"),
        "a protein as UniProt names it",
        Template("a protein", 160, 400, GENE_SECTIONS),
    ),
    EntityType(
        "Complex",
        ("complexportal", "signor", "cellphonedb", "fplx", "tosg"),
        "a protein complex",
        Template("a protein complex", sections=GROUP_SECTIONS),
    ),
    EntityType(
        "GeneFamily",
        ("hgnc.genegroup", "fplx", "signor"),
        "a group of related genes",
        Template("a gene family", sections=GROUP_SECTIONS),
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
            "biomedgraphica",
        ),
        "a named pathway",
        Template("a pathway", description=700, sections=TERM_SECTIONS),
    ),
    EntityType(
        "BiologicalProcess",
        ("go",),
        "what genes do together",
        Template("a biological process", sections=TERM_SECTIONS),
    ),
    EntityType(
        "MolecularFunction",
        ("go",),
        "what one gene product does",
        Template("a molecular function", sections=TERM_SECTIONS),
    ),
    EntityType(
        "CellularComponent",
        ("go",),
        "where in or around the cell",
        Template("a cellular component", sections=TERM_SECTIONS),
    ),
    EntityType(
        "Disease",
        ("mondo", "doid", "efo", "biomedgraphica"),
        "a disease",
        Template("a disease", description=600, sections=DISEASE_SECTIONS),
        merge_by_name=True,
        by_mapping=("omim", "orpha"),
    ),
    EntityType(
        "Phenotype",
        ("hp", "mesh", "umls", "symp", "biomedgraphica"),
        "a symptom or side effect",
        Template("a symptom or phenotype", description=600, sections=PHENOTYPE_SECTIONS),
        merge_by_name=True,
    ),
    EntityType(
        "Drug",
        ("drugbank", "drugcentral", "chembl.compound", "pubchem.compound", "biomedgraphica"),
        "a drug or other compound given to people",
        Template("a drug", 160, 600, DRUG_SECTIONS),
        merge_by_name=True,
    ),
    EntityType("DrugClass", ("ndfrt", "atc"), "a class of drugs", Template("a class of drugs")),
    EntityType(
        "Metabolite",
        ("chebi", "hmdb", "kegg.compound", "biomedgraphica"),
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

#: Prefixes that several types share -> type -> identifiers that are of another type. Ensembl's
#: letter before the eleven digits says what it is: a gene, transcript, protein, exon or family.
OF_OTHER_TYPES: dict[str, dict[str, str]] = {
    "ensembl": {
        "Gene": r"^ensembl:ENS[A-Z]*[EFPRT]\d{11}",
        "Transcript": r"^ensembl:ENS[A-Z]*[EFGPR]\d{11}",
        "Protein": r"^ensembl:ENS[A-Z]*[EFGRT]\d{11}",
    },
}

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
