"""Reading cells against other loaders, each at its recommended setting and in its own environment.

Comparisons are named by peer, kind and batch, as in ``annbatch dense 256``. Ours and the peer run
turn by turn in fresh processes, as many runs of the one as of the other, and medians are compared.
Rates are those of the third epoch; `detail` has the first epoch's, the time to the first batch, the
entropy of labels in a batch, and how often the pairs of a batch meet again in the next epoch, times
that of chance (1 is a shuffle of all cells). ``cold`` is a first epoch whose files were dropped
from the page cache.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from benchmarks import ROOT, Comparison, Options, note
from benchmarks.training_set import Size, write_training_set
from tosg.errors import ExportError, UsageError
from tosg.export.batches.training_set import TrainingSet

SCRIPTS = Path(__file__).parent / "peers" / "loaders"


@dataclass(frozen=True)
class Peer:
    """A loader and what its environment needs.

    Attributes
    ----------
    name : str
        Of its script too.
    requirements : tuple of str
        What pip installs; empty runs in this environment.
    python : tuple of str
        Interpreters that it works with, the first that is found is taken.
    kinds : tuple of str
        What it can be asked for.
    """

    name: str
    requirements: tuple[str, ...] = ()
    python: tuple[str, ...] = ("python3.13", "python3.12", "python3.11")
    kinds: tuple[str, ...] = ("sparse", "dense")

    @property
    def script(self) -> Path:
        """The file that is run."""
        return SCRIPTS / f"{self.name}_loader.py"


class PeerError(RuntimeError):
    """The script of a peer failed."""


OURS = Peer("tosg")
PEERS = (
    Peer("scipy"),
    Peer("annbatch", ("annbatch[zarrs]==0.3.1", "numba"), ("python3.13", "python3.12")),
    Peer("scdataset", ("scdataset==0.3.0", "scipy")),
    Peer("annloader", ("anndata==0.12.19", "torch"), kinds=("dense",)),
    Peer("scvi", ("scvi-tools==1.4.2",), ("python3.12", "python3.13")),
    Peer("scdl", ("bionemo-scdl==0.1.3",), ("python3.12", "python3.11")),
    Peer("tiledbsoma", ("tiledbsoma-ml==0.1.0",), ("python3.12", "python3.11")),
    Peer(
        "cellarr",
        ("cellarr==0.6.2", "torch", "pytorch-lightning"),
        ("python3.12", "python3.11"),
        ("sparse",),
    ),
    Peer("lamin", ("lamindb==2.12.1", "torch"), ("python3.12", "python3.13"), ("dense",)),
)

#: Kind, cells a batch, and whether the files are dropped from the page cache first.
HOW = (
    *((kind, batch) for kind in ("sparse", "dense") for batch in ("32", "256", "1024")),
    ("sparse", "256", "cold"),
)


def run(options: Options) -> list[Comparison]:
    """Measure on 200,000 cells of 20,000 nodes with 1,036 values each; ``--only`` names some."""
    names = {
        " ".join((peer.name, *how)): (peer, how)
        for peer in PEERS
        for how in HOW
        if how[0] in peer.kinds
    }
    if wrong := set(options.only) - set(names):
        raise UsageError("no such comparison", found=", ".join(wrong), expected=", ".join(names))
    wanted = [names[name] for name in options.only or names]
    size = Size(cells=200_000, genes_per_cell=1_036, shard_rows=8_192)
    if options.small:
        size = Size(nodes=1_000, edges=10_000, cells=3_000, genes_per_cell=50, shard_rows=1_000)
    folder = options.home / f"loaders-{size.nodes}-{size.cells}-{options.seed}"
    _write(folder, size, options.seed)
    runs = 1 if options.small else max(options.repeat, 3)
    comparisons = []
    for peer in PEERS:
        hows = [how for who, how in wanted if who is peer]
        if not hows:
            continue
        python = _environment(peer, options.home)
        if python is None:
            continue
        home = options.home / f"loaders-{peer.name}-{size.cells}"
        if not (home / "prepared").exists():
            shutil.rmtree(home, ignore_errors=True)
            home.mkdir(parents=True)
            note(f"writing the cells for {peer.name}")
            _call(python, peer, "prepare", str(folder), str(home))
            (home / "prepared").touch()
        for how in hows:
            try:
                comparisons.append(_compare(peer, python, folder, home, how, runs))
            except PeerError as error:
                note(f"{' '.join((peer.name, *how))} is left out: {error}")
    return comparisons


def _write(folder: Path, size: Size, seed: int) -> None:
    try:
        TrainingSet(folder)
    except ExportError:
        note(f"writing a training set of {size.cells:,} cells")
        shutil.rmtree(folder, ignore_errors=True)
        write_training_set(folder, size, seed)
    targets = pq.read_table(folder / "cells.parquet", columns=["target"])["target"]
    np.save(folder / "targets.npy", targets.to_numpy())


def _environment(peer: Peer, home: Path) -> str | None:
    """Python of the peer's own environment, made at first; None where it cannot be made."""
    if not peer.requirements:
        return sys.executable
    base = next((name for name in peer.python if _runs(name)), None)
    if base is None:
        note(f"{peer.name} is left out: it needs {' or '.join(peer.python)}")
        return None
    folder = home / "environments" / peer.name
    python = folder / "bin" / "python"
    if not (folder / "installed").exists():
        note(f"installing {', '.join(peer.requirements)}")
        try:
            subprocess.run([base, "-m", "venv", "--clear", str(folder)], check=True)
            pip = [str(python), "-m", "pip", "install", "-q", *peer.requirements]
            subprocess.run(pip, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            note(f"{peer.name} is left out: {error}")
            return None
        (folder / "installed").touch()
    return str(python)


def _runs(python: str) -> bool:
    """Whether an interpreter is there and starts."""
    if shutil.which(python) is None:
        return False
    done = subprocess.run([python, "-c", "import venv"], capture_output=True, check=False)
    return done.returncode == 0


def _compare(
    peer: Peer, python: str, folder: Path, home: Path, how: tuple[str, ...], runs: int
) -> Comparison:
    ours, theirs = [], []
    for _ in range(runs):  # turn by turn: the machine's speed changes while it runs
        ours.append(_call(sys.executable, OURS, "run", str(folder), str(home), *how))
        theirs.append(_call(python, peer, "run", str(folder), str(home), *how))
    matrix = TrainingSet(folder).expression
    for result in (*ours, *theirs):
        rows = np.array(result.pop("rows_of_first_batch"))
        expected = float(matrix.read(rows).values.sum(dtype=np.float64))
        found = result.pop("sum_of_first_batch")
        assert abs(found - expected) < 1e-4 * expected, f"values of {peer.name} differ"
    rate = "first" if "cold" in how else "later"
    return Comparison(
        " ".join((peer.name, *how)),
        statistics.median(r[rate] for r in ours),
        statistics.median(r[rate] for r in theirs),
        "cells/s",
        {"ours": _medians(ours), "peer": _medians(theirs), "runs": runs},
    )


def _medians(results: list[dict[str, Any]]) -> dict[str, float]:
    return {key: round(statistics.median(r[key] for r in results), 4) for key in results[0]}


def _call(python: str, peer: Peer, *words: str) -> dict[str, Any]:
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(SCRIPTS), str(ROOT / "src"), str(ROOT)]),
    }
    done = subprocess.run(
        [python, str(peer.script), *words],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        kind = RuntimeError if peer is OURS else PeerError
        what = f"{peer.name} {' '.join(words)}: exit status {done.returncode}"
        raise kind(f"{what}\n{done.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1]) if words[0] == "run" else {}
    return result
