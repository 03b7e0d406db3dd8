"""Guide to Pharmacology: ligands and the human proteins that they act on, with sign and affinity.

The first line is a quoted comment with the version; names hold marks of HTML. A target of several
subunits is a complex of them. A peptide that the body makes acts as a protein on its receptor;
every other ligand is a drug.

Columns: https://www.guidetopharmacology.org/download.jsp
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from tosg.kg.schema.curies import curie
from tosg.loaders.base import FileSpec, Loader, evidence_json
from tosg.loaders.columns import of_species
from tosg.loaders.formats.opening import open_bytes
from tosg.loaders.formats.tables import Layout, choose_layout, read_table
from tosg.loaders.reference.complexes import complex_claims
from tosg.loaders.reference.facts import Fact, Ref, fact_claims
from tosg.loaders.reference.participants import NamedByMembers, protein_ref
from tosg.loaders.scores import Score

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from tosg.kg.claims.log import FileLog, SourceLog
    from tosg.loaders.base import Origin

_TAB = Layout(
    ("Target", "Target ID", "Target UniProt ID", "Target Species", "Ligand", "Ligand ID", "Type",
     "Action", "Endogenous", "Primary Target", "Affinity Units", "Affinity Median", "PubMed ID"),
    quoted=True,
    skip=1,
    optional=("Ligand Species",),
    renamed={
        "Target": ("target",),
        "Target ID": ("target_id",),
        "Target UniProt ID": ("target_uniprot",),
        "Target Species": ("target_species",),
        "Ligand": ("ligand",),
        "Ligand ID": ("ligand_id",),
        "Ligand Species": ("ligand_species",),
        "Type": ("type",),
        "Action": ("action",),
        "Endogenous": ("endogenous",),
        "Primary Target": ("primary_target",),
        "Affinity Units": ("affinity_units",),
        "Affinity Median": ("affinity_median",),
        "PubMed ID": ("pubmed_id",),
    },
)  # fmt: skip
_LIGANDS = Layout(
    ("Ligand ID", "Name", "Species", "Type", "PubChem CID", "UniProt ID", "INN", "Synonyms"),
    quoted=True,
    skip=1,
    optional=("ChEMBL ID",),
    renamed={"Ligand ID": ("Ligand id",), "UniProt ID": ("UniProt id",),
             "ChEMBL ID": ("ChEMBL ID", "Chembl ID")},
)  # fmt: skip


def _written(layout: Layout) -> dict[str, Layout]:
    """A table with tabs or commas, with or without the comment."""
    return {
        f"{delimiter!r} {skip}": replace(layout, delimiter=delimiter, skip=skip)
        for skip in (1, 0)
        for delimiter in ("\t", ",")
    }


_SCORE = Score(
    "CASE WHEN LOWER(\"Primary Target\") IN ('true', 't') THEN 1.0 "
    'WHEN "Affinity Median" IS NULL THEN 0.5 '
    'WHEN "Affinity Median" >= 10 THEN 0.9 WHEN "Affinity Median" <= 0 THEN 0.0 '
    'ELSE 0.09 * "Affinity Median" END',
    numbers=("Affinity Median",),
    texts=("Primary Target",),
    help=(
        "the primary target of a drug is sure; others by -log10 of the molar affinity (10 is "
        "0.1 nM), below that; 0.5 where none is given"
    ),
)

#: Words of Action that decide the sign, before those of Type.
_ACTIONS = {
    **dict.fromkeys(
        ("agonist", "full agonist", "partial agonist", "biased agonist", "activation", "positive",
         "potentiation"), 1
    ),
    **dict.fromkeys(
        ("inverse agonist", "antagonist", "inhibition", "irreversible inhibition", "negative",
         "feedback inhibition", "voltage-dependent inhibition", "pore blocker"), -1
    ),
}  # fmt: skip
_TYPES = {
    **dict.fromkeys(("agonist", "activator"), 1),
    **dict.fromkeys(("antagonist", "inhibitor", "channel blocker", "gating inhibitor"), -1),
}


_TRUE = ("true", "t")


@dataclass
class _Ligand:
    """What the table of ligands says of one."""

    protein: Ref | None = None


class GuideToPharmacology(Loader):
    """See the module."""

    name = "guide_to_pharmacology"
    title = "Guide to Pharmacology: ligands and their human targets"
    homepage = "https://www.guidetopharmacology.org"
    license = "CC BY-SA 4.0"
    nodes = ("Complex", "Drug")
    relationships = (
        ("Drug", "TARGETS", "Protein"),
        ("Drug", "TARGETS", "Complex"),
        ("Protein", "REGULATES", "Protein"),
        ("Protein", "REGULATES", "Complex"),
        ("Protein", "MEMBER_OF", "Complex"),
    )
    scores = (_SCORE,)
    signs = (
        "Action, then Type: agonist, activator, positive 1; antagonist, inhibitor, blocker, "
        "negative, inverse agonist -1; others 0"
    )
    quirks = (
        "The first line is a comment in quotes, before the header.",
        "A target of several subunits is a complex, not each of them.",
        "Peptides of the human body act as proteins, where the table of ligands is at hand.",
        "Names hold marks such as <sub>, which are removed.",
        "Rows of targets of other species, and ligands on ligands, are left out.",
    )
    tested_on = "made-up rows in the layout of release 2026.1"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "interactions",
            ("interactions.tsv", "gtopdb_interactions*", "interactions.csv"),
            "ligands and targets",
            url="https://www.guidetopharmacology.org/DATA/interactions.tsv",
            whole_bytes=2_000_000,
        ),
        FileSpec(
            "ligands",
            ("ligands.tsv", "gtopdb_ligands*", "ligands.csv"),
            "ligands with their identifiers elsewhere",
            required=False,
            url="https://www.guidetopharmacology.org/DATA/ligands.tsv",
            whole_bytes=1_000_000,
        ),
    )

    def _release(self, files: Mapping[str, Path]) -> str:
        with open_bytes(files["interactions"]) as stream:
            head = stream.read(512).decode("utf-8", "replace")
        found = re.search(r"GtoPdb Version: (\d+(?:\.\d+)*)", head)
        return found.group(1) if found else ""

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        ligands: dict[str, _Ligand] = {}
        if "ligands" in files:
            path, layouts = files["ligands"], _written(_LIGANDS)
            file, origin = log.file(path), self.origin(path, release, part="ligands")
            for raw in read_table(path, layouts[choose_layout(path, layouts)], file):
                yield _read_ligands(raw, ligands, file, origin)
        path, layouts = files["interactions"], _written(_TAB)
        file, origin = log.file(path), self.origin(path, release)
        complexes = NamedByMembers()
        names: dict[str, tuple[int, str]] = {}
        for raw in read_table(path, layouts[choose_layout(path, layouts)], file):
            shown = ("Target", "Target Species", "Ligand")
            batch = of_species(raw, "Target Species", file, "Human", shown=shown)
            batch = _SCORE.add(batch, file)
            facts = [_fact(row, ligands, complexes, names, file) for row in batch.to_pylist()]
            yield from fact_claims([f for f in facts if f is not None], origin)
        yield origin.entities(
            len(names),
            [line for line, _ in names.values()],
            type="Drug",
            id=list(names),
            name=[name or None for _, name in names.values()],
        )
        if complexes.records:
            yield from complex_claims(list(complexes.records.values()), origin)


def _read_ligands(
    raw: pa.RecordBatch, ligands: dict[str, _Ligand], file: FileLog, origin: Origin
) -> pa.RecordBatch:
    """Claims of the ligands that are drugs; which of the others are proteins is kept."""
    lines: list[int] = []
    found: list[tuple[str, str, list[str], list[str]]] = []
    for row in raw.to_pylist():
        id_ = curie(row["Ligand ID"], "iuphar.ligand")
        if id_ is None:
            file.reject("bad identifier", row["line"], f"{row['Ligand ID']} {row['Name']}")
            continue
        file.parsed()
        accessions = [a for a in re.split(r"[|;\s]+", row["UniProt ID"]) if a]
        if row["Type"] == "Peptide" and "Human" in row["Species"] and len(accessions) == 1:
            ligands[id_] = _Ligand(protein_ref(accessions[0]))
            if ligands[id_].protein is not None:
                continue
        others = (
            curie(row["PubChem CID"], "pubchem.compound"),
            curie(row["ChEMBL ID"], "chembl.compound"),
        )
        said = [row["INN"], *row["Synonyms"].split("|")]
        names = [name for text in said if (name := _plain(text))]
        lines.append(row["line"])
        found.append((id_, _plain(row["Name"]), names, [x for x in others if x is not None]))
    return origin.entities(
        len(found),
        lines,
        type="Drug",
        id=[id_ for id_, _, _, _ in found],
        name=[name or None for _, name, _, _ in found],
        synonyms=[names for _, _, names, _ in found],
        xrefs=[others for _, _, _, others in found],
    )


def _plain(text: str) -> str:
    """Text without marks of HTML.

    >>> _plain("[<sup>3</sup>H]&alpha;-name")
    '[3H]α-name'
    """
    return " ".join(html.unescape(re.sub(r"</?\w+[^>]*>", "", text)).split())


def _fact(
    row: Mapping[str, object],
    ligands: Mapping[str, _Ligand],
    complexes: NamedByMembers,
    names: dict[str, tuple[int, str]],
    file: FileLog,
) -> Fact | None:
    text = {key: str(value).strip() for key, value in row.items() if isinstance(value, str)}
    line, shown = int(str(row["line"])), f"{text['Ligand']} on {text['Target']}"
    parts = [p for p in re.split(r"[|;\s]+", text["Target UniProt ID"]) if p]
    members = [protein_ref(part) for part in parts]
    known = [m for m in members if m is not None]
    ligand = curie(text["Ligand ID"], "iuphar.ligand")
    if not parts:
        file.reject("target without an accession", line, shown)
        return None
    if len(known) < len(parts) or ligand is None:
        file.reject("bad identifier", line, shown)
        return None
    file.parsed()
    target = complexes.ref(known, line, _plain(text["Target"]) or None)
    action = text["Action"].lower()
    sign = _ACTIONS.get(action, _TYPES.get(text["Type"].lower(), 0))
    evidence = evidence_json(
        {
            "action_type": text["Type"],
            "effect": text["Action"],
            "affinity": f"{text['Affinity Units']} {text['Affinity Median']}"
            if text["Affinity Median"] not in ("", "-")
            else None,
            "primary_target": True if text["Primary Target"].lower() in _TRUE else None,
            "endogenous": True if text["Endogenous"].lower() in _TRUE else None,
            "pubmed_ids": [p for p in re.split(r"[|;\s]+", text["PubMed ID"]) if p.isdecimal()],
        }
    )
    score = row["score"] if isinstance(row["score"], float) else None
    peptide = ligands.get(ligand, _Ligand()).protein
    if peptide is not None:
        if peptide == target:
            file.note("peptide that acts on itself, kept out", 1, shown)
            return None
        return Fact("REGULATES", peptide, target, line, sign, score, None, evidence)
    names.setdefault(ligand, (line, _plain(text["Ligand"])))
    said = _action(text["Type"].lower(), action)
    return Fact("TARGETS", ("Drug", ligand), target, line, sign, score, said, evidence)


def _action(type_: str, action: str) -> str | None:
    """One term of both columns, as ``partial agonist`` or ``positive allosteric modulator``."""
    if action.endswith("agonist"):  # also of antagonists
        return action
    if type_ in ("", "none"):
        return None if action in ("", "none", "unknown") else action
    return f"{action} {type_}" if action in ("positive", "negative", "neutral") else type_
