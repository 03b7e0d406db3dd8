"""What a load changes in the digests that the graph keeps: written in its last transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tosg.kg.write.digests import DROP, digest_id, node_of, stored_releases

if TYPE_CHECKING:
    from collections.abc import Mapping

    import neo4j

    from tosg.kg.merge.digests import SourceDigests
    from tosg.kg.merge.merged import Merged
    from tosg.kg.write.counts import Changes
    from tosg.kg.write.digests import KeptDigests
    from tosg.kg.write.ledger import GraphLedger

    Transaction = neo4j.ManagedTransaction | neo4j.Transaction


@dataclass
class DigestChanges:
    """What a load changes in the digests; nothing where all lists are empty.

    Attributes
    ----------
    dropped : list of str or None
        Ids of nodes to delete; None: all.
    written : list of dict
        Properties of the nodes to write.
    """

    dropped: list[str] | None = field(default_factory=list)
    written: list[dict[str, Any]] = field(default_factory=list)

    @property
    def anything(self) -> bool:
        """Whether there is something to write."""
        return self.dropped is None or bool(self.dropped or self.written)

    def write(self, tx: Transaction) -> None:
        """Write the changes."""
        if self.dropped is None or self.dropped:
            tx.run(DROP, ids=self.dropped).consume()
        for row in self.written:
            tx.run("CYPHER 5 MERGE (d:TosgDigest {id: $row.id}) SET d += $row", row=row).consume()


def changes_of(
    merged: Merged, ledger: GraphLedger, written: Mapping[str, Changes]
) -> DigestChanges:
    """Find what a load over Bolt changes in the digests.

    Parameters
    ----------
    merged : Merged
        What was written.
    ledger : GraphLedger
        The stored graph as it was when the load began.
    written : mapping of str to Changes
        What became of the relationships of each type.
    """
    found = DigestChanges(None if ledger.unfinished else [*ledger.stale_digests])
    after = {name: ledger.count(name) + c.made - c.removed for name, c in written.items()}
    before = {one.id: one for one in ledger.kept_digests}
    if found.dropped is not None:
        found.dropped += [one.id for one in before.values() if one.source in merged.pruned]
    made = {digest_id(d.type, d.source): d for d in merged.digests()}
    told = merged.relationship_releases()
    for id_, one in before.items():
        row: dict[str, Any] = {"id": id_}
        if one.type in after and after[one.type] != one.stored:
            row["stored"] = after[one.type]
        if releases := told.get((one.type, one.source), set()) - {*one.releases}:
            row["releases"] = stored_releases({*one.releases, *releases})
        if len(row) > 1 and id_ not in made and one.source not in merged.pruned:
            found.written.append(row)
    for id_, digests in made.items():
        if id_ in before and _is_kept(before[id_], digests, after[digests.type], ledger.digests):
            continue
        found.written.append(node_of(digests, after[digests.type]))
    return found


def _is_kept(one: KeptDigests, new: SourceDigests, stored: int, read: Any) -> bool:
    if (one.stored, {*one.releases}) != (stored, {*new.releases}):
        return False
    return bool(read(new.type)[new.source].to_bytes() == new.to_bytes())
