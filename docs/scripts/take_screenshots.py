"""Take the pictures of the dashboard in ``docs/images``, in a real Chromium without a window.

    tosg demo
    python docs/scripts/take_screenshots.py

Each view is opened on the managed graph ``demo`` (``--graph`` names another) with a state in its
address, and kept as a small WebP. ``--time`` takes no pictures: it says how long each view takes to
show its first part and all of it, when it was open before. Needs the extra ``dashboard`` and
Debian's ``chromium`` and ``chromium-driver``.
"""

from __future__ import annotations

import argparse
import io
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from support.browser import chrome, open_view, settle  # noqa: E402

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

IMAGES = ROOT / "docs" / "images"

#: Name of the picture -> address of the view, on the demo's graph.
VIEWS = {
    "overview": "",
    "search": "search?q=interferon+response+in+lupus",
    "entity": "entity?id=JAK1",
    "cells": "cells?genes=CD3D,CD79A,NKG7,LYZ&gene=CD79A&of=pbmc68k_reduced",
    "ask": "ask?statement=signed_paths&signed_paths.start=IL10&signed_paths.end=CXCL8",
    "train": (
        "train?nodes=a+pathway&members=B+Cell+Receptor+Signaling+Pathway&target=cell_type"
        "&split=cell"
    ),
}

#: Of a window; a view is shown down to its end, or to this many pixels.
DESKTOP, PHONE = 1280, 390
MOST_HEIGHT = 1250
#: Below it stands a folder of whoever takes the picture.
TRAIN_HEIGHT = 910

#: Seconds for pictures drawn by scripts to come to rest.
REST_SECONDS = 3.0

#: Whatever stands below the title of a view and is not only room for what comes.
FIRST_PART = (
    "[data-testid=stMain] :is([data-testid=stMetric], [data-testid=stDataFrame], canvas, "
    "svg.marks, [data-testid=stTextInput], [data-testid=stSelectbox], [data-testid=stMarkdown] p)"
)

#: Times that ``--time`` opens a view after the first.
TIMES = 5

#: Of WebP; text stays sharp.
QUALITY = 72


def main() -> None:
    """Open each view and keep its picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--graph", default="demo")
    parser.add_argument("--out", type=Path, default=IMAGES)
    parser.add_argument("--phone", action="store_true", help="as wide as a phone, whole")
    parser.add_argument("--time", action="store_true", help="say how long the views take instead")
    parser.add_argument("views", nargs="*", choices=[*VIEWS, []], help="by default all")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tosg", "--graph", options.graph, "dashboard", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as page:
        address = page.stdout.readline().strip() if page.stdout else ""
        try:
            with chrome() as browser:
                open_view(browser, address)  # what is compiled at a first visit
                for name in options.views or VIEWS:
                    if options.time:
                        first, whole = time_view(browser, address + VIEWS[name])
                        print(f"{name}: first part {first:.2f} s, whole {whole:.2f} s")  # noqa: T201
                        continue
                    target = options.out / f"dashboard-{name}.webp"
                    size = take(browser, address + VIEWS[name], target, phone=options.phone)
                    print(f"{name}: {size / 1000:.0f} kB")  # noqa: T201
        finally:
            page.terminate()


def time_view(browser: Chrome, address: str) -> tuple[float, float]:
    """Medians of the seconds to the first part below a view's title, and to all of it."""
    open_view(browser, address)
    firsts, wholes = [], []
    for _ in range(TIMES):
        started = time.monotonic()
        browser.get(address)
        while not browser.find_elements("css selector", FIRST_PART):
            time.sleep(0.02)
        firsts.append(time.monotonic() - started)
        settle(browser)
        wholes.append(time.monotonic() - started)
    return statistics.median(firsts), statistics.median(wholes)


def take(browser: Chrome, address: str, target: Path, *, phone: bool = False) -> int:
    """Open a view and write its picture; returns the bytes it takes."""
    set_window(browser, PHONE if phone else DESKTOP, MOST_HEIGHT)
    open_view(browser, address)
    time.sleep(REST_SECONDS)
    inner = "return document.querySelector('[data-testid=stMainBlockContainer]').scrollHeight"
    height = int(browser.execute_script(inner)) + 20
    set_window(browser, PHONE if phone else DESKTOP, height if phone else min(height, MOST_HEIGHT))
    time.sleep(REST_SECONDS)
    settle(browser)
    picture = Image.open(io.BytesIO(browser.get_screenshot_as_png()))
    if "train?" in address:
        picture = picture.crop((0, 0, picture.width, min(picture.height, TRAIN_HEIGHT)))
    picture.convert("RGB").save(target, "WEBP", quality=QUALITY, method=6)
    return target.stat().st_size


def set_window(browser: Chrome, width: int, height: int) -> None:
    """Make the page so large, whatever the screen is."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


if __name__ == "__main__":
    main()
