"""`./anshao smoke`: the whole product with real processes on free ports: a hazard from photo to closed, a red alarm, a
permit from request to closed.

WeCom reporter → DingTalk group and to-do → rectified → accepted → the reporter sees it. Every step must be seen on a
phone, over the platforms' wire protocols; the exit status is 0 only then.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import requests

from tools import photos, smoke_ear, smoke_permit, stack
from tools.alone import StackError, free_ports
from tools.embedded import EmbeddedError
from tools.phones import DEADLINE_S, POLL_S, NotSeen, Phone, Transcript

GROUP = "储运车间安全群"
HAZARD = "1号甲醇储罐V-201旁边地沟盖板没了,踩空危险"
NUMBER = re.compile(r"YH-\d{4,}")


class Round:
    """One run of the script: the phones, the API and what was found so far."""

    def __init__(self, running: stack.Stack, talk: Transcript, keep: Path | None) -> None:
        self.stack, self.talk, self.keep = running, talk, keep
        self.http = stack.http()
        self.token = ""
        self.passed: list[str] = []

    def phone(self, name: str, platform: str = "") -> Phone:
        person = next(p for p in self.stack.plant["people"] if p["name"] == name)
        chosen = platform or ("wecom" if person["wecom"] else "dingtalk")
        return Phone(self.stack.phones_url, chosen, person, self.talk)

    def seen(self, step: str) -> None:
        self.passed.append(step)
        self.talk.say(f"✔ {step}")

    def check(self, fine: bool, what: str) -> None:
        if not fine:
            raise NotSeen(what)

    def control(self, path: str) -> Any:
        return self.http.get(f"{self.stack.phones_url}{path}", timeout=DEADLINE_S).json()

    def reset_calls(self) -> None:
        for platform in ("wecom", "dingtalk", "sms"):
            url = f"{self.stack.phones_url}/{platform}/_phone/calls/reset"
            self.http.post(url, json={}, timeout=DEADLINE_S).raise_for_status()

    def api(self, path: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = self.http.get(f"{self.stack.app_url}/api/v1{path}", headers=headers, timeout=DEADLINE_S)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def wait_for_api(self, number: str, fine: Callable[[dict[str, Any]], bool], what: str) -> dict[str, Any]:
        end = monotonic() + DEADLINE_S
        while True:
            hazard = self.api(f"/hazards/{number}")
            if fine(hazard):
                return hazard
            self.check(monotonic() < end, f"the API never showed {number} {what}; it is {hazard['state']}")
            sleep(POLL_S)


def report(run: Round) -> str:
    """张伟 reports with a photo, a place and a sentence; returns the number on his receipt."""
    zhang = run.phone("张伟")
    tank = next(e for e in run.stack.plant["equipment"] if e["code"] == "V-201")
    zhang.mark()
    zhang.sends_photo(photos.uncovered(), "地沟没有盖板")
    zhang.sends_location(tank["lat"], tank["lon"], "甲醇罐区")
    zhang.says(HAZARD)
    receipt = zhang.sees("已上报", "甲醇罐区")
    found = NUMBER.search(receipt["card"]["title"] if receipt["card"] else receipt["text"])
    run.check(found is not None, "the receipt has no number")
    assert found is not None
    run.seen("上报人收到带编号的回执 receipt with number")
    return found.group()


def dispatch(run: Round, number: str) -> Phone:
    """Orange: the director's group and his to-do, nobody else's phone twice; returns 陈刚's phone."""
    chen = run.phone("陈刚", "dingtalk")
    chen.sees(number, "二级(橙)", chat="group:")
    run.seen("车间主任的钉钉群里有橙色卡片 orange card in the director's group")
    chen.sees(number, chat="todo")
    run.seen("车间主任的钉钉待办 to-do for the director")
    return chen


def wrong_person(run: Round, number: str) -> None:
    """黄梅 is in the group but not responsible."""
    huang = run.phone("黄梅")
    huang.mark()
    huang.taps("开始整改", number)
    huang.sees("只能由")
    run.check(run.api(f"/hazards/{number}")["state"] == "assigned", "a wrong person's press changed the state")
    run.seen("无关人员点按钮被拒 a wrong person's tap is refused")


