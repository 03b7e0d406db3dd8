"""What a build remembers in the graph: ``(:TosgBuild {id, complete, json})``, one per recipe.

See ``docs/decisions/build-receipts.md``.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

    from tosg.kg.database.connection import Database
    from tosg.loaders.pipeline.recipe import Recipe


def read_build(db: Database, name: str) -> dict[str, Any]:
    """Read what the graph keeps about the build of a recipe; empty where there was none."""
    rows = db.rows("CYPHER 5 MATCH (b:TosgBuild {id: $id}) RETURN b.json AS json", id=name)
    return _parse(rows[0]["json"]) if rows else {}


def _parse(text: object) -> dict[str, Any]:
    """Parse what a build remembers; where it is damaged, it remembers nothing."""
    try:
        document = json.loads(str(text))
    except ValueError:
        return {}
    fits = isinstance(document, dict) and isinstance(document.get("sources"), dict)
    return document if fits else {}


def write_build(db: Database, recipe: Recipe, sources: dict[str, Any], *, complete: bool) -> None:
    """Keep in the graph what a build used so far."""
    _write(
        db,
        recipe.name,
        {
            "recipe": recipe.name,
            "path": recipe.path,
            "text": recipe.text,
            "complete": complete,
            "sources": dict(sorted(sources.items())),
        },
    )


def forget(db: Database, sources: Collection[str]) -> None:
    """Take sources out of what all builds remember: they are about to be loaded or withdrawn.

    Before they are, since a load may be killed. A build that did it writes them down again.
    """
    for row in db.rows("CYPHER 5 MATCH (b:TosgBuild) RETURN b.id AS id, b.json AS json"):
        document = _parse(row["json"])
        known = document.get("sources", {})
        kept = {n: entry for n, entry in known.items() if n not in sources}
        if len(kept) < len(known):
            _write(db, row["id"], {**document, "complete": False, "sources": kept})


def _write(db: Database, name: str, document: dict[str, Any]) -> None:
    db.write(
        "CYPHER 5 MERGE (b:TosgBuild {id: $id}) SET b.json = $json, b.complete = $complete",
        id=name,
        json=json.dumps(document, ensure_ascii=False),
        complete=document["complete"],
    )
