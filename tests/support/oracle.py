"""The merge once more, naive, over plain dicts: what the graph must be for a set of claims.

It is written from the rules in docs/graph-model.md, not from the merge, and is as slow as it is
simple. It knows nothing of Neo4j, and nothing of loads: only of the set of claims.
"""

from __future__ import annotations

import itertools
import json
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from tosg.kg.claims.releases import release_key
from tosg.kg.schema.types import SOURCE_RANK, entity_types, relationship_types

if TYPE_CHECKING:
    from collections.abc import Iterable

    from support.claims import Claim

Graph = dict[str, dict[Any, Any]]
_LISTS = ("synonyms", "previous", "xrefs", "same_as", "replaces")


def graph(claims: Iterable[Claim]) -> Graph:
    """Nodes by id and edges by (type, start, end, key properties)."""
    claims = list(claims)
    entities = _united_entities([c for c in claims if c["kind"] == "entity"])
    aliases: dict[tuple[str, str], str] = {}
    nodes: dict[str, dict[str, Any]] = {}
    for label in sorted({c["type"] for c in entities}):
        own = [c for c in entities if c["type"] == label]
        kinds = {
            (c["start"], c["end"])
            for c in claims
            if c["type"] == "IS_A" and {c["start_type"], c["end_type"]} == {label}
        }
        found = _Identity(label, own, kinds)
        for alias, cls in found.aliases().items():
            aliases[label, alias] = cls
        for cls in {found.cls(c["id"]) for c in own}:
            nodes[cls] = _node(cls, [c for c in own if found.cls(c["id"]) == cls])
    return {"nodes": nodes, "edges": _edges([c for c in claims if c["kind"] == "edge"], aliases)}


def _newest(claims: list[Claim], key: list[str]) -> list[Claim]:
    """Drop what the same source says about the same thing in an older release."""
    best: dict[Any, Any] = {}
    for c in claims:
        k = tuple(c[x] for x in key)
        best[k] = max(best.get(k, ()), release_key(c["release"]))
    return [c for c in claims if release_key(c["release"]) == best[tuple(c[x] for x in key)]]


def _united_entities(claims: list[Claim]) -> list[Claim]:
    groups: dict[Any, list[Claim]] = defaultdict(list)
    thing = ["type", "id", "source", "part"]
    for c in _newest(claims, thing):
        groups[(*(c[x] for x in thing), c["license"])].append(c)
    return [min(group, key=_record_order) for group in groups.values()]


def _record_order(c: Claim) -> tuple[int, str]:
    """Fullest first, then by the claim as text."""
    said = {x: c[x] for x in ("id", "name", "symbol", "description") if c[x] is not None}
    said |= {name: sorted(set(c[name])) for name in _LISTS if c[name]}
    items = sum(len(x) if isinstance(x, list) else 1 for x in said.values())
    said |= {x: c[x] for x in ("source", "part", "license", "release") if c[x]}
    return -items, json.dumps(said, ensure_ascii=False, separators=(",", ":"))


