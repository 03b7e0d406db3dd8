"""`signed_paths` against brute force: every walk there is, on graphs made at random."""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from support.servers import wipe

from tosg.kg import server as managed
from tosg.kg.database.connection import Database, Target
from tosg.kg.query.run import run_query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tosg.settings import Settings

pytestmark = [pytest.mark.neo4j, pytest.mark.lts]

GRAPHS = 6
ACTS = ("REGULATES", "PHOSPHORYLATES")
SIGNALS = (*ACTS, "INTERACTS_WITH")
#: A relationship: start, type, end, sign, score.
Tie = tuple[str, str, str, int | None, float | None]
#: What ranks a path: contacts, steps without a sign, score.
Rank = tuple[int, int, float]


@dataclass
class Toy:
    """A graph of genes, their proteins, complexes and families."""

    labels: dict[str, str] = field(default_factory=dict)
    ties: list[Tie] = field(default_factory=list)

    def ends(self, kind: str, start: str) -> list[tuple[int, str]]:
        """Places in `ties`, and the ends, of the relationships of a type from a node."""
        return [(i, t[2]) for i, t in enumerate(self.ties) if t[1] == kind and t[0] == start]

    def starts(self, kind: str, end: str) -> list[tuple[int, str]]:
        """The same from the other side."""
        return [(i, t[0]) for i, t in enumerate(self.ties) if t[1] == kind and t[2] == end]

    def hub(self, node: str) -> float:
        """What a node between divides a score by; a tie to itself counts as Neo4j counts it."""
        n = sum(node in (t[0], t[2]) for t in self.ties if t[1] in SIGNALS)
        return math.log10(10 + n)

    def hops(self, landed: str) -> Iterator[tuple[list[int], list[str]]]:
        """From where a signal that landed goes on: ties on the way, nodes on the way."""
        for down, nodes in self._along("MEMBER_OF", landed, self.starts, 2):
            for encoded in self._products(nodes[-1]):
                for up, above in self._along("MEMBER_OF", (nodes + encoded[1])[-1], self.ends, 2):
                    ties = [*down, *encoded[0], *up]
                    if not (down and up) and len(set(ties)) == len(ties):
                        yield ties, [*nodes, *encoded[1], *above[1:]]

    def _along(
        self, kind: str, node: str, side: Any, most: int
    ) -> Iterator[tuple[list[int], list[str]]]:
        yield [], [node]
        if most:
            for i, other in side(kind, node):
                for ties, nodes in self._along(kind, other, side, most - 1):
                    yield [i, *ties], [node, *nodes]

    def _products(self, node: str) -> Iterator[tuple[list[int], list[str]]]:
        yield [], []
        for i, protein in self.ends("ENCODES", node):
            yield [i], [protein]
        for i, gene in self.starts("ENCODES", node):
            yield [i], [gene]
            yield from (
                ([i, j], [gene, other]) for j, other in self.ends("ENCODES", gene) if i != j
            )

    def stops(self, node: str) -> set[str]:
        """What counts as landing on a node."""
        found = {node, *(p for _, p in self.ends("ENCODES", node))}
        return {n[-1] for x in found for _, n in self._along("MEMBER_OF", x, self.ends, 2)}

    def signals(self, node: str, tier: int) -> Iterator[tuple[int, str]]:
        """The steps from a node: ties, and what they land on."""
        for i, (start, kind, end, sign, _) in enumerate(self.ties):
            if kind in ACTS and start == node and (tier > 0 or sign in (1, -1)):
                yield i, end
            elif kind == "INTERACTS_WITH" and tier == 2 and node in (start, end):
                yield i, end if start == node else start

    def paths(self, start: str, through: list[str], end: str, tier: int) -> set[tuple[int, ...]]:
        """Every path of the fewest steps from stop to stop, as the places of its ties."""
        walks: list[tuple[str, tuple[int, ...]]] = [(start, ())]
        for stop in (self.stops(n) for n in (*through, end)):
            met: set[str] = set()
            for _ in range(10):
                walks = [
                    (landed, (*along, *hop, i))
                    for at, along in walks
                    for hop, nodes in self.hops(at)
                    for i, landed in self.signals(nodes[-1], tier)
                    if landed not in met  # it could have gone on from there, earlier
                ]
                met |= {landed for landed, _ in walks}
                if arrived := [w for w in walks if w[0] in stop]:
                    walks = arrived
                    break
            else:
                return set()
        return {
            (*along, *hop)
            for at, along in walks
            for hop, nodes in self._arrivals(at)
            if nodes[-1] == end and len({*along, *hop}) == len((*along, *hop))
        }

    def _arrivals(self, landed: str) -> Iterator[tuple[list[int], list[str]]]:
        for down, nodes in self._along("MEMBER_OF", landed, self.starts, 2):
            yield down, nodes
            for i, gene in self.starts("ENCODES", nodes[-1]):
                yield [*down, i], [*nodes, gene]

    def rank(self, path: tuple[int, ...], start: str) -> Rank:
        """Contacts, steps without a sign, and the score."""
        ties = [self.ties[i] for i in path]
        signals = [t for t in ties if t[1] in SIGNALS]
        between, at = [], start
        for tie in ties[:-1]:
            at = tie[2] if tie[0] == at else tie[0]
            between.append(at)
        score = math.prod(0.5 if t[4] is None else t[4] for t in signals)
        return (
            sum(t[1] == "INTERACTS_WITH" for t in signals),
            sum((t[3] or 0) == 0 for t in signals),
            score / math.prod(map(self.hub, between)),
        )


