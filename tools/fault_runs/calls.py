"""An evacuation of the whole plant while workers die: everybody is called, nobody twice, and who is missing is shown."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import monotonic, sleep
from typing import Any

from tools.fault_runs.run import Plan, Result

STARTER = ("wecom", "ZhaoJianGuo")  # an executive of the demo plant
KILLED = ("delivery", "chat", "scheduler")
SAFE, CARD, OVER = "我已撤到安全处", "⚠ 撤离 · 全厂", "撤离(全厂)已解除"
WITHIN_S = 90.0
CALLED = """
    SELECT m.person_id, a.platform, a.user_id, r.number, m.confirmed_at IS NOT NULL AS safe,
           (SELECT count(*) FROM card_copy k JOIN card_post p ON p.id = k.post_id JOIN case_card c ON c.id = p.card_id
             WHERE c.card_key = 'roll:' || m.call_id || '\\:member' AND k.person_id = m.person_id) AS cards,
           m.person_id = r.started_by_id AS starter
      FROM roll_call_member m JOIN roll_call r ON r.id = m.call_id JOIN account a ON a.person_id = m.person_id
     WHERE m.call_id = :call AND a.user_id <> ''
"""
STEPS = """
    SELECT step FROM ladder_step WHERE case_kind = 'roll_call' AND case_id = :call AND taken_at IS NOT NULL
"""
OPEN_SENDS = """
    SELECT count(*) FROM delivery WHERE case_kind = 'roll_call' AND case_id = :call
       AND state IN ('due', 'claimed', 'unknown')
"""
NEXT_STEP = """
    UPDATE ladder_step SET due_at = now() WHERE id = (SELECT min(id) FROM ladder_step
     WHERE case_kind = 'roll_call' AND case_id = :call AND taken_at IS NULL AND called_off_at IS NULL) RETURNING id
"""


@contextmanager
def dying(plan: Plan) -> Iterator[None]:
    """kill -9 of workers at random moments of the block, each once: on a busy machine a worker takes seconds to start.

    Who waits (`_until`) starts them again. The killing thread must not: what a thread starts is ended by the kernel with
    that thread (tools/processes.py).
    """
    failed = list[Exception]()

    def kill() -> None:
        try:
            for role in plan.random.sample(KILLED, plan.rounds(3, 2)):
                sleep(plan.random.uniform(0.1, 1.0))
                plan.on.kill(role)
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=kill, name="dying")
    thread.start()
    try:
        yield
    finally:
        thread.join()
        plan.on.supervise()
    if failed:
        raise failed[0]


def everybody_called(plan: Plan) -> Result:
    """Called, half of them confirm, the others are asked again, the call is ended; workers die in every part of it."""
    on, result = plan.on, Result("workers die in a roll call")
    for _ in range(plan.rounds(2)):
        people = int(on.number("SELECT count(*) FROM person WHERE active"))
        call = _start(plan, result)
        if not call:
            return result
        _wait(plan, result, call, "the calls are not out")
        called = int(on.number("SELECT count(*) FROM roll_call_member WHERE call_id = :call", call=call))
        if called != people:
            result.lost += people - called
            result.wrong.append(f"{people} people, {called} called")
        _look(plan, result, call)
        done = _half_confirm(plan, result, call)
        with dying(plan):
            steps = [row.id for row in on.ask(NEXT_STEP, call=call)]
            taken = "SELECT count(taken_at) FROM ladder_step WHERE id = ANY(:steps)"
            if not steps or not _until(plan, lambda: on.number(taken, steps=steps) == 1):  # noqa: B023
                result.wrong.append("the ladder of the call stands still")
        _wait(plan, result, call, "those who are missing were not asked again")
        _look(plan, result, call)
        _missing_shown(plan, result, done=done, people=people)
        _end(plan, result, call)
        plan.settle(result, [])
        _all_clear(plan, result, call)
        result.note = f"{people} people called, {people - done} asked again"
    return result


def _start(plan: Plan, result: Result) -> int:
    """The call's id, 0 when it was never started."""
    before = _last(plan)
    with dying(plan):
        _say(plan, "撤离 全厂 氨泄漏")
        if not _seen(plan, "发出撤离点名?"):
            result.wrong.append("the question whether it is meant never came")
            return 0
        _say(plan, "发出撤离")
        if not _until(plan, lambda: _last(plan) > before):
            result.wrong.append("the call was never started")
            return 0
    return _last(plan)


def _half_confirm(plan: Plan, result: Result, call: int) -> int:
    """Every second person says «我已撤到安全处»; returns how many have confirmed then."""
    people = _people(plan, call)
    half = [rows for rows in people.values() if not rows[0].safe][::2]
    wanted = len(half) + sum(rows[0].safe for rows in people.values())
    with dying(plan):
        for rows in half:
            _press(plan, rows)
    safe = "SELECT count(confirmed_at) FROM roll_call_member WHERE call_id = :call"
    if not _until(plan, lambda: plan.on.number(safe, call=call) == wanted):
        result.lost += wanted - int(plan.on.number(safe, call=call))
        result.wrong.append(f"{wanted} confirmed, {plan.on.number(safe, call=call):.0f} counted")
    return wanted