class _Identity:
    """Classes of one type."""

    def __init__(self, label: str, claims: list[Claim], kinds: set[tuple[str, str]]) -> None:
        self.kinds = kinds
        self.prefixes = entity_types()[label].prefixes
        self.mapped = {
            other.split(":")[0]
            for c in claims
            for pair in ([c["id"], same] for same in c["same_as"])
            for one, other in (pair, pair[::-1])
            if one.split(":")[0] == self.prefixes[0]
        } & set(entity_types()[label].by_mapping)
        self.claims = claims
        self.claimed = {c["id"] for c in claims}
        self.newer: dict[str, set[str]] = defaultdict(set)
        for c in claims:
            for old in c["replaces"]:
                if old != c["id"]:
                    self.newer[old].add(c["id"])
        self.classes = {u: u for u in map(self.living, self.claimed)}
        self._by_links()
        if entity_types()[label].merge_by_name:
            self._by_names()

    def rank(self, curie: str) -> tuple[int, str, str]:
        prefix = curie.split(":")[0]
        if prefix in self.prefixes:
            return (self.prefixes.index(prefix), "", curie)
        return (len(self.prefixes), prefix, curie)

    def ends_of(self, curie: str) -> set[str]:
        seen, todo = set(), [curie]
        while todo:
            at = todo.pop()
            if at not in seen:
                seen.add(at)
                todo.extend(self.newer.get(at, ()))
        return {x for x in seen if x not in self.newer}

    def living(self, curie: str) -> str:
        ends = self.ends_of(curie)
        return ends.pop() if len(ends) == 1 else curie

    def cls(self, curie: str) -> str:
        return self.classes[self.living(curie)]

    def links(self) -> set[tuple[str, str]]:
        """(unit, living other id) of every cross-reference that may join."""
        found = set()
        for c in self.claims:
            listed = [x for x in c["xrefs"] if x.split(":")[0] in self.prefixes]
            for other in [*listed, *c["same_as"]]:
                if other != c["id"]:
                    found.add((self.living(c["id"]), self.living(other)))
        return found

    def _by_links(self) -> None:
        pairs = {(a, b) for a, b in self.links() if b in self.claimed and a != b}
        pairs |= {(b, a) for a, b in pairs}
        while True:
            found = self._nearest_anchors(pairs)
            cut = {
                p for p in pairs if len({found.get(u, u) for u in p}) == 1 and self.lost(p, found)
            }
            if not cut:
                break
            pairs -= cut
        self.classes.update(found)

    def kin(self) -> set[tuple[str, str]]:
        """Units of which one is a kind of the other."""
        known = [(a, b) for a, b in self.kinds if {a, b} <= self.claimed]
        return {(self.living(a), self.living(b)) for a, b in known} - {(u, u) for u in self.classes}

    def lost(self, pair: tuple[str, str], found: dict[str, str]) -> bool:
        """Whether a link is of a unit that may not be what its class is."""
        for two in self.kin():
            heads = {found.get(u, u) for u in two}
            if len(heads) == 1:
                (head,) = heads
                stays = {head} & set(two) or {u for u in two if self.named(u) == self.named(head)}
                if len(stays) != 1 or (self.named(head) is None and head not in two):
                    stays = set()
                if set(pair) & (set(two) - stays):
                    return True
        return False

    def named(self, id_: str) -> str | None:
        names = [
            (_rank(c), _folded(c["name"])) for c in self.claims if c["id"] == id_ and c["name"]
        ]
        return min(names)[1] if names else None

    def _nearest_anchors(self, pairs: set[tuple[str, str]]) -> dict[str, str]:
        classes: dict[str, str] = {}
        todo = [{u for pair in pairs for u in pair}]
        while todo:
            members = todo.pop()
            if not members:
                continue
            component = {min(members)}
            while more := {b for a, b in pairs if a in component and b in members} - component:
                component |= more
            todo.append(members - component)
            best = min(self.rank(m)[:2] for m in component)
            given = {m: m for m in component if self.rank(m)[:2] == best}
            if len(given) == 1:
                classes.update(dict.fromkeys(component, min(given)))
                continue
            unclear: set[str] = set()
            while True:
                near: dict[str, set[str]] = defaultdict(set)
                for a, b in pairs:
                    if a in given and b in component and b not in given and b not in unclear:
                        near[b].add(given[a])
                if not near:
                    break
                for b, anchors in near.items():
                    if len(anchors) == 1:
                        given[b] = min(anchors)
                    else:
                        unclear.add(b)
            classes.update(given)
            todo.append(component - given.keys())
        return classes

    def _by_names(self) -> None:
        """Join by own names; then, except where those are unclear, by most names in common."""
        own: dict[str, set[str]] = defaultdict(set)
        called: dict[str, set[str]] = defaultdict(set)
        for id_ in self.claimed:
            claims = [c for c in self.claims if c["id"] == id_]
            names = [(_rank(c), _folded(c["name"])) for c in claims if c["name"]]
            unit = self.living(id_)
            own[unit] |= {min(names)[1]} if names else set()
            called[unit] |= {name for _, name in names}
            called[unit] |= {_folded(x) for c in claims for x in [*c["synonyms"], *c["previous"]]}
        may = {u for u, cls in self.classes.items() if cls.split(":")[0] not in self.mapped}
        pairs = {(a, b) for a in own for b in own if own[a] & own[b] and {a, b} <= may}
        unclear = self._join({(self.classes[a], self.classes[b]) for a, b in pairs})

        def among(names: dict[str, set[str]], cls: str) -> set[str]:
            return {name for unit in names if self.classes[unit] == cls for name in names[unit]}

        shared: dict[str, dict[str, int]] = defaultdict(dict)
        open_ = {cls for cls in self.classes.values() if cls.split(":")[0] not in self.mapped}
        for a, b in itertools.combinations(sorted(open_), 2):
            met = among(own, a) & among(called, b) or among(own, b) & among(called, a)
            if met and not self.prefixes_of(a) & self.prefixes_of(b):
                shared[a][b] = shared[b][a] = len(among(called, a) & among(called, b))

        def nearest(a: str, b: str) -> bool:
            rivals = [x for x in shared[a] if x != b and self.prefixes_of(x) & self.prefixes_of(b)]
            return all(shared[a][x] < shared[a][b] for x in rivals)

        self._join(
            {
                (a, b)
                for a in shared
                for b in shared[a]
                if nearest(a, b) and nearest(b, a) and not {a, b} & unclear
            }
        )

    def prefixes_of(self, cls: str) -> set[str]:
        return {u.split(":")[0] for u, c in self.classes.items() if c == cls}

    def _join(self, pairs: set[tuple[str, str]]) -> set[str]:
        """Unite what pairs of classes connect, if no prefix is in two classes; return the rest."""
        unclear: set[str] = set()
        todo = {x for pair in pairs for x in pair}
        while todo:
            component = {min(todo)}
            while more := {b for a, b in pairs if a in component} - component:
                component |= more
            todo -= component
            prefixes = [self.prefixes_of(cls) for cls in component]
            kin = any({self.classes[u] for u in two} <= component for two in self.kin())
            if kin or any(a & b for a, b in itertools.combinations(prefixes, 2)):
                unclear |= component
                continue
            head = min(component, key=self.rank)
            for unit, cls in list(self.classes.items()):
                if cls in component:
                    self.classes[unit] = head
        return unclear

    def aliases(self) -> dict[str, str]:
        found: dict[str, set[str]] = defaultdict(set)
        for a, b in self.links():
            found[b].add(self.classes[a])
        out = {
            alias: min(ids)
            for alias, ids in found.items()
            if len(ids) == 1 and len(self.ends_of(alias)) == 1
        }
        out |= {old: self.cls(old) for old in self.newer if len(self.ends_of(old)) == 1}
        return out | {c: self.cls(c) for c in self.claimed}