def toy(number: int) -> Toy:
    """One of the graphs: eight genes, most with a protein or two, complexes in complexes."""
    draw, made = random.Random(number), Toy()  # noqa: S311
    name = [f"{number}.{i}" for i in range(8)]
    genes, proteins = [f"g{n}" for n in name], [f"p{n}" for n in name]
    whole = [f"c{number}.{i}" for i in range(4)]
    made.labels = {
        **dict.fromkeys(genes, "Gene"),
        **dict.fromkeys(proteins, "Protein"),
        **dict.fromkeys(whole[:3], "Complex"),
        whole[3]: "GeneFamily",
    }
    for i, gene in enumerate(genes):
        made.ties += [(gene, "ENCODES", proteins[i], None, None)] if i % 4 else []
    # a gene of two proteins, a protein of two genes
    made.ties += [(genes[1], "ENCODES", proteins[0], None, None)]
    made.ties += [(genes[0], "ENCODES", proteins[2], None, None)]
    members = draw.sample([(p, c) for p in proteins for c in whole], 7)
    made.ties += [(p, "MEMBER_OF", c, None, None) for p, c in members]
    made.ties += [(whole[0], "MEMBER_OF", whole[1], None, None)]
    made.ties += [(genes[5], "MEMBER_OF", whole[3], None, None)]
    pairs = draw.sample(list(itertools.permutations([*genes, *proteins, *whole[:3]], 2)), 26)
    for n, (a, b) in enumerate(pairs):
        kind = SIGNALS[n % 5 % 3]
        if kind == "INTERACTS_WITH" and any(t[:3] == (b, kind, a) for t in made.ties):
            continue
        sign = None if kind == "INTERACTS_WITH" else draw.choice((1, -1, 0, None))
        made.ties += [(a, kind, b, sign, draw.choice((None, *(k / 64 for k in range(20, 64)))))]
        if kind == "REGULATES" and n % 4 == 0:  # sources that contradict each other
            made.ties += [(a, kind, b, -1 if sign != -1 else 1, 0.75)]
    return made


TOYS = [toy(number) for number in range(GRAPHS)]


@pytest.fixture(scope="module")
def graph(server_settings: Settings, server: managed.ServerInfo) -> Iterator[Database]:
    info = managed.ensure_server(server_settings)
    with Database(Target(info.uri, info.username, info.password)) as db:
        wipe(db)
        labels = {n: label for t in TOYS for n, label in t.labels.items()}
        for label in sorted(set(labels.values())):
            db.write(
                f"UNWIND $rows AS id CREATE (:Entity:{label} {{id: 'tosg:' + id, name: id}})",
                rows=[n for n, of in labels.items() if of == label],
            )
        ties = [t for toy in TOYS for t in toy.ties]
        for kind in sorted({t[1] for t in ties}):
            db.write(
                "UNWIND $rows AS r MATCH (a:Entity {id: 'tosg:' + r[0]}), "
                f"(b:Entity {{id: 'tosg:' + r[2]}}) CREATE (a)-[:{kind} "
                "{sign: r[3], score: r[4], sources: ['toy']}]->(b)",
                rows=[list(t) for t in ties if t[1] == kind],
            )
        yield db


