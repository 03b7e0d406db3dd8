"""KGX: nodes and edges of a graph in the Biolink model, as TSV or JSON lines (Monarch, KG-Hub).

Categories and predicates become types of the graph where one fits; the others are rejected by
name. A negated edge never becomes a relationship. Which graph it is, the option ``source`` says.

Format: https://github.com/biolink/kgx/blob/master/specification/kgx-format.md
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

from tosg.errors import DataError
from tosg.kg.claims.log import BAD_ID
from tosg.kg.schema.curies import curie
from tosg.kg.schema.types import relationship_types
from tosg.loaders.base import FileSpec, Loader, evidence_json
from tosg.loaders.formats.opening import read_text
from tosg.loaders.reference.facts import Fact, fact_claims

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from tosg.kg.claims.log import FileLog, SourceLog

#: Biolink category -> type, the first that a node has counts.
_CATEGORIES = {
    "Gene": "Gene", "Protein": "Protein", "Transcript": "Transcript",
    "MacromolecularComplex": "Complex", "GeneFamily": "GeneFamily", "Pathway": "Pathway",
    "BiologicalProcess": "BiologicalProcess", "MolecularActivity": "MolecularFunction",
    "CellularComponent": "CellularComponent", "Disease": "Disease",
    "PhenotypicFeature": "Phenotype", "Drug": "Drug", "SmallMolecule": "Metabolite",
    "ChemicalEntity": "Metabolite", "GrossAnatomicalStructure": "Anatomy",
    "AnatomicalEntity": "Anatomy", "Cell": "CellType",
}  # fmt: skip

#: Biolink predicate -> (relationship, sign, whether subject and object change places).
_PREDICATES: dict[str, tuple[str, int | None, bool]] = {
    "interacts_with": ("INTERACTS_WITH", None, False),
    "physically_interacts_with": ("INTERACTS_WITH", None, False),
    "directly_physically_interacts_with": ("INTERACTS_WITH", None, False),
    "regulates": ("REGULATES", 0, False),
    "positively_regulates": ("REGULATES", 1, False),
    "negatively_regulates": ("REGULATES", -1, False),
    "has_phenotype": ("HAS_PHENOTYPE", None, False),
    "gene_associated_with_condition": ("ASSOCIATED_WITH", None, False),
    "associated_with": ("ASSOCIATED_WITH", None, False),
    "contributes_to": ("ASSOCIATED_WITH", None, False),
    "causes": ("CAUSES", None, False),
    "treats": ("TREATS", None, False),
    "treated_by": ("TREATS", None, True),
    "expressed_in": ("EXPRESSED_IN", None, False),
    "located_in": ("LOCATED_IN", None, False),
    "active_in": ("LOCATED_IN", None, False),
    "is_active_in": ("LOCATED_IN", None, False),
    "participates_in": ("PARTICIPATES_IN", None, False),
    "actively_involved_in": ("PARTICIPATES_IN", None, False),
    "involved_in": ("PARTICIPATES_IN", None, False),
    "has_participant": ("PARTICIPATES_IN", None, True),
    "enables": ("HAS_FUNCTION", None, False),
    "part_of": ("PART_OF", None, False),
    "has_part": ("PART_OF", None, True),
    "subclass_of": ("IS_A", None, False),
    "has_gene_product": ("ENCODES", None, False),
    "gene_product_of": ("ENCODES", None, True),
}
_TRUE = ("true", "True", "1", True)


class Kgx(Loader):
    """See the module."""

    name = "kgx"
    title = "KGX: any graph in the Biolink model (Monarch, KG-Hub)"
    homepage = "https://github.com/biolink/kgx"
    license = "stated by each graph"
    nodes = tuple(dict.fromkeys(_CATEGORIES.values()))
    relationships = tuple(
        (a, kind.name, b)
        for kind in relationship_types().values()
        if kind.name in {name for name, _, _ in _PREDICATES.values()}
        for a, b in kind.pairs
    )
    signs = "positively_regulates 1, negatively_regulates -1, regulates 0"
    quirks = (
        "Rows may be cut off after their last value; columns may stand in any order.",
        "An edge whose ends are in no nodes file cannot be typed and is rejected.",
    )
    tested_on = "Monarch's graph around SHH (534 nodes, 539 edges) and made-up rows"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec("nodes", ("*_nodes.tsv", "*_nodes.jsonl", "nodes.tsv", "*nodes*.jsonl"), "nodes"),
        FileSpec("edges", ("*_edges.tsv", "*_edges.jsonl", "edges.tsv", "*edges*.jsonl"), "edges"),
    )

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        path = files["nodes"]
        file, origin = log.file(path), self.origin(path, release)
        nodes: dict[str, tuple[str, str]] = {}
        rows: list[tuple[int, str, str, dict[str, Any]]] = []
        for line, row in _records(path, file, ("id", "category")):
            found = _node(row, line, file)
            if found is not None:
                nodes[str(row["id"])] = found
                rows.append((line, *found, row))
        yield origin.entities(
            len(rows),
            [line for line, _, _, _ in rows],
            type=[type_ for _, type_, _, _ in rows],
            id=[id_ for _, _, id_, _ in rows],
            name=[_text(row.get("name")) for *_, row in rows],
            description=[_text(row.get("description")) for *_, row in rows],
            synonyms=[_list(row.get("synonym")) for *_, row in rows],
        )
        path = files["edges"]
        file, origin = log.file(path), self.origin(path, release)
        wanted = ("subject", "predicate", "object")
        facts = [_edge(row, nodes, line, file) for line, row in _records(path, file, wanted)]
        yield from fact_claims([f for f in facts if f is not None], origin)


def _records(
    path: Path, file: FileLog, wanted: tuple[str, ...]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Rows of a TSV or JSON lines file with their lines.

    Raises
    ------
    DataError
        It lacks one of the wanted keys, or a line is not a JSON object.
    """
    lines = read_text(path).splitlines()
    as_json = lines[0].lstrip().startswith("{")
    header = [] if as_json else [name.strip() for name in lines[0].split("\t")]
    keys = set(json_object(lines[0], path, 1)) if as_json else set(header)
    if not set(wanted) <= keys:
        raise DataError(
            "the file has other columns than a KGX file",
            where=f"{path}, line 1",
            found=", ".join(sorted(keys))[:300],
            expected=", ".join(wanted),
            hint="is this the right file? see `tosg sources`",
        )
    if not as_json and len(lines) < 2:
        raise DataError("the file has no rows", where=path, hint="see `tosg sources`")
    for number, text in enumerate(lines[0 if as_json else 1 :], 1 if as_json else 2):
        file.read()
        if as_json:
            yield number, json_object(text, path, number)
        else:
            yield number, dict(zip(header, text.split("\t"), strict=False))


