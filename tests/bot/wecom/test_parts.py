"""The parts below the platform: tokens, signatures, limits, repeats, error classes, answers that are no answers."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter

from bot.message import Kind, MediaRef
from bot.outbox import ALARM, NORMAL, REPLY, URGENT
from bot.platforms.base import Failure, PlatformError, Target
from bot.platforms.rates import MEMBER, ROBOT, Limit, Rates, sending
from bot.platforms.tokens import TokenKeeper
from bot.platforms.uses import Budget, Uses
from bot.platforms.wecom import WeCom, WeComConfig
from bot.platforms.wecom.errors import meaning_of, meaning_of_status
from bot.platforms.wecom.media import file_name
from bot.platforms.wecom.pages import js_sign
from bot.platforms.wecom.repeats import CHECK, Repeats

ZHANG = Target(user="ZhangWei")


class Scripted(BaseAdapter):
    """Answers by path: (status, headers, body), an exception, or a list of them used up one by one."""

    def __init__(self, answers: dict[str, Any]) -> None:
        super().__init__()
        self.answers = {"gettoken": (200, {}, {"errcode": 0, "access_token": "T", "expires_in": 7200}), **answers}
        self.seen: list[requests.PreparedRequest] = []

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        self.seen.append(request)
        answer = self.answers[str(request.url).split("/cgi-bin/")[1].split("?")[0]]
        if isinstance(answer, list):
            answer = answer.pop(0)
        if isinstance(answer, Exception):
            raise answer
        status, headers, body = answer
        response = requests.Response()
        response.status_code, response.request, response.url = status, request, str(request.url)
        response.headers.update(headers)
        response.raw = io.BytesIO(body if isinstance(body, bytes) else json.dumps(body).encode())
        return response

    def close(self) -> None: ...


@pytest.fixture
def scripted(redis_client: Any, clock: Any) -> Any:
    sessions = []

    def build(**answers: Any) -> tuple[WeCom, Scripted]:
        server, http = Scripted({name.replace("__", "/"): a for name, a in answers.items()}), requests.Session()
        http.mount("https://", server)
        sessions.append(http)
        config = WeComConfig("ww1", 2, "secret-of-app", "t", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8")
        wecom = WeCom(
            config,
            redis=redis_client,
            http=http,
            clock=clock,
            public_url="https://plant.test",
            picture_url=lambda sha: sha,
        )
        return wecom, server

    yield build
    for http in sessions:
        http.close()


def failure_of(call: Any) -> PlatformError:
    with pytest.raises(PlatformError) as caught:
        call()
    return caught.value


# -- answers


@pytest.mark.parametrize(
    ("answer", "failure", "code"),
    [
        ((504, {}, b"<html>"), Failure.UNKNOWN, "http_504"),
        ((502, {}, b"<html>"), Failure.RETRY, "http_502"),
        ((429, {}, b""), Failure.RETRY, "http_429"),
        ((403, {}, b"<html>"), Failure.CONFIG, "http_403"),
        ((302, {"Location": "https://evil.test/"}, b""), Failure.RETRY, "not_json"),
        ((200, {}, b""), Failure.RETRY, "not_json"),
        ((200, {}, b"[]"), Failure.RETRY, "not_json"),
        ((200, {}, {"errcode": "45009"}), Failure.THROTTLED, "45009"),
        ((200, {}, {"errcode": "odd"}), Failure.RETRY, "odd_answer_ValueError"),
        (requests.ConnectTimeout(), Failure.RETRY, "connect_timeout"),
        (requests.ReadTimeout(), Failure.UNKNOWN, "read_timeout"),
        (requests.ConnectionError("cut"), Failure.UNKNOWN, "cut"),
        (requests.exceptions.ProxyError(), Failure.RETRY, "proxy"),
        (ConnectionResetError(), Failure.UNKNOWN, "ConnectionResetError"),
    ],
)
def test_odd_answers_have_a_class(scripted, answer, failure, code):
    wecom, server = scripted(message__send=answer)
    failed = failure_of(lambda: wecom.send_text(ZHANG, "x", key="k"))
    assert (failed.failure, failed.code) == (failure, code)
    assert len(server.seen) == 2  # the token and one attempt: nothing is repeated here, no redirect followed


@pytest.mark.parametrize("answer", [(200, {}, b"<html>"), (200, {}, {}), requests.ReadTimeout(), (500, {}, b"")])
def test_a_token_call_that_fails_is_tried_again_later(scripted, answer):
    wecom, server = scripted(gettoken=answer)
    assert failure_of(lambda: wecom.send_text(ZHANG, "x", key="k")).failure is Failure.RETRY
    assert len(server.seen) == 1


def test_the_body_says_that_it_is_json(scripted):
    wecom, server = scripted(message__send=(200, {}, {"errcode": 0, "msgid": "M"}))
    assert wecom.send_text(ZHANG, "甲醇", key="k").ref == "M"
    sent = server.seen[-1]
    assert sent.headers["Content-Type"].startswith("application/json")
    body = json.loads(sent.body)
    assert body["text"]["content"] == "甲醇" and body["touser"] == "ZhangWei" and body["agentid"] == 2
    assert body["enable_duplicate_check"] == 1


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        (-1, Failure.RETRY),
        (45033, Failure.RETRY),
        (45009, Failure.THROTTLED),
        (40013, Failure.CONFIG),
        (60020, Failure.CONFIG),
        (93000, Failure.NOBODY),
        (93004, Failure.NOBODY),
        (93008, Failure.NOBODY),
        (60111, Failure.NOBODY),
        (81013, Failure.NOBODY),
        (40007, Failure.EXPIRED),
        (40029, Failure.EXPIRED),
        (82001, Failure.PERMANENT),
        (123456, Failure.PERMANENT),
    ],
)
def test_codes_and_what_they_mean(code, failure):
    assert meaning_of(code).failure is failure
    assert bool(meaning_of(code).remedy) == (failure is Failure.CONFIG or code in (81013, 40029, 93000, 93004, 93008))


@pytest.mark.parametrize(("status", "failure"), [(499, Failure.CONFIG), (500, Failure.RETRY), (504, Failure.UNKNOWN)])
def test_statuses_and_what_they_mean(status, failure):
    assert meaning_of_status(status).failure is failure


# -- downloads


def test_an_error_in_the_shape_of_a_download_is_seen(scripted):
    ref = MediaRef("M", Kind.IMAGE)
    wecom, _ = scripted(media__get=(200, {"Content-Type": "application/json"}, {"errcode": 40007, "errmsg": "x"}))
    assert failure_of(lambda: wecom.download(ref)).failure is Failure.EXPIRED
    wecom, _ = scripted(media__get=(200, {"Content-Type": "text/html"}, b"<html>login</html>"))
    assert failure_of(lambda: wecom.download(ref)).failure is Failure.RETRY
    wecom, _ = scripted(media__get=(503, {}, b""))
    assert failure_of(lambda: wecom.download(ref)).failure is Failure.RETRY
    wecom, _ = scripted(media__get=requests.ReadTimeout())
    assert failure_of(lambda: wecom.download(ref)).failure is Failure.RETRY


def test_a_file_that_looks_like_an_error_is_a_file(scripted):
    data = b'{"errcode": 40007}'
    wecom, _ = scripted(media__get=(200, {"Content-Disposition": 'attachment; filename="a.json"'}, data))
    assert wecom.download(MediaRef("M", Kind.FILE)) == data


def test_a_download_without_end_is_stopped(scripted, monkeypatch):
    monkeypatch.setattr("bot.platforms.wecom.media.MAX_DOWNLOAD_BYTES", 1000)
    wecom, _ = scripted(media__get=(200, {"Content-Type": "image/jpeg"}, b"x" * 1001))
    assert failure_of(lambda: wecom.download(MediaRef("M", Kind.IMAGE))).failure is Failure.PERMANENT
    wecom, _ = scripted(media__get=(200, {"Content-Type": "image/jpeg"}, b"x" * 1000))
    assert len(wecom.download(MediaRef("M", Kind.IMAGE))) == 1000


@pytest.mark.parametrize(
    ("name", "kind", "shown"),
    [
        ("整改 前后.jpg", "image", "整改 前后.jpg"),
        ("../../etc/passwd", "file", "passwd.bin"),
        ("C:\\x\\报告.pdf", "file", "报告.pdf"),
        ('a"b\r\n.pdf', "file", "ab.pdf"),
        ("", "image", "file.jpg"),
        (".jpg", "image", "file.jpg"),
        ("长" * 100 + ".xlsx", "file", "长" * 40 + ".xlsx"),
    ],
)
def test_names_that_people_see(name, kind, shown):
    assert file_name(name, kind) == shown


# -- tokens


class Fetch:
    def __init__(self, lives_s: int = 7200) -> None:
        self.calls, self.lives_s = 0, lives_s

    def __call__(self) -> tuple[str, int]:
        self.calls += 1
        return f"T{self.calls}", self.lives_s


def test_a_token_is_used_until_five_minutes_before_its_end(redis_client, clock):
    keeper, fetch = TokenKeeper(redis_client, prefix="p", clock=clock), Fetch()
    assert keeper.get("token", fetch) == "T1"
    clock.forward(6899)
    assert keeper.get("token", fetch) == "T1"
    clock.forward(1)
    assert keeper.get("token", fetch) == "T2"
    assert 0 < redis_client.ttl("p:token") <= 6900


def test_processes_share_tokens_and_apps_do_not(redis_client, clock):
    fetch = Fetch()
    one, two = (TokenKeeper(redis_client, prefix="p", clock=clock) for _ in range(2))
    assert one.get("token", fetch) == two.get("token", fetch) == "T1"
    assert TokenKeeper(redis_client, prefix="q", clock=clock).get("token", fetch) == "T2"


def test_a_refused_token_is_dropped_once(redis_client, clock):
    keeper, fetch = TokenKeeper(redis_client, prefix="p", clock=clock), Fetch()
    keeper.get("token", fetch)
    keeper.forget("token", "T1")
    assert keeper.get("token", fetch) == "T2"
    keeper.forget("token", "T1")  # a slow neighbour, refused with the old one
    assert keeper.get("token", fetch) == "T2"


def test_a_short_lived_token_is_kept_for_a_part_of_its_life(redis_client, clock):
    keeper, fetch = TokenKeeper(redis_client, prefix="p", clock=clock), Fetch(lives_s=100)
    keeper.get("token", fetch)
    clock.forward(79)
    assert keeper.get("token", fetch) == "T1"
    clock.forward(1)
    assert keeper.get("token", fetch) == "T2"


def test_a_fetch_that_fails_leaves_no_lock_behind(redis_client, clock):
    keeper = TokenKeeper(redis_client, prefix="p", clock=clock)

    def fail() -> tuple[str, int]:
        raise PlatformError(Failure.RETRY)

    failure_of(lambda: keeper.get("token", fail))
    assert not redis_client.exists("p:token:lock")
    assert keeper.get("token", Fetch()) == "T1"


def test_without_redis_a_process_keeps_its_own(no_redis, clock):
    keeper, fetch = TokenKeeper(no_redis, prefix="p", clock=clock), Fetch()
    assert keeper.get("token", fetch) == keeper.get("token", fetch) == "T1"
    keeper.forget("token", "T1")
    assert keeper.get("token", fetch) == "T2"
    clock.forward(6900)
    assert keeper.get("token", fetch) == "T3"


# -- limits and repeats


def test_the_longer_limit_holds_too(redis_client, clock):
    rates = Rates(redis_client, prefix="p", clock=clock)
    limits = (Limit(2, 60), Limit(3, 3600))
    for _ in range(3):
        rates.take(["u"], limits)
        clock.forward(40)
    assert failure_of(lambda: rates.take(["u"], limits)).wait_s == pytest.approx(3600 - 120)
    clock.forward(3600 - 120 + 1)
    rates.take(["u"], limits)


def test_nothing_is_counted_when_one_of_many_is_full(redis_client, clock):
    rates = Rates(redis_client, prefix="p", clock=clock)
    rates.take(["a"], (Limit(1, 60),))
    for _ in range(3):
        assert failure_of(lambda: rates.take(["a", "b"], (Limit(1, 60),))).failure is Failure.THROTTLED
    rates.take(["b"], (Limit(1, 60),))


def test_without_redis_nothing_is_held_back(no_redis, clock):
    rates = Rates(no_redis, prefix="p", clock=clock)
    for _ in range(50):
        rates.take(["a"], MEMBER)
    assert [limit[:2] for limit in (*MEMBER, *ROBOT)] == [(30, 60), (1000, 3600), (20, 60)]


def test_a_part_of_each_limit_is_kept_for_alarms(redis_client, clock):
    rates = Rates(redis_client, prefix="p", clock=clock)
    for _ in range(24):
        with sending(NORMAL):
            rates.take(["u"], MEMBER)
    with sending(NORMAL):
        error = failure_of(lambda: rates.take(["u"], MEMBER))
    assert (error.failure, error.code) == (Failure.THROTTLED, "member_minute")
    for urgency in (ALARM, URGENT) * 3:
        with sending(urgency):
            rates.take(["u"], MEMBER)
    with sending(ALARM):
        assert failure_of(lambda: rates.take(["u"], MEMBER)).code == "member_minute"


def test_a_clock_set_back_an_hour_blocks_nobody_for_an_hour(redis_client, clock):
    rates = Rates(redis_client, prefix="p", clock=clock)
    for _ in range(24):
        rates.take(["u"], MEMBER)
    clock.forward(-3600)
    rates.take(["u"], MEMBER)


def test_what_is_blocked_is_not_asked_until_it_is_over(redis_client, clock):
    rates = Rates(redis_client, prefix="p", clock=clock)
    rates.block("robot:a", 600)
    rates.check("robot:b", "robot_blocked")
    clock.forward(300)
    error = failure_of(lambda: rates.check("robot:a", "robot_blocked"))
    assert (error.code, error.wait_s) == ("robot_blocked", pytest.approx(300))
    clock.forward(301)
    rates.check("robot:a", "robot_blocked")


def test_the_last_tenth_of_a_day_is_kept_for_alarms_and_answers(redis_client, clock):
    uses, budget = Uses(redis_client, prefix="p", clock=clock), Budget("people", "x", "day", 100)
    uses.add(budget, 90)
    with sending(NORMAL):
        error = failure_of(lambda: uses.check(budget))
    assert (error.failure, error.code) == (Failure.QUOTA, "people_day")
    assert 0 < error.wait_s <= 86_400
    for urgency in (ALARM, URGENT, REPLY):
        with sending(urgency):
            uses.check(budget)
    uses.check(budget)  # a call that is no send
    clock.forward(86_400)
    with sending(NORMAL):
        uses.check(budget)


def test_an_emptied_redis_gets_back_what_was_known(redis_client, clock):
    uses, budget = Uses(redis_client, prefix="p", clock=clock), Budget("calls", "x", "month", 100)
    uses.add(budget, 5)
    day = uses.today()
    assert uses.at_least(budget, day, 40) == 40
    assert uses.at_least(budget, day, 12) == 40
    assert uses.used(budget) == 40


def test_only_the_first_message_with_these_words_may_be_swallowed(redis_client, no_redis):
    repeats = Repeats(redis_client, prefix="p")
    body = {"touser": "a", "text": {"content": "收到"}}
    assert repeats.flags(body, key="m1") == CHECK
    assert repeats.flags(body, key="m2") == {}
    assert repeats.flags(body, key="m1") == CHECK
    assert repeats.flags(body, key="m2") == {}
    assert repeats.flags({**body, "touser": "b"}, key="m2") == CHECK
    assert Repeats(no_redis, prefix="p").flags(body, key="m1") == {}
    assert all(0 < redis_client.ttl(name) <= 1800 for name in redis_client.keys("p:said:*"))


# -- signature of pages


def test_the_official_signature():
    ticket = "sM4AOVdWfPE4DxkXGEs8VMCPGGVi4C3VM0P37wVUCFvkVAy_90u5h9nbSlYy3-Sl-HhTdfl2fzFy1AOcHKP7qg"
    fields = {"ticket": ticket, "nonce": "Wm3WZYTPz0wzccnW", "timestamp": "1414587457"}
    url = "http://mp.weixin.qq.com?params=value"
    assert js_sign(**fields, url=url) == "0f9de62fce790f9a083d5c99e95740ceb90c27ed"
    assert js_sign(**fields, url=url + "#part") == js_sign(**fields, url=url)
    assert js_sign(**fields, url=url + "&x=1") != js_sign(**fields, url=url)
