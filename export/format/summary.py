"""What a training set holds, from its manifest alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tosg.export.format.manifest import SPLITS

if TYPE_CHECKING:
    from tosg.export.format.manifest import Manifest

#: Parts of the content that are shown as they are.
_SHOWN = (
    *("counts", "node_types", "edge_types", "embedding", "sources", "datasets", "coverage"),
    *("target", "warnings", "digests", "changes"),
)


def summarize_manifest(manifest: Manifest) -> dict[str, Any]:
    """Sum up a training set as JSON values: what was asked, what is in it, who made it when.

    Returns
    -------
    dict
        ``folder``, ``digest``, ``bytes``, ``files``, ``selection`` (what differs from the default),
        ``unit``, ``normalize``, ``splits`` (cells and classes of each), parts of the content, and
        ``run``.
    """
    content = manifest.content
    expression, splits = content["expression"] or {}, content["splits"] or {}
    return {
        "folder": str(manifest.folder),
        "layout": content.get("layout"),
        "digest": manifest.digest,
        "bytes": sum(about["bytes"] for about in content["files"].values()),
        "files": len(content["files"]),
        "selection": dict(content["selection"]),
        "unit": expression.get("unit"),
        "normalize": expression.get("normalize"),
        "split_by": splits.get("by"),
        "donor_safe": splits.get("donor_safe"),
        "splits": {name: splits[name] for name in SPLITS if name in splits},
        **{name: content[name] for name in _SHOWN if name in content},
        "run": dict(manifest.run),
    }
