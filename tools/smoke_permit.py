"""The permit rounds of `./anshao smoke`: a day at the demo plant, from the request to the closed permit.

A fail by zone, a fail by training and by gas, the fix, approval on the spot, measures with evidence, the start, a
reading over the limit that stops the work by itself, going on, the end, and a certificate that another system withdraws.
Only what holds at every hour is asserted: hot work is graded up at night and on holidays, so the pass is an entry.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from bench.scenes import jpeg, scene
from tools.phones import DEADLINE_S, POLL_S, NotSeen, Phone, words_of

if TYPE_CHECKING:
    from tools.smoke import Round

NUMBER = re.compile(r"ZY-\d{4,}")
DETECTOR, TANK = "GT-201", "V-206"
# A run is faster than people, and WeCom lets 30 messages a minute through to one person: nobody asks for two things here,
# and who still comes to the limit waits for the next minute.
PATIENCE_S = 75.0
ASKS_HOT_WORK, ASKS_ENTRY = "刘洋", "郑凯"
FILM = b"\0\0\0\x18ftypmp42" + b"\0" * 2000
TAPS = ("都对", "已落实", "2级", "否")  # whichever the newest card has, first come
TYPED = (
    ("清单", "孙丽;扳手2把、照明灯1盏"),
    ("照明电压", "12"),
    ("风力", "2级"),
    ("气体分析", "中部可燃0.1%LEL,氧20.8,甲醇3ppm"),
    ("还缺:", "甲醇3ppm"),
)
CHOSEN = (("隔断方式", "盲板"), ("哪台检测仪", "BX-01"), ("已审批", "是"))


def play(run: Round) -> None:
    """All rounds. Raises NotSeen at the first step that did not happen."""
    feed(run, 1.0, minutes=185)
    zone(run)
    number = request(run)
    approve(run, number)
    guardian = start(run, number)
    stopped(run, number, guardian)
    resumed(run, number, guardian)
    closed(run, number, guardian)
    withdrawn(run)


# -- readings


def feed(run: Round, value: float, *, minutes: int = 0) -> None:
    """The detector's values of the last minutes, as a gateway delivers them."""
    now = datetime.now(UTC)
    rows: Any = [
        {
            "detector": DETECTOR,
            "value": value + 0.1 * (m // 5 % 3),
            "unit": "%LEL",
            "at": (now - timedelta(minutes=m)).isoformat(),
        }
        for m in range(minutes - minutes % 5, -1, -5)
    ]
    answer = run.http.post(
        f"{run.stack.app_url}/api/v1/readings",
        json=rows,
        headers={"Authorization": f"Bearer {run.token}"},
        timeout=DEADLINE_S,
    )
    answer.raise_for_status()
    run.check(answer.json()["refused"] == 0, f"readings were refused: {answer.json()['errors'][:2]}")
    run.talk.say(f"{DETECTOR} 报 {value} %LEL" + (f"(近{minutes}分钟)" if minutes else ""))


# -- talking


class Teller:
    """Somebody who answers question after question. A card that is only redrawn is no new question."""

    def __init__(self, phone: Phone) -> None:
        self.phone = phone
        self.known: set[str] = set()

    def mark(self) -> None:
        """What is on the phone by now has been read."""
        self.phone.mark()
        self.known = {item["id"] for item in self.phone.screen()}

    def tells(self, *words: str) -> None:
        """Say one thing after the other, each after the question to it."""
        for word in words:
            self.mark()
            self.phone.says(word)
            self._question()

    def _question(self, *, until: str = "", began: int = 0) -> dict[str, Any] | None:
        """The newest unanswered message; None once one that is new or changed since `began` holds `until`."""
        end = monotonic() + PATIENCE_S
        while True:
            items = [item for item in self.phone.screen() if item["from"] != "me"]
            seen = [item for item in items if until and item["seq"] > began and until in words_of(item)]
            if seen:
                self.phone._show(seen[-1])
                return None
            fresh = [item for item in items if item["id"] not in self.known]
            if fresh:
                return max(fresh, key=lambda item: (item["at"], item["seq"]))
            if monotonic() > end:
                there = "\n".join(f"· {words_of(i)[:120]}" for i in self.phone.screen()[-6:])
                raise NotSeen(
                    f"{self.phone.name} waited {PATIENCE_S:.0f} s for {until or 'an answer'}; there:\n{there}"
                )
            sleep(POLL_S)

    def answers(self, *, until: str, typed: tuple[tuple[str, str], ...] = TYPED) -> None:
        """Answer as the field would until a message that is new or changed since the last mark holds `until`."""
        began = self.phone.after
        for turn in range(80):
            item = self._question(until=until, began=began)
            if item is None:
                return
            self.known.add(item["id"])
            _answer(self.phone, item, words_of(item), turn, typed)
        raise NotSeen(f"{self.phone.name}: the questions never end")

    def verdict(self, card: str, *words: str, typed: tuple[tuple[str, str], ...] = TYPED) -> None:
        """Answer until the card is there; the whole verdict is a text beside it."""
        self.answers(until=card, typed=typed)
        self.phone.sees(*words, within_s=PATIENCE_S)


def _answer(phone: Phone, item: dict[str, Any], text: str, turn: int, typed: tuple[tuple[str, str], ...]) -> None:
    title = text.splitlines()[0]
    labels = {b["label"]: b["key"] for b in item["card"]["buttons"] if not b["disabled"]} if item["card"] else {}
    wish = next((label for words, label in CHOSEN if words in title and label in labels), "")
    wish = wish or next((label for label in TAPS if label in labels), "")
    asked_for = text if title.startswith("措施") else title
    words = next((said for asked, said in typed if asked in asked_for), "")
    if words and not wish:
        phone.says(words)
    elif wish:
        phone.talk.say(f"{phone.name} 点「{wish}」: {title[:40]}")
        phone.press(item["id"], labels[wish], {})
    elif "视频" in text:
        phone.talk.say(f"{phone.name} 发视频")
        phone._post("video", files={"file": ("lift.mp4", FILM, "video/mp4")})
    elif "拍" in text:
        phone.sends_photo(jpeg(scene(200 + turn, width=800, height=600)), title[:24])
    # anything else is news, not a question: the next message is waited for


# -- the rounds


def zone(run: Round) -> None:
    """Hot work where the plant drew an absolute ban."""
    asker = Teller(run.phone(ASKS_HOT_WORK))
    asker.tells("动火", "LA-402", "LA-402鹤管支架电焊", "现在干2小时", "郑凯", "吴涛")
    asker.verdict("动火 · 不通过", "判定:不通过", "HW-G08", "绝对禁火区")
    run.seen("绝对禁火区内动火:不通过,有条款 a fail by zone")


def request(run: Round) -> str:
    """An entry with a guardian without certificate and too little oxygen; put right; handed in."""
    asker = Teller(run.phone(ASKS_ENTRY))
    asker.tells("受限空间", TANK, f"{TANK}检查内壁", "现在干4小时", "孙丽", "林雪")
    low = (("气体分析", "中部可燃0.1%LEL,氧19.4,甲醇3ppm"), *TYPED)
    asker.verdict("受限空间 · 不通过", "判定:不通过", "G-003", "CS-003", "这样就能通过", typed=low)
    run.seen("监护人没有证:不通过 a fail by training")
    run.seen("氧含量19.4%:不通过,附最小修改 a fail by gas, with the smallest fix")
    asker.mark()
    asker.phone.taps("改内容", "受限空间")
    asker.phone.taps("监护人", "改")
    asker.phone.sees("谁监护")
    asker.tells("高峰")
    asker.answers(until="受限空间 · 不通过")
    asker.mark()
    asker.phone.taps("报气体", "受限空间")
    asker.answers(until="受限空间 · 通过")
    run.seen("照建议改完:通过 the proposed changes flip the verdict")
    _speak_on_wecom(run, "陈刚")
    asker.mark()
    asker.phone.taps("提交审批", "受限空间")
    receipt = words_of(asker.phone.sees("ZY-", "已提交"))
    return NUMBER.findall(receipt)[0]


def _speak_on_wecom(run: Round, name: str) -> None:
    """A person with both accounts gets the card where they spoke last; only WeCom sends a location from the chat."""
    phone = run.phone(name, "wecom")
    phone.mark()
    phone.says("帮助")
    phone.sees("隐患")


def approve(run: Round, number: str) -> None:
    """The workshop director signs at the tank, not from the office."""
    chen = run.phone("陈刚", "wecom")
    tank = next(e for e in run.stack.plant["equipment"] if e["code"] == TANK)
    far = next(e for e in run.stack.plant["equipment"] if e["code"] == "PD-501")
    chen.sees(number, "待审批")
    chen.mark()
    chen.taps("到现场审批", number)
    chen.sees("发一下位置")
    chen.sends_location(far["lat"], far["lon"], "配电室")
    chen.sees("审批人须在作业现场")
    run.seen("审批人不在现场:不能签 the approver far away cannot sign")
    chen.mark()
    chen.sends_location(tank["lat"], tank["lon"], TANK)
    chen.sees(number, "已批准")
    run.seen("审批人到现场签发 approved on the spot")


def start(run: Round, number: str) -> Phone:
    """Measures with evidence, briefing, the guardian at the point, the start."""
    gao, lin = run.phone("高峰"), run.phone("林雪")
    gao.sees(number, "已批准")
    teller = Teller(gao)
    teller.mark()
    gao.taps("确认措施", number)
    teller.answers(until="措施已全部确认")
    run.seen("安全措施逐条确认,该拍照的有照片 measures confirmed one by one, with evidence")
    gao.taps("接受交底", number)
    lin.taps("接受交底", number)
    gao.taps("监护到位", number)
    wait(run, number, _briefed_and_there, "ready")
    teller.mark()
    gao.taps("开始作业", number)
    teller.answers(until="已开始")
    wait(run, number, lambda p: p["state"] == "active", "active")
    run.seen("作业开始 the work begins")
    return gao


def _briefed_and_there(permit: dict[str, Any]) -> bool:
    done = [line["action"] for line in permit["trail"]]
    return done.count("briefed") >= 2 and "checked_in" in done


def wait(run: Round, number: str, fine: Any, what: str) -> dict[str, Any]:
    end = monotonic() + DEADLINE_S
    while True:
        permit = run.api(f"/permits/{number}")
        if fine(permit):
            return permit
        run.check(monotonic() < end, f"{number} was never {what}; it is {permit['state']}")
        sleep(POLL_S)


def stopped(run: Round, number: str, guardian: Phone) -> None:
    """A reading over the limit: everybody is called by the system itself."""
    lin = run.phone("林雪")
    for phone in (guardian, lin):
        phone.mark()
    began = monotonic()
    feed(run, 40.0)
    guardian.sees(number, "立即停止作业")
    took = monotonic() - began
    lin.sees(number, "立即停止作业")
    permit = wait(run, number, lambda p: p["state"] == "suspended", "suspended")
    run.talk.say(
        f"从读数到叫停卡片 reading to suspension on the phone: {took * 1000:.0f} ms; {permit['suspended'][0]['rule']}"
    )
    run.seen("读数超限:自动叫停,全员收到 a reading over the limit suspends the permit by itself")
    for phone in (guardian, lin, run.phone(ASKS_ENTRY), run.phone("陈刚", "wecom")):
        phone.taps("确认停工", number)
    guardian.sees(number, "全员已确认停工")
    run.seen("全员确认停工 everybody confirmed")


def resumed(run: Round, number: str, guardian: Phone) -> None:
    """The air is clean again, a new analysis, and on it goes."""
    feed(run, 1.0)
    teller = Teller(guardian)
    teller.mark()
    guardian.taps("报气体", number)
    teller.answers(until="结果合格")
    teller.mark()
    guardian.taps("恢复作业", number)
    teller.answers(until="已恢复作业")
    wait(run, number, lambda p: p["state"] == "active", "active again")
    run.seen("重新检测合格后恢复 resumed after a new analysis")


def closed(run: Round, number: str, guardian: Phone) -> None:
    """Counted out, accepted by the shift leader, the sheet as PDF."""
    teller = Teller(guardian)
    teller.mark()
    guardian.taps("收工", number)
    teller.answers(until="已收工", typed=(("清点", "林雪出来;扳手2把、灯1盏带出"),))
    li = run.phone("李强")
    li.sees(number, "待验收")
    li.taps("验收关闭", number)
    permit = wait(run, number, lambda p: p["state"] == "closed", "closed")
    micro = {row["micro"] for row in permit["approvals"] if row["micro"]}
    run.check({"MA-01", "MA-10", "MA-12"} <= micro, f"micro-actions on the permit: {sorted(micro)}")
    for line in permit["trail"]:
        who = (line["by"] or {}).get("name", "系统")
        run.talk.say(
            f"   {line['at'][11:19]}  {who}  {line['action']}  {line['from']} → {line['to']}  {line['why'][:40]}"
        )
    run.seen("收工清点、验收关闭,留痕完整 counted out, accepted, closed")
    asker = run.phone(ASKS_ENTRY)
    html = asker.opens_page(number)  # his card may wait for the next minute, the page is as it is now
    run.check("已关闭" in html and "作业票 PDF" in html, "the permit's page is not closed or has no sheet")
    sheet = asker.http.get(f"{run.stack.app_url}/h5/permits/{number}/sheet.pdf", timeout=DEADLINE_S)
    run.check(sheet.content[:5] == b"%PDF-", f"the sheet is no PDF: HTTP {sheet.status_code}")
    if run.keep is not None:
        (run.keep / f"{number}.pdf").write_bytes(sheet.content)
    run.seen(f"作业票 PDF the sheet of the standard ({len(sheet.content) // 1024} KB)")


def withdrawn(run: Round) -> None:
    """The training system withdraws a certificate; the next fetch ends it here."""
    said = run.stack.flask("sync-certificates", "--whole")
    run.check("有问题0" in said, f"the first fetch: {said}")
    control = f"{run.stack.phones_url}/training/_control"
    change = {"number": "JH-2026-021", "status": "revoked"}
    run.http.post(control, json=change, timeout=DEADLINE_S).raise_for_status()
    said = run.stack.flask("sync-certificates")
    run.check("更新1" in said, f"the second fetch: {said}")
    run.talk.say(said.strip())
    run.seen("培训系统吊销的证书同步停用 a withdrawn certificate ends with the next fetch")
