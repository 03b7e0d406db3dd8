"""What the sources of ontologies share: terms as OBO, OBO graph JSON or a term table, mappings.

Term tables are those of the Single Cell Portal: no header, ids with an underscore, label, synonyms
joined by ``||``. They give every term a node, so that cells labelled with it find the graph.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pyarrow.compute as pc

from tosg.errors import DataError
from tosg.kg.schema.curies import curie_map
from tosg.loaders.base import Loader
from tosg.loaders.columns import blank_to_null, keep, noting_repeats, split, with_curies
from tosg.loaders.formats.obo_graph import is_json, ontology_release, read_ontology
from tosg.loaders.formats.opening import open_bytes, strip_bom
from tosg.loaders.formats.sssom import mapping_claims, mapping_release
from tosg.loaders.formats.tables import Layout, read_table
from tosg.loaders.formats.terms import claims_of_terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from tosg.kg.claims.log import FileLog, SourceLog
    from tosg.loaders.base import Origin
    from tosg.loaders.formats.obo import Term

_TABLE = Layout(("id", "label", "synonyms"), header=False)

#: Folder of the term tables.
PORTAL = (
    "https://raw.githubusercontent.com/broadinstitute/scp-ingest-pipeline/"
    "33577a276502bc63e8e8e8d55b2165154f46586d/ingest/validation/ontologies"
)


class Ontology(Loader):
    """Terms of one ontology, from one file or several, and mappings to others.

    The first of ``files`` states the release; each of the others is a part of its own. Files
    whose key begins with ``mapping`` are SSSOM.
    """

    #: Prefix of its terms.
    prefix: ClassVar[str]
    #: Type of its terms; "" where it follows from their namespace (GO).
    type: ClassVar[str]
    #: Types of terms of other ontologies that its files have and that are taken too, by prefix.
    others: ClassVar[Mapping[str, str]] = {}
    #: Only terms below one of these are taken; empty: all.
    roots: ClassVar[tuple[str, ...]] = ()
    #: Terms below these are left out, and why.
    left_out: ClassVar[Mapping[str, str]] = {}
    #: The same for tables without a hierarchy: pattern over ``id label``.
    left_out_rows: ClassVar[Mapping[str, str]] = {}

    def _release(self, files: Mapping[str, Path]) -> str:
        path = files[self.files[0].key]
        return "" if _is_table(path) else ontology_release(path)

    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        for position, spec in enumerate(self.files):
            if spec.key not in files:
                if spec.key.startswith("mapping"):
                    file = log.file(files[self.files[0].key])
                    file.note("mapping that is not there: its terms stay apart", 1, spec.filename)
                continue
            path, part = files[spec.key], spec.key if position else ""
            file = log.file(path)
            if spec.key.startswith("mapping"):
                given = self.stated_release(mapping_release(path))
                origin = self.origin(path, given, part=part)
                yield from mapping_claims(path, file, origin, self.prefix, self.type)
            elif _is_table(path):
                yield from self._table(path, file, self.origin(path, release, part=part))
            else:
                given, terms = read_ontology(path, file)
                origin = self.origin(path, self.stated_release(given) or release, part=part)
                types = {self.prefix: self.type, **self.others}
                chosen = self._chosen(list(terms), file)
                yield from claims_of_terms(chosen, file, origin, types)

    def _chosen(self, terms: list[Term], file: FileLog) -> Iterable[Term]:
        """Terms below the roots and not below what is left out; the others are rejected."""
        if not (self.roots or self.left_out):
            return terms
        ids = curie_map(i for term in terms for i in (term.id, *term.is_a))
        inside = _below(terms, ids, self.roots)
        outside = {root: _below(terms, ids, (root,)) for root in self.left_out}
        chosen: list[Term] = []
        for term in terms:
            id_ = ids.get(term.id, "")
            why = next((self.left_out[r] for r, below in outside.items() if id_ in below), None)
            ours = id_.startswith(f"{self.prefix}:") and not term.obsolete
            if why is None and ours and self.roots and id_ not in inside:
                why = "not below the root that is read"
            if why is None:
                if id_ in self.roots:
                    term.is_a.clear()  # what is above the root is not read
                chosen.append(term)
            else:
                file.reject(why, term.line, f"{term.id} | {term.name}")
        return chosen

    def _table(self, path: Path, file: FileLog, origin: Origin) -> Iterator[pa.RecordBatch]:
        for batch in noting_repeats(self._rows(path, file), "curie", file):
            yield origin.entities(
                batch.num_rows,
                batch.column("line"),
                type=self.type,
                id=batch.column("curie"),
                name=blank_to_null(batch.column("label")),
                synonyms=split(batch.column("synonyms"), "||"),
            )

    def _rows(self, path: Path, file: FileLog) -> Iterator[pa.RecordBatch]:
        """Rows of present terms with their ``curie``."""
        shown = ("id", "label")
        for raw in read_table(path, _TABLE, file):
            batch = with_curies(raw, "id", self.prefix, file, shown=shown)
            current = pc.invert(pc.match_substring_regex(batch.column("label"), "(?i)^obsolete "))
            batch = keep(batch, current, file, "obsolete", shown)
            for pattern, why in self.left_out_rows.items():
                said = pc.binary_join_element_wise(batch["curie"], batch["label"], " ")
                fine = pc.invert(pc.match_substring_regex(said, pattern))
                batch = keep(batch, fine, file, why, shown)
            file.parsed(batch.num_rows)
            yield batch


def _is_table(path: Path) -> bool:
    """Whether a file is a term table: a tab in its first line, and no JSON."""
    with open_bytes(path) as stream:
        head = strip_bom(stream.read(4096), path)
    try:
        return b"\t" in head.split(b"\n", 1)[0] and not is_json(path)
    except DataError:
        return False


def _below(terms: Iterable[Term], ids: Mapping[str, str], roots: tuple[str, ...]) -> set[str]:
    """Ids of the roots and of all that is a kind of them."""
    children: dict[str, list[str]] = {}
    for term in terms:
        for parent in term.is_a:
            children.setdefault(ids.get(parent, ""), []).append(ids.get(term.id, ""))
    found, waiting = set(roots), list(roots)
    while waiting:
        for child in children.get(waiting.pop(), ()):
            if child not in found:
                found.add(child)
                waiting.append(child)
    return found
