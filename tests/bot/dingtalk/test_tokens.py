from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable

import pytest
import redis

from bot.platforms.base import Failure, PlatformError, Target
from bot.platforms.dingtalk import DingTalk
from bot.platforms.tokens import TokenKeeper
from tests.bot.dingtalk.conftest import Clock, Seen, Server

SEND = "POST /v1.0/robot/oToMessages/batchSend"
OK = {"processQueryKey": "p/=", "invalidStaffIdList": [], "flowControlledStaffIdList": []}
REFUSED = (400, {"code": "InvalidAuthentication", "requestid": "r", "message": "不合法的access_token"})
TOKEN = "/v1.0/oauth2/accessToken"


def test_one_token_serves_many_calls_and_processes(make: Callable[..., DingTalk], server: Server) -> None:
    server.answers[SEND] = OK
    for dingtalk in (make(), make()):
        dingtalk.send_text(Target(user="u"), "hi", key="k")
    assert len(server.calls(TOKEN)) == 1
    assert {c.headers["x-acs-dingtalk-access-token"] for c in server.calls("/v1.0/robot/oToMessages/batchSend")} == {
        "new-1"
    }


def test_a_token_is_renewed_before_its_end(dingtalk: DingTalk, server: Server, clock: Clock) -> None:
    server.answers[SEND] = OK
    dingtalk.send_text(Target(user="u"), "hi", key="k")
    clock.forward(7200 - 301)
    dingtalk.send_text(Target(user="u"), "hi", key="k")
    assert len(server.calls(TOKEN)) == 1
    clock.forward(2)
    dingtalk.send_text(Target(user="u"), "hi", key="k")
    assert len(server.calls(TOKEN)) == 2


def test_a_refused_token_is_replaced_once(dingtalk: DingTalk, server: Server) -> None:
    server.answers[SEND] = [REFUSED, OK]
    dingtalk.send_text(Target(user="u"), "hi", key="k")
    assert server.last().headers["x-acs-dingtalk-access-token"] == "new-2"


def test_a_token_that_is_always_refused_ends(dingtalk: DingTalk, server: Server) -> None:
    server.answers[SEND] = REFUSED
    with pytest.raises(PlatformError) as caught:
        dingtalk.send_text(Target(user="u"), "hi", key="k")
    assert caught.value.failure is Failure.RETRY
    assert len(server.calls("/v1.0/robot/oToMessages/batchSend")) == 2


@pytest.mark.parametrize("errcode", [40014, 42001, 40001, 33001])
def test_the_old_api_refreshes_once_too(dingtalk: DingTalk, server: Server, errcode: int) -> None:
    refused = {"errcode": errcode, "errmsg": "不合法的access_token"}
    server.answers["POST /old/topapi/v2/user/get"] = [refused, {"errcode": 0, "result": {"userid": "u", "name": "张"}}]
    member = dingtalk.member("u")
    assert member is not None and member.user == "u"
    assert [c.query["access_token"] for c in server.calls("/old/topapi/v2/user/get")] == ["old-1", "old-2"]
    server.answers["POST /old/topapi/v2/user/get"] = refused
    with pytest.raises(PlatformError):
        dingtalk.member("u")
    assert len(server.calls("/old/topapi/v2/user/get")) == 4


def test_without_redis_the_process_keeps_its_own(
    make: Callable[..., DingTalk], server: Server, no_redis: redis.Redis
) -> None:
    server.answers[SEND] = [OK, OK, REFUSED, OK]
    dingtalk = make(store=no_redis)
    for _ in range(3):
        dingtalk.send_text(Target(user="u"), "hi", key="k")
    assert len(server.calls(TOKEN)) == 2


def test_many_threads_fetch_once(redis_socket: str, redis_client: redis.Redis, clock: Clock) -> None:
    fetched: list[int] = []
    all_here = threading.Barrier(8)

    def fetch() -> tuple[str, int]:
        fetched.append(1)
        return "t", 7200

    def work() -> None:
        keeper = TokenKeeper(redis.Redis(unix_socket_path=redis_socket), prefix="x", clock=clock)
        all_here.wait()
        assert keeper.get("a", fetch) == "t"

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(fetched) == 1


def test_a_late_complaint_does_not_drop_the_new_token(redis_client: redis.Redis, clock: Clock) -> None:
    keeper = TokenKeeper(redis_client, prefix="x", clock=clock)
    assert keeper.get("a", lambda: ("one", 7200)) == "one"
    keeper.forget("a", "one")
    assert keeper.get("a", lambda: ("two", 7200)) == "two"
    keeper.forget("a", "one")
    assert keeper.get("a", lambda: ("three", 7200)) == "two"


@pytest.mark.parametrize(("lives_s", "kept_s"), [(7200, 6900), (10, 8), (1, 1)])
def test_the_margin_fits_short_lives(redis_client: redis.Redis, clock: Clock, lives_s: int, kept_s: int) -> None:
    keeper = TokenKeeper(redis_client, prefix="x", clock=clock)
    keeper.get("a", lambda: ("one", lives_s))
    clock.forward(kept_s - 0.5)
    assert keeper.get("a", lambda: ("two", lives_s)) == "one"
    clock.forward(0.5)
    assert keeper.get("a", lambda: ("two", lives_s)) == "two"


def test_a_failed_fetch_leaves_nothing_behind(redis_client: redis.Redis, clock: Clock) -> None:
    keeper = TokenKeeper(redis_client, prefix="x", clock=clock)

    def failing() -> tuple[str, int]:
        raise PlatformError(Failure.RETRY, "x")

    with pytest.raises(PlatformError):
        keeper.get("a", failing)
    assert keeper.get("a", lambda: ("one", 7200)) == "one"


def test_a_time_out_of_the_token_call_sent_nothing(dingtalk: DingTalk, server: Server) -> None:
    import requests

    server.answers["POST /v1.0/oauth2/accessToken"] = requests.exceptions.ReadTimeout()
    with pytest.raises(PlatformError) as caught:
        dingtalk.send_text(Target(user="u"), "hi", key="k")
    assert caught.value.failure is Failure.RETRY


def test_the_sdk_is_pointed_at_our_base(dingtalk: DingTalk, server: Server) -> None:
    seen: list[Seen] = server.seen
    assert dingtalk.oapi.token() == "old-1"
    assert (seen[-1].host, seen[-1].path) == ("oapi.ding.test", "/old/gettoken")


def test_the_sdk_is_not_imported_before_it_is_needed() -> None:
    code = "import sys, bot.platforms.dingtalk; sys.exit('dingtalk' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
