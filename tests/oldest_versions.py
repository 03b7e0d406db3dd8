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
from pathlib import Path

from support.commands import run, say
from support.environments import make_environment

ROOT = Path(__file__).resolve().parents[1]

#: What the tests import besides the package.
TOOLS = (
    "anndata>=0.12", "hypothesis", "pandas", "pytest", "pytest-timeout", "torchdata"
)  # fmt: skip

#: Only these are the oldest; the rest is what fits them.
OLDEST = ("torch", "torch-geometric")

#: Installs beside an older PyTorch, and then says that there is none.
FITTING = "transformers<5"


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
        python = make_environment(
            place, "-e", f"{ROOT}[pyg,cells,lightning,huggingface,embed]", *pins, FITTING, *TOOLS
        )
        code = "import torch, torch_geometric as g; print(torch.__version__, g.__version__)"
        found = run(python, "-c", code).split()
        say(f"PyTorch {found[0]}, PyTorch Geometric {found[1]}, Python {sys.version.split()[0]}")
        tests = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not neo4j"]
        # What these versions warn of at import was mended in later ones.
        tests += ["-W", "default", "tests/batches"]
        if subprocess.run([*map(str, tests)], cwd=ROOT, check=False).returncode:
            raise SystemExit("the tests fail on the oldest versions")


if __name__ == "__main__":
    main()
