"""Addresses that others gave us (SSRF guard): they are opened only when they lead outside, never into the plant's network.

The address of a peer is looked at after the connection is made and before a byte is sent, so a name that answers
differently the second time gains nothing. Through a proxy of the environment it is the proxy that decides.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from bot.platforms.http import Session

PORTS = {"http": 80, "https": 443}
MAX_HOPS = 3
TIMEOUT_S = (3.05, 30.0)
_REDIRECTS = (301, 302, 303, 307, 308)


class NotOutside(Exception):
    """The address is none that may be opened; the text is a code for the log."""


def check_address(url: str) -> None:
    """Raises NotOutside for anything but a plain http(s) address of a host on its usual port."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise NotOutside("malformed") from None
    if parts.scheme not in PORTS or not parts.hostname:
        raise NotOutside("scheme")
    if parts.username is not None or parts.password is not None:
        raise NotOutside("user")
    if port not in (None, PORTS[parts.scheme]):
        raise NotOutside("port")


def check_peer(sock: socket.socket) -> None:
    """Raises NotOutside when the other end is not a public address; the socket is closed then."""
    address = ipaddress.ip_address(str(sock.getpeername()[0]).partition("%")[0])
    inner = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None) or address
    if not (address.is_global and inner.is_global) or address.is_multicast:
        sock.close()
        raise NotOutside("private_address")


class _Http(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        sock = super()._new_conn()
        check_peer(sock)
        return sock


class _Https(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        sock = super()._new_conn()
        check_peer(sock)
        return sock


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _Https


class OutsideAdapter(HTTPAdapter):
    """Connects to public addresses only."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}


def session(like: requests.Session | None = None) -> requests.Session:
    """A session for addresses from outside; takes over whether `like` asks the environment for a proxy."""
    made = Session(timeout_s=TIMEOUT_S, user_agent="anshao", max_body_bytes=0)
    made.trust_env = like.trust_env if like is not None else True
    for scheme in PORTS:
        made.mount(f"{scheme}://", OutsideAdapter())
    return made


def get(http: requests.Session, url: str, *, home: str = "", ours: requests.Session | None = None) -> requests.Response:
    """Open the address for reading in pieces; every redirect is looked at like the first.

    An address under `home` (the platform's own base from our settings) is opened with `ours` and not checked: the
    admin chose it. Raises NotOutside, and what requests raises.
    """
    for _ in range(MAX_HOPS + 1):
        at_home = bool(home) and ours is not None and _origin(url) == _origin(home)
        if not at_home:
            check_address(url)
        client = ours if at_home and ours is not None else http
        answer = client.get(url, timeout=TIMEOUT_S, stream=True, allow_redirects=False)
        if answer.status_code not in _REDIRECTS or not answer.headers.get("Location"):
            return answer
        url = urljoin(url, answer.headers["Location"])
        answer.close()
    raise NotOutside("redirects")


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