def _until(plan: Plan, what: Callable[[], bool]) -> bool:
    """Whether `what` says yes in time; whoever has died meanwhile is started again."""
    end = monotonic() + WITHIN_S
    while monotonic() < end:
        plan.on.supervise()
        with suppress(Exception):  # a process that is just dying
            if what():
                return True
        sleep(0.2)
    return False


def _last(plan: Plan) -> int:
    return int(plan.on.number("SELECT coalesce(max(id), 0) FROM roll_call"))


def _phone(who: tuple[str, str]) -> str:
    return f"/{who[0]}/_phone/{who[1]}"


def _screen(plan: Plan, who: tuple[str, str]) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = plan.on.get(f"{_phone(who)}/screen")["items"]
    return [item for item in items if item["from"] != "me"]


def _say(plan: Plan, words: str) -> None:
    plan.on.post(f"{_phone(STARTER)}/say", {"text": words})


def _texts(item: dict[str, Any]) -> str:
    card = item["card"] or {}
    return "\n".join(str(part or "") for part in (item["text"], card.get("title"), card.get("body"), card.get("note")))


def _seen(plan: Plan, words: str) -> bool:
    return _until(plan, lambda: any(words in _texts(item) for item in _screen(plan, STARTER)[-6:]))


def _wait(plan: Plan, result: Result, call: int, wrong: str) -> None:
    if not _until(plan, lambda: plan.on.number(OPEN_SENDS, call=call) == 0):
        result.wrong.append(f"{wrong}: {plan.on.number(OPEN_SENDS, call=call):.0f} left")


def _calls_on(plan: Plan, row: Any) -> list[dict[str, Any]]:
    """The cards of this call as one that is under way, on this person's phone. A copy of an earlier call may look so for
    ever: WeCom gives no right to change a card whose sending was repeated, its end is then a card of its own."""
    items = _screen(plan, (row.platform, row.user_id))
    return [
        item
        for item in items
        if item["card"] and (item["card"]["title"] or "").startswith(CARD) and row.number in _texts(item)
    ]


def _people(plan: Plan, call: int) -> dict[int, list[Any]]:
    """Who is called, with a row for each account."""
    people: dict[int, list[Any]] = {}
    for row in plan.on.ask(CALLED, call=call):
        people.setdefault(row.person_id, []).append(row)
    return people


def _look(plan: Plan, result: Result, call: int) -> None:
    """Nobody forgotten, nobody called more often than was decided; who has confirmed is left in peace."""
    steps = plan.on.ask(STEPS, call=call)
    asked = 1 + sum(any(n["to"] == "missing" and "app" in n["channels"] for n in row.step["notices"]) for row in steps)
    for person, rows in _people(plan, call).items():
        if rows[0].starter:
            continue  # counts as safe and is called by nobody
        seen, due = sum(len(_calls_on(plan, row)) for row in rows), 1 if rows[0].safe else asked
        if seen < due:
            result.lost += 1
            result.wrong.append(f"person {person} was called {seen} times instead of {due}")
        if seen > due:
            result.doubled += seen - due
            result.wrong.append(f"person {person} has {seen} calls instead of {due}, posted {rows[0].cards}")


def _press(plan: Plan, rows: list[Any]) -> None:
    for row in rows:
        for item in reversed(_calls_on(plan, row)):
            key = next((b["key"] for b in item["card"]["buttons"] if SAFE in b["label"] and not b["disabled"]), None)
            if key is not None:
                _tap(plan, (row.platform, row.user_id), item, key)
                return


def _tap(plan: Plan, who: tuple[str, str], item: dict[str, Any], key: str) -> None:
    plan.on.post(f"{_phone(who)}/tap", {"item": item["id"], "key": key, "selected": {}})


def _missing_shown(plan: Plan, result: Result, *, done: int, people: int) -> None:
    """On the leaders' card, and to whoever asks."""
    shown = lambda: any(f"未确认({people - done})" in _texts(item) for item in _screen(plan, STARTER))  # noqa: E731
    if not _until(plan, shown):
        result.wrong.append(f"the leaders' card does not show that {people - done} are missing")
    _say(plan, "点名")
    if not _seen(plan, f"已确认{done}/{people},未确认:"):
        result.wrong.append("who asked was not told who is missing")


def _end(plan: Plan, result: Result, call: int) -> None:
    """All clear: the steps to come are called off, and the cards say so."""
    for item in reversed(_screen(plan, STARTER)):
        buttons = (item["card"] or {}).get("buttons", [])
        key = next((b["key"] for b in buttons if "解除" in b["label"] and not b["disabled"]), None)
        if key is not None:
            _tap(plan, STARTER, item, key)
            break
    ended = "SELECT count(ended_at) FROM roll_call WHERE id = :call"
    if not _until(plan, lambda: plan.on.number(ended, call=call) == 1):
        result.wrong.append("the call cannot be ended")


def _all_clear(plan: Plan, result: Result, call: int) -> None:
    """Everybody hears that it is over, whatever their card still shows."""
    for person, rows in _people(plan, call).items():
        told = f"{rows[0].number} {OVER}"
        seen = sum(told in str(item["text"]) for row in rows for item in _screen(plan, (row.platform, row.user_id)))
        if seen == 0:
            result.lost += 1
            result.wrong.append(f"person {person} was not told that the call is over")