def _folded(name: str) -> str:
    name = " ".join(name.lower().split())
    return re.sub(r"s'( |$)", r"s\1", re.sub(r"'s\b", "", name))


def _rank(c: Claim) -> tuple[int, str, str]:
    source = c["source"]
    place = SOURCE_RANK.index(source) if source in SOURCE_RANK else 10**6
    return (place, source, c["part"])


def _node(cls: str, claims: list[Claim]) -> dict[str, Any]:
    node: dict[str, Any] = {"label": claims[0]["type"]}
    for text in ("name", "symbol", "description"):
        known = [(_rank(c), c["id"] != cls, c[text]) for c in claims if c[text]]
        node[text] = min(known)[2] if known else None
    named = {x for c in claims for x in [*c["previous"], c["name"], c["symbol"]] if x}
    words = named | {x for c in claims for x in c["synonyms"]}
    node["synonyms"] = sorted(words - {node["name"], node["symbol"]})
    node["previous"] = sorted(named - {node["name"], node["symbol"]})
    others = {x for c in claims for k in ("xrefs", "same_as", "replaces") for x in c[k]}
    node["xrefs"] = sorted((others | {c["id"] for c in claims}) - {cls})
    told = sorted({(c["source"], c["license"], c["release"]) for c in claims})
    node["sources"], node["licenses"], node["releases"] = (list(x) for x in zip(*told, strict=True))
    return node


