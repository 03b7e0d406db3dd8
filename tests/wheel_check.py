"""Build the wheel, install it into a new environment, and use it from an empty folder.

Run by ``make wheel-test``; not a pytest file, since it makes an environment of its own.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("kg", "loaders", "cypher", "export", "dashboard", "cli", "interop")


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", scratch, str(ROOT))
        (wheel,) = folder.glob("*.whl")
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

        venv.create(folder / "env", with_pip=True)
        python = folder / "env" / "bin" / "python"
        constraints = ROOT / "constraints.txt"
        run(python, "-m", "pip", "install", "--quiet", "-c", constraints, wheel)
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
    print("the wheel installs into an empty environment and both commands run")  # noqa: T201


def run(*command: object, cwd: Path | None = None) -> None:
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stdout}\n{done.stderr}")


if __name__ == "__main__":
    main()
