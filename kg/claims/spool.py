"""Claims on their way to the merge: checked, and parted on disk by type.

The merge takes one relationship type at a time from here, so its memory is bounded by the largest
type, not by the sum of the sources.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from tosg.closing import Closing
from tosg.errors import DataError
from tosg.kg.claims.cleaning import clean_entities, is_id, is_too_long
from tosg.kg.claims.counters import NoteCounter, RejectionCounter
from tosg.kg.claims.evidence import RESERVED_KEYS, has_reserved_key
from tosg.kg.claims.frame_file import FrameFile
from tosg.kg.claims.log import BAD_ID
from tosg.kg.claims.schemas import ENTITY_CLAIMS, LIST_SEPARATOR, RELATIONSHIP_CLAIMS
from tosg.kg.schema.entities import OF_OTHER_TYPES
from tosg.kg.schema.types import entity_types, relationship_types

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from tosg.kg.claims.log import Note, Rejection

_PAIR = ("type", "start_type", "end_type")


class Spool(Closing):
    """A temporary folder of claims, parted by type; deleted when the ``with`` block ends.

    Parameters
    ----------
    folder : Path, optional
        Folder in which the temporary one is made, by default the system's.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="tosg-spool-", dir=folder)
        self._folder = Path(self._temporary.name)
        self._parts: dict[tuple[str, ...], FrameFile] = {}
        self._closed = False
        self._refused = RejectionCounter()
        self._noted = NoteCounter()
        self._given: dict[str, dict[str, int]] = defaultdict(
            lambda: {"entities": 0, "relationships": 0}
        )
        self._unstated: dict[str, set[str]] = defaultdict(set)

    def close(self) -> None:
        """Delete the folder."""
        for part in self._parts.values():
            part.close()
        self._closed = True
        self._temporary.cleanup()

    def add(self, batch: pa.RecordBatch) -> None:
        """Check a batch of claims against the schema and keep what passes.

        Parameters
        ----------
        batch : pa.RecordBatch
            Of schema `ENTITY_CLAIMS` or `RELATIONSHIP_CLAIMS`.

        Raises
        ------
        DataError
            The batch has another schema.
        """
        entities = batch.schema.equals(ENTITY_CLAIMS)
        if not entities and not batch.schema.equals(RELATIONSHIP_CLAIMS):
            raise DataError(
                "a batch is neither entity claims nor relationship claims",
                found=batch.schema.names,
                expected="the columns of ENTITY_CLAIMS or RELATIONSHIP_CLAIMS",
            )
        if not batch.num_rows:
            return
        frame = pl.DataFrame(batch)
        kind = "entities" if entities else "relationships"
        for source, n in frame["source"].value_counts().iter_rows():
            self._given[source][kind] += n
        unstated = frame.filter(pl.col("release") == "").select("source", "file").unique()
        for source, file in unstated.iter_rows():
            self._unstated[source].add(file)
        frame = self._checked_entities(frame) if entities else self._checked_relationships(frame)
        keys = ["type"] if entities else list(_PAIR)
        for key, part in _partitions(frame, keys):
            self._part((kind, *key)).add(part)

    def rejections(self) -> list[Rejection]:
        """What was refused so far, by kind, source and file."""
        return self._refused.rejections()

    def notes(self) -> list[Note]:
        """What was changed in claims or left out of them, by kind, source and file."""
        return self._noted.notes()

    def given(self) -> dict[str, dict[str, int]]:
        """Claims given per source, refused ones included, as ``entities`` and ``relationships``."""
        return {source: dict(counts) for source, counts in sorted(self._given.items())}

    def unstated(self) -> dict[str, set[str]]:
        """Files of each source whose claims state no release."""
        return dict(self._unstated)

    @property
    def folder(self) -> Path:
        """The temporary folder, for what the merge has to put on disk."""
        return self._folder

    @property
    def entity_types(self) -> list[str]:
        """Types of which there are entity claims, sorted."""
        return sorted(key[1] for key in self._parts if key[0] == "entities")

    @property
    def relationship_parts(self) -> list[tuple[str, str, str]]:
        """Relationship type, start type and end type of which there are claims, sorted."""
        return sorted((k[1], k[2], k[3]) for k in self._parts if k[0] == "relationships")

    def count_relationships(self, name: str) -> int:
        """Count the claims of one relationship type."""
        parts = self._parts.items()
        return sum(part.rows for key, part in parts if key[:2] == ("relationships", name))

    def entities(self, label: str) -> pl.DataFrame:
        """All entity claims of one type (columns of `ENTITY_CLAIMS` less ``type``)."""
        return self._read(("entities", label), ENTITY_CLAIMS, ("type",))

    def relationships(self, name: str, start_type: str, end_type: str) -> pl.DataFrame:
        """All claims of one relationship type between two types, less those three columns."""
        return self._read(("relationships", name, start_type, end_type), RELATIONSHIP_CLAIMS, _PAIR)

    def relationship_batches(
        self, name: str, start_type: str, end_type: str
    ) -> Iterator[pl.DataFrame]:
        """Claims as `relationships` gives them, in frames of bounded size."""
        if self._closed:
            raise ValueError("the spool is closed; ask the merge for everything before")
        part = self._parts.get(("relationships", name, start_type, end_type))
        if part is not None:
            yield from part.batches()

    def _read(self, key: tuple[str, ...], schema: pa.Schema, less: tuple[str, ...]) -> pl.DataFrame:
        if self._closed:
            raise ValueError("the spool is closed; ask the merge for everything before")
        names = [n for n in schema.names if n not in less]
        if key not in self._parts:
            return pl.DataFrame(schema.empty_table().select(names))
        return self._parts[key].read()

    def _part(self, key: tuple[str, ...]) -> FrameFile:
        if key not in self._parts:
            self._parts[key] = FrameFile(self._folder / f"{len(self._parts):05d}.arrow")
        return self._parts[key]

    def _checked_entities(self, frame: pl.DataFrame) -> pl.DataFrame:
        frame = self._refuse(frame, "unknown type", ~pl.col("type").is_in(list(entity_types())))
        frame = self._refuse(frame, BAD_ID, ~is_id("id"))
        frame = self._refuse(frame, "identifier too long", is_too_long("id"))
        frame = self._refuse_others(frame, "type", "id")
        return clean_entities(frame, self._noted)

    def _checked_relationships(self, frame: pl.DataFrame) -> pl.DataFrame:
        frame = frame.with_columns(
            pl.when(pl.col("evidence").is_in(["{}", "{ }"]))
            .then(pl.lit(""))
            .otherwise(pl.col("evidence").fill_null(""))
            .alias("evidence"),
            _not_empty("action"),
        )
        frame = self._refuse_pairs(frame)
        frame = self._refuse(frame, BAD_ID, ~(is_id("start") & is_id("end")))
        frame = self._refuse(
            frame, "identifier too long", is_too_long("start") | is_too_long("end")
        )
        frame = self._refuse_others(frame, "start_type", "start")
        frame = self._refuse_others(frame, "end_type", "end")
        score, sign, evidence = pl.col("score"), pl.col("sign"), pl.col("evidence")
        # NaN is not "between", so it is refused as well.
        frame = self._refuse(frame, "score not in 0..1", ~score.is_between(0, 1).fill_null(True))
        frame = self._refuse(frame, "sign not -1, 0 or 1", ~sign.is_between(-1, 1).fill_null(True))
        if frame.select((evidence != "").any()).item():
            bad = (evidence != "") & ~(evidence.str.starts_with("{") & evidence.str.ends_with("}"))
            frame = self._refuse(frame, "evidence is not a JSON object", bad)
            doubtful = pl.any_horizontal(
                evidence.str.contains(f'"{key}"', literal=True) for key in RESERVED_KEYS
            )
            if frame.select(doubtful.any()).item():
                reserved = evidence.map_elements(has_reserved_key, return_dtype=pl.Boolean)
                frame = self._refuse(frame, "evidence uses a reserved key", reserved)
        return frame

    def _refuse_pairs(self, frame: pl.DataFrame) -> pl.DataFrame:
        types = relationship_types()
        for name, start, end in frame.select(_PAIR).unique().iter_rows():
            here = (
                (pl.col("type") == name)
                & (pl.col("start_type") == start)
                & (pl.col("end_type") == end)
            )
            if name not in types:
                frame = self._refuse(frame, "unknown type", here)
            elif (start, end) not in types[name].pairs:
                # An undirected type is symmetric, however the schema writes its pairs.
                if not types[name].directed and (end, start) in types[name].pairs:
                    continue
                frame = self._refuse(frame, "pair of types not allowed", here)
        return frame

    def _refuse_others(self, frame: pl.DataFrame, type_: str, id_: str) -> pl.DataFrame:
        """Refuse identifiers that say themselves that they are of another type."""
        for prefix, of_others in OF_OTHER_TYPES.items():
            shared = pl.col(id_).str.starts_with(f"{prefix}:")
            if not frame.select(shared.any()).item():
                continue
            for label, pattern in of_others.items():
                bad = (pl.col(type_) == label) & pl.col(id_).str.contains(pattern)
                frame = self._refuse(frame, "identifier of another type", bad)
        return frame

    def _refuse(self, frame: pl.DataFrame, kind: str, bad: pl.Expr) -> pl.DataFrame:
        mask = frame.select(bad.fill_null(True).alias("bad"))["bad"]
        if not mask.any():
            return frame
        self._refused.add(kind, frame.filter(mask))
        return frame.filter(~mask)


def _not_empty(column: str) -> pl.Expr:
    value = pl.col(column).str.replace_all(LIST_SEPARATOR, " ", literal=True).str.strip_chars()
    return pl.when(value != "").then(value).alias(column)


def _partitions(frame: pl.DataFrame, keys: list[str]) -> list[tuple[tuple[str, ...], pl.DataFrame]]:
    found = frame.select(keys).unique()
    if found.height <= 1:
        return [(key, frame.drop(keys)) for key in found.iter_rows()]
    parts = frame.partition_by(keys, as_dict=True, include_key=False)
    return [(tuple(map(str, key)), part) for key, part in parts.items()]
