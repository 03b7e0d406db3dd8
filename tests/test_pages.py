"""The documentation is run: every command and every block of code on every page, in order.

The tutorial and the guides make a graph and go on from each other; the other pages run on that
graph, each in a folder of its own with the files that it speaks of. What is not run says so on its
page (see `support.pages`), and how many such places there are is counted here.
"""

from __future__ import annotations

import json
import re
import shutil
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from IPython.core.interactiveshell import InteractiveShell
from support.pages import (
    DOCS,
    ELSEWHERE,
    FETCHES,
    SHOWN,
    blocks_of,
    run_block,
    run_elsewhere,
    run_line,
)
from support.servers import wipe
from support.sources import write_source
from support.tree import ROOT, docstrings
from test_command_line import every_command, examples_of

from tosg.errors import TosgWarning
from tosg.graph import KnowledgeGraph
from tosg.kg import server as managed
from tosg.kg.cells.obs.mapping import CellMapping
from tosg.kg.database.connection import Database, Target
from tosg.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

#: In this order: training goes on with the cells that were attached.
NOTEBOOKS = ("ask", "attach", "train", "explain")

#: In this order: the guides go on from the tutorial.
TAUGHT = (
    "tutorial.md",
    "guides/ask.md",
    "guides/train.md",
    "guides/keep.md",
    "guides/notebooks.md",
)

#: Written from what is run one by one: the named statements (`test_statements`), and the examples
#: of commands (below).
GENERATED = ("docs/statements.md", "docs/commands.md")

PAGES = sorted(
    str(page.relative_to(ROOT))
    for page in [*ROOT.glob("*.md"), *DOCS.rglob("*.md")]
    if blocks_of(page) and str(page.relative_to(ROOT)) not in GENERATED
)

#: A folder for neo4j-admin.
OWN_GRAPH = {
    "Protein-header.csv": ":ID(Protein);name:string;other_names:string[];:LABEL\n",
    "Protein-part000.csv": "P04637;'tumor protein';'p53|LFS1';Protein\nP41250;tRNA;;Protein\n",
    "Gene.csv": ":ID(Gene);entrez_id;symbol;:LABEL\n1;7157;TP53;Gene\n",
    "links.csv": ":START_ID(Protein);:END_ID(Gene);:TYPE\nP04637;1;GENE_OF\n",
    "Perturbs.csv": (
        ":START_ID(Protein);effect;weight:double;references:string[];:END_ID(Protein);:TYPE\n"
        "P04637;up;90;1|2;P41250;PERTURBS\n"
    ),
}

OTHERS = [page for page in PAGES if page.removeprefix("docs/") not in TAUGHT]

#: What a stranger tries first is run at every change, the others with the long tests.
FIRST = ("README.md", "docs/index.md")

#: Page -> reasons for which its blocks and lines are not run.
NOT_RUN = {
    "README.md": ("fetches what it needs; --data DIR for yours",),
    "docs/howto/aura.md": ("it needs an instance of Aura",),
    "docs/howto/cluster.md": (
        "it needs Slurm",
        "it needs four GPUs; `tests/batches` runs two processes on a CPU",
        "it needs machines that see one folder; `tests/export` runs two local nodes",
    ),
    "docs/howto/docker.md": ("it needs Docker",),
    "docs/howto/offline.md": (
        "it downloads packages, the server and sources",
        "it needs what the other machine downloaded",
    ),
    "docs/loading.md": (
        "it downloads gigabytes",
        "it asks a graph of the recipe `signaling`",
    ),
    "docs/science.md": ("it takes minutes; `tests/test_science.py` runs the tasks on few cells",),
}

pytestmark = [
    pytest.mark.neo4j,
    pytest.mark.extras,
    pytest.mark.filterwarnings("ignore::tosg.errors.TosgWarning"),  # told to the reader
    pytest.mark.filterwarnings("ignore:::(scanpy|anndata|lightning|py2neo)"),
    pytest.mark.filterwarnings("ignore:'set_vital' is deprecated"),  # Lightning reads all of torch
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # a reader's Python ends with the page
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@dataclass(frozen=True)
class Place:
    """Where the pages are run: the session's server, and a folder."""

    database: Database
    folder: Path
    environ: dict[str, str]

    @property
    def settings(self) -> Settings:
        target = self.database.target
        return Settings(uri=target.uri, username=target.username, password=target.password)


@pytest.fixture(scope="module")
def taught(
    server_settings: Settings,
    server: managed.ServerInfo,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Place]:
    """The graph and the files that the tutorial and the guides made."""
    info = managed.ensure_server(server_settings)
    folder = tmp_path_factory.mktemp("pages")
    environ = {
        "TOSG_HOME": str(folder / "home"),
        "NEO4J_URI": info.uri,
        "NEO4J_PASSWORD": info.password,
    }
    with Database(Target(info.uri, info.username, info.password)) as database:
        wipe(database, schema=False)
        place = Place(database, folder, environ)
        with pytest.MonkeyPatch.context() as env, warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=TosgWarning)
            warnings.filterwarnings("ignore", module="(scanpy|anndata)")
            enter(env, place, folder)
            names: dict[str, Any] = {}
            for page in TAUGHT:
                run_page(f"docs/{page}", place, env, names)
        (folder / "right").write_text(f"{float(names['right'].float().mean())}")
        yield place


