"""Write ``docs/science.md`` and its pictures from JSON of ``examples/science``; a test compares.

Run it after a task: ``python docs/scripts/write_science.py``. No figure is written by hand.
"""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parents[1]
RESULTS = DOCS.parent / "examples" / "science" / "results"
TARGET = DOCS / "science.md"

HEAD = """# What text and graph are worth

Four tasks on real cells, each with the whole model, the same model without one of its parts, and
plain baselines. The scripts are in `examples/science`; each begins from a graph, and each is
meant as a start for your own. This page is written from what they found (`python
docs/scripts/write_science.py`).

How to read it: a reading's score is the mean over the seeds, ± their standard deviation. The third
column is the score of *full* less that of the reading, with the interval that 95 % of redrawn
seeds and items give (a paired bootstrap: both readings on the same items). **An interval that
holds 0 is no difference beyond chance**, however far the means lie apart; and of twenty intervals
of two equal readings, one misses 0. Every choice (seeds, panels, epochs) is in the scripts and was
not tuned on what is tested.

The readings: *full* has texts and graph; *no graph* has its edges taken away; *false edges* has
as many, with every gene's degree kept; *no text* learns a vector for each gene in place of its
text; *random text* has fixed random vectors.

"""

TITLES = {
    "unseen_donors": "Cell type and condition, on donors never seen",
    "unseen_genes": "Genes never seen",
    "masked": "Masked expression and masked edges",
    "signaling": "Signaling inference",
}

WHAT = {
    "unseen_donors": (
        "Kang et al. 2018: blood cells of two lupus patients, each left alone and stimulated "
        "with interferon beta. COMBAT 2022: blood cells of two healthy donors and four with "
        "COVID-19. The models learn from some donors' cells and are tested on the others'. "
        "Kang's file has two donors, so each is tested by models of the other, and nothing can "
        "be said of donors at large. COMBAT's file has six donors and no cell types, so that "
        "only the condition can be asked for; whole donors are redrawn there, within healthy "
        "and ill. *full* has no weights of single genes, which is what lets it read genes that "
        "it has not seen; where the genes are the same, as here, *no text* and *linear*, which "
        "have them, are ahead."
    ),
    "unseen_genes": (
        "The models learn cell types on one panel of genes and one donor, and are tested on a "
        "disjoint panel and the other donor. A weight for each gene says nothing there "
        "(*linear*). *on texts*: a cell is the sum of its genes' text vectors, weighted by "
        "abundance. *over edges*, *over texts*: the genes that were learned are guessed from "
        "those of the new panel that share an edge, or a text, with them. *linear, same panel* "
        "has labels on the new panel: no baseline, but about what can be reached."
    ),
    "masked": (
        "Expression: genes that no model has learned to tell are told from the other genes of "
        "the cell, in a donor not seen. Edges: masked pairs of genes are ranked against pairs "
        "of the same degrees. Genes of one pathway, and pairs that share a gene, are not "
        "independent, so that these intervals are rather too narrow."
    ),
    "signaling": (
        "A model learns whether a cell was stimulated with interferon beta; its score is traced "
        "back to the edges, in cells of a donor that it has not seen, averaged per group of "
        "cells and written to Neo4j as `SIGNALS_IN` ([why so](decisions/signals.md)). A score "
        "above 0 speaks for stimulation. The check: do edges between interferon genes rank "
        "above edges of like degrees? Control cells speak against stimulation with the same "
        "genes, so that a rank below chance is expected there."
    ),
}


def write() -> dict[Path, str]:
    """Page and pictures, by path."""
    files: dict[Path, str] = {}
    parts = [HEAD]
    for task, title in TITLES.items():
        path = RESULTS / f"{task}.json"
        if not path.is_file():
            continue
        result = json.loads(path.read_text(encoding="utf-8"))
        parts.append(f"## {title}\n\n{WHAT[task]}\n\n{counts(result)}\n\n")
        parts.extend(show_table(table) for table in result["tables"])
        if result["tables"]:
            picture = DOCS / "images" / f"science-{task.replace('_', '-')}.svg"
            files[picture] = draw(title, result["tables"])
            parts.append(f"![Full less each, with 95 % intervals](images/{picture.name})\n\n")
        if "stimulated" in result["more"]:
            parts.append(show_signals(result))
    parts.append(RUN)
    files[TARGET] = "".join(parts).rstrip() + "\n"
    return files


