"""Stream mode over a real socket on a free port; time is still set by hand."""

from __future__ import annotations

import json
import threading

import pytest
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK, InvalidStatus
from websockets.sync.client import connect

from tests.emulators.dingtalk_kit import World, card_body

GATEWAY = "/v1.0/gateway/connections/open"
MESSAGES, CARDS = "/v1.0/im/bot/messages/get", "/v1.0/card/instances/callback"
WAIT_S = 5


@pytest.fixture
def world():
    made = World()
    made.emulator.start_stream(0)
    made.control("modes", {"robot": "stream", "events": "stream"})
    yield made
    made.emulator.close()


def open_gateway(world, *topics):
    rows = [{"type": "EVENT", "topic": "*"}] if "*" in topics else []
    rows += [{"type": "CALLBACK", "topic": topic} for topic in topics if topic != "*"]
    body = {"clientId": "dingkey", "clientSecret": "demo secret", "subscriptions": rows, "ua": "test"}
    return world.new("POST", GATEWAY, body, token="")


def join(world, *topics):
    """A connected client; returns after the emulator has registered it."""
    known = len(world.emulator.stream.connections)
    opened = open_gateway(world, *topics)
    client = connect(f"{opened['endpoint']}?ticket={opened['ticket']}", close_timeout=1)
    until(lambda: len(world.emulator.stream.connections) > known)
    return client


def until(condition):
    """Waits for another thread without polling the clock of the test."""
    pause = threading.Event()
    for _ in range(int(WAIT_S / 0.01)):
        if condition():
            return
        pause.wait(0.01)
    raise AssertionError("it did not happen")


def receive(client):
    return json.loads(client.recv(timeout=WAIT_S))


def ack(world, client, frame, data, code=200, message="OK"):
    before = len(world.read("log?limit=2000"))
    head = {"messageId": frame["headers"]["messageId"], "contentType": "application/json"}
    client.send(json.dumps({"code": code, "message": message, "headers": head, "data": json.dumps(data)}))
    until(lambda: any(e["event"] == "stream_ack" for e in world.read("log?limit=2000")[before:]))


def test_the_gateway_checks_credentials_and_subscriptions(world):
    good = {"clientId": "dingkey", "clientSecret": "demo secret", "subscriptions": [{"type": "EVENT", "topic": "*"}]}
    assert world.refused("POST", GATEWAY, {**good, "clientSecret": "x"}, token="") == "invalidClientIdOrSecret"
    assert world.refused("POST", GATEWAY, {**good, "subscriptions": []}, token="") == "param.subscriptionsEmpty"
    some = [{"type": "EVENT", "topic": "user_add_org"}]
    assert world.refused("POST", GATEWAY, {**good, "subscriptions": some}, token="") == "param.subscriptionInvalid"
    world.control("faults", {"gateway_refuses": True, "times": 1})
    assert world.refused("POST", GATEWAY, good, token="") == "invalidClientIdOrSecret"
    world.new("POST", GATEWAY, good, token="")


def test_a_ticket_opens_one_connection_within_ninety_seconds(world):
    opened = open_gateway(world, MESSAGES)
    url = f"{opened['endpoint']}?ticket={opened['ticket']}"
    with connect(url):
        with pytest.raises(InvalidStatus):
            connect(url)
        late = open_gateway(world, MESSAGES)
        world.clock.forward(90)
        with pytest.raises(InvalidStatus):
            connect(f"{late['endpoint']}?ticket={late['ticket']}")


def test_a_robot_message_comes_as_a_frame_with_string_data(world):
    with join(world, MESSAGES) as client:
        world.control("user001/say", {"text": "泵漏油"})
        world.tick()
        frame = receive(client)
        assert (frame["type"], frame["headers"]["topic"], frame["specVersion"]) == ("CALLBACK", MESSAGES, "1.0")
        assert all(isinstance(value, str) for value in frame["headers"].values())
        assert json.loads(frame["data"])["text"] == {"content": "泵漏油"}
        assert world.bot.pushes == []


def test_only_subscribed_topics_arrive_and_one_connection_gets_each(world):
    with join(world, MESSAGES) as one, join(world, MESSAGES) as two, join(world, "*") as events:
        for number in range(40):
            world.control("user001/say", {"text": str(number)})
        world.tick()
        got = {"one": [], "two": []}
        for name, client in (("one", one), ("two", two)):
            while True:
                try:
                    got[name].append(json.loads(client.recv(timeout=0.3)))
                except TimeoutError:
                    break
        assert len(got["one"]) + len(got["two"]) == 40 and got["one"] and got["two"]
        with pytest.raises(TimeoutError):
            events.recv(timeout=0.1)


