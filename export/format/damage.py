"""Files of a training set that are not what its manifest says: one finding for each."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tosg.errors import ExportError
from tosg.export.format.digest_files import digest_parts
from tosg.export.format.manifest import MANIFEST
from tosg.files import TEMPORARY_FILES, hash_file
from tosg.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tosg.export.format.manifest import Manifest


@dataclass(frozen=True)
class Damage:
    """One thing that is wrong with a training set.

    Attributes
    ----------
    kind : str
        ``missing``, ``truncated``, ``longer``, ``changed``, ``foreign`` (a file that is not of the
        training set), ``digest`` or ``rule``.
    file : str
        Its name in the folder; of a digest the part of the content.
    found, expected : str
    """

    kind: str
    file: str
    found: str
    expected: str

    def as_dict(self) -> dict[str, Any]:
        """The finding as JSON values."""
        return asdict(self)


def find_damaged_files(manifest: Manifest, *, sha256: bool) -> Iterator[Damage]:
    """Find files that are missing, have another size or, where asked, another hash."""
    for name, about in manifest.content["files"].items():
        path = manifest.path(name)
        if not path.is_file():
            yield Damage("missing", name, "no file", f"{about['bytes']} bytes")
            continue
        size = path.stat().st_size
        if size != about["bytes"]:
            kind = "truncated" if size < about["bytes"] else "longer"
            yield Damage(kind, name, f"{size} bytes", f"{about['bytes']} bytes")
        elif sha256 and (found := hash_file(path)) != about["sha256"]:
            yield Damage("changed", name, f"sha256 {found}", f"sha256 {about['sha256']}")


def find_foreign_files(manifest: Manifest) -> Iterator[Damage]:
    """Find files in the folder that the manifest does not name."""
    known = {MANIFEST, *manifest.content["files"]}
    for path in sorted(manifest.folder.rglob("*")):
        name = path.relative_to(manifest.folder).as_posix()
        if path.is_file() and name not in known and not path.match(TEMPORARY_FILES):
            yield Damage("foreign", name, f"{path.stat().st_size} bytes", "no such file")


def check_training_files(manifest: Manifest, *, sha256: bool = False) -> None:
    """Check that every file of the training set is there, whole, and (if asked) unchanged.

    Raises
    ------
    ExportError
        A file is missing, of another size, or of another hash.
    """
    first = next(find_damaged_files(manifest, sha256=sha256), None)
    if first is None:
        return
    missing = first.kind == "missing"
    raise ExportError(
        f"a file of the training set is {'missing' if missing else 'damaged'}",
        where=manifest.path(first.file),
        found=None if missing else first.found.removeprefix("sha256 "),
        expected=None if missing else first.expected.removeprefix("sha256 "),
        hint="copy or export it again",
    )


def find_damage(manifest: Manifest, progress: Progress = silent) -> Iterator[Damage]:
    """Find everything that bytes and digests show: files first, then digests of whole parts."""
    damaged = set()
    for finding in find_damaged_files(manifest, sha256=True):
        damaged.add(finding.file)
        yield finding
    yield from find_foreign_files(manifest)
    parts = digest_parts(manifest)
    for done, part in enumerate(parts):
        progress("computing digests", done, len(parts))
        expected = manifest.content["digests"].get(part.name)
        if damaged.isdisjoint(part.files) and (found := part.compute()) != expected:
            yield Damage("digest", part.name, str(found), str(expected))
    progress("computing digests", len(parts), len(parts))
