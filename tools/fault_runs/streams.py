"""DingTalk Stream mode while the link misbehaves: half open, closed in a loop, two processes of which one dies."""

from __future__ import annotations

import re
from time import sleep

from tools.fault_runs.crowd import Report
from tools.fault_runs.field import Field
from tools.fault_runs.run import Plan, Result

MODES = {"robot": "stream", "events": "stream"}
LINK_WITHIN_S = 90.0
ARRIVED_WITHIN_S = 40.0
MOST_DIALS_S = 3.0  # a clean close in a loop must not be answered more often than every so many seconds


def ready(on: Field) -> None:
    """The robot speaks by stream, what was not acknowledged is pushed again, and a link is there."""
    on.post("/dingtalk/_phone/modes", MODES)
    on.dingtalk(stream_redeliver=5)
    _linked(on, 1)


def _links(on: Field) -> int:
    return len(on.get("/dingtalk/_phone/stream")["connections"])


def _linked(on: Field, at_least: int) -> float | None:
    return on.wait_for(lambda: _links(on) >= at_least, within_s=LINK_WITHIN_S)


def _arrived(plan: Plan, sent: list[Report]) -> None:
    """Wait until the platform has pushed again what nobody acknowledged; what never comes is found as lost."""
    known = "SELECT count(*) FROM inbox WHERE CAST(payload AS text) LIKE :like"
    plan.on.wait_for(lambda: all(plan.on.number(known, like=f"%{r.code} %") for r in sent), within_s=ARRIVED_WITHIN_S)


def half_open(plan: Plan) -> Result:
    """New links are taken and nothing ever comes on them: noticed by the silence of frames, though pings are answered."""
    on, result = plan.on, Result("stream link half-open")
    on.dingtalk(stream_half_open=True, times=1)
    on.post("/dingtalk/_phone/stream", {"do": "close"})
    on.wait_for(lambda: _half_open(on) and not _good_link(on), within_s=30)
    sent = [plan.crowd.report(platform="dingtalk", red=n == 2) for n in range(3)]
    took = on.wait_for(lambda: _good_link(on), within_s=LINK_WITHIN_S)  # the dead one is still read for a while
    result.note = f"replaced after {took or 999:.0f} s (goal 60 s)"
    if took is None or took > 60:
        result.wrong.append("the dead link was not replaced within 60 s")
    on.dingtalk(stream_redeliver=5)
    _arrived(plan, sent)
    plan.settle(result, sent)
    return result


def _half_open(on: Field) -> bool:
    return any(link["half_open"] for link in on.get("/dingtalk/_phone/stream")["connections"])


def _good_link(on: Field) -> bool:
    return any(not link["half_open"] for link in on.get("/dingtalk/_phone/stream")["connections"])


def closed_in_a_loop(plan: Plan) -> Result:
    """Every new link is closed cleanly at once: bounded attempts, and nothing lost once it ends."""
    on, result = plan.on, Result("stream link closed in a loop")
    log = on.folder / "logs" / "stream.log"
    before = len(re.findall(rb"stream_connected", log.read_bytes()))
    on.dingtalk(stream_close_loop=True)
    on.post("/dingtalk/_phone/stream", {"do": "close"})
    span_s = 20.0 if plan.short else 60.0
    sent = [plan.crowd.report(platform="dingtalk", red=n == 2) for n in range(3)]
    sleep(span_s)
    dials = len(re.findall(rb"stream_connected", log.read_bytes())) - before
    on.all_well()
    ready(on)
    result.note = f"{dials} attempts in {span_s:.0f} s"
    if dials > span_s / MOST_DIALS_S + 4:
        result.wrong.append(f"a hot loop: {dials} attempts in {span_s:.0f} s")
    _arrived(plan, sent)
    plan.settle(result, sent)
    return result


def two_processes(plan: Plan) -> Result:
    """Two processes share the frames; one is killed in the middle, what it had not acknowledged comes again."""
    on, result = plan.on, Result("two stream processes, one killed")
    on.start_role("stream2")
    try:
        if _linked(on, 2) is None:
            result.wrong.append("the second process has no link")
        for _ in range(plan.rounds(3)):
            with plan.reporting(platform="dingtalk") as sent:
                sleep(plan.random.uniform(1, 2))
                on.kill("stream2")
                on.back("stream2")
                sleep(1)
            _arrived(plan, sent)
            plan.settle(result, sent)
    finally:
        on.retire("stream2")
    return result
