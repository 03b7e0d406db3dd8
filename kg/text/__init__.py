"""The `text` of each entity: composed from its names, its description and the graph.

It depends on no model, and changes only when its content does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tosg.kg.database import Database
    from tosg.kg.meta import Lease


def refresh(
    db: Database,
    *,
    types: Sequence[str] | None = None,
    lease: Lease | None = None,
    connections: int = 4,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Compose the texts and write those that changed.

    Parameters
    ----------
    db : Database
        The graph.
    types : sequence of str, optional
        Only entities of these types; by default all.
    lease : Lease, optional
        The right to write, where the caller holds it; by default it is taken if anything is to
        be written.
    connections : int
        Blocks read at once.
    progress : callable, optional
        Gets the number of texts written and of those to write.

    Returns
    -------
    int
        Texts written; 0 where nothing changed, and then the graph is not touched.

    Raises
    ------
    UsageError
        The schema has no such type.
    DatabaseError
        Another writer is at work, or the database went away; what was written stays valid.
    """
    from tosg.kg.text.refreshing import refresh_texts

    return refresh_texts(db, types, lease, connections, progress)