def enter(env: pytest.MonkeyPatch, place: Place, folder: Path) -> None:
    """Go to a folder, with the session's server as the graph."""
    env.chdir(folder)
    for name, value in place.environ.items():
        env.setenv(name, value)


def run_page(page: str, place: Place, env: pytest.MonkeyPatch, names: dict[str, Any]) -> None:
    """Run what a page shows, in the current folder."""
    for block in blocks_of(ROOT / page):
        if block.language != SHOWN and block.not_run is None:
            run_block(block, place.database, env, names, {"dataset": "mine"})
    if "graph" in names:  # a reader's Python ends with the page
        names.pop("graph").close()


def test_the_tutorial_and_the_guides_run(taught: Place) -> None:
    accuracy = float((taught.folder / "right").read_text())
    assert accuracy > 0.5  # the largest class alone would be 0.34


def test_the_notebooks_run(taught: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """They ask for the same graph with no cells attached."""
    keep_cells(taught, ())
    for name in NOTEBOOKS:
        folder = taught.folder / name
        folder.mkdir()
        enter(monkeypatch, taught, folder)
        run_notebook(name)


def run_notebook(name: str) -> None:
    """Run a notebook's cells in a shell of IPython."""
    shell = InteractiveShell()
    notebook = json.loads((ROOT / "examples" / f"{name}.ipynb").read_text())
    codes = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for cell in codes:
        shell.run_cell("".join(cell["source"])).raise_error()


def keep_cells(place: Place, wanted: tuple[str, ...]) -> None:
    """Take away all data sets of cells but those."""
    with KnowledgeGraph(place.settings) as graph:
        for info in graph.datasets():
            if info.id not in wanted:
                graph.detach_cells(info.id)


@pytest.fixture(scope="module")
def files(taught: Place) -> Path:
    """The files that pages speak of, beside those that the tutorial made."""
    return write_files(taught)


def write_files(place: Place) -> Path:
    """Files of cells, sources and queries; training sets of the cells of ``mine.h5ad``."""
    folder = place.folder / "files"
    (folder / "data").mkdir(parents=True)
    genes = [
        row["symbol"]
        for row in place.database.rows(
            "MATCH (g:Gene) WHERE g.symbol IN $always OR g.idx % 4 = 0 "
            "RETURN g.symbol AS symbol ORDER BY symbol",
            always=["CD3D", "MS4A1", "CD79A", "JAK1", "IFNG", "HLA-DRA"],
        )
    ]
    for seed, name in enumerate(("mine", "blood", "more", "lupus", "wu")):
        write_cells(folder / f"{name}.h5ad", genes, seed)
    shutil.copy(folder / "mine.h5ad", folder / "filtered.h5")
    (folder / "mapping.yaml").write_text("donor_id: patient\ncell_type: label\n")
    (folder / "pathways.txt").write_text("B Cell Receptor Signaling Pathway\n")
    (folder / "pathway.cypher").write_text(
        "MATCH (p:Pathway {name: $pathway})<-[:PARTICIPATES_IN]-(g:Gene) RETURN g"
    )
    write_sources(folder)
    attach_mine(place, folder)
    with KnowledgeGraph(place.settings) as graph:
        learn: Any = {"level": "gene", "target": "cell_type", "split": "donor", "seed": 7}
        graph.export(folder / "OUT", **learn)
        graph.export(folder / "OUT", layout="anndata", **learn)
    for name in ("OLD", "NEW"):
        shutil.copytree(folder / "OUT", folder / name)
    return folder


def write_cells(path: Path, genes: list[str], seed: int) -> None:
    """Counts of 72 cells: six patients, three types, both sexes, two tissues, a map."""
    rng = np.random.default_rng(seed)
    n = 72
    types = ("T cell", "B cell", "natural killer cell")
    rows = np.arange(n)
    labels = [types[i % 3] for i in rows]
    obs = pd.DataFrame(
        {
            "patient": [f"P{i // 12}" for i in rows],
            "study": "one",
            "label": labels,
            "annotation": labels,
            "gender": [("female", "male")[i // 12 % 2] for i in rows],
            "sample": [("LT1", "LB1")[i % 2] for i in rows],
        },
        index=[f"{path.stem}{i}" for i in rows],
    )
    counts = sp.csr_matrix(rng.poisson(2.0, (n, len(genes))).astype(np.float32))
    data = anndata.AnnData(counts, obs, pd.DataFrame(index=genes))
    data.obsm["X_umap"] = rng.normal(size=(n, 2)).astype(np.float32)
    data.write_h5ad(path)


def attach_mine(place: Place, folder: Path, *, attached: bool = True) -> None:
    """Let the data set ``mine`` be the only one, or none."""
    keep_cells(place, ("mine",) if attached else ())
    if attached:
        with KnowledgeGraph(place.settings) as graph:
            columns = {"donor_id": "patient", "cell_type": "label", "sex": "gender"}
            mapping = CellMapping.read([f"{k}={v}" for k, v in columns.items()], ["tissue=blood"])
            graph.attach_cells(folder / "mine.h5ad", mapping, replace_existing=True)


def attach_patients(place: Place, folder: Path) -> None:
    """Attach cells of patients with lupus."""
    mapping = CellMapping.read(
        ["donor_id=patient", "cell_type=label"],
        ["tissue=blood", "disease=systemic lupus erythematosus"],
    )
    with KnowledgeGraph(place.settings) as graph:
        graph.attach_cells(folder / "lupus.h5ad", mapping, replace_existing=True)


def write_sources(folder: Path) -> None:
    """Small files of two sources, and a table and a graph of one's own that fit the page's maps."""
    write_source("hgnc", folder / "data" / "hgnc")
    for release in ("hetionet", "hetionet-1.1"):
        write_source("hetionet@json", folder / "data" / release)
    shutil.copy(folder / "data" / "hgnc" / "hgnc_complete_set.txt", folder)
    (folder / "mine.tsv").write_text(
        "factor\ttarget_id\ttarget_name\tothers\teffect\tconfidence\tpapers\tmethod\tspecies\t"
        "qualifier\nTP53\t2617\tGARS1\tGlyRS\tup\t900\t1;2\tChIP\thuman\t\n"
    )
    (folder / "map.yaml").write_text(
        "source: mine\nlicense: CC0 1.0\nentities:\n"
        "  - {type: Gene, id: {column: target_id, prefix: ncbigene}, name: target_name}\n"
    )
    (folder / "mine.yaml").write_text("title: Mine\nsources: [hgnc]\n")
    (folder / "folder").mkdir()
    for name, text in OWN_GRAPH.items():
        (folder / "folder" / name).write_text(text)


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, marks=() if page in FIRST else pytest.mark.slow) for page in OTHERS],
)
def test_every_other_page_runs(
    page: str, taught: Place, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(files, tmp_path, dirs_exist_ok=True)
    enter(monkeypatch, taught, tmp_path)
    attach_mine(taught, tmp_path)
    text = "".join(block.text for block in blocks_of(ROOT / page))
    if "tosg-export OUT " in text:
        shutil.rmtree("OUT")
    if "lupus erythematosus" in text:
        attach_patients(taught, tmp_path)
    run_page(page, taught, monkeypatch, {})


@pytest.mark.slow
@pytest.mark.parametrize("words", every_command())
def test_the_examples_of_help_run(
    words: str, taught: Place, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, line in enumerate(examples_of(words)):
        if run_elsewhere(line) is not None:
            continue
        folder = tmp_path / str(number)
        shutil.copytree(files, folder)
        enter(monkeypatch, taught, folder)
        attach_mine(taught, folder, attached="cells attach" not in line)
        if not line.startswith("tosg training-set"):
            for made in ("OUT", "OLD", "NEW"):
                shutil.rmtree(made)
        run_line(line, words, monkeypatch)


def test_what_docstrings_ask_of_a_graph_has_an_answer(taught: Place) -> None:
    calls = {
        call for _, text in docstrings() for call in re.findall(r"``(graph\.query\(.+?\))``", text)
    }
    assert calls
    with KnowledgeGraph(taught.settings) as graph:
        for call in sorted(calls):
            assert eval(call, {"graph": graph}).num_rows > 0, call  # noqa: S307


def test_what_is_not_run_says_why() -> None:
    """On the page, and counted here: one more is one more line of this table."""
    found: dict[str, tuple[str, ...]] = {}
    for page in PAGES:
        reasons: list[str] = []
        for block in blocks_of(ROOT / page):
            assert block.language, f"{block}: a block without a language is not run"
            if block.not_run is not None:
                reasons.append(block.not_run)
            elif block.language == "sh":
                reasons += [m[1] for line in block.lines() if (m := FETCHES.search(line))]
        if reasons:
            found[page] = tuple(reasons)
    assert found == NOT_RUN


def test_what_is_run_elsewhere_is_run_there() -> None:
    lines = [
        line
        for page in (*PAGES, *GENERATED)
        for block in blocks_of(ROOT / page)
        if block.language == "sh" and block.not_run is None
        for line in block.lines()
    ]
    used = Counter(place for line in lines if (place := run_elsewhere(line)) is not None)
    assert set(used) == set(ELSEWHERE.values())
    for file, words in used:
        assert words in (ROOT / file).read_text(encoding="utf-8"), (file, words)


def test_every_notebook_is_run_and_kept_without_results() -> None:
    paths = sorted((ROOT / "examples").glob("*.ipynb"))
    assert {p.stem for p in paths} == set(NOTEBOOKS)
    for path in paths:
        cells = json.loads(path.read_text())["cells"]
        assert all(not cell.get("outputs") for cell in cells), path.name
