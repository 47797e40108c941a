"""The phones' page in a real Chromium, with a small stand-in bot behind the emulators' own APIs."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import warnings
from pathlib import Path
from uuid import uuid4

import pytest
import requests
import waitress
from flask import Flask, jsonify

from emulators.__main__ import build
from emulators.demo_plant import demo_plant, demo_secrets
from emulators.phone.photos import photo_jpeg

pytestmark = pytest.mark.browser

CHROMIUM = shutil.which("chromium") or ("/usr/bin/chromium" if Path("/usr/bin/chromium").exists() else "")
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
GROUP = "cidStorage0001=="
ZHANG, CHEN, LI = "wecom:ZhangWei", "dingtalk:user003", "dingtalk:user001"
PATIENCE_MS = 15_000
HTTP_S = 10


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Stand:
    """Emulators and page on one port, the bot on another. The bot's card answers a press by greying itself."""

    def __init__(self) -> None:
        self.presses: list[str] = []
        bot_port, port = _free_port(), _free_port()
        self.bot_url, self.url = f"http://127.0.0.1:{bot_port}", f"http://127.0.0.1:{port}"
        self.plant = demo_plant(public_url=self.bot_url, secrets=demo_secrets())
        app, self.parts = build(self.plant, base=self.url)
        self.servers = [
            waitress.create_server(app, host="127.0.0.1", port=port, threads=16),
            waitress.create_server(self._bot(), host="127.0.0.1", port=bot_port, threads=4),
        ]
        for server in self.servers:
            threading.Thread(target=server.run, daemon=True).start()
        self.http = requests.Session()
        self.http.trust_env = False
        login = {"appKey": self.ding["client_id"], "appSecret": self.ding["client_secret"]}
        token = self.post("/dingtalk/api/v1.0/oauth2/accessToken", login)["accessToken"]
        self.http.headers["x-acs-dingtalk-access-token"] = token
        query = {"corpid": self.wecom["corp_id"], "corpsecret": self.wecom["secret"]}
        self.token = self.http.get(f"{self.url}/wecom/cgi-bin/gettoken", params=query, timeout=HTTP_S).json()[
            "access_token"
        ]

    @property
    def wecom(self):
        return self.plant["wecom"]

    @property
    def ding(self):
        return self.plant["dingtalk"]

    def _bot(self) -> Flask:
        bot = Flask("stand-in bot")
        bot.add_url_rule("/wecom/callback", "wecom", lambda: "", methods=["POST"])
        bot.add_url_rule("/dingtalk/robot", "robot", lambda: jsonify({}), methods=["POST"])

        def pressed():
            self.presses.append("card")
            params = {"title": "隐患 YH-0012 · 已确认", "buttons": "[]", "color": "blue", "note": "陈刚已确认"}
            options = {"updateCardDataByKey": True}
            return jsonify({"cardData": {"cardParamMap": params}, "cardUpdateOptions": options})

        bot.add_url_rule("/dingtalk/cards", "cards", pressed, methods=["POST"])
        page = "<!doctype html><meta charset=utf-8><title>页</title><h1>整改页面</h1>"
        bot.add_url_rule("/h5/todo", "page", lambda: page)
        return bot

    def post(self, path: str, body: dict) -> dict:
        answer = self.http.post(f"{self.url}{path}", json=body, timeout=HTTP_S)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def wecom_send(self, body: dict) -> dict:
        answer = self.post(
            f"/wecom/cgi-bin/message/send?access_token={self.token}", {"agentid": self.wecom["agent_id"], **body}
        )
        assert answer["errcode"] == 0, answer
        return answer

    def wecom_card(self, title: str) -> str:
        """A button card on 张伟's phone; its response_code."""
        card = {
            "card_type": "button_interaction",
            "main_title": {"title": title, "desc": "甲醇罐区"},
            "horizontal_content_list": [{"keyname": "地点", "value": "3号泵房"}],
            "card_action": {"type": 1, "url": f"{self.bot_url}/h5/todo"},
            "task_id": f"task-{uuid4().hex}",
            "button_list": [{"text": "确认", "style": 1, "key": "ok"}, {"text": "转派", "style": 2, "key": "assign"}],
        }
        return self.wecom_send({"touser": "ZhangWei", "msgtype": "template_card", "template_card": card})[
            "response_code"
        ]

    def ding_card(self, track: str, space: str) -> None:
        route = {"callbackRouteKey": self.ding["card_route_key"], "callbackUrl": f"{self.bot_url}/dingtalk/cards"}
        self.post("/dingtalk/api/v1.0/card/callbacks/register", {**route, "apiSecret": "s", "forceUpdate": True})
        button = '{"text":"确认","action":"confirm","style":"primary","kind":"request","url":""}'
        params = {"title": "隐患 YH-0012 · 待确认", "color": "orange", "body": "法兰在漏", "buttons": f"[{button}]"}
        body = {
            "outTrackId": track,
            "cardTemplateId": self.ding["card_template_id"],
            "callbackType": "HTTP",
            "callbackRouteKey": self.ding["card_route_key"],
            "userIdType": 1,
            "cardData": {"cardParamMap": params},
            "openSpaceId": f"dtv1.card//IM_GROUP.{space}",
            "imGroupOpenSpaceModel": {"supportForward": False},
            "imGroupOpenDeliverModel": {"robotCode": self.ding["robot_code"]},
        }
        answer = self.post("/dingtalk/api/v1.0/card/instances/createAndDeliver", body)
        assert answer["result"]["deliverResults"][0]["success"], answer

    def close(self) -> None:
        """The serving threads are daemons: kept-alive connections may hold them a while longer."""
        self.http.close()
        for server in self.servers:
            server.close()
        for part in self.parts:
            getattr(part, "close", lambda: None)()


