"""Talking in a terminal: the same plant and emulators as everywhere, seen through `./anshao chat`."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from emulators.phone import phone_app
from emulators.wsgi import WsgiAdapter
from tests.plant import Plant
from tools import chat

BASE = "http://phones.test"


@pytest.fixture
def plant(sqlite_url: str, redis_client: Any, tmp_path: Path) -> Iterator[Plant]:
    made = Plant(sqlite_url, redis_client, tmp_path)
    yield made
    made.services.engine.dispose()


@pytest.fixture
def talk(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """talk("张伟", "line", …) → all that the terminal showed."""
    monkeypatch.setattr(chat, "QUIET_S", 0.0)
    monkeypatch.setattr(chat, "ANSWER_S", 0.0)
    parts: dict[str, Any] = {"/wecom": plant.wecom, "/dingtalk": plant.dingtalk, "/sms": plant.sms}
    apps = {name: part.app.wsgi_app for name, part in parts.items()}
    wall = DispatcherMiddleware(phone_app(plant.data, apps, base=BASE), apps)

    def client() -> requests.Session:
        session = requests.Session()
        session.mount(BASE, WsgiAdapter(wall))
        return session

    def run(name: str, *lines: str, platform: str = "") -> str:
        shown: list[str] = []
        made = chat.join(BASE, name, platform, client())
        made.phone.http.mount(BASE, WsgiAdapter(wall))
        made.out = shown.append
        look = made.look

        def look_after_work() -> int:
            plant.settle()
            return look()

        made.look = look_after_work  # type: ignore[method-assign]
        made.talk(io.StringIO("\n".join(lines) + "\n"))
        return "\n".join(shown)

    return run


def test_a_report_from_the_terminal(plant: Plant, talk: Callable[..., str]) -> None:
    told = talk("张伟", "/photo exit-before", "装卸台安全出口堆了纸箱,门打不开", "我的隐患")
    assert "您是张伟" in told
    assert "在哪个区域" in told and "[1] " in told
    assert "YH-0001 已上报" in told
    assert plant.hazard("YH-0001").area.name == "装卸台"
    assert plant.problems() == []


def test_a_number_taps_the_button_and_the_card_changes(plant: Plant, talk: Callable[..., str]) -> None:
    talk("张伟", "装卸台照明不足,灯坏一片", "/photo cable-before", "装卸台")
    owner = plant.hazard("YH-0001").owner.name
    told = talk(owner, "YH-0001", "1")
    number = told.split("[1] ")[1].split("  ")[0].strip()
    assert f"(点了「{number}」)" in told
    assert "(卡片已更新)" in told


def test_a_location_a_group_and_a_voice(plant: Plant, talk: Callable[..., str]) -> None:
    assert "拍一张现场照片" in talk("张伟", "/place 装卸台")
    group = next(g for g in plant.data["groups"] if g["platform"] == "dingtalk")
    told = talk(
        "陈刚", f"/group {group['title'][:4]} 帮助", "/voice 3号泵房着火了", "/group 月球 你好", platform="dingtalk"
    )
    assert "我是安哨" in told
    assert "撤" in told
    assert "您这个平台上的群" in told


def test_every_command_says_what_it_needs_and_quit_ends(talk: Callable[..., str]) -> None:
    wanted = {
        "/help": "输入数字点对应的按钮",
        "/photo": "exit-before",
        "/photo nothing.jpg": "没有这张照片",
        "/place 月球": "要哪里的位置",
        "/dance": "没有这个命令",
        "/voice": "用法:/voice",
        "/again": "张伟> /again",
    }
    told = talk("张伟", *wanted, "/quit", "着火了")
    assert [words for words in wanted.values() if words not in told] == []
    assert "着火" not in told


def test_who_is_not_there(talk: Callable[..., str]) -> None:
    with pytest.raises(chat.ChatError, match="张伟"):
        talk("秦始皇")


def test_without_a_demo_it_says_what_to_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANSHAO_PHONES_URL", raising=False)
    env = tmp_path / "demo.env"
    for words in ("", "# pid 999999999\nANSHAO_WECOM_API_BASE=http://127.0.0.1:1/wecom\n"):
        env.write_text(words, encoding="utf-8")
        with pytest.raises(chat.ChatError, match=r"\./anshao demo"):
            chat.phones_url(env)
    env.write_text(f"# pid {os.getpid()}\nANSHAO_WECOM_API_BASE=http://127.0.0.1:8001/wecom\n", encoding="utf-8")
    assert chat.phones_url(env) == "http://127.0.0.1:8001"
