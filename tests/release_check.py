"""What is released: wheel and sdist that pass ``twine check --strict``, and each extra alone.

Run by ``make release-check``; not a pytest file, since it makes an environment for each extra:
empty, with the wheel and that extra and nothing else, in which the extra's feature then runs from
an empty folder on a real server. With names of extras it checks those.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
import tomllib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from support.commands import run, say
from support.environments import make_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]

#: extra -> what runs where only that is installed. ``TRAINING_SET``, ``CELLS`` and ``MODEL`` are
#: files that the environment of development made.
FEATURES = {
    "": """
assert graph.query("genes_of_pathway", pathway="Interleukin-2 signaling").num_rows == 3
import sys
assert not {"torch", "pandas", "streamlit"} & set(sys.modules)
""",
    "cells": """
report = graph.attach_cells(os.environ["CELLS"], dry_run=True)
assert report.cells > 0, report
""",
    "torch": """
ts = tosg.TrainingSet(os.environ["TRAINING_SET"])
batch = next(iter(ts.batches("train", 4)))
assert batch.x.shape == (4, ts.n_nodes)
""",
    "pyg": """
ts = tosg.TrainingSet(os.environ["TRAINING_SET"])
batch = next(iter(ts.batches("train", 4)))
assert batch.to_pyg().num_graphs == 4
""",
    "lightning": """
from tosg.export.batches.lightning import CellModule
module = CellModule(tosg.TrainingSet(os.environ["TRAINING_SET"]), batch_size=4)
assert len(next(iter(module.train_dataloader())).x) == 4
""",
    "huggingface": """
stream = tosg.TrainingSet(os.environ["TRAINING_SET"]).to_huggingface("train")
assert next(iter(stream))
""",
    "embed": """
from tosg.kg.embed.models import load_model
assert load_model(os.environ["MODEL"], "cpu").encode(["a text"]).shape == (1, 384)
""",
    "offline": """
from tosg.kg.embed.models import load_model
assert load_model().encode(["a text"]).shape == (1, 384)
""",
    "pandas": """
nodes, relationships = graph.subgraph().to_pandas()
assert len(nodes) and len(relationships)
""",
    "networkx": "assert graph.subgraph().to_networkx().number_of_nodes() == 27",
    "viz": "assert len(graph.subgraph().to_neo4j_viz().render().data) > 1000",
    "graphrag": """
from tosg.interop import graphrag
from neo4j_graphrag.retrievers import Text2CypherRetriever
from neo4j_graphrag.llm import LLMResponse
from neo4j_graphrag.llm.base import LLMInterface
class Says(LLMInterface):
    def invoke(self, *_, **__): return LLMResponse(content="MATCH (d:Drug) RETURN d.name AS n")
    async def ainvoke(self, *_, **__): return self.invoke()
schema = graphrag.describe_schema_for_models()
found = Text2CypherRetriever(graph.db.driver, Says("x"), neo4j_schema=schema).search("drugs")
assert len(found.items) == 3
assert graphrag.vector_index("Gene") == "gene_embedding"
""",
    "mcp": """
import asyncio, mcp
async def ask():
    server = mcp.StdioServerParameters(
        command=sys.executable, args=["-m", "tosg", "mcp"], env=dict(os.environ))
    async with mcp.stdio_client(server) as streams, mcp.ClientSession(*streams) as session:
        await session.initialize()
        return await session.call_tool("get_entity", {"entity": "IL2"})
assert "ncbigene:3558" in asyncio.run(ask()).content[0].text
""",
    "ray": """
graph.export("on-ray", engine="ray", cells=False, dry_run=True)
from tosg.export.write.ray_engine import import_ray
import_ray()
""",
    "py2neo": """
import py2neo
theirs = py2neo.Graph(os.environ["NEO4J_URI"], auth=("neo4j", os.environ["NEO4J_PASSWORD"]))
assert len(tosg.connect(theirs).subgraph().to_py2neo().nodes) == 27
""",
    "dashboard": """
