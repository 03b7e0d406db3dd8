"""ClinPGx (PharmGKB): genes whose variants change the response to a drug, or go with a disease.

A row is a pair of things and whether they are associated; each pair stands in the table twice, once
in either order. Variants and haplotypes have no type in the graph: their genes have rows of their
own. Genes are known by the table of genes, drugs by that of chemicals.

Files: https://www.clinpgx.org/downloads
"""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from tosg.kg.schema.curies import curie
from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.columns import evidence, keep, not_negated, with_curies
from tosg.loaders.formats.tables import Layout, read_table
from tosg.loaders.reference.quoted_lists import parse_quoted_list

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.claims.log import FileLog, SourceLog
    from tosg.loaders.base import Origin

_ID = "PharmGKB Accession Id"
_PAIRS = Layout(
    ("Entity1_id", "Entity1_name", "Entity1_type", "Entity2_id", "Entity2_name", "Entity2_type",
     "Evidence", "Association", "PK", "PD", "PMIDs"),
    members=("relationships.tsv", "*.tsv"),
)  # fmt: skip
_GENES = Layout((_ID, "NCBI Gene ID"), members=("genes.tsv", "*.tsv"))
_CHEMICALS = Layout(
    (_ID, "Name", "Generic Names", "Trade Names", "Type", "Cross-references"),
    members=("chemicals.tsv", "drugs.tsv", "*.tsv"),
)
_DOWNLOAD = "https://api.clinpgx.org/v1/download/file/data"
_SHOWN = ("Entity1_name", "Entity2_name", "Association")

#: Types of chemicals that are drugs; a class of drugs is none.
_DRUGS = {"Drug", "Prodrug", "Biological Intermediate", "Metabolite", "Small Molecule", "Ion"}

#: Cross-reference -> prefix that joins a drug.
_XREFS = {"DrugBank": "drugbank", "PubChem Compound": "pubchem.compound"}


@dataclass(frozen=True, slots=True)
class _Known:
    """CURIE by PharmGKB's accession, or why a thing has none."""

    genes: dict[str, str]
    drugs: dict[str, str]

    def end(self, type_: str, accession: str) -> tuple[str, str] | None:
        """Type and CURIE; None where the thing has no node."""
        if type_ == "Gene":
            found = self.genes.get(accession)
        elif type_ == "Chemical":
            type_, found = "Drug", self.drugs.get(accession)
        else:
            found = curie(accession, "pharmgkb.disease")
        return None if found is None else (type_, found)


class PharmGKB(Loader):
    """See the module."""

    name = "pharmgkb"
    title = "ClinPGx (PharmGKB): genes that change the response to drugs"
    homepage = "https://www.clinpgx.org"
    license = "CC BY-SA 4.0"
    nodes = ("Disease", "Drug")
    relationships = (
        ("Gene", "ASSOCIATED_WITH", "Drug"),
        ("Gene", "ASSOCIATED_WITH", "Disease"),
    )
    quirks = (
        "A pair stands in the table in both orders; it is one relationship.",
        "Rows that say `not associated` never become a relationship, nor do ambiguous ones.",
        "Classes of drugs, variants and haplotypes have no node and are counted.",
        "Lists inside a field are quoted, though the table is not.",
        "Diseases have identifiers of their own and join by name.",
    )
    tested_on = "excerpts of 2 pairs, 2 genes and 999 drugs, and made-up rows in the layout"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "pairs",
            ("relationships.zip", "relationships.tsv"),
            "pairs that are associated or not",
            url=f"{_DOWNLOAD}/relationships.zip",
            whole_bytes=500_000,
        ),
        FileSpec(
            "genes",
            ("genes.zip", "genes.tsv"),
            "genes with their NCBI identifiers",
            url=f"{_DOWNLOAD}/genes.zip",
            whole_bytes=500_000,
        ),
        FileSpec(
            "chemicals",
            ("chemicals.zip", "chemicals.tsv", "drugs.zip", "drugs.tsv"),
            "drugs with names and identifiers elsewhere",
            url=f"{_DOWNLOAD}/chemicals.zip",
            whole_bytes=500_000,
        ),
    )

    def _release(self, files: Mapping[str, Path]) -> str:
        path = files["pairs"]
        names = zipfile.ZipFile(path).namelist() if zipfile.is_zipfile(path) else []
        found = (re.search(r"CREATED_(\d{4}-\d{2}-\d{2})", name) for name in names)
        return next((match.group(1) for match in found if match), "")

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        known = _Known({}, {})
        path = files["genes"]
        file = log.file(path)
        for raw in read_table(path, _GENES, file):
            there = pc.not_equal(pc.utf8_trim_whitespace(raw["NCBI Gene ID"]), "")
            batch = keep(raw, there, file, "gene without an NCBI identifier", (_ID,))
            # A gene of several identifiers has them in a quoted list: it is unclear which is meant.
            one = pc.invert(pc.match_substring(batch["NCBI Gene ID"], ","))
            batch = keep(batch, one, file, "gene of several NCBI identifiers", (_ID,))
            batch = with_curies(batch, "NCBI Gene ID", "ncbigene", file, shown=(_ID,))
            file.parsed(batch.num_rows)
            known.genes.update(zip(batch[_ID].to_pylist(), batch["curie"].to_pylist(), strict=True))
        path = files["chemicals"]
        file, origin = log.file(path), self.origin(path, release, part="chemicals")
        for raw in read_table(path, _CHEMICALS, file):
            yield _drugs(raw, known.drugs, file, origin)
        path = files["pairs"]
        file, origin = log.file(path), self.origin(path, release)
        for raw in read_table(path, _PAIRS, file):
            yield from _pairs(raw, known, file, origin)


