"""Pathway Commons: interactions of many pathway databases, reduced to pairs (SIF).

The file is SIF (three columns without a header) or the extended table, whose second part, after an
empty line, describes the participants. Participants are symbols of HGNC or ChEBI's small molecules.
The types of interactions were made by rules over BioPAX: most say that one participant controls
something of the other and none says in which direction, so their sign is 0.

Types: https://www.pathwaycommons.org/pc2/formats#sif_relations
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from tosg.kg.schema.curies import curies
from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.columns import evidence, keep, keep_identified, parents, split, with_curies
from tosg.loaders.formats.tables import Layout, choose_layout, read_table
from tosg.loaders.reference.symbols import SYMBOLS, SymbolTable, read_symbols, with_genes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.claims.log import FileLog, SourceLog
    from tosg.loaders.base import Origin

_PAIR = ("PARTICIPANT_A", "INTERACTION_TYPE", "PARTICIPANT_B")
_LAYOUTS = {
    "extended": Layout(
        _PAIR, optional=("INTERACTION_DATA_SOURCE", "INTERACTION_PUBMED_ID"), table=1
    ),
    "sif": Layout(_PAIR, header=False),
}
_PARTICIPANTS = Layout(("PARTICIPANT", "PARTICIPANT_TYPE", "PARTICIPANT_NAME"), table=2)
_HIERARCHY = Layout(("PATHWAY_URI", "DISPLAY_NAME", "DIRECT_SUB_PATHWAY_URIS"), table=1)

#: Type -> (relationship, whether it is read from the second participant to the first). Types that
#: are no relationship of the graph have none, and why.
_TYPES: dict[str, tuple[str, bool]] = {
    "controls-state-change-of": ("REGULATES", False),
    "controls-transport-of": ("REGULATES", False),
    "controls-phosphorylation-of": ("REGULATES", False),
    "controls-expression-of": ("REGULATES", False),
    "controls-production-of": ("REGULATES", False),
    "controls-transport-of-chemical": ("REGULATES", False),
    "chemical-affects": ("REGULATES", False),
    "consumption-controlled-by": ("REGULATES", True),
    "consumption-controled-by": ("REGULATES", True),  # as older releases write it
    "in-complex-with": ("INTERACTS_WITH", False),
    "interacts-with": ("INTERACTS_WITH", False),
}
_LEFT_OUT = {
    "catalysis-precedes": "enzymes of successive reactions, no signaling",
    "neighbor-of": "neighbors, no interaction",
    "reacts-with": "reaction of two small molecules",
    "used-to-produce": "reaction of two small molecules",
}
_SHOWN = _PAIR

#: References that are no numbers of PubMed, as ``unassigned1272``.
_NO_NUMBER = r"(?:^|;)[^;]*[^\d;][^;]*"


class PathwayCommons(Loader):
    """See the module."""

    name = "pathway_commons"
    title = "Pathway Commons: pairs from many pathway databases (SIF)"
    homepage = "https://www.pathwaycommons.org"
    license = "LicenseRef-Pathway-Commons-non-commercial"
    nodes = ("Metabolite", "Pathway")
    relationships = (
        ("Gene", "REGULATES", "Gene"),
        ("Gene", "REGULATES", "Metabolite"),
        ("Metabolite", "REGULATES", "Gene"),
        ("Gene", "INTERACTS_WITH", "Gene"),
        ("Pathway", "PART_OF", "Pathway"),
    )
    signs = "0 for every type that has a direction: none says whether it raises or lowers"
    quirks = (
        "The extended table has two tables in one file, with an empty line between them.",
        "controls-phosphorylation-of may also be a removal: it is REGULATES, not PHOSPHORYLATES.",
        "in-complex-with pairs the members of a complex; the evidence says so.",
        "consumption-controlled-by is turned round: the gene acts on the molecule.",
        "Types between enzymes or molecules of reactions are counted and left out.",
        "Of the table of pathways only what Reactome calls a part is read.",
        "Each data source has a licence of its own, some of them non-commercial.",
    )
    tested_on = "an excerpt of 250 pairs (version 8), the whole table of pathways of version 10"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "pairs",
            (
                "pc-hgnc.txt.gz",
                "pc-hgnc.sif.gz",
                "PathwayCommons*.All.hgnc.txt.gz",
                "PathwayCommons*.All.hgnc.sif.gz",
                "PathwayCommons*.hgnc.txt*",
                "PathwayCommons*.hgnc.sif*",
                "*sifnx*.txt",
            ),
            "pairs of participants (extended SIF, or SIF)",
            url="https://download.baderlab.org/PathwayCommons/PC2/v14/pc-hgnc.txt.gz",
            whole_bytes=5_000_000,
        ),
        SYMBOLS,
        FileSpec(
            "pathways",
            ("pathways.txt.gz", "pathways.txt"),
            "pathways and their parts",
            required=False,
            url="https://download.baderlab.org/PathwayCommons/PC2/v14/pathways.txt.gz",
            whole_bytes=500_000,
        ),
    )

    def _release(self, files: Mapping[str, Path]) -> str:
        found = re.search(r"PathwayCommons\.?(\d+)\.", files["pairs"].name)
        return found.group(1) if found else ""

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        symbols = read_symbols(files["symbols"], log.file(files["symbols"]))
        path = files["pairs"]
        file, origin = log.file(path), self.origin(path, release)
        kind = choose_layout(path, _LAYOUTS)
        for raw in read_table(path, _LAYOUTS[kind], file):
            yield from _pairs(raw, symbols, file, origin)
        if kind == "extended":
            for raw in read_table(path, _PARTICIPANTS, file):
                yield _molecules(raw, file, origin)
        if "pathways" in files:
            path = files["pathways"]
            file, origin = log.file(path), self.origin(path, release, part="pathways")
            for raw in read_table(path, _HIERARCHY, file):
                yield from _hierarchy(raw, file, origin)


def _pairs(
    raw: pa.RecordBatch, symbols: SymbolTable, file: FileLog, origin: Origin
) -> Iterator[pa.RecordBatch]:
    batch = raw
    for word, why in _LEFT_OUT.items():
        other = pc.not_equal(batch["INTERACTION_TYPE"], word)
        batch = keep(batch, other, file, why, _SHOWN)
    code = pc.index_in(batch["INTERACTION_TYPE"], pa.array(list(_TYPES)))
    verb = pa.array([v for v, _ in _TYPES.values()]).take(code)
    turned = pa.array([t for _, t in _TYPES.values()]).take(code)
    batch = batch.append_column("verb", verb).append_column("turned", turned)
    batch = keep(batch, verb.is_valid(), file, "unknown INTERACTION_TYPE", _SHOWN)
    for end in "AB":
        batch = _identified(batch, end, symbols, file)
    pair = pc.binary_join_element_wise(batch["type_A"], batch["type_B"], " ")
    odd = pc.and_(pc.equal(batch["verb"], "INTERACTS_WITH"), pc.not_equal(pair, "Gene Gene"))
    two = pc.equal(pair, "Metabolite Metabolite")
    kind = "type that does not fit its participants"
    batch = keep(batch, pc.invert(pc.or_(odd, two)), file, kind, _SHOWN)
    file.parsed(batch.num_rows)
    same = pc.and_(pc.equal(batch["A"], batch["B"]), pc.equal(batch["verb"], "INTERACTS_WITH"))
    if count := pc.sum(same).as_py() or 0:
        file.note("gene that interacts with itself, kept out", count)
        batch = batch.filter(pc.invert(same))
    extended = "INTERACTION_DATA_SOURCE" in batch.schema.names
    lists = {"types": ("INTERACTION_TYPE", ";")}
    if extended:
        numbers = pc.replace_substring_regex(batch["INTERACTION_PUBMED_ID"], _NO_NUMBER, "")
        batch = batch.append_column("pubmed", numbers)
        lists |= {"pubmed_ids": ("pubmed", ";"), "databases": ("INTERACTION_DATA_SOURCE", ";")}
    swap = batch["turned"]
    regulates = pc.equal(batch["verb"], "REGULATES")
    yield origin.relationships(
        batch.num_rows,
        batch["line"],
        type=batch["verb"],
        start_type=pc.if_else(swap, batch["type_B"], batch["type_A"]),
        start=pc.if_else(swap, batch["B"], batch["A"]),
        end_type=pc.if_else(swap, batch["type_A"], batch["type_B"]),
        end=pc.if_else(swap, batch["A"], batch["B"]),
        sign=pc.if_else(regulates, pa.scalar(0, pa.int8()), pa.scalar(None, pa.int8())),
        evidence=evidence(batch, lists=lists),
    )


def _identified(
    batch: pa.RecordBatch, end: str, symbols: SymbolTable, file: FileLog
) -> pa.RecordBatch:
    """Add the participant's type and CURIE."""
    column = f"PARTICIPANT_{end}"
    small = pc.starts_with(batch[column], "CHEBI:")
    molecules = batch.filter(small)
    molecules = molecules.append_column(end, curies(molecules[column], "chebi"))
    molecules = keep_identified(molecules, end, column, file, _SHOWN)
    genes = with_genes(batch.filter(pc.invert(small)), column, symbols, file, to=end)
    both = [(genes, "Gene"), (molecules, "Metabolite")]
    table = pa.Table.from_batches(
        [b.append_column(f"type_{end}", pa.repeat(pa.scalar(t), b.num_rows)) for b, t in both]
    )
    whole = table.sort_by("line").combine_chunks()
    if not whole.num_rows:
        return pa.RecordBatch.from_pylist([], schema=whole.schema)
    return whole.to_batches()[0]


