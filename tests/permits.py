"""Helpers of the permit talks: readings fed like a gateway would, a request told to its verdict, a permit brought to work."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.pictures import scene
from tests.plant import Phone, Plant, walked

APPLICANT, GUARDIAN, WORKER = "马德顺", "郑凯", "吴涛"
APPROVER, LEADER = "周敏", "李强"


@walked
def feed(
    plant: Plant, code: str = "GT-301", value: float = 1.0, *, minutes: int = 185, every: int = 5, **over: Any
) -> None:
    """A detector's values of the last minutes up to now, slightly moving, as a gateway delivers them."""
    rows = [
        {
            "detector": code,
            "value": value + 0.1 * (m // every % 3),
            "unit": "%LEL",
            "at": (plant.now - timedelta(minutes=m)).isoformat(),
            **over,
        }
        for m in range(minutes - minutes % every, -1, -every)
    ]
    send(plant, rows)


def send(plant: Plant, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Readings through the API, then everything that follows from them."""
    answer = plant.api().post("/api/v1/readings", json=rows)
    assert answer.status_code in (200, 207), answer.get_data(as_text=True)
    plant.settle()
    return answer.get_json()


def one(plant: Plant, value: float | None, *, code: str = "GT-301", status: str = "ok", unit: str = "%LEL") -> None:
    """One new value, ten seconds later."""
    plant.now += timedelta(seconds=10)
    send(plant, [{"detector": code, "value": value, "unit": unit, "status": status, "at": plant.now.isoformat()}])


def running(plant: Plant, *, minutes: int, value: float = 1.0, code: str = "GT-301", guardian: str = GUARDIAN) -> None:
    """Time passes while the detector goes on reporting and the guardian keeps checking in."""
    for passed in range(5, minutes + 1, 5):
        for _ in range(2):  # well within the five minutes after which a value is old
            plant.forward(minutes=2.5)
            level = value + 0.1 * (passed // 5 % 3)
            send(plant, [{"detector": code, "value": level, "unit": "%LEL", "at": plant.now.isoformat()}])
        if guardian and passed % 25 == 0:
            plant.phone(guardian).taps("监护打卡", on="ZY-")


@walked
def ask_for(
    plant: Plant,
    *,
    kind: str = "动火",
    where: str = "P-102B",
    what: str = "P-102B出口法兰电焊",
    when: str = "现在干8小时",
    guardian: str = GUARDIAN,
    workers: str = WORKER,
    gas: str = "动火点可燃0.1%LEL,氧20.8",
    applicant: str = APPLICANT,
    plan: str = "是",
) -> Phone:
    """Tell a request; every statement of the groups is confirmed."""
    phone = plant.phone(applicant)
    for words in (kind, where, what, when, guardian, workers):
        if words:
            phone.says(words)
    if gas:
        phone.says(gas)
        if gas != "还没测":
            phone.taps("BX-01")
    confirm_all(phone, plan=plan)
    return phone


def confirm_all(phone: Phone, *, plan: str = "是") -> None:
    """Confirm group after group until something else is asked; `plan`: the answer to «方案已审批?»."""
    for _ in range(12):
        newest = next((i for i in reversed(phone.screen()) if i["from"] != "me"), None)
        title = newest["card"]["title"] if newest is not None and newest["card"] else ""
        if "已审批" in title or "带压" in title:
            phone.taps(plan if "已审批" in title else "否", on=title)
        elif "按现场核对" in title:
            phone.taps("都对")
        else:
            return
    raise AssertionError("the questions never end")


@walked
def hand_in(plant: Plant, **over: Any) -> Phone:
    """A request told and handed in for approval; returns the applicant's phone."""
    return ask_for(plant, **over).taps("提交审批")


@walked
def approve(plant: Plant, number: str = "ZY-0001", *, approver: str = APPROVER, where: str = "P-102B") -> Phone:
    phone = plant.phone(approver)
    phone.taps("到现场审批", on=number).sends_location(*spot(plant, where))
    return phone


def spot(plant: Plant, code: str) -> tuple[float, float]:
    item = next(e for e in plant.data["equipment"] if e["code"] == code)
    return item["lat"], item["lon"]


@walked
def prepare(
    plant: Plant, number: str = "ZY-0001", *, guardian: str = GUARDIAN, workers: tuple[str, ...] = (WORKER,)
) -> None:
    """Shift leader's check, measures one by one, briefing, guardian at the point."""
    with plant.work(read_only=True) as work:
        found = work.permits.by_number(number)
        if found is not None and found.work == "hot_work":
            plant.phone(LEADER).taps("班长验票", on=number)
    watcher = plant.phone(guardian)
    watcher.taps("确认措施", on=number)
    confirm_measures(watcher)
    watcher.taps("接受交底", on=number)
    for worker in workers:
        plant.phone(worker).taps("接受交底", on=number)
    watcher.taps("监护到位", on=number)


def confirm_measures(watcher: Phone) -> list[str]:
    """Confirm measure after measure, each with its evidence; returns what was asked."""
    asked = []
    for seed in range(40, 80):
        title, labels = _asked(watcher)
        if not title.startswith("措施"):
            break
        body = _body(watcher)
        asked.append(body)
        if "已落实" in labels:
            watcher.taps("已落实", on=title)
        elif "2级" in labels:
            watcher.taps("2级", on=title)
        elif "清单" in body:
            watcher.says("孙丽;扳手2把、照明灯1盏")
        elif "试吊" in body:
            watcher.sends_video()
        else:
            watcher.sends_photo(scene(seed))
    return asked


def _body(phone: Phone) -> str:
    """What the bot's newest card asks about."""
    newest = next(item for item in reversed(phone.screen()) if item["from"] != "me")
    return str(newest["card"]["body"] or "") if newest["card"] else ""


def _asked(phone: Phone) -> tuple[str, list[str]]:
    """The bot's newest message: its first line and live buttons."""
    newest = next(item for item in reversed(phone.screen()) if item["from"] != "me")
    card = newest["card"]
    first = card["title"] if card else newest["text"].splitlines()[0]
    return first, [b["label"] for b in card["buttons"] if not b["disabled"]] if card else []


def relieve(plant: Plant, name: str, number: str = "ZY-0001") -> list[str]:
    """The relief stands at the point and reads item after item; returns the items."""
    relief = plant.phone(name)
    relief.taps("监护打卡", on=number)
    read: dict[str, str] = {}
    for _ in range(10):
        title, labels = _asked(relief)
        # the answered question and the live card are drawn anew in one moment: either may be the newest on the phone
        if "已知晓" not in labels or title in read:
            break
        read[title] = _body(relief)
        relief.taps("已知晓", on=title)
    return list(read.values())


@walked
def start(plant: Plant, number: str = "ZY-0001", *, guardian: str = GUARDIAN) -> Phone:
    watcher = plant.phone(guardian)
    watcher.taps("开始作业", on=number)
    confirm_all(watcher)
    watcher.sends_photo(scene(77))
    return watcher


@walked
def at_work(plant: Plant, **over: Any) -> Phone:
    """A permit on which work has begun; returns the guardian's phone."""
    feed(plant)
    hand_in(plant, **over)
    approve(plant)
    prepare(plant)
    return start(plant)
