"""Lines of the report of attaching: variables, labels and ages, each with what it became."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tosg.kg.cells.obs.outcomes import cells_by_kind, cells_by_label

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Names listed per line in the text; the JSON has all of them.
SHOWN_NAMES = 8
#: Labels of a field listed in the text, a line each; the JSON has all of them.
SHOWN_LABELS = 60

_Row = tuple[str, str]


def variable_rows(v: Mapping[str, Any]) -> list[_Row]:
    """Describe the variables: how many were matched and how, and by name what is not plain."""
    if not v:
        return []
    how = ", ".join(f"{n:,} by {kind}" for kind, n in v["mapped"].items() if n)
    mapped = sum(v["mapped"].values())
    rows = [("variables", f"{v['total']:,}: {mapped:,} mapped{f' ({how})' if how else ''}")]
    matched = v.get("matched", {})
    read_back = set(v.get("read_back", ()))
    kinds = {
        "by antigen": [n for n, m in matched.items() if m["how"] == "antigen"],
        "by previous symbol": [n for n, m in matched.items() if m["how"] == "previous symbol"],
        "by alias": [n for n, m in matched.items() if m["how"] == "alias"],
        "read as another name": list(read_back),
    }
    for kind, names in kinds.items():
        if names:
            shown = [f"{name} as {_node(matched[name])}" for name in names]
            rows.append(("", f"  {len(names):,} {kind}: {some(shown)}"))
    rows += _ambiguous(v)
    for kind in ("duplicates", "unmapped", "unmeasured"):
        if v[kind]:
            rows.append(("", f"  {len(v[kind]):,} {kind}: {some(_with_reasons(v, kind))}"))
    return rows


def _node(match: Mapping[str, Any]) -> str:
    return f"{match['symbol']} ({match['id']})" if match["symbol"] else str(match["id"])


def _ambiguous(v: Mapping[str, Any]) -> list[_Row]:
    found = v["ambiguous"]
    shown = [f"{name} ({' or '.join(found[name])})" for name in found]
    return [("", f"  {len(found):,} ambiguous: {some(shown)}")] if found else []


def _with_reasons(v: Mapping[str, Any], kind: str) -> list[str]:
    if kind == "duplicates":
        return [f"{name} (as {other})" for name, other in v[kind].items()]
    reasons = v.get("reasons", {}) if kind == "unmapped" else {}
    # Those of which more is known than that no name was found come first.
    names = sorted(v[kind], key=lambda name: name not in reasons)
    return [f"{name} ({reasons[name]})" if name in reasons else name for name in names]


def field_rows(name: str, found: Mapping[str, Any]) -> list[_Row]:
    """Describe a field: where it comes from, cells by outcome, and a line for each label."""
    counts = ", ".join(f"{n:,} {kind}" for kind, n in cells_by_kind(found).items())
    rows = [(name, f"{found['from']}: {counts}")]
    labels = found.get("labels")
    if labels is None:  # a report of release 0.1
        return [*rows, ("", f"  {some(_counted(cells_by_label(found)))}")]
    if name == "donor_id" or len(labels) > SHOWN_LABELS:
        plain = [row for row in labels if row["kind"] in ("text", "term")]
        rest = [row for row in labels if row["kind"] not in ("text", "term")]
        if plain:
            cells = {row["label"]: row["cells"] for row in plain}
            rows.append(("", f"  {len(plain):,} values: {some(_counted(cells))}"))
        labels = rest
    rows += [("", f"  {label_line(name, row)}") for row in labels[:SHOWN_LABELS]]
    if len(labels) > SHOWN_LABELS:
        rows.append(("", f"  and {len(labels) - SHOWN_LABELS:,} more; --json has all"))
    for kind, values in found.get("left_out", {}).items():
        rows.append(("", f"  {kind}, in cells that are left out: {some(_counted(values))}"))
    return rows


def label_line(name: str, row: Mapping[str, Any]) -> str:
    """Describe one label: what it was matched to and how, or what to do."""
    label, cells = printable(row["label"]) or "(empty)", f"{row['cells']:,} cells"
    note = f"; {row['note']}" if row["note"] else ""
    if row["kind"] == "matched":
        return f"{label} -> {row['name']} ({row['id']}), by {row['how']}: {cells}{note}"
    if row["kind"] == "perhaps":
        named = f"--map '{name}:{label}=NAME'"
        return f"{label}: {cells}, not matched; perhaps {row['note']}, name it with {named}"
    if row["kind"] == "ambiguous":
        return (
            f"{label}: {cells}, ambiguous: {row['note']}; name it with --map '{name}:{label}=NAME'"
        )
    if row["name"] is not None and row["name"] != row["label"]:
        return f"{label} -> {row['name']}: {cells}{note}"
    return f"{label}: {cells}, {row['kind']}{note}"


def age_rows(ages: Mapping[str, Mapping[str, int]]) -> list[_Row]:
    """Describe in which units ages were read, and what was not read."""
    if not ages:
        return []
    read = ", ".join(f"{n:,} cells read as {unit}" for unit, n in ages["read_as"].items())
    rows = [("age", read or "none read")]
    not_read = ages["not_read"]
    if not_read:
        total = sum(not_read.values())
        rows.append(("", f"  {total:,} cells not read: {some(_counted(not_read))}"))
    return rows


def _counted(values: Mapping[str, int]) -> list[str]:
    return [f"{value or '(empty)'} ({n:,})" for value, n in values.items()]


def some(names: Iterable[str]) -> str:
    """List the first names, and say how many more there are."""
    names = list(names)
    more = f" and {len(names) - SHOWN_NAMES:,} more" if len(names) > SHOWN_NAMES else ""
    return ", ".join(map(printable, names[:SHOWN_NAMES])) + more


def printable(text: str) -> str:
    """Escape what would break a line of the report, as a line end in a label."""
    return text if text.isprintable() else repr(text)[1:-1]
