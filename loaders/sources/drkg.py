"""DRKG: a graph for drug repurposing, joined from six databases (drkg.tsv, 5.9 million rows).

A row is ``Gene::2157 <tab> relation <tab> Gene::5264``; the relation names its database and what it
says. Relations whose meaning fits a type of the graph are taken; the others are rejected by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from tosg.kg.claims.log import BAD_ID
from tosg.kg.schema.curies import parse_curies
from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.columns import evidence, keep
from tosg.loaders.formats.tables import Layout, read_table
from tosg.loaders.reference.graph_tables import NO_TYPE, turn_ends

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.claims.log import FileLog, SourceLog

_LAYOUT = Layout(("head", "relation", "tail"), header=False)

#: Relation -> (relationship, start type, end type, sign, action).
_RELATIONS: dict[str, tuple[str, str, str, int | None, str | None]] = {
    "STRING::REACTION:Gene:Gene": ("INTERACTS_WITH", "Gene", "Gene", None, None),
    "STRING::BINDING:Gene:Gene": ("INTERACTS_WITH", "Gene", "Gene", None, None),
    "STRING::ACTIVATION:Gene:Gene": ("REGULATES", "Gene", "Gene", 1, None),
    "STRING::INHIBITION:Gene:Gene": ("REGULATES", "Gene", "Gene", -1, None),
    "INTACT::PHYSICAL ASSOCIATION:Gene:Gene": ("INTERACTS_WITH", "Gene", "Gene", None, None),
    "INTACT::DIRECT INTERACTION:Gene:Gene": ("INTERACTS_WITH", "Gene", "Gene", None, None),
    "INTACT::PHOSPHORYLATION REACTION:Gene:Gene": ("PHOSPHORYLATES", "Gene", "Gene", None, None),
    "bioarx::HumGenHumGen:Gene:Gene": ("INTERACTS_WITH", "Gene", "Gene", None, None),
    "DGIDB::INHIBITOR:Gene:Compound": ("TARGETS", "Gene", "Drug", None, "inhibitor"),
    "DGIDB::AGONIST:Gene:Compound": ("TARGETS", "Gene", "Drug", None, "agonist"),
    "DGIDB::ANTAGONIST:Gene:Compound": ("TARGETS", "Gene", "Drug", None, "antagonist"),
    "DGIDB::BLOCKER:Gene:Compound": ("TARGETS", "Gene", "Drug", None, "blocker"),
    "DRUGBANK::target:Compound:Gene": ("TARGETS", "Drug", "Gene", None, None),
    "DRUGBANK::treats:Compound:Disease": ("TREATS", "Drug", "Disease", None, None),
    "GNBR::T:Compound:Disease": ("TREATS", "Drug", "Disease", None, None),
    "Hetionet::CtD:Compound:Disease": ("TREATS", "Drug", "Disease", None, None),
    "Hetionet::CpD:Compound:Disease": ("PALLIATES", "Drug", "Disease", None, None),
    "Hetionet::GiG:Gene:Gene": ("INTERACTS_WITH", "Gene", "Gene", None, None),
    "Hetionet::Gr>G:Gene:Gene": ("REGULATES", "Gene", "Gene", 0, None),
    "Hetionet::DaG:Disease:Gene": ("ASSOCIATED_WITH", "Disease", "Gene", None, None),
}
#: Kinds of DRKG whose relations stand the other way round than the schema's.
_TURNED = ("Gene:Compound", "Disease:Gene")
_PREFIXES = {
    "Gene": "ncbigene",
    "Compound": "drugbank",
    "Disease": "",  # each names its own: MESH:D003920, DOID:14
}


class Drkg(Loader):
    """See the module."""

    name = "drkg"
    title = "DRKG: a graph for drug repurposing from six databases"
    homepage = "https://github.com/gnn4dr/DRKG"
    license = "LicenseRef-per-database"
    relationships = (
        ("Gene", "INTERACTS_WITH", "Gene"),
        ("Gene", "REGULATES", "Gene"),
        ("Gene", "PHOSPHORYLATES", "Gene"),
        ("Drug", "TARGETS", "Gene"),
        ("Drug", "TREATS", "Disease"),
        ("Drug", "PALLIATES", "Disease"),
        ("Gene", "ASSOCIATED_WITH", "Disease"),
    )
    signs = "ACTIVATION 1, INHIBITION -1, Gr>G 0"
    quirks = (
        "Compounds of other databases than DrugBank, and genes of other species, are rejected.",
    )
    tested_on = "made-up rows in the layout of drkg.tsv"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "graph",
            ("drkg.tsv", "drkg.tsv.gz", "drkg*.tsv*"),
            "the whole graph",
            url="https://dgl-data.s3-us-west-2.amazonaws.com/dataset/DRKG/drkg.tar.gz",
            whole_bytes=50_000_000,
        ),
    )

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        path = files["graph"]
        file, origin = log.file(path), self.origin(path, release)
        names = pa.array(list(_RELATIONS))
        for raw in read_table(path, _LAYOUT, file):
            known = pc.is_in(raw.column("relation"), names)
            shown = ("head", "relation", "tail")
            batch = keep(raw, known, file, NO_TYPE, shown)
            batch = _identified(batch, file)
            file.parsed(batch.num_rows)
            code = pc.index_in(batch.column("relation"), names)
            kind, start, end, sign, action = (
                pa.array([row[i] for row in _RELATIONS.values()]).take(code) for i in range(5)
            )
            turned = pa.array([name.endswith(_TURNED) for name in _RELATIONS]).take(code)
            head, tail = batch.column("head_id"), batch.column("tail_id")
            yield origin.relationships(
                batch.num_rows,
                batch.column("line"),
                type=kind,
                **turn_ends(turned, (start, head), (end, tail)),
                sign=sign,
                action=action,
                evidence=evidence(batch, lists={"relations": ("relation", "|")}),
            )


def _identified(batch: pa.RecordBatch, file: FileLog) -> pa.RecordBatch:
    """Add CURIEs of both ends: ``Gene::2157``, ``Compound::DB00001``, ``Disease::MESH:D003920``."""
    for end in ("head", "tail"):
        parts = pc.split_pattern(batch.column(end), "::", max_splits=1)
        kind = pc.list_element(parts, 0)
        prefix = pa.array(list(_PREFIXES.values())).take(
            pc.index_in(kind, pa.array(list(_PREFIXES)))
        )
        local = pc.replace_substring_regex(batch.column(end), r"^[^:]+::", "")
        own = pc.fill_null(pc.equal(prefix, ""), True)
        text = pc.if_else(own, local, pc.binary_join_element_wise(prefix, local, ":"))
        ids = parse_curies(text)
        batch = batch.append_column(f"{end}_id", ids)
        batch = keep(batch, ids.is_valid(), file, BAD_ID, (end,))
    return batch
