"""The texts of a training set's nodes and cells: tokens, vectors of other models, cells as text."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tosg.export.batches.embeddings import NodeVectors, list_embeddings, make_embeddings
from tosg.export.batches.opened import OpenedSet
from tosg.export.batches.tokens import Tokens, make_tokens

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    import pyarrow as pa

    from tosg.kg.embed.models import Model


class NodeTexts(OpenedSet):
    """Base of `TrainingSet`: what is made from the texts."""

    @cached_property
    def texts(self) -> list[str]:
        """Text of each node, N of them; "" where it has none."""
        return [text or "" for text in self.graph.nodes["text"].to_pylist()]

    def tokens(
        self,
        tokenizer: Any,
        max_length: int = 128,
        *,
        folder: str | os.PathLike[str] | None = None,
    ) -> Tokens:
        """Tokens of the nodes' texts, to train a text encoder together with the graph model.

        Made once and kept, memory-mapped, under a hash of tokenizer, texts and length; another
        process finds them there.

        Parameters
        ----------
        tokenizer : transformers.PreTrainedTokenizerBase
            As of ``AutoTokenizer.from_pretrained``.
        max_length : int
            Tokens of a text, special ones included; longer texts are cut.
        folder : path, optional
            Where they are kept; by default beside the training set, ``OUT.tokens``.

        Returns
        -------
        Tokens
            ``tokens.batch(nodes)`` gives ``input_ids`` and ``attention_mask`` (n, L) int64.

        Raises
        ------
        ConfigError
            The tokenizer has no padding token, or the folder cannot be written.
        ExportError
            Tokens that were kept are damaged.
        """
        place = Path(folder or self._beside("tokens"))
        return make_tokens(place, self.texts, tokenizer, max_length)

    def embeddings(
        self,
        model: str | Model,
        *,
        device: str | None = None,
        batch_size: int = 256,
        folder: str | os.PathLike[str] | None = None,
    ) -> NodeVectors:
        """Vectors of the nodes' texts by another model than the graph's (extra ``embed``).

        Made once and kept, memory-mapped, so that several models stand side by side.

        Parameters
        ----------
        model : str or Model
            Name or folder of a sentence-transformers model, as of ``tosg embed``.
        device : str, optional
            As torch names it; by default a GPU where there is one.
        batch_size : int
            Most texts that the model sees at once.
        folder : path, optional
            Where they are kept; by default beside the training set, ``OUT.embeddings``.

        Returns
        -------
        NodeVectors
            ``vectors`` (N, D) float32 of unit length, zeros without text; ``take(nodes)`` (n, D).

        Raises
        ------
        ConfigError
            The model is not found, or the folder cannot be written.
        ExportError
            Vectors that were kept are damaged.
        """
        place = Path(folder or self._beside("embeddings"))
        return make_embeddings(place, self.texts, model, device, batch_size)

    def list_embeddings(self, *, folder: str | os.PathLike[str] | None = None) -> list[NodeVectors]:
        """List the vectors that `embeddings` has kept of these texts, by model.

        Parameters
        ----------
        folder : path, optional
            Where they are kept; by default ``OUT.embeddings``.

        Returns
        -------
        list of NodeVectors
            ``model``, ``revision`` and ``vectors`` (N, D) float32.

        Raises
        ------
        ExportError
            A file is damaged.
        """
        return list_embeddings(Path(folder or self._beside("embeddings")), self.texts)

    def cell_texts(
        self,
        *,
        genes: int = 100,
        facts: int = 10,
        fact_characters: int = 200,
        edges: int = 20,
    ) -> Iterator[pa.Table]:
        """Cells as text: genes by rank, what the graph says of them, and edges between them.

        Parameters
        ----------
        genes : int
            Most nodes that are named, greatest value first.
        facts : int
            How many of these are described by their text.
        fact_characters : int
            Most characters of one description.
        edges : int
            Most edges between the named nodes.

        Returns
        -------
        iterator of Table
            Blocks of rows of ``cells.parquet``: id, split, target, genes (list), text.

        Raises
        ------
        ExportError
            The training set has no cells.
        ConfigError
            A number is too small.
        """
        from tosg.export.layouts.cell_texts import CellTextOptions, cell_texts
        from tosg.export.layouts.stored import StoredSet

        self.rows()
        options = CellTextOptions(genes, facts, fact_characters, edges)
        return cell_texts(StoredSet(self.manifest), options)
