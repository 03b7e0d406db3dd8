"""OmniPath: signaling interactions, enzymes, complexes, pathways and roles of proteins.

The web service gives one table per query; the columns are those of ``genesymbols=1`` and
``fields=sources,references,curation_effort,type``. A complex is written ``COMPLEX:P1_P2``; the
table of complexes has their names and how often each member is in it. Of the annotations those are
read whose label is ``pathway``: others name nothing that has an identifier in the graph. Of the
roles between cells (``intercell``) those are read that all resources together make (``generic``,
``composite``) and that are a location or a function of the Gene Ontology.

Columns: https://github.com/saezlab/pypath/blob/master/docs/webservice.rst
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from tosg.kg.claims.log import BAD_ID
from tosg.loaders.base import FileSpec, Loader, evidence_json
from tosg.loaders.columns import keep
from tosg.loaders.formats.tables import Layout, read_table
from tosg.loaders.reference.complexes import ComplexRecord, complex_claims, members_id
from tosg.loaders.reference.facts import Fact, Ref, fact_claims
from tosg.loaders.reference.participants import PARTNERS, NamedByMembers, protein_ref
from tosg.loaders.scores import Score

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.claims.log import FileLog, SourceLog
    from tosg.loaders.base import Origin

_FLAGS = ("is_directed", "is_stimulation", "is_inhibition")
_INTERACTIONS = Layout(
    ("source", "target", *_FLAGS),
    optional=("sources", "references", "curation_effort", "type", "dorothea_level",
              "ncbi_tax_id_source", "ncbi_tax_id_target"),
)  # fmt: skip
_ENZYMES = Layout(
    ("enzyme", "substrate", "residue_type", "residue_offset", "modification"),
    optional=("sources", "references", "curation_effort", "ncbi_tax_id"),
)
_COMPLEXES = Layout(
    ("name", "components", "stoichiometry", "sources", "references", "identifiers"),
)
_ANNOTATIONS = Layout(("uniprot", "entity_type", "source", "label", "value", "record_id"))
_ROLES = Layout(
    ("category", "scope", "aspect", "source", "uniprot", "entity_type"),
    optional=("consensus_score",),
)
#: Category -> the Gene Ontology's term that means the same; others have none.
_TERMS = {
    "secreted": ("CellularComponent", "go:0005576"),
    "extracellular": ("CellularComponent", "go:0005576"),
    "intracellular": ("CellularComponent", "go:0005622"),
    "ecm": ("CellularComponent", "go:0031012"),
    "plasma_membrane": ("CellularComponent", "go:0005886"),
    "cell_surface": ("CellularComponent", "go:0009986"),
    "gap_junction": ("CellularComponent", "go:0005921"),
    "tight_junction": ("CellularComponent", "go:0070160"),
    "adherens_junction": ("CellularComponent", "go:0005912"),
    "desmosome": ("CellularComponent", "go:0030057"),
    "ligand": ("MolecularFunction", "go:0048018"),
    "receptor": ("MolecularFunction", "go:0038023"),
    "transporter": ("MolecularFunction", "go:0005215"),
    "ion_channel": ("MolecularFunction", "go:0005216"),
}
_VERBS = {"CellularComponent": "LOCATED_IN", "MolecularFunction": "HAS_FUNCTION"}
_CONSENSUS = Score(
    "1.0 - 1.0 / (1.0 + consensus_score)",
    numbers=("consensus_score",),
    help="consensus_score counts the resources that give a protein the role",
)
_SCORE = Score(
    "1.0 - 1.0 / (1.0 + curation_effort)",
    numbers=("curation_effort",),
    help="curation_effort counts the pairs of resource and reference; the more, the surer",
)
_TRUE, _FALSE = ("1", "True", "TRUE", "true"), ("0", "False", "FALSE", "false", "")
_HUMAN = ("9606", "")


class OmniPath(Loader):
    """See the module."""

    name = "omnipath"
    title = "OmniPath: signaling interactions, enzymes, complexes and pathways of many resources"
    homepage = "https://omnipathdb.org"
    license = "CC BY-NC-SA 4.0"
    nodes = ("Complex", "Pathway")
    relationships = (
        *PARTNERS,
        ("Protein", "PHOSPHORYLATES", "Protein"),
        ("Protein", "MEMBER_OF", "Complex"),
        ("Protein", "PARTICIPATES_IN", "Pathway"),
        ("Complex", "PARTICIPATES_IN", "Pathway"),
        *(
            (product, verb, term)
            for product in ("Protein", "Complex")
            for term, verb in _VERBS.items()
        ),
    )
    scores = (_SCORE, _CONSENSUS)
    signs = "is_stimulation 1, is_inhibition -1; both, or neither, 0"
    quirks = (
        "The licence is that of the strictest resource; ask for license=commercial to narrow it.",
        "An interaction that is not directed is INTERACTS_WITH.",
        "A pair that is stimulated and inhibited keeps both signs, as two relationships.",
        "A complex is known by its members: two of the same members in other numbers are one.",
        "Annotations are properties in rows; only pathways that a resource names are read.",
        "Roles between cells stand once for each resource, and once for all of them: those count.",
    )
    tested_on = "made-up rows in the layout of the web service"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "interactions",
            ("omnipath_interactions.tsv", "omnipath*interactions*.tsv*"),
            "interactions",
            url=(
                "https://omnipathdb.org/interactions?genesymbols=1&format=tsv&datasets=omnipath"
                "&fields=sources,references,curation_effort,type"
            ),
            whole_bytes=1_000_000,
        ),
        FileSpec(
            "enzymes",
            ("omnipath_enz_sub.tsv", "*enz_sub*.tsv", "*enzsub*.tsv"),
            "enzymes and the residues that they modify",
            required=False,
            url=(
                "https://omnipathdb.org/enz_sub?genesymbols=1&format=tsv"
                "&fields=sources,references,curation_effort"
            ),
            whole_bytes=1_000_000,
        ),
        FileSpec(
            "complexes",
            ("omnipath_complexes.tsv", "omnipath*complexes*.tsv*"),
            "complexes with their members",
            required=False,
            url="https://omnipathdb.org/complexes?format=tsv",
            whole_bytes=1_000_000,
        ),
        FileSpec(
            "annotations",
            ("omnipath_annotations.tsv", "omnipath*annotations*.tsv*"),
            "annotations of proteins",
            required=False,
            url=(
                "https://omnipathdb.org/annotations?format=tsv"
                "&resources=SignaLink_pathway,NetPath,SIGNOR"
            ),
            whole_bytes=200_000,
        ),
        FileSpec(
            "roles",
            ("omnipath_intercell.tsv", "*intercell*.tsv*"),
            "roles of proteins between cells (intercell)",
            required=False,
            url="https://omnipathdb.org/intercell?format=tsv&scope=generic&source=composite",
            whole_bytes=500_000,
        ),
    )

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        complexes = NamedByMembers()
        path = files["interactions"]
        file, origin = log.file(path), self.origin(path, release)
        for raw in read_table(path, _INTERACTIONS, file):
            batch = _SCORE.add(raw, file)
            facts = [f for row in batch.to_pylist() for f in _interaction(row, complexes, file)]
            yield from fact_claims(facts, origin)
        if complexes.records:
            yield from complex_claims(list(complexes.records.values()), origin)
        if "complexes" in files:
            path = files["complexes"]
            file, origin = log.file(path), self.origin(path, release, part="complexes")
            for raw in read_table(path, _COMPLEXES, file):
                found = [_complex(row, file) for row in raw.to_pylist()]
                yield from complex_claims([c for c in found if c is not None], origin)
        if "annotations" in files:
            path, named = files["annotations"], NamedByMembers()
            file, origin = log.file(path), self.origin(path, release, part="annotations")
            for raw in read_table(path, _ANNOTATIONS, file):
                yield from _pathways(raw, named, file, origin)
            if named.records:
                yield from complex_claims(list(named.records.values()), origin)
        if "roles" in files:
            path, made = files["roles"], NamedByMembers()
            file, origin = log.file(path), self.origin(path, release)
            for raw in read_table(path, _ROLES, file):
                yield from _roles(raw, made, file, origin)
            if made.records:
                yield from complex_claims(list(made.records.values()), origin)
        if "enzymes" in files:
            path = files["enzymes"]
            file, origin = log.file(path), self.origin(path, release)
            for raw in read_table(path, _ENZYMES, file):
                batch = _SCORE.add(raw, file)
                phosphorylated = pc.equal(batch.column("modification"), "phosphorylation")
                kind, shown = "other modification than phosphorylation", ("enzyme", "modification")
                batch = keep(batch, phosphorylated, file, kind, shown)
                facts = [f for row in batch.to_pylist() for f in _enzyme(row, file)]
                yield from fact_claims(facts, origin)


def _ref(text: str, complexes: NamedByMembers, line: int) -> Ref | None:
    if not text.startswith("COMPLEX:"):
        return protein_ref(text)
    members = [protein_ref(part) for part in text.removeprefix("COMPLEX:").split("_")]
    known = [m for m in members if m is not None]
    return complexes.ref(known, line) if known and len(known) == len(members) else None


def _complex(row: Mapping[str, str], file: FileLog) -> ComplexRecord | None:
    line, parts = int(row["line"]), [p for p in row["components"].split("_") if p]
    members = [protein_ref(part) for part in parts]
    known = tuple(m for m in members if m is not None)
    if len(known) < len(parts) or len(set(known)) < 2:
        why = "complex with a bad member" if len(known) < len(parts) else "complex of one protein"
        file.reject(why, line, f"{row['name']} {row['components']}")
        return None
    file.parsed()
    times = [int(n) for n in row["stoichiometry"].split(":") if n.isdecimal() and int(n)]
    stated = len(times) == len(known)
    evidence = evidence_json(
        {
            "resources": sorted(s for s in row["sources"].split(";") if s),
            "identifiers": sorted(i for i in row["identifiers"].split(";") if i),
            "pubmed_ids": sorted(
                {r for r in row["references"].split(";") if r.isdecimal()}, key=int
            ),
            "stoichiometry": {m[1]: n for m, n in zip(known, times, strict=True)}
            if stated
            else None,
        }
    )
    id_ = members_id([m for _, m in known])
    return ComplexRecord(
        id_, line, tuple(sorted(set(known))), name=row["name"].strip() or None, evidence=evidence
    )


def _pathways(
    raw: pa.RecordBatch, complexes: NamedByMembers, file: FileLog, origin: Origin
) -> Iterator[pa.RecordBatch]:
    """Pathways that resources name, by resource, and who takes part in them."""
    kind, shown = "annotation without an identifier in the graph", ("source", "label", "value")
    batch = keep(raw, pc.equal(raw["label"], "pathway"), file, kind, shown)
    facts: list[Fact] = []
    named: dict[str, tuple[int, str]] = {}
    for row in batch.to_pylist():
        line, value = int(row["line"]), " ".join(row["value"].split())
        # The column of complexes has COMPLEX: before its members, as interactions do.
        ref = _ref(row["uniprot"], complexes, line)
        if ref is None or not value:
            file.reject("bad identifier", line, f"{row['uniprot']} {value}")
            continue
        file.parsed()
        id_ = "tosg:pathway." + re.sub(r"\W+", "_", f"{row['source']}.{value}")
        named.setdefault(id_, (line, value))
        evidence = evidence_json({"resources": [row["source"]]})
        facts.append(
            Fact("PARTICIPATES_IN", ref, ("Pathway", id_), line, None, None, None, evidence)
        )
    yield origin.entities(
        len(named),
        pa.array([line for line, _ in named.values()], pa.int64()),
        type="Pathway",
        id=pa.array(list(named), pa.string()),
        name=pa.array([name for _, name in named.values()], pa.string()),
    )
    yield from fact_claims(facts, origin)


def _roles(
    raw: pa.RecordBatch, complexes: NamedByMembers, file: FileLog, origin: Origin
) -> Iterator[pa.RecordBatch]:
    """Locations and functions that the resources together give to proteins and complexes."""
    shown = ("category", "source", "uniprot")
    together = pc.and_(pc.equal(raw["scope"], "generic"), pc.equal(raw["source"], "composite"))
    batch = keep(raw, together, file, "role by one resource, or a special one", shown)
    known = pc.is_in(batch["category"], pa.array(list(_TERMS)))
    batch = keep(batch, known, file, "role without a term of the Gene Ontology", shown)
    batch = _CONSENSUS.add(batch, file)
    facts: list[Fact] = []
    for row in batch.to_pylist():
        line = int(row["line"])
        ref = _ref(row["uniprot"], complexes, line)
        if ref is None:
            file.reject(BAD_ID, line, f"{row['category']} {row['uniprot']}")
            continue
        file.parsed()
        type_, term = _TERMS[row["category"]]
        evidence = evidence_json(
            {"category": row["category"], "consensus_score": row["consensus_score"]}
        )
        ends = ref, (type_, term)
        facts.append(Fact(_VERBS[type_], *ends, line, None, row["score"], None, evidence))
    yield from fact_claims(facts, origin)


def _evidence(row: Mapping[str, object], **more: object) -> str | None:
    references = [r.strip() for r in str(row["references"]).split(";") if r.strip()]
    return evidence_json(
        {
            "resources": sorted(s for s in str(row["sources"]).split(";") if s),
            "pubmed_ids": sorted(
                {r.rpartition(":")[2] for r in references if r.rpartition(":")[2].isdecimal()},
                key=int,
            ),
            "curation_effort": str(row["curation_effort"]),
            **more,
        }
    )


def _interaction(row: dict[str, object], complexes: NamedByMembers, file: FileLog) -> list[Fact]:
    line, shown = int(str(row["line"])), f"{row['source']} {row['target']}"
    taxa = {str(row[f"ncbi_tax_id_{side}"]) for side in ("source", "target")}
    if not taxa <= set(_HUMAN):
        file.reject("other species", line, f"{shown} {' '.join(sorted(taxa))}")
        return []
    flags = {name: str(row[name]).strip() for name in _FLAGS}
    if any(value not in (*_TRUE, *_FALSE) for value in flags.values()):
        file.reject("flag that is neither true nor false", line, f"{shown} {flags}")
        return []
    start = _ref(str(row["source"]), complexes, line)
    end = _ref(str(row["target"]), complexes, line)
    if start is None or end is None:
        file.reject(BAD_ID, line, shown)
        return []
    file.parsed()
    score = row["score"] if isinstance(row["score"], float) else None
    evidence = _evidence(row, type=str(row["type"]), level=str(row["dorothea_level"]))
    directed, up, down = (flags[name] in _TRUE for name in _FLAGS)
    if not directed:
        if start == end:
            file.note("protein that interacts with itself, kept out", 1, shown)
            return []
        return [Fact("INTERACTS_WITH", start, end, line, None, score, None, evidence)]
    signs = [s for s, said in ((1, up), (-1, down)) if said] or [0]
    return [Fact("REGULATES", start, end, line, s, score, None, evidence) for s in signs]


def _enzyme(row: dict[str, object], file: FileLog) -> list[Fact]:
    line, shown = int(str(row["line"])), f"{row['enzyme']} {row['substrate']}"
    if row["ncbi_tax_id"] not in _HUMAN:
        file.reject("other species", line, f"{shown} {row['ncbi_tax_id']}")
        return []
    enzyme, substrate = protein_ref(str(row["enzyme"])), protein_ref(str(row["substrate"]))
    if enzyme is None or substrate is None:
        file.reject(BAD_ID, line, shown)
        return []
    file.parsed()
    score = row["score"] if isinstance(row["score"], float) else None
    residue = f"{row['residue_type']}{row['residue_offset']}"
    evidence = _evidence(row, residues=[residue])
    return [Fact("PHOSPHORYLATES", enzyme, substrate, line, None, score, None, evidence)]
