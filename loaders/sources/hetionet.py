"""Hetionet v1.0: 47,031 nodes of 11 kinds, 2,250,197 relationships of 24 kinds (metaedges).

Neither nodes nor SIF state a licence per row: a node or an edge has that of its kind, where
Hetionet states one, and else none. For gene-disease and drug-gene edges the tables
``DaG-association.tsv`` and ``CbG-binding.tsv`` state it per row: where a table is given, its row
replaces the SIF's, so that leaving out a licence really leaves the edge out.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tosg.kg.claims.log import BAD_ID
from tosg.loaders.base import FileSpec, Loader, Origin, evidence_json, version_in
from tosg.loaders.columns import (
    REPEATED,
    blank_to_null,
    keep,
    keep_identified,
    note_duplicates,
    parents,
    split,
    with_curies,
)
from tosg.loaders.formats.tables import Layout, read_table
from tosg.loaders.reference.hetionet import (
    KIND_LICENSES,
    KIND_NAMES,
    KINDS,
    METAEDGES,
    Metaedge,
    ends_of,
    node_columns,
)
from tosg.loaders.reference.hetionet_json import hetionet_json_claims, is_hetionet_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.claims.log import FileLog, SourceLog

_INTEGRATE = (
    "https://raw.githubusercontent.com/dhimmel/integrate/93feba1765fbcd76fd79e22f25121f5399629148"
)
_HETIONET = (
    "https://raw.githubusercontent.com/hetio/hetionet/8a6cc0c5604d0e2908786e4de38af67b8e46ee4a"
)

_NODES = Layout(("id", "name", "kind"))
_SIF = Layout(("source", "metaedge", "target"))
_METAEDGES = Layout(("metaedge", "abbreviation"), optional=("edges",))
_DAG = Layout(("doid_id", "entrez_gene_id", "sources", "license"))
_CBG = Layout(
    (
        "drugbank_id",
        "entrez_gene_id",
        "sources",
        "pubmed_ids",
        "actions",
        "affinity_nM",
        "license",
        "urls",
    )
)


class Hetionet(Loader):
    """See the module."""

    name = "hetionet"
    title = "Hetionet v1.0: genes, diseases, drugs, anatomy, pathways and their 24 kinds of edges"
    homepage = "https://het.io"
    license = "CC0 1.0"
    nodes = tuple(dict.fromkeys(kind.type for kind in KINDS.values()))
    relationships = tuple(dict.fromkeys(ends_of(metaedge) for metaedge in METAEDGES.values()))
    signs = "every regulation (Gr>G) has 0: Hetionet keeps no direction of change"
    quirks = (
        "The JSON states licence and sources of each edge; it stands for node table and SIF.",
        "WP100_r74146 is a revision of WikiPathways WP100; PC7_n are numbers of Hetionet's own.",
    )
    tested_on = "the whole node table, a sample of 99,676 edges, both tables with licences"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "nodes",
            (
                "hetionet-v1.0-nodes.tsv",
                "hetionet*nodes.tsv",
                "hetionet*nodes.tsv.gz",
                "hetionet*.json.bz2",
                "hetionet*.json*",
            ),
            "node table, or the whole graph as JSON",
            url=f"{_HETIONET}/hetnet/tsv/hetionet-v1.0-nodes.tsv",
            sha256="3ad9eb86c031df8bc7d5efefa6edc93562182eb9a6a71e5129d3f18b9d42c50e",
        ),
        FileSpec(
            "edges",
            (
                "hetionet-v1.0-edges.sif.gz",
                "hetionet*edges.sif*",
                "edges*.sif.gz",
                "edges*.sif",
                "hetionet*.json.bz2",
                "hetionet*.json*",
            ),
            "edges (SIF), or the whole graph as JSON",
            url=(
                "https://media.githubusercontent.com/media/hetio/hetionet/"
                "38873689199f81b0e6e11554d9803b94f0c4a12c/hetnet/tsv/hetionet-v1.0-edges.sif.gz"
            ),
            sha256="611f0411ac666be4e0270e54bbca67407e14720bfc3099311f0f5eec25c5a947",
            states_rows="the column edges of metaedges.tsv, where that is beside it",
        ),
        FileSpec(
            "metaedges",
            ("metaedges.tsv",),
            "metaedge table (checked against ours)",
            required=False,
            url=f"{_HETIONET}/describe/edges/metaedges.tsv",
            sha256="fd2d1f7f2d4658aacae5b0f19dbf8984b3b55e9ad4fc1a9c0c7c3859d86beb31",
        ),
        FileSpec(
            "gene_disease",
            ("DaG-association.tsv",),
            "gene-disease edges with licence",
            required=False,
            url=f"{_INTEGRATE}/compile/DaG-association.tsv",
            sha256="571b45f4007045d904d926d8a01840f359345d37bc9d1db15d4dab1d38691e84",
        ),
        FileSpec(
            "drug_gene",
            ("CbG-binding.tsv",),
            "drug-gene edges with licence, action, affinity",
            required=False,
            url=f"{_INTEGRATE}/compile/CbG-binding.tsv",
            sha256="6918200b27b90f312c6e6bc636079eb6f72f006aeda308144c1f1fc5cae6fced",
        ),
    )

    def _release(self, files: Mapping[str, Path]) -> str:
        return version_in(files["nodes"].name)

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        if is_hetionet_json(files["nodes"]):
            path = files["nodes"]
            yield from hetionet_json_claims(path, log.file(path), self.origin(path, release))
            return
        if "metaedges" in files:
            stated_rows = _check_metaedges(files["metaedges"], log.file(files["metaedges"]))
            log.file(files["edges"]).rows_stated = stated_rows
        yield from self._nodes(files["nodes"], log, release)
        stated: dict[str, pa.Array] = {}
        for key, metaedge, read in (
            ("gene_disease", "DaG", _gene_disease),
            ("drug_gene", "CbG", _drug_gene),
        ):
            if key not in files:
                continue
            pairs: list[pa.Array] = []
            origin = self.origin(files[key], release)
            yield from read(files[key], log.file(files[key]), origin, pairs)
            stated[metaedge] = pa.concat_arrays(pairs)
        yield from self._edges(files["edges"], log, release, stated)

    def _nodes(self, path: Path, log: SourceLog, release: str) -> Iterator[pa.RecordBatch]:
        file, origin = log.file(path), self.origin(path, release)
        seen: list[pa.Array] = []
        for batch in read_table(path, _NODES, file):
            types, ids, kinds = node_columns(batch.column("id"))
            batch = batch.append_column("type", types).append_column("curie", ids)
            agree = pc.and_(pc.equal(kinds, batch.column("kind")), types.is_valid())
            batch = keep(batch, agree, file, "unknown or contradicting kind", ("id", "kind"))
            batch = keep_identified(batch, "curie", "id", file, ("id",))
            file.parsed(batch.num_rows)
            seen.append(batch.column("curie"))
            name = blank_to_null(batch.column("name"))
            is_gene = pc.equal(batch.column("type"), "Gene")
            yield origin.entities(
                batch.num_rows,
                batch.column("line"),
                type=batch.column("type"),
                id=batch.column("curie"),
                name=name,
                symbol=pc.if_else(is_gene, name, pa.scalar(None, pa.string())),
                license=KIND_LICENSES.take(pc.index_in(batch.column("kind"), KIND_NAMES)),
            )
        note_duplicates(pa.concat_arrays(seen), file, REPEATED)

    def _edges(
        self, path: Path, log: SourceLog, release: str, stated: Mapping[str, pa.Array]
    ) -> Iterator[pa.RecordBatch]:
        file, origin = log.file(path), self.origin(path, release)
        for batch in read_table(path, _SIF, file):
            yield _edge_claims(batch, file, origin, stated)


def _edge_claims(
    batch: pa.RecordBatch, file: FileLog, origin: Origin, stated: Mapping[str, pa.Array]
) -> pa.RecordBatch:
    """Claims of one block of the SIF; per row there are only look-ups of integers."""
    n = batch.num_rows
    codes = batch.column("metaedge").dictionary_encode()
    metaedge = codes.indices.to_numpy()
    known = [METAEDGES.get(name) for name in codes.dictionary.to_pylist()]
    ends = pa.concat_arrays([batch.column("source"), batch.column("target")]).dictionary_encode()
    types, ids, kinds = node_columns(ends.dictionary)
    number = pc.fill_null(pc.index_in(kinds, KIND_NAMES), -1).to_numpy()
    source, target = ends.indices.to_numpy()[:n], ends.indices.to_numpy()[n:]

    is_known = np.asarray([m is not None for m in known])[metaedge]
    fits = _kind_of_end(known, "source")[metaedge] == number[source]
    fits &= _kind_of_end(known, "target")[metaedge] == number[target]
    has_id = np.asarray(ids.is_valid().to_numpy(zero_copy_only=False), bool)
    shown = ("source", "metaedge", "target")
    rows = batch.append_column("row", pa.array(np.arange(n)))
    rows = _keep(rows, is_known, file, "unknown metaedge", shown)
    rows = _keep(rows, fits, file, "ends do not fit the metaedge", shown)
    rows = _keep(rows, has_id[source] & has_id[target], file, BAD_ID, shown)
    file.parsed(rows.num_rows)

    row = rows.column("row").to_numpy()
    turned = np.asarray([bool(m and m.turned) for m in known])[metaedge[row]]
    start = pa.array(np.where(turned, target[row], source[row]))
    end = pa.array(np.where(turned, source[row], target[row]))
    code = pa.array(metaedge[row])
    claims = origin.relationships(
        rows.num_rows,
        rows.column("line"),
        type=pa.array([m and m.type for m in known], pa.string()).take(code),
        start_type=types.take(start),
        start=ids.take(start),
        end_type=types.take(end),
        end=ids.take(end),
        sign=pa.array([m and m.sign for m in known], pa.int8()).take(code),
        license=pa.array([m and m.license for m in known], pa.string()).take(code),
    )
    return _without_stated(claims, rows.column("metaedge"), file, stated)


def _keep(
    rows: pa.RecordBatch,
    mask: npt.NDArray[np.bool_],
    file: FileLog,
    kind: str,
    example: tuple[str, ...],
) -> pa.RecordBatch:
    return keep(rows, mask[rows.column("row").to_numpy()], file, kind, example)


def _kind_of_end(known: list[Metaedge | None], end: str) -> npt.NDArray[np.int64]:
    names = list(KINDS)
    return np.asarray([names.index(getattr(m, end)) if m else -2 for m in known], np.int64)


def _without_stated(
    claims: pa.RecordBatch, metaedges: pa.Array, file: FileLog, stated: Mapping[str, pa.Array]
) -> pa.RecordBatch:
    """Leave out edges for which a table gave the licence."""
    gone = np.zeros(claims.num_rows, bool)
    for metaedge, pairs in stated.items():
        rows = np.flatnonzero(pc.equal(metaedges, metaedge).to_numpy(zero_copy_only=False))
        some = claims.take(pa.array(rows))
        there = pc.is_in(_pairs(some.column("start"), some.column("end")), pairs)
        gone[rows[there.to_numpy(zero_copy_only=False)]] = True
    if not gone.any():
        return claims
    file.note("edge taken from the table that states its licence", int(gone.sum()))
    return claims.filter(pa.array(~gone))


def _pairs(start: pa.Array, end: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(start, end, " ")


def _check_metaedges(path: Path, file: FileLog) -> int | None:
    """Reject metaedges that the table has and we do not; their rows in the SIF go too.

    Returns how many edges the table says that the graph has; None where it does not say it.
    """
    total = 0
    for batch in read_table(path, _METAEDGES, file):
        ours = pc.is_in(batch.column("abbreviation"), pa.array(list(METAEDGES)))
        rest = keep(batch, ours, file, "unknown metaedge", ("metaedge", "abbreviation"))
        file.parsed(rest.num_rows)
        counts = batch.column("edges")
        counts = counts.filter(pc.match_substring_regex(counts, r"^\d+$"))
        total += pc.sum(pc.cast(counts, pa.int64())).as_py() or 0
    return total or None


def _gene_disease(
    path: Path, file: FileLog, origin: Origin, pairs: list[pa.Array]
) -> Iterator[pa.RecordBatch]:
    for raw in read_table(path, _DAG, file):
        batch = _with_ids(raw, file, doid_id="doid", entrez_gene_id="ncbigene")
        file.parsed(batch.num_rows)
        genes, diseases = batch.column("entrez_gene_id"), batch.column("doid_id")
        pairs.append(_pairs(genes, diseases))
        evidence = [
            evidence_json({"sources": sources})
            for sources in split(batch.column("sources"), "|").to_pylist()
        ]
        yield origin.relationships(
            batch.num_rows,
            batch.column("line"),
            type="ASSOCIATED_WITH",
            start_type="Gene",
            start=genes,
            end_type="Disease",
            end=diseases,
            evidence=evidence,
            license=pc.utf8_trim_whitespace(batch.column("license")),
        )


def _drug_gene(
    path: Path, file: FileLog, origin: Origin, pairs: list[pa.Array]
) -> Iterator[pa.RecordBatch]:
    for raw in read_table(path, _CBG, file):
        batch = _with_ids(raw, file, drugbank_id="drugbank", entrez_gene_id="ncbigene")
        file.parsed(batch.num_rows)
        pairs.append(_pairs(batch.column("drugbank_id"), batch.column("entrez_gene_id")))
        evidence = pa.array(_binding_evidence(batch, file), pa.string())
        # An action is part of a TARGETS relationship's key: one claim for each.
        actions = split(pc.utf8_lower(batch.column("actions")), "|")
        none = pc.equal(pc.list_value_length(actions), 0)
        actions = pc.if_else(none, pa.scalar([None], actions.type), actions)
        row = pa.array(parents(actions))
        yield origin.relationships(
            len(row),
            batch.column("line").take(row),
            type="TARGETS",
            start_type="Drug",
            start=batch.column("drugbank_id").take(row),
            end_type="Gene",
            end=batch.column("entrez_gene_id").take(row),
            action=actions.flatten(),
            evidence=evidence.take(row),
            license=pc.utf8_trim_whitespace(batch.column("license")).take(row),
        )


def _with_ids(batch: pa.RecordBatch, file: FileLog, **prefixes: str) -> pa.RecordBatch:
    """Normalise identifier columns; rows with a bad one are rejected."""
    for column, prefix in prefixes.items():
        batch = with_curies(batch, column, prefix, file, to=column, shown=tuple(prefixes))
    return batch


def _binding_evidence(batch: pa.RecordBatch, file: FileLog) -> list[str | None]:
    lists = {
        name: split(batch.column(name), "|").to_pylist()
        for name in ("sources", "pubmed_ids", "urls")
    }
    found: list[str | None] = []
    for row, affinity in enumerate(batch.column("affinity_nM").to_pylist()):
        parts: dict[str, object] = {name: values[row] for name, values in lists.items()}
        try:
            parts["affinity_nM"] = _number(affinity)
        except ValueError:
            file.note("affinity that is no number", 1, affinity)
        found.append(evidence_json(parts))
    return found


def _number(text: str) -> float | None:
    if not text.strip():
        return None
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value
