"""HGNC's genes as OBO graph JSON, and its gene groups as OBO.

The bridge between Entrez, HGNC, Ensembl and UniProt: cross-references join the gene's
identifiers, "has gene product" edges lead to UniProt, "member of" edges to gene groups.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from tosg.errors import DataError
from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.columns import REPEATED, keep, known_curies, note_duplicates, with_curies
from tosg.loaders.formats.obo import open_obo, parse_terms
from tosg.loaders.formats.opening import read_text
from tosg.loaders.formats.terms import claims_of_terms

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tosg.kg.claims.log import FileLog, SourceLog
    from tosg.loaders.base import Origin

_OBO = "http://purl.obolibrary.org/obo/"
_INGEST = "https://raw.githubusercontent.com/biopragmatics/obo-db-ingest"

#: Predicate -> (relationship type, type of the end, its prefix).
EDGES = {
    f"{_OBO}RO0002205": ("ENCODES", "Protein", "uniprot"),
    f"{_OBO}RO0002350": ("MEMBER_OF", "GeneFamily", "hgnc.genegroup"),
}

#: Predicates that are no relationships of the graph, and why.
LEFT_OUT = {
    "is_a": "kind of gene, not stored",
    f"{_OBO}RO0002162": "species of the gene, not stored",
    f"{_OBO}ROHOM0000017": "gene of another species",
    f"{_OBO}RO0002511": "transcript, not stored",
    f"{_OBO}obo_gene_product_is_a": "enzyme class, not stored",
}


class Hgnc(Loader):
    """See the module."""

    name = "hgnc"
    title = "HGNC: approved gene names, gene groups, the bridge between gene identifiers"
    homepage = "https://www.genenames.org"
    license = "CC0 1.0"
    nodes = ("Gene", "GeneFamily")
    relationships = (
        ("Gene", "ENCODES", "Protein"),
        ("Gene", "MEMBER_OF", "GeneFamily"),
        ("GeneFamily", "IS_A", "GeneFamily"),
    )
    files: ClassVar[tuple[FileSpec, ...]] = (
        FileSpec(
            "genes",
            ("hgnc.json.gz", "hgnc.json", "hgnc*.json.gz", "hgnc*.json"),
            "genes as OBO graph JSON",
            url=f"{_INGEST}/108e6ae6e6a46c4d389f32253847336384d61e61/export/hgnc/hgnc.json.gz",
            sha256="2e19debc7bb70597202717e590e94dad3777d75e4ab3ae07b549a0c43b180fa0",
        ),
        FileSpec(
            "groups",
            ("hgnc.genegroup.obo", "hgnc.genegroup*.obo", "hgnc.genegroup*.obo.gz"),
            "gene groups with their texts",
            required=False,
            url=(
                f"{_INGEST}/5613ff7e7e5d40905639a4092d0a4e104929710d"
                "/export/hgnc.genegroup/hgnc.genegroup.obo"
            ),
            sha256="8441a7e98a23dec49432011ae06b3c04fbba861d44d0c242d60aecf28b0fdf33",
        ),
    )

    def _release(self, files: Mapping[str, Path]) -> str:
        found = re.search(
            r'oboInOwl#hasDate",\s*"val":\s*"(\d{2}):(\d{2}):(\d{4})', read_text(files["genes"])
        )
        return f"{found.group(3)}-{found.group(2)}-{found.group(1)}" if found else ""

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        path = files["genes"]
        graph = _graph(path)
        file, origin = log.file(path), self.origin(path, release)
        yield _genes(graph, file, origin)
        yield from _edges(graph, file, origin)
        if "groups" in files:
            obo = open_obo(files["groups"])
            origin = self.origin(obo.path, self.stated_release(obo.release), part="groups")
            yield from claims_of_terms(
                parse_terms(obo, log.file(obo.path)),
                log.file(obo.path),
                origin,
                {"hgnc.genegroup": "GeneFamily"},
            )


def _graph(path: Path) -> dict[str, Any]:
    text = read_text(path)
    try:
        document = json.loads(text)
        graph: dict[str, Any] = document["graphs"][0]
        if not isinstance(graph["nodes"], list) or not isinstance(graph["edges"], list):
            raise TypeError("nodes and edges are no lists")
    except json.JSONDecodeError as error:
        raise DataError(
            "the file is no JSON, or cut off",
            where=f"{path}, line {error.lineno}, column {error.colno}",
            found=error.msg,
            hint="download it again; `tosg fetch` checks the hash",
        ) from error
    except (KeyError, IndexError, TypeError) as error:
        raise DataError(
            "the file is no OBO graph",
            where=path,
            found=f"{type(error).__name__}: {error}",
            expected='{"graphs": [{"nodes": [...], "edges": [...]}]}',
            hint="is this the right file? see `tosg sources`",
        ) from error
    return graph


def _genes(graph: dict[str, Any], file: FileLog, origin: Origin) -> pa.RecordBatch:
    """Claims about the genes; ``line`` is the position in ``nodes``, from 1."""
    nodes = _objects(graph["nodes"])
    file.read(len(nodes))
    batch = pa.record_batch(
        {
            "line": pa.array(range(1, len(nodes) + 1), pa.int64()),
            "node": pa.array([_text(node, "id") for node in nodes], pa.string()),
            "symbol": pa.array([_text(node, "lbl") for node in nodes], pa.string()),
            "name": pa.array([_definition(node) for node in nodes], pa.string()),
            "xrefs": pa.array([_xrefs(node) for node in nodes], pa.list_(pa.string())),
            "current": pa.array([not _meta(node).get("deprecated") for node in nodes]),
        }
    )
    is_gene = pc.starts_with(batch.column("node"), f"{_OBO}hgnc_")
    batch = keep(batch, is_gene, file, "node that is no gene", ("node", "symbol"))
    batch = with_curies(batch, "node", "hgnc", file)
    batch = keep(batch, batch.column("current"), file, "obsolete", ("node", "symbol"))
    file.parsed(batch.num_rows)
    note_duplicates(batch.column("curie"), file, REPEATED)
    return origin.entities(
        batch.num_rows,
        batch.column("line"),
        type="Gene",
        id=batch.column("curie"),
        name=pc.coalesce(batch.column("name"), batch.column("symbol")),
        symbol=batch.column("symbol"),
        xrefs=known_curies(batch.column("xrefs"), file),
    )


def _edges(graph: dict[str, Any], file: FileLog, origin: Origin) -> Iterator[pa.RecordBatch]:
    """Claims of the edges; ``line`` goes on counting after the nodes."""
    edges = _objects(graph["edges"])
    first = len(graph["nodes"]) + 1
    file.read(len(edges))
    batch = pa.record_batch(
        {
            "line": pa.array(range(first, first + len(edges)), pa.int64()),
            **{
                key: pa.array([_text(edge, key) for edge in edges], pa.string())
                for key in ("sub", "pred", "obj")
            },
        }
    )
    shown = ("sub", "pred", "obj")
    for predicate, why in LEFT_OUT.items():
        other = pc.not_equal(batch.column("pred"), predicate)
        batch = keep(batch, other, file, why, shown)
    known = pc.is_in(batch.column("pred"), pa.array(list(EDGES)))
    batch = keep(batch, known, file, "unknown predicate", shown)
    for predicate, (type_, end_type, prefix) in EDGES.items():
        some = batch.filter(pc.equal(batch.column("pred"), predicate))
        some = with_curies(some, "sub", "hgnc", file, to="start", shown=shown)
        some = with_curies(some, "obj", prefix, file, to="end", shown=shown)
        file.parsed(some.num_rows)
        yield origin.relationships(
            some.num_rows,
            some.column("line"),
            type=type_,
            start_type="Gene",
            start=some.column("start"),
            end_type=end_type,
            end=some.column("end"),
        )


def _objects(items: list[Any]) -> list[dict[str, Any]]:
    # What is no object has no fields, and is rejected for that like any other record.
    return [item if isinstance(item, dict) else {} for item in items]


def _meta(node: dict[str, Any]) -> dict[str, Any]:
    meta = node.get("meta")
    return meta if isinstance(meta, dict) else {}


def _text(item: dict[str, Any], key: str) -> str | None:
    value = item.get(key)
    return value.strip() or None if isinstance(value, str) else None


def _definition(node: dict[str, Any]) -> str | None:
    definition = _meta(node).get("definition")
    return _text(definition, "val") if isinstance(definition, dict) else None


def _xrefs(node: dict[str, Any]) -> list[str]:
    xrefs = _meta(node).get("xrefs")
    found = [_text(x, "val") for x in _objects(xrefs if isinstance(xrefs, list) else [])]
    return [value for value in found if value is not None]