def json_object(text: str, path: Path, line: int) -> dict[str, Any]:
    """Parse one line of JSON lines."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError("a line is not JSON", where=f"{path}, line {line}", found=error) from error
    if not isinstance(value, dict):
        raise DataError("a line is not a JSON object", where=f"{path}, line {line}")
    return value


def _list(value: object) -> list[str]:
    if isinstance(value, list):
        return [str(v) for v in value if v]
    return [v.strip() for v in str(value or "").split("|") if v.strip()]


def _text(value: object) -> str | None:
    text = value[0] if isinstance(value, list) and value else value
    return str(text).strip() or None if text else None


def _node(row: Mapping[str, Any], line: int, file: FileLog) -> tuple[str, str] | None:
    categories = [c.removeprefix("biolink:") for c in _list(row.get("category"))]
    type_ = next((_CATEGORIES[c] for c in categories if c in _CATEGORIES), None)
    id_ = curie(str(row.get("id") or ""))
    if type_ is None:
        file.reject("category without a type in the graph", line, f"{row.get('id')} {categories}")
    elif id_ is None:
        file.reject(BAD_ID, line, row.get("id"))
    else:
        file.parsed()
        return type_, id_
    return None


def _edge(
    row: Mapping[str, Any], nodes: Mapping[str, tuple[str, str]], line: int, file: FileLog
) -> Fact | None:
    given = str(row.get("predicate") or "").removeprefix("biolink:")
    shown = f"{row.get('subject')} {given} {row.get('object')}"
    start, end = nodes.get(str(row.get("subject"))), nodes.get(str(row.get("object")))
    if row.get("negated") in _TRUE:
        file.reject("negated, says that it is not so", line, shown)
    elif given not in _PREDICATES:
        file.reject("predicate without a type in the graph", line, shown)
    elif start is None or end is None:
        file.reject("end that is not in the nodes", line, shown)
    else:
        kind, sign, turned = _PREDICATES[given]
        start, end = (end, start) if turned else (start, end)
        pairs = relationship_types()[kind].pairs
        if (start[0], end[0]) not in pairs:
            file.reject(f"no {kind} between these types", line, f"{start[0]} {end[0]}: {shown}")
            return None
        file.parsed()
        told = {
            "predicate": given,
            "knowledge_sources": _list(row.get("primary_knowledge_source")),
            "publications": _list(row.get("publications")),
        }
        return Fact(kind, start, end, line, sign, evidence=evidence_json(told))
    return None
