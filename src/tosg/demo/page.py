"""The demo's answers as one HTML page with pictures; it loads nothing from anywhere."""

from __future__ import annotations

from html import escape
from statistics import mean
from typing import TYPE_CHECKING, Any

from tosg.demo import pictures
from tosg.files import write_text
from tosg.html_text import rows_html
from tosg.kg.query.rows_text import value_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tosg.demo.result import DemoResult
    from tosg.demo.train_cell_type import Comparison

#: Paths that are drawn.
DRAWN_PATHS = 4

#: Nodes of the picture of one cell, and test cells of which the one with most edges is drawn.
DRAWN_NODES, LOOKED_AT = 36, 12

_STYLE = """
body {font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 62rem; margin: 2rem auto;
  padding: 0 1rem}
h1 {font-size: 1.8rem} h2 {font-size: 1.25rem; margin-top: 2.5rem; border-top: 1px solid #ddd;
  padding-top: 1.2rem}
svg {max-width: 100%; height: auto; display: block; margin: 0.6rem 0}
p.note {color: #555; font-size: 0.9rem}
code {background: #f3f3f3; padding: 0.1rem 0.3rem; border-radius: 3px}
.two {display: flex; flex-wrap: wrap; gap: 1rem}
"""


def write_page(demo: DemoResult, path: Path) -> None:
    """Write the page.

    Parameters
    ----------
    demo : DemoResult
        Of a demo that ran to its end.
    path : Path
        Where the page goes.
    """
    sections = [_graph(demo), *map(_question, demo.answers), _dots(demo)]
    if demo.comparison is not None:
        sections += [_cell(demo), _training(demo, demo.comparison)]
    body = "".join(sections)
    write_text(
        path,
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width'>"
        # Nothing is loaded, whatever a name in the graph looks like.
        "<meta http-equiv='Content-Security-Policy' "
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>tosg demo</title><style>{_STYLE}</style></head><body>"
        f"<h1>What the tosg demo found</h1>{body}</body></html>\n",
    )


def _section(title: str, *parts: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{''.join(parts)}</section>"


def _note(words: str) -> str:
    return f"<p class='note'>{escape(words)}</p>"


def _graph(demo: DemoResult) -> str:
    nodes, edges = demo.counts["nodes"], demo.counts["relationships"]
    words = ", ".join(f"{n:,} {label}" for label, n in nodes.items() if n)
    return (
        f"<p>A graph of {escape(words)}, joined by {sum(edges.values()):,} relationships of "
        f"{len(edges)} types, with {demo.cells['cells']:,} real blood cells attached.</p>"
        "<p>Look around in it: <code>tosg --graph demo dashboard</code>. Ask it: "
        "<code>tosg --graph demo query --list</code>.</p>"
    )


def _question(answer: dict[str, Any]) -> str:
    rows = [
        [_cell_text(v, kind) for v, kind in zip(row, answer["kinds"], strict=True)]
        for row in answer["rows"]
    ]
    parts = []
    if answer["paths"]:
        drawn = answer["paths"][:DRAWN_PATHS]
        parts.append(pictures.draw_paths(answer["question"], drawn))
        parts.append(_note("Blue arrows raise, orange bars lower; dashed: a gene and its protein."))
    parts.append(rows_html("", answer["columns"], rows, total=answer["found"]))
    return _section(answer["question"], *parts, _note(answer["reading"]))


def _cell_text(value: object, kind: str) -> object:
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return value if plain else value_text(value, kind)


def _dots(demo: DemoResult) -> str:
    picture = pictures.draw_dots("Genes across the groups of cells", demo.dots, demo.dot_unit)
    words = "Marker genes, and targets of the drugs above, in the groups of cells that express them"
    return _section("Genes across groups of cells", picture, _note(words))


def _cell(demo: DemoResult) -> str:
    from tosg.export.batches.training_set import TrainingSet
    from tosg.interop.cell_graph import strongest_of_cell

    ts = TrainingSet(demo.training_set, add_reverses=False)
    cells = next(iter(ts.batches("test", LOOKED_AT, shuffle=False)))
    found = [
        (number, y, *strongest_of_cell(ts, number, DRAWN_NODES))
        for number, y in zip(cells.cell.tolist(), cells.y.tolist(), strict=True)
    ]
    number, y, entities, edges, values = max(found, key=lambda one: len(one[3]))
    if not entities:
        return ""
    name = ts.classes[y]
    title = f"One cell as a graph: {name}"
    words = (
        f"Row {number} of cells.parquet: its {len(entities)} strongest genes that are joined. Size "
        f"and colour are the abundance ({ts.unit}), blue arrows raise, orange bars lower."
    )
    return _section(title, pictures.draw_graph(title, entities, edges, values), _note(words))


def _training(demo: DemoResult, found: Comparison) -> str:
    from tosg.export.batches.training_set import TrainingSet

    losses = {s.reading: _mean(s.losses) for s in found.scores}
    accuracies = {s.reading: _mean(s.val_accuracy) for s in found.scores}
    full = found.scores[0]
    curves = (
        "<div class='two'>"
        + pictures.draw_curves("Training loss by epoch", losses, "loss of the training cells")
        + pictures.draw_curves("Accuracy on val by epoch", accuracies, "accuracy on val")
        + "</div>"
    )
    classes = TrainingSet(demo.training_set).classes
    matrix = pictures.draw_confusion("Confusion matrix of the test cells", classes, full.confusion)
    against = {d.reading: d.summary for d in found.differences}
    rows: list[list[object]] = [
        [score.reading, score.summary, against.get(score.reading, "")] for score in found.scores
    ]
    rows.append(["most common", f"accuracy {found.majority:.3f}", ""])
    seeds = f"all {found.seeds} seeds together" if found.seeds > 1 else "one seed"
    return _section(
        "A model that reads graph, texts and abundances, and without each",
        curves,
        _note("Means over the seeds, by epoch."),
        f"<h3>What it says of the test cells ({seeds})</h3>",
        matrix,
        rows_html("", ["model", "on the test cells", "full against it"], rows),
        _note(f"{found.lines()[0]}. Intervals are those that 95 % of redrawn test cells give."),
    )


def _mean(curves: Sequence[Sequence[float]]) -> list[float]:
    return [mean(at) for at in zip(*curves, strict=True)]
