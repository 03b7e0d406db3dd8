"""Write ``docs/sources``: a page for each source and its metagraph, from what its loader declares.

Run it after a change of a source: ``python docs/scripts/write_sources.py``; a test compares. With
``--count DATA`` it first reads the files below a folder, or those of the sources that are named
after it, and keeps the counts in ``docs/sources/counts.json``, from where the pages take them. With
``--built REPORT``, what ``tosg build RECIPE --json`` printed, it keeps what became of the claims.
"""

from __future__ import annotations

import argparse
import datetime
import importlib
import inspect
import json
import runpy
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tosg.errors import TosgError
from tosg.kg.claims.log import SourceLog
from tosg.kg.schema.types import ENTITY_TYPES, RELATIONSHIP_TYPES
from tosg.loaders import registry
from tosg.loaders.formats.tables import Layout
from tosg.loaders.pipeline.fetch import is_non_commercial

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tosg.loaders.base import FileSpec, Loader

DOCS = Path(__file__).resolve().parents[1]
TARGET = DOCS / "sources"
COUNTS = TARGET / "counts.json"

_draw = runpy.run_path(str(Path(__file__).with_name("draw_metagraph.py")))["draw"]

_MADE = "This page is made from what the loader declares (`python docs/scripts/write_sources.py`)."
_DELIMITERS = {"\t": "tab", ",": "comma", ";": "semicolon", " ": "blank"}


def write() -> dict[Path, str]:
    """All files: path below ``docs`` -> text."""
    counts: dict[str, Any] = json.loads(COUNTS.read_text(encoding="utf-8"))
    loaders = [registry.loader_class(name) for name in registry.names() if _is_own(name)]
    written = {Path("sources/README.md"): _index(loaders, counts)}
    for loader in loaders:
        written[Path(f"sources/{loader.name}.md")] = "\n".join(_page(loader, counts)) + "\n"
        title = f"What {loader.name} gives"
        drawing = _draw(title, loader.nodes, loader.relationships)
        written[Path(f"sources/{loader.name}.svg")] = drawing
    types = [t.label for t in ENTITY_TYPES]
    triples = [(a, t.name, b) for t in RELATIONSHIP_TYPES for a, b in t.pairs]
    written[Path("metagraph.svg")] = _draw("The graph's types and relationships", types, triples)
    written[Path("metagraph.md")] = _metagraph(loaders)
    return written


def _is_own(name: str) -> bool:
    """Whether a source is of this package, and not a plug-in that is installed here."""
    return registry.loader_class(name).__module__ == f"tosg.loaders.sources.{name}"


def _index(loaders: Sequence[type[Loader]], counts: dict[str, Any]) -> str:
    rows = [
        (
            f"[{loader.name}]({loader.name}.md)",
            loader.title.partition(": ")[2] or loader.title,
            loader.license,
            "yes" if loader.scores else "",
            "yes" if loader.signs else "",
            _total(counts.get(loader.name)),
        )
        for loader in loaders
    ]
    head = ("source", "what it is", "licence", "score", "sign", "claims counted here")
    lines = [
        "# Sources",
        "",
        f"{len(loaders)} sources. {_MADE}",
        "[Writing a source](../writing-a-source.md) says how to add one,",
        "[your own data](../own-data.md) how a table or graph enters by a map, and",
        "[the metagraph](../metagraph.md) shows what all of them can give.",
        "",
        *_table(head, rows),
    ]
    return "\n".join(lines) + "\n"


def _total(counted: dict[str, Any] | None) -> str:
    if counted is None:
        return ""
    total = sum(counted["entities"].values()) + sum(counted["relationships"].values())
    return f"{total:,}" + (" (excerpt)" if counted["excerpt"] else "")


