"""Small graphs and files of cells for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anndata
import numpy as np
import pandas as pd
import scipy.sparse as sp

from tosg.kg.database import bookkeeping as meta
from tosg.kg.database import indexes as ddl
from tosg.kg.database.lease import hold_lease

if TYPE_CHECKING:
    from pathlib import Path

    from tosg.kg.database.connection import Database

#: id, symbol, name, synonyms, xrefs
GENES: list[Any] = [
    (
        "ncbigene:915",
        "CD3D",
        "CD3 delta subunit",
        ["T3D"],
        ["ensembl:ENSG00000167286", "hgnc:1673"],
    ),
    (
        "ncbigene:916",
        "CD3E",
        "CD3 epsilon subunit",
        ["T3E"],
        ["ensembl:ENSG00000198851", "hgnc:1674"],
    ),
    (
        "ncbigene:931",
        "MS4A1",
        "membrane spanning",
        ["CD20"],
        ["ensembl:ENSG00000156738", "hgnc:7315"],
    ),
    ("ncbigene:3122", "HLA-DRA", "MHC II", [], ["ensembl:ENSG00000204287", "hgnc:4947"]),
    (
        "ncbigene:4069",
        "LYZ",
        "lysozyme",
        ["LZM", "ALIAS2"],
        ["ensembl:ENSG00000090382", "hgnc:6740"],
    ),
    ("ncbigene:6280", "S100A9", "calgranulin B", ["MRP14", "ALIAS2"], ["ensembl:ENSG00000163220"]),
    ("ncbigene:64805", "P2RY12", "purinergic receptor", [], ["ensembl:ENSG00000169313"]),
    ("ncbigene:55732", "C1orf112", "open reading frame", ["C1ORF999"], []),
    # An alias that is another gene's symbol: the symbol wins.
    ("ncbigene:10", "NAT2", "N-acetyltransferase 2", ["LYZ"], []),
]
PROTEINS: list[Any] = [("uniprot:P04234", "CD3D", "CD3 delta chain", [], [])]
CELL_TYPES: list[Any] = [
    ("cl:0000084", None, "T cell", ["T lymphocyte", "twice"], []),
    ("cl:0000236", None, "B cell", ["twice"], []),
]
TISSUES: list[Any] = [
    ("uberon:0000178", None, "blood", [], []),
    ("uberon:0002048", None, "lung", [], []),
]
DISEASES: list[Any] = [
    ("mondo:0007915", None, "systemic lupus erythematosus", ["SLE", "lupus"], ["doid:9074"])
]


def small_graph(db: Database, *, genes: list[Any] | None = None) -> None:
    """Write genes, a protein, cell types, tissues and a disease with plain Cypher."""
    ddl.ensure_schema(db)
    with hold_lease(db, "test"):
        for label, rows in (
            ("Gene", GENES if genes is None else genes),
            ("Protein", PROTEINS),
            ("CellType", CELL_TYPES),
            ("Anatomy", TISSUES),
            ("Disease", DISEASES),
        ):
            add_nodes(db, label, rows)


def add_nodes(db: Database, label: str, rows: list[Any]) -> None:
    """Write nodes of one type."""
    with db.session(write=True) as session, session.begin_transaction() as transaction:
        first = meta.reserve_idx(transaction, len(rows))
        nodes = [
            {"id": i, "symbol": s, "name": n, "synonyms": y, "xrefs": x, "idx": first + k}
            for k, (i, s, n, y, x) in enumerate(rows)
        ]
        query = f"CYPHER 5 UNWIND $nodes AS n CREATE (e:Entity:{label}) SET e = n"
        transaction.run(query, nodes=nodes).consume()
        transaction.commit()


#: Variables of `counts_file`; UNKNOWN is in no graph, ERCC-00002 is filtered and never seen.
VARIABLES = ["CD3D", "CD3E", "MS4A1", "HLA-DRA", "LYZ", "UNKNOWN", "ERCC-00002"]


def counts(n: int = 12) -> sp.csr_matrix:
    """Counts that tell row and column: cell i has 1 + i + 10 j of variable j, or none."""
    dense = np.zeros((n, len(VARIABLES)), np.float32)
    for i in range(n):
        for j in range(len(VARIABLES) - 1):
            if (i + j) % 3:
                dense[i, j] = 1 + i + 10 * j
    return sp.csr_matrix(dense)


def cells_table(n: int = 12) -> pd.DataFrame:
    """Cells of three donors, two types, two tissues; one label is a synonym, one is missing."""
    kinds = ["T cell", "T lymphocyte", "B cell", "nan"]
    return pd.DataFrame(
        {
            "patient": pd.Categorical([f"P{i % 3}" for i in range(n)]),
            "label": [kinds[i % 4] for i in range(n)],
            "organ": ["blood" if i % 2 else "lung" for i in range(n)],
            "state": ["lupus" if i % 3 == 0 else "normal" for i in range(n)],
            "gender": ["F" if i % 3 else "male" for i in range(n)],
            "age": [f"{30 + i % 3} years" for i in range(n)],
            "score": [i / 4 for i in range(n)],
        },
        index=[f"cell{i}" for i in range(n)],
    )


#: Arguments of ``--map`` for `cells_table`.
MAPS = [
    "donor_id=patient",
    "cell_type=label",
    "tissue=organ",
    "disease=state",
    "sex=gender",
]


def write(path: Path, x: Any = None, **parts: Any) -> Path:
    """Write an h5ad file with `cells_table` and `VARIABLES` unless other parts are given."""
    x = counts() if x is None else x
    obs = parts.pop("obs", None)
    var = parts.pop("var", None)
    data = anndata.AnnData(
        X=x,
        obs=cells_table(x.shape[0]) if obs is None else obs,
        var=pd.DataFrame(index=VARIABLES[: x.shape[1]]) if var is None else var,
        **parts,
    )
    data.write_h5ad(path)
    return path


#: The real files under expression/: where the measured values are, their unit, human cells.
REAL = [
    ("cellxgene-schema/example_valid.h5ad", "raw.X", "counts", 318),
    ("cellxgene-schema/example_invalid_CL.h5ad", "raw.X", "counts", 318),
    ("scirpy/wu2020_200_v0_6.h5ad", "X", "counts", 200),
    ("scanpy/10x_pbmc68k_reduced.h5ad", "raw.X", "log1p", 700),
    ("scanpy/10x_pbmc68k_reduced-2018.h5ad", "raw.X", "log1p", 724),
    ("10x/3.0.0/filtered_feature_bc_matrix.h5", "matrix", "counts", 1107),
    ("10x/3.0.0/filtered_feature_bc_matrix", "matrix", "counts", 1107),
]
