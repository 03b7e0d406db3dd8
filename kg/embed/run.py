"""One run: what is to be embedded, longest first, encoded and written side by side."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tosg.errors import ConfigError
from tosg.kg.database import bookkeeping as meta
from tosg.kg.database.lease import PATIENCE, hold_lease
from tosg.kg.embed.info import EmbedReport, ModelInfo, read_model_info
from tosg.kg.embed.models import DEFAULT_MODEL, Located, Model, locate
from tosg.kg.embed.vectors import ensure_indexes, hash_text, strip, write_vectors
from tosg.kg.reader.bulk import read_nodes
from tosg.kg.schema.names import choose_types
from tosg.progress import Progress, Tally, silent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Future

    from tosg.kg.database.connection import Database
    from tosg.kg.database.lease import Lease

#: Texts that are encoded before they are written: what a kill can lose.
CHUNK = 1_000


@dataclass
class _Todo:
    """Nodes whose vector is missing or of another text; ``texts`` by key, each once."""

    nodes: dict[str, list[int]]
    texts: dict[str, str]
    unchanged: int

    @property
    def count(self) -> int:
        return sum(len(idx) for idx in self.nodes.values())


def embed(
    db: Database,
    model: str | Model | None = None,
    *,
    types: Sequence[str] | None = None,
    rebuild: bool = False,
    batch_size: int = 256,
    device: str | None = None,
    compose: bool = True,
    connections: int = 4,
    progress: Progress = silent,
) -> EmbedReport:
    """Embed the texts that changed.

    Parameters
    ----------
    db : Database
        The graph.
    model, types, rebuild, batch_size, device, progress
        As of `tosg.KnowledgeGraph.embed`.
    compose : bool
        Whether the texts are composed first (`tosg.kg.text.refresh`).
    connections : int
        Blocks read at once.

    Returns
    -------
    EmbedReport

    Raises
    ------
    ConfigError
        The model is not found, or is another than the graph's and `rebuild` is not set.
    UsageError
        The schema has no such type.
    DatabaseError
        Another writer is at work, or the database went away; what was written stays valid and
        the next run goes on from there.
    """
    if batch_size < 1:
        raise ConfigError("batch_size must be 1 or more", where="batch_size", found=batch_size)
    labels = choose_types(types)
    stored = read_model_info(db)
    chosen = _choose(model, stored)
    replaced = _replaced(stored, chosen, rebuild)
    texts = _refresh(db, labels, connections, progress) if compose else 0
    revision = meta.read_meta(db).revision
    started = time.monotonic()
    todo = _todo(db, labels, chosen, connections)
    loaded = None
    encoded = 0
    if replaced or todo.nodes:
        loaded = chosen if isinstance(chosen, Model) else chosen.load(device)
        with hold_lease(db, "tosg embed", wait=PATIENCE) as lease:
            if replaced:
                strip(db, lease)
            if replaced or meta.read_meta(db).revision != revision:
                todo = _todo(db, labels, chosen, connections)
            encoded = _encode(lease, loaded, todo, batch_size, progress)
    info = _info(chosen, loaded, stored)
    made = ensure_indexes(db, info.dim, labels, progress=progress)
    return EmbedReport(
        model=info,
        device=loaded.encoder.device if loaded else "",
        texts=texts,
        embedded=todo.count,
        encoded=encoded,
        unchanged=todo.unchanged,
        indexes=tuple(made),
        seconds=time.monotonic() - started,
    )


def _choose(model: str | Model | None, stored: ModelInfo | None) -> Located | Model:
    if isinstance(model, Model):
        return model
    found = locate(model or (stored.name if stored else DEFAULT_MODEL))
    if stored and stored.revision == found.revision:
        # A folder that moved is the same model still: its name is that under which it was noted.
        return Located(stored.name, found.revision, found.folder)
    return found


def _identity(model: Located | Model) -> tuple[str, str]:
    if isinstance(model, Model):
        return model.info.name, model.info.revision
    return model.name, model.revision


def _replaced(stored: ModelInfo | None, chosen: Located | Model, rebuild: bool) -> bool:
    """Whether another model's vectors are to be taken away; refuses unless that was asked for."""
    if stored is None:
        return False
    name, revision = _identity(chosen)
    if (stored.name, stored.revision) == (name, revision):
        return False
    if not rebuild:
        raise ConfigError(
            "the graph's vectors come from another model, and a graph has one",
            where="--model",
            found=f"{name} (revision {revision})",
            expected=f"{stored.name} (revision {stored.revision})",
            hint="leave --model out, or give --rebuild to embed the whole graph again",
        )
    return True


def _refresh(db: Database, labels: list[str], connections: int, progress: Progress) -> int:
    from tosg.kg.text.refresh import refresh

    return refresh(
        db,
        types=labels,
        connections=connections,
        progress=progress,
    )


def _todo(db: Database, labels: list[str], model: Located | Model, connections: int) -> _Todo:
    name, revision = _identity(model)
    info = ModelInfo(name, revision, 0)
    todo = _Todo({}, {}, 0)
    for label in labels:
        for batch in read_nodes(db, label, ("text", "embedding_key"), connections=connections):
            columns = (batch.column(c).to_pylist() for c in ("idx", "text", "embedding_key"))
            for idx, text, stored in zip(*columns, strict=True):
                if not text:
                    continue
                key = hash_text(info, text)
                if key == stored:
                    todo.unchanged += 1
                else:
                    todo.nodes.setdefault(key, []).append(idx)
                    todo.texts[key] = text
    return todo


def _encode(
    lease: Lease,
    model: Model,
    todo: _Todo,
    batch_size: int,
    progress: Progress,
) -> int:
    """Encode and write; while one chunk is written, the next is encoded."""
    keys = sorted(todo.texts, key=lambda key: (-len(todo.texts[key]), key))
    # Measured in characters, since long texts take longer.
    characters = sum(map(len, todo.texts.values()))
    tally = Tally(progress, f"embedding {len(keys):,} texts", characters, unit=" characters")
    with ThreadPoolExecutor(1, "tosg-embed-write") as pool:
        writing: Future[None] | None = None
        for start in range(0, len(keys), CHUNK):
            part = keys[start : start + CHUNK]
            vectors = model.encode([todo.texts[key] for key in part], batch_size)
            if writing is not None:
                writing.result()
            rows = [(i, n) for n, key in enumerate(part) for i in todo.nodes[key]]
            rows.sort()
            positions = np.array([n for _, n in rows])
            writing = pool.submit(
                write_vectors,
                lease,
                model.info,
                [i for i, _ in rows],
                [part[n] for n in positions],
                vectors[positions],
            )
            tally.add(sum(len(todo.texts[key]) for key in part))
        if writing is not None:
            writing.result()
    if keys:
        with lease.transaction() as tx:
            meta.bump_revision(tx)
    return len(keys)


def _info(chosen: Located | Model, loaded: Model | None, stored: ModelInfo | None) -> ModelInfo:
    if loaded is not None:
        return loaded.info
    if isinstance(chosen, Model):
        return chosen.info
    return ModelInfo(chosen.name, chosen.revision, stored.dim if stored else 0)
