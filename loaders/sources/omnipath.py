"""OmniPath: signaling interactions and enzyme-substrate pairs, from its web service.

The web service gives one table per query; the columns are those of ``genesymbols=1`` and
``fields=sources,references,curation_effort,type``. A complex is written ``COMPLEX:P1_P2``.

Columns: https://github.com/saezlab/pypath/blob/master/docs/webservice.rst
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pyarrow.compute as pc

from tosg.kg.claims.log import BAD_ID
from tosg.loaders.base import FileSpec, Loader, evidence_json
from tosg.loaders.columns import keep
from tosg.loaders.formats.tables import Layout, read_table
from tosg.loaders.reference.complexes import complex_claims
from tosg.loaders.reference.facts import Fact, Ref, fact_claims
from tosg.loaders.reference.participants import PARTNERS, NamedByMembers, protein_ref
from tosg.loaders.scores import Score

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from tosg.kg.claims.log import FileLog, SourceLog

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
    title = "OmniPath: signaling interactions and enzyme-substrate pairs of many resources"
    homepage = "https://omnipathdb.org"
    license = "CC BY-NC-SA 4.0"
    nodes = ("Complex",)
    relationships = (
        *PARTNERS,
        ("Protein", "PHOSPHORYLATES", "Protein"),
        ("Protein", "MEMBER_OF", "Complex"),
    )
    scores = (_SCORE,)
    signs = "is_stimulation 1, is_inhibition -1; both, or neither, 0"
    quirks = (
        "The licence is that of the strictest resource; ask for license=commercial to narrow it.",
        "An interaction that is not directed is INTERACTS_WITH.",
        "A pair that is stimulated and inhibited keeps both signs, as two relationships.",
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