def _molecules(raw: pa.RecordBatch, file: FileLog, origin: Origin) -> pa.RecordBatch:
    """Names of the small molecules; the other participants are named by the gene table."""
    small = pc.starts_with(raw["PARTICIPANT"], "CHEBI:")
    if others := raw.num_rows - (pc.sum(small).as_py() or 0):
        file.parsed(others)
    batch = with_curies(raw.filter(small), "PARTICIPANT", "chebi", file, to="id")
    file.parsed(batch.num_rows)
    names = split(batch["PARTICIPANT_NAME"], ";")
    first = [found[0] if found else None for found in names.to_pylist()]
    return origin.entities(
        batch.num_rows,
        batch["line"],
        type="Metabolite",
        id=batch["id"],
        name=pa.array(first, pa.string()),
        synonyms=[found[1:] for found in names.to_pylist()],
    )


def _hierarchy(raw: pa.RecordBatch, file: FileLog, origin: Origin) -> Iterator[pa.RecordBatch]:
    """Reactome's pathways and their parts: elsewhere a `sub-pathway` may be any link."""
    head = "http://identifiers.org/reactome/"
    ours = pc.starts_with(raw["PATHWAY_URI"], head)
    batch = keep(raw, ours, file, "pathway of another database than Reactome", ("PATHWAY_URI",))
    batch = with_curies(batch, "PATHWAY_URI", "reactome", file, to="id")
    file.parsed(batch.num_rows)
    yield origin.entities(
        batch.num_rows,
        batch["line"],
        type="Pathway",
        id=batch["id"],
        name=pc.utf8_trim_whitespace(batch["DISPLAY_NAME"]),
    )
    parts = split(batch["DIRECT_SUB_PATHWAY_URIS"], ";")
    row, flat = pa.array(parents(parts)), parts.flatten()
    kept = pc.starts_with(flat, head)
    row, ids = row.filter(kept), curies(flat.filter(kept), "reactome")
    yield origin.relationships(
        len(row),
        batch["line"].take(row),
        type="PART_OF",
        start_type="Pathway",
        start=ids,
        end_type="Pathway",
        end=batch["id"].take(row),
    )
