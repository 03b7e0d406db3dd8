"""Names in folders of the OmniCellTOSG layout, and how its tables spell their columns.

Facts of the layout come from the README and the loader of the release (GitHub, FuhaiLiAiLab/
OmniCellTOSG), and from the BioMedGraphica WebApp (CallOfDady/BioMedGraphica_WebApp), which writes
folders of the same kind in a spelling of its own. What reads or writes such a folder takes its
names from here: the export, the reader of cells and the loader of the graph.

Row i of ``s_name.csv`` is entity i. Entities with expression come first: the matrices have as many
columns as those, or as all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Folder of the expression: ``SOURCE_TISSUE_part_N.npy``, dense float32, cells x entities.
SHARD_FOLDER = "expression_matrix"

#: Cells of a shard in the release, at most.
SHARD_CELLS = 10_000

#: Cells, one a row: the release has both, with the same content.
CELL_TABLES = ("cell_metadata_with_mappings.parquet", "cell_metadata_with_mappings.csv")

#: Columns of those that say where a cell's expression is: the shard's name, and the row in it.
SHARD_COLUMN, SHARD_ROW_COLUMN = "matrix_file_path", "matrix_row_idx"

#: Edges as (2, E) int64 positions of entities: all of them, and their two parts. In the release the
#: internal ones lead from transcripts to proteins; in the WebApp they are all but protein-protein.
ALL_EDGES, INTERNAL_EDGES, PPI_EDGES = (
    "edge_index.npy",
    "internal_edge_index.npy",
    "ppi_edge_index.npy",
)

#: Texts of the entities, aligned by row.
NAME_TABLE, DESCRIPTION_TABLE, SEQUENCE_TABLE = "s_name.csv", "s_desc.csv", "s_bio.csv"

#: Vectors of those texts, aligned by row. The README calls the first ``x_name_emb.csv``; its loader
#: reads ``.npy``.
NAME_VECTORS, DESCRIPTION_VECTORS, SEQUENCE_VECTORS = (
    "x_name_emb.npy",
    "x_desc_emb.npy",
    "x_bio_emb.npy",
)

#: Columns of a gene: ``gene_name,indices``, several of them separated by ``;``.
GENE_COLUMNS = "bmg_gene_index.csv"

#: The WebApp: all cells in one matrix, their labels, identifiers by column, and edges with types.
WEBAPP_MATRIX, WEBAPP_LABELS, WEBAPP_IDS, WEBAPP_EDGES = (
    "xAll.npy",
    "yAll.npy",
    "entity_index_id_mapping.csv",
    "filtered_edge_id_index_data.csv",
)

#: What the layout has no place for, beside it in folders that tosg writes: the unit and where the
#: folder comes from, and (data sets, columns) bool, which data set measured which column.
NOTES, MEASURED = "tosg.json", "measured.npy"

#: Spellings of a column: of the release's code, its README, and the WebApp.
ID_SPELLINGS = ("BioMedGraphica_Conn_ID", "BioMedGraphica_ID")
NAME_SPELLINGS = ("Name", "Processed_name", "Names_and_IDs")
DESCRIPTION_SPELLINGS = ("Description",)
SEQUENCE_SPELLINGS = ("Sequence",)
TYPE_SPELLINGS = ("Type",)

#: Values of the type: entities that a matrix has expression of, and proteins.
RNA_TYPE, PROTEIN_TYPE = "Transcript", "Protein"


def find_spelling(columns: Iterable[str], spellings: Iterable[str]) -> str | None:
    """Find the column of a table that has one of some spellings, whatever its case.

    >>> find_spelling(["biomedgraphica_id", "Processed_name"], NAME_SPELLINGS)
    'Processed_name'
    """
    given = {column.strip().lower(): column for column in reversed(list(columns))}
    return next((given[s.lower()] for s in spellings if s.lower() in given), None)