def counts(result: dict[str, Any]) -> str:
    """What it was done on, with what."""
    told = []
    for name, value in result["counts"].items():
        if isinstance(value, dict):
            inner = ", ".join(f"{n:,} {what}" for what, n in value.items())
            told.append(f"{name}: {inner}")
        else:
            told.append(f"{value:,} {name}")
    settings = result["settings"]
    return (
        f"{'; '.join(told)}. {settings['seeds']} seeds, {settings['epochs']} epochs; "
        f"{result['seconds']:.0f} s on a busy machine of two cores."
    )


def show_table(table: dict[str, Any]) -> str:
    """One comparison, and in words what it says."""
    chance = "" if table["chance"] is None else f"; a guess has {table['chance']:.2f}"
    lines = [
        f"**{table['title']}**: {table['metric']}, {table['n']:,} {table['items']}{chance}.",
        "",
        "| reading | score | full less this, 95 % interval | full is |",
        "|---|---|---|---|",
    ]
    for row in table["rows"]:
        score = f"{row['mean']:.3f} ± {row['sd']:.3f}"
        less = row["full_less_this"]
        if less is None:
            lines.append(f"| {row['reading']} | {score} | | |")
        else:
            interval = f"{less['value']:+.3f} ({less['low']:+.3f} to {less['high']:+.3f})"
            lines.append(f"| {row['reading']} | {score} | {interval} | {less['verdict']} |")
    return "\n".join([*lines, "", in_words(table), "", ""])


def in_words(table: dict[str, Any]) -> str:
    """Sentences by verdict, in the order of the readings."""
    first = table["rows"][0]["reading"]
    by: dict[str, list[str]] = {"better": [], "worse": [], "no difference beyond chance": []}
    for row in table["rows"][1:]:
        by[row["full_less_this"]["verdict"]].append(row["reading"])
    told = [
        f"{first.capitalize()}: {words} {', '.join(by[verdict])}."
        for verdict, words in (
            ("better", "above"),
            ("worse", "below"),
            ("no difference beyond chance", "with no difference beyond chance from"),
        )
        if by[verdict]
    ]
    names = {row["reading"]: row["full_less_this"] for row in table["rows"][1:]}
    for part, words in (
        ("graph", ("no graph", "false edges")),
        ("text", ("no text", "random text")),
    ):
        found = [names[w]["verdict"] for w in words if w in names]
        if len(found) == 2:
            helps = all(v == "better" for v in found)
            told.append(f"**The {part} {'helps' if helps else 'does not help'} here.**")
    return " ".join(told)


def show_signals(result: dict[str, Any]) -> str:
    """Ranks of interferon edges, and the strongest edges that the graph names."""
    lines = [
        (
            "**Rank of interferon edges** (percentile, 0 to 1) less that of "
            f"{result['settings']['matches']} edges of like degrees each; the interval redraws "
            "seeds and edges."
        ),
        "",
        "| reading | stimulated cells | | control cells | |",
        "|---|---|---|---|---|",
    ]
    both = zip(result["more"]["stimulated"], result["more"]["control"], strict=True)
    for stim, ctrl in both:
        cells = [
            f"{row['mean']:+.3f} ({row['low']:+.3f} to {row['high']:+.3f}) | {row['verdict']}"
            for row in (stim, ctrl)
        ]
        lines.append(f"| {stim['reading']} | {cells[0]} | {cells[1]} |")
    lines += [
        "",
        (
            "A score that needs no model (*linear*, *mean abundance*) is the measure of what the "
            "traced edges add to plain abundances. The strongest edges in stimulated monocytes, as "
            "`signals_in_cell_type` gives them:"
        ),
        "",
        "| source | edge | target | score | sd over seeds |",
        "|---|---|---|---|---|",
    ]
    for row in result["more"]["strongest"]:
        sign = {1: "raises", -1: "lowers"}.get(row["sign"], "")
        edge = f"{row['type']} {sign}".strip()
        lines.append(
            f"| {row['source']} | {edge} | {row['target']} | {row['score']:+.4f} "
            f"| {row['sd']:.4f} |"
        )
    return "\n".join([*lines, "", ""])


