"""What every loader is: a name, the files it wants, a licence, and batches of claims.

A loader knows nothing of Neo4j. It reads the original files of one source and says what they say,
as Arrow batches in the schemas of `tosg.kg.claims.schemas`. Every row it reads is parsed or
rejected by kind; a file that is not what it should be is one `DataError`.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from tosg.errors import DataError, unknown
from tosg.files import hash_file
from tosg.kg.schema.types import EXCERPT_OF
from tosg.loaders.file_specs import FileSpec as FileSpec  # noqa: TC001 - for sources
from tosg.loaders.options import Option, T
from tosg.loaders.origin import Origin as Origin  # a source imports this module alone

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

    from tosg.kg.claims.log import SourceLog
    from tosg.loaders.scores import Score

_RELEASE = Option("release", "release of the files, where they do not say it", "")
_LICENSE = Option("license", "licence of the files, where it is another than the source's", "")
_SOURCE = Option("source", "name to keep the claims under, for another source's files", "")

_EXCERPT = Option(
    "excerpt",
    "whether the files are only a part of what the source publishes",
    "auto",
    choices=("auto", "true", "false"),
)

#: Options that every source has.
COMMON_OPTIONS: tuple[Option[str], ...] = (_RELEASE, _LICENSE, _SOURCE, _EXCERPT)

#: Words in the names of files that are only a part; ``5k`` is a number of rows.
_EXCERPT_NAME = re.compile(
    r"(?i)(^|[-_. ])(excerpt|snippet|truncated|(sample|[0-9]+k)(?=\.))([-_. ]|$)"
)

#: Most rows of one batch of claims.
BATCH_ROWS = 100_000


class Loader(ABC):
    """Base of all loaders.

    Parameters
    ----------
    options : mapping, optional
        Values of `COMMON_OPTIONS` and of those that the loader declares in ``options``.

    Attributes
    ----------
    source : str
        Under which name claims are kept: the option ``source``, by default the loader's own.

    Raises
    ------
    UsageError
        An option is unknown.
    ConfigError
        The value of an option is of another type than declared.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    homepage: ClassVar[str]
    license: ClassVar[str]
    files: ClassVar[tuple[FileSpec, ...]]
    #: Folder of the package that has its files; "" where they have to be fetched.
    packaged: ClassVar[str] = ""
    #: Types of the entities that it claims.
    nodes: ClassVar[tuple[str, ...]] = ()
    #: Start type, relationship type and end type of what it claims.
    relationships: ClassVar[tuple[tuple[str, str, str], ...]] = ()
    #: How scores follow from the source's own numbers.
    scores: ClassVar[tuple[Score, ...]] = ()
    #: How signs follow from the source's own words; "" where it gives none.
    signs: ClassVar[str] = ""
    #: What is peculiar about its files, and what the loader does about it, a sentence each.
    quirks: ClassVar[tuple[str, ...]] = ()
    #: What it was tested on: whole files or excerpts, and of which release.
    tested_on: ClassVar[str] = ""
    options: ClassVar[tuple[Option[Any], ...]] = ()

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        known = {option.name: option for option in self.all_options()}
        self._given: dict[str, Any] = {}
        for name, given in (options or {}).items():
            if name not in known:
                raise unknown("option", name, known, where=f"source {self.name}")
            self._given[name] = known[name].parse(given, self.name)
        self.source = self.value(_SOURCE) or self.name
        #: Excerpts that `locate` found, and the file that it took instead of each.
        self._passed_over: dict[Path, Path] = {}

    @classmethod
    def all_options(cls) -> tuple[Option[Any], ...]:
        """Options that every source has, and the loader's own."""
        return (*COMMON_OPTIONS, *cls.options)

    def value(self, option: Option[T]) -> T:
        """Value of an option: as given, else its default."""
        value: T = self._given.get(option.name, option.default)
        return value

    @abstractmethod
    def _claims(
        self, files: Mapping[str, Path], log: SourceLog, release: str
    ) -> Iterator[pa.RecordBatch]:
        """Read the files; see `claims`."""

    def claims(self, files: Mapping[str, Path], log: SourceLog) -> Iterator[pa.RecordBatch]:
        """Read the files and say what is in them.

        Parameters
        ----------
        files : mapping
            As `locate` returns.
        log : SourceLog
            Is told about every row, and the release.

        Yields
        ------
        RecordBatch
            In the schema `ENTITY_CLAIMS` or `RELATIONSHIP_CLAIMS`, at most 100,000 rows.

        Raises
        ------
        DataError
            A file is missing, empty, cut off, in another encoding, or another file.
        """
        for spec in self.files:
            if spec.required and spec.key not in files:
                raise self._missing(spec, [])
        log.release = self.release(files)
        for path in files.values():
            if why := self.excerpt(path):
                log.file(path).note("excerpt, not the whole file", 1, why)
        for path, taken in self._passed_over.items():
            if taken in files.values():
                log.file(taken).note("another excerpt beside it, not read", 1, path.name)
        for batch in self._claims(files, log, log.release):
            for start in range(0, batch.num_rows, BATCH_ROWS):
                yield batch.slice(start, BATCH_ROWS)
        log.check_sums()

    def release(self, files: Mapping[str, Path]) -> str:
        """Release of these files: the option, else what they say, else by known hash, else ""."""
        return (
            self.value(_RELEASE)
            or self._release(files)
            or self.file_release(files, self.files[0].key)
        )

    def _release(self, files: Mapping[str, Path]) -> str:  # noqa: ARG002
        """Release as the files or their names say it."""
        return ""

    def file_release(self, files: Mapping[str, Path], key: str) -> str:
        """Release of one file: the option, else known by the file's hash, else ""."""
        if given := self.value(_RELEASE):
            return given
        spec = next(s for s in self.files if s.key == key)
        known = dict(spec.known)
        if spec.sha256 and spec.release:
            known[spec.sha256] = spec.release
        return known.get(hash_file(files[key]), "") if known else ""

    def stated_release(self, stated: str) -> str:
        """Release of a file that states one: the option, else what the file states."""
        return self.value(_RELEASE) or stated

    def origin(
        self, path: Path, release: str, license_: str | None = None, part: str = ""
    ) -> Origin:
        """Provenance of claims from one file; one with a release of its own is a part.

        The release of an excerpt says so: see `EXCERPT_OF`.
        """
        spec = self._spec_of(path)
        stated = ((spec and spec.license) or self.license) if license_ is None else license_
        if self.excerpt(path):
            release = f"{EXCERPT_OF}{release or 'unknown release'}"
        return Origin(self.source, self.value(_LICENSE) or stated, release, path.name, part)

    def excerpt(self, path: Path) -> str:
        """Why a file is only a part of what the source publishes; "" where it is whole."""
        if (given := self.value(_EXCERPT)) != "auto":
            return "the option excerpt says so" if given == "true" else ""
        if _EXCERPT_NAME.search(path.name):
            return "its name says so"
        spec = self._spec_of(path)
        if spec is None or path.stat().st_size >= spec.whole_bytes:
            return ""
        return f"the whole file has over {spec.whole_bytes:,} bytes"

    def _spec_of(self, path: Path) -> FileSpec | None:
        return next((s for s in self.files if s.matches(path.name) is not None), None)

    def locate(self, paths: Sequence[Path]) -> dict[str, Path]:
        """Find the files of this source.

        Parameters
        ----------
        paths : sequence of Path
            Folders (searched with all below them) and files.

        Returns
        -------
        dict
            Key of each `FileSpec` found to its file.

        Raises
        ------
        DataError
            A path does not exist, a required file is missing, or it is unclear which is meant.
            Excerpts beside a whole file, or beside a larger excerpt, are passed over and noted.
        """
        candidates, given = _candidates(paths)
        found: dict[str, Path] = {}
        for spec in self.files:
            if spec.many:
                found |= self._choose_all(spec, candidates)
                continue
            path = self._choose(spec, candidates)
            if path is not None:
                found[spec.key] = path
        self._place_given(given, found)
        for spec in self.files:
            if spec.required and spec.key not in found:
                raise self._missing(spec, paths)
        return found

    def _choose(self, spec: FileSpec, candidates: Sequence[tuple[int, Path]]) -> Path | None:
        ranked = sorted(
            (position, depth, path)
            for depth, path in candidates
            if (position := spec.matches(path.name)) is not None
        )
        if not ranked:
            return None
        best = [path for position, depth, path in ranked if (position, depth) == ranked[0][:2]]
        best = self._without_excerpts(best)
        if len(best) > 1:
            raise NoFileError(
                f"several files could be the {spec.help} of {self.name}",
                found=", ".join(str(path) for path in best[:5]),
                expected="one file",
                hint="give the file itself instead of the folder",
            )
        return best[0]

    def _without_excerpts(self, paths: Sequence[Path]) -> list[Path]:
        """The whole files among several; where all are excerpts, the one that shows most."""
        best = [path for path in paths if not self.excerpt(path)]
        if not best and len(paths) > 1:
            most = max(path.stat().st_size for path in paths)
            best = [path for path in paths if path.stat().st_size == most]
        best = best or list(paths)
        self._passed_over |= {path: best[0] for path in paths if path not in best}
        return best

    @staticmethod
    def _choose_all(spec: FileSpec, candidates: Sequence[tuple[int, Path]]) -> dict[str, Path]:
        """All files that fit: the first under the key itself, the others under numbered ones."""
        fitting = sorted({p for _, p in candidates if spec.matches(p.name) is not None})
        keys = [spec.key, *(f"{spec.key}#{n}" for n in range(2, len(fitting) + 1))]
        return dict(zip(keys, fitting, strict=False))

    def parts(self, files: Mapping[str, Path], key: str) -> list[Path]:
        """All files of a `FileSpec` with ``many``, by name."""
        return [path for k, path in files.items() if k == key or k.startswith(f"{key}#")]

    def _place_given(self, given: Sequence[Path], found: dict[str, Path]) -> None:
        """Take a file with another name for the one required file that is missing."""
        left = [path for path in given if path not in found.values()]
        wanted = [s for s in self.files if s.required and s.key not in found]
        if not left:
            return
        if len(left) == 1 and len(wanted) == 1:
            found[wanted[0].key] = left[0]
            return
        raise DataError(
            f"the source {self.name} does not read a file of this name",
            where=left[0],
            expected="; ".join(f"{' or '.join(s.names)} ({s.help})" for s in self.files),
            hint="rename it, or give only the files that belong to this source",
        )

    def _missing(self, spec: FileSpec, paths: Sequence[Path]) -> DataError:
        place = f"get it from {spec.url}" if spec.url else f"see {self.homepage}"
        fetch = f"; or `tosg fetch {self.name}`" if spec.url else ""
        return NoFileError(
            f"the source {self.name} needs a file that is not there: {spec.help}",
            where=", ".join(str(path) for path in paths) or None,
            expected=" or ".join(spec.names),
            hint=place + fetch,
        )


