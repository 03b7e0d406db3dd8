"""Annotations of gene products with GO terms (GAF, or GPAD with its GPI) as claims."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from tosg.kg.schema.curies import curies
from tosg.loaders.columns import (
    blank_to_null,
    evidence,
    keep,
    keep_identified,
    not_negated,
    split,
    with_curies,
)
from tosg.loaders.formats.gaf import read_annotations, read_entities, states_species
from tosg.loaders.reference.genes import is_ensembl_gene
from tosg.loaders.reference.participants import without_parts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.claims.log import FileLog
    from tosg.loaders.base import Origin

#: Database of a product -> (type, prefix). RNA (RNAcentral) has no type in the graph.
PRODUCTS: dict[str, tuple[str, str]] = {
    "UniProtKB": ("Protein", "uniprot"),
    "ComplexPortal": ("Complex", "complexportal"),
    "HGNC": ("Gene", "hgnc"),
    "NCBIGene": ("Gene", "ncbigene"),
    "ENSEMBL": ("Gene", "ensembl"),
    "Ensembl": ("Gene", "ensembl"),
}

#: Aspect -> type of the term.
_ASPECTS = {"F": "MolecularFunction", "P": "BiologicalProcess", "C": "CellularComponent"}

#: Relation of GO -> (type of the term, relationship).
_RELATIONS = {
    **dict.fromkeys(("enables", "contributes_to"), ("MolecularFunction", "HAS_FUNCTION")),
    **dict.fromkeys(
        (
            "involved_in",
            "acts_upstream_of",
            "acts_upstream_of_positive_effect",
            "acts_upstream_of_negative_effect",
            "acts_upstream_of_or_within",
            "acts_upstream_of_or_within_positive_effect",
            "acts_upstream_of_or_within_negative_effect",
        ),
        ("BiologicalProcess", "PARTICIPATES_IN"),
    ),
    **dict.fromkeys(
        ("located_in", "part_of", "is_active_in", "colocalizes_with"),
        ("CellularComponent", "LOCATED_IN"),
    ),
}
_VERBS = dict(_RELATIONS.values())

#: What GAF 2.1 leaves out, as its successor states it.
_DEFAULTS = {"F": "enables", "P": "involved_in", "C": "part_of"}

#: Evidence that says that nothing is known.
_NO_DATA = ("ND", "ECO:0000307")

_SHOWN = ("subject", "relation", "term")


def species_of_products(path: Path, file: FileLog) -> dict[str, str]:
    """Product -> number of its taxon, as a GPI file says it."""
    found: dict[str, str] = {}
    for batch in read_entities(path, file):
        file.parsed(batch.num_rows)
        found.update(zip(batch["subject"].to_pylist(), batch["taxon"].to_pylist(), strict=True))
    return found


def product_claims(
    path: Path, file: FileLog, origin: Origin, tax_id: str
) -> Iterator[pa.RecordBatch]:
    """Claims of the products of one species that a GPI file names.

    Isoforms and chains, which have a parent, are noted: they count for their parent.
    """
    for raw in read_entities(path, file):
        batch = keep(raw, pc.equal(raw["taxon"], tax_id), file, "other species", ("subject",))
        batch = _products(batch, file, ("subject", "symbol"))
        file.parsed(batch.num_rows)
        parts = pc.not_equal(batch["subject"], _plain(batch))
        if count := pc.sum(parts).as_py() or 0:
            file.note("isoform or chain, which counts for its protein", count)
            batch = batch.filter(pc.invert(parts))
        yield origin.entities(
            batch.num_rows,
            batch["line"],
            type=batch["type"],
            id=batch["product"],
            name=blank_to_null(batch["name"]),
            symbol=blank_to_null(batch["symbol"]),
            synonyms=split(batch["synonyms"], "|"),
        )


def annotation_claims(
    path: Path,
    file: FileLog,
    origin: Origin,
    tax_id: str,
    species: Mapping[str, str],
) -> Iterator[pa.RecordBatch]:
    """Claims of the annotations of one species.

    Parameters
    ----------
    path : Path
        GAF or GPAD.
    file : FileLog
    origin : Origin
    tax_id : str
        Number of the taxon.
    species : mapping
        Product -> taxon, for GPAD, which states none.
    """
    stated = states_species(path)
    for raw in read_annotations(path, file):
        batch = not_negated(raw, raw["negated"], file, _SHOWN)
        known = blank_to_null(batch["evidence"])
        told = pc.invert(pc.is_in(known, pa.array(_NO_DATA)))
        batch = keep(batch, told, file, "says that nothing is known (ND)", _SHOWN)
        if not stated:
            batch = _with_species(batch, species, file)
        ours = pc.equal(batch["taxon"], tax_id)
        batch = keep(batch, ours, file, "other species", (*_SHOWN, "taxon"))
        batch = _products(batch, file, _SHOWN)
        batch = with_curies(batch, "term", "go", file, to="go", shown=_SHOWN)
        batch = _related(batch, file)
        file.parsed(batch.num_rows)
        yield origin.relationships(
            batch.num_rows,
            batch["line"],
            type=batch["verb"],
            start_type=batch["type"],
            start=batch["product"],
            end_type=batch["kind"],
            end=batch["go"],
            evidence=evidence(
                _with_references(batch),
                lists={
                    "relations": ("stated", "|"),
                    "evidence_codes": ("evidence", "|"),
                    "pubmed_ids": ("pubmed", "|"),
                    "references": ("other", "|"),
                    "assigned_by": ("assigned_by", "|"),
                    "isoforms": ("isoform", "|"),
                },
            ),
        )


def _with_species(
    batch: pa.RecordBatch, species: Mapping[str, str], file: FileLog
) -> pa.RecordBatch:
    words = batch["subject"].dictionary_encode()
    taxa = pa.array([species.get(w) for w in words.dictionary.to_pylist()], pa.string())
    taxon = taxa.take(words.indices)
    position = batch.schema.get_field_index("taxon")
    batch = batch.set_column(position, "taxon", taxon)
    return keep(batch, taxon.is_valid(), file, "product that is not in the GPI file", _SHOWN)


def _plain(batch: pa.RecordBatch) -> pa.Array:
    """Products without the mark of an isoform or a chain; only UniProt has these."""
    uniprot = pc.starts_with(batch["subject"], "UniProtKB:")
    return pc.if_else(uniprot, without_parts(batch["subject"]), batch["subject"])


def _products(batch: pa.RecordBatch, file: FileLog, shown: tuple[str, ...]) -> pa.RecordBatch:
    """Add ``product`` and its ``type``; products of other databases are rejected."""
    database = pc.struct_field(pc.extract_regex(batch["subject"], r"^(?P<db>[^:]+):"), 0)
    code = pc.index_in(database, pa.array(list(PRODUCTS)))
    types = pa.array([type_ for type_, _ in PRODUCTS.values()]).take(code)
    ids = pa.nulls(batch.num_rows, pa.string())
    plain = _plain(batch)
    for position, (_, prefix) in enumerate(PRODUCTS.values()):
        some = pc.fill_null(pc.equal(code, position), False)
        found = curies(plain.filter(some), prefix)
        if prefix == "ensembl":  # its pattern takes transcripts and proteins too
            found = pc.if_else(is_ensembl_gene(found), found, pa.scalar(None, pa.string()))
        ids = pc.replace_with_mask(ids, some, found)
    batch = batch.append_column("type", types).append_column("product", ids)
    batch = keep(batch, types.is_valid(), file, "product without a type in the graph", shown)
    return keep_identified(batch, "product", "subject", file, shown)


def _related(batch: pa.RecordBatch, file: FileLog) -> pa.RecordBatch:
    """Add ``verb``, ``kind`` and ``stated``; what contradicts itself or is unknown is rejected."""
    default = pa.array(list(_DEFAULTS.values())).take(
        pc.index_in(batch["aspect"], pa.array(list(_DEFAULTS)))
    )
    given = blank_to_null(batch["relation"])
    batch = batch.append_column("stated", pc.fill_null(given, ""))
    words = pc.coalesce(given, default).dictionary_encode()
    kinds = pa.array([_kind(word) for word in words.dictionary.to_pylist()], pa.string())
    kind = kinds.take(words.indices)
    by_aspect = pa.array(list(_ASPECTS.values())).take(
        pc.index_in(batch["aspect"], pa.array(list(_ASPECTS)))
    )
    fits = pc.or_kleene(pc.equal(kind, by_aspect), pc.equal(batch["aspect"], ""))
    batch = batch.append_column("kind", kind).append_column("fits", fits)
    verb = pa.array(list(_VERBS.values())).take(pc.index_in(kind, pa.array(list(_VERBS))))
    batch = batch.append_column("verb", verb)
    batch = keep(batch, kind.is_valid(), file, "unknown relation", _SHOWN)
    why = "relation that does not fit the aspect of its term"
    return keep(batch, batch["fits"], file, why, (*_SHOWN, "aspect"))


def _kind(relation: str | None) -> str | None:
    """Type of the terms that all relations of a field lead to; None where there is no one."""
    kinds = {_RELATIONS.get(word, (None, None))[0] for word in (relation or "").split("|")}
    return kinds.pop() if len(kinds) == 1 else None


def _with_references(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Add PubMed's numbers, other references, and the isoform where one is meant."""
    pubmed = pc.extract_regex(batch["references"], r"(?:^|\|)PMID:(?P<id>\d+)")
    other = pc.replace_substring_regex(batch["references"], r"PMID:\d+\|?", "")
    form = pc.replace_substring(batch["form"], "UniProtKB:", "")
    product = pc.replace_substring(batch["product"], "uniprot:", "")
    isoform = pc.if_else(pc.equal(form, product), "", form)
    return (
        batch.append_column("pubmed", pc.fill_null(pc.struct_field(pubmed, 0), ""))
        .append_column("other", other)
        .append_column("isoform", isoform)
    )
