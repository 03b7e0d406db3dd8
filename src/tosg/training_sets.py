"""Training sets on disk: what is in one, whether it is whole, how two differ.

Reading batches from one is `tosg.TrainingSet`; this needs no graph and no server either.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tosg.progress import Progress, silent

if TYPE_CHECKING:
    import os

    from tosg.export.format.damage import Damage


@dataclass(frozen=True)
class VerifyReport:
    """What verifying a training set found.

    Attributes
    ----------
    folder : Path
    digest : str
        As `tosg.TrainingSet.digest`.
    files, bytes : int
        Number and size of the files that the manifest names.
    digests : int
        Number of digests of the content.
    findings : tuple of Damage
        ``kind``, ``file``, ``found``, ``expected``; empty where all is as it was written.
    """

    folder: Path
    digest: str
    files: int
    bytes: int
    digests: int
    findings: tuple[Damage, ...]

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON values."""
        return {
            "folder": str(self.folder),
            "digest": self.digest,
            "files": self.files,
            "bytes": self.bytes,
            "digests": self.digests,
            "findings": [finding.as_dict() for finding in self.findings],
        }


def show_training_set(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """Sum up a training set from its manifest.

    Parameters
    ----------
    folder : path
        The training set, or its manifest.

    Returns
    -------
    dict
        JSON values: ``counts``, ``splits``, ``unit``, ``edge_types``, ``sources``, ``selection``,
        ``bytes``, ``digest``, ``run`` and more.

    Raises
    ------
    ExportError
        The folder is not a training set, or its manifest is damaged.
    """
    from tosg.export.format.manifest import read_manifest
    from tosg.export.format.summary import summarize_manifest

    return summarize_manifest(read_manifest(Path(folder)))


def verify_training_set(
    folder: str | os.PathLike[str], *, progress: Progress = silent
) -> VerifyReport:
    """Read the whole of a training set and find everything that is not as it was written.

    Files that are missing, truncated, longer or changed, files that are none of it, digests of the
    content, and, where all of these are right, order and ranges of what is in the files.

    Parameters
    ----------
    folder : path
        The training set.
    progress : Progress
        Called with the stage and how much of it is done.

    Returns
    -------
    VerifyReport
        All findings, not only the first.

    Raises
    ------
    ExportError
        The folder is not a training set, or its manifest is damaged.
    """
    from tosg.errors import ExportError
    from tosg.export.format.damage import Damage, find_damage
    from tosg.export.format.manifest import read_manifest

    manifest = read_manifest(Path(folder))
    findings = list(find_damage(manifest, progress))
    if not any(finding.kind != "foreign" for finding in findings):
        from tosg.export.batches.cell_reader import CellReader
        from tosg.export.batches.verify import verify

        try:
            verify(CellReader(manifest))
        except ExportError as error:
            where = Path(str(error.where or manifest.folder))
            findings.append(Damage("rule", where.name, str(error.found), str(error.expected)))
    files = manifest.content["files"]
    return VerifyReport(
        manifest.folder,
        manifest.digest,
        len(files),
        sum(about["bytes"] for about in files.values()),
        len([d for d in manifest.content["digests"].values() if d]),
        tuple(findings),
    )


def compare_training_sets(
    first: str | os.PathLike[str], second: str | os.PathLike[str]
) -> dict[str, Any]:
    """Compare two training sets by the identifiers of their nodes and cells.

    Parameters
    ----------
    first, second : path
        The training sets.

    Returns
    -------
    dict
        JSON values: ``same``, ``selection``, ``nodes``, ``edges`` by type, ``cells``, ``values``,
        ``datasets``, ``sources``: how many are only in one of them, and how many differ.

    Raises
    ------
    ExportError
        A folder is not a training set, or is damaged.
    """
    from tosg.export.batches.compare import compare_sets, open_readers

    return compare_sets(*open_readers(Path(first), Path(second)))