def _drugs(
    raw: pa.RecordBatch, drugs: dict[str, str], file: FileLog, origin: Origin
) -> pa.RecordBatch:
    """Claims of the drugs of a block; classes of drugs are rejected."""
    kinds = [set(parse_quoted_list(text)) for text in raw["Type"].to_pylist()]
    single = pa.array([bool(found & _DRUGS) for found in kinds])
    batch = keep(raw, single, file, "class of drugs, or no drug", (_ID, "Name", "Type"))
    batch = with_curies(batch, _ID, "pharmgkb.drug", file, to="id", shown=(_ID, "Name"))
    file.parsed(batch.num_rows)
    drugs.update(zip(batch[_ID].to_pylist(), batch["id"].to_pylist(), strict=True))
    rows = batch.to_pylist()
    names = [
        [*parse_quoted_list(r["Generic Names"]), *parse_quoted_list(r["Trade Names"])] for r in rows
    ]
    return origin.entities(
        batch.num_rows,
        batch["line"],
        type="Drug",
        id=batch["id"],
        name=batch["Name"],
        synonyms=[list(dict.fromkeys(found)) for found in names],
        xrefs=[_xrefs(r["Cross-references"]) for r in rows],
    )


def _xrefs(text: str) -> list[str]:
    found: dict[str, list[str]] = {}
    for reference in parse_quoted_list(text):
        database, _, local = reference.partition(":")
        if database in _XREFS and (id_ := curie(local, _XREFS[database])):
            found.setdefault(database, []).append(id_)
    # Several of one database are salts and forms: it is unclear which of them is meant.
    return [ids[0] for ids in found.values() if len(ids) == 1]


def _pairs(
    raw: pa.RecordBatch, known: _Known, file: FileLog, origin: Origin
) -> Iterator[pa.RecordBatch]:
    said = pc.utf8_lower(pc.utf8_trim_whitespace(raw["Association"]))
    batch = raw.append_column("said", said)
    batch = not_negated(batch, pc.equal(said, "not associated"), file, _SHOWN)
    sure = pc.not_equal(batch["said"], "ambiguous")
    batch = keep(batch, sure, file, "ambiguous association", _SHOWN)
    batch = keep(batch, pc.equal(batch["said"], "associated"), file, "unknown Association", _SHOWN)
    kinds = pc.binary_join_element_wise(batch["Entity1_type"], batch["Entity2_type"], " ")
    pairs = ("Gene Chemical", "Chemical Gene", "Gene Disease", "Disease Gene")
    read = pc.is_in(kinds, pa.array(pairs))
    kind = "pair of other things than a gene and a drug or disease"
    batch = keep(batch, read, file, kind, ("Entity1_type", "Entity2_type", *_SHOWN[:2]))
    ends = [_ends(row, known) for row in batch.to_pylist()]
    for position, what in enumerate(("start", "end")):
        there = pa.array([pair[position] is not None for pair in ends], pa.bool_())
        kind = (
            "gene that is not in the table of genes"
            if what == "start"
            else ("drug that is not in the table, or a class of drugs")
        )
        batch = keep(batch, there, file, kind, _SHOWN)
        ends = [pair for pair in ends if pair[position] is not None]
    file.parsed(batch.num_rows)
    whole = [(a, b) for a, b in ends if a is not None and b is not None]
    names = batch.to_pylist()
    diseases = {
        b[1]: (r["line"], r["Entity1_name" if r["Entity1_type"] == "Disease" else "Entity2_name"])
        for (_, b), r in zip(whole, names, strict=True)
        if b[0] == "Disease"
    }
    yield origin.entities(
        len(diseases),
        pa.array([line for line, _ in diseases.values()], pa.int64()),
        type="Disease",
        id=pa.array(list(diseases), pa.string()),
        name=pa.array([name for _, name in diseases.values()], pa.string()),
    )
    yield origin.relationships(
        batch.num_rows,
        batch["line"],
        type="ASSOCIATED_WITH",
        start_type="Gene",
        start=pa.array([a[1] for a, _ in whole], pa.string()),
        end_type=pa.array([b[0] for _, b in whole], pa.string()),
        end=pa.array([b[1] for _, b in whole], pa.string()),
        evidence=evidence(
            batch,
            lists={"kinds": ("Evidence", ","), "pubmed_ids": ("PMIDs", ";")},
            texts={"pharmacokinetic": "PK", "pharmacodynamic": "PD"},
        ),
    )


def _ends(
    row: Mapping[str, str], known: _Known
) -> tuple[tuple[str, str] | None, tuple[str, str] | None]:
    """The gene, and the drug or disease, whichever stands first."""
    gene, other = ("1", "2") if row["Entity1_type"] == "Gene" else ("2", "1")
    return (
        known.end("Gene", row[f"Entity{gene}_id"]),
        known.end(row[f"Entity{other}_type"], row[f"Entity{other}_id"]),
    )
