"""UniProt's table of reviewed human proteins: names, alternative names, genes.

``Protein names`` holds the recommended name, then the alternatives in parentheses, which may hold
parentheses themselves, then what the protein is cut into or contains in brackets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from tosg.kg.schema.curies import curies
from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.columns import blank_to_null, keep, known_curies, note_duplicates
from tosg.loaders.formats.tables import Layout, read_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tosg.kg.claims.log import FileLog, SourceLog

LAYOUT = Layout(("Entry", "Entry name", "Status", "Protein names", "Gene names", "Organism"))

UNIPROT_TAB = FileSpec(
    "proteins",
    ("uniprot.tab", "uniprot*.tab", "uniprot*.tsv", "uniprot*.tab.gz", "uniprot*.tsv.gz"),
    "protein table of UniProt",
    url=(
        "https://raw.githubusercontent.com/ventolab/cellphonedb-data/"
        "71ffa8a163389913907d40993bec2821a111f64d/data/sources/uniprot.tab"
    ),
    sha256="29cb01d5f5cea889d0ca1722edc3f149d681ff83d73316beab706a1da9cf7904",
    release="2019-06-20",  # day of CellPhoneDB's snapshot
)


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


def human_proteins(path: Path, file: FileLog) -> Iterator[tuple[pa.RecordBatch, pa.Array]]:
    """Rows of human proteins with their CURIEs; the others are rejected by kind."""
    for raw in read_table(path, LAYOUT, file):
        human = pc.starts_with(raw.column("Organism"), "Homo sapiens")
        batch = keep(raw, human, file, "other species", ("Entry", "Organism"))
        ids = curies(batch.column("Entry"), "uniprot")
        batch = keep(batch, ids.is_valid(), file, "bad identifier", ("Entry", "Entry name"))
        file.parsed(batch.num_rows)
        yield batch, ids.drop_null()


def _enzymes(names: Sequence[ProteinNames], file: FileLog) -> pa.ListArray:
    lists = [[f"ec:{number}" for number in n.enzymes] for n in names]
    return known_curies(pa.array(lists, pa.list_(pa.string())), file)


class UniProt(Loader):
    """See the module."""

    name = "uniprot"
    title = "UniProt: reviewed human proteins with their names"
    homepage = "https://www.uniprot.org"
    license = "CC BY 4.0"
    files: ClassVar[tuple[FileSpec, ...]] = (UNIPROT_TAB,)

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        path = files["proteins"]
        file, origin = log.file(path), self.origin(path, release)
        seen: list[pa.Array] = []
        for batch, ids in human_proteins(path, file):
            seen.append(ids)
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
                id=ids,
                name=[n.name or entry for n, entry in zip(names, entry_names, strict=True)],
                symbol=[g[0] if g else None for g in genes],
                synonyms=[[*n.alternatives, *g[1:]] for n, g in zip(names, genes, strict=True)],
                xrefs=_enzymes(names, file),
            )
        note_duplicates(pa.concat_arrays(seen), file, "identifier given more than once")
