"""The outbox as a state machine: workers die at any point, platforms answer anything, and nothing is lost or shown twice."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from bot.platforms.base import Failure, PlatformError, Posted, Sent
from bot.router import Router
from cards.card import Card
from jobs import deliver, sweep
from jobs.context import Services
from jobs.queue import NoKicker
from storage import schema
from storage.database import open_engine
from storage.models import Delivery

START = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
FINAL = {"confirmed", "refused", "expired"}
OUTCOMES = (
    "ok", "ok", "dies_before", "dies_after", "arrived_unknown", "lost_unknown", "retry", "throttled", "permanent",
    "nobody", "crash_after",
)  # fmt: skip


class Killed(BaseException):
    """The worker's process is gone: nothing after this line runs."""


class World:
    """A platform that does what the script says. It recognises repeats by key or ref, except for DingTalk texts."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.script: list[str] = []
        self.shown: Counter[str] = Counter()  # DingTalk texts by what they say, all else by key
        self.content: dict[str, str] = {}  # what each posted card shows; a repeat changes nothing
        self.rights: set[str] = set()  # WeCom's, each for one change
        self.keys: dict[str, int] = {}

    def _do(self, key: str, show: Any) -> None:
        outcome = self.script.pop(0) if self.script else "ok"
        if outcome == "dies_before":
            raise Killed
        if outcome in ("retry", "throttled", "permanent", "nobody"):
            raise PlatformError(Failure(outcome), "x", wait_s=1.0)
        if outcome == "lost_unknown":
            raise PlatformError(Failure.UNKNOWN, "timeout")
        show()
        if outcome == "arrived_unknown":
            raise PlatformError(Failure.UNKNOWN, "timeout")
        if outcome == "dies_after":
            raise Killed
        if outcome == "crash_after":
            raise RuntimeError("a bug")

    def send_text(self, target: Any, text: str, *, key: str, reply_to: Any = None, markdown: bool = False) -> Sent:
        def show() -> None:
            if self.name == "dingtalk":
                self.shown[text] += 1
            else:
                self.shown[text] = 1

        self._do(key, show)
        return Sent(ref=key)

    def post_card(self, card: Card, targets: Any, *, ref: str) -> Posted:
        def show() -> None:
            if ref not in self.content:
                self.content[ref] = card.title
                self.rights.add(f"{ref}+")
            for target in targets:
                self.shown[f"{ref}:{target.key}"] = 1

        known = ref in self.content
        self._do(ref, show)
        return Posted(ref=ref, codes=() if known or self.name != "wecom" else (f"{ref}+",))

    def redraw_card(self, card: Card, targets: Any, *, ref: str, code: str = "") -> None:
        def show() -> None:
            self.rights.discard(code)
            self.content[ref] = card.title

        if self.name == "wecom" and code not in self.rights:
            raise PlatformError(Failure.SPENT, "42014")
        self._do(ref, show)


class OutboxMachine(RuleBasedStateMachine):
    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="outbox-"))
        shutil.copyfile(self.template, self.folder / "a.db")
        self.engine = open_engine(f"sqlite:///{self.folder / 'a.db'}")
        self.now, self.numbers = START, 0
        self.worlds = {name: World(name) for name in ("wecom", "dingtalk")}
        self.services = Services(
            engine=self.engine, clock=lambda: self.now, platforms=self.worlds, router=Router((), help=lambda _: None),  # type: ignore[arg-type]
            media=None, kick=NoKicker(), zone=ZoneInfo("Asia/Shanghai"), public_url="http://x", redis=None,  # type: ignore[arg-type]
        )  # fmt: skip
        self.ended: dict[int, str] = {}

    def teardown(self) -> None:
        for world in self.worlds.values():
            world.script.clear()
        for _ in range(30):
            self.now += timedelta(minutes=6)
            sweep.leases(self.services)
            deliver.send_ready(self.services)
        rows = self._rows()
        self._check(rows)
        for row in rows:
            assert row.state in FINAL, (row.id, row.state, row.error, row.wait_reason)
            if row.state == "confirmed":
                assert self._times_shown(row) >= 1, f"{row.id} counts as confirmed and was never shown"
        self._check_cards([row for row in rows if row.what == "card" and row.state == "confirmed"])
        self.engine.dispose()
        shutil.rmtree(self.folder)

    def _check_cards(self, rows: list[Delivery]) -> None:
        """Everybody who got a card has a copy that shows how the case stands."""
        with self.services.new_work(read_only=True) as work:
            for row in rows:
                card = work.cards.get(row.card_id or 0)
                mine = [p for p in card.posts if any(c.user_id == row.user_id for c in p.copies)]
                assert mine, "a card that was posted is not known and would never be redrawn"
                live = [post for post in mine if post.state == "live"]
                if not live:  # given up for good: its last try was refused
                    assert all(post.error for post in mine)
                    continue
                shows = self.worlds[row.platform].content[live[-1].ref]
                assert shows == card.content["title"], f"{live[-1].ref} shows {shows}, not {card.content['title']}"

    def _rows(self) -> list[Delivery]:
        with self.services.new_work(read_only=True) as work:
            return list(work.db.scalars(select(Delivery).order_by(Delivery.id)))

    def _times_shown(self, row: Delivery) -> int:
        world = self.worlds[row.platform]
        if row.what == "text":
            plain = row.payload["text"].split("\n")[0]
            return sum(count for said, count in world.shown.items() if said.split("\n")[0] == plain)
        return sum(count for key, count in world.shown.items() if key.endswith(f":user:{row.user_id}"))

    # -- what may happen

    @rule(
        platform=st.sampled_from(["wecom", "dingtalk"]), urgency=st.sampled_from([0, 2, 5, 8]), place=st.integers(1, 3)
    )
    def somebody_writes(self, platform: str, urgency: int, place: int) -> None:
        self.numbers += 1
        row = Delivery(
            dedupe_key=f"t{self.numbers}", purpose="p", what="text", platform=platform, user_id=f"u{place}",
            payload={"text": f"第{self.numbers}条"}, urgency=urgency, due_at=self.now, created_at=self.now,
            expires_at=self.now + timedelta(days=7),
        )  # fmt: skip
        with self.services.new_work() as work:
            work.outbox.add(row)
            work.commit()

    @rule(platform=st.sampled_from(["wecom", "dingtalk"]), people=st.integers(1, 3))
    def a_card_goes_to_several(self, platform: str, people: int) -> None:
        self.numbers += 1
        number = self.numbers
        with self.services.new_work() as work:
            card = work.cards.put(f"k{number}", "", 0, Card(title=f"卡{number}").to_json(), at=self.now)
            for person in range(people):
                row = Delivery(
                    dedupe_key=f"c{number}:{person}", purpose="p", what="card", platform=platform,
                    user_id=f"c{number}p{person}", payload={}, due_at=self.now, created_at=self.now, card_id=card.id,
                    batch_key=f"{platform}|k{number}", expires_at=self.now + timedelta(days=7),
                )  # fmt: skip
                work.outbox.add(row)
            work.commit()

    @rule(
        wecom=st.lists(st.sampled_from(OUTCOMES), max_size=5), dingtalk=st.lists(st.sampled_from(OUTCOMES), max_size=5)
    )
    def a_worker_sends(self, wecom: list[str], dingtalk: list[str]) -> None:
        self.worlds["wecom"].script, self.worlds["dingtalk"].script = list(wecom), list(dingtalk)
        try:
            deliver.send_ready(self.services)
        except Killed:
            return

    @rule(key=st.integers(1, 6))
    def a_case_moves_on(self, key: int) -> None:
        with self.services.new_work() as work:
            card = work.cards.by_key(f"k{key}")
            if card is not None:
                work.cards.put(card.card_key, "", 0, Card(title=f"第{card.revision + 1}版").to_json(), at=self.now)
            work.commit()

    @rule(seconds=st.sampled_from([1, 10, 25, 120, 3600]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule()
    def the_scheduler_looks(self) -> None:
        sweep.leases(self.services)

    # -- what must hold

    @invariant()
    def nothing_is_wrong(self) -> None:
        self._check(self._rows())

    def _check(self, rows: list[Delivery]) -> None:
        for row in rows:
            assert row.state in FINAL | {"due", "claimed", "unknown"}
            assert (row.state == "claimed") == (row.lease_until is not None), (row.id, row.state, row.lease_until)
            assert row.state not in ("refused", "expired") or row.error, f"{row.id} ended without a reason"
            before = self.ended.get(row.id)
            assert before is None or row.state == before, f"{row.id} was {before} and is {row.state}"
            if row.state in FINAL:
                self.ended[row.id] = row.state
        unmarked = {said: n for said, n in self.worlds["dingtalk"].shown.items() if "可能重复" not in said and n > 1}
        assert not unmarked, f"shown twice without saying so: {unmarked}"
        batches: dict[str, set[Any]] = {}
        for row in rows:
            if row.batch_key and row.state == "due":
                batches.setdefault(row.batch_key, set()).add(row.due_at)
        split = {key: times for key, times in batches.items() if len(times) > 1}
        assert not split, f"rows of one card go out apart and would be posted twice: {split}"


def test_the_outbox_never_loses_and_never_doubles(tmp_path: Path) -> None:
    template = tmp_path / "template.db"
    engine = open_engine(f"sqlite:///{template}")
    schema.upgrade(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA journal_mode=DELETE")
        connection.exec_driver_sql("BEGIN")
    engine.dispose()
    OutboxMachine.template = template
    run_state_machine_as_test(
        OutboxMachine,
        settings=settings(
            max_examples=20,
            stateful_step_count=14,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
