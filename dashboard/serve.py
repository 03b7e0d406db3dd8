"""Start the page: Streamlit as one ASGI application behind `tosg.dashboard.guard`."""

from __future__ import annotations

import ipaddress
import secrets
import socket
import threading
import webbrowser
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tosg.deadline import Deadline
from tosg.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tosg.settings import Settings

#: Seconds that the page may take until it answers.
START_SECONDS = 60.0

#: What the page itself runs with; nothing is sent to anybody, and nothing is watched for changes.
_OPTIONS = {
    "browser.gatherUsageStats": False,
    "client.showErrorDetails": "none",
    "client.toolbarMode": "minimal",
    "runner.fastReruns": True,
    "server.fileWatcherType": "none",
    "server.headless": True,
    "theme.primaryColor": "#005A8F",
    "theme.codeTextColor": "#1A1A1A",
}


@dataclass(frozen=True, slots=True)
class Address:
    """Where the page answers.

    Attributes
    ----------
    host : str
        Address that it listens on.
    port : int
    token : str or None
        Secret that a visitor needs; None on loopback.
    """

    host: str
    port: int
    token: str | None

    @property
    def url(self) -> str:
        """The address to open, with its token."""
        host = "localhost" if is_loopback(self.host) else self.host
        if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
            host = socket.getfqdn()
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{self.port}/" + (f"?token={self.token}" if self.token else "")


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def choose_address(host: str, port: int | None) -> Address:
    """Check the address and make the token.

    Raises
    ------
    ConfigError
        The port is taken, or the host is no address of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port or 0))
        except OSError as error:
            raise ConfigError(
                "the dashboard cannot listen there",
                where=f"{host}:{port or 0}",
                found=error.strerror or str(error),
                hint="choose another --port, or leave it out for a free one",
            ) from error
        free = probe.getsockname()[1]
    return Address(host, port or free, None if is_loopback(host) else secrets.token_urlsafe(24))


def serve(
    settings: Settings,
    *,
    host: str = "127.0.0.1",
    port: int | None = None,
    browser: bool = True,
    tell: Callable[[Address], None] = lambda _address: None,
) -> None:
    """Serve the page until it is interrupted.

    Parameters
    ----------
    settings : Settings
        Which graph.
    host : str
        Address to listen on; off loopback visitors need the token.
    port : int, optional
        By default a free one.
    browser : bool
        Whether to open a browser on this machine.
    tell : callable, optional
        Called with the address once the page answers.

    Raises
    ------
    ConfigError
        The extra ``dashboard`` is not installed, or the address cannot be used.
    """
    try:
        import streamlit as st
        import uvicorn
        from starlette.middleware import Middleware
        from streamlit import config
    except ImportError as error:
        raise ConfigError(
            "the dashboard is not installed",
            found=f"no package {error.name}",
            hint="pip install 'tosg[dashboard]'",
        ) from error
    from tosg.dashboard import connection
    from tosg.dashboard.guard import Guard

    address = choose_address(host, port)
    connection.use(settings)
    for name, value in _OPTIONS.items():
        config.set_option(name, value)
    config.set_option("server.address", host)
    config.set_option("server.port", address.port)
    names = frozenset({host, socket.gethostname().lower(), socket.getfqdn().lower()})
    guard = Middleware(Guard, hosts=names, token=address.token)
    app = st.App(Path(__file__).with_name("app.py"), middleware=[guard])

    def announce() -> None:
        if _answers(address):
            tell(address)
            if browser:
                webbrowser.open(address.url)

    threading.Thread(target=announce, daemon=True).start()
    uvicorn.run(app, host=host, port=address.port, log_level="warning", ws_max_size=64 << 20)


def _answers(address: Address) -> bool:
    """Wait until the page answers; whether it does."""
    host = "127.0.0.1" if address.host == "0.0.0.0" else address.host  # noqa: S104 - compared
    deadline = Deadline(START_SECONDS)
    while not deadline.passed:
        try:
            with closing(socket.create_connection((host, address.port), timeout=1)):
                return True
        except OSError:
            deadline.sleep(0.05)
    return False