def rectify(run: Round, number: str, chen: Phone) -> None:
    """陈刚 starts, photographs the repaired place and says what was done."""
    chen.mark()
    chen.taps("开始整改", number)
    chen.sees("整改后的照片")
    chen.mark()
    chen.sends_photo(photos.covered(), "盖板已复位,已设围栏")
    chen.says("盖板已复位并固定,加了警示围栏")
    chen.sees(number, "已提交")
    run.seen("整改人提交了照片和说明 rectification with proof submitted")


def accept_twice(run: Round, number: str) -> None:
    """Both safety officers press at the same moment; one wins, the other is told who."""
    wang, zhou = run.phone("王芳"), run.phone("周敏")
    picture = wang.sees_picture()
    run.check(picture[:2] == b"\xff\xd8" or picture[:4] == b"\x89PNG", "the before/after picture is no picture")
    if run.keep is not None:
        (run.keep / f"{number}.jpg").write_bytes(picture)
    wang.sees(number, "待验收")
    run.seen(f"验收人看到前后对比图 before/after picture ({len(picture) // 1024} KB)")
    buttons = {phone.name: (phone, phone.find_button("验收通过", number)) for phone in (wang, zhou)}
    for phone, _ in buttons.values():
        phone.mark()
    run.talk.say("王芳[钉钉] 和 周敏[企业微信] 同时点「验收通过」")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda pair: pair[0].press(*pair[1]), buttons.values()))
    hazard = run.wait_for_api(number, lambda h: h["state"] == "closed", "closed")
    winner = _who(hazard["trail"][-1])
    by_name = {"王芳": wang, "周敏": zhou}
    run.check(winner in by_name, f"closed by {winner}, who did not press")
    loser = by_name["周敏" if winner == "王芳" else "王芳"]
    loser.sees(number, winner, "验收")
    run.seen(f"后点的人被告知是{winner}先验收的 the second presser is told who was first")


def _who(entry: dict[str, Any]) -> str:
    """The name in a line of the trail; what the system did by itself has none."""
    return str((entry["by"] or {}).get("name", "—"))


def closed(run: Round, number: str) -> None:
    """The reporter sees it closed, with the after-picture."""
    zhang = run.phone("张伟")
    zhang.sees(number, "已闭环")
    zhang.sees_picture()
    run.seen("上报人看到已闭环和整改后图片 the reporter sees it closed, with the picture")


def page(run: Round, number: str) -> None:
    """The card opens the case's page, through the platform's own sign-in."""
    html = run.phone("张伟").opens_page(number, "已闭环")
    run.check(number in html and "已闭环" in html, f"the page does not show {number} as closed")
    run.seen("卡片能打开网页,免登录 the card opens the page, signed in by the platform")


def trail(run: Round, number: str) -> None:
    hazard = run.api(f"/hazards/{number}")
    run.talk.say(f"API /api/v1/hazards/{number}:")
    for entry in hazard["trail"]:
        run.talk.say(f"   {entry['at']}  {_who(entry)}  {entry['action']}  {entry['from']} → {entry['to']}")
    kinds = {photo["kind"] for photo in hazard["photos"]}
    run.check({"before", "after"} <= kinds, f"the API shows only {kinds} photos")
    run.check(len(hazard["trail"]) >= 4, "the trail has fewer than four entries")
    run.seen("接口里有完整留痕 the API shows the whole trail")


