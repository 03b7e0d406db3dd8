"""``tosg training-set``: look at a training set, verify it, compare two."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tosg.cli.options import echo_json, examples, json_option, note
from tosg.json_text import json_text
from tosg.progress import ProgressBar


@click.group(
    "training-set", epilog=examples("tosg training-set show OUT", "tosg training-set verify OUT")
)
def training_set() -> None:
    """Look at a training set, verify it, compare two."""


@training_set.command(
    epilog=examples("tosg training-set show OUT", "tosg training-set show OUT --json")
)
@click.argument("folder", type=click.Path(path_type=Path))
@json_option
def show(folder: Path, as_json: bool) -> None:
    """Show what is in a training set: counts, splits, unit, sources, selection."""
    from tosg.training_sets import show_training_set

    document = show_training_set(folder)
    if as_json:
        echo_json(document)
        return
    click.echo(document["folder"])
    for name, count in document["counts"].items():
        click.echo(f"{name.replace('_', ' '):<16}{count:>14,}")
    click.echo(f"{'size':<16}{document['bytes'] / 1e6:>11,.1f} MB")
    for kind, key in (("nodes", "node_types"), ("edges", "edge_types")):
        for entry in document[key]:
            click.echo(f"  {entry['name']:<30}{entry['count']:>12,} {kind}")
    _show_cells(document)
    for entry in document["sources"]:
        click.echo(
            f"source {entry['source']} {entry['release']} ({entry['license'] or 'no licence'})"
        )
    click.echo(f"digest {document['digest']}")
    for warning in document["warnings"]:
        note(f"warning: {warning}")


def _show_cells(document: dict[str, Any]) -> None:
    if document["unit"] is None:
        return
    applied = document["normalize"]
    then = "" if applied == "none" else f", read as {applied}"
    click.echo(f"unit {document['unit']}{then}")
    for name, split in document["splits"].items():
        donors = "" if split.get("donors") is None else f", {len(split['donors']):,} donors"
        click.echo(f"  {name:<30}{split['cells']:>12,} cells{donors}")
    for entry in document["datasets"]:
        click.echo(f"data set {entry['id']}: {entry['cells']:,} cells")
    target = document.get("target")
    if target:
        classes = target.get("classes")
        of = f", {len(classes):,} classes" if classes else ""
        click.echo(f"target {target['field']}{of}")


@training_set.command(
    epilog=examples("tosg training-set verify OUT", "tosg training-set verify OUT --json")
)
@click.argument("folder", type=click.Path(path_type=Path))
@json_option
def verify(folder: Path, as_json: bool) -> None:
    """Read a training set and say all that is not as it was written; exits with 1 then.

    Looks for files that are missing, truncated, longer, changed or foreign, compares every digest,
    and checks the rules of the format.
    """
    from tosg.training_sets import verify_training_set

    with ProgressBar() as progress:
        report = verify_training_set(folder, progress=progress)
    if as_json:
        echo_json(report.as_dict())
    for finding in report.findings if not as_json else ():
        click.echo(
            f"{finding.kind} {finding.file}: found {finding.found}, expected {finding.expected}"
        )
    if report.findings:
        note(f"{len(report.findings):,} findings in {report.folder}")
        raise click.exceptions.Exit(1)
    note(
        f"{report.folder}: {report.files:,} files, {report.bytes / 1e6:,.1f} MB and "
        f"{report.digests:,} digests are as they were written"
    )


@training_set.command(
    epilog=examples("tosg training-set diff OLD NEW", "tosg training-set diff OLD NEW --json")
)
@click.argument("first", type=click.Path(path_type=Path))
@click.argument("second", type=click.Path(path_type=Path))
@json_option
def diff(first: Path, second: Path, as_json: bool) -> None:
    """Compare two training sets: selection, nodes, edges, cells and their values.

    Nodes and cells are compared by their identifiers, so the order of rows does not matter.
    """
    from tosg.training_sets import compare_training_sets

    document = compare_training_sets(first, second)
    if as_json:
        echo_json(document)
        return
    if document["same"]:
        click.echo("the content is the same")
    for key, (a, b) in document["selection"].items():
        click.echo(f"selection {key}: {json_text(a)} | {json_text(b)}")
    for name in ("nodes", "cells"):
        if document[name] is not None:
            click.echo(f"{name}: {_counts(document[name])}")
            for column, n in document[name]["changed"].items():
                some = ", ".join(document[name]["examples"][column])
                click.echo(f"  {n:,} with another {column}, as {some}")
    for kind, counts in document["edges"].items():
        changed = f", {counts['changed']:,} with another score or source"
        click.echo(f"edges {kind}: {_counts(counts)}{changed if counts['changed'] else ''}")
    for name in ("vectors", "values"):
        if document[name] is not None:
            counts = document[name]
            click.echo(f"{name}: {counts['changed']:,} of {counts['compared']:,} differ")
    for name in ("datasets", "sources"):
        for side, mark in (("only_first", "-"), ("only_second", "+")):
            for entry in document[name][side]:
                click.echo(f"{mark} {name.rstrip('s')} {entry}")


def _counts(counts: dict[str, Any]) -> str:
    return (
        f"{counts['both']:,} in both, {counts['only_first']:,} only in the first, "
        f"{counts['only_second']:,} only in the second"
    )
