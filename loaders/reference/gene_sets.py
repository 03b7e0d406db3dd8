"""Sets of genes (GMT) as pathways with their members: what the sources of such files share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tosg.loaders.formats.gmt import read_gmt
from tosg.loaders.reference.facts import FACTS_AT_ONCE, Fact, fact_claims

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import pyarrow as pa

    from tosg.kg.claims.log import FileLog
    from tosg.loaders.origin import Origin


def gene_set_claims(
    path: Path,
    file: FileLog,
    origin: Origin,
    identify: Callable[[str], tuple[str | None, str]],
    resolve: Callable[[str], tuple[str | None, str]],
) -> Iterator[pa.RecordBatch]:
    """Claims of the sets of a GMT file: each a pathway in which its members take part.

    Parameters
    ----------
    path : Path
    file : FileLog
    origin : Origin
    identify : callable
        Title of a set -> its CURIE and its name; None and the kind of rejection where it has none.
    resolve : callable
        Member as it is written -> CURIE of the gene, and what is said of a member without one.
    """
    sets: list[tuple[int, str, str]] = []
    facts: list[Fact] = []
    for line, title, _, members in read_gmt(path):
        if len(facts) >= FACTS_AT_ONCE:
            yield from fact_claims(facts, origin)
            facts = []
        file.read()
        id_, name = identify(title)
        if id_ is None:
            file.reject(name, line, title)
            continue
        file.parsed()
        sets.append((line, id_, name))
        for member in members:
            gene, why = resolve(member)
            if gene is None:
                file.note(f"member with {why}, left out", 1, f"{title}: {member}")
            else:
                facts.append(Fact("PARTICIPATES_IN", ("Gene", gene), ("Pathway", id_), line))
    yield origin.named_entities("Pathway", sets)
    yield from fact_claims(facts, origin)
