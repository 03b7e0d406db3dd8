"""What tables have beside counts: annotation of genes, metadata of cells, and sums.

A column of text is never counts. A column of numbers is no cell or gene where its name says so
(``Length``, ``nCount_RNA``), or where it is the sum of all others.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tosg.kg.cells.var.variables import ENTREZ_COLUMNS, HGNC_COLUMNS, ID_COLUMNS, SYMBOL_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence

_Mask = npt.NDArray[np.bool_]

#: What HTSeq counts beside genes.
_HTSEQ = re.compile(
    r"(?:__)?(?:no_feature|ambiguous|too_low_aQual|not_aligned|alignment_not_unique)"
)
#: STARsolo and featureCounts write these beside genes; a sum is told by its values, too.
_STAR = re.compile(r"N_(?:unmapped|multimapping|noFeature|ambiguous)|Unassigned_\w+")
_TOTAL = re.compile(r"(?i)(?:row|col|column|grand)?[ _.-]?(?:sums?|totals?|means?|averages?)")

_FOLD = re.compile(r"[^a-z0-9]")
#: Numbers that describe a gene, in lower case without marks.
_OF_GENES = frozenset(
    {
        *("length", "genelength", "effectivelength", "width", "exonlength", "transcriptlength"),
        *("chr", "chrom", "chromosome", "seqname", "seqnames", "start", "end", "stop", "strand"),
        *("genestart", "geneend", "gc", "gccontent", "biotype", "genebiotype", "geneid"),
        *("tss", "bandwidth", "ncells", "meancounts", "dispersions", "highlyvariable"),
        *(_FOLD.sub("", c) for c in (*ID_COLUMNS, *SYMBOL_COLUMNS)),
        *(_FOLD.sub("", c) for c in (*ENTREZ_COLUMNS, *HGNC_COLUMNS)),
    }
)
#: Numbers that describe a cell: what Seurat, scanpy, Scrublet, scran and users write.
_OF_CELLS = re.compile(
    r"(?i)n[_.]?(?:count|feature)s?_?(?:rna|adt|sct|atac)?|n[_.]?(?:genes?|umis?|counts?)"
    r"|n_genes_by_counts|total_(?:counts|umis?|genes)(?:_\w+)?|(?:log1p|log10)_\w+"
    r"|(?:percent|pct|perc|frac(?:tion)?)[_.]\w[\w.]*|size[_.]?factors?|seurat_clusters"
    r"|[a-z]+_snn_res[._][\d.]+|leiden\w*|louvain\w*|clusters?|batch|doublet_?scores?"
    r"|(?:s|g2m|cc)[_.]score|(?:x_)?(?:umap|tsne|pca?)_\d+|age|predicted_doublets?|is_cell"
    r"|library_?size|orig\.ident"
)
#: Row numbers that were written as a column.
_ROW_NUMBERS = re.compile(r"Unnamed: \d+")


def describes_genes(column: str) -> bool:
    """Whether a column beside genes describes them by its name: ``Length``, ``GeneID``."""
    return _FOLD.sub("", column.lower()) in _OF_GENES


def describes_cells(column: str) -> bool:
    """Whether a column beside cells describes them by its name: ``nCount_RNA``, ``percent.mt``."""
    return bool(_OF_CELLS.fullmatch(column))


def are_row_numbers(column: str) -> bool:
    """Whether a column was the numbers of rows, which pandas writes without a name."""
    return bool(_ROW_NUMBERS.fullmatch(column))


def no_genes(names: Sequence[str]) -> _Mask:
    """Which names are sums that aligners and counters write beside genes."""
    return np.array([bool(_HTSEQ.fullmatch(n) or _STAR.fullmatch(n)) for n in names], bool)


def are_totals(names: Sequence[str], values: Any) -> _Mask:
    """Which columns of a matrix are a total of the others.

    Parameters
    ----------
    names : sequence of str
        Of the columns.
    values : (n_rows, n_columns) sparse

    Returns
    -------
    (n_columns,) bool
        By the name, or where every row of a column is the sum of all the others.
    """
    found = np.array([bool(_TOTAL.fullmatch(n)) for n in names], bool)
    n_rows, n = values.shape
    if n < 4 or n_rows < 3:
        return found
    csc = values.tocsc().astype(np.float64)
    every = np.asarray(csc.sum(axis=1)).ravel()
    # A column that is the sum of the others is half of everything: few are, and those are compared.
    half = np.isclose(np.asarray(csc.sum(axis=0)).ravel(), every.sum() / 2, rtol=1e-6)
    for column in np.flatnonzero(half & (every.sum() > 0)).tolist():
        own = csc[:, [column]].toarray().ravel()
        found[column] |= bool(np.allclose(own * 2, every, rtol=1e-6))
    return found
