"""``tosg demo``: the main job in one go, on a machine that has nothing.

Each step is one call of the library, the same that its command makes. The demo keeps to a server
and folders of its own below ``home/demo``, so that a user's graph is left alone.
"""

from __future__ import annotations

import shutil
import time
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any

from tosg.demo.result import DemoResult
from tosg.errors import ConfigError
from tosg.export.format.manifest import read_manifest
from tosg.graph import KnowledgeGraph
from tosg.kg import server
from tosg.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tosg.settings import Settings

DATASET = "pbmc68k_reduced"


@dataclass(frozen=True)
class Question:
    """What the demo asks: in words, as a statement, the columns shown, how to read them."""

    words: str
    statement: str
    params: dict[str, Any]
    columns: tuple[str, ...]
    reading: str


QUESTIONS = (
    Question(
        "Which drugs target genes that are high in B cells?",
        "drugs_targeting_genes_high_in",
        {"cell_type": "B cell", "min_mean": 0.5},
        ("drug", "gene", "actions", "mean", "fraction"),
        "mean: of the gene's log-normalised abundance in B cells; fraction: of them that have it",
    ),
    Question(
        "How does IL-10 hold back the chemokine CXCL8?",
        "signed_paths",
        {"start": "IL10", "end": "CXCL8"},
        ("names", "sign", "steps"),
        "sign -1: more of the first makes less of the last, by the signs of all steps together",
    ),
    Question(
        "What do rheumatoid arthritis and lupus share?",
        "shared_between_diseases",
        {"first": "rheumatoid arthritis", "second": "systemic lupus erythematosus"},
        ("shared", "kind", "by_first", "by_second"),
        "by_first, by_second: how it is tied to the one and to the other",
    ),
)

#: Genes that tell T, B, NK and myeloid cells apart.
MARKERS = ("CD3D", "CD79A", "NKG7", "LYZ")

_DOTS = """
MATCH (gene:Gene)-[:ENCODES*0..1]->(measured)<-[e:EXPRESSES]-(group:CellGroup)-[:FROM]->(d:Dataset)
WHERE gene.symbol IN $markers OR gene.id IN $targets
WITH group, d, gene, max(e.mean) AS mean, max(e.fraction) AS fraction
RETURN group.cell_type AS group, gene.symbol AS gene, mean, fraction, d.mean_unit AS unit
ORDER BY group, NOT gene IN $markers, gene
"""

#: Rows of an answer that are shown.
SHOWN_ROWS = 8

#: Genes with what acts on them and what they take part in; cells with a type, split by cell since
#: this file does not tell which donor a cell is of.
SELECTION: dict[str, Any] = {
    "nodes": "MATCH (g:Gene) RETURN g",
    "level": "gene",
    "target": "cell_type",
    "split": "cell",
    "fractions": (0.6, 0.2, 0.2),
    "seed": 7,
}


def demo_settings(settings: Settings) -> Settings:
    """The settings of the demo's own server.

    Raises
    ------
    ConfigError
        A server of the user's own is set: the demo does not write into it.
    """
    if not settings.managed:
        raise ConfigError(
            "the demo works on a managed server of its own, not on yours",
            where="setting uri",
            found=settings.uri,
            hint="unset NEO4J_URI (or uri in tosg.toml) for the demo",
        )
    return settings.named("demo")


