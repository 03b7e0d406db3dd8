"""Which model a graph's vectors come from, and what one run did."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tosg.html_text import facts_html
from tosg.kg.database.bookkeeping import read_properties, write_embedding

if TYPE_CHECKING:
    import neo4j

    from tosg.kg.database.connection import Database


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """The model of a graph's vectors.

    Attributes
    ----------
    name : str
        As a hub names it, or a folder.
    revision : str
        The hub's commit, or a hash of the folder's files.
    dim : int
        Width of the vectors.
    """

    name: str
    revision: str
    dim: int


@dataclass(frozen=True, slots=True)
class EmbedReport:
    """What `tosg.kg.embed.run.embed` did.

    Attributes
    ----------
    model : ModelInfo
    device : str
        What it ran on; "" where nothing had to be embedded.
    texts : int
        Texts composed before.
    embedded : int
        Nodes that got a vector.
    encoded : int
        Texts that the model read; fewer than `embedded` where nodes share a text.
    unchanged : int
        Nodes whose vector is that of their text already.
    indexes : tuple of str
        Vector indexes made.
    seconds : float
        Of encoding and writing.
    """

    model: ModelInfo
    device: str
    texts: int
    embedded: int
    encoded: int
    unchanged: int
    indexes: tuple[str, ...]
    seconds: float

    def _repr_html_(self) -> str:
        return facts_html(
            f"Vectors by {self.model.name}",
            [
                ("revision", self.model.revision),
                ("texts composed", self.texts),
                ("embedded", self.embedded),
                ("unchanged", self.unchanged),
                ("indexes made", ", ".join(self.indexes)),
                ("device", self.device),
                ("seconds", self.seconds),
            ],
        )

    def as_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return asdict(self)


def read_model_info(db: Database) -> ModelInfo | None:
    """Read which model the graph's vectors come from; None where there are none."""
    meta = read_properties(db)
    if "embedding_model" not in meta:
        return None
    # A graph that another program wrote may note the model's name alone.
    revision, dim = meta.get("embedding_revision", ""), meta.get("embedding_dim", 0)
    return ModelInfo(meta["embedding_model"], revision, dim)


def write_model_info(tx: neo4j.Transaction, info: ModelInfo | None) -> None:
    """Note the model in the bookkeeping node; None takes the note away."""
    if info is None:
        write_embedding(tx, None, None, None)
    else:
        write_embedding(tx, info.name, info.revision, info.dim)
