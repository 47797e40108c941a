"""The location page in a real Chromium: a good fix is sent by itself, a poor one is refused with advice."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from app import create_app
from tests.pictures import scene
from tests.plant import WECOM, Plant
from tests.web.conftest import draft_of

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
POOR_M = 200.0


class WeComDoor:
    """Where http://wecom.test leads inside the browser: to the emulator of the plant that is being tested."""

    def __init__(self) -> None:
        self.app: Any = None
        self.server = make_server("127.0.0.1", 0, lambda *call: self.app(*call), threaded=True)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture(scope="module")
def door() -> Iterator[WeComDoor]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    made = WeComDoor()
    yield made
    made.close()


@pytest.fixture(scope="module")
def chrome(door: WeComDoor, chromium: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    rules = f"MAP wecom.test:80 127.0.0.1:{door.server.server_port}"
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", f"--host-resolver-rules={rules}", "--no-proxy-server"]
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield browser
        browser.close()


class Site:
    """The app on a port of its own, signed in to through the emulated WeCom."""

    def __init__(self, plant: Plant, chrome: Any, door: WeComDoor) -> None:
        self.plant, self.chrome = plant, chrome
        door.app = plant.wecom.app
        self.server = make_server("127.0.0.1", 0, lambda *call: self.app(*call), threaded=True)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        changed = {"public_url": self.url, "wecom_js_url": f"{WECOM}/_phone/jssdk.js?_user=ZhangWei"}
        self.app = create_app(plant.settings.model_copy(update=changed), services=plant.services)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        self.contexts: list[Any] = []

    def phone(self, user: str, *, accuracy_m: float = 8.0, at: tuple[float, float], bridge: bool = False) -> Any:
        """A page on this member's phone, which is at this position. `bridge`: WeCom's own script is there too."""
        lat, lon = at
        context = self.chrome.new_context(
            viewport=PHONE,
            locale="zh-CN",
            permissions=["geolocation"],
            geolocation={"latitude": lat, "longitude": lon, "accuracy": accuracy_m},
        )
        self.contexts.append(context)
        context.add_cookies([{"name": "_user", "value": user, "url": WECOM}])
        if not bridge:
            context.route("**/jssdk.js*", lambda route: route.abort())
        page = context.new_page()
        page.errors = []
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.on("console", lambda m: page.errors.append(m.text) if "Content Security Policy" in m.text else None)
        return page

    def close(self) -> None:
        for context in self.contexts:
            context.close()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def site(quick_plant: Plant, chrome: Any, door: WeComDoor) -> Iterator[Site]:
    made = Site(quick_plant, chrome, door)
    yield made
    made.close()


def told(plant: Plant, who: str = "张伟") -> int:
    plant.phone(who).sends_photo(scene(1)).says("过道堆物,照明不足灯坏一片")
    return draft_of(plant, who)


def opened(site: Site, page: Any, draft: int) -> Any:
    page.goto(f"{site.url}/h5/place/{draft}?platform=wecom")
    return page


def test_a_fix_of_eight_metres_is_sent_by_itself(site: Site, quick_plant: Plant) -> None:
    draft = told(quick_plant)
    page = opened(site, site.phone("ZhangWei", accuracy_m=8, at=quick_plant.area_point("ZX")), draft)
    page.get_by_text("位置已收到").wait_for()
    assert page.get_by_text("YH-0001 已上报").is_visible()
    assert page.get_by_role("link", name="查看 YH-0001").is_visible()
    assert not page.get_by_role("button", name="重新定位").is_visible()
    assert page.errors == []
    quick_plant.settle()
    quick_plant.phone("张伟").sees("YH-0001", "已上报", "装卸台")
    assert quick_plant.hazard("YH-0001").accuracy_m == 8


def test_a_fix_of_two_hundred_metres_is_refused_with_advice_and_the_list_helps(site: Site, quick_plant: Plant) -> None:
    draft = told(quick_plant)
    page = opened(site, site.phone("ZhangWei", accuracy_m=POOR_M, at=quick_plant.area_point("ZX")), draft)
    page.get_by_text(re.compile("误差200米.*开阔处")).wait_for()
    with quick_plant.work(read_only=True) as work:
        assert work.hazards.get(draft).state == "draft"
        assert work.hazards.get(draft).places == []
    page.get_by_role("button", name="装卸台").click()
    page.get_by_text("位置已收到").wait_for()
    assert page.errors == []
    quick_plant.settle()
    quick_plant.phone("张伟").sees("YH-0001", "装卸台")
    assert quick_plant.hazard("YH-0001").place_source == "area_choice"


def test_it_goes_on_asking_until_the_fix_is_good(site: Site, quick_plant: Plant) -> None:
    draft, (lat, lon) = told(quick_plant), quick_plant.area_point("ZX")
    page = opened(site, site.phone("ZhangWei", accuracy_m=POOR_M, at=(lat, lon)), draft)
    page.get_by_text(re.compile("误差200米")).wait_for()
    page.context.set_geolocation({"latitude": lat, "longitude": lon, "accuracy": 12})
    page.get_by_text("位置已收到").wait_for()
    assert quick_plant.hazard("YH-0001").accuracy_m == 12


def test_it_gives_up_after_a_while_and_offers_another_try(site: Site, quick_plant: Plant) -> None:
    draft = told(quick_plant)
    page = site.phone("ZhangWei", accuracy_m=POOR_M, at=quick_plant.area_point("ZX"))
    page.clock.install()
    opened(site, page, draft)
    page.get_by_text(re.compile("误差200米")).wait_for()
    page.clock.fast_forward(46_000)
    page.get_by_role("button", name="重新定位").wait_for()
    assert page.get_by_text(re.compile("最好只到200米")).is_visible()


def test_without_permission_the_page_says_what_to_do(site: Site, quick_plant: Plant) -> None:
    draft = told(quick_plant)
    page = site.phone("ZhangWei", at=quick_plant.area_point("ZX"))
    page.context.clear_permissions()
    opened(site, page, draft)
    page.get_by_text(re.compile("没有定位权限.*选区域")).wait_for()


def test_a_place_outside_the_plant_leads_to_the_list(site: Site, quick_plant: Plant) -> None:
    draft = told(quick_plant)
    page = opened(site, site.phone("ZhangWei", at=(37.60, 118.59)), draft)
    page.get_by_text("定位不在厂区任何区域内").wait_for()
    page.get_by_role("button", name="动力站").click()
    page.get_by_text("位置已收到").wait_for()
    assert quick_plant.hazard("YH-0001").area.code == "DL"


def test_wecoms_own_bridge_is_used_where_it_is(site: Site, quick_plant: Plant) -> None:
    """The browser's position is 5 km away: only the bridge can have told this one."""
    draft, (lat, lon) = told(quick_plant), quick_plant.area_point("ZX")
    wish = {"lat": lat, "lon": lon, "accuracy": 6.0}
    quick_plant.wecom.app.test_client().post("/_phone/ZhangWei/device", json=wish)
    page = opened(site, site.phone("ZhangWei", at=(lat + 0.05, lon), bridge=True), draft)
    page.get_by_text("位置已收到").wait_for()
    assert page.errors == []
    hazard = quick_plant.hazard("YH-0001")
    assert (hazard.accuracy_m, hazard.area.code) == (6.0, "ZX")
    assert quick_plant.problems() == []


def test_a_bridge_that_fails_gives_way_to_the_browser(site: Site, quick_plant: Plant) -> None:
    draft = told(quick_plant)
    quick_plant.wecom.app.test_client().post("/_phone/ZhangWei/device", json={"gps": "off"})
    page = opened(site, site.phone("ZhangWei", at=quick_plant.area_point("ZX"), bridge=True), draft)
    page.get_by_text("企业微信没有取到位置").wait_for()
    page.get_by_text("位置已收到").wait_for()
    assert quick_plant.hazard("YH-0001").accuracy_m == 8


def test_the_case_page_takes_photos_from_the_phone(site: Site, quick_plant: Plant, tmp_path: Path) -> None:
    quick_plant.phone("孙丽").sends_photo(scene(1)).says("合成车间照明不足,灯坏一片")
    number, photo = "YH-0001", tmp_path / "after.jpg"
    photo.write_bytes(scene(1, mended=True))
    quick_plant.forward(minutes=30)
    page = site.phone("LiuYang", at=quick_plant.area_point("HC"))
    page.goto(f"{site.url}/h5/hazards/{number}?platform=wecom")
    page.get_by_label("整改后的照片").set_input_files(photo)
    assert page.get_by_text("已选1张").is_visible()
    page.get_by_label("怎么改的").fill("更换了三只灯管,试亮正常")
    page.get_by_role("button", name="提交", exact=True).click()
    page.get_by_text("已提交,等验收").wait_for()
    assert page.errors == []
    assert quick_plant.hazard(number).state == "to_accept"
