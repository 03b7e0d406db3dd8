"""A real browser without a window, and the page to look at with it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from shutil import which
from typing import TYPE_CHECKING, Any

from support.servers import missing
from tosg.settings import ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome

    from tosg.kg.database.connection import Database

DESKTOP, PHONE = (1280, 900), (390, 844)

#: Seconds that a view may take on a machine that does other work too.
PATIENCE = 60.0

#: Elements of Streamlit: an app whose script has ended, and what went wrong in it.
ENDED = "[data-testid='stApp'][data-test-script-state='notRunning']"
FAILED = "[data-testid='stException']"


@contextmanager
def chrome(size: tuple[int, int] = DESKTOP) -> Iterator[Chrome]:
    """Start Debian's Chromium, or skip (fail in CI) where there is none."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    binary, driver = which("chromium"), which("chromedriver")
    if binary is None or driver is None:
        missing("no chromium with its driver (Debian: chromium, chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.add_argument(f"--window-size={size[0]},{size[1]}")
    browser = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield browser
    finally:
        browser.quit()


@contextmanager
def dashboard(database: Database, home: Path) -> Iterator[str]:
    """Run ``tosg dashboard`` on a database; yields its address."""
    target = database.target
    values = {
        "uri": target.uri,
        "username": target.username,
        "password": target.password,
        "home": str(home),
    }
    given = {ENVIRONMENT[name]: value for name, value in values.items() if value}
    command = [sys.executable, "-m", "tosg", "dashboard", "--no-browser"]
    log = home / "dashboard.log"
    home.mkdir(parents=True, exist_ok=True)
    with (
        log.open("w") as errors,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, env={**os.environ, **given}
        ) as process,
    ):
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address.startswith("http://localhost:"), log.read_text()
        try:
            yield address
        finally:
            process.terminate()


def open_view(browser: Chrome, address: str) -> float:
    """Open an address and wait until the view stands; returns the seconds it took.

    Raises
    ------
    AssertionError
        The view shows an exception, or does not end in time.
    """
    started = time.monotonic()
    browser.get(address)
    settle(browser)
    return time.monotonic() - started


def settle(browser: Chrome) -> None:
    """Wait until the view has a title and nothing runs."""
    deadline = time.monotonic() + PATIENCE
    calm = 0
    while time.monotonic() < deadline:
        time.sleep(0.1)
        title = browser.find_elements("css selector", "h1")
        ended = browser.find_elements("css selector", ENDED)
        calm = calm + 1 if title and ended else 0
        if calm >= 3:
            break
    else:
        raise AssertionError(f"the view does not end: {browser.current_url}")
    failed = browser.find_elements("css selector", FAILED)
    assert not failed, failed[0].text


def text_of(browser: Chrome) -> str:
    """All text of the view."""
    return str(browser.find_element("css selector", "[data-testid='stMain']").text)


def check_accessibility(browser: Chrome) -> list[dict[str, Any]]:
    """Violations that axe-core calls serious or critical, on the whole page."""
    from axe_core_python.selenium import Axe

    found = Axe().run(browser)
    return [v for v in found["violations"] if v["impact"] in ("serious", "critical")]