def red(run: Round) -> None:
    """Words of danger: the evacuate line first, then executive's card and SMS."""
    zhang, zhao = run.phone("张伟"), run.phone("赵建国")
    zhang.mark()
    zhao.mark()
    zhang.says("3号泵房着火了")
    zhang.sees("撤")
    run.seen("险情先回撤离提醒 the evacuate line comes first")
    card = zhao.sees("一级(红)")
    run.seen("分管领导收到红色卡片 the executive's red card")
    found = NUMBER.search(card["card"]["title"])
    assert found is not None
    end = monotonic() + DEADLINE_S
    while True:
        texts = [i["text"] for i in run.control(f"/sms/_phone/{zhao.person['id']}/screen")["items"]]
        if any(found.group() in text for text in texts):
            break
        run.check(monotonic() < end, f"no SMS about {found.group()}")
        sleep(POLL_S)
    run.talk.say(f"   → 赵建国[短信]看到: {texts[-1]}")
    run.seen("分管领导收到短信 the executive's SMS")


def counted_calls(run: Round) -> tuple[dict[str, int], dict[str, int]]:
    """(WeCom, DingTalk): calls since the reset, once none has been added for a second: cards are redrawn after sends."""
    quiet_since, last = monotonic(), None
    end = quiet_since + DEADLINE_S
    while True:
        wecom = {k: int(v) for k, v in run.control("/wecom/_phone/calls").items()}
        ding = {k: int(v) for k, v in run.control("/dingtalk/_phone/calls")["calls"].items()}
        if (wecom, ding) != last:
            quiet_since, last = monotonic(), (wecom, ding)
        elif monotonic() - quiet_since > 1.0:
            return wecom, ding
        run.check(monotonic() < end, "the product does not stop calling the platforms")
        sleep(POLL_S)


def calls(run: Round) -> str:
    """Platform API calls since the reset, by platform and in all."""
    wecom, ding = counted_calls(run)
    for platform, counted in (("WeCom", wecom), ("DingTalk", ding)):
        for name, count in sorted(counted.items(), key=lambda pair: -pair[1]):
            run.talk.say(f"   {platform:9} {count:3} × {name}")
    both = sum(wecom.values()) + sum(ding.values())
    return (
        f"每条闭环隐患的平台调用 platform API calls per closed hazard: WeCom {sum(wecom.values())}, "
        f"DingTalk {sum(ding.values())}, in all {both}"
    )


def play(run: Round) -> None:
    """The whole script. Raises NotSeen at the first step that did not happen."""
    run.token = run.stack.flask("token", "create", "smoke").split()[-1]
    run.reset_calls()
    number = report(run)
    chen = dispatch(run, number)
    wrong_person(run, number)
    rectify(run, number, chen)
    accept_twice(run, number)
    closed(run, number)
    run.talk.say(calls(run))
    page(run, number)
    trail(run, number)
    red(run)
    smoke_ear.play(run)
    smoke_permit.play(run)
    problems = [
        p
        for platform in ("wecom", "dingtalk", "sms", "speech", "training")
        for p in run.control(f"/{platform}/_phone/problems")
    ]
    run.check(not problems, f"the emulators found {len(problems)} wrong calls: {problems[:5]}")
    run.seen("平台模拟器没有发现不合规调用 no call that a platform would object to")


def main() -> int:
    parser = argparse.ArgumentParser(prog="./anshao smoke", description=__doc__)
    parser.add_argument("--keep", type=Path, help="keep pictures, transcript and logs in this folder")
    keep = parser.parse_args().keep
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="anshao-smoke-") as temporary:
        folder = keep or Path(temporary)
        app_port, phones_port = free_ports(2)
        talk, began = Transcript(), monotonic()
        try:
            with stack.running(folder, app_port=app_port, phones_port=phones_port, note=talk.say) as running:
                run = Round(running, talk, keep)
                try:
                    talk.say(f"就绪 ready after {monotonic() - began:.1f} s")
                    play(run)
                except (NotSeen, requests.RequestException, StackError) as error:
                    talk.say(f"✘ {error}")
                    for name in running.children:
                        talk.say(f"--- {name}:\n{running.last_words(name, 8)}")
                    return 1
        except (StackError, EmbeddedError) as error:
            print(f"\n{error}", file=sys.stderr)
            return 1
        talk.say(f"smoke: {len(run.passed)} steps seen, all well 全部步骤通过")
        if keep is not None:
            (keep / "transcript.txt").write_text("\n".join(talk.lines) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