def _page(loader: type[Loader], counts: dict[str, Any]) -> Iterator[str]:
    module = importlib.import_module(loader.__module__)
    first, _, rest = (inspect.getdoc(module) or "").partition("\n")
    yield from (f"# {loader.title}", "", _plain(first))
    yield from (_plain(rest).rstrip(), "") if rest.strip() else ("",)
    yield from (f"![What {loader.name} gives]({loader.name}.svg)", "")
    terms = " (not for commercial use)" if is_non_commercial(loader.license) else ""
    yield from (f"- Licence: {loader.license}{terms}", f"- Homepage: <{loader.homepage}>")
    if loader.homepage.startswith("tosg/"):
        yield "- Comes with tosg."
    yield from (f"- {_how_to_get(loader)}", "", "## Files", "")
    yield from _table(("file", "what is in it", "needed", "address"), map(_file, loader.files))
    yield from _notes_on_files(loader)
    layouts = list(_layouts(module))
    if layouts:
        yield from ("## Layouts", "", "Columns are found by name, in any order.", "", *layouts, "")
    if loader.options:
        yield from ("## Options", "")
        yield from _table(
            ("option", "type", "default", "what it does"),
            ((f"`{o.name}`", o.type_name, f"`{o.default!s}`", o.help) for o in loader.options),
        )
    yield from ("## What it gives", "")
    yield f"Entities: {', '.join(loader.nodes) or 'none of its own'}."
    yield ""
    if loader.relationships:
        kinds = dict.fromkeys(kind for _, kind, _ in loader.relationships)
        yield from _table(
            ("relationship", "from and to"), ((f"`{k}`", _pairs(loader, k)) for k in kinds)
        )
    yield from ("## Score and sign", "")
    for score in loader.scores:
        why = f" {score.help[:1].upper()}{score.help[1:]}." if score.help else ""
        yield f"- Score: `{score.formula}`.{why}"
    yield from () if loader.scores else ("- No score.",)
    yield f"- Sign: {loader.signs}." if loader.signs else "- No sign."
    yield ""
    if loader.quirks:
        yield from ("## Quirks", "", *(f"- {quirk}" for quirk in loader.quirks), "")
    yield from ("## Tested on", "", f"{_sentence(loader.tested_on)}", "")
    yield from _counted(counts.get(loader.name))


def _plain(text: str) -> str:
    return text.replace("``", "`")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text else "Made-up files in its layout."


def _how_to_get(loader: type[Loader]) -> str:
    if all(spec.url for spec in loader.files if spec.required):
        return f"`tosg fetch {loader.name}`, or by hand from the addresses below"
    return "Its files are got by hand, and given to `tosg load`"


def _file(spec: FileSpec) -> tuple[str, ...]:
    names = ", ".join(f"`{name}`" for name in spec.names)
    address = f"<{spec.url}>" if spec.url else "none"
    return names, spec.help, "yes" if spec.required else "no", address


def _notes_on_files(loader: type[Loader]) -> Iterator[str]:
    notes = [
        *(
            f"- `{spec.filename}`: under another licence, {spec.license}."
            for spec in loader.files
            if spec.license
        ),
        *(
            f"- `{spec.filename}`: an excerpt where smaller than {spec.whole_bytes:,} bytes."
            for spec in loader.files
            if spec.whole_bytes
        ),
        *(
            f"- `{spec.filename}`: its number of rows is compared with {spec.states_rows}."
            for spec in loader.files
            if spec.states_rows
        ),
        *(
            f"- `{spec.filename}`: the file at the address has the sha256 `{spec.sha256}`."
            for spec in loader.files
            if spec.sha256
        ),
    ]
    yield from (*notes, "") if notes else ()


def _layouts(module: object) -> Iterator[str]:
    """The tables that a module reads: its values of the type `Layout`."""
    for name, value in vars(module).items():
        found = value if isinstance(value, dict) else {"": value}
        for key, layout in found.items():
            if isinstance(layout, Layout) and layout.columns:
                label = name.strip("_").lower().replace("_", " ").removesuffix(" layout")
                shown = " ".join(
                    part for part in (label, str(key)) if part not in ("", "layout", "layouts")
                )
                yield f"- {_layout(shown, layout)}"


