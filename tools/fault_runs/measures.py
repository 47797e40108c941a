"""Figures: how soon, how many, how much memory. A figure that misses its goal is wrong like a loss."""

from __future__ import annotations

import math
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, perf_counter, sleep
from typing import Any

import requests

from bench.measuring import quantile
from storage.models import Delivery
from storage.unit_of_work import UnitOfWork
from tools.fault_runs import checks
from tools.fault_runs.crowd import Report, photo
from tools.fault_runs.field import KILLABLE
from tools.fault_runs.run import Plan, Result

ATTEMPT_P99_S = 2.0
CARD_P95_S = 3.0
THROUGHPUT_PER_S = 100.0
INBOUND_P95_S = 0.3
GROWTH_MB = 150.0
EACH_MINUTE = 22  # texts to one person: our own limiter lets 24 a minute through that are no alarms


def first_attempt(plan: Plan) -> Result:
    """Due step → first send attempt: steps of many hazards fall due over some seconds."""
    on, result = plan.on, Result("due step → first attempt")
    sent = [plan.crowd.report() for _ in range(plan.rounds(80, 40))]
    checks.at_rest(on, within_s=90)
    moved = on.ask(
        """WITH firsts AS (SELECT min(id) AS id FROM ladder_step WHERE taken_at IS NULL AND called_off_at IS NULL
                            AND ladder = 'confirm' AND case_id IN (SELECT id FROM hazard WHERE state = 'assigned'
                            ORDER BY id DESC LIMIT :many) GROUP BY case_id)
           UPDATE ladder_step s SET due_at = now() + interval '2 s' + random() * interval '15 s'
             FROM firsts WHERE s.id = firsts.id RETURNING s.id, s.due_at""",
        many=len(sent),
    )
    sleep(18)
    plan.settle(result, sent)
    waits = []
    for step_id, due_at in moved:
        tried = on.ask("SELECT min(first_tried_at) FROM delivery WHERE dedupe_key LIKE :key", key=f"step:{step_id}:%")[
            0
        ][0]
        if tried is not None:
            waits.append((tried - due_at).total_seconds())
    if len(waits) < len(moved) * 0.9:
        result.wrong.append(f"only {len(waits)} of {len(moved)} due steps told anybody")
    return _goal(result, "p99", quantile(waits, 0.99), ATTEMPT_P99_S, "s", n=len(waits))


def card_true(plan: Plan) -> Result:
    """Somebody presses; how long until every posted copy of the card shows it?"""
    on, result = plan.on, Result("card true to state")
    sent = [plan.crowd.report() for _ in range(plan.rounds(40, 20))]
    checks.at_rest(on, within_s=90)
    pressed = 0
    for report in sent:
        pressed += _confirm(plan, report)
        sleep(0.1)
    plan.settle(result, sent)
    waits = [
        float(row[0])
        for row in on.ask(
            """SELECT extract(epoch FROM p.redrawn_at - c.updated_at) FROM card_post p JOIN case_card c
                   ON c.id = p.card_id JOIN hazard h ON h.id = c.case_id AND c.case_kind = 'hazard'
                WHERE c.card_key LIKE '%duty' AND c.revision > 1 AND p.redrawn_at IS NOT NULL
                  AND h.confirmed_at IS NOT NULL AND split_part(h.description, ' ', 1) = ANY(:codes)""",
            codes=[report.code for report in sent],
        )
    ]
    if len(waits) < pressed or pressed < len(sent) * 0.9:
        result.wrong.append(f"{len(sent)} reports, {pressed} presses, {len(waits)} redrawn cards")
    return _goal(result, "p95", quantile(waits, 0.95), CARD_P95_S, "s", n=len(waits))


def _confirm(plan: Plan, report: Report) -> bool:
    """The owner presses 确认收到 on the hazard's card."""
    row = plan.on.ask(
        """SELECT h.number, a.platform, a.user_id FROM hazard h JOIN account a ON a.person_id = h.owner_id
            WHERE h.description LIKE :like AND h.number IS NOT NULL""",
        like=f"{report.code} %",
    )
    for number, platform, user in row:
        for item in plan.on.get(f"/{platform}/_phone/{user}/screen")["items"]:
            card = item["card"]
            if not card or number not in (card["title"] or ""):
                continue
            for button in card["buttons"]:
                if "确认收到" in button["label"] and not button["disabled"]:
                    body = {"item": item["id"], "key": button["key"], "selected": {}}
                    plan.on.post(f"/{platform}/_phone/{user}/tap", body)
                    return True
    return False


MINUTE_S = 61
SENT_LATELY = f"SELECT count(*) FROM delivery WHERE confirmed_at > now() - interval '{MINUTE_S} seconds'"


