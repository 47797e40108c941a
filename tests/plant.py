"""A whole plant in one process: app, jobs and emulators over real protocols, with a clock the test moves.

def test_a_leak_is_reported(plant):
    zhang = plant.phone("张伟")
    zhang.sends_photo(scene(1))
    zhang.says("3号泵房 泵密封漏油")
    zhang.sees("YH-0001")
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import hashlib
import io
import sqlite3
import weakref
from collections import OrderedDict
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import requests
from flask.testing import FlaskClient
from sqlalchemy import Select, and_, bindparam, event, func, or_, select, true

import wiring
from app import create_app
from emulators.demo_plant import demo_plant, demo_secrets
from emulators.dingtalk import DingTalkEmulator
from emulators.sms import SmsEmulator
from emulators.wecom import WeComEmulator
from emulators.wsgi import WsgiAdapter
from jobs import away, context, deliver, escalate, evidence, fetch, inbound, permits, policies, sweep
from jobs.queue import NoKicker
from rules.text import equipment_key
from settings import load
from storage.database import UtcTime
from storage.inbox import UNFINISHED
from storage.models import (
    Area,
    CardPost,
    CaseCard,
    Certificate,
    Delivery,
    Detector,
    Equipment,
    GroupChat,
    Hazard,
    Inbox,
    LadderStep,
    Leave,
    Permit,
    Person,
    RoleGrant,
    Zone,
)
from storage.unit_of_work import UnitOfWork
from tests import shelf
from tests.shelf import Kept, keep, memory, take_up

APP, WECOM, DING, SMS = "http://anshao.test", "http://wecom.test", "http://ding.test", "http://sms.test"
START = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)  # Tuesday 09:00 in the plant

DOUBLE_TAP = timedelta(seconds=3)  # a platform's two presses within two seconds may be one

# built once: they are asked thousands of times in a run, and making a statement costs more than running it.
# Work of a new kind that falls due has to be named here, else `settle` comes to rest before it.
_NOW = bindparam("now", type_=UtcTime)
_HAS_WORK = select(
    or_(
        select(Inbox.id).where(Inbox.state.in_(UNFINISHED)).exists(),
        select(Permit.id).where(Permit.judge_at <= _NOW).exists(),
        select(Hazard.id).where(Hazard.evidence_state == "due").exists(),
        select(Delivery.id).where(Delivery.state == "due", Delivery.due_at <= _NOW).exists(),
        select(CardPost.id)
        .join(CaseCard)
        .where(
            CardPost.state == "live",
            CardPost.shown_revision < CaseCard.revision,
            or_(CardPost.next_try_at.is_(None), CardPost.next_try_at <= _NOW),
        )
        .exists(),
    )
)


def _earliest(*waiting: tuple[Any, Any]) -> Select[Any]:
    """The earliest time after now of each (time, further condition), as one row."""
    return select(*(select(func.min(at)).where(at > _NOW, rest).scalar_subquery() for at, rest in waiting))


_HELD = _earliest((Delivery.due_at, Delivery.state == "due"), (CardPost.next_try_at, CardPost.state == "live"))
_NEXT_DUE = _earliest(
    (LadderStep.due_at, and_(LadderStep.taken_at.is_(None), LadderStep.called_off_at.is_(None))),
    (Delivery.due_at, Delivery.state == "due"),
    (CardPost.next_try_at, CardPost.state == "live"),
    (Inbox.next_try_at, Inbox.state == "new"),
    (Permit.judge_at, true()),
    (Leave.starts_at, true()),
    (Leave.ends_at, true()),
)


_LOADED: list[sqlite3.Connection] = []


_SECRETS = demo_secrets()  # the same in a process: one plant takes up what another left
_SHELF: OrderedDict[tuple[Any, ...], Kept] = OrderedDict()
_PLACES = 40  # on the shelf; a state takes some 3 MB


class _Whose(NamedTuple):
    """A phone of no plant."""

    platform: str
    person: dict[str, Any]


def _of_no_plant(found: Any) -> Any:
    if isinstance(found, Phone):
        return _Whose(found.platform, found.person)
    return tuple(map(_of_no_plant, found)) if isinstance(found, tuple) else found


class _Told:
    """A WSGI app that tells of requests that may change something."""

    def __init__(self, app: Any, tell: Callable[[], None]) -> None:
        self.app, self.tell = app, tell

    def __call__(self, environ: Any, start_response: Any) -> Any:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            self.tell()
        return self.app(environ, start_response)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.app, name)


def walked(way: Callable[..., Any]) -> Callable[..., Any]:
    """A helper `way(plant, …)` as a step: what it does depends on its arguments alone."""

    @functools.wraps(way)
    def step(plant: Plant, *args: Any, **kwargs: Any) -> Any:
        key = (way.__module__, way.__name__, args, tuple(sorted(kwargs.items())))
        return plant.step(key, lambda: way(plant, *args, **kwargs))

    return step


class Plant:
    def __init__(self, database_url: str, redis: Any, folder: Path) -> None:
        self.now = START
        self.folder = folder
        self.http = requests.Session()
        self.http.trust_env = False
        self.data = demo_plant(public_url=APP, secrets=copy.deepcopy(_SECRETS))
        self.wecom, self.dingtalk, self.sms = self.emulators = self._new_emulators()
        self.settings = load(self._environment(database_url, folder))
        self.services = wiring.build(
            self.settings, clock=lambda: self.now, http=self._session, redis_client=redis, kick=NoKicker()
        )
        if self.services.engine.dialect.name == "sqlite":  # nothing of a test must survive a power cut
            event.listen(self.services.engine, "connect", lambda db, _record: db.execute("PRAGMA synchronous=OFF"))
        context.use(self.services)
        self.app = create_app(self.settings, services=self.services)
        self._mount(self.http)
        self._load()
        self.pressed: dict[tuple[str, ...], datetime] = {}
        self._watch_for_changes()

    def _new_emulators(self) -> tuple[WeComEmulator, DingTalkEmulator, SmsEmulator]:
        options: dict[str, Any] = {"http": self.http, "clock": lambda: self.now.timestamp(), "background": False}
        return (
            WeComEmulator(self.data, public_url=WECOM, **options),
            DingTalkEmulator(self.data, public_url=DING, **options),
            SmsEmulator(self.data, public_url=SMS, **options),
        )

    def _environment(self, database_url: str, folder: Path) -> dict[str, str]:
        wecom, ding, sms = self.data["wecom"], self.data["dingtalk"], self.data["sms"]
        return {
            "ANSHAO_DATABASE_URL": database_url,
            "ANSHAO_MEDIA_URL": (folder / "media").as_uri(),
            "ANSHAO_DATA_DIR": str(folder),
            "ANSHAO_PUBLIC_URL": APP,
            "ANSHAO_SECRET_KEY": "s" * 40,
            "ANSHAO_LOG_LEVEL": "ERROR",
            "ANSHAO_WECOM_CORP_ID": wecom["corp_id"],
            "ANSHAO_WECOM_AGENT_ID": str(wecom["agent_id"]),
            "ANSHAO_WECOM_SECRET": wecom["secret"],
            "ANSHAO_WECOM_TOKEN": wecom["token"],
            "ANSHAO_WECOM_AES_KEY": wecom["aes_key"],
            "ANSHAO_WECOM_API_BASE": WECOM,
            "ANSHAO_WECOM_OAUTH_BASE": WECOM,
            "ANSHAO_DINGTALK_CORP_ID": ding["corp_id"],
            "ANSHAO_DINGTALK_CLIENT_ID": ding["client_id"],
            "ANSHAO_DINGTALK_CLIENT_SECRET": ding["client_secret"],
            "ANSHAO_DINGTALK_AGENT_ID": str(ding["agent_id"]),
            "ANSHAO_DINGTALK_ROBOT_CODE": ding["robot_code"],
            "ANSHAO_DINGTALK_EVENT_TOKEN": ding["event_token"],
            "ANSHAO_DINGTALK_EVENT_AES_KEY": ding["event_aes_key"],
            "ANSHAO_DINGTALK_CARD_TEMPLATE_ID": ding["card_template_id"],
            "ANSHAO_DINGTALK_API_BASE": DING,
            "ANSHAO_DINGTALK_OAPI_BASE": DING,
            "ANSHAO_SMS_PROVIDER": "aliyun",
            "ANSHAO_SMS_ACCESS_KEY_ID": sms["access_key_id"],
            "ANSHAO_SMS_ACCESS_KEY_SECRET": sms["access_key_secret"],
            "ANSHAO_SMS_SIGN_NAME": sms["sign_names"][0],
            "ANSHAO_SMS_TEMPLATE_CODE": next(iter(sms["templates"])),
            "ANSHAO_SMS_ENDPOINT": SMS + "/",
        }

    def _session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        self._mount(session)
        return session

    def _mount(self, session: requests.Session) -> None:
        for url, emulator in ((WECOM, self.wecom), (DING, self.dingtalk), (SMS, self.sms)):
            session.mount(url, WsgiAdapter(emulator.app))
        if hasattr(self, "app"):
            session.mount(APP, WsgiAdapter(self.app))

    def _load(self) -> None:
        """The plant's own rows. On SQLite the first plant of a test process writes them, the others copy its file."""
        path = self.services.engine.url.database
        if self.services.engine.dialect.name != "sqlite" or path is None:
            self._load_people()
        elif _LOADED:
            with closing(sqlite3.connect(path)) as ours:
                _LOADED[0].backup(ours)
        else:
            self._load_people()
            _LOADED.append(sqlite3.connect(":memory:", check_same_thread=False))
            with closing(sqlite3.connect(path)) as ours:
                ours.backup(_LOADED[0])

    def _load_people(self) -> None:
        with self.work() as work:
            areas = {}
            for a in self.data["areas"]:
                areas[a["code"]] = Area(
                    code=a["code"],
                    name=a["name"],
                    kind=a["kind"],
                    workshop=a["workshop"],
                    zone=a["zone"],
                    media=a["medium"],
                    ignition=a["ignition"],
                    polygon=a["polygon"],
                )
                work.db.add(areas[a["code"]])
            work.flush()
            for e in self.data["equipment"]:
                work.db.add(
                    Equipment(
                        code=e["code"],
                        code_key=equipment_key(e["code"]),
                        name=e["name"],
                        kind=e["kind"],
                        area_id=areas[e["area"]].id,
                        medium=e["medium"] or "",
                        ignition=e["ignition"],
                        state=e["state"],
                        lat=e["lat"],
                        lon=e["lon"],
                    )
                )
            for p in self.data["people"]:
                person = Person(
                    code=p["id"],
                    name=p["name"],
                    mobile=p["mobile"],
                    title=p["title"],
                    team=p["team"],
                    created_at=self.now,
                )
                work.db.add(person)
                work.flush()
                for platform in ("wecom", "dingtalk"):
                    if p[platform]:
                        union = p["unionid"] if platform == "dingtalk" else ""
                        work.people.add_account(platform, p[platform], at=self.now, union_id=union, person=person)
                for grant in p["roles"]:
                    area = areas[grant["area"]].id if grant["area"] else None
                    work.db.add(RoleGrant(person_id=person.id, role=grant["role"], area_id=area))
            self._load_permit_ledger(work, areas)
            for g in self.data["groups"]:
                workshop = g["title"].removesuffix("安全群")
                work.db.add(
                    GroupChat(
                        platform=g["platform"],
                        conversation_id=g["id"],
                        title=g["title"],
                        workshop=workshop,
                        bound_at=self.now,
                    )
                )
            work.commit()

    def _load_permit_ledger(self, work: UnitOfWork, areas: dict[str, Area]) -> None:
        for d in self.data["detectors"]:
            values = {name: d[name] for name in ("code", "name", "kind", "unit", "medium", "lat", "lon", "max_age_s")}
            until = date.fromisoformat(d["calibrated_until"])
            area = areas[d["area"]].id if d["area"] else None
            work.db.add(Detector(**values, area_id=area, calibrated_until=until))
        for z in self.data["zones"]:
            work.db.add(Zone(**z))
        for c in self.data["certificates"]:
            person = work.people.by_code(c["person"])
            assert person is not None
            work.db.add(
                Certificate(
                    person_id=person.id,
                    kind=c["kind"],
                    number=c["number"],
                    issued_on=date.fromisoformat(c["issued_on"]),
                    valid_until=date.fromisoformat(c["valid_until"]),
                )
            )

    def work(self, *, read_only: bool = False) -> UnitOfWork:
        return self.services.new_work(read_only=read_only)

    def _watch_for_changes(self) -> None:
        """`steps`: what was done since, while it was steps alone; None after anything else."""
        self.steps: tuple[Any, ...] | None = () if self.services.engine.dialect.name == "sqlite" else None
        self._as_made = self._services(), memory(self)

        ours = weakref.ref(self)  # engines outlive their tests

        def changed(*_: Any) -> None:
            if (plant := ours()) is not None:
                plant.steps = None

        event.listen(self.services.engine, "commit", changed)
        for app in (self.app, *(emulator.app for emulator in self.emulators)):
            app.wsgi_app = _Told(app.wsgi_app, changed)  # type: ignore[method-assign]

    def step(self, key: tuple[Any, ...], walk: Callable[[], Any]) -> Any:
        """What many talks begin with: walked by the first, taken up from the shelf by those that did the same before.

        `key` names it with everything it depends on. A plant that was changed by anything but steps walks itself.
        """
        if shelf.is_patched() or self._services() != self._as_made[0]:
            self.steps = None
        if self.steps == () and memory(self) != self._as_made[1]:
            self.steps = None
        if self.steps is None:
            return walk()
        steps = (*self.steps, (self.now, *key))
        if steps in _SHELF:
            take_up(self, _SHELF[steps])
            _SHELF.move_to_end(steps)
        else:
            found = walk()
            _SHELF[steps] = keep(self, _of_no_plant(found))
        if len(_SHELF) > _PLACES:
            _SHELF.popitem(last=False)[1].database.close()
        self.steps = steps
        return self._of_this_plant(_SHELF[steps].found)

    def _services(self) -> tuple[Any, ...]:
        """What this plant works with, and what of the plant itself was replaced."""
        own = [name for name in vars(self) if hasattr(type(self), name)]
        return dataclasses.replace(self.services, platforms=dict(self.services.platforms)), own

    def _of_this_plant(self, found: Any) -> Any:
        """What a walk returned: a phone stands for the same person's phone here."""
        if isinstance(found, _Whose):
            return Phone(self, found.platform, found.person)
        return tuple(map(self._of_this_plant, found)) if isinstance(found, tuple) else found

    # -- time and work

    def settle(self) -> None:
        """Everything that is due now happens: deliveries of the platforms, jobs, sends, updates."""
        for _ in range(200):
            done = self.wecom.tick() + self.dingtalk.tick()
            if done == 0 and not self._has_work():
                if not self._wait_out_a_full_second():
                    return
                continue
            done += fetch.fetch_ready(self.services) + inbound.handle_ready(self.services)
            done += permits.judge_due(self.services)
            done += evidence.make_due(self.services) + deliver.send_ready(self.services)
            if done == 0 and not self._wait_out_a_full_second():
                return
        raise AssertionError("the plant does not come to rest")

    def _has_work(self) -> bool:
        """Whether any job may find something to do now. One question, where asking every job takes a dozen."""
        with self.work(read_only=True) as work:
            return bool(work.db.connection().execute(_HAS_WORK, {"now": self.now}).scalar())

    def _wait_out_a_full_second(self) -> bool:
        """Sends that a full second of a platform's limit holds back: move the clock past it, as time would."""
        soon = self.now + timedelta(seconds=6)  # as long as a sender waits for it at most
        with self.work(read_only=True) as work:
            held = work.db.connection().execute(_HELD, {"now": self.now}).one()
        times = [at for at in held if at is not None and at <= soon]
        if times:
            self.now = min(times)
        return bool(times)

    def forward(self, **span: float) -> None:
        """Move the clock and let what became due happen: from due row to due row, so that a ladder climbs rung by rung."""
        self.steps = None
        end = self.now + timedelta(**span)
        longest = max(timedelta(minutes=1), (end - self.now) / 8)  # also what has no row of its own comes round
        while self.now < end:
            self.now = min(end, self.now + longest, self._next_due() or end)
            self.tick()

    def _next_due(self) -> datetime | None:
        """When the next row that waits for the clock is due."""
        with self.work(read_only=True) as work:
            found = work.db.connection().execute(_NEXT_DUE, {"now": self.now}).one()
        return min((at for at in found if at is not None), default=None)

    def tick(self) -> None:
        self.steps = None
        sweep.leases(self.services)
        escalate.escalate_due(self.services)
        away.hand_over(self.services)
        policies.move_due(self.services)
        self.settle()

    def problems(self) -> list[str]:
        return [
            *self.wecom.expect_nothing_unexpected(),
            *self.dingtalk.expect_nothing_unexpected(),
            *self.sms.expect_nothing_unexpected(),
        ]

    # -- people

    def phone(self, name: str, platform: str = "") -> Phone:
        person = next(p for p in self.data["people"] if p["name"] == name)
        chosen = platform or ("wecom" if person["wecom"] else "dingtalk")
        return Phone(self, chosen, person)

    def api(self) -> Api:
        """A client of the API with a token that may write."""
        secret = "anshao_" + "t" * 40
        with self.work() as work:
            if work.people.token_named("tests") is None:
                token = work.people.add_token("tests", hashlib.sha256(secret.encode()).hexdigest(), at=self.now)
                token.scopes = "read write"
                work.commit()
        return Api(self.app.test_client(), secret)

    def area_point(self, code: str) -> tuple[float, float]:
        """(lat, lon) inside the area: near its first equipment."""
        item = next(e for e in self.data["equipment"] if e["area"] == code)
        return item["lat"], item["lon"]

    def hazard(self, number: str) -> Any:
        with self.work(read_only=True) as work:
            found = work.hazards.by_number(number)
            assert found is not None, f"{number} does not exist"
            return found

    def sms_of(self, name: str) -> list[str]:
        person = next(p for p in self.data["people"] if p["name"] == name)
        answer = self.sms.app.test_client().get(f"/_phone/{person['id']}/screen").get_json()
        return [item["text"] for item in answer["items"]]


