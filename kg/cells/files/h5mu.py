"""MuData (h5mu): the modality of genes, with antibodies beside them where both are counts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tosg.errors import DataError
from tosg.kg.cells.files.h5ad import read_anndata, read_frame
from tosg.kg.cells.files.source import CellSource, Matrix, native

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

#: Names of modalities, compared without case.
_GENES = ("rna", "gex", "gene", "genes", "gene expression", "transcriptome", "mrna")
_PROTEINS = ("prot", "protein", "proteins", "adt", "ab", "antibody", "cite", "citeseq")

_GENE_TYPE, _PROTEIN_TYPE = "Gene Expression", "Antibody Capture"
_PROBE_ROWS = 256


def read_h5mu(path: Path, file: Any) -> CellSource:
    """Read a MuData file that is open; the source closes it.

    Raises
    ------
    DataError
        No modality is known to hold genes.
    """
    names = list(file["mod"])
    genes = _modality(names, _GENES)
    if genes is None:
        raise DataError(
            "no modality has a name that tosg knows as genes",
            where=path,
            found=", ".join(names) or "no modality",
            expected=" or ".join(_GENES[:3]),
            hint=f'mudata.read("{path.name}")["NAME"].write_h5ad("NAME.h5ad") takes one out',
        )
    source = read_anndata(path, file["mod"][genes], "h5mu", close=file.close)
    source.obs = _with_shared_columns(source.obs, read_frame(file, "obs", source.notes))
    proteins = _modality(names, _PROTEINS)
    if proteins is not None:
        source = _with_proteins(source, read_anndata(path, file["mod"][proteins], "h5mu"), proteins)
    others = [name for name in names if name not in (genes, proteins)]
    source.notes.extend(_left_out(path, name) for name in others)
    return source


def _with_shared_columns(obs: pd.DataFrame, shared: pd.DataFrame) -> pd.DataFrame:
    """Add the columns that MuData keeps for all modalities; ``rna:name`` repeats one of rna's."""
    new = [c for c in shared.columns if ":" not in str(c) and c not in obs.columns]
    if not new or not shared.index.is_unique:
        return obs
    return obs.join(shared[new])


def _modality(names: list[str], wanted: tuple[str, ...]) -> str | None:
    return next((name for name in names if name.casefold() in wanted), None)


def _left_out(path: Path, name: str, why: str = "") -> str:
    take = f'mudata.read("{path.name}")["{name}"].write_h5ad("{name}.h5ad")'
    return f"modality {name} is left out{why}: {take} takes it out"


def _with_proteins(source: CellSource, proteins: CellSource, name: str) -> CellSource:
    """Put the antibodies' counts beside those of the genes, where both are counts."""
    at = proteins.obs.index.get_indexer(source.obs.index)
    theirs = {m.name: m for m in proteins.matrices}
    pairs = [(m, theirs[m.name]) for m in source.matrices if m.name in theirs]
    pairs = [pair for pair in pairs if all(_are_counts(m) for m in pair)]
    if (at < 0).any() or not pairs:
        why = ", which lacks cells" if (at < 0).any() else ", which has no counts beside the genes'"
        source.notes.append(_left_out(source.path, name, why))
        return source
    beside = [_beside(ours, other, at) for ours, other in pairs]
    source.notes.append(f"{beside[0].name} has the variables of modality {name} too")
    named = {m.name for m in beside}
    rest = [m for m in source.matrices if m.name not in named]
    return replace(source, matrices=[*beside, *rest])


def _are_counts(matrix: Matrix) -> bool:
    values = matrix.block(np.arange(min(_PROBE_ROWS, matrix.shape[0]))).values
    return len(values) > 0 and bool(np.all((values >= 0) & (values == np.rint(values))))


def _beside(genes: Matrix, proteins: Matrix, at: Any) -> Matrix:
    """Join two matrices of the same cells; row i of the genes is row ``at[i]`` of the proteins."""

    def take(rows: Any) -> Any:
        import scipy.sparse as sp

        wanted = at[rows]
        order = np.argsort(wanted, kind="stable")
        found = sp.csr_matrix(native(proteins._take(wanted[order])))
        ours = sp.csr_matrix(native(genes._take(rows)))
        return sp.hstack([ours, found[np.argsort(order)]], format="csr")

    return replace(
        genes,
        shape=(genes.shape[0], genes.shape[1] + proteins.shape[1]),
        var=_variables(genes.var, proteins.var),
        nnz=genes.nnz + proteins.nnz,
        sparse=genes.sparse and proteins.sparse,
        _take=take,
    )


def _variables(genes: pd.DataFrame, proteins: pd.DataFrame) -> pd.DataFrame:
    """Variables of both; an antibody that is called like a gene gets ``-protein``."""
    import pandas as pd

    taken = set(genes.index)
    names = [f"{n}-protein" if n in taken else n for n in proteins.index]
    return pd.concat(
        [
            genes.assign(feature_types=_GENE_TYPE),
            proteins.assign(feature_types=_PROTEIN_TYPE, gene_symbols=proteins.index).set_axis(
                names
            ),
        ]
    )
