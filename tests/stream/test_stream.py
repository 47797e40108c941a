"""The stream client against the emulated gateway: real WebSockets, a real database and Redis, every fault of the link."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from time import monotonic

import pytest
from sqlalchemy import select

from app import create_app
from bot.platforms.dingtalk import DingTalk, DingTalkConfig, stream_board
from bot.platforms.dingtalk.stream import Pace, StreamClient, stream_of
from jobs.inbound import accept_into
from jobs.queue import NoKicker
from storage.database import open_engine
from storage.inbox import write_canary
from storage.models import Inbox
from storage.unit_of_work import UnitOfWork
from tests.emulators.dingtalk_kit import World, card_body
from tests.plant import Plant as TalkPlant

WAIT_S = 10
AID = "立即停止作业,撤到上风向!"
PACE = Pace(
    quiet=20, quiet_most=60, linger=0.5, stable=0.4, back_off_first=0.1, back_off_most=0.8, drain=2, drain_quiet=0.1,
    poll=0.02, open_timeout=3, board=0,
)  # fmt: skip


class Plant:
    """A running client, its gateway and its inbox."""

    def __init__(self, world: World, database_url: str, redis, pace: Pace = PACE) -> None:
        self.world, self.redis = world, redis
        self.engine = open_engine(database_url)
        self.broken = threading.Event()
        config = DingTalkConfig(
            corp_id="dingcorp", client_id="dingkey", client_secret="demo secret", robot_code="dingrobot",
            mode="stream", api_base="http://ding.test/x", oapi_base="http://ding.test/x",
        )  # fmt: skip
        self.dingtalk = DingTalk(
            config, redis=redis, http=world.session, clock=self.now, public_url="http://bot.test", picture_url=str
        )
        store = accept_into(self.engine, NoKicker(), self.now, lambda words: AID if "着火" in words else "")

        def accept(messages):
            if self.broken.is_set():
                raise OSError("the disk is full")
            return store(messages)

        self.accept, self.pace, self.canary = accept, pace, None
        self.clients: list[tuple[StreamClient, threading.Thread]] = []

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.world.clock(), UTC)

    def start(self) -> StreamClient:
        client = stream_of(
            self.dingtalk, self.accept, http=self.world.session, redis=self.redis, clock=self.now, pace=self.pace,
            canary=self.canary,
        )  # fmt: skip
        thread = threading.Thread(target=client.run)
        thread.start()
        self.clients.append((client, thread))
        return client

    def stop(self) -> None:
        for client, _ in self.clients:
            client.stop()
        for _, thread in self.clients:
            thread.join(WAIT_S)
            assert not thread.is_alive()

    def links(self) -> int:
        return len(self.world.emulator.stream.connections)

    def log(self, event: str) -> list[dict]:
        return [e for e in self.world.read("log?limit=2000") if e["event"] == event]

    def codes(self) -> list[int]:
        return [e["code"] for e in self.log("stream_ack")]

    def all_acknowledged(self) -> bool:
        answered = {e["message_id"] for e in self.log("stream_ack")}
        return {e["message_id"] for e in self.log("stream_pushed") if e["sent"]} <= answered

    def inbox(self) -> list[Inbox]:
        with UnitOfWork(self.engine, self.now(), read_only=True) as work:
            return list(work.db.scalars(select(Inbox).order_by(Inbox.id)))

    def texts(self) -> list[str]:
        return [row.payload["text"] for row in self.inbox()]

    def says(self, words: str, user: str = "user001") -> None:
        self.world.control(f"{user}/say", {"text": words})
        self.world.tick()

    def until(self, condition, within_s: float = WAIT_S, deliver: bool = True) -> float:
        """Waits for other threads, letting the emulator deliver (or not any more); seconds it took."""
        began, pause = monotonic(), threading.Event()
        while monotonic() - began < within_s:
            if condition():
                return monotonic() - began
            if deliver:
                self.world.tick()
            pause.wait(0.01)
        raise AssertionError("it did not happen")


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    made.emulator.start_stream(0)
    made.control("modes", {"robot": "stream", "events": "stream"})
    yield made
    made.emulator.close()


@pytest.fixture
def plant(world, sqlite_url, redis_client) -> Iterator[Plant]:
    made = Plant(world, sqlite_url, redis_client)
    yield made
    made.stop()
    made.engine.dispose()
    assert world.problems() == []


@pytest.fixture
def live(plant) -> Plant:
    plant.start()
    plant.until(lambda: plant.links() == 1)
    return plant


# -- what is said


def test_a_message_is_stored_and_then_acknowledged_within_a_second(live):
    began = monotonic()
    live.says("3号泵房漏油")
    live.until(lambda: live.codes() == [200])
    assert monotonic() - began < 1
    assert live.texts() == ["3号泵房漏油"]
    assert [row.sender for row in live.inbox()] == ["user001"]


def test_words_of_one_person_keep_their_order(live):
    for number in range(30):
        live.says(f"第{number}句")
    live.until(lambda: len(live.inbox()) == 30)
    assert live.texts() == [f"第{number}句" for number in range(30)]


def test_what_cannot_be_stored_is_not_acknowledged_as_done(live):
    live.broken.set()
    live.says("存不下")
    live.until(lambda: live.codes() == [500])
    live.broken.clear()
    live.says("存得下")
    live.until(lambda: live.codes() == [500, 200])
    assert live.texts() == ["存得下"]
    live.until(lambda: [link.not_stored for link in stream_board.read(live.redis)] == [1])


def test_the_same_message_pushed_again_is_stored_once_and_acknowledged_again(live):
    live.world.control("faults", {"stream_redeliver": 20})
    live.world.control("faults", {"stream_mute_acks": True, "times": 1})
    live.says("重复")
    live.until(lambda: len(live.codes()) == 1)
    live.world.clock.forward(20)
    live.until(lambda: len(live.codes()) == 2)
    assert len(live.log("stream_pushed")) == 2 and live.texts() == ["重复"]


def test_also_when_the_platform_keeps_the_message_id(live):
    live.world.control("faults", {"stream_same_message_id": True})
    live.world.control("faults", {"stream_redeliver": 16})
    live.world.control("faults", {"stream_mute_acks": True, "times": 2})
    live.says("重复")
    live.until(lambda: len(live.codes()) == 1)
    live.world.clock.forward(16)
    live.until(lambda: len(live.codes()) == 2)
    live.world.clock.forward(16)
    live.until(lambda: len(live.codes()) == 3)
    assert len({e["message_id"] for e in live.log("stream_pushed")}) == 1
    assert live.texts() == ["重复"]


def test_words_of_danger_are_answered_at_once_by_their_own_way_back(live):
    live.says("罐区着火了")
    live.until(lambda: any(AID in (item["text"] or "") for item in live.world.screen("user001")))
    assert live.texts() == ["罐区着火了"]


def test_a_pressed_card_is_stored_and_shows_no_failure(live):
    live.world.new("POST", "/v1.0/card/instances/createAndDeliver", card_body(callbackType="STREAM"))
    item = live.world.screen("user001")[0]["id"]
    live.world.control("user001/tap", {"item": item, "key": "confirm"})
    live.until(lambda: len(live.inbox()) == 1 and live.all_acknowledged())
    live.world.clock.forward(5)
    live.world.tick()
    assert not live.world.screen("user001")[0].get("toast")
    assert [row.payload["press"]["action"] for row in live.inbox()] == ["confirm"]


def test_an_event_is_pushed_again_until_it_could_be_stored(live):
    live.broken.set()
    live.world.control("subscriptions", {"events": ["user_leave_org"]})
    live.world.control("people", {"user": "user003", "active": False})
    live.until(lambda: len(live.codes()) == 1)
    assert live.inbox() == []
    live.broken.clear()
    live.world.clock.forward(3)
    live.until(lambda: len(live.codes()) == 2)
    live.world.clock.forward(30)
    live.says("完")
    live.until(lambda: len(live.codes()) == 3)
    assert [row.key.split(":")[0] for row in live.inbox()][:1] == ["event"] and len(live.inbox()) == 2


def test_unknown_topics_are_refused_and_pings_echoed(live):
    connection = next(iter(live.world.emulator.stream.connections.values()))
    topic = "/v1.0/graph/api/invoke"
    connection.topics.add(("CALLBACK", topic))
    live.world.emulator.stream.push_callback(topic, {"a": 1}, redeliver=False)
    live.until(lambda: live.codes() == [404])
    live.world.control("stream", {"do": "ping"})
    live.until(lambda: live.codes() == [404, 200])


@pytest.mark.parametrize("junk", ["", "hello", "[1]", "{}", '{"type":"CALLBACK","headers":[],"data":7}', "{" * 10_000])
def test_a_frame_that_makes_no_sense_stops_nothing(live, junk):
    next(iter(live.world.emulator.stream.connections.values())).socket.send(junk)
    live.says("还在")
    live.until(lambda: live.texts() == ["还在"])
    assert live.links() == 1


# -- the link


def test_a_link_told_to_leave_is_replaced_before_it_closes(live):
    live.until(lambda: [link.state for link in stream_board.read(live.redis)] == ["live"])
    live.world.control("stream", {"do": "disconnect"})
    live.until(lambda: len(live.log("stream_connected")) == 2)
    assert not live.log("stream_left")[1:]  # nobody was without a link
    live.says("换线期间")
    live.until(lambda: live.texts() == ["换线期间"])
    live.until(lambda: live.links() == 1)


@pytest.mark.parametrize("how", ["close", "kill"])
def test_a_lost_link_is_made_again(live, how):
    live.world.control("stream", {"do": how})
    live.until(lambda: len(live.log("stream_connected")) == 2)
    live.says("又通了")
    live.until(lambda: live.texts() == ["又通了"])


def test_a_link_on_which_nothing_comes_is_replaced_though_it_answers_pings(world, sqlite_url, redis_client):
    plant = Plant(world, sqlite_url, redis_client, Pace(**{**_plain(PACE), "quiet": 0.3}))
    world.control("faults", {"stream_half_open": True, "times": 1})
    plant.start()
    plant.until(lambda: len(plant.log("stream_connected")) >= 2)
    assert [e["half_open"] for e in plant.log("stream_connected")][:2] == [True, False]
    plant.stop()
    plant.engine.dispose()


def test_the_real_pace_finds_a_dead_link_within_a_minute():
    assert Pace().quiet_most + Pace().poll + Pace().back_off_first < 60


def test_a_server_that_speaks_seldom_teaches_its_rhythm(plant):
    client = plant.start()
    plant.until(lambda: plant.links() == 1)
    client.heard(40.0)
    assert client._quiet == 50.0
    client.heard(1000.0)
    assert client._quiet == PACE.quiet_most


def test_a_clean_close_in_a_loop_is_not_answered_by_a_hot_loop(plant):
    pauses = []
    plant.world.control("faults", {"stream_close_loop": True})
    client = plant.start()
    client._rng = lambda low, high: pauses.append((low, high)) or high
    plant.until(lambda: len(plant.log("stream_closed_at_once")) >= 5)
    plant.world.control("faults", {"clear": True})
    plant.until(lambda: plant.links() == 1)
    mosts = [high for _, high in pauses]
    assert mosts[:4] == [0.1, 0.2, 0.4, 0.8] and max(mosts) <= PACE.back_off_most
    assert all(low == high / 2 for low, high in pauses)


def test_a_process_that_cannot_store_is_known_before_a_message_is_lost(world, sqlite_url, redis_client):
    plant = Plant(world, sqlite_url, redis_client, Pace(**{**_plain(PACE), "canary": 0.05, "canary_most": 5}))
    broken = threading.Event()

    def canary():
        if broken.is_set():
            raise OSError("the disk is full")
        write_canary(plant.engine, "stream:here", plant.now())

    plant.canary = canary
    plant.start()
    plant.until(lambda: [link.state for link in stream_board.read(plant.redis)] == ["live"])
    broken.set()
    plant.until(lambda: "cannot be stored" in stream_board.complaint(plant.redis, plant.now()))
    assert plant.links() == 1  # the link stays: what cannot be stored is answered so that it may come again
    broken.clear()
    plant.until(lambda: stream_board.complaint(plant.redis, plant.now()) == "")
    assert [(row.platform, row.state) for row in plant.inbox()] == [("canary", "done")]
    plant.stop()
    plant.engine.dispose()


def test_a_database_that_hangs_is_a_failed_canary_and_holds_no_link(world, sqlite_url, redis_client):
    plant = Plant(world, sqlite_url, redis_client, Pace(**{**_plain(PACE), "canary": 0.05, "canary_most": 0.2}))
    hanging = threading.Event()
    plant.canary = lambda: hanging.wait(WAIT_S)
    plant.start()
    plant.until(lambda: "cannot be stored" in stream_board.complaint(plant.redis, plant.now()))
    plant.says("3号泵房漏油")
    plant.until(plant.all_acknowledged)
    hanging.set()
    plant.stop()
    plant.engine.dispose()


def test_a_refusing_gateway_is_shown_and_asked_again(plant):
    plant.world.control("faults", {"gateway_refuses": True})
    plant.start()
    plant.until(lambda: [link.state for link in stream_board.read(plant.redis)] == ["refused"])
    assert stream_board.complaint(plant.redis, plant.now()) == "dingtalk stream: no link (refused)"
    plant.world.control("faults", {"clear": True})
    plant.until(lambda: plant.links() == 1)
    plant.until(lambda: [link.state for link in stream_board.read(plant.redis)] == ["live"])


def test_several_processes_share_the_messages_and_none_is_lost_or_doubled(plant):
    plant.start()
    plant.start()
    plant.until(lambda: plant.links() == 2)
    for number in range(20):
        plant.says(str(number))
    plant.until(lambda: len(plant.inbox()) == 20)
    assert sorted(plant.texts(), key=int) == [str(n) for n in range(20)]


def test_a_clean_stop_acknowledges_what_is_on_its_way(plant):
    client = plant.start()
    plant.until(lambda: plant.links() == 1)
    for number in range(50):
        plant.world.control("user001/say", {"text": str(number)})
    plant.world.tick()
    client.stop()
    plant.stop()
    plant.until(lambda: plant.links() == 0, deliver=False)  # the gateway reads on in a thread of its own
    pushed = [e for e in plant.log("stream_pushed") if e["sent"]]
    assert len(plant.inbox()) == len(pushed) == len(plant.codes()) > 0
    assert stream_board.read(plant.redis) == []


# -- the board


def test_the_board_tells_what_is_wrong(plant, redis_client):
    now = plant.now()
    assert "no process" in stream_board.complaint(redis_client, now)
    board = stream_board.Board(redis_client, clock=plant.now)
    told = {"connects": 1, "frames": 1, "not_stored": 0}
    board.write(state="live", last_frame_at=now.timestamp() - 120, **told)
    assert stream_board.complaint(redis_client, now) == ""
    board.write(state="live", last_frame_at=now.timestamp() - 121, **told)
    assert "no frame for 121 s" in stream_board.complaint(redis_client, now)
    board.remove()
    assert stream_board.read(redis_client) == []


def test_the_ticket_and_the_secret_are_never_logged(live, capfd):
    live.world.control("stream", {"do": "kill"})
    live.until(lambda: len(live.log("stream_connected")) == 2)
    live.stop()  # its thread has said all it says before the capture ends
    shown = "".join(capfd.readouterr())
    assert "stream_connected" in shown
    assert "ticket" not in shown and "demo secret" not in shown


def _plain(pace: Pace) -> dict:
    return {name: getattr(pace, name) for name in Pace.__slots__}


def test_the_pages_show_the_link(postgres_url, redis_client, tmp_path):
    made = TalkPlant(postgres_url, redis_client, tmp_path)
    settings = made.settings.model_copy(update={"dingtalk_mode": "stream"})
    client = create_app(settings, services=made.services).test_client()
    assert any("no process" in line for line in client.get("/readyz").json["degraded"])
    board = stream_board.Board(redis_client, clock=lambda: made.now)
    board.write(state="live", last_frame_at=made.now.timestamp() - 7, connects=1, frames=3, not_stored=2)
    assert not any("stream" in line for line in client.get("/readyz").json["degraded"])
    page = client.get("/metrics").text
    assert 'anshao_stream_processes{state="live"} 1.0' in page
    assert "anshao_stream_last_frame_age_seconds 7.0" in page and "anshao_stream_not_stored 2.0" in page
    assert "anshao_stream" not in made.app.test_client().get("/metrics").text  # HTTP mode
    made.services.engine.dispose()
