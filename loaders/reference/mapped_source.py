"""What the sources of a user's own data share: name, licence and release are those of a map."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from tosg.kg.schema.types import entity_types, relationship_triples
from tosg.loaders.base import FileSpec, Loader
from tosg.loaders.scores import Score

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tosg.loaders.reference.map_reader import Described


def map_spec(what: str) -> FileSpec:
    """The file of the map."""
    return FileSpec("map", ("map.yaml", "*.yaml", "*.yml"), f"the map of {what}")


class MappedSource(Loader):
    """Base of sources whose map, the file ``map``, says what the data are."""

    license = "as the map says"
    nodes = tuple(entity_types())
    relationships = relationship_triples()
    scores: ClassVar[tuple[Score, ...]] = (Score("as the map says"),)
    signs = "as the map says"

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        super().__init__(options)
        self._named = "source" in (options or {})

    @abstractmethod
    def _about(self, path: Path) -> Described:
        """Name, licence and release as the map says them."""

    def locate(self, paths: Sequence[Path]) -> dict[str, Path]:
        """Find the files; the claims are kept under the name that the map gives."""
        found = super().locate(paths)
        if not self._named:
            self.source = self._about(found["map"]).source
        return found

    def _release(self, files: Mapping[str, Path]) -> str:
        return self._about(files["map"]).release
