"""A kick makes one drain job, however many callbacks kick, and one more after the drain has begun."""

from __future__ import annotations

import threading
from typing import Any

import redis
from rq import Queue
from rq.serializers import JSONSerializer

from jobs.queue import CHAT, MEDIA, RqKicker


def jobs(client: Any, name: str) -> int:
    return Queue(name, connection=client, serializer=JSONSerializer).count


def test_many_kicks_make_one_job(redis_client: Any) -> None:
    kick = RqKicker(redis_client)
    for _ in range(5):
        kick(CHAT)
    kick(MEDIA)
    assert (jobs(redis_client, CHAT), jobs(redis_client, MEDIA)) == (1, 1)


def test_after_a_drain_has_begun_a_kick_makes_another(redis_client: Any) -> None:
    kick = RqKicker(redis_client)
    kick(CHAT)
    kick.started(CHAT)
    kick(CHAT)
    assert jobs(redis_client, CHAT) == 2


def test_no_kick_of_a_thread_is_swallowed_by_another_one_under_way(redis_client: Any) -> None:
    """A kick that arrives while another is being sent is sent again: its row may be younger than that one's look."""
    sent, entered, go_on = [], threading.Event(), threading.Event()

    class Slow(RqKicker):
        def _kick(self, queue: str) -> None:
            sent.append(queue)
            entered.set()
            assert go_on.wait(timeout=10)

    kick = Slow(redis_client)
    first = threading.Thread(target=kick, args=(CHAT,))
    first.start()
    assert entered.wait(timeout=10)
    kick(CHAT)  # returns at once
    kick(CHAT)
    go_on.set()
    first.join(timeout=10)
    assert sent == [CHAT, CHAT]


def test_without_redis_a_kick_is_only_lost() -> None:
    kick = RqKicker(redis.Redis(unix_socket_path="/nonexistent/valkey.sock"))
    kick(CHAT)
    kick.started(CHAT)