def throughput(plan: Plan) -> Result:
    """Texts to many people against a platform that answers in 50 ms: WeCom, DingTalk allows 20 calls a second at most."""
    on, result = plan.on, Result("outbox against 50 ms answers")
    people = [p for p in on.plant["people"] if p["wecom"]]
    count = min(plan.rounds(1500, 800), EACH_MINUTE * len(people))
    on.wait_for(lambda: on.number(SENT_LATELY) == 0, within_s=MINUTE_S + 30)  # the limiter counts what others sent
    on.wecom(slow_api_s=0.05)
    now = datetime.now(UTC)
    tag = f"flood{plan.random.randrange(10**9)}"
    with UnitOfWork(on.engine, now) as work:
        for n in range(count):
            person = people[n % len(people)]
            row = Delivery(
                dedupe_key=f"{tag}:{n}", purpose="test", what="text", platform="wecom", user_id=person["wecom"],
                payload={"text": f"{tag} 第{n}条"}, urgency=5, due_at=now + timedelta(seconds=1), created_at=now,
                expires_at=now + timedelta(hours=1),
            )  # fmt: skip
            work.db.add(row)
        work.commit()
    plan.settle(result, [], within_s=120)
    first, last, confirmed = on.ask(
        "SELECT min(first_tried_at), max(confirmed_at), count(confirmed_at) FROM delivery WHERE dedupe_key LIKE :tag",
        tag=f"{tag}:%",
    )[0]
    if confirmed < count:
        result.lost += count - confirmed
        result.wrong.append(f"{count - confirmed} of {count} were not confirmed")
    rate = confirmed / max(0.001, (last - first).total_seconds())
    result.figure = (rate, count)
    result.note = f"{rate:.0f}/s of {count} (goal {THROUGHPUT_PER_S:.0f}/s)"
    if rate < THROUGHPUT_PER_S:
        result.missed.append(f"only {rate:.0f} sends a second")
    return result


def load(plan: Plan) -> Result:
    """Many reports with photos in a minute: 1 000 in the full suite, 200 in 12 s in the short one."""
    on, result = plan.on, Result("load: reports with photos")
    count = plan.rounds(1000, 200)
    span_s = 60.0 * count / 1000
    start = next(plan.crowd._numbers)
    for number in range(start + 1, start + 1 + count):
        photo(number)  # the pictures are made before the clock starts
    before = {name: on.rss_mb(name) for name in KILLABLE}
    probe = Probe(on.app_url)
    sent: list[Report] = []
    began = monotonic()
    with ThreadPoolExecutor(12) as pool, probe:
        jobs = []
        for n in range(count):
            sleep(max(0.0, began + n * span_s / count - monotonic()))
            jobs.append(pool.submit(plan.crowd.report, red=n % 100 == 50))
        sent = [job.result() for job in jobs]
    took = monotonic() - began
    plan.settle(result, sent, within_s=420)
    after = {name: on.rss_mb(name) for name in KILLABLE}
    answers = quantile([*probe.waits_s, *callback_times(on.folder / "logs" / "web.log", since=count)], 0.95)
    red, yellow = (_notice_p95(plan, sent, red=wish) for wish in (True, False))
    grown = {name: after[name] - before[name] for name in before}
    result.note = (
        f"{count} in {took:.0f} s; p95 answer {answers * 1000:.0f} ms; first notice p95 red {red:.1f} s, yellow "
        f"{yellow:.1f} s; RSS MB " + ", ".join(f"{name} {before[name]:.0f}→{after[name]:.0f}" for name in before)
    )
    if not answers <= INBOUND_P95_S:
        result.missed.append(f"p95 of the answers to callbacks {answers * 1000:.0f} ms")
    if not red <= yellow + 1:
        result.wrong.append(f"red notices after {red:.1f} s, yellow after {yellow:.1f} s")
    result.wrong += [f"{name} grew by {mb:.0f} MB" for name, mb in grown.items() if mb > GROWTH_MB]
    return result


def _notice_p95(plan: Plan, sent: list[Report], *, red: bool) -> float:
    """From the phone to the first try of the first notice to somebody who must act."""
    began = {report.code: report.at for report in sent if report.red is red}
    rows = plan.on.ask(
        """SELECT split_part(h.description, ' ', 1) AS code, min(extract(epoch FROM d.first_tried_at)) AS tried
             FROM hazard h JOIN delivery d ON d.case_kind = 'hazard' AND d.case_id = h.id
            WHERE d.purpose = 'hazard.dispatch' AND h.number IS NOT NULL GROUP BY h.id, h.description"""
    )
    waits = [float(row.tried) - began[row.code] for row in rows if row.code in began and row.tried is not None]
    return quantile(waits, 0.95)


def callback_times(log: Path, *, since: int) -> list[float]:
    """Seconds each callback took in the web server, from its access lines (the newest `since`)."""
    times = []
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("access "):
            _, path, took_us, _status = line.split(" ")
            if path.startswith(("/wecom/", "/dingtalk/")):
                times.append(int(took_us) / 1e6)
    return times[-since:]


class Probe:
    """Asks the web server ten times a second, counting from the planned moment, so that a queue before it is seen."""

    def __init__(self, app_url: str) -> None:
        self.url, self.waits_s = f"{app_url}/healthz", list[float]()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="probe")

    def _run(self) -> None:
        with requests.Session() as http:
            http.trust_env = False
            due = perf_counter()
            while not self._stop.wait(max(0.0, due - perf_counter())):
                try:
                    http.get(self.url, timeout=10)
                    self.waits_s.append(perf_counter() - due)
                except requests.RequestException:
                    self.waits_s.append(math.inf)
                due = max(due + 0.1, perf_counter() - 5)

    def __enter__(self) -> Probe:
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._stop.set()
        self._thread.join()


def _goal(result: Result, name: str, value: float, goal: float, unit: str, *, n: int) -> Result:
    result.figure = (value, n)
    result.note = f"{name} {value:.2f} {unit} of {n} (goal {goal:g} {unit})"
    if not value <= goal:
        result.missed.append(f"{name} is {value:.2f} {unit}, goal {goal:g}")
    return result
