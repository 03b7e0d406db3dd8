"""The graph of the demo: genes, terms and relationships of immune signaling in three tables.

They come with the package. An end of a relationship is the symbol of a listed gene or the CURIE of
a listed term. Proteins bind and phosphorylate each other, so those relationships go between the
proteins of the genes wherever both have one; all others stay with the gene.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from tosg.kg.claims.log import BAD_ID
from tosg.kg.schema.curies import curies
from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.columns import (
    blank_to_null,
    keep,
    note_duplicates,
    noting_repeats,
    with_curies,
)
from tosg.loaders.formats.tables import Layout, read_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.claims.log import FileLog, SourceLog

_GENES = Layout(("symbol", "ncbigene", "hgnc", "uniprot", "name", "former_symbol", "text"))
_TERMS = Layout(("type", "id", "name", "text"))
_RELATIONSHIPS = Layout(("type", "start", "end", "sign", "action"))

#: What happens between proteins, whichever symbols the table has.
_OF_PROTEINS = pa.array(["INTERACTS_WITH", "PHOSPHORYLATES"])

_SIGNS = {"1": 1, "-1": -1, "0": 0}

#: Name of an end in the table -> (type, id), for genes and terms, and for the proteins of genes.
_Ends = dict[str, tuple[str, str]]


class Demo(Loader):
    """See the module."""

    name = "demo"
    title = "Demo: genes, proteins, drugs, diseases and cell types of immune signaling"
    homepage = "tosg/demo/data in the installed package"
    license = "CC0 1.0"
    packaged = "demo/data"
    nodes = (
        "Anatomy",
        "BiologicalProcess",
        "CellType",
        "CellularComponent",
        "Disease",
        "Drug",
        "Gene",
        "MolecularFunction",
        "Pathway",
        "Protein",
    )
    relationships = (
        ("CellType", "IS_A", "CellType"),
        ("CellType", "PART_OF", "Anatomy"),
        ("Disease", "LOCALIZES_TO", "Anatomy"),
        ("Drug", "TARGETS", "Gene"),
        ("Drug", "TREATS", "Disease"),
        ("Gene", "ASSOCIATED_WITH", "Disease"),
        ("Gene", "ENCODES", "Protein"),
        ("Gene", "EXPRESSED_IN", "Anatomy"),
        ("Gene", "EXPRESSED_IN", "CellType"),
        ("Gene", "HAS_FUNCTION", "MolecularFunction"),
        ("Gene", "LOCATED_IN", "CellularComponent"),
        ("Gene", "PARTICIPATES_IN", "BiologicalProcess"),
        ("Gene", "PARTICIPATES_IN", "Pathway"),
        ("Gene", "INTERACTS_WITH", "Gene"),
        ("Gene", "REGULATES", "Gene"),
        ("Protein", "INTERACTS_WITH", "Protein"),
        ("Protein", "PHOSPHORYLATES", "Protein"),
    )
    signs = "the column sign: 1, -1 or 0"
    tested_on = "the tables that come with tosg, whole"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec("genes", ("genes.tsv",), "genes with their proteins"),
        FileSpec("terms", ("terms.tsv",), "drugs, diseases, pathways, cell types, ..."),
        FileSpec("relationships", ("relationships.tsv",), "who acts on what"),
    )

    def _release(self, files: Mapping[str, Path]) -> str:  # noqa: ARG002
        return "1"

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        ends: _Ends = {}
        proteins: _Ends = {}
        path = files["genes"]
        for batch in _read_genes(path, log.file(path)):
            for symbol, gene, protein in zip(
                *(batch.column(name).to_pylist() for name in ("symbol", "gene", "protein")),
                strict=True,
            ):
                ends[symbol] = ("Gene", gene)
                if protein is not None:
                    proteins[symbol] = ("Protein", protein)
            yield from self._gene_claims(batch, path, release)
        path = files["terms"]
        file = log.file(path)
        for batch in noting_repeats(_read_terms(path, file), "curie", file):
            types, ids = (batch.column(name).to_pylist() for name in ("type", "curie"))
            ends |= {id_: (type_, id_) for type_, id_ in zip(types, ids, strict=True)}
            yield self.origin(path, release).entities(
                batch.num_rows,
                batch.column("line"),
                type=batch.column("type"),
                id=batch.column("curie"),
                name=blank_to_null(batch.column("name")),
                description=blank_to_null(batch.column("text")),
            )
        yield from self._relationships(files["relationships"], log, release, ends, proteins)

    def _gene_claims(
        self, batch: pa.RecordBatch, path: Path, release: str
    ) -> Iterator[pa.RecordBatch]:
        origin = self.origin(path, release)
        former = blank_to_null(batch.column("former_symbol")).to_pylist()
        hgnc = curies(batch.column("hgnc"), "hgnc").to_pylist()
        yield origin.entities(
            batch.num_rows,
            batch.column("line"),
            type="Gene",
            id=batch.column("gene"),
            name=blank_to_null(batch.column("name")),
            symbol=batch.column("symbol"),
            description=blank_to_null(batch.column("text")),
            synonyms=[[] if one is None else [one] for one in former],
            xrefs=[[] if one is None else [one] for one in hgnc],
        )
        coding = batch.filter(batch.column("protein").is_valid())
        yield origin.entities(
            coding.num_rows,
            coding.column("line"),
            type="Protein",
            id=coding.column("protein"),
            name=blank_to_null(coding.column("name")),
            symbol=coding.column("symbol"),
        )
        yield origin.relationships_of(coding, "ENCODES", ("Gene", "gene"), ("Protein", "protein"))

    def _relationships(
        self, path: Path, log: SourceLog, release: str, ends: _Ends, proteins: _Ends
    ) -> Iterator[pa.RecordBatch]:
        file, origin = log.file(path), self.origin(path, release)
        seen: list[pa.Array] = []
        for raw in read_table(path, _RELATIONSHIPS, file):
            batch = raw
            for column in ("start", "end"):
                listed = pc.is_in(batch.column(column), pa.array(list(ends), pa.string()))
                batch = keep(batch, listed, file, "end that is not listed", (column,))
            fine = pc.is_in(batch.column("sign"), pa.array(["", *_SIGNS]))
            batch = keep(batch, fine, file, "bad sign", ("type", "start", "end", "sign"))
            file.parsed(batch.num_rows)
            seen.append(pc.binary_join_element_wise(*batch.columns[:-1], " "))
            start, end = _placed(batch, ends, proteins)
            yield origin.relationships(
                batch.num_rows,
                batch.column("line"),
                type=batch.column("type"),
                start_type=[type_ for type_, _ in start],
                start=[id_ for _, id_ in start],
                end_type=[type_ for type_, _ in end],
                end=[id_ for _, id_ in end],
                sign=[_SIGNS.get(text) for text in batch.column("sign").to_pylist()],
                action=blank_to_null(batch.column("action")),
            )
        note_duplicates(pa.concat_arrays(seen), file, "row given again")


def _read_genes(path: Path, file: FileLog) -> Iterator[pa.RecordBatch]:
    """Genes with ``gene`` and ``protein`` as CURIEs; ``protein`` is null where there is none."""
    seen: list[pa.Array] = []
    shown = ("symbol", "ncbigene", "uniprot")
    for raw in read_table(path, _GENES, file):
        batch = with_curies(raw, "ncbigene", "ncbigene", file, to="gene", shown=shown)
        proteins = curies(batch.column("uniprot"), "uniprot")
        # A gene without a protein has an empty field; another text has to be an accession.
        stated = blank_to_null(batch.column("uniprot")).is_valid()
        fine = pc.or_(proteins.is_valid(), pc.invert(stated))
        batch = keep(batch.append_column("protein", proteins), fine, file, BAD_ID, shown)
        named = blank_to_null(batch.column("symbol")).is_valid()
        batch = keep(batch, named, file, "no symbol", ("ncbigene", "name"))
        file.parsed(batch.num_rows)
        seen.append(batch.column("symbol"))
        yield batch
    note_duplicates(pa.concat_arrays(seen), file, "symbol given more than once")


def _read_terms(path: Path, file: FileLog) -> Iterator[pa.RecordBatch]:
    """Terms with ``curie``."""
    for raw in read_table(path, _TERMS, file):
        batch = with_curies(raw, "id", "", file, shown=("type", "id"))
        file.parsed(batch.num_rows)
        yield batch


def _placed(
    batch: pa.RecordBatch, ends: _Ends, proteins: _Ends
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Type and id of both ends of each row."""
    physical = pc.is_in(batch.column("type"), _OF_PROTEINS).to_pylist()
    start, end = [], []
    for among_proteins, a, b in zip(
        physical, batch.column("start").to_pylist(), batch.column("end").to_pylist(), strict=True
    ):
        both = among_proteins and a in proteins and b in proteins
        table = proteins if both else ends
        start.append(table[a])
        end.append(table[b])
    return start, end
