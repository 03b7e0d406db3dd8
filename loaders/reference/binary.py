"""Binary interactions of MITAB tables as claims: what IntAct's and InnateDB's files share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from tosg.kg.schema.curies import curies
from tosg.loaders.columns import evidence, keep, keep_identified, not_negated
from tosg.loaders.formats.mitab import (
    MITAB,
    blank_dash,
    find_value,
    has_term,
    is_taxon,
    name_terms,
    parse_identifiers,
)
from tosg.loaders.formats.tables import read_table
from tosg.loaders.options import Option
from tosg.loaders.reference.genes import HUMAN_TAX_ID, is_ensembl_gene
from tosg.loaders.reference.participants import without_parts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.claims.log import FileLog
    from tosg.loaders.base import Origin
    from tosg.loaders.scores import Score

#: Database -> (type, prefix). Identifiers of others have no type in the graph.
DATABASES: dict[str, tuple[str, str]] = {
    "uniprotkb": ("Protein", "uniprot"),
    "chebi": ("Metabolite", "chebi"),
    "complex portal": ("Complex", "complexportal"),
    "complexportal": ("Complex", "complexportal"),
    "entrez gene/locuslink": ("Gene", "ncbigene"),
    "ensembl": ("Gene", "ensembl"),
}
#: Phenotypes of two mutations are no contact.
GENETIC = Option("genetic", "whether genetic interactions are loaded too", False)

_SHOWN = ("given_A", "given_B", "types")
_PHOSPHORYLATION = ("MI:0217",)
_ENZYME, _TARGET = ("MI:0501",), ("MI:0502",)


@dataclass(frozen=True)
class BinarySource:
    """How one source fills a MITAB table.

    Attributes
    ----------
    ids : str
        Columns of the identifiers: ``id`` or ``alt``.
    databases : mapping
        Those of `DATABASES` that are read.
    score : Score or None
        Over the column ``score_column``.
    score_column : str
        Which value of the confidence is the score, as ``intact-miscore``.
    accession : str
        Database of the accession of an interaction, as ``intact``.
    genetic : bool
        Whether genetic interactions are read too.
    """

    databases: Mapping[str, tuple[str, str]]
    accession: str
    ids: str = "id"
    score: Score | None = None
    score_column: str = ""
    genetic: bool = False


def read_binary(
    path: Path, file: FileLog, origin: Origin, source: BinarySource
) -> Iterator[pa.RecordBatch]:
    """Claims of the human interactions of a table, block by block.

    A pair is INTERACTS_WITH. A phosphorylation in which one end is the enzyme and the other its
    target is PHOSPHORYLATES as well.
    """
    for raw in read_table(path, MITAB, file):
        batch = _human_pairs(raw, file, source)
        if source.score is not None:
            value = find_value(batch.column("confidence"), source.score_column)
            batch = batch.append_column(source.score_column, value)
            batch = source.score.add(batch, file)
        file.parsed(batch.num_rows)
        batch = _with_evidence(batch, file, source)
        loops = pc.equal(batch.column("A"), batch.column("B"))
        enzymes = _enzymes(batch)
        if count := pc.sum(pc.and_(loops, pc.is_null(enzymes))).as_py() or 0:
            file.note("interaction with itself, kept out", count)
        pairs = batch.filter(pc.invert(loops))
        if pairs.num_rows:
            yield _claims(pairs, origin, "INTERACTS_WITH", "A", "B")
        for start, end in ("AB", "BA"):
            some = batch.filter(pc.fill_null(pc.equal(enzymes, start), False))
            if some.num_rows:
                yield _claims(some, origin, "PHOSPHORYLATES", start, end)


def _human_pairs(raw: pa.RecordBatch, file: FileLog, source: BinarySource) -> pa.RecordBatch:
    """Rows with ``A`` and ``B`` as CURIEs, ``type_A`` and ``type_B``; the others are rejected."""
    batch = raw
    for end in "AB":
        batch = batch.append_column(f"given_{end}", batch.column(f"{source.ids}_{end}"))
    negative = pc.equal(pc.utf8_lower(pc.utf8_trim_whitespace(batch["negative"])), "true")
    batch = not_negated(batch, negative, file, _SHOWN)
    for end in "AB":
        there = pc.not_equal(blank_dash(batch.column(f"given_{end}")), "")
        batch = keep(batch, there, file, "interactor missing", _SHOWN)
    if not source.genetic:
        contact = pc.invert(pc.match_substring(batch.column("types"), "genetic"))
        batch = keep(batch, contact, file, "genetic interaction", _SHOWN)
    for end in "AB":
        batch = _identified(batch, end, file, source.databases)
    for end in "AB":
        # A molecule of the laboratory has no species of its own (taxid:-2, chemical synthesis).
        small = pc.equal(batch.column(f"type_{end}"), "Metabolite")
        human = pc.or_(small, is_taxon(batch.column(f"taxid_{end}"), HUMAN_TAX_ID))
        batch = keep(batch, human, file, "other species", (*_SHOWN, f"taxid_{end}"))
    small = [pc.equal(batch.column(f"type_{end}"), "Metabolite") for end in "AB"]
    return keep(batch, pc.invert(pc.and_(*small)), file, "pair of two small molecules", _SHOWN)


def _identified(
    batch: pa.RecordBatch, end: str, file: FileLog, databases: Mapping[str, tuple[str, str]]
) -> pa.RecordBatch:
    database, local = parse_identifiers(batch.column(f"given_{end}"))
    code = pc.index_in(database, pa.array(list(databases)))
    types = pa.array([type_ for type_, _ in databases.values()]).take(code)
    ids = pa.nulls(batch.num_rows, pa.string())
    for position, (type_, prefix) in enumerate(databases.values()):
        ours = pc.fill_null(pc.equal(code, position), False)
        some = local.filter(ours)
        some = without_parts(some) if type_ == "Protein" else some
        if prefix == "ensembl":  # its pattern takes transcripts and proteins too
            some = pc.if_else(is_ensembl_gene(some), some, "")
        ids = pc.replace_with_mask(ids, ours, curies(some, prefix))
    batch = batch.append_column(f"type_{end}", types).append_column(end, ids)
    kind = "interactor of a kind without a type in the graph"
    batch = keep(batch, code.is_valid(), file, kind, _SHOWN)
    return keep_identified(batch, end, f"given_{end}", file, _SHOWN)


def _enzymes(batch: pa.RecordBatch) -> pa.Array:
    """``A`` or ``B`` where that end phosphorylates the other, else null."""
    proteins = pc.and_(
        pc.equal(batch.column("type_A"), "Protein"), pc.equal(batch.column("type_B"), "Protein")
    )
    happens = pc.and_(has_term(batch.column("types"), _PHOSPHORYLATION), proteins)
    by = {
        start: pc.and_(
            has_term(batch.column(f"role_{start}"), _ENZYME),
            has_term(batch.column(f"role_{end}"), _TARGET),
        )
        for start, end in ("AB", "BA")
    }
    nothing = pa.scalar(None, pa.string())
    which = pc.if_else(by["A"], "A", pc.if_else(by["B"], "B", nothing))
    return pc.if_else(happens, which, nothing)


def _with_evidence(batch: pa.RecordBatch, file: FileLog, source: BinarySource) -> pa.RecordBatch:
    said = {
        "pubmed": find_value(batch.column("publications"), "pubmed"),
        "accession": find_value(batch.column("interaction_ids"), source.accession),
        "kinds": name_terms(batch.column("types")),
        "how": name_terms(batch.column("methods")),
        "expanded": name_terms(batch.column("expansion")),
        "confidences": blank_dash(batch.column("confidence")),
        "forms": _forms(batch),
    }
    for name, values in said.items():
        batch = batch.append_column(name, values)
    expanded = pc.sum(pc.not_equal(said["expanded"], "")).as_py() or 0
    if expanded:
        file.note("pair out of a complex by expansion; its evidence says so", expanded)
    lists = {
        "interaction_ids": ("accession", "|"),
        "pubmed_ids": ("pubmed", "|"),
        "types": ("kinds", "|"),
        "methods": ("how", "|"),
        "expansions": ("expanded", "|"),
        "isoforms": ("forms", "|"),
    }
    if source.score is None:
        lists["confidence"] = ("confidences", "|")
    return batch.append_column("evidence", evidence(batch, lists=lists))


def _forms(batch: pa.RecordBatch) -> pa.Array:
    """Isoforms and chains of the ends, which count for their protein."""
    found = []
    for end in "AB":
        _, local = parse_identifiers(batch.column(f"given_{end}"))
        local = pc.fill_null(local, "")
        protein = pc.equal(batch.column(f"type_{end}"), "Protein")
        whole = pc.or_(pc.equal(local, without_parts(local)), pc.invert(protein))
        found.append(pc.if_else(whole, "", local))
    return pc.binary_join_element_wise(*found, "|")


def _claims(
    batch: pa.RecordBatch, origin: Origin, type_: str, start: str, end: str
) -> pa.RecordBatch:
    return origin.relationships(
        batch.num_rows,
        batch.column("line"),
        type=type_,
        start_type=batch.column(f"type_{start}"),
        start=batch.column(start),
        end_type=batch.column(f"type_{end}"),
        end=batch.column(end),
        score=batch.column("score") if "score" in batch.schema.names else None,
        evidence=batch.column("evidence"),
    )
