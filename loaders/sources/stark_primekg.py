"""STaRK-PrimeKG: the nodes and relations of PrimeKG with texts, as the benchmark STaRK keeps them.

One zip archive of pickles and PyTorch tensors; neither is run: plain values are let through, and
anything else is an error. Edges stand in both directions; the one that the schema has is kept.
STaRK's words for relations are PrimeKG's ``display_relation``.

Files: https://github.com/snap-stanford/stark (stark_qa/skb/prime.py).
"""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tosg.errors import DataError
from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.columns import blank_to_null, evidence, keep, keep_identified
from tosg.loaders.formats.opening import refuse_page
from tosg.loaders.formats.pickles import read_plain_pickle, read_tensor
from tosg.loaders.reference.graph_tables import (
    NEGATED,
    EdgeRule,
    NodeIndex,
    edge_claims,
    text_of,
    typed_edges,
)
from tosg.loaders.reference.primekg import (
    A_GROUP,
    GROUP_SOURCE,
    PRIMEKG_TYPES,
    primekg_curies,
    translate,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.claims.log import FileLog, SourceLog
    from tosg.loaders.base import Origin

_BATCH = 50_000

#: Where a node's longer text is, the most wanted first.
_TEXTS = (
    "description", "mondo_definition", "umls_description", "orphanet_definition", "summary",
    "definition", "summation",
)  # fmt: skip

#: display_relation -> rule; those of genes and terms depend on the term.
_WORDS: dict[str, EdgeRule] = {
    "ppi": EdgeRule("INTERACTS_WITH"),
    **{
        word: EdgeRule("TARGETS", turned=None, action=word)
        for word in ("carrier", "enzyme", "target", "transporter")
    },
    "indication": EdgeRule("TREATS", turned=None),
    "associated with": EdgeRule("ASSOCIATED_WITH", turned=None),
    "phenotype present": EdgeRule("HAS_PHENOTYPE", turned=None),
    "side effect": EdgeRule("CAUSES", turned=None),
    "expression present": EdgeRule("EXPRESSED_IN", turned=None),
    "phenotype absent": NEGATED,
    "expression absent": NEGATED,
    "contraindication": NEGATED,
}
_OF_TERMS = {
    "Pathway": "PARTICIPATES_IN",
    "BiologicalProcess": "PARTICIPATES_IN",
    "MolecularFunction": "HAS_FUNCTION",
    "CellularComponent": "LOCATED_IN",
}


class StarkPrimeKG(Loader):
    """See the module."""

    name = "stark_primekg"
    title = "STaRK-PrimeKG: PrimeKG's nodes with texts, and their relations"
    homepage = "https://stark.stanford.edu"
    license = "CC BY 4.0"
    nodes = tuple(PRIMEKG_TYPES.values())
    relationships = (
        ("Gene", "INTERACTS_WITH", "Gene"),
        ("Drug", "TARGETS", "Gene"),
        ("Drug", "TREATS", "Disease"),
        ("Gene", "ASSOCIATED_WITH", "Disease"),
        ("Gene", "ASSOCIATED_WITH", "Phenotype"),
        ("Disease", "HAS_PHENOTYPE", "Phenotype"),
        ("Drug", "CAUSES", "Phenotype"),
        ("Gene", "EXPRESSED_IN", "Anatomy"),
        *(("Gene", kind, term) for term, kind in _OF_TERMS.items()),
    )
    quirks = (
        "A pickle that names a class or a function is refused; nothing in it is run.",
        "Both directions of an edge stand in the file; that in which the schema has it is kept.",
        "Contraindications and absent phenotypes and expression never become relationships.",
        "A disease that PrimeKG grouped from several is rejected with its edges.",
    )
    tested_on = "made-up files in the layout of processed.zip, written by torch.save and pickle"
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "graph",
            ("processed.zip", "stark*prime*.zip", "prime*processed*.zip"),
            "nodes, relations and texts",
            url=(
                "https://huggingface.co/datasets/snap-stanford/stark/resolve/main/skb/prime/"
                "processed.zip"
            ),
            whole_bytes=10_000_000,
        ),
    )

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        path = files["graph"]
        file, origin = log.file(path), self.origin(path, release)
        with _Archive(path) as archive:
            index = NodeIndex()
            for batch in _nodes(archive.pickle("node_info.pkl"), path, file):
                index.add(batch["key"], batch["kind"], batch["curie"])
                yield _entities(batch, origin)
            words = archive.pickle("edge_type_dict.pkl")
            ends, kinds = archive.tensor("edge_index.pt"), archive.tensor("edge_types.pt")
        if ends.ndim != 2 or len(ends) != 2 or kinds.shape != ends.shape[1:]:
            raise DataError(
                "the edges and their types do not fit each other",
                where=path,
                found=f"edge_index {ends.shape}, edge_types {kinds.shape}",
                expected="(2, E) and (E,)",
            )
        for first in range(0, len(kinds), _BATCH):
            part = slice(first, first + _BATCH)
            yield _edges(ends[:, part], kinds[part], first, words, index, file, origin)


