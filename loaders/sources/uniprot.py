"""UniProt: human proteins with names, function, location, genes and transcripts.

The proteins are UniProt's table or its flat file, whichever the file is. ``Protein names`` of the
table holds the recommended name, then the alternatives in parentheses, which may hold parentheses
themselves, then what the protein is cut into or contains in brackets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa

from tosg.kg.claims.log import BAD_ID
from tosg.kg.schema.curies import curies
from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.columns import known_curies, noting_repeats
from tosg.loaders.formats.opening import open_bytes, strip_bom
from tosg.loaders.formats.swissprot import Entry, read_entries, without_evidence
from tosg.loaders.options import Option
from tosg.loaders.reference.genes import TAX_ID
from tosg.loaders.reference.proteins import ID_MAPPING, UNIPROT_TAB, human_proteins, id_mapping

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tosg.kg.claims.log import FileLog, SourceLog
    from tosg.loaders.base import Origin

_UNREVIEWED = Option("unreviewed", "whether unreviewed entries (TrEMBL) are read too", False)

#: Kinds of UniProt's identifier mapping that make relationships: their prefix, the start (None: the
#: protein is the end) and the type.
_MAPPED = {
    "GeneID": ("ncbigene", "Gene", "ENCODES"),
    "HGNC": ("hgnc", "Gene", "ENCODES"),
    "Ensembl_TRS": ("ensembl", "Transcript", "TRANSLATED_TO"),
}


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


@dataclass(slots=True)
class _Protein:
    """What either file says about one protein."""

    id: str
    line: int
    name: str | None
    symbol: str | None
    synonyms: list[str]
    description: str | None = None
    xrefs: list[str] = field(default_factory=list)
    replaces: list[str] = field(default_factory=list)
    genes: list[str] = field(default_factory=list)
    transcripts: list[str] = field(default_factory=list)


class UniProt(Loader):
    """See the module."""

    name = "uniprot"
    title = "UniProt: human proteins with names, function and location"
    homepage = "https://www.uniprot.org"
    license = "CC BY 4.0"
    nodes = ("Protein",)
    relationships = (("Gene", "ENCODES", "Protein"), ("Transcript", "TRANSLATED_TO", "Protein"))
    quirks = (
        "Evidence marks such as {ECO:...} and (PubMed:...) are removed from texts.",
        "Captions of before and after 2022 are read.",
        "Isoforms count for their protein; secondary accessions lead to the present one.",
        "Unreviewed entries are left out unless asked for.",
    )
    tested_on = "the whole table of 2019, 500 rows of today's table, 14 and 38 flat-file entries"
    options = (_UNREVIEWED, TAX_ID)
    files: ClassVar[tuple[FileSpec, ...]] = (
        replace(
            UNIPROT_TAB,
            names=(
                *UNIPROT_TAB.names,
                "uniprot_sprot_human.dat.gz",
                "uniprot_sprot*.dat.gz",
                "uniprot*.dat.gz",
                "uniprot*.dat",
            ),
            help="proteins: UniProt's table or its flat file",
        ),
        ID_MAPPING,
        FileSpec(
            "texts",
            ("uniprot_human.tsv", "uniprot_human.tsv.gz", "uniprotkb*.tsv", "uniprotkb*.tsv.gz"),
            "a second table or flat file, with the functions that the first does not have",
            required=False,
            whole_bytes=1_000_000,
        ),
    )

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        path = files["proteins"]
        yield from self._proteins(path, log.file(path), self.origin(path, release))
        if "texts" in files and files["texts"] != path:
            path = files["texts"]
            origin = self.origin(path, self.file_release(files, "texts"), part="texts")
            yield from self._proteins(path, log.file(path), origin)
        if "id_mapping" in files:
            path = files["id_mapping"]
            origin = self.origin(path, self.stated_release(release), part="id_mapping")
            yield from _mapped(path, log.file(path), origin)

    def _proteins(self, path: Path, file: FileLog, origin: Origin) -> Iterator[pa.RecordBatch]:
        if _is_flat(path):
            yield from _claims_of(list(self._of_entries(path, file)), file, origin)
            return
        rows = human_proteins(path, file, unreviewed=self.value(_UNREVIEWED))
        for batch in noting_repeats(rows, "curie", file):
            yield from _claims_of(_of_rows(batch), file, origin)

    def _of_entries(self, path: Path, file: FileLog) -> Iterator[_Protein]:
        for entry in read_entries(path):
            file.read()
            shown = f"{entry.accessions[:1]} | {entry.entry_name}"
            ids = curies(pa.array(entry.accessions, pa.string()), "uniprot").to_pylist()
            if entry.tax_id != self.value(TAX_ID):
                file.reject("other species", entry.line, shown)
            elif not entry.reviewed and not self.value(_UNREVIEWED):
                file.reject("unreviewed entry", entry.line, shown)
            elif not ids or ids[0] is None:
                file.reject(BAD_ID, entry.line, shown)
            else:
                file.parsed()
                yield _of_entry(entry, [id_ for id_ in ids if id_])


def _is_flat(path: Path) -> bool:
    with open_bytes(path) as stream:
        return strip_bom(stream.read(64), path).startswith(b"ID   ")


def _of_entry(entry: Entry, ids: list[str]) -> _Protein:
    genes = [r[1] for r in entry.references if r[0] == "GeneID"]
    found = [r[1].split(".")[0] for r in entry.references if r[0] == "Ensembl"]
    return _Protein(
        ids[0],
        entry.line,
        entry.name or entry.entry_name,
        entry.genes[0] if entry.genes else None,
        [*entry.alternatives, *entry.genes[1:]],
        _text(entry.comments.get("FUNCTION", ""), entry.comments.get("SUBCELLULAR LOCATION", "")),
        replaces=ids[1:],
        genes=[f"ncbigene:{gene}" for gene in genes if gene.isdecimal()],
        transcripts=[f"ensembl:{t}" for t in dict.fromkeys(found) if t.startswith("ENST")],
    )


def _of_rows(batch: pa.RecordBatch) -> list[_Protein]:
    columns = ("curie", "line", "Protein names", "Gene Names", "Entry Name", "Function [CC]")
    rest = ("Subcellular location [CC]", "GeneID")
    found = []
    for id_, line, names, gene_names, entry, function, location, genes in zip(
        *(batch.column(name).to_pylist() for name in (*columns, *rest)), strict=True
    ):
        said = parse_names(names)
        # Entries of several genes are written `PRH1; PRH2 PRP`.
        words = re.findall(r"[^;\s]+", gene_names)
        found.append(
            _Protein(
                id_,
                line,
                said.name or entry or None,
                words[0] if words else None,
                [*said.alternatives, *words[1:]],
                _text(function, location),
                xrefs=[f"ec:{number}" for number in said.enzymes],
                genes=[f"ncbigene:{gene}" for gene in re.findall(r"\d+", genes)],
            )
        )
    return found


def _text(function: str, location: str) -> str | None:
    """Function and location as one text, without evidence and topics."""
    does = without_evidence(re.sub(r"(^|; |\s)FUNCTION: ", r"\1", function).strip())
    place = re.sub(r"(^|; |\s)SUBCELLULAR LOCATION: ", r"\1", location).strip()
    place = without_evidence(re.split(r"\bNote=", place, maxsplit=1)[0]).strip()
    return " ".join([does] * bool(does) + [f"Located in: {place}"] * bool(place)) or None


def _claims_of(
    proteins: Sequence[_Protein], file: FileLog, origin: Origin
) -> Iterator[pa.RecordBatch]:
    xrefs = pa.array([p.xrefs for p in proteins], pa.list_(pa.string()))
    yield origin.entities(
        len(proteins),
        pa.array([p.line for p in proteins], pa.int64()),
        type="Protein",
        id=pa.array([p.id for p in proteins], pa.string()),
        name=pa.array([p.name for p in proteins], pa.string()),
        symbol=pa.array([p.symbol for p in proteins], pa.string()),
        synonyms=[p.synonyms for p in proteins],
        description=pa.array([p.description for p in proteins], pa.string()),
        xrefs=known_curies(xrefs, file),
        replaces=[p.replaces for p in proteins],
    )
    genes = [(p.line, gene, p.id) for p in proteins for gene in p.genes]
    yield _links(genes, "Gene", "ENCODES", origin)
    transcripts = [(p.line, t, p.id) for p in proteins for t in p.transcripts]
    yield _links(transcripts, "Transcript", "TRANSLATED_TO", origin)


def _links(
    rows: Sequence[tuple[int, str, str]], start_type: str, type_: str, origin: Origin
) -> pa.RecordBatch:
    return origin.relationships(
        len(rows),
        pa.array([line for line, _, _ in rows], pa.int64()),
        type=type_,
        start_type=start_type,
        start=pa.array([start for _, start, _ in rows], pa.string()),
        end_type="Protein",
        end=pa.array([end for _, _, end in rows], pa.string()),
    )


def _mapped(path: Path, file: FileLog, origin: Origin) -> Iterator[pa.RecordBatch]:
    """Claims of genes and transcripts that UniProt's mapping leads to a protein."""
    kinds = {kind: prefix for kind, (prefix, _, _) in _MAPPED.items()}
    for batch in id_mapping(path, file, kinds):
        _, start_type, type_ = _MAPPED[batch.column("kind")[0].as_py()]
        yield origin.relationships(
            batch.num_rows,
            batch.column("line"),
            type=type_,
            start_type=start_type,
            start=batch.column("other"),
            end_type="Protein",
            end=batch.column("protein"),
        )


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
