"""UniProt's table of reviewed human proteins: names, alternative names, genes.

``Protein names`` holds the recommended name, then the alternatives in parentheses, which may hold
parentheses themselves, then what the protein is cut into or contains in brackets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa

from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.columns import blank_to_null, known_curies, noting_repeats
from tosg.loaders.reference.proteins import UNIPROT_TAB, human_proteins

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tosg.kg.claims.log import FileLog, SourceLog


@dataclass(frozen=True)
class ProteinNames:
    """What one ``Protein names`` field says.

    Attributes
    ----------
    name : str
        Recommended name.
    alternatives : tuple of str
        Other names, in order.
    enzymes : tuple of str
        Enzyme Commission numbers, as ``6.1.1.4``.
    """

    name: str
    alternatives: tuple[str, ...]
    enzymes: tuple[str, ...]


def parse_names(text: str) -> ProteinNames:
    """Take a ``Protein names`` field apart.

    >>> parse_names("Leucyl ligase (EC 6.1.1.4) (LeuRS) (Leu(A) synthetase)").alternatives
    ('LeuRS', 'Leu(A) synthetase')
    """
    text = re.split(r" \[(?:Cleaved into|Includes): ", text, maxsplit=1)[0].strip()
    # Alternatives stand at the end: whole parentheses with a blank before each.
    groups: list[str] = []
    while text.endswith(")") and (start := _opening(text)) > 0 and text[start - 1] == " ":
        groups.append(text[start + 1 : -1].strip())
        text = text[: start - 1].rstrip()
    alternatives: list[str] = []
    enzymes: list[str] = []
    for group in reversed(groups):
        number = re.fullmatch(r"EC ([\d.n-]+)", group)
        if number:
            enzymes.append(number.group(1))
        elif group not in ("Fragment", "Fragments") and group:
            alternatives.append(group)
    return ProteinNames(text, tuple(alternatives), tuple(enzymes))


def _opening(text: str) -> int:
    """Position of the parenthesis that the last one closes, -1 where there is none."""
    depth = 0
    for position in range(len(text) - 1, -1, -1):
        depth += {")": 1, "(": -1}.get(text[position], 0)
        if depth == 0:
            return position
    return -1


def _enzymes(names: Sequence[ProteinNames], file: FileLog) -> pa.ListArray:
    lists = [[f"ec:{number}" for number in n.enzymes] for n in names]
    return known_curies(pa.array(lists, pa.list_(pa.string())), file)


class UniProt(Loader):
    """See the module."""

    name = "uniprot"
    title = "UniProt: reviewed human proteins with their names"
    homepage = "https://www.uniprot.org"
    license = "CC BY 4.0"
    nodes = ("Protein",)
    files: ClassVar[tuple[FileSpec, ...]] = (UNIPROT_TAB,)

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        path = files["proteins"]
        file, origin = log.file(path), self.origin(path, release)
        for batch in noting_repeats(human_proteins(path, file), "curie", file):
            names = [parse_names(text) for text in batch.column("Protein names").to_pylist()]
            # Entries of several genes are written `PRH1; PRH2 PRP`.
            genes = [
                re.findall(r"[^;\s]+", text) for text in batch.column("Gene names").to_pylist()
            ]
            entry_names = blank_to_null(batch.column("Entry name")).to_pylist()
            yield origin.entities(
                batch.num_rows,
                batch.column("line"),
                type="Protein",
                id=batch.column("curie"),
                name=[n.name or entry for n, entry in zip(names, entry_names, strict=True)],
                symbol=[g[0] if g else None for g in genes],
                synonyms=[[*n.alternatives, *g[1:]] for n, g in zip(names, genes, strict=True)],
                xrefs=_enzymes(names, file),
            )
