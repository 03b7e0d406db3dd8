"""Labels and relationships of cells and of the graph's own bookkeeping."""

from __future__ import annotations

from tosg.kg.schema.kinds import RelationshipType, SupportType

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
    SupportType(
        "TosgDigest", ("id",), "what the graph holds of a large source, by ranges of start nodes"
    ),
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
    RelationshipType(
        "SIGNALS_IN",
        (("Gene", "CellGroup"), ("Protein", "CellGroup")),
        "acts on the entity with ``target_idx`` in the group, with the score that a method gives",
    ),
)

#: Properties of cells, groups and data sets that tosg itself writes, besides `ENTITY_PROPERTIES`.
CELL_PROPERTIES = {
    **dict.fromkeys(
        (
            "dataset", "donor_id", "cell_type", "tissue", "disease", "sex", "development_stage",
            "assay", "group", "file", "unit", "title", "license", "no_donor", "method", "type",
        ),
        "STRING",
    ),
    **dict.fromkeys(("n_cells", "n_genes", "n_donors", "row", "target_idx", "seeds"), "INTEGER"),
    **dict.fromkeys(
        (
            "age_years", "post_conception_weeks", "mean", "fraction", "expression_total",
            "n_counts_protein", "protein_clr", "sd",
        ),
        "FLOAT",
    ),
    "expression": "BYTES",
}  # fmt: skip

#: How the names of marker properties begin: the expression of one gene, on the cell.
MARKER_PREFIX = "expr_"

#: How the names of properties begin that place a cell on a map: ``map_umap`` is [x, y].
MAP_PREFIX = "map_"