class _Archive:
    """The members of the archive by base name."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> _Archive:
        with self.path.open("rb") as stream:
            refuse_page(stream, self.path)
        try:
            self.archive = zipfile.ZipFile(self.path)
        except (zipfile.BadZipFile, OSError) as error:
            raise DataError(
                "the archive is cut off or damaged",
                where=self.path,
                found=error,
                hint="download it again; see `tosg sources`",
            ) from error
        return self

    def __exit__(self, *_: object) -> None:
        self.archive.close()

    def read(self, name: str) -> bytes:
        found = [n for n in self.archive.namelist() if n.rpartition("/")[2] == name]
        if len(found) != 1:
            raise DataError(
                "the archive has no such member",
                where=self.path,
                found=", ".join(self.archive.namelist()[:6]),
                expected=name,
                hint="is this the right file? see `tosg sources`",
            )
        try:
            return self.archive.read(found[0])
        except (zipfile.BadZipFile, OSError, EOFError) as error:
            raise DataError("the archive is damaged", where=self.path, found=error) from error

    def pickle(self, name: str) -> dict[int, Any]:
        found = read_plain_pickle(io.BytesIO(self.read(name)), f"{self.path}: {name}")
        if not isinstance(found, dict) or not found:
            raise DataError("the member is not a dict", where=f"{self.path}: {name}")
        return found

    def tensor(self, name: str) -> np.ndarray[Any, np.dtype[np.int64]]:
        return read_tensor(self.read(name), f"{self.path}: {name}")


def _nodes(info: Mapping[int, Any], path: Path, file: FileLog) -> Iterator[pa.RecordBatch]:
    """Nodes with their CURIEs; the line is the node's number, from 1."""
    numbers = list(info)
    for first in range(0, len(numbers), _BATCH):
        part = numbers[first : first + _BATCH]
        rows = [info[n] for n in part]
        if not all(
            isinstance(row, dict) and {"id", "type", "name", "source"} <= set(row) for row in rows
        ):
            raise DataError(
                "a node lacks a key",
                where=f"{path}: node_info.pkl",
                expected="id, type, name, source",
            )
        details = [row.get("details") or {} for row in rows]
        columns = {key: [str(row[key]) for row in rows] for key in ("id", "type", "name", "source")}
        batch = pa.record_batch(
            {
                **columns,
                "text": pa.array([text_of(d, *_TEXTS) for d in details], pa.string()),
                "key": [str(n) for n in part],
                "line": pa.array([int(n) + 1 for n in part], pa.int64()),
            }
        )
        file.read(batch.num_rows)
        shown = ("id", "type", "name")
        batch = batch.append_column("kind", translate(batch["type"], PRIMEKG_TYPES))
        kind = "node of a type that is not in the graph"
        batch = keep(batch, batch["kind"].is_valid(), file, kind, shown)
        batch = keep(batch, pc.not_equal(batch["source"], GROUP_SOURCE), file, A_GROUP, shown)
        batch = batch.append_column("curie", primekg_curies(batch["id"], batch["source"]))
        batch = keep_identified(batch, "curie", "id", file, shown)
        file.parsed(batch.num_rows)
        yield batch


def _entities(batch: pa.RecordBatch, origin: Origin) -> pa.RecordBatch:
    name = blank_to_null(batch["name"])
    is_gene = pc.equal(batch["kind"], "Gene")
    return origin.entities(
        batch.num_rows,
        batch["line"],
        type=batch["kind"],
        id=batch["curie"],
        name=name,
        symbol=pc.if_else(is_gene, name, pa.scalar(None, pa.string())),
        description=batch["text"],
    )


def _rule(word: str, start: str, end: str) -> EdgeRule | None:
    if word in _WORDS:
        return _WORDS[word]
    term = end if start == "Gene" else start
    if word in ("interacts with", "linked to") and term in _OF_TERMS:
        return EdgeRule(_OF_TERMS[term], turned=None)
    return None


def _edges(
    ends: np.ndarray[Any, np.dtype[np.int64]],
    kinds: np.ndarray[Any, np.dtype[np.int64]],
    first: int,
    words: Mapping[int, Any],
    index: NodeIndex,
    file: FileLog,
    origin: Origin,
) -> pa.RecordBatch:
    named = {int(code): str(word) for code, word in words.items()}
    batch = pa.record_batch(
        {
            "relation": pa.array([named.get(int(k), f"number {k}") for k in kinds], pa.string()),
            "from": pc.cast(pa.array(ends[0]), pa.string()),
            "to": pc.cast(pa.array(ends[1]), pa.string()),
            "line": pa.array(np.arange(first + 1, first + 1 + len(kinds))),
        }
    )
    file.read(batch.num_rows)
    shown = ("relation", "from", "to")
    batch = typed_edges(batch, "relation", ("from", "to"), index, _rule, file, shown)
    return edge_claims(
        batch,
        file,
        origin,
        evidence=evidence(batch, lists={"relations": ("relation", "|")}),
    )
