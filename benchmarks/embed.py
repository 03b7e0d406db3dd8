"""Embedding on a CPU, and the first question of a process.

"embed" encodes texts of the demo graph, as long as those of genes are, with
``SentenceTransformer.encode`` at its defaults and with the model as `tosg embed` runs it; sides
alternate, and the median counts. "static" is the model of that name beside the default one, on the
same texts. "question" starts a process that embeds one question, with
sentence-transformers and as `tosg search` does. The vectors of both sides are compared.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import ROOT, Comparison, note

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks import Options

#: Least cosine of a text's vectors from the two sides.
LEAST_COSINE = 0.999

TEXTS, SMALL_TEXTS = 1_000, 32

_PEER = (
    "from sentence_transformers import SentenceTransformer as S; "
    "S({folder!r}, device='cpu').encode('interferon response in lupus')"
)
_OURS = (
    "from tosg.kg.embed.models import locate; "
    "locate({name!r}).load_for_questions().encode_query('interferon response in lupus')"
)


def run(options: Options) -> list[Comparison]:
    """Compare both, on the CPU."""
    from sentence_transformers import SentenceTransformer

    from tosg.kg.embed.models import DEFAULT_MODEL, locate
    from tosg.kg.embed.static import STATIC

    located = locate(DEFAULT_MODEL)
    texts = _texts(SMALL_TEXTS if options.small else TEXTS)
    ours = located.load("cpu")
    peer = SentenceTransformer(str(located.folder), device="cpu")

    def theirs() -> Any:
        return peer.encode(texts, show_progress_bar=False, normalize_embeddings=True)

    cosine = float((ours.encode(texts) * theirs()).sum(axis=1).min())
    if cosine < LEAST_COSINE:
        raise AssertionError(f"the sides differ: cosine {cosine}")
    runs = 1 if options.small else max(3, options.repeat)
    seconds = _alternate([lambda: ours.encode(texts), theirs], runs)
    detail: dict[str, object] = {"texts": len(texts), "least cosine": cosine}
    detail |= {"encoder": type(ours.encoder).__name__}
    embed = Comparison("embed", len(texts) / seconds[0], len(texts) / seconds[1], "texts/s", detail)
    question = _alternate(
        [
            lambda: _process(_OURS.format(name=DEFAULT_MODEL)),
            lambda: _process(_PEER.format(folder=str(located.folder))),
        ],
        runs,
    )
    found = [embed, Comparison("question", question[0], question[1], "s")]
    if not options.small:  # made at first use, which takes a minute
        quick = locate(STATIC).load()
        seconds = _alternate([lambda: quick.encode(texts), lambda: ours.encode(texts)], runs)
        rates = [len(texts) / s for s in seconds]
        found.append(Comparison("static", *rates, "texts/s", {"texts": len(texts)}))
    return found


def _alternate(sides: list[Callable[[], Any]], runs: int) -> list[float]:
    """Median seconds of each side, one run of each in turn."""
    spent: list[list[float]] = [[] for _ in sides]
    for number in range(runs):
        for side, seconds in zip(sides, spent, strict=True):
            start = time.perf_counter()
            side()
            seconds.append(time.perf_counter() - start)
        note(f"run {number + 1} of {runs}: " + ", ".join(f"{s[-1]:.2f} s" for s in spent))
    return [statistics.median(s) for s in spent]


def _process(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def _texts(n: int) -> list[str]:
    folder: Path = ROOT / "src" / "tosg" / "demo" / "data"
    rows = [
        line.replace("\t", " ")
        for name in ("genes.tsv", "terms.tsv")
        for line in (folder / name).read_text(encoding="utf-8").splitlines()[1:]
    ]
    # Several rows in one text, one to four, so that lengths vary as those of a graph do.
    starts = np.random.default_rng(0).integers(0, len(rows) - 4, n)
    return [" ".join(rows[start : start + 1 + i % 4]) for i, start in enumerate(starts)]
