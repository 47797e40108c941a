"""`./anshao chat NAME`: talk in a terminal, as one person of the running demo (`./anshao demo` in another window).

What you type is said; a number taps the button with that number; lines that begin with / do the rest (/help).
"""

from __future__ import annotations

import argparse
import os
import re
import select
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, TextIO

import requests

from tools.phones import PLATFORM_ZH, NotSeen, Phone, Transcript, words_of
from tools.stack import ROOT, http

ENV_FILE = ROOT / "data" / "demo.env"
LOOK_S = 0.4  # how often the screen is looked at while nobody types
ANSWER_S = 8.0  # how long a piped line waits for its answer
QUIET_S = 0.8  # and for nothing more to come
HELP = """\
  直接打字就是说话;输入数字点对应的按钮
  /photo [名字或文件]   发照片(不写名字就列出现成的)
  /place 区域或位号     发那里的位置(钉钉收不到位置,会请您打开定位页)
  /group [群名 内容]    在群里@机器人说话(不写就列出群)
  /voice 内容           发语音(钉钉)
  /again                重新显示最近的消息
  /quit                 结束"""


class ChatError(Exception):
    """The chat cannot begin; the text says what to do."""


class Quiet(Transcript):
    """The person sees the words in the terminal already."""

    def say(self, line: str) -> None:
        self.lines.append(line)


@dataclass
class Chat:
    """One person's phone and what was shown of it. `out` gets the lines."""

    phone: Phone
    setup: dict[str, Any]
    out: Callable[[str], None] = print
    base: str = ""
    seen: int = 0
    sent: bool = False  # whether the last line was sent, so that an answer may come
    shown: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)  # (item, key, label), numbered from 1

    # -- seeing

    def begin(self) -> None:
        self.seen = max((item["seq"] for item in self.phone.screen()), default=0)
        me = self.phone.person
        self.out(
            f"您是{me['name']}({me.get('title') or '员工'},{PLATFORM_ZH[self.phone.platform]})。/help 看用法,/quit 结束。"
        )

    def look(self) -> int:
        """Show what is new or changed; returns how much that was."""
        news = [item for item in self.phone.screen() if item["seq"] > self.seen]
        count = 0
        for item in news:
            self.seen = max(self.seen, item["seq"])
            if item["from"] != "me":
                count += self._show(item)
        return count

    def _show(self, item: dict[str, Any]) -> int:
        text = words_of(item) if item["kind"] != "image" else f"[图片] {item['image_url']}"
        if not text or self.shown.get(item["id"]) == text:
            return 0
        changed, self.shown[item["id"]] = item["id"] in self.shown, text
        where = {"group": "群里 ", "todo": "待办 ", "notice": "工作通知 "}.get(item["chat"].split(":")[0], "")
        head = f"安哨 {where}{'(卡片已更新)' if changed else ''}".strip()
        self.out(f"{head}> " + text.replace("\n", "\n      "))
        self._number(item)
        return 1

    def _number(self, item: dict[str, Any]) -> None:
        live = [b for b in (item["card"] or {}).get("buttons", []) if not b["disabled"]]
        for button in live:
            self.buttons = [b for b in self.buttons if b[:2] != (item["id"], button["key"])]
            self.buttons.append((item["id"], button["key"], button["label"]))
        numbers = [(n, b) for n, b in enumerate(self.buttons, start=1) if b[0] == item["id"]]
        if live:
            self.out("      " + "  ".join(f"[{n}] {label}" for n, (_, _, label) in numbers))

    # -- doing

    def line(self, text: str) -> bool:
        """Do what the line says; False when the talk is over."""
        self.sent, text = False, text.strip()
        verb, _, rest = text.partition(" ")
        doing = self.verbs.get(verb)
        if verb in ("/quit", "/exit", "/q"):
            return False
        try:
            if doing is not None:
                doing(rest.strip())
            elif text.startswith("/"):
                self.out("没有这个命令。\n" + HELP)
            elif text.isdigit() and 1 <= int(text) <= len(self.buttons):
                self._tap(int(text))
            elif text:
                self._say(text)
        except (NotSeen, OSError) as error:
            self.out(f"没有办成:{error}")
        return True

    @property
    def verbs(self) -> dict[str, Callable[[str], None]]:
        return {
            "/photo": self._photo,
            "/place": self._place,
            "/group": self._group,
            "/voice": self._voice,
            "/again": self._again,
            "/help": lambda _rest: self.out(HELP),
        }

    def _say(self, text: str, *, group: str = "") -> None:
        self.phone.says(text, group=group)
        self.sent = True

    def _tap(self, number: int) -> None:
        item, key, label = self.buttons[number - 1]
        answer = self.phone.press(item, key, {})
        self.sent = "reason" not in answer
        self.out(f"(点了「{label}」)" if "reason" not in answer else f"(点不了「{label}」:{answer['reason']})")

    def _photo(self, which: str) -> None:
        ready = {photo["name"]: photo["title"] for photo in self.setup["photos"]}
        if not which:
            self.out("现成的照片:\n  " + "\n  ".join(f"{name} {title}" for name, title in ready.items()))
            return
        if which in ready:
            answer = self.phone.http.get(f"{self.base}/phone/photos/{which}.jpg?take={len(self.shown) + 1}", timeout=20)
            answer.raise_for_status()
            self._send_photo(answer.content, ready[which])
            return
        path = Path(which).expanduser()
        if not path.is_file():
            self.out(f"没有这张照片:{which};/photo 列出现成的")
            return
        self._send_photo(path.read_bytes(), path.name)

    def _send_photo(self, picture: bytes, what: str) -> None:
        self.phone.sends_photo(picture, what)
        self.sent = True

    def _send_location(self, lat: float, lon: float, label: str) -> None:
        self.phone.sends_location(lat, lon, label)
        self.sent = True

    def _place(self, wanted: str) -> None:
        for row in self.setup["equipment"]:
            if wanted and wanted.upper() in (row["code"].upper(), row["name"]) and row["lat"] is not None:
                self._send_location(row["lat"], row["lon"], row["name"])
                return
        for row in self.setup["areas"]:
            if wanted and wanted in (row["code"], row["name"]):
                lons, lats = zip(*row["polygon"], strict=True)
                self._send_location(sum(lats) / len(lats), sum(lons) / len(lons), row["name"])
                return
        self.out("要哪里的位置?可填:" + "、".join(row["name"] for row in self.setup["areas"]) + ",或设备位号")

    def _group(self, rest: str) -> None:
        title, _, words = rest.partition(" ")
        mine = [g for g in self.setup["groups"] if g["platform"] == self.phone.platform]
        found = next((g for g in mine if title and title in g["title"]), None)
        if found is None or not words:
            names = "、".join(g["title"] for g in mine) or "(没有)"
            self.out(f"用法:/group 群名 内容;您这个平台上的群:{names}")
            return
        self._say(words, group=found["id"])

    def _voice(self, words: str) -> None:
        if self.phone.platform != "dingtalk" or not words:
            self.out("用法:/voice 内容(企业微信的语音不带文字,请在手机页面上录)")
            return
        sound = ("voice.amr", b"#!AMR\n" + b"\x3c" * 400, "audio/amr")
        self.phone._post("voice", files={"file": sound}, data={"recognition": words})
        self.sent = True

    def _again(self, _rest: str) -> None:
        self.shown.clear()
        for item in [i for i in self.phone.screen() if i["from"] != "me"][-6:]:
            self._show(item)

    # -- the talk

    def talk(self, lines: TextIO) -> None:
        """Until /quit, the end of the input, or Ctrl-C. A terminal is followed live; a pipe waits for each answer."""
        self.begin()
        live = lines.isatty()
        while True:
            if live and not select.select([lines], [], [], LOOK_S)[0]:
                self.look()
                continue
            line = lines.readline()
            if not live and line:
                self.out(f"{self.phone.person['name']}> {line.strip()}")
            if not line or not self.line(line):
                self.look()
                return
            if self.sent:
                self.answered()

    def answered(self) -> None:
        """Show what comes in answer, until nothing more comes."""
        end = monotonic() + ANSWER_S
        until = end
        while True:
            if self.look():
                until = min(end, monotonic() + QUIET_S)
            if monotonic() >= until:
                return
            select.select([], [], [], 0.05)