@pytest.fixture(scope="module")
def chromium():
    if not CHROMIUM:
        if os.environ.get("ANSHAO_REQUIRE_BROWSER") == "1":
            pytest.fail("no Chromium found, and ANSHAO_REQUIRE_BROWSER=1 requires one")
        warnings.warn("NO CHROMIUM FOUND: the phones' page was not tested in a browser", stacklevel=1)
        pytest.skip("NO CHROMIUM FOUND: the phones' page was not tested in a browser")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def stand():
    made = Stand()
    yield made
    made.close()


@pytest.fixture
def page(chromium, stand):
    """Three phones on a wall of 1440 × 900. No script error and no refused resource may come up."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="zh-CN")
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE_MS)
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    opened.goto(f"{stand.url}/?phones={ZHANG},{CHEN},{LI}")
    opened.locator("[data-testid=phone]").nth(2).wait_for()
    yield opened
    context.close()
    assert complaints == []


def phone(page, key: str):
    return page.locator(f"[data-testid=phone][data-phone='{key}']")


def say(page, key: str, text: str) -> None:
    field = phone(page, key).get_by_test_id("composer")
    field.fill(text)
    field.press("Enter")


def items(page, key: str, text: str):
    return phone(page, key).get_by_test_id("item").filter(has_text=text)


def test_typed_text_arrives_at_the_bot_and_on_the_screen(page, stand):
    say(page, ZHANG, "3号泵房法兰在漏")
    items(page, ZHANG, "3号泵房法兰在漏").wait_for()
    assert items(page, ZHANG, "3号泵房法兰在漏").get_attribute("data-from") == "me"
    page.wait_for_function(
        "fetch('/wecom/_phone/deliveries').then(r => r.json()).then(d => d.some(x => x.outcome === 'answered'))"
    )


def test_a_card_from_the_api_appears_and_greys_in_place_when_pressed(page, stand):
    code = stand.wecom_card("隐患 YH-0007 · 三级")
    card = items(page, ZHANG, "YH-0007")
    card.wait_for()
    number, count = card.get_attribute("data-item"), items(page, ZHANG, "").count()
    with page.expect_response("**/tap"):  # else the update could come first and the press be refused
        card.locator("[data-testid=card-button][data-key=ok]").click()
    body = {"userids": ["ZhangWei"], "agentid": stand.wecom["agent_id"], "response_code": code}
    body["button"] = {"replace_name": "张伟已确认"}
    assert stand.post(f"/wecom/cgi-bin/message/update_template_card?access_token={stand.token}", body)["errcode"] == 0
    dead = card.get_by_role("button", name="张伟已确认")
    dead.wait_for()
    assert dead.is_disabled()
    assert card.get_attribute("data-item") == number and "changed" in card.get_attribute("class")
    assert items(page, ZHANG, "").count() == count


def test_a_group_card_changes_on_every_members_phone_when_one_presses(page, stand):
    for key in (CHEN, LI):
        phone(page, key).locator(f"[role=tab][data-chat='group:{GROUP}']").click()
    stand.ding_card("track-1", GROUP)
    for key in (CHEN, LI):
        items(page, key, "YH-0012 · 待确认").wait_for()
    items(page, CHEN, "YH-0012").get_by_test_id("card-button").click()
    for key in (CHEN, LI):
        card = items(page, key, "YH-0012 · 已确认")
        card.wait_for()
        assert card.get_by_test_id("card-button").count() == 0
    assert stand.presses == ["card"]


def test_a_group_message_reaches_the_other_member_and_counts_as_unread(page):
    phone(page, LI).locator(f"[role=tab][data-chat='group:{GROUP}']").click()
    say(page, LI, "我先放警戒带")
    tab = phone(page, CHEN).locator(f"[role=tab][data-chat='group:{GROUP}']")
    tab.locator(".count:not([hidden])").wait_for()
    tab.click()
    there = items(page, CHEN, "我先放警戒带")
    there.wait_for()
    assert there.locator(".who").inner_text() == "李强"
    assert tab.locator(".count").is_hidden()


def test_pictures_are_uploaded_shown_and_opened_larger(page, tmp_path):
    mine = tmp_path / "mine.jpg"
    mine.write_bytes(photo_jpeg("exit-before", take=5))
    worker = phone(page, ZHANG)
    before = worker.locator("[data-kind=image]").count()
    worker.get_by_test_id("open-photo").click()
    worker.get_by_test_id("photo-file").set_input_files(mine)
    worker.locator("[data-testid=demo-photo][data-name=flange-before]").click()
    worker.get_by_test_id("photo-send").click()
    page.wait_for_function(
        "n => document.querySelectorAll(`[data-phone='wecom:ZhangWei'] [data-kind=image]`).length === n", arg=before + 2
    )
    picture = worker.locator("[data-kind=image] img").last
    page.wait_for_function("img => img.complete && img.naturalWidth === 960", arg=picture.element_handle())
    picture.click()
    page.get_by_test_id("viewer").wait_for()
    page.keyboard.press("Escape")
    page.get_by_test_id("viewer").wait_for(state="detached")


def test_a_click_on_the_map_sends_exactly_that_tank(page, stand):
    worker = phone(page, ZHANG)
    worker.get_by_test_id("more").click()
    worker.get_by_test_id("open-location").click()
    worker.locator("[data-equipment=V-202]").click()
    worker.get_by_test_id("location-send").click()
    worker.locator("[data-kind=location]").last.wait_for()
    tank = next(row for row in stand.plant["equipment"] if row["code"] == "V-202")
    screen = stand.http.get(f"{stand.url}/wecom/_phone/ZhangWei/screen", timeout=HTTP_S).json()
    place = [item["place"] for item in screen["items"] if item["kind"] == "location"][-1]
    assert (place["lat"], place["lon"]) == (tank["lat"], tank["lon"])
    assert place["label"] == "甲醇罐区 2号甲醇储罐"


def test_dingtalk_voice_shows_what_was_recognised(page):
    phone(page, LI).get_by_test_id("open-voice").click()
    phone(page, LI).get_by_test_id("voice-text").fill("法兰在滴甲醇")
    phone(page, LI).get_by_test_id("voice-send").click()
    items(page, LI, "法兰在滴甲醇").locator(".voice").wait_for()


def test_markup_in_a_message_stays_text(page, stand):
    stand.wecom_send({"touser": "ZhangWei", "msgtype": "text", "text": {"content": "<img src=x onerror=alert(1)>危险"}})
    item = items(page, ZHANG, "危险")
    item.wait_for()
    assert item.locator("img").count() == 0 and "<img src=x" in item.inner_text()


def test_a_card_link_opens_the_page_inside_the_phone(page, stand):
    stand.wecom_card("隐患 YH-0031 · 四级蓝")
    card = items(page, ZHANG, "YH-0031")
    card.wait_for()
    card.get_by_test_id("card-link").click()
    phone(page, ZHANG).frame_locator("[data-testid=h5]").get_by_role("heading", name="整改页面").wait_for()
    phone(page, ZHANG).get_by_test_id("h5-close").click()
    phone(page, ZHANG).get_by_test_id("h5").wait_for(state="detached")


def test_another_phone_is_added_and_stays_in_the_address(page):
    page.get_by_test_id("add-phone").click()
    page.locator("[data-testid=pick][data-key='dingtalk:user002']").click()
    phone(page, "dingtalk:user002").wait_for()
    page.wait_for_url("**phones=*dingtalk:user002*")
    phone(page, "dingtalk:user002").get_by_test_id("remove-phone").click()
    phone(page, "dingtalk:user002").wait_for(state="detached")


def test_a_switch_of_the_panel_is_set_and_shown(page, stand):
    page.get_by_test_id("panel-toggle").click()
    once = page.locator("[data-testid=fault-once][data-name=duplicate_callbacks]")
    once.click()
    page.locator("[data-testid=fault][data-name=duplicate_callbacks]:checked").wait_for()
    faults = stand.http.get(f"{stand.url}/wecom/_phone/faults", timeout=HTTP_S).json()["faults"]
    assert faults["duplicate_callbacks"] == {"value": 5, "times": 1, "path": None}
    page.get_by_test_id("faults-clear").click()
    page.locator("[data-testid=fault][data-name=duplicate_callbacks]:not(:checked)").wait_for()


def test_tabs_and_sheets_work_from_the_keyboard(page):
    director = phone(page, CHEN)
    director.locator("[role=tab][data-chat=app]").focus()
    page.keyboard.press("ArrowRight")
    assert director.locator("[role=tab][aria-selected=true]").get_attribute("data-chat") == f"group:{GROUP}"
    page.keyboard.press("ArrowLeft")
    opener = director.get_by_test_id("open-voice")
    opener.focus()
    page.keyboard.press("Enter")
    director.get_by_test_id("sheet").wait_for()
    page.keyboard.press("Escape")
    director.get_by_test_id("sheet").wait_for(state="detached")
    assert opener.evaluate("node => node === document.activeElement")


def test_on_a_narrow_screen_one_phone_fills_the_width(page):
    page.set_viewport_size({"width": 390, "height": 844})
    box = phone(page, ZHANG).bounding_box()
    assert box["x"] >= 0 and 340 <= box["width"] <= 390
    page.locator(f"[data-testid=strip][data-phone='{CHEN}']").click()
    page.wait_for_function(
        "key => { const b = document.querySelector(`[data-phone='${key}'].phone`).getBoundingClientRect();"
        " return b.left >= 0 && b.right <= 390; }",
        arg=CHEN,
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