def _layout(name: str, layout: Layout) -> str:
    delimiter = _DELIMITERS.get(layout.delimiter, f"`{layout.delimiter}`")
    said = [f"separated by {delimiter}"]
    said += ["fields may be quoted"] if layout.quoted else []
    said += [] if layout.header else ["no header"]
    said += [f"comments after `{layout.comment}`"] if layout.comment else []
    said += ["last columns may be missing"] if layout.ragged else []
    said += [f"{layout.skip} lines before the header"] if layout.skip else []
    text = f"{name or 'table'} ({', '.join(said)}): {_names(layout.columns)}"
    text += f"; where there, {_names(layout.optional)}" if layout.optional else ""
    other = [f"{_names(names)} for `{column}`" for column, names in layout.renamed.items()]
    return text + (f"; in other releases {', '.join(other)}" if other else "") + "."


def _names(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _pairs(loader: type[Loader], kind: str) -> str:
    """Ends of a relationship, those with the same other ends together."""
    ends: dict[tuple[str, ...], list[str]] = {}
    for start in dict.fromkeys(a for a, k, _ in loader.relationships if k == kind):
        others = tuple(
            dict.fromkeys(b for a, k, b in loader.relationships if (a, k) == (start, kind))
        )
        ends.setdefault(others, []).append(start)
    return "; ".join(f"{', '.join(a)} to {', '.join(b)}" for b, a in ends.items())


def _counted(counted: dict[str, Any] | None) -> Iterator[str]:
    yield from ("## Counts", "")
    if counted is None:
        yield "No file of it was at hand when the pages were last counted."
        return
    release = f"release {counted['release']}" if counted["release"] else "release not stated"
    part = "; excerpts are not the whole source" if counted["excerpt"] else ""
    yield f"Read on {counted['date']}, {release}{part}."
    yield ""
    yield from _table(
        ("file", "rows read", "used", "rejected", "most frequent reasons"),
        (
            (f"`{f['file']}`", f"{f['read']:,}", f"{f['parsed']:,}", f"{f['rejected']:,}", f["why"])
            for f in counted["files"]
        ),
    )
    claims = [*counted["entities"].items(), *counted["relationships"].items()]
    yield from _table(("claims of", "number"), ((f"`{k}`", f"{n:,}") for k, n in claims))
    if built := counted.get("built"):
        given, made, merged, rejected = (
            f"{built[key]:,}" for key in ("given", "made", "merged", "rejected")
        )
        yield f"Built into `{built['recipe']}` on {built['date']}: of its {given} claims,"
        yield f"{made} were the first of a node or relationship, {merged} joined one that other"
        yield f"claims make too, and {rejected} were not used, or wait for an end that no source"
        yield "brought."
        yield ""


def _table(
    head: Sequence[str], rows: Iterator[Sequence[str]] | Sequence[Sequence[str]]
) -> list[str]:
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    escaped = ([cell.replace("|", "\\|") for cell in row] for row in rows)
    return [*lines, *(f"| {' | '.join(row)} |" for row in escaped), ""]


def _metagraph(loaders: Sequence[type[Loader]]) -> str:
    """The whole schema, and which sources give each relationship."""
    rows = []
    for type_ in RELATIONSHIP_TYPES:
        generic = ("table", "kgx", "neo4j_csv", "celltosg")
        names = [
            f"[{loader.name}](sources/{loader.name}.md)"
            for loader in loaders
            if type_.name in {k for _, k, _ in loader.relationships} and loader.name not in generic
        ]
        rows.append((f"`{type_.name}`", type_.help, ", ".join(names)))
    lines = [
        "# The metagraph",
        "",
        "All types of entities, and the relationships that the schema allows between them;",
        "[the schema](schema.md) has every pair and property. Made by",
        "`python docs/scripts/write_sources.py`.",
        "",
        "![The graph's types and relationships](metagraph.svg)",
        "",
        "A relationship reads: start, then the words below, then end. Anyone's own tables and",
        "graphs can give all of them.",
        "",
        *_table(("relationship", "reads", "sources"), rows),
    ]
    return "\n".join(lines).rstrip() + "\n"


def count(folder: Path, names: Sequence[str]) -> None:
    """Read the files that are at hand and keep how many rows and claims they have."""
    counts: dict[str, Any] = {}
    if COUNTS.exists():
        counts = json.loads(COUNTS.read_text(encoding="utf-8"))
    for name in names or registry.names():
        found = _count_one(name, folder)
        if found is not None:
            counts[name] = found
            print(f"{name}: {_total(found)}", flush=True)  # noqa: T201
            _keep(counts)


def keep_built(report: Path) -> None:
    """Keep what became of each source's claims in a build, and the rows that it read.

    The file is what ``tosg build RECIPE --json`` printed of a first build.
    """
    told = json.loads(report.read_text(encoding="utf-8"))
    counts = json.loads(COUNTS.read_text(encoding="utf-8"))
    for load in told["reports"]:
        date = f"{load['id'][:4]}-{load['id'][4:6]}-{load['id'][6:8]}"
        rows = {(f["source"], f["file"]): f["read"] for s in load["sources"] for f in s["files"]}
        for name, claims in load["claims"].items():
            counted = counts.get(name)
            if counted is None:
                raise SystemExit(f"{name}: count its files first (--count DATA {name})")
            for file in counted["files"]:
                read = rows.get((name, file["file"]))
                if read != file["read"]:
                    raise SystemExit(
                        f"{name}: the build read {read} rows of {file['file']}, the pages say "
                        f"{file['read']}; count it again (--count DATA {name})"
                    )
            counted["built"] = {"recipe": told["recipe"], "date": date, **claims}
    _keep(counts)


def _keep(counts: dict[str, Any]) -> None:
    text = json.dumps(dict(sorted(counts.items())), indent=1)
    COUNTS.write_text(f"{text}\n", encoding="utf-8")


def _count_one(name: str, folder: Path) -> dict[str, Any] | None:
    # What a build takes; some sources need a folder of their own, where several fit.
    for place in (folder, folder / "official", folder / "official" / name):
        try:
            return _read(registry.make(name), place)
        except TosgError:
            continue
    return None


def _read(loader: Loader, folder: Path) -> dict[str, Any]:
    files = loader.locate([folder])
    log = SourceLog(loader.name)
    claims: dict[str, Counter[str]] = {"entities": Counter(), "relationships": Counter()}
    for batch in loader.claims(files, log):
        kind = "entities" if "id" in batch.schema.names else "relationships"
        claims[kind].update(batch.column("type").to_pylist())
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "release": log.release,
        "excerpt": any(loader.excerpt(path) for path in files.values()),
        "files": [
            {
                "file": file.name,
                "read": file.rows_read,
                "parsed": file.rows_parsed,
                "rejected": file.rows_rejected,
                "why": ", ".join(
                    f"{r.kind} ({r.count:,})"
                    for r in sorted(file.rejections.values(), key=lambda r: (-r.count, r.kind))[:3]
                ),
            }
            for file in log.files.values()
        ],
        **{kind: dict(sorted(counter.items())) for kind, counter in claims.items()},
    }


def main() -> None:
    """Count, if asked to, and write all pages; those of sources that are gone are removed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=Path, metavar="DATA")
    parser.add_argument("--built", type=Path, metavar="REPORT")
    parser.add_argument("names", nargs="*")
    given = parser.parse_args()
    if given.count is not None:
        count(given.count, given.names)
    if given.built is not None:
        keep_built(given.built)
    written = write()
    for old in (*TARGET.glob("*.md"), *TARGET.glob("*.svg")):
        if old.relative_to(DOCS) not in written:
            old.unlink()
    for path, text in written.items():
        (DOCS / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