#: Colours by verdict (Okabe and Ito, 2008).
COLOURS = {"better": "#0072B2", "worse": "#D55E00", "no difference beyond chance": "#777777"}


def draw(title: str, tables: list[dict[str, Any]]) -> str:
    """Differences with their intervals, one line each, as SVG."""
    width, left, step = 720, 250, 20
    rows = [(t["title"], r) for t in tables for r in t["rows"] if r["full_less_this"]]
    ends = [r["full_less_this"][end] for _, r in rows for end in ("low", "high")]
    low, high = min(0.0, *ends), max(0.0, *ends)
    span = (high - low) or 1.0

    def x(value: float) -> float:
        return left + (width - left - 20) * (value - low) / span

    parts, y, last = [], 10, ""
    for name, row in rows:
        if name != last:
            y += step + 6
            parts.append(f"<text x='8' y='{y}' font-weight='600'>{escape(name)}</text>")
            last = name
        y += step
        less = row["full_less_this"]
        colour = COLOURS[less["verdict"]]
        parts.append(
            f"<text x='{left - 10}' y='{y}' text-anchor='end'>{escape(row['reading'])}</text>"
            f"<line x1='{x(less['low']):.1f}' x2='{x(less['high']):.1f}' y1='{y - 4}' y2='{y - 4}' "
            f"stroke='{colour}' stroke-width='2'/>"
            f"<circle cx='{x(less['value']):.1f}' cy='{y - 4}' r='4' fill='{colour}'/>"
        )
    height = y + 34
    zero = x(0.0)
    axis = (
        f"<line x1='{zero:.1f}' x2='{zero:.1f}' y1='14' y2='{y + 6}' stroke='#999' "
        "stroke-dasharray='3 3'/>"
        f"<text x='{zero:.1f}' y='{y + 24}' text-anchor='middle'>0: no difference</text>"
    )
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' role='img' viewBox='0 0 {width} {height}' "
        f"width='{width}' height='{height}' font-family='system-ui, sans-serif' font-size='13'>"
        f"<title>{escape(title)}: full less each reading</title>"
        f"<rect width='{width}' height='{height}' fill='#ffffff'/>{axis}{''.join(parts)}</svg>\n"
    )


RUN = """## Run it again

*Not run by the tests: it takes minutes; `tests/test_science.py` runs the tasks on few cells.*

```sh
python examples/science/prepare.py --data DIR --graph science --work science
python examples/science/unseen_donors.py --graph science --work science
python examples/science/unseen_genes.py --graph science --work science
python examples/science/masked.py --graph science --work science
python examples/science/signaling.py --graph science --work science
```

`DIR` holds the files of the sources that `examples/science/graph.yaml` names, and the cells of
both studies. Each script exports what it needs, prints its tables and writes `science/TASK.json`;
those of this page are in `examples/science/results`. Texts are embedded by all-MiniLM-L6-v2 from
the extra `offline`, only those of the exported nodes.

What guards against leakage: nodes are chosen by the graph and by what a study measured, never by
values; means, deviations and main components come from training donors; epochs, weight decays and
numbers of neighbours are chosen on cells, genes or pairs of the training side. COMBAT's six
donors and Kang's two are few: read the intervals as speaking of them. With more donors at hand
(Kang et al. published eight, COMBAT over a hundred, with cell types), `prepare.py` attaches the
larger files by the same maps.
"""


if __name__ == "__main__":
    for path, text in write().items():
        path.write_text(text, encoding="utf-8")