def test_robot_messages_are_redelivered_only_by_switch(world):
    with join(world, MESSAGES) as client:
        world.control("user001/say", {"text": "x"})
        world.tick()
        receive(client)
        world.clock.forward(50)
        world.tick()
        with pytest.raises(TimeoutError):
            client.recv(timeout=0.1)
        world.control("faults", {"stream_redeliver": 60})
        world.control("user001/say", {"text": "y"})
        world.tick()
        first = receive(client)
        world.clock.forward(60)
        world.tick()
        frames = [json.loads(client.recv(timeout=WAIT_S)) for _ in range(2)]
        again = next(frame for frame in frames if frame["type"] == "CALLBACK")
        assert json.loads(again["data"])["msgId"] == json.loads(first["data"])["msgId"]
        assert again["headers"]["messageId"] != first["headers"]["messageId"]
        ack(world, client, again, {"response": None}, message="")
        world.clock.forward(59)
        world.tick()
        with pytest.raises(TimeoutError):
            client.recv(timeout=0.1)


def leave(world, active=False):
    world.control("people", {"user": "user003", "active": active})
    world.tick()


def test_events_are_pushed_again_until_acknowledged(world):
    with join(world, "*") as client:
        leave(world)
        first = receive(client)
        assert first["headers"]["eventType"] == "user_leave_org" and first["type"] == "EVENT"
        assert json.loads(first["data"])["userId"] == ["user003"]
        world.clock.forward(3)
        world.tick()
        second = receive(client)
        assert second["headers"]["eventId"] == first["headers"]["eventId"]
        ack(world, client, second, {"status": "LATER", "message": ""})
        world.clock.forward(3)
        world.tick()
        third = receive(client)
        ack(world, client, third, json.loads(third["data"]), message="")
        world.clock.forward(30)
        world.tick()
        with pytest.raises(TimeoutError):
            client.recv(timeout=0.1)


def test_a_card_press_and_its_answer_over_stream(world):
    with join(world, CARDS) as client:
        world.new("POST", "/v1.0/card/instances/createAndDeliver", card_body(callbackType="STREAM"))
        item = world.screen("user001")[0]["id"]
        world.control("user001/tap", {"item": item, "key": "confirm"})
        world.tick()
        frame = receive(client)
        assert frame["headers"]["topic"] == CARDS
        options = {"updateCardDataByKey": True}
        answer = {"cardData": {"cardParamMap": {"note": "已确认"}}, "cardUpdateOptions": options}
        ack(world, client, frame, {"response": answer})
        until(lambda: world.screen("user001")[0]["card"]["note"] == "已确认")
        world.control("user001/tap", {"item": item, "key": "confirm"})
        world.tick()
        receive(client)
        world.clock.forward(2)
        world.tick()
        assert world.screen("user001")[0]["toast"]


def test_ping_and_disconnect_with_ten_seconds_of_silence(world):
    with join(world, MESSAGES) as client:
        world.control("stream", {"do": "ping"})
        world.tick()
        ping = receive(client)
        assert ping["headers"]["topic"] == "ping" and json.loads(ping["data"])["opaque"]
        ack(world, client, ping, json.loads(ping["data"]))
        world.control("stream", {"do": "disconnect"})
        world.tick()
        assert json.loads(receive(client)["data"]) == {"reason": "connection is expired"}
        world.control("user001/say", {"text": "x"})
        world.clock.forward(9)
        world.tick()
        with pytest.raises(TimeoutError):
            client.recv(timeout=0.1)
        world.clock.forward(1)
        world.tick()
        with pytest.raises(ConnectionClosedOK):
            client.recv(timeout=WAIT_S)


def test_pings_come_by_themselves_and_websocket_pings_are_answered(world):
    with join(world, MESSAGES) as client:
        assert client.ping().wait(WAIT_S)
        world.clock.forward(60)
        world.tick()
        assert receive(client)["headers"]["topic"] == "ping"


def test_a_half_open_connection_says_nothing(world):
    world.control("faults", {"stream_half_open": True, "times": 1})
    with join(world, MESSAGES) as client:
        world.control("user001/say", {"text": "x"})
        world.clock.forward(60)
        world.tick()
        with pytest.raises(TimeoutError):
            client.recv(timeout=0.1)
        assert world.read("stream")["connections"][0]["half_open"] is True


def test_the_close_loop_and_a_cut_connection(world):
    world.control("faults", {"stream_close_loop": True, "times": 1})
    opened = open_gateway(world, MESSAGES)
    with connect(f"{opened['endpoint']}?ticket={opened['ticket']}") as client, pytest.raises(ConnectionClosedOK):
        client.recv(timeout=WAIT_S)
    with join(world, MESSAGES) as client:
        world.control("stream", {"do": "kill"})
        world.tick()
        with pytest.raises(ConnectionClosedError):
            client.recv(timeout=WAIT_S)
    until(lambda: not world.emulator.stream.connections)


def test_an_answer_that_is_no_acknowledgement_is_a_problem(world):
    with join(world, MESSAGES) as client:
        client.send("hello")
        until(lambda: len(world.problems()) == 1)
