"""Run the part of the suite that needs no server on the other Pythons that are installed.

Run by ``make test-pythons``; not a pytest file, since it makes environments of its own. They have
no PyTorch, which is most of an environment's size: what needs it (the marker ``extras``, and the
files below) runs on the first Python alone, as do all cases but the first of a test with
parameters: what a Python does differently shows in each of them. The versions are tested side by
side; ``TOSG_TEST_LONG=1`` runs all cases.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from support.commands import say
from support.environments import make_environment

ROOT = Path(__file__).resolve().parents[1]
VERSIONS = ("3.12", "3.13")

#: What these tests import besides the package and its extra ``cells``.
TOOLS = ("hypothesis", "import-linter", "pandas", "pytest", "pytest-timeout")

#: Files that import PyTorch or other packages that these environments lack, or start servers; and
#: tests that go through every file of every source once more without asking anything of Python.
LEFT_OUT = (
    "tests/batches",
    "tests/biology",
    "tests/dashboard",
    "tests/export/test_scores_of_sources.py",
    "tests/interop",
    "tests/loaders/test_contract.py::test_a_file_of_another_source",
    "tests/loaders/test_contract.py::test_another_file",
    "tests/loaders/test_real_files.py",
    "tests/loading",
    "tests/test_demo.py",
    "tests/test_embed_static.py",
    "tests/test_first_graph.py",
    "tests/test_notebooks.py",
    "tests/test_pages.py",
    "tests/test_public.py",
    "tests/test_science.py",
    "tests/test_server_survival.py",
    "tests/test_trials.py",
)

#: Left out too but in ``make test-long``: what takes longest, and what reads the source text, which
#: is the same for each Python.
LONGEST = (
    "tests/export/test_splits.py",
    "tests/export/test_arrays.py",
    "tests/export/test_engines.py",
    "tests/loaders/test_go_annotations.py::test_the_whole_isoform_file",
    "tests/loaders/test_plugins.py::test_the_package_of_the_page_is_installed_and_used",
    "tests/test_demo_data.py",
    "tests/test_merge.py",
    "tests/test_names.py",
    "tests/test_source_text.py",
    "tests/test_told.py",
)


def main() -> None:
    """Test each version that is here, side by side; name those that are not."""
    found = {version: find(version) for version in VERSIONS}
    here = {version: python for version, python in found.items() if python is not None}
    for version in sorted(found.keys() - here.keys()):
        say(f"Python {version} is not installed here: skipped")
    with ThreadPoolExecutor(max(1, len(here))) as threads:
        done = list(threads.map(check, here, here.values()))
    failed = [version for version, passed in zip(here, done, strict=True) if not passed]
    if failed:
        raise SystemExit(
            f"the tests fail on Python {' and '.join(failed)}; a file that needs PyTorch or a "
            f"server belongs to LEFT_OUT of {Path(__file__).relative_to(ROOT)}"
        )


def check(version: str, python: Path) -> bool:
    """Make the environment of a version and run the tests in it."""
    return test(version, environment(version, python))


def find(version: str) -> Path | None:
    """An interpreter of a version: on the path, or where pyenv keeps them."""
    on_path = shutil.which(f"python{version}")
    named = [Path(on_path)] if on_path else []
    roots = [Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))]
    if named and named[0].parent.name == "shims":  # it finds nothing where the home is another
        roots.append(named[0].parents[1])
    kept = [p for root in roots for p in sorted(root.glob(f"versions/{version}*/bin/python"))]
    for candidate in (*named, *kept):
        code = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])"
        found = subprocess.run([candidate, "-c", code], capture_output=True, text=True, check=False)
        if found.stdout.strip() == version:
            return candidate
    return None


def environment(version: str, python: Path) -> Path:
    """An environment of that Python with what the tests need; kept, and brought up to date."""
    folder = ROOT / f".venv-{version}"
    stamp = folder / ".set-up"
    wanted = "\n".join([*TOOLS, (ROOT / "pyproject.toml").read_text(encoding="utf-8")])
    wanted += (ROOT / "constraints.txt").read_text(encoding="utf-8")
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return folder / "bin" / "python"
    packages = ("-c", ROOT / "constraints.txt", "-e", f"{ROOT}[cells]", *TOOLS)
    inside = make_environment(folder, *packages, of=python)
    stamp.write_text(wanted, encoding="utf-8")
    return inside


def test(version: str, python: Path) -> bool:
    """Run the tests and show their output; whether they passed."""
    whole = bool(os.environ.get("TOSG_TEST_LONG"))
    places = LEFT_OUT if whole else (*LEFT_OUT, *LONGEST)
    left_out = [f"{'--deselect' if '::' in place else '--ignore'}={place}" for place in places]
    chosen = "not neo4j and not slow and not extras"
    words = [python, "-m", "pytest", "-q", "-m", chosen, *left_out, "-p", "no:cacheprovider"]
    if not whole:
        words.append("--first-cases")
    begun = time.monotonic()
    done = subprocess.run([*map(str, words)], cwd=ROOT, capture_output=True, text=True, check=False)
    took = time.monotonic() - begun
    say(f"Python {version}, {took:.0f} s\n{done.stdout}{done.stderr}")
    return done.returncode == 0


if __name__ == "__main__":
    main()
