"""Who may talk to the page: hosts that it answers to, and a token where it is not on loopback.

A page on loopback is still reachable from any web site that the user has open: by a name that
resolves to 127.0.0.1 (DNS rebinding), or by a cross-site request. So the ``Host`` header must be
a name of ours and ``Origin``, where the browser sends one, must be the page itself. Off loopback
each request carries the token, in a cookie that the first visit with ``?token=`` sets; an address
with several wrong tokens has to wait.
"""

from __future__ import annotations

import hmac
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
    App = Callable[[Scope, Receive, Send], Awaitable[None]]

COOKIE = "tosg_token"

#: Wrong tokens that an address may send before it has to wait.
MOST_WRONG = 5

#: Seconds that it then waits.
WAIT_SECONDS = 60.0

#: Addresses remembered at once, so that guessing from many cannot fill the memory.
MOST_ADDRESSES = 10_000

_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


@dataclass
class Attempts:
    """Wrong tokens by address."""

    wrong: OrderedDict[str, tuple[int, float]] = field(default_factory=OrderedDict)

    def is_blocked(self, address: str, now: float) -> bool:
        """Whether an address has to wait."""
        count, last = self.wrong.get(address, (0, 0.0))
        return count >= MOST_WRONG and now - last < WAIT_SECONDS

    def add(self, address: str, now: float) -> None:
        """Count a wrong token."""
        count, last = self.wrong.pop(address, (0, 0.0))
        self.wrong[address] = (1 if now - last >= WAIT_SECONDS else count + 1, now)
        while len(self.wrong) > MOST_ADDRESSES:
            self.wrong.popitem(last=False)

    def clear(self, address: str) -> None:
        """Forget the wrong tokens of an address."""
        self.wrong.pop(address, None)


class Guard:
    """ASGI middleware that refuses foreign hosts, cross-site requests and wrong tokens.

    Parameters
    ----------
    app : ASGI application
        The page.
    hosts : frozenset of str
        Names, without port, that the page answers to.
    token : str or None
        Secret that each request must carry; None on loopback.
    """

    def __init__(self, app: App, *, hosts: frozenset[str], token: str | None = None) -> None:
        self.app = app
        self.hosts = hosts | _LOOPBACK_NAMES
        self.token = token
        self.attempts = Attempts()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with the reason why not."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}
        refusal = self._refuse_host(headers) or self._refuse_token(scope, headers)
        if refusal is not None:
            await _answer(scope, send, *refusal)
        elif self.token is not None and "token" in _query(scope):
            await _set_cookie(scope, send, self.token)
        else:
            await self.app(scope, receive, send)

    def _refuse_host(self, headers: dict[str, str]) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if _name(host) not in self.hosts:
            return 421, "This page does not answer to that host name; use tosg dashboard --host."
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return 403, "Requests from other web sites are refused."
        if headers.get("sec-fetch-site", "none") == "cross-site":
            return 403, "Requests from other web sites are refused."
        return None

    def _refuse_token(self, scope: Scope, headers: dict[str, str]) -> tuple[int, str] | None:
        if self.token is None:
            return None
        address = str((scope.get("client") or ("unknown", 0))[0])
        now = time.monotonic()
        if self.attempts.is_blocked(address, now):
            return 429, f"Too many wrong tokens; wait {WAIT_SECONDS:.0f} seconds."
        given = _query(scope).get("token") or _cookie(headers.get("cookie", ""))
        if given is not None and hmac.compare_digest(given.encode(), self.token.encode()):
            self.attempts.clear(address)
            return None
        if given is not None:
            self.attempts.add(address, now)
        return 401, "Open the address with the token that tosg dashboard printed."


def _name(host: str) -> str:
    """Host name without its port, lower case."""
    name, _, port = host.rpartition(":")
    return (name if name and port.isdigit() else host).lower()


def _query(scope: Scope) -> dict[str, str]:
    fields = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    return {key: values[-1] for key, values in fields.items()}


def _cookie(header: str) -> str | None:
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return None
    return None if found is None else found.value


async def _set_cookie(scope: Scope, send: Send, token: str) -> None:
    """Answer with the same address without the token, which stays in a cookie."""
    rest = {key: value for key, value in _query(scope).items() if key != "token"}
    where = scope["path"] + (f"?{urlencode(rest)}" if rest else "")
    cookie = f"{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/"
    # One slash: "//host" would lead to another site.
    headers = [("location", "/" + where.lstrip("/")), ("set-cookie", cookie)]
    await _answer(scope, send, 303, "", headers)


async def _answer(
    scope: Scope, send: Send, status: int, text: str, headers: list[tuple[str, str]] | None = None
) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": text[:120]})
        return
    body = text.encode()
    fields = [("content-type", "text/plain; charset=utf-8"), ("content-length", str(len(body)))]
    raw = [(k.encode(), v.encode("latin-1")) for k, v in [*fields, *(headers or [])]]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
