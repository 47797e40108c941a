"""Addresses from outside: fetched only when they lead to a public address, at every redirect anew."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import pytest
import requests

from bot.platforms import outside
from bot.platforms.dingtalk.stream import leads_to_dingtalk


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("file:///etc/passwd", "scheme"),
        ("ftp://files.test/a", "scheme"),
        ("gopher://a.test/", "scheme"),
        ("//a.test/x", "scheme"),
        ("", "scheme"),
        ("https:///x", "scheme"),
        ("http://user@a.test/", "user"),
        ("http://a.test:6379/", "port"),
        ("https://a.test:80/", "port"),
        ("http://a.test:99999/", "malformed"),
        ("http://[::1/", "malformed"),
    ],
)
def test_an_address_of_another_kind_is_refused(url, code):
    with pytest.raises(outside.NotOutside, match=code):
        outside.check_address(url)


@pytest.mark.parametrize("url", ["http://a.test/x?y=1", "https://a.test:443/x", "HTTPS://a.test"])
def test_a_plain_address_is_not_refused(url):
    outside.check_address(url)


class Peer:
    """A socket that says who is at the other end."""

    def __init__(self, address: str) -> None:
        self.address, self.closed = address, False

    def getpeername(self) -> tuple[str, int]:
        return self.address, 443

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),  # metadata of clouds
        ("100.100.100.200", False),  # the same at Aliyun
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
        ("2002:7f00:1::", False),  # 6to4 around 127.0.0.1
        ("47.104.0.1", True),
        ("2408:4001::1", True),
    ],
)
def test_only_a_public_peer_is_spoken_to(address, public):
    peer = Peer(address)
    if public:
        outside.check_peer(peer)
    else:
        with pytest.raises(outside.NotOutside, match="private_address"):
            outside.check_peer(peer)
    assert peer.closed is not public


@pytest.fixture
def inner() -> Iterator[tuple[str, list[str]]]:
    """A service of the plant's own network, and what it was asked."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(302 if self.path.startswith("/away") else 200)
            if self.path.startswith("/away"):
                self.send_header("Location", self.path.removeprefix("/away?"))
            self.end_headers()
            self.wfile.write(b"secret")

        def log_message(self, *_args: object) -> None:
            return None

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


def direct() -> requests.Session:
    plain = requests.Session()
    plain.trust_env = False
    return plain


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_a_connection_into_the_plant_sends_nothing(inner, monkeypatch, name):
    base, asked = inner
    monkeypatch.setattr(outside, "PORTS", {"http": int(base.rpartition(":")[2]), "https": 443})
    with pytest.raises(outside.NotOutside, match="private_address"):
        outside.get(outside.session(direct()), base.replace("127.0.0.1", name) + "/x")
    assert asked == []


def test_a_redirect_is_looked_at_like_the_first_address(inner):
    base, asked = inner
    ours = direct()
    for target, code in (
        ("http://127.0.0.1:1/x", "port"),
        ("file:///etc/passwd", "scheme"),
        ("http://127.0.0.1/x", "."),
    ):
        with pytest.raises((outside.NotOutside, requests.ConnectionError), match=code):
            outside.get(outside.session(ours), f"{base}/away?{target}", home=base, ours=ours)
    with pytest.raises(outside.NotOutside, match="redirects"):
        outside.get(outside.session(ours), f"{base}/away?/away?/away?/away?/away?/x", home=base, ours=ours)
    assert all(path.startswith("/away") for path in asked)


def test_the_platforms_own_base_is_the_admins_choice(inner):
    base, _ = inner
    ours = direct()
    with outside.get(outside.session(ours), f"{base}/file", home=f"{base}/api", ours=ours) as answer:
        assert answer.content == b"secret"


def test_a_name_that_does_not_exist_is_an_ordinary_failure():
    http = outside.session(direct())
    with pytest.raises(requests.ConnectionError):
        outside.get(http, "http://no-such-host.invalid/x")


@pytest.mark.parametrize(
    ("endpoint", "base", "good"),
    [
        ("wss://wss-open-connection.dingtalk.com:443/connect", "https://api.dingtalk.com", True),
        ("ws://wss-open-connection.dingtalk.com/connect", "https://api.dingtalk.com", False),
        ("wss://10.0.0.1/connect", "https://api.dingtalk.com", False),
        ("wss://dingtalk.com.evil.test/connect", "https://api.dingtalk.com", False),
        ("ws://127.0.0.1:9/connect", "http://127.0.0.1:8", True),
    ],
)
def test_the_stream_is_only_opened_to_dingtalk(endpoint, base, good):
    assert leads_to_dingtalk(endpoint, base) is good
