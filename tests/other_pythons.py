"""Run the part of the suite that needs no server on the other Pythons that are installed.

Run by ``make test-pythons``; not a pytest file, since it makes environments of its own. They have
no PyTorch, which is most of an environment's size: what needs it runs on the first Python alone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VERSIONS = ("3.12", "3.13")

#: What these tests import besides the package and its extra ``cells``.
TOOLS = ("hypothesis", "import-linter", "pandas", "pytest", "pytest-timeout")

#: Tests that import PyTorch or start servers.
LEFT_OUT = (
    "tests/batches",
    "tests/dashboard",
    "tests/loading",
    "tests/test_demo.py",
    "tests/biology/test_biology.py",
    "tests/test_public.py",
    "tests/test_server_survival.py",
)


def main() -> None:
    """Test each version that is here; name those that are not."""
    for version in VERSIONS:
        python = find(version)
        if python is None:
            say(f"Python {version} is not installed here")
            continue
        test(version, environment(version, python))


def find(version: str) -> Path | None:
    """An interpreter of a version: on the path, or where pyenv keeps them."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    on_path = shutil.which(f"python{version}")
    named = [Path(on_path)] if on_path else []
    for candidate in (*named, *sorted(pyenv.glob(f"{version}*/bin/python"))):
        code = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])"
        found = subprocess.run([candidate, "-c", code], capture_output=True, text=True, check=False)
        if found.stdout.strip() == version:
            return candidate
    return None


def environment(version: str, python: Path) -> Path:
    """An environment of that Python with what the tests need; kept, and brought up to date."""
    folder = ROOT / f".venv-{version}"
    inside = folder / "bin" / "python"
    if not inside.exists():
        run(python, "-m", "venv", folder)
    constraints = ("-c", ROOT / "constraints.txt")
    run(inside, "-m", "pip", "install", "-q", *constraints, "-e", f"{ROOT}[cells]", *TOOLS)
    return inside


def test(version: str, python: Path) -> None:
    """Run the tests; their output is shown."""
    say(f"Python {version}")
    left_out = [f"--ignore={place}" for place in LEFT_OUT]
    words = [python, "-m", "pytest", "-q", "-m", "not neo4j and not slow", *left_out]
    done = subprocess.run([*map(str, words), "-p", "no:cacheprovider"], cwd=ROOT, check=False)
    if done.returncode:
        raise SystemExit(f"the tests fail on Python {version}")


def run(*words: object) -> None:
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, words))}\n{done.stdout}\n{done.stderr}")


def say(text: str) -> None:
    print(f"== {text}", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