def _edges(claims: list[Claim], aliases: dict[tuple[str, str], str]) -> dict[Any, dict[str, Any]]:
    groups: dict[Any, list[Claim]] = defaultdict(list)
    given = ["type", "start_type", "start", "end_type", "end"]
    for name, rtype in relationship_types().items():
        own = [dict(c) for c in claims if c["type"] == name]
        for c in own:
            if "sign" in rtype.keys and c["sign"] is None:
                c["sign"] = 0
            if not rtype.directed and c["start"] > c["end"]:
                _turn(c)
        for c in _newest(own, [*given, *rtype.keys, "source"]):
            start = aliases.get((c["start_type"], c["start"]))
            end = aliases.get((c["end_type"], c["end"]))
            if start is None or end is None or (start == end and not rtype.self_loops):
                continue
            c = dict(c)
            c["as"] = {}
            if not rtype.directed and start > end:
                _turn(c)
                start, end = end, start
            c["as"] = {k: c[k] for k, cls in (("start", start), ("end", end)) if c[k] != cls}
            groups[(name, start, end, *(c[k] for k in rtype.keys))].append(c)
    return {key: _edge(key[0], found) for key, found in groups.items()}


def _turn(c: Claim) -> None:
    c["start"], c["end"] = c["end"], c["start"]
    c["start_type"], c["end_type"] = c["end_type"], c["start_type"]


def _edge(name: str, claims: list[Claim]) -> dict[str, Any]:
    keys = relationship_types()[name].keys
    own: dict[Any, list[Claim]] = defaultdict(list)
    for c in claims:
        for k in ("sign", "action"):
            if k not in keys and c[k] is not None:
                c["as"][k] = c[k]
        ends = json.dumps(c["as"], sort_keys=True)
        own[c["source"], c["license"], ends, c["release"]].append(c)
    rows = []
    for (source, license_, _, release), same in own.items():
        evidence = {**same[0]["as"], **_evidence([c["evidence"] for c in same])}
        score = max((c["score"] for c in same if c["score"] is not None), default=None)
        rows.append((source, license_, release, score, json.dumps(evidence, sort_keys=True)))
    edge: dict[str, Any] = {"claims": sorted(rows, key=str)}
    edge["score"] = max((r[3] for r in rows if r[3] is not None), default=None)
    signs = {c["sign"] for c in claims} - {None}
    if "sign" not in keys:
        edge["sign"] = (
            (max(signs - {0}, default=0) if len(signs - {0}) < 2 else 0) if signs else None
        )
    return edge


def _evidence(objects: list[dict[str, Any]]) -> dict[str, Any]:
    """Unite evidence: what differs becomes a sorted list."""
    distinct = [json.loads(x) for x in sorted({json.dumps(o, sort_keys=True) for o in objects})]
    if len(distinct) == 1:
        return dict(distinct[0])
    out = {}
    for key in sorted({k for o in distinct for k in o}):
        values = [o[key] for o in distinct if key in o]
        items = {json.dumps(x): x for v in values for x in (v if isinstance(v, list) else [v])}
        as_list = len(items) > 1 or any(isinstance(v, list) for v in values)
        out[key] = [items[k] for k in sorted(items)] if as_list else next(iter(items.values()))
    return out
