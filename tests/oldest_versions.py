"""Run the tests of batches on the oldest PyTorch and PyTorch Geometric that are supported.

Run by ``make test-oldest``; not a pytest file, since it makes an environment of its own. The newest
of each, and of everything else, are what the whole suite runs on (``constraints.txt``); Python is
tested by ``make test-pythons`` and Neo4j by ``make test-lts``.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

#: What the tests import besides the package.
TOOLS = ("hypothesis", "pandas", "pytest", "pytest-timeout", "anndata>=0.12")

#: Only these are the oldest; the rest is what fits them.
OLDEST = ("torch", "torch-geometric")


def main() -> None:
    """Install the oldest versions and run the tests."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    declared = {
        match[1]: match[2]
        for lines in extras.values()
        for line in lines
        if (match := re.fullmatch(r"([\w-]+)>=([\d.]+)", line))
    }
    pins = [f"{name}=={declared[name]}.*" for name in OLDEST]
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch) / "env"
        venv.create(place, with_pip=True)
        python = place / "bin" / "python"
        run(python, "-m", "pip", "install", "--quiet", "-e", f"{ROOT}[pyg,cells]", *pins, *TOOLS)
        code = "import torch, torch_geometric as g; print(torch.__version__, g.__version__)"
        found = subprocess.run(
            [python, "-c", code], capture_output=True, text=True, check=True
        ).stdout.split()
        say(f"PyTorch {found[0]}, PyTorch Geometric {found[1]}, Python {sys.version.split()[0]}")
        tests = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not neo4j"]
        # What these versions warn of at import was mended in later ones.
        tests += ["-W", "default", "tests/batches"]
        if subprocess.run([*map(str, tests)], cwd=ROOT, check=False).returncode:
            raise SystemExit("the tests fail on the oldest versions")


def run(*words: object) -> None:
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, words))}\n{done.stdout}\n{done.stderr}")


def say(text: str) -> None:
    print(f"== {text}", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
