"""The page in a real browser: every view, at two sizes, by keyboard, readable for everybody."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests
from selenium.webdriver import Keys
from support.browser import (
    DESKTOP,
    PHONE,
    check_accessibility,
    dashboard,
    open_view,
    settle,
    text_of,
)
from support.servers import wipe

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

    from tosg.kg.database.connection import Database

pytestmark = pytest.mark.neo4j

#: Address of each view with a state in it, and words that it then shows.
VIEWS = {
    "": ("What is in the graph", "13", "The alpha cells"),
    "search?q=signals": ("Search", "reactome:R-1"),
    "entity?id=ncbigene:1": ("G1", "Around it", "Who says so"),
    "cells?genes=G1&gene=G1&of=alpha": ("Cells", "Genes across groups", "Single cells"),
    "ask?statement=genes_of_pathway&genes_of_pathway.pathway=signals": ("Ask", "3 rows"),
    "train?nodes=a+pathway&members=signals&split=cell": ("Train", "tosg-export", "What to learn"),
}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_everybody_can_read_every_view_at_every_size(
    browser: Chrome, page: str, view: str, size: tuple[int, int]
) -> None:
    browser.set_window_size(*size)
    open_view(browser, page + view)
    shown = text_of(browser)
    for words in VIEWS[view]:
        assert words in shown
    wide, window = browser.execute_script(
        "return [document.scrollingElement.scrollWidth, window.innerWidth]"
    )
    assert wide <= window
    browser.set_window_size(*DESKTOP)
    found = check_accessibility(browser) if size == DESKTOP else []
    assert not found, json.dumps(
        [{"id": v["id"], "nodes": [n["html"][:200] for n in v["nodes"]][:4]} for v in found],
        indent=1,
    )


@pytest.mark.slow
@pytest.mark.parametrize("view", VIEWS)
def test_a_first_picture_soon(browser: Chrome, page: str, view: str) -> None:
    """Warm: what is compiled and cached at a first visit is there."""
    open_view(browser, page + view)
    waits = [crowding()]
    seconds = min(open_view(browser, page + view) for _ in range(3))
    waits.append(crowding())
    # Two on a quiet machine; the server, the page and the browser share its cores with other tests.
    assert seconds < 4 * max(waits)


def crowding() -> float:
    """How many times its processor time something takes by the clock: 1 on a quiet machine."""
    start, used = time.perf_counter(), time.process_time()
    while time.process_time() - used < 0.3:
        pass
    return (time.perf_counter() - start) / 0.3


def test_by_keyboard_alone(browser: Chrome, page: str) -> None:
    open_view(browser, page)
    _tab_to(browser, "Search", "a")
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    settle(browser)
    _tab_to(browser, "", "input")
    browser.switch_to.active_element.send_keys("signals", Keys.ENTER)
    time.sleep(1)
    settle(browser)
    _tab_to(browser, "signals", "a")
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    settle(browser)
    assert "reactome:R-1" in text_of(browser)
    assert "entity" in browser.current_url


def test_an_address_can_be_shared(browser: Chrome, page: str) -> None:
    open_view(browser, page + "search")
    field = browser.find_element("css selector", "input[type='text']")
    field.send_keys("stopper", Keys.ENTER)
    time.sleep(1)
    settle(browser)
    address = browser.current_url
    assert "q=stopper" in address
    open_view(browser, page)
    open_view(browser, address)
    assert "drugbank:DB1" in text_of(browser)


def test_an_ambiguous_or_unknown_name_is_said(browser: Chrome, page: str) -> None:
    open_view(browser, page + "entity?id=no+such+thing")
    assert "no such thing" in text_of(browser)


def test_users_text_is_text(browser: Chrome, page: str, graph: Database) -> None:
    name = "<img src=x onerror=document.title='broken'>"
    graph.write(
        "MERGE (n:Entity:Drug {id: 'drugbank:DB2', idx: 4001}) SET n.name = $name, n.text = $name, "
        "n.description = $name",
        name=name,
    )
    open_view(browser, page + "entity?id=drugbank:DB2")
    assert name in text_of(browser)
    assert browser.title != "broken"


def test_the_page_reads_only(browser: Chrome, page: str, graph: Database) -> None:
    before = graph.rows("MATCH (n) RETURN count(n) AS n")
    open_view(browser, page + "ask?statement=Cypher&cypher=CREATE+(n)+RETURN+n")
    assert "write" in text_of(browser)
    assert graph.rows("MATCH (n) RETURN count(n) AS n") == before


def test_an_export_from_the_page(browser: Chrome, page: str) -> None:
    open_view(browser, page + "train?nodes=a+pathway&members=signals&split=cell")
    _button(browser, "Count, write nothing")
    settle(browser)
    assert "nodes" in text_of(browser)
    _button(browser, "Export")
    deadline = time.monotonic() + 120
    while "Finished: " not in text_of(browser) and time.monotonic() < deadline:
        assert "failed" not in text_of(browser), text_of(browser)
        time.sleep(0.5)
    assert "Finished: " in text_of(browser)
    open_view(browser, page + "train")
    tabs = browser.find_elements("css selector", "[role='tab']")
    next(t for t in tabs if "Finished" in t.text).click()
    settle(browser)
    assert "One cell as its own graph" in text_of(browser)


def test_foreign_requests_are_refused(page: str) -> None:
    assert requests.get(page, timeout=10).status_code == 200
    foreign = requests.get(page, headers={"Host": "evil.example"}, timeout=10)
    assert foreign.status_code == 421
    cross = requests.post(page, headers={"Origin": "http://evil.example"}, timeout=10)
    assert cross.status_code == 403


def test_an_empty_graph_and_one_that_is_away(browser: Chrome, graph: Database, home: Path) -> None:
    wipe(graph)
    with dashboard(graph, home) as address:
        for view in ("", "search", "entity", "cells", "ask", "train"):
            open_view(browser, address + view)
            assert "The graph is empty" in text_of(browser)
            assert "tosg build" in text_of(browser)


def _tab_to(browser: Chrome, words: str, tag: str) -> None:
    """Press Tab until an element of a tag with these words has the focus."""
    for _ in range(80):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        focus = browser.switch_to.active_element
        if focus.tag_name == tag and words in focus.text:
            return
    raise AssertionError(f"no {tag} {words!r} can be reached by Tab")


def _button(browser: Chrome, label: str) -> None:
    buttons = browser.find_elements("css selector", "button")
    next(b for b in buttons if b.text.strip() == label).click()
    time.sleep(0.5)
