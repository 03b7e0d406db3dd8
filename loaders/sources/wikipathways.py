"""WikiPathways: human pathways with their members and their wiring, from the GPML drawings.

What is drawn becomes what is said only where one reading exists:

- A node counts as the gene, protein or metabolite of its database identifier, never of its label.
- A line between nodes, groups or complexes becomes one relationship per pair of members, where
  there are at most 60 of them. The evidence says what was resolved.
- A line that ends on an anchor acts on what the anchored interaction leads to; where that one
  inhibits, the sign is turned round. A line that starts on an anchor has no reading and is counted.
- ``Arrow`` says a direction and no sign. Lines without a head, and ``mim-binding``, are contact.
- Conversions between metabolites are chemistry, not signaling; they are counted.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

from tosg.kg.claims.log import BAD_ID
from tosg.kg.schema.curies import curie
from tosg.loaders.base import FileSpec, Loader, evidence_json
from tosg.loaders.formats.archives import read_members
from tosg.loaders.formats.gpml import (
    CONTACT,
    GpmlInteraction,
    GpmlNode,
    parse_gpml,
    sign_of,
)
from tosg.loaders.reference.facts import FACTS_AT_ONCE, Fact, Ref, fact_claims
from tosg.loaders.reference.symbols import SYMBOLS, SymbolTable, read_symbols

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from tosg.kg.claims.log import FileLog, SourceLog

#: Pairs that one line between two groups may stand for.
_MOST_PAIRS = 60

_HUMAN = "Homo sapiens"

#: Database names of GPML -> (entity type, prefix). Others have no type in the graph.
_DATABASES: dict[str, Ref] = {
    "Ensembl": ("Gene", "ensembl"),
    "Entrez Gene": ("Gene", "ncbigene"),
    "HGNC Accession number": ("Gene", "hgnc"),
    "Uniprot-TrEMBL": ("Protein", "uniprot"),
    "Uniprot-SwissProt": ("Protein", "uniprot"),
    "ChEBI": ("Metabolite", "chebi"),
    "HMDB": ("Metabolite", "hmdb"),
    "KEGG Compound": ("Metabolite", "kegg.compound"),
    "DrugBank": ("Drug", "drugbank"),
    "Complex Portal": ("Complex", "complexportal"),
}

#: Types that a line of signaling may join.
_ACTORS = ("Gene", "Protein", "Complex")


class WikiPathways(Loader):
    """See the module."""

    name = "wikipathways"
    title = "WikiPathways: pathways with their members and their wiring (GPML)"
    homepage = "https://www.wikipathways.org"
    license = "CC0 1.0"
    nodes = ("Metabolite", "Pathway")
    relationships = (
        *(
            (a, "PARTICIPATES_IN", "Pathway")
            for a in ("Gene", "Protein", "Complex", "Metabolite", "Drug")
        ),
        *(
            (a, kind, b)
            for kind in ("REGULATES", "INTERACTS_WITH")
            for a in (*_ACTORS, "Metabolite")
            for b in (*_ACTORS, "Metabolite")
            if (a, b) != ("Metabolite", "Metabolite")
        ),
    )
    signs = (
        "arrow head: stimulation, catalysis, transcription-translation 1; inhibition, T bar -1; "
        "others 0"
    )
    quirks = (
        "Names of genes under the database HGNC are symbols; they need the table of symbols.",
        "A metabolite has the label that most drawings give it, unless another source names it.",
        "Lines that end on labels, shapes or nothing, and nodes without identifiers, are counted.",
    )
    tested_on = "979 human drawings of the repository (2025-11)"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "drawings",
            (
                "wikipathways-*-gpml-Homo_sapiens.zip",
                "wikipathways-human-gpml.tar.gz",
                "*gpml*.zip",
                "*gpml*.tar.gz",
            ),
            "drawings of human pathways (GPML in a zip or tar archive)",
            url="https://data.wikipathways.org/current/gpml/",
            whole_bytes=8_000_000,
        ),
        replace(SYMBOLS, required=False),
    )

    def _release(self, files: Mapping[str, Path]) -> str:
        found = re.search(r"-(\d{8})-gpml", files["drawings"].name)
        return found.group(1) if found else ""

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        symbols = None
        if "symbols" in files:
            symbols = read_symbols(files["symbols"], log.file(files["symbols"]))
        path = files["drawings"]
        file, origin = log.file(path), self.origin(path, release)
        pathways: list[tuple[int, str, str | None, str | None]] = []
        facts: list[Fact] = []
        drawn: dict[str, _Metabolite] = {}
        for number, (name, data) in enumerate(read_members(path, "*.gpml"), 1):
            file.read()
            pathway = parse_gpml(data, f"{path}: {name}")
            if pathway.organism != _HUMAN:
                file.reject("other species", number, f"{name}: {pathway.organism}")
                continue
            id_ = curie(pathway.id, "wikipathways")
            if id_ is None:
                file.reject(BAD_ID, number, f"{name}: {pathway.id}")
                continue
            file.parsed()
            text = _plain(pathway.description)
            pathways.append((number, id_, pathway.name or None, text or None))
            if len(facts) >= FACTS_AT_ONCE:
                yield from fact_claims(facts, origin)
                facts = []
            nodes = _identified(pathway.nodes, symbols, file)
            _take_metabolites(pathway.nodes, nodes, number, drawn)
            facts += _members(id_, nodes, number)
            for interaction in pathway.interactions:
                facts += _wiring(pathway.id, interaction, nodes, number, file)
        yield origin.entities(
            len(pathways),
            [number for number, *_ in pathways],
            type="Pathway",
            id=[id_ for _, id_, _, _ in pathways],
            name=[name for _, _, name, _ in pathways],
            description=[text for *_, text in pathways],
        )
        yield origin.entities(
            len(drawn),
            [metabolite.record for metabolite in drawn.values()],
            type="Metabolite",
            id=list(drawn),
            name=[metabolite.name for metabolite in drawn.values()],
        )
        yield from fact_claims(facts, origin)


@dataclass(slots=True)
class _Metabolite:
    """The first drawing of a metabolite, and how often drawings give it each label."""

    record: int
    labels: Counter[str] = field(default_factory=Counter)

    @property
    def name(self) -> str | None:
        """The most frequent label, the first by the alphabet among those as frequent."""
        return min(self.labels, key=lambda label: (-self.labels[label], label), default=None)


def _take_metabolites(
    nodes: Iterable[GpmlNode],
    found: Mapping[str, Ref],
    record: int,
    drawn: dict[str, _Metabolite],
) -> None:
    for node in nodes:
        type_, id_ = found.get(node.ref, ("", ""))
        if type_ == "Metabolite":
            metabolite = drawn.setdefault(id_, _Metabolite(record))
            if label := " ".join(node.label.split()):
                metabolite.labels[label] += 1


def _plain(text: str) -> str:
    """Description without the marks of its wiki: a link is its text."""
    return " ".join(re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text).split())


def _identified(
    nodes: Iterable[GpmlNode], symbols: SymbolTable | None, file: FileLog
) -> dict[str, Ref]:
    """(type, CURIE) of each node that has an identifier of a type of the graph, by its ref."""
    found: dict[str, Ref] = {}
    for node in nodes:
        if node.type == "Pathway" or not node.database or not node.id:
            kind = "drawn pathway" if node.type == "Pathway" else "node without an identifier"
            file.note(f"{kind}, left out", 1, node.label)
            continue
        if node.database == "HGNC" and symbols is not None:
            gene, how = symbols.resolve(node.id)
            if gene is None:
                file.note(f"node with {how} symbol, left out", 1, node.id)
            else:
                found[node.ref] = "Gene", gene
            continue
        known = _DATABASES.get(node.database)
        if known is None:
            file.note(f"node with an identifier of {node.database}, left out", 1, node.label)
            continue
        type_, prefix = known
        id_ = curie(node.id, prefix)
        if id_ is None or (prefix == "ensembl" and not id_.startswith("ensembl:ENSG")):
            file.note(f"node with a bad {node.database} identifier, left out", 1, node.id)
            continue
        found[node.ref] = type_, id_
    return found


def _members(pathway: str, nodes: Mapping[str, Ref], record: int) -> Iterator[Fact]:
    counts = Counter(nodes.values())
    for member in sorted(counts):
        yield Fact("PARTICIPATES_IN", member, ("Pathway", pathway), record)


def _wiring(
    pathway: str,
    line: GpmlInteraction,
    nodes: Mapping[str, Ref],
    record: int,
    file: FileLog,
) -> Iterator[Fact]:
    """The relationships that a line stands for; what has no reading is noted."""
    where = f"{pathway} {line.id}"
    backwards = bool(line.heads[0]) and not line.heads[1]
    both = bool(line.heads[0]) and bool(line.heads[1])
    first, last = (line.end, line.start) if backwards else (line.start, line.end)
    head = line.heads[0] if backwards else line.heads[1]
    for end in (first, last):
        if not end.nodes:
            file.note(f"line without a reading: {end.how}", 1, where)
            return
    if first.how == "anchor":
        file.note("line without a reading: it starts on another interaction", 1, where)
        return
    starts = _ids(first.nodes, nodes)
    ends = _ids(last.nodes, nodes)
    if not starts or not ends:
        file.note("line without a reading: an end has no identifier", 1, where)
        return
    if len(starts) * len(ends) > _MOST_PAIRS:
        file.note(f"line without a reading: more than {_MOST_PAIRS} pairs of members", 1, where)
        return
    sign = 0 if last.unclear else sign_of(head) * (-1 if last.inverts else 1)
    contact = head in CONTACT and last.how != "anchor"
    evidence = evidence_json(
        {
            "pathways": [pathway],
            "interactions": [where],
            "kinds": [head or "line"],
            "resolved": sorted({e.how for e in (first, last)} - {"node"}),
            "pubmed_ids": list(line.pubmed_ids),
        }
    )
    back = sign_of(line.heads[0])
    for a, b in itertools.product(starts, ends):
        yield from _facts(a, b, sign, evidence, record, file, where, contact=contact)
        if both and not contact and last.how != "anchor":
            yield from _facts(b, a, back, evidence, record, file, where, contact=False)


def _ids(drawn: Iterable[GpmlNode], nodes: Mapping[str, Ref]) -> list[Ref]:
    return sorted({nodes[n.ref] for n in drawn if n.ref in nodes})


def _facts(
    start: Ref,
    end: Ref,
    sign: int,
    evidence: str | None,
    record: int,
    file: FileLog,
    where: str,
    *,
    contact: bool,
) -> Iterator[Fact]:
    if start == end:
        file.note("line from a node to itself, left out", 1, where)
    elif contact and {start[0], end[0]} & set(_ACTORS):
        yield Fact("INTERACTS_WITH", start, end, record, evidence=evidence)
    elif not contact and _is_signaling(start[0], end[0]):
        yield Fact("REGULATES", start, end, record, sign, evidence=evidence)
    else:
        file.note(f"line between {start[0]} and {end[0]}, which is no signaling", 1, where)


def _is_signaling(start: str, end: str) -> bool:
    """Whether a line with a direction can be a regulation: not between two metabolites."""
    regulators = (*_ACTORS, "Metabolite")
    return start in regulators and end in regulators and bool({start, end} & set(_ACTORS))
