"""A load's report in short, for people."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.table import Table

#: Kinds of rejections and of notes that are shown; the rest is counted.
SHOWN_REJECTIONS = 12
SHOWN_NOTES = 12
#: Identifiers that were unclear and are shown by name.
SHOWN_UNCLEAR = 5


def print_report(report: dict[str, Any]) -> None:
    """Print the report of one load on stdout.

    Parameters
    ----------
    report : dict
        As `LoadReport.as_dict` gives it.
    """
    out = console()
    out.print(_heading(report))
    out.print(_sources(report))
    _rejections(out, report)
    for line in _lines(report):
        out.print(line)


def console() -> Console:
    """Make a console on stdout; wide where it is no terminal, so that nothing is folded.

    What it prints comes from files and graphs: brackets and colons in it are no markup.
    """
    from rich.console import Console

    width = None if sys.stdout.isatty() else 160
    return Console(highlight=False, markup=False, emoji=False, soft_wrap=False, width=width)


def table(*columns: str, right: Sequence[int] = (), title: str = "") -> Table:
    """Make an empty table; columns with numbers in `right` are set to the right."""
    from rich import box
    from rich.table import Table

    made = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for n, column in enumerate(columns):
        made.add_column(column, justify="right" if n in right else "left", overflow="fold")
    return made


def _heading(report: dict[str, Any]) -> str:
    names = ", ".join(s["source"] for s in report["sources"]) or "nothing"
    seconds = sum(report["seconds"].values())
    done = "changed nothing" if not report["changed"] else f"by {report['way']}"
    return f"load {report['id']}: {names}; {done}; {seconds:.1f} s"


_ROWS = ("rows read", "parsed", "rejected")
_CLAIMS = ("made", "merged", "unchanged", "not used")


def _sources(report: dict[str, Any]) -> Table:
    columns = ("source", "release", *_ROWS, "claims", *_CLAIMS)
    shown = table(*columns, right=range(2, len(columns)))
    for source in report["sources"]:
        rows = [sum(f[k] for f in source["files"]) for k in ("read", "parsed", "rejected")]
        c = report["claims"].get(source["source"], {})
        claims = [c.get(k, 0) for k in ("given", "made", "merged", "unchanged", "rejected")]
        shown.add_row(
            source["source"], source["release"] or "-", *(f"{n:,}" for n in (*rows, *claims))
        )
    return shown


def _rejections(out: Console, report: dict[str, Any]) -> None:
    rows = [r for s in report["sources"] for f in s["files"] for r in f["rejections"]]
    found = [*(("row", r) for r in rows), *(("claim", r) for r in report["rejections"])]
    if not found:
        return
    found.sort(key=lambda item: -item[1]["count"])
    columns = ("count", "what", "kind", "source", "first at", "example")
    shown = table(*columns, right=(0,), title="not used")
    for what, r in found[:SHOWN_REJECTIONS]:
        line = f":{r['line']}" if r["line"] else ""
        place, example = f"{r['file']}{line}", str(r["example"])[:70]
        shown.add_row(f"{r['count']:,}", what, r["kind"], r["source"], place, example)
    out.print(shown)
    if len(found) > SHOWN_REJECTIONS:
        rest = sum(r["count"] for _, r in found[SHOWN_REJECTIONS:])
        out.print(f"and {len(found) - SHOWN_REJECTIONS} more kinds, {rest:,} in all")


def _lines(report: dict[str, Any]) -> list[str]:
    lines = _noted(report)
    for source, types in report.get("excerpts", {}).items():
        lines.append(f"EXCERPT, not the whole of {source}: {', '.join(types)}")
    identity = report["identity"]
    by = ", ".join(f"{n:,} by {how}" for how, n in identity["by"].items())
    lines.append(
        f"identity: {identity['joined']:,} identifiers joined"
        + (f" ({by})" if by else "")
        + f", {identity['ambiguous']:,} unclear and left apart"
    )
    unclear = identity["ambiguous_examples"][:SHOWN_UNCLEAR]
    lines += [f"  unclear: {example}" for example in unclear]
    if (more := identity["ambiguous"] - len(unclear)) > 0 and unclear:
        lines.append(f"  and {more:,} more; `tosg report --json` has examples")
    if report["pending"]:
        lines.append(
            f"waiting: {report['pending']:,} claims are kept until a source brings their ends"
        )
    for source, gone in report.get("disappeared", {}).items():
        lines.append(
            f"gone from this release of {source}: {gone['entities']:,} entities, "
            f"{gone['relationships']:,} relationships; they stay with the release that had them, "
            "--prune withdraws them"
        )
    for source, met in report.get("undated", {}).items():
        stated = [release for release in met["stored"] if release]
        older = f"count as older than {', '.join(stated)} in the graph" if stated else ""
        beside = "stand beside what was loaded without one" if "" in met["stored"] else ""
        lines.append(
            f"no release stated in {', '.join(met['files'])} of {source}: its claims "
            f"{' and '.join(x for x in (older, beside) if x)}; if the file is newer, load it again "
            f"with --option release=... or --prune"
        )
    lines.append(f"graph: {_change(report, 'nodes')}, {_change(report, 'relationships')}")
    for what, count in report.get("left_alone", {}).items():
        lines.append(f"left as it was: {count:,} {what}; `tosg check` says more")
    if report["texts"] is not None:
        lines.append(f"texts: {report['texts']:,} composed")
    if report.get("recovered"):
        lines.append(f"cells of {report['recovered']}")
    for dataset, mapped in report["remapped"].items():
        lines.append(f"cells of {dataset}: {mapped:,} variables mapped now")
    for dataset, why in report.get("not_remapped", {}).items():
        lines.append(
            f"cells of {dataset} are mapped as before the load: {why}; "
            f"mend that, then `tosg cells remap {dataset}`"
        )
    if report["agrees"]:
        lines.append(f"the database agrees; revision {report['written']['revision']}")
    else:
        lines.append("THE DATABASE DOES NOT AGREE: " + "; ".join(report["differences"]))
    return lines


def _noted(report: dict[str, Any]) -> list[str]:
    """Kinds of notes with an example each, those of most values first."""
    counts: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for note in (n for s in report["sources"] for f in s["files"] for n in f["notes"]):
        counts[note["kind"]] += note["count"]
        if note["examples"]:
            examples.setdefault(note["kind"], str(note["examples"][0])[:70])
    lines = [
        f"noted: {n:,} {kind}" + (f", as {examples[kind]}" if kind in examples else "")
        for kind, n in counts.most_common(SHOWN_NOTES)
    ]
    if len(counts) > SHOWN_NOTES:
        rest = counts.most_common()[SHOWN_NOTES:]
        lines.append(f"noted: and {len(rest)} more kinds, {sum(n for _, n in rest):,} in all")
    return lines


def _change(report: dict[str, Any], kind: str) -> str:
    after = report["after"][kind]
    total = after.get("Entity", 0) if kind == "nodes" else sum(after.values())
    parts: Counter[str] = Counter()
    for change in report["written"][kind].values():
        parts.update(change)
    changes = ", ".join(f"{parts[k]:,} {k}" for k in ("made", "changed", "removed") if parts[k])
    what = "entities" if kind == "nodes" else kind
    return f"{total:,} {what} ({changes or 'as before'})"