class NoFileError(DataError):
    """A source's required file is not where it was looked for, or several files could be it."""


def evidence_json(parts: Mapping[str, object]) -> str | None:
    """Evidence of a claim: JSON with sorted keys and no blanks; None where nothing is said.

    Values that are None, "" or empty lists are left out.
    """
    said = {k: v for k, v in parts.items() if v is not None and v != "" and v != []}
    if not said:
        return None
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def version_in(name: str) -> str:
    """Version that a file name tells, as 1.0 in ``hetionet-v1.0-nodes.tsv``; "" without one."""
    found = re.search(r"(?:^|[-_.])v(\d+(?:\.\d+)*)(?=[-_.]|$)", name)
    return found.group(1) if found else ""


def _candidates(paths: Sequence[Path]) -> tuple[list[tuple[int, Path]], list[Path]]:
    """All files at hand with their depth (files given by hand first), and those given by hand."""
    candidates: list[tuple[int, Path]] = []
    given: list[Path] = []
    for path in map(Path, paths):
        if path.is_dir():
            inside = (p for p in sorted(path.rglob("*")) if p.is_file())
            candidates += [(len(p.relative_to(path).parts), p) for p in inside]
        elif path.exists():
            given.append(path)
            candidates.append((0, path))
        else:
            raise DataError(
                "there is no such file or folder",
                where=path,
                hint="`tosg sources NAME` says which files a source reads",
            )
    return list(dict.fromkeys(candidates)), given
