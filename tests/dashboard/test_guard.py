"""Who may talk to the page: hosts, origins and tokens, asked as a browser would ask."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tosg.dashboard.guard import COOKIE, MOST_WRONG, Attempts, Guard
from tosg.dashboard.serve import choose_address, is_loopback
from tosg.errors import ConfigError

TOKEN = "right-token"


async def page(scope: Any, _receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"the page"})


def ask(
    guard: Guard,
    headers: dict[str, str],
    query: str = "",
    *,
    kind: str = "http",
    client: str = "10.0.0.1",
    path: str = "/entity",
) -> list[dict[str, Any]]:
    scope = {
        "type": kind,
        "path": path,
        "query_string": query.encode(),
        "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
        "client": (client, 5),
    }
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(guard(scope, None, send))  # type: ignore[arg-type]
    return sent


def status(sent: list[dict[str, Any]]) -> int:
    return int(sent[0].get("status", 0))


@pytest.fixture
def local() -> Guard:
    return Guard(page, hosts=frozenset({"127.0.0.1"}))


@pytest.fixture
def remote() -> Guard:
    return Guard(page, hosts=frozenset({"lab.example"}), token=TOKEN)


@pytest.mark.parametrize("host", ["localhost:8601", "127.0.0.1:8601", "LOCALHOST:1", "[::1]:8601"])
def test_loopback_names_are_answered(local: Guard, host: str) -> None:
    assert status(ask(local, {"host": host})) == 200


@pytest.mark.parametrize("host", ["evil.example:8601", "localhost.evil.example", "", "127.0.0.2"])
def test_foreign_hosts_are_refused(local: Guard, host: str) -> None:
    assert status(ask(local, {"host": host})) == 421


def test_other_sites_are_refused(local: Guard) -> None:
    own = {"host": "localhost:8601", "origin": "http://localhost:8601"}
    assert status(ask(local, own)) == 200
    for origin in ("http://evil.example", "http://localhost:9999", "null"):
        assert status(ask(local, {**own, "origin": origin})) == 403
    assert status(ask(local, {"host": "localhost:8601", "sec-fetch-site": "cross-site"})) == 403


def test_websockets_are_guarded_too(local: Guard) -> None:
    own = {"host": "localhost:8601", "origin": "http://localhost:8601"}
    assert ask(local, own, kind="websocket") == [{"type": "websocket.accept"}]
    (closed,) = ask(local, {**own, "origin": "http://evil.example"}, kind="websocket")
    assert closed["type"] == "websocket.close"


def test_token_moves_from_the_address_to_a_cookie(remote: Guard) -> None:
    host = {"host": "lab.example:80"}
    assert status(ask(remote, host)) == 401
    sent = ask(remote, host, f"id=ncbigene%3A1&token={TOKEN}")
    fields = {k.decode(): v.decode() for k, v in sent[0]["headers"]}
    assert status(sent) == 303
    assert fields["location"] == "/entity?id=ncbigene%3A1"
    assert "HttpOnly" in fields["set-cookie"]
    assert "SameSite=Strict" in fields["set-cookie"]
    cookie = fields["set-cookie"].split(";")[0]
    assert cookie == f"{COOKIE}={TOKEN}"
    assert status(ask(remote, {**host, "cookie": cookie})) == 200
    assert status(ask(remote, {**host, "cookie": f"{COOKIE}=wrong"})) == 401


def test_the_redirect_stays_on_the_page(remote: Guard) -> None:
    sent = ask(remote, {"host": "lab.example"}, f"token={TOKEN}", path="//evil.example/x")
    fields = {k.decode(): v.decode() for k, v in sent[0]["headers"]}
    assert fields["location"] == "/evil.example/x"


def test_guessing_has_to_wait(remote: Guard) -> None:
    host = {"host": "lab.example"}
    answers = [status(ask(remote, host, f"token=guess{i}")) for i in range(MOST_WRONG + 1)]
    assert answers == [401] * MOST_WRONG + [429]
    assert status(ask(remote, host, f"token={TOKEN}")) == 429
    assert status(ask(remote, host, f"token={TOKEN}", client="10.0.0.2")) == 303


def test_waiting_ends() -> None:
    attempts = Attempts()
    for _ in range(MOST_WRONG):
        attempts.add("a", 100.0)
    assert attempts.is_blocked("a", 101.0)
    assert not attempts.is_blocked("a", 161.0)
    attempts.add("a", 161.0)
    assert not attempts.is_blocked("a", 162.0)


def test_a_page_off_loopback_has_a_token() -> None:
    assert choose_address("127.0.0.1", None).token is None
    address = choose_address("0.0.0.0", None)  # noqa: S104 - closed again at once
    assert len(address.token or "") > 20
    assert address.url.endswith(f"?token={address.token}")
    assert is_loopback("::1")
    assert not is_loopback("lab.example")


def test_no_such_address() -> None:
    with pytest.raises(ConfigError, match="cannot listen"):
        choose_address("203.0.113.7", 8601)
