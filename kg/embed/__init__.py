"""Vectors of the texts: made by a sentence-transformers model, kept at the nodes.

One model per graph. A node's ``embedding_key`` is a hash of model, revision and text, so that an
unchanged text is never embedded twice and a run that was stopped goes on where it stopped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tosg.kg.embed.info import EmbedReport, ModelInfo, read_model_info
from tosg.kg.embed.models import DEFAULT_MODEL, Model, load_model

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tosg.kg.database import Database

__all__ = [
    "DEFAULT_MODEL",
    "EmbedReport",
    "Model",
    "ModelInfo",
    "embed",
    "load_model",
    "read_model_info",
]


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
    progress: Callable[[str, float | None], None] | None = None,
) -> EmbedReport:
    """Embed the texts that changed.

    Parameters
    ----------
    db : Database
        The graph.
    model : str or Model, optional
        Name or folder of a sentence-transformers model, or one that is loaded; by default the
        graph's own, and `DEFAULT_MODEL` for a graph without vectors.
    types : sequence of str, optional
        Only entities of these types; by default all.
    rebuild : bool
        Whether another model than the graph's may replace all its vectors.
    batch_size : int
        Most texts that the model sees at once; long texts come in smaller batches.
    device : str, optional
        As torch names it ("cpu", "cuda"); by default a GPU where there is one, at half precision.
    compose : bool
        Whether the texts are composed first (`tosg.kg.text.refresh`).
    connections : int
        Blocks read at once.
    progress : callable, optional
        Is told the stage, with an estimate of the time left, and the share of it that is done.

    Returns
    -------
    EmbedReport

    Raises
    ------
    ConfigError
        The model cannot be had, or is another than the graph's and `rebuild` is not set.
    UsageError
        The schema has no such type.
    DatabaseError
        Another writer is at work, or the database went away; what was written stays valid and
        the next run goes on from there.
    """
    from tosg.kg.embed.run import run

    return run(db, model, types, rebuild, batch_size, device, compose, connections, progress)
