"""What a hazard costs in platform API calls and in human actions, counted by the emulators.

A whole plant in one process. One yellow hazard from the first photo to «closed and thanked», told thrice: in the demo plant
with people on both platforms, with everybody on WeCom, and with everybody on DingTalk.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import redis

import tests.plant
from bench.measuring import Row, at_most, row
from emulators.demo_plant import demo_plant
from storage import schema
from storage.database import open_engine
from tests.pictures import scene
from tools import embedded

FREE_CALLS_A_MONTH = 5000  # DingTalk, standard edition
WECOM_GOAL, DINGTALK_GOAL = 3, 4  # issue 2: messages and actions of one report

Data = dict[str, Any]


class CountingPhone(tests.plant.Phone):
    """A phone that counts what its owner does with it."""

    def _post(self, verb: str, **kwargs: Any) -> Data:
        found: Counter[str] = self.plant.__dict__.setdefault("done", Counter())
        found[self.person["name"]] += 1
        return super()._post(verb, **kwargs)


def run() -> list[Row]:
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="anshao-bench-") as place:
        folder = Path(place)
        with embedded.valkey(folder, keep=False) as url:
            client = redis.Redis.from_url(url)
            for name, change in (("both", _as_it_is), ("wecom", _all_wecom), ("dingtalk", _all_dingtalk)):
                client.flushall()
                rows += _told(name, _plant(folder / name, client, change))
            client.close()
    return rows


def _plant(folder: Path, client: redis.Redis, change: Callable[[Data], Data]) -> Any:
    folder.mkdir()
    url = f"sqlite:///{folder / 'anshao.db'}"
    engine = open_engine(url)
    schema.upgrade(engine)
    engine.dispose()
    with mock.patch.object(tests.plant, "demo_plant", lambda **options: change(demo_plant(**options))):
        return tests.plant.Plant(url, client, folder)


def _as_it_is(data: Data) -> Data:
    return data


def _all_wecom(data: Data) -> Data:
    for number, person in enumerate(data["people"]):
        person["wecom"], person["dingtalk"] = person["wecom"] or f"Moved{number:02d}", None
    return data | {"groups": [group for group in data["groups"] if group["platform"] == "wecom"]}


def _all_dingtalk(data: Data) -> Data:
    for number, person in enumerate(data["people"]):
        person["wecom"], person["dingtalk"] = None, person["dingtalk"] or f"user1{number:02d}"
    return data | {"groups": [group for group in data["groups"] if group["platform"] == "dingtalk"]}


def _told(name: str, plant: Any) -> list[Row]:
    """The second hazard is counted: the first one also fetches tokens, which live for two hours."""
    with mock.patch.object(tests.plant, "Phone", CountingPhone):
        for number in (1, 2):
            before, used = _calls(plant), _month(plant)
            plant.__dict__["done"] = Counter()
            reported = _loop(plant, number)
            spent = {platform: found - before[platform] for platform, found in _calls(plant).items()}
    problems = plant.problems()
    plant.services.engine.dispose()
    if problems:
        raise RuntimeError(f"the emulators object: {problems}")
    rows = []
    for platform, calls in spent.items():
        total, note = sum(calls.values()), ", ".join(f"{path} {n}" for path, n in calls.most_common())
        if total:
            rows.append(row(f"calls.{name}.{platform}", total, "calls", n=1, note=note))
    if name == "dingtalk":
        quota = _month(plant) - used
        month, note = FREE_CALLS_A_MONTH // quota, f"{quota} calls count against the {FREE_CALLS_A_MONTH} free ones"
        rows.append(row("calls.dingtalk.hazards_a_month", month, "hazards", n=1, note=note))
    done = sum(plant.__dict__["done"].values())
    rows.append(row(f"calls.{name}.actions", done, "actions", n=1, note="of all people, from photo to closed"))
    if name != "both":
        goal = WECOM_GOAL if name == "wecom" else DINGTALK_GOAL
        rows.append(at_most(f"calls.{name}.report", reported, "actions", goal, n=1, note=_HOW[name]))
    return rows


_HOW = {
    "wecom": "a photo, a location, a sentence: filed with no question",
    "dingtalk": "a photo, a sentence, a tap on the area asked for",
}


def _calls(plant: Any) -> dict[str, Counter[str]]:
    return {"wecom": Counter(plant.wecom.core.calls), "dingtalk": Counter(plant.dingtalk.core.journal.calls)}


def _month(plant: Any) -> int:
    """What counts against DingTalk's monthly quota: not the session webhooks, not plain downloads."""
    return int(plant.dingtalk.core.meters.month()["api"])


def _loop(plant: Any, number: int) -> int:
    """One yellow hazard at the loading platform; returns what its report took. Raises AssertionError if a step fails."""
    case, reporter = f"YH-{number:04d}", plant.phone("张伟")
    before = plant.__dict__["done"]["张伟"]
    words = "照明不足,灯坏一片" if number == 1 else "过道堆物挡路"
    reporter.sends_photo(scene(number))
    if reporter.platform == "wecom":
        reporter.sends_location(*plant.area_point("ZX")).says(words)
    else:
        reporter.says(words).taps("装卸台")
    reporter.sees(case, "已上报")
    reported = plant.__dict__["done"]["张伟"] - before
    fixer, checker = plant.phone("李强"), plant.phone("王芳")
    fixer.taps("开始整改", on=case)
    plant.forward(minutes=30)
    fixer.sends_photo(scene(number, mended=True)).says("更换并固定好了,试亮正常")
    checker.taps("验收通过", on=case)
    reporter.sees(case, "已闭环").taps("已改好", on=case)
    assert plant.hazard(case).state == "closed"
    return int(reported)
