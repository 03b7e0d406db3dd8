"""Therapeutic Target Database: drugs, the human genes that they act on and what they treat.

A file is a preamble, then records as lines of an identifier, the code of a field of eight letters
and its values, separated by tabs. A target names its genes (GENENAME) and UniProt's entries
(UNIPROID), whose end is the species; DRUGINFO has a drug, its name and its highest status.
In the file of indications the code stands first: TTDDRUID and DRUGNAME, then an INDICATI for each
disease, with its ICD-11 code and the status of the drug for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa

from tosg.errors import DataError
from tosg.kg.claims.log import BAD_ID
from tosg.kg.schema.curies import curie
from tosg.loaders.base import FileSpec, Loader, evidence_json
from tosg.loaders.formats.opening import check_utf8, open_bytes, strip_bom
from tosg.loaders.formats.sheets import read_sheet
from tosg.loaders.reference.facts import Fact, fact_claims
from tosg.loaders.reference.symbols import SYMBOLS, SymbolTable, read_symbols

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.claims.log import FileLog, SourceLog
    from tosg.loaders.base import Origin

_LINE = re.compile(r"(?P<id>[TD]\w+)\t(?P<field>[A-Z_]{8})\t(?P<value>.+)")
_TITLE = "TTD - Therapeutic Target"
_ADDRESS = "https://db.idrblab.net/ttd/sites/default/files/ttd_database"
#: ``Disease [ICD-11: 8A20] Approved`` of version 8; newer files part the three by tabs.
_INDICATION = re.compile(r"(?P<name>.+?)\s*\[(?P<code>ICD-11[^\]]*)\]\s*(?P<status>.*)")
_MAPPING = ("TargetID", "DrugID", "Highest_status", "MOA")


@dataclass
class _Target:
    """What a record says of one target."""

    names: list[str] = field(default_factory=list)
    symbols: list[str] = field(default_factory=list)
    type: str = ""
    label: str = ""
    #: line, drug, its name, its status
    drugs: list[tuple[int, str, str, str]] = field(default_factory=list)


class Ttd(Loader):
    """See the module."""

    name = "ttd"
    title = "TTD: drugs, the human genes that they act on and what they treat"
    homepage = "https://ttd.idrblab.cn"
    license = "LicenseRef-TTD"
    nodes = ("Disease", "Drug")
    relationships = (("Drug", "TARGETS", "Gene"), ("Drug", "TREATS", "Disease"))
    quirks = (
        "Targets of other species (UNIPROID ends in another word than HUMAN) are left out.",
        "A target of several genes is each of them; the evidence says how many there are.",
        "The mode of action is in an Excel file of its own.",
        "Identifiers of drugs in PubChem are in a third file; without it drugs join by name.",
        "Indications name diseases by text, and these join by name: one ICD-11 code has several.",
        "A drug treats only what it is approved for; trials and what was given up are left out.",
    )
    tested_on = "an excerpt of 16 lines of version 7.1.01, and made-up records in the layout"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "targets",
            ("P1-01-TTD_target_download.txt", "P1-01-TTD_target_download*.txt*"),
            "targets with their genes and drugs",
            url=f"{_ADDRESS}/P1-01-TTD_target_download.txt",
            whole_bytes=5_000_000,
        ),
        SYMBOLS,
        FileSpec(
            "actions",
            ("P1-07-Drug-TargetMapping.xlsx", "P1-07-Drug-TargetMapping*.xlsx"),
            "modes of action of drugs on targets (Excel)",
            required=False,
            url=f"{_ADDRESS}/P1-07-Drug-TargetMapping.xlsx",
            whole_bytes=500_000,
        ),
        FileSpec(
            "drugs",
            ("P1-03-TTD_crossmatching.txt", "P1-03-TTD_crossmatching*.txt*"),
            "drugs with their identifiers elsewhere",
            required=False,
            url=f"{_ADDRESS}/P1-03-TTD_crossmatching.txt",
            whole_bytes=5_000_000,
        ),
        FileSpec(
            "indications",
            ("P1-05-Drug_disease.txt", "P1-05-Drug_disease*.txt*"),
            "diseases for which drugs are approved or tried",
            required=False,
            url=f"{_ADDRESS}/P1-05-Drug_disease.txt",
            whole_bytes=1_000_000,
        ),
    )

    def _release(self, files: Mapping[str, Path]) -> str:
        return _version(files["targets"])

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        symbols = read_symbols(files["symbols"], log.file(files["symbols"]))
        actions: dict[tuple[str, str], str] = {}
        if "actions" in files:
            path = files["actions"]
            actions = _actions(path, log.file(path))
        path = files["targets"]
        file, origin = log.file(path), self.origin(path, release)
        targets = _targets(path, file)
        names: dict[str, tuple[int, str]] = {}
        facts = [
            fact
            for id_, target in targets.items()
            for fact in _facts(id_, target, actions, symbols, names, file)
        ]
        yield origin.entities(
            len(names),
            pa.array([line for line, _ in names.values()], pa.int64()),
            type="Drug",
            id=list(names),
            name=[name or None for _, name in names.values()],
        )
        yield from fact_claims(facts, origin)
        if "drugs" in files:
            path = files["drugs"]
            origin = self.origin(path, release, part="drugs")
            yield from _crossmatched(path, log.file(path), origin)
        if "indications" in files:
            path = files["indications"]
            given = self.stated_release(_version(path)) or release
            origin = self.origin(path, given, part="indications")
            yield from _indications(path, log.file(path), origin)


def _version(path: Path) -> str:
    """Version that the preamble states; "" without one."""
    with open_bytes(path) as stream:
        head = stream.read(4096).decode("utf-8", "replace")
    found = re.search(r"Version (\d+(?:\.\d+)+)", head)
    return found.group(1) if found else ""


def _records(path: Path, file: FileLog) -> Iterator[tuple[int, str, str, list[str]]]:
    """Line, identifier, field and values of each line after the preamble."""
    seen, read = "", False
    with open_bytes(path) as stream:
        for number, raw in enumerate(stream, 1):
            raw = strip_bom(raw, path) if number == 1 else raw
            check_utf8(raw, path, first_line=number)
            text = raw.decode("utf-8").strip("\r\n")
            found = _LINE.fullmatch(text)
            if found is None:
                seen = seen or (text.strip() if text.startswith(_TITLE) else "")
                if read and text.strip():
                    file.read()
                    file.reject("line that is no field of a record", number, text[:80])
                continue
            if not seen:
                break
            read = True
            file.read()
            values = [value.strip() for value in found["value"].split("\t")]
            yield number, found["id"], found["field"], values
    if not read:
        raise _no_records(path, seen, "T47101 TARGETID ...")


def _no_records(path: Path, seen: str, record: str) -> DataError:
    return DataError(
        "this is not a file of TTD",
        where=path,
        found=seen or "no title",
        expected=f"a preamble that begins {_TITLE!r}, and records such as {record}",
        hint="is this the right file? see `tosg sources`",
    )


def _targets(path: Path, file: FileLog) -> dict[str, _Target]:
    targets: dict[str, _Target] = {}
    for line, id_, name, values in _records(path, file):
        target = targets.setdefault(id_, _Target())
        if name == "DRUGINFO":
            drug, label, status = [*values, "", "", ""][:3]
            target.drugs.append((line, drug, label, status))
            continue  # is parsed or rejected with its target
        file.parsed()
        if name == "UNIPROID":
            target.names += re.split(r"[;/\s]+", values[0].strip("; "))
        elif name == "GENENAME":
            target.symbols += [word for word in re.split(r"[;,\s]+", values[0]) if word]
        elif name == "TARGTYPE":
            target.type = values[0]
        elif name == "TARGNAME":
            target.label = values[0]
    return targets


def _facts(
    id_: str,
    target: _Target,
    actions: Mapping[tuple[str, str], str],
    symbols: SymbolTable,
    names: dict[str, tuple[int, str]],
    file: FileLog,
) -> Iterator[Fact]:
    genes, why = _genes(target, symbols)
    for line, drug, label, status in target.drugs:
        drug_id = curie(drug, "ttd.drug")
        if why or drug_id is None:
            file.reject(why or "bad identifier", line, f"{id_} {target.label} | {drug} {label}")
            continue
        file.parsed()
        names.setdefault(drug_id, (line, label))
        evidence = evidence_json(
            {
                "target": f"ttd.target:{id_}",
                "target_type": target.type,
                "highest_status": status,
                "members": len(genes) if len(genes) > 1 else None,
            }
        )
        action = actions.get((id_, drug), "").lower()
        action = "" if action in (".", "-") else action
        for gene in genes:
            ends = ("Drug", drug_id), ("Gene", gene)
            yield Fact("TARGETS", *ends, line, None, None, action or None, evidence)


def _genes(target: _Target, symbols: SymbolTable) -> tuple[list[str], str]:
    """Genes of a target, or why there are none."""
    if not target.names:
        return [], "target whose species is not stated"
    if not all(name.endswith("_HUMAN") for name in target.names):
        return [], "other species"
    if not target.symbols:
        return [], "target without a gene"
    found = [symbols.resolve(word) for word in target.symbols]
    lost = next((how for gene, how in found if gene is None), "")
    return sorted({gene for gene, _ in found if gene}), f"{lost} symbol" if lost else ""


def _actions(path: Path, file: FileLog) -> dict[tuple[str, str], str]:
    """(target, drug) -> mode of action; pairs of several modes have them all."""
    found: dict[tuple[str, str], set[str]] = {}
    for _, row in read_sheet(path, _MAPPING):
        file.read()
        file.parsed()
        if row["MOA"] not in ("", ".", "-"):
            found.setdefault((row["TargetID"], row["DrugID"]), set()).add(row["MOA"])
    return {pair: "; ".join(sorted(modes)) for pair, modes in found.items()}


def _crossmatched(path: Path, file: FileLog, origin: Origin) -> Iterator[pa.RecordBatch]:
    """Drugs with the one compound of PubChem that each is."""
    names: dict[str, tuple[int, str]] = {}
    compounds: dict[str, list[str]] = {}
    for line, id_, name, values in _records(path, file):
        drug = curie(id_, "ttd.drug")
        if drug is None:
            file.reject("bad identifier", line, id_)
            continue
        file.parsed()
        if name == "DRUGNAME":
            names[drug] = line, values[0]
        elif name == "PUBCHCID":
            given = [v for v in re.split(r"[;\s]+", values[0]) if v]
            found = [curie(v, "pubchem.compound") for v in given]
            compounds[drug] = [c for c in found if c is not None]
    several = [drug for drug, given in compounds.items() if len(given) > 1]
    if several:
        file.note("drug of several compounds of PubChem, not joined", len(several), several[:5])
    yield origin.entities(
        len(names),
        pa.array([line for line, _ in names.values()], pa.int64()),
        type="Drug",
        id=list(names),
        name=[name for _, name in names.values()],
        xrefs=[[] if drug in several else compounds.get(drug, []) for drug in names],
    )


@dataclass
class _Treated:
    """The drug whose record is being read, and what was found so far."""

    drug: str | None = None
    drugs: dict[str, tuple[int, str]] = field(default_factory=dict)
    diseases: dict[str, tuple[int, str]] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)


def _indications(path: Path, file: FileLog, origin: Origin) -> Iterator[pa.RecordBatch]:
    """Drugs and the diseases that they are approved for."""
    found, seen = _Treated(), ""
    with open_bytes(path) as stream:
        for number, raw in enumerate(stream, 1):
            raw = strip_bom(raw, path) if number == 1 else raw
            check_utf8(raw, path, first_line=number)
            text = raw.decode("utf-8").strip("\r\n")
            seen = seen or (text.strip() if text.startswith(_TITLE) else "")
            name, *values = [part.strip() for part in text.split("\t")]
            # The preamble explains the codes in lines that begin with them.
            begins = name == "TTDDRUID" and curie(values[0] if values else "", "ttd.drug")
            if seen and (begins or found.drugs or found.drug) and text.strip():
                file.read()
                _take_line(name, [*values, ""], number, found, file)
    if not found.drugs:
        raise _no_records(path, seen, "TTDDRUID D09HNV, then DRUGNAME and INDICATI")
    for type_, named in (("Drug", found.drugs), ("Disease", found.diseases)):
        yield origin.entities(
            len(named),
            pa.array([line for line, _ in named.values()], pa.int64()),
            type=type_,
            id=pa.array(list(named), pa.string()),
            name=pa.array([label or None for _, label in named.values()], pa.string()),
        )
    yield from fact_claims(found.facts, origin)


def _take_line(name: str, values: list[str], line: int, found: _Treated, file: FileLog) -> None:
    shown = f"{found.drug} {name} {' | '.join(values)}"
    if name == "TTDDRUID":
        found.drug = curie(values[0], "ttd.drug")
        if found.drug is None:
            file.reject(BAD_ID, line, values[0])
            return
        found.drugs.setdefault(found.drug, (line, ""))
    elif name not in ("DRUGNAME", "INDICATI"):
        file.reject("line that is no field of a record", line, shown[:80])
        return
    elif found.drug is None:
        file.reject("field of a drug with a bad identifier", line, shown[:80])
        return
    elif name == "DRUGNAME":
        found.drugs[found.drug] = found.drugs[found.drug][0], values[0]
    elif why := _take_indication(values, line, found):
        file.reject(why, line, shown[:80])
        return
    file.parsed()


def _take_indication(values: list[str], line: int, found: _Treated) -> str:
    """Add what a drug treats; why it does not, where it does not."""
    disease, code, status = [*values, "", ""][:3]
    if whole := _INDICATION.fullmatch(values[0]):
        disease, code, status = whole["name"], whole["code"], whole["status"]
    if not disease:
        return "indication without a disease"
    if not status.lower().startswith("approved"):
        return "drug that is not approved for the disease"
    id_ = "tosg:disease." + re.sub(r"\W+", "_", disease.lower()).strip("_")
    found.diseases.setdefault(id_, (line, disease))
    evidence = evidence_json(
        {"icd11": code.removeprefix("ICD-11:").strip() or None, "status": status}
    )
    ends = ("Drug", str(found.drug)), ("Disease", id_)
    found.facts.append(Fact("TREATS", *ends, line, None, None, None, evidence))
    return ""
