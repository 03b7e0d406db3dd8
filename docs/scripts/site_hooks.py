"""Hooks of MkDocs: pages that lie beside ``docs/``, links out of it, and folders of pages.

The files of the front (``CONTRIBUTING.md`` and its like) stay where a reader of the repository
looks for them, and are pages of the site too. The navigation names the folders of decisions and
sources; their pages are filled in, so that a new page needs no line in ``mkdocs.yml``.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mkdocs.structure.files import File, Files

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]

#: Files of the repository's front that are pages too.
FRONT = {
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "CHANGELOG.md": "changelog.md",
}

#: ``[text](target#anchor)`` where the target is no address and no anchor of the same page.
LINK = re.compile(r"\[([^\]]+)\]\(([^)#\s:]+)(#[^)\s]*)?\)")

FENCE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Fill in the pages of the folders that the navigation names by ``FOLDER/``."""
    config.nav = _filled(config.nav or [])
    return config


def _filled(nav: list[Any]) -> list[Any]:
    filled: list[Any] = []
    for entry in nav:
        if isinstance(entry, str) and entry.endswith("/"):
            pages = sorted((ROOT / "docs" / entry).glob("*.md"))
            filled += [f"{entry}{p.name}" for p in pages if p.name != "README.md"]
        elif isinstance(entry, dict):
            filled.append({k: _filled(v) if isinstance(v, list) else v for k, v in entry.items()})
        else:
            filled.append(entry)
    return filled


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files of the front."""
    for name, page in FRONT.items():
        files.append(File.generated(config, page, content=(ROOT / name).read_text()))
    return files


def on_page_markdown(markdown: str, *, page: Page, files: Files, **_: Any) -> str:
    """Turn links to files of the repository into links to pages, or into plain text."""
    place = page.file.src_uri
    front = {page: name for name, page in FRONT.items()}
    folder = "" if place in front else posixpath.join("docs", posixpath.dirname(place))

    def link(match: re.Match[str]) -> str:
        text, target, anchor = match[1], match[2], match[3] or ""
        if f"!{match[0]}" in markdown:
            return match[0]  # a picture
        path = posixpath.normpath(posixpath.join(folder, target))
        wanted = FRONT.get(path) or path.removeprefix("docs/")
        if wanted.startswith("reliability/"):
            wanted, anchor = "reliability.md", ""  # that page is made of them
        if files.get_file_from_path(wanted) is None:
            return text  # of the repository, not of the site
        here = posixpath.dirname(place) or "."
        return f"[{text}]({posixpath.relpath(wanted, here)}{anchor})"

    parts = FENCE.split(markdown)  # every second one is a block of code
    parts[::2] = [LINK.sub(link, part) for part in parts[::2]]
    return "".join(parts)