import json, subprocess, urllib.request
page = subprocess.Popen([sys.executable, "-m", "tosg", "dashboard", "--no-browser"],
                        stdout=subprocess.PIPE, text=True)
address = page.stdout.readline().strip()
assert urllib.request.urlopen(address).status == 200
page.terminate()
""",
    "all": """
import anndata, networkx, neo4j_graphrag, mcp, neo4j_viz, pandas, streamlit, torch_geometric
import importlib.util
assert importlib.util.find_spec("py2neo") is None
from tosg.kg.embed.models import load_model
assert load_model().encode(["a text"]).shape == (1, 384)
""",
    "demo": """
from tosg.demo.cells import blood_cells
assert graph.attach_cells(blood_cells(), {"cell_type": "bulk_labels"}, dry_run=True).cells == 700
import tosg.demo.page, tosg.demo.train_cell_type
""",
}

#: What every snippet begins with.
_BEGIN = "import os, sys\nimport tosg\ngraph = tosg.connect()\n"


def main() -> None:
    """Build, check the files, then each extra."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("extras", nargs="*", help="only these; '-' is the package without any")
    options = parser.parse_args()
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    known = {"", *declared["optional-dependencies"]}
    if known != set(FEATURES):
        raise SystemExit(f"extras and their features differ: {sorted(known ^ set(FEATURES))}")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        wheel = build(folder / "dist")
        wanted = ["" if name == "-" else name for name in options.extras] or list(FEATURES)
        with prepared(folder) as environ:
            for extra in wanted:
                check(folder, wheel, extra, environ)


def build(folder: Path) -> Path:
    """Build the sdist, and the wheel from it; both pass twine's check."""
    run(sys.executable, "-m", "build", "--outdir", folder, ROOT)
    files = sorted(folder.iterdir())
    if [file.suffix for file in files] != [".whl", ".gz"]:
        raise SystemExit(f"not one wheel and one sdist: {files}")
    run(sys.executable, "-m", "twine", "check", "--strict", *files)
    say(f"built, and twine check --strict passes: {', '.join(f.name for f in files)}")
    return files[0]


@contextmanager
def prepared(folder: Path) -> Iterator[dict[str, str]]:
    """A server with a small graph, and the files that features need, as environment variables."""
    sys.path.insert(0, str(ROOT / "src"))
    from support import cells, fixture_graph
    from support.servers import managed_settings
    from support.training_sets import write_training_set

    from tosg.kg import server
    from tosg.kg.embed.models import DEFAULT_MODEL, locate

    settings = managed_settings(folder / "home")
    write_training_set(folder / "training-set")
    cells.write(folder / "mine.h5ad", cells.counts())
    with fixture_graph.opened(settings) as db:
        try:
            yield {
                "NEO4J_URI": db.target.uri,
                "NEO4J_USERNAME": db.target.username,
                "NEO4J_PASSWORD": db.target.password,
                "TRAINING_SET": str(folder / "training-set"),
                "CELLS": str(folder / "mine.h5ad"),
                "MODEL": str(locate(DEFAULT_MODEL, download=False).folder),
            }
        finally:
            server.stop(settings)


def check(folder: Path, wheel: Path, extra: str, environ: dict[str, str]) -> None:
    """Install the wheel with one extra into an empty environment, and run its feature."""
    started = time.monotonic()
    place = folder / "env"
    what = f"{wheel}[{extra}]" if extra else str(wheel)
    python = make_environment(place, "-c", ROOT / "constraints.txt", what)
    empty = folder / "empty"
    empty.mkdir(exist_ok=True)
    clean = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    run(python, "-c", _BEGIN + FEATURES[extra], cwd=empty, env={**clean, **environ})
    run(python.parent / "tosg", "--help", cwd=empty, env=clean)
    shutil.rmtree(place)
    say(f"{extra or 'no extra'}: installs alone and runs ({time.monotonic() - started:.0f} s)")


if __name__ == "__main__":
    main()
