"""Rows of the original files that some names may be matched to: a small graph of real records.

A row is taken if any of its names is one of those asked for, so that a name which several records
have is as ambiguous here as in the whole files.
"""

from __future__ import annotations

import gzip
import re
from typing import TYPE_CHECKING

from tosg.kg.schema.folding import fold_name
from tosg.loaders import registry
from tosg.loaders.pipeline.load import SourceInput, load

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tosg.settings import Settings

_GENES = "Homo_sapiens.gene_info"

#: Source -> file in the folder of original files, name of the excerpt, columns with names and
#: what stands between two names.
_TABLES = {
    "ncbi_gene": (f"entrez-gene/{_GENES}.gz", _GENES, (2, 4, 5), "|"),
    "uniprot": ("cellphonedb/uniprot.tab", "uniprot.tab", (0, 4), " "),
    "mondo": ("scp-ontologies/mondo.min.tsv.gz", "mondo.min.tsv", (0, 1, 2), "||"),
    "cl": ("scp-ontologies/cl.min.tsv.gz", "cl.min.tsv", (0, 1, 2), "||"),
    "uberon": ("scp-ontologies/uberon.min.tsv.gz", "uberon.min.tsv", (0, 1, 2), "||"),
}  # fmt: skip


def load_excerpt(settings: Settings, shared_data: Path, folder: Path, names: Iterable[str]) -> None:
    """Load the rows that have one of the names into the graph."""
    given = set(names)
    wanted = given | {part for name in given for part in re.split(r"[\s_()|+]+", name)}
    folded = {fold_name(name) for name in wanted if len(name) > 1}
    inputs = []
    for source, (file, excerpt, columns, mark) in _TABLES.items():
        place = folder / source / excerpt
        place.parent.mkdir(parents=True)
        rows = _rows(shared_data / file, columns, mark, folded - {""})
        place.write_text("".join(rows), encoding="utf-8")
        loader = registry.make(source, {"excerpt": "false"})
        inputs.append(SourceInput.locate(loader, [place.parent]))
    load(settings, inputs, way="bolt")


def _rows(path: Path, columns: tuple[int, ...], mark: str, wanted: set[str]) -> Iterator[str]:
    """Yield the head of a table, and the rows that have a wanted name in one of the columns."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", newline="\n") as stream:
        for line in stream:
            fields = line.rstrip("\n").split("\t")
            names = {n for c in columns if c < len(fields) for n in fields[c].split(mark)}
            # ``Ensembl:ENSG00000167286`` of genes, ``MONDO_0007915`` of terms
            names |= {n.replace("Ensembl:", "").replace("_", ":") for n in names}
            head = fields[0] == "Entry" or line.startswith("#")
            if head or any(fold_name(name) in wanted for name in names):
                yield line