# -- finding the demo and the person


def phones_url(env_file: Path = ENV_FILE) -> str:
    """Where the running demo's phones are. Raises ChatError."""
    given = os.environ.get("ANSHAO_PHONES_URL", "")
    if given:
        return given.rstrip("/")
    words = env_file.read_text(encoding="utf-8") if env_file.exists() else ""
    pid = re.search(r"^# pid (\d+)$", words, re.M)
    base = re.search(r"^ANSHAO_WECOM_API_BASE=(\S+)/wecom$", words, re.M)
    if not pid or not base or not Path(f"/proc/{pid[1]}").exists():
        raise ChatError(
            "演示没有在运行:请先在另一个窗口 ./anshao demo,看到“已就绪”后再来。\nStart ./anshao demo first."
        )
    return base[1]


def choose(setup: dict[str, Any], name: str, platform: str) -> dict[str, Any]:
    """The row of the person with this name or user id. Raises ChatError that lists whom there is."""
    rows = [row for row in setup["people"] if platform in ("", row["platform"])]
    found = [row for row in rows if name in (row["name"], row["user"], row["key"])]
    if not found:
        known = "、".join(dict.fromkeys(f"{row['name']}({row['title']})" for row in rows))
        raise ChatError(
            f"演示工厂里没有“{name}”。可以是:{known}" if name else f"您要当谁?例如 ./anshao chat 张伟。可以是:{known}"
        )
    return found[0]


def join(base: str, name: str, platform: str, client: requests.Session) -> Chat:
    """A chat as this person. Raises ChatError."""
    try:
        answer = client.get(f"{base}/phone/setup", timeout=10)
        answer.raise_for_status()
    except requests.RequestException as error:
        raise ChatError(f"连不上手机页面 {base}({type(error).__name__}):演示还在运行吗?") from error
    setup = answer.json()
    row = choose(setup, name, platform)
    phone = Phone(
        base, row["platform"], {"name": row["name"], "title": row["title"], row["platform"]: row["user"]}, Quiet()
    )
    return Chat(phone, setup, base=base)


def main() -> int:
    parser = argparse.ArgumentParser(prog="./anshao chat", description=__doc__)
    parser.add_argument("name", nargs="?", default="", help="a person of the demo plant, e.g. 张伟")
    parser.add_argument("--platform", choices=sorted(PLATFORM_ZH), default="", help="for people who are on both")
    wish = parser.parse_args()
    try:
        join(phones_url(), wish.name, wish.platform, http()).talk(sys.stdin)
    except ChatError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print()
    except requests.RequestException:
        print("演示停止了。", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
