"""People's phones over the emulators' control API, with deadlines instead of sleeps, and a transcript of what is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic, sleep
from typing import Any

import requests

DEADLINE_S = 20.0
POLL_S = 0.03
# what the clients' built-in browsers call themselves; pages tell by it where they were opened
BROWSER = {
    "wecom": "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Mobile wxwork/4.1.38 MicroMessenger/7.0.1",
    "dingtalk": "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Mobile AliApp(DingTalk/7.6.50)",
}
PLATFORM_ZH = {"wecom": "企业微信", "dingtalk": "钉钉"}


class NotSeen(Exception):
    """A step was not seen in time; the text says who waited for what, and what was there instead."""


@dataclass
class Transcript:
    """Lines with the seconds since the beginning, printed as they come."""

    began: float = field(default_factory=monotonic)
    lines: list[str] = field(default_factory=list)

    def say(self, line: str) -> None:
        head, *rest = line.splitlines() or [""]
        text = f"{monotonic() - self.began:7.2f} s  {head}" + "".join(f"\n           {more}" for more in rest)
        self.lines.append(text)
        print(text, flush=True)


class Phone:
    """One person's phone on one platform. What is done and what is seen goes to the transcript."""

    def __init__(self, base: str, platform: str, person: dict[str, Any], talk: Transcript) -> None:
        self.platform, self.person, self.talk = platform, person, talk
        self.url = f"{base}/{platform}/_phone/{person[platform]}"
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.headers["User-Agent"] = BROWSER[platform]
        self.after = 0  # what was there before a step does not count as its effect
        self._shown: set[tuple[str, str]] = set()

    @property
    def name(self) -> str:
        return f"{self.person['name']}[{PLATFORM_ZH[self.platform]}]"

    # -- doing

    def _post(self, verb: str, *, expect_refusal: bool = False, **body: Any) -> dict[str, Any]:
        answer = self.http.post(f"{self.url}/{verb}", timeout=DEADLINE_S, **body)
        found: dict[str, Any] = answer.json()
        if answer.status_code >= 400 and not expect_refusal:
            raise NotSeen(f"{self.name}: {verb} was refused by the phone: {found.get('reason')}")
        return found

    def mark(self) -> None:
        """From here on: `sees` looks only at what is new or changed."""
        self.after = self.http.get(f"{self.url}/screen", timeout=DEADLINE_S).json()["seq"]

    def says(self, text: str, *, group: str = "") -> None:
        self.talk.say(f"{self.name} 说: {text}")
        self._post("say", json={"text": text, **({"group": group, "at_bot": True} if group else {})})

    def sends_photo(self, picture: bytes, what: str) -> None:
        self.talk.say(f"{self.name} 发照片: {what} ({len(picture) // 1024} KB)")
        self._post("photo", files={"file": ("photo.jpg", picture, "image/jpeg")})

    def sends_location(self, lat: float, lon: float, label: str) -> None:
        self.talk.say(f"{self.name} 发位置: {label} ({lat:.6f}, {lon:.6f})")
        self._post("location", json={"lat": lat, "lon": lon, "label": label})

    def taps(self, label: str, *words: str, choose: str = "") -> None:
        """Tap the button on the newest card that holds the words; `choose` picks from the card's list first."""
        item, key, selected = self.find_button(label, *words, choose=choose)
        self.talk.say(f"{self.name} 点「{label}」" + (f" 选「{choose}」" if choose else ""))
        self.press(item, key, selected)

    def press(self, item: str, key: str, selected: dict[str, list[str]]) -> dict[str, Any]:
        """Press a button found before, whatever the card looks like by now."""
        return self._post("tap", json={"item": item, "key": key, "selected": selected}, expect_refusal=True)

    def find_button(self, label: str, *words: str, choose: str = "") -> tuple[str, str, dict[str, list[str]]]:
        """(item, key, selection) of a live button, waiting until it is there."""

        def look() -> tuple[str, str, dict[str, list[str]]] | None:
            for item in reversed(self.screen()):
                card = item["card"]
                if not card or not all(word in words_of(item) for word in words):
                    continue
                for button in card["buttons"]:
                    if label in button["label"] and not button["disabled"]:
                        return item["id"], button["key"], _selection(card, choose)
            return None

        return self._wait(look, f"a live button «{label}» on a card with {words}")

    def opens_page(self, *words: str) -> str:
        """Tap the newest card that holds the words and follow it, signing in on the way; returns the page's HTML."""

        def look() -> str | None:
            cards = [i for i in self.screen() if i["card"] and all(word in words_of(i) for word in words)]
            return cards[-1]["id"] if cards else None

        item = self._wait(look, f"a card with {words}")
        link = self._post("press_link", json={"item": item})
        self.talk.say(f"{self.name} 点开卡片: {link['url']}")
        answer = self.http.get(link.get("open") or link["url"], timeout=DEADLINE_S)
        if answer.status_code >= 400:
            raise NotSeen(f"{self.name}: the page {link['url']} answered {answer.status_code}")
        return answer.text

    # -- seeing

    def screen(self) -> list[dict[str, Any]]:
        """Everything on the phone, oldest first."""
        items = self.http.get(f"{self.url}/screen", timeout=DEADLINE_S).json()["items"]
        return sorted(items, key=lambda item: item["seq"])

    def sees(self, *words: str, chat: str = "", kind: str = "", within_s: float = DEADLINE_S) -> dict[str, Any]:
        """Wait until one message that is new since `mark()` holds all the words; returns it."""

        def look() -> dict[str, Any] | None:
            for item in self.screen():
                if item["seq"] <= self.after or item["from"] == "me" or not item["chat"].startswith(chat):
                    continue
                if all(word in words_of(item) for word in words) and kind in ("", item["kind"]):
                    return item
            return None

        item = self._wait(look, f"{words} {kind} {chat}".strip(), within_s)
        self._show(item)
        return item

    def sees_picture(self) -> bytes:
        """Wait for a picture from the bot; returns the file as the phone loads it."""
        item = self.sees(kind="image")
        answer = self.http.get(item["image_url"], timeout=DEADLINE_S)
        answer.raise_for_status()
        return answer.content

    def _wait(self, look: Callable[[], Any], what: str, within_s: float = DEADLINE_S) -> Any:
        end = monotonic() + within_s
        while True:
            found = look()
            if found is not None:
                return found
            if monotonic() > end:
                there = "\n".join(f"· {words_of(i)}" for i in self.screen()[-6:])
                raise NotSeen(f"{self.name} waited {within_s:.0f} s for {what}; on the phone:\n{there}")
            sleep(POLL_S)

    def _show(self, item: dict[str, Any]) -> None:
        """Each message once in the transcript; a card again when it changed."""
        text = words_of(item)
        if (item["id"], text) in self._shown:
            return
        self._shown.add((item["id"], text))
        where = {"group": "群", "todo": "待办"}.get(item["chat"].split(":")[0], "")
        body = "[图片]" if item["kind"] == "image" else text
        self.talk.say(f"   → {self.name}{where}看到: {body}")


def _selection(card: dict[str, Any], choose: str) -> dict[str, list[str]]:
    if not choose:
        return {}
    for select in card["selects"]:
        for option in select["options"]:
            if choose in option["text"]:
                return {select["key"]: [option["id"]]}
    raise NotSeen(f"the card's list does not offer «{choose}»")


def words_of(item: dict[str, Any]) -> str:
    """All that a person can read of one item."""
    parts = [item["text"] or "", item.get("toast") or ""]
    card = item["card"]
    if card:
        parts += [card[key] or "" for key in ("title", "subtitle")]
        parts += [f"{name}: {value}" for name, value in card["facts"]]
        parts += [card[key] or "" for key in ("body", "note")]
        live = [button["label"] for button in card["buttons"] if not button["disabled"]]
        parts += ["「" + "」「".join(live) + "」"] if live else []
    return "\n".join(dict.fromkeys(part for part in parts if part))
