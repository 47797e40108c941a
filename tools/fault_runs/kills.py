"""Processes that die: kill -9 at random moments while people report; and servers that go away."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic, sleep

from tools.fault_runs.run import Plan, Result

RESUMED_WITHIN_S = 30.0


def killed(role: str) -> Callable[[Plan], Result]:
    """kill -9 of one process at random moments of a stream of reports."""

    def run(plan: Plan) -> Result:
        result = Result(f"kill -9 {role}")
        for _ in range(plan.rounds(3)):
            # DingTalk pushes once: what the killed process was just reading never comes in. WeCom repeats.
            platform = "wecom" if role == "web" else ""
            with plan.reporting(platform=platform) as sent:
                for _ in range(plan.rounds(3, 2)):
                    sleep(plan.random.uniform(0.6, 2.5))
                    if role == "web":
                        plan.on.kill_one_of_web(plan.random)
                        continue
                    plan.on.kill(role)
                    plan.on.back(role)
                sleep(0.5)
            plan.settle(result, sent)
        return result

    return run


def everything_killed(plan: Plan) -> Result:
    """A power cut of the application server: every process at once."""
    result = Result("kill -9 of all at once")
    for _ in range(plan.rounds(2)):
        with plan.reporting(platform="wecom") as sent:
            sleep(plan.random.uniform(1.0, 2.0))
        for role in ("web", "chat", "media", "delivery", "scheduler"):
            plan.on.kill(role)
        for role in ("web", "chat", "media", "delivery", "scheduler"):
            plan.on.start_role(role)
        plan.settle(result, sent)
    return result


def redis_away(plan: Plan) -> Result:
    """Stopped for some seconds and restarted with what it held."""
    result = Result("Redis stopped 5 s")
    valkey = plan.on.valkey
    assert valkey is not None
    for _ in range(plan.rounds(2)):
        with plan.reporting() as sent:
            sleep(plan.random.uniform(0.5, 1.5))
            valkey.stop()
            sleep(5)
            valkey.start()
            sleep(1)
        plan.settle(result, sent)
    return result


def redis_empty(plan: Plan) -> Result:
    """Killed and restarted empty: every queue, token and limiter count is gone."""
    result = Result("Redis restarted empty")
    valkey = plan.on.valkey
    assert valkey is not None
    for _ in range(plan.rounds(2)):
        with plan.reporting() as sent:
            sleep(plan.random.uniform(0.5, 1.5))
            valkey.stop(forget=True)
            valkey.start()
            sleep(1.5)
        plan.settle(result, sent)
    return result


def redis_flushed(plan: Plan) -> Result:
    result = Result("Redis flushed")
    assert plan.on.valkey is not None
    for _ in range(plan.rounds(2)):
        with plan.reporting() as sent:
            for _ in range(5):
                sleep(plan.random.uniform(0.2, 0.8))
                plan.on.valkey.client.flushall()
        plan.settle(result, sent)
    return result


def postgres_restarted(plan: Plan) -> Result:
    """Crashed and back after two seconds."""
    result = Result("PostgreSQL crashed, 2 s")
    restart = plan.on.server.restart if plan.on.server is not None else None
    if restart is None:
        result.note = "not ours to restart (TEST_DATABASE_URL)"
        return result
    for _ in range(plan.rounds(2)):
        with plan.reporting(platform="wecom") as sent:
            sleep(plan.random.uniform(0.5, 1.5))
            restart(2.0)
            sleep(2)
        plan.settle(result, sent)
    return result


def two_schedulers(plan: Plan) -> Result:
    """Two of everything that works; one of the schedulers dies."""
    result = Result("two schedulers and workers")
    for name in ("scheduler2", "chat2", "delivery2"):
        plan.on.start_role(name)
    try:
        for _ in range(plan.rounds(2)):
            with plan.reporting(every_s=0.08) as sent:
                sleep(2)
                plan.on.kill("scheduler2")
                plan.on.back("scheduler2")
                sleep(1)
            plan.settle(result, sent)
    finally:
        for name in ("scheduler2", "chat2", "delivery2"):
            plan.on.retire(name)
    return result


def lease_resumed(plan: Plan) -> Result:
    """A delivery worker dies in the middle of slow sends: how long until they are resumed?"""
    result, slowest = Result("delivery worker dies while sending"), 0.0
    on = plan.on
    for _ in range(plan.rounds(3)):
        sent = [plan.crowd.report(red=True, platform="wecom") for _ in range(4)]
        on.wecom(timeout_but_delivered=6, path="message/send")
        if (
            on.wait_for(lambda: on.number("SELECT count(*) FROM delivery WHERE state = 'claimed'") > 0, within_s=20)
            is None
        ):
            result.wrong.append("nothing was ever being sent")
            return result
        on.kill("delivery")
        died = monotonic()
        on.wecom(clear=True)
        held = [row.id for row in on.ask("SELECT id FROM delivery WHERE state = 'claimed'")]
        on.back("delivery")
        left = "SELECT count(*) FROM delivery WHERE id = ANY(:ids) AND state = 'claimed' AND attempts = 1"
        on.wait_for(lambda: on.number(left, ids=held) == 0, within_s=60)  # noqa: B023
        slowest = max(slowest, monotonic() - died)
        plan.settle(result, sent)
    result.figure = (slowest, result.runs)
    result.note = f"resumed after {slowest:.1f} s at most (goal {RESUMED_WITHIN_S:.0f} s)"
    if slowest > RESUMED_WITHIN_S:
        result.missed.append(f"sends of a dead worker were resumed only after {slowest:.1f} s")
    return result
