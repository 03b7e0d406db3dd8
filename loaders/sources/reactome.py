"""Reactome: pathways, their hierarchy, and the proteins, genes and metabolites in them.

The tables name the lowest pathways only; what takes part in a pathway also takes part in those
that it is part of, which Cypher finds along ``PART_OF``. One accession can stand several times in
a pathway with another kind of evidence; it is one relationship.

Tables: https://reactome.org/download-data ("Identifier mapping files"); they have no header.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pyarrow.compute as pc

from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.columns import evidence, keep, of_species, with_curies
from tosg.loaders.formats.tables import Layout, read_table
from tosg.loaders.reference.participants import without_parts
from tosg.loaders.scores import Score

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from tosg.kg.claims.log import SourceLog
    from tosg.loaders.base import Origin

_PATHWAYS = Layout(("id", "name", "species"), header=False)
_RELATION = Layout(("parent", "child"), header=False)
_MEMBERS = Layout(("id", "pathway", "url", "name", "evidence", "species"), header=False)
_HUMAN = "Homo sapiens"
_FOLDER = "https://reactome.org/download/current"

_SCORE = Score(
    "CASE evidence WHEN 'TAS' THEN 1.0 WHEN 'IEA' THEN 0.5 END",
    texts=("evidence",),
    help="TAS is stated by a curator, IEA was inferred from another species",
)

#: Key of the file -> (entity type, prefix).
_MEMBER_FILES = {
    "proteins": ("Protein", "uniprot"),
    "genes": ("Gene", "ncbigene"),
    "metabolites": ("Metabolite", "chebi"),
}


class Reactome(Loader):
    """See the module."""

    name = "reactome"
    title = "Reactome: pathways with their hierarchy and members"
    homepage = "https://reactome.org"
    license = "CC0 1.0"
    nodes = ("Pathway",)
    relationships = (
        ("Pathway", "PART_OF", "Pathway"),
        ("Protein", "PARTICIPATES_IN", "Pathway"),
        ("Gene", "PARTICIPATES_IN", "Pathway"),
        ("Metabolite", "PARTICIPATES_IN", "Pathway"),
    )
    scores = (_SCORE,)
    quirks = (
        "Isoforms (P12345-2) count for their protein.",
        "Names can begin or end with a blank; it is dropped.",
    )
    tested_on = "the whole tables of pathways, hierarchy and proteins of January 2025"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "pathways",
            ("ReactomePathways.txt", "ReactomePathways.txt.gz"),
            "pathways",
            url=f"{_FOLDER}/ReactomePathways.txt",
            whole_bytes=1_000_000,
        ),
        FileSpec(
            "relation",
            ("ReactomePathwaysRelation.txt", "ReactomePathwaysRelation.txt.gz"),
            "which pathway is part of which",
            url=f"{_FOLDER}/ReactomePathwaysRelation.txt",
            whole_bytes=400_000,
        ),
        FileSpec(
            "proteins",
            ("UniProt2Reactome.txt", "UniProt2Reactome.txt.gz"),
            "proteins in the lowest pathways",
            url=f"{_FOLDER}/UniProt2Reactome.txt",
            whole_bytes=4_000_000,
        ),
        FileSpec(
            "genes",
            ("NCBI2Reactome.txt", "NCBI2Reactome.txt.gz"),
            "genes in the lowest pathways",
            required=False,
            url=f"{_FOLDER}/NCBI2Reactome.txt",
            whole_bytes=4_000_000,
        ),
        FileSpec(
            "metabolites",
            ("ChEBI2Reactome.txt", "ChEBI2Reactome.txt.gz"),
            "metabolites in the lowest pathways",
            required=False,
            url=f"{_FOLDER}/ChEBI2Reactome.txt",
            whole_bytes=2_000_000,
        ),
    )

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        yield from self._pathways(files["pathways"], log, release)
        yield from self._relation(files["relation"], log, release)
        for key, (type_, prefix) in _MEMBER_FILES.items():
            if key in files:
                path = files[key]
                yield from self._members(path, log, self.origin(path, release), type_, prefix)

    def _pathways(self, path: Path, log: SourceLog, release: str) -> Iterator[pa.RecordBatch]:
        file, origin = log.file(path), self.origin(path, release)
        for raw in read_table(path, _PATHWAYS, file):
            batch = of_species(raw, "species", file, _HUMAN, shown=("id", "species"))
            batch = with_curies(batch, "id", "reactome", file, shown=("id", "name"))
            file.parsed(batch.num_rows)
            yield origin.entities(
                batch.num_rows,
                batch.column("line"),
                type="Pathway",
                id=batch.column("curie"),
                name=pc.utf8_trim_whitespace(batch.column("name")),
            )

    def _relation(self, path: Path, log: SourceLog, release: str) -> Iterator[pa.RecordBatch]:
        file, origin = log.file(path), self.origin(path, release)
        for raw in read_table(path, _RELATION, file):
            human = pc.starts_with(raw.column("child"), "R-HSA-")
            batch = keep(raw, human, file, "other species", ("parent", "child"))
            batch = with_curies(batch, "parent", "reactome", file, to="whole")
            batch = with_curies(batch, "child", "reactome", file, to="part")
            file.parsed(batch.num_rows)
            yield origin.relationships_of(
                batch,
                "PART_OF",
                ("Pathway", "part"),
                ("Pathway", "whole"),
            )

    def _members(
        self, path: Path, log: SourceLog, origin: Origin, type_: str, prefix: str
    ) -> Iterator[pa.RecordBatch]:
        file = log.file(path)
        for raw in read_table(path, _MEMBERS, file):
            batch = of_species(raw, "species", file, _HUMAN, shown=("id", "species"))
            batch = batch.append_column("whole", without_parts(batch.column("id")))
            batch = with_curies(batch, "whole", prefix, file, to="member", shown=("id", "name"))
            batch = with_curies(batch, "pathway", "reactome", file, to="in", shown=("pathway",))
            batch = _SCORE.add(batch, file)
            file.parsed(batch.num_rows)
            yield origin.relationships(
                batch.num_rows,
                batch.column("line"),
                type="PARTICIPATES_IN",
                start_type=type_,
                start=batch.column("member"),
                end_type="Pathway",
                end=batch.column("in"),
                score=batch.column("score"),
                evidence=evidence(batch, lists={"evidence_codes": ("evidence", "|")}),
            )
