"""What DingTalk's bridge is asked for a position, by the page's own script on an emulated phone in a real Chromium."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
HOME = "http://phone.test"
PAGE = """<!doctype html><meta charset="utf-8"><script>window.Bridge = { load: async () => true };</script>
<script src="/dd.js"></script><script src="/where.js"></script>"""
DEVICE = {
    "permission": "granted",
    "gps": "on",
    "lat": 37.4,
    "lon": 118.5,
    "accuracy": 8,
    "gcj02": {"lat": 37.401, "lon": 118.506},
}
PLACE = """async (old) => {
  if (!old) dd.device = undefined;
  const watch = await Where.source({});
  return await new Promise((found, failed) => watch(found, (why) => failed(new Error(why))));
}"""


@pytest.fixture
def page(chromium: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    script = (ROOT / "emulators/phone/static/dd.js").read_text("utf-8")
    answers = {
        "/": ("text/html", PAGE),
        "/dd.js": ("text/javascript", f'window.__ddPhone = {{"base": "", "user": "user001"}};\n{script}'),
        "/where.js": ("text/javascript", (ROOT / "web/static/where.js").read_text("utf-8")),
        "/h5/js-config": ("application/json", json.dumps({"platform": "dingtalk", "config": {}})),
        "/phone/dd/user001/check": ("application/json", json.dumps({"ok": True})),
        "/phone/dd/user001/device": ("application/json", json.dumps(DEVICE)),
    }

    def answer(route: Any) -> None:
        kind, body = answers[route.request.url.removeprefix(HOME).partition("?")[0]]
        route.fulfill(status=200, content_type=f"{kind}; charset=utf-8", body=body)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--no-proxy-server"])
        opened = browser.new_page()
        opened.route(f"{HOME}/**", answer)
        opened.goto(f"{HOME}/")
        yield opened
        browser.close()


@pytest.mark.parametrize("old", [True, False], ids=["dd.device.geolocation.get", "dd.getLocation"])
def test_the_position_is_in_the_datum_that_it_is_labelled_with(page: Any, old: bool) -> None:
    """Each way takes its own types; asked with the wrong one the phone tells WGS-84, some 500 m off under this label."""
    found = page.evaluate(PLACE, old)
    assert found == {"lat": 37.401, "lon": 118.506, "accuracy": 8, "datum": "gcj02"}