class Api:
    """The API as another system calls it."""

    def __init__(self, client: FlaskClient, secret: str) -> None:
        self.client, self.headers = client, {"Authorization": f"Bearer {secret}"}

    def get(self, path: str, **kwargs: Any) -> Any:
        return self.client.get(path, headers=self.headers, **kwargs)

    def post(self, path: str, **kwargs: Any) -> Any:
        return self.client.post(path, headers=self.headers, **kwargs)


class Phone:
    """One person's phone on one platform."""

    def __init__(self, plant: Plant, platform: str, person: dict[str, Any]) -> None:
        self.plant, self.platform, self.person = plant, platform, person
        self.user = person[platform]
        emulator = plant.wecom if platform == "wecom" else plant.dingtalk
        self.client: FlaskClient = emulator.app.test_client()

    def _post(self, verb: str, **kwargs: Any) -> dict[str, Any]:
        return self._do(verb, kwargs)

    def _opens(self, verb: str, key: Any, **kwargs: Any) -> dict[str, Any]:
        """A photo, or words said to it, with which so many talks begin."""
        before = self.plant.steps
        if before is None or len(before) > 1 or (verb == "say") != bool(before):
            return self._do(verb, kwargs)
        found: dict[str, Any] = self.plant.step((self.user, verb, key), lambda: self._do(verb, kwargs))
        return found

    def _do(self, verb: str, kwargs: dict[str, Any]) -> dict[str, Any]:
        answer = self.client.post(f"/_phone/{self.user}/{verb}", **kwargs)
        assert answer.status_code < 400, f"{self.person['name']} {verb}: {answer.get_data(as_text=True)}"
        self.plant.settle()
        found = answer.get_json()
        return found if isinstance(found, dict) else {}

    # -- doing

    def says(self, text: str, *, group: str = "", at_bot: bool = True) -> Phone:
        body: dict[str, Any] = {"text": text}
        if group:
            body |= {"group": self._group(group), "at_bot": at_bot}
        self._opens("say", (text, group, at_bot), json=body)
        return self

    def _group(self, title: str) -> str:
        groups = [*self.plant.data["groups"], *self.plant.data["wecom"]["bot"]["groups"]]
        return str(next(g["id"] for g in groups if g["title"] == title))

    def sends_photo(self, *photos: bytes, caption: str = "", group: str = "", name: str = "photo.jpg") -> Phone:
        data: dict[str, Any] = {"file": [(io.BytesIO(photo), name) for photo in photos]}
        data |= {"caption": caption} if caption else {}
        data |= {"group": self._group(group), "at_bot": "true"} if group else {}
        self._opens("photo", (photos, caption, group, name), data=data, content_type="multipart/form-data")
        return self

    def sends_voice(self, words: str = "") -> Phone:
        data = {"file": (io.BytesIO(b"#!AMR\n" + b"\x3c" * 400), "voice.amr"), "recognition": words}
        self._post("voice", data=data, content_type="multipart/form-data")
        return self

    def sends_video(self, film: bytes = b"\0\0\0\x18ftypmp42" + b"\0" * 400, name: str = "film.mp4") -> Phone:
        self._post("video", data={"file": (io.BytesIO(film), name)}, content_type="multipart/form-data")
        return self

    def sends_location(self, lat: float, lon: float, label: str = "") -> Phone:
        self._post("location", json={"lat": lat, "lon": lon, "label": label})
        return self

    def scans(self, code: str) -> Phone:
        self._post("scan", json={"result": code, "key": "hazard.scan"})
        return self

    def opens_app(self, lat: float, lon: float, precision: float) -> Phone:
        self._post("open", json={"lat": lat, "lon": lon, "precision": precision, "consent": True})
        return self

    def taps(self, label: str, *, on: str = "", choose: str = "") -> Phone:
        """Tap a button of the newest card that has it (of the newest card mentioning `on`)."""
        item, button = self._find_button(label, on)
        selected: dict[str, list[str]] = {}
        if choose:
            select = item["card"]["selects"][0]
            option = next(o["id"] for o in select["options"] if choose in o["text"])
            selected = {select["key"]: [option]}
        self._take_a_moment(item["id"], button["key"], str(selected))
        self._post("tap", json={"item": item["id"], "key": button["key"], "selected": selected})
        return self

    def _take_a_moment(self, *press: str) -> None:
        """Somebody who presses the same button once more has read the answer before; two at once are a double tap."""
        last = self.plant.pressed.get((self.user, *press))
        if last is not None:
            self.plant.now = max(self.plant.now, last + DOUBLE_TAP)
        self.plant.pressed[self.user, *press] = self.plant.now

    def cannot_tap(self, label: str, *, on: str = "") -> None:
        """No card shows the button alive."""
        for item in self.screen():
            card = item["card"]
            if card and (not on or on in _words(item)):
                assert not [b for b in card["buttons"] if b["label"] == label and not b["disabled"]], (
                    f"{label} is still there"
                )

    def _find_button(self, label: str, on: str) -> tuple[dict[str, Any], dict[str, Any]]:
        for item in reversed(self.screen()):
            card = item["card"]
            if card and (not on or on in _words(item)):
                for button in card["buttons"]:
                    if label in button["label"] and not button["disabled"]:
                        return item, button
        raise AssertionError(f"{self.person['name']} sees no button «{label}» {on}: {self._labels()}")

    def _labels(self) -> list[Any]:
        return [(i["card"]["title"], [b["label"] for b in i["card"]["buttons"]]) for i in self.screen() if i["card"]]

    # -- seeing

    def screen(self) -> list[dict[str, Any]]:
        """What the phone shows, oldest first."""
        answer = self.client.get(f"/_phone/{self.user}/screen").get_json()
        return sorted(answer["items"], key=lambda item: (item["at"], item["seq"]))

    def sees(self, *words: str, buttons: list[str] | None = None, chat: str = "") -> Phone:
        """Somewhere on the phone one message holds all the words (and shows exactly these live buttons)."""
        found = self._matching(words, chat)
        assert found, f"{self.person['name']} does not see {words}; sees: {self._all_words()}"
        if buttons is not None:
            shown = [item["card"] for item in found if item["card"]]
            assert shown, f"{self.person['name']} sees {words} on no card"
            live = [b["label"] for b in shown[-1]["buttons"] if not b["disabled"]]
            assert live == buttons, f"{self.person['name']} sees the buttons {live}"
        return self

    def does_not_see(self, *words: str) -> Phone:
        found = self._matching(words, "")
        assert not found, f"{self.person['name']} sees {[_words(i) for i in found]}"
        return self

    def count(self, *words: str) -> int:
        return len(self._matching(words, ""))

    def pictures(self) -> list[str]:
        return [i["image_url"] for i in self.screen() if i["kind"] == "image" and i["from"] != "me"]

    def _matching(self, words: tuple[str, ...], chat: str) -> list[dict[str, Any]]:
        return [
            item
            for item in self.screen()
            if item["from"] != "me"
            and (not chat or item["chat"].startswith(chat))
            and all(w in _words(item) for w in words)
        ]

    def _all_words(self) -> str:
        return "\n---\n".join(_words(item) for item in self.screen() if item["from"] != "me")


def _words(item: dict[str, Any]) -> str:
    parts = [item["text"] or ""]
    card = item["card"]
    if card:
        parts += [card[k] or "" for k in ("title", "subtitle", "body", "note", "source")]
        parts += [f"{name}:{value}" for name, value in card["facts"]]
        parts += [str(card.get("quote") or "")]
    return "\n".join(part for part in parts if part)