def run_demo(
    settings: Settings, *, seeds: int = 3, epochs: int = 8, progress: Progress = silent
) -> DemoResult:
    """Run the main job: graph, cells, vectors, questions, training set, models.

    Parameters
    ----------
    settings : Settings
        The user's; the demo's own are derived from them.
    seeds, epochs : int
        Of the training.
    progress : Progress
        Called with each step and its stages.
    """
    own = demo_settings(settings)
    demo = DemoResult(own.home, own.home / "training-set", own.home / "demo.html")
    with KnowledgeGraph(own) as graph:
        with _step(demo, "server", progress, "Starting a Neo4j of the demo's own"):
            graph.db.verify()
            info = server.status(own)
            demo.browser = info.http_uri if info is not None else ""
        with _step(demo, "graph", progress, "Building the immune signaling graph"):
            _build(graph, demo, progress)
        with _step(demo, "cells", progress, "Attaching 700 real blood cells"):
            _attach(graph, demo)
        with _step(demo, "vectors", progress, "Embedding the texts"):
            demo.embedded = graph.embed(progress=progress).embedded
        with _step(demo, "questions", progress, "Asking the graph"):
            _ask(graph, demo)
            _compare_groups(graph, demo)
        with _step(demo, "export", progress, "Exporting a training set"):
            _export(graph, demo)
    with _step(demo, "training", progress, f"Training on it, {seeds} seeds: about a minute"):
        from tosg.demo.train_cell_type import compare
        from tosg.export.batches.training_set import TrainingSet

        demo.comparison = compare(TrainingSet(demo.training_set), seeds=seeds, epochs=epochs)
    with _step(demo, "page", progress, "Drawing the answers"):
        from tosg.demo.page import write_page

        write_page(demo, demo.page)
    return demo


def _build(graph: KnowledgeGraph, demo: DemoResult, progress: Progress = silent) -> None:
    with as_file(files("tosg.demo") / "data") as data:
        graph.build("demo", data, embed=False, progress=progress)
    counts = graph.stats()
    demo.counts = {"nodes": counts.entities, "relationships": counts.knowledge}


def _attach(graph: KnowledgeGraph, demo: DemoResult) -> None:
    from tosg.demo.cells import blood_cells
    from tosg.kg.cells.obs.mapping import CellMapping

    with as_file(files("tosg.demo") / "data" / "cells.yaml") as mapping:
        report = graph.attach_cells(
            blood_cells(),
            CellMapping.read(maps=[str(mapping)]),
            id=DATASET,
            title="Peripheral blood mononuclear cells, 10x Genomics, as scanpy ships them",
            license="CC BY 4.0",
            markers=MARKERS,
            replace_existing=True,
        )
    demo.cells = report.as_dict()


def _ask(graph: KnowledgeGraph, demo: DemoResult) -> None:
    from tosg.kg.query.rows import column_kind

    for question in QUESTIONS:
        whole = graph.query(question.statement, params=question.params)
        paths = [f.name for f in whole.schema if column_kind(f) == "PATH"]
        table = whole.select(question.columns)
        demo.answers.append(
            {
                "question": question.words,
                "reading": question.reading,
                "statement": question.statement,
                "params": question.params,
                "columns": table.column_names,
                "kinds": [column_kind(field) for field in table.schema],
                "rows": [list(row.values()) for row in table.slice(0, SHOWN_ROWS).to_pylist()],
                "found": table.num_rows,
                "paths": whole[paths[0]].slice(0, SHOWN_ROWS).to_pylist() if paths else [],
            }
        )


def _compare_groups(graph: KnowledgeGraph, demo: DemoResult) -> None:
    """Marker genes, and the targets that the first question found, across the groups of cells."""
    targets = [row[1]["id"] for row in demo.answers[0]["rows"]]
    table = graph.query(_DOTS, params={"markers": list(MARKERS), "targets": targets})
    demo.dots = table.drop_columns(["unit"]).to_pylist()
    demo.dot_unit = table["unit"][0].as_py()


def _export(graph: KnowledgeGraph, demo: DemoResult) -> None:
    # The demo's own folder: an earlier demo's training set makes room for the new one.
    shutil.rmtree(demo.training_set, ignore_errors=True)
    result = graph.export(demo.training_set, **SELECTION)
    (dataset,) = read_manifest(demo.training_set).content["datasets"]
    demo.export = {
        "counts": result.counts,
        "bytes": result.bytes,
        "warnings": result.warnings,
        "measured_nodes": dataset["measured_nodes"],
    }


@contextmanager
def _step(demo: DemoResult, name: str, progress: Progress, text: str) -> Iterator[None]:
    progress(text, None)
    start = time.monotonic()
    yield
    demo.seconds[name] = round(time.monotonic() - start, 1)
