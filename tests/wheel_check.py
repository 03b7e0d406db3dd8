"""Build sdist and wheel, install the wheel into a new environment, use it from an empty folder.

Run by ``make wheel-test``; not a pytest file, since it makes an environment of its own.
"""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

from release_check import ROOT, build
from support.commands import run, say
from support.environments import make_environment

FOLDERS = ("kg", "loaders", "cypher", "export", "dashboard", "cli", "interop")


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        wheel = build(folder / "dist")
        names = zipfile.ZipFile(wheel).namelist()
        for name in FOLDERS:
            assert any(n.startswith(f"tosg/{name}/") for n in names), f"{name} is not in the wheel"
        stray = [n for n in names if not n.startswith(("tosg/", "tosg-"))]
        assert not stray, f"the wheel puts these beside tosg: {stray[:5]}"
        demo = [
            f"demo/data/{n}" for n in ("genes.tsv", "relationships.tsv", "terms.tsv", "cells.yaml")
        ]
        recipes = ["recipes/open-human.yaml", "recipes/demo.yaml"]
        for data in (f"tosg/{n}" for n in ("py.typed", *recipes, *demo)):
            assert data in names, f"{data} is not in the wheel"

        python = make_environment(folder / "env", "-c", ROOT / "constraints.txt", wheel)
        empty = folder / "empty"
        empty.mkdir()
        for command in (
            [python.parent / "tosg", "--help"],
            [python.parent / "tosg", "sources"],
            [python.parent / "tosg", "schema", "--json"],
            [python.parent / "tosg", "query", "--list"],
            [python.parent / "tosg-export", "--help"],
            [python, "-c", "import tosg, sys; assert 'torch' not in sys.modules; tosg.connect"],
        ):
            run(*command, cwd=empty)
    say("the wheel installs into an empty environment and both commands run")


if __name__ == "__main__":
    main()