def questions() -> list[tuple[int, str, tuple[str, ...], str]]:
    """Some of each graph: two genes, and for some of them what is between."""
    draw = random.Random(7)  # noqa: S311
    asked = []
    for number, made in enumerate(TOYS):
        genes = [n for n, label in made.labels.items() if label == "Gene"]
        for k in range(6):
            start, end = draw.sample(genes, 2)
            between = tuple(draw.sample(sorted(set(made.labels) - {start, end}), max(0, k - 3)))
            asked.append((number, start, between, end))
    return asked


@pytest.mark.parametrize(("number", "start", "through", "end"), questions())
def test_paths_are_those_of_brute_force(
    graph: Database, number: int, start: str, through: tuple[str, ...], end: str
) -> None:
    made = TOYS[number]
    found = {p for tier in range(3) for p in made.paths(start, list(through), end, tier)}
    expected = sorted((made.rank(p, start) for p in found), key=lambda r: (r[0], r[1], -r[2]))
    for limit in (3, 10_000):
        rows = run_query(
            graph,
            "signed_paths",
            {
                "start": f"tosg:{start}",
                "end": f"tosg:{end}",
                "through": [f"tosg:{n}" for n in through],
                "interactions": True,
                "limit": limit,
            },
            timeout=60,
        ).to_pylist()
        ranks = [rank_of(row) for row in rows]
        assert [r[:2] for r in ranks] == [r[:2] for r in expected[:limit]]
        assert [r[2] for r in ranks] == pytest.approx([r[2] for r in expected[:limit]])
        assert {shape(row) for row in rows} <= {made_shape(made, p, start) for p in found}
        assert len({shape(row) for row in rows}) == len(rows)
    for row in rows:
        signs = [r["sign"] for r in acts(row)]
        assert row["sign"] == math.prod(s or 0 for s in signs)
        assert row["steps"] == len(signs)
        assert len(row["unsigned"]) == sum(not s for s in signs)
        assert len(row["memberships"]) == sum(
            r["type"] == "MEMBER_OF" for r in row["path"]["relationships"]
        )


def test_the_questions_cover_what_there_is() -> None:
    """Answers of each kind: none, with contacts, with memberships, with stops, many."""
    found = [
        (through, {p for tier in range(3) for p in TOYS[n].paths(start, list(through), end, tier)})
        for n, start, through, end in questions()
    ]
    kinds = [
        {TOYS[n].ties[i][1] for p in f[1] for i in p}
        for (n, *_), f in zip(questions(), found, strict=True)
    ]
    assert sum(not f[1] for f in found) > 1
    assert sum("INTERACTS_WITH" in k for k in kinds) > 5
    assert sum("MEMBER_OF" in k for k in kinds) > 5
    assert sum(bool(f[0]) and bool(f[1]) for f in found) > 3
    assert max(len(f[1]) for f in found) > 10


def acts(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The steps of an answer."""
    return [r for r in row["path"]["relationships"] if r["type"] in SIGNALS]


def rank_of(row: dict[str, Any]) -> Rank:
    contacts = sum(r["type"] == "INTERACTS_WITH" for r in acts(row))
    return contacts, len(row["unsigned"]), row["score"]


def shape(row: dict[str, Any]) -> tuple[Any, ...]:
    """Nodes of a path, and type and sign of its relationships."""
    path = row["path"]
    return (
        tuple(n["id"].removeprefix("tosg:") for n in path["nodes"]),
        tuple((r["type"], r["sign"]) for r in path["relationships"]),
    )


def made_shape(made: Toy, path: tuple[int, ...], start: str) -> tuple[Any, ...]:
    nodes, ties = [start], [made.ties[i] for i in path]
    for tie in ties:
        nodes.append(tie[2] if tie[0] == nodes[-1] else tie[0])
    return tuple(nodes), tuple((t[1], t[3]) for t in ties)
