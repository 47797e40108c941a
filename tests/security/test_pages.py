"""Who may open which page and call which address: docs/who-may-what.md, tried cell by cell."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import pytest
from sqlalchemy import func, select

from storage.models import Inbox, Media, Person
from tests.plant import APP
from tests.security import document
from tests.web.conftest import Browser
from web import permit_sheet
from web.media import picture_url

PAGES, CALLS = document.table("Pages"), document.table("API calls")
PLACES = {
    "<number>": "YH-0001", "<ref>": "1", "<int:permit_id>": "1", "<int:draft_id>": "2", "<verb>": "confirm",
    "<code>": "ZX", "<path:filename>": "anshao.css", "<device>": "no-such",
    "<int:call_id>": "1", "<int:version>": "1",
}  # fmt: skip
OTHER = tuple(document.table("Addresses of the platforms"))
SIGNED = [path for path in OTHER if path.startswith(("/wecom", "/dingtalk"))]
WHO = {"其他工人": "黄梅", "上报人": "张伟", "责任人": "吴涛", "安全员": "周敏"}


def path_of(row: str) -> tuple[str, str]:
    method, _, path = row.partition(" ")
    for name, value in PLACES.items():
        path = path.replace("<number>", "ZY-0001") if path.startswith("/h5/permits") else path.replace(name, value)
        path = path.replace(name, value)
    return method, path + (f"?url={APP}/h5/todo" if path.endswith("js-config") else "")


def opened(browser: Browser, row: str) -> str:
    """✓ the page came, the step was taken; 登录: sign in first; — not for you, in whatever form the page says it."""
    method, path = path_of(row)
    if method == "GET":
        answer = browser.get(path)
    else:
        answer = browser.client.post(APP + path, json=form(browser, path), headers={"X-CSRF-Token": token(browser)})
    if answer.status_code == 401 or "/h5/sign-in?" in answer.headers.get("Location", ""):
        return "登录"
    if answer.status_code in (403, 404, 409):
        return "—"
    assert answer.status_code < 400, answer.text
    if answer.status_code == 303:
        page = browser.get(answer.headers["Location"])
        return "—" if page.status_code == 403 or 'class="said bad"' in page.text else "✓"
    refused = answer.is_json and (answer.json or {}).get("result", "") == "refused"
    waiting = answer.is_json and "here" in path and not (answer.json or {}).get("finished")
    return "—" if refused or (method == "POST" and waiting) else "✓"


def form(browser: Browser, path: str) -> dict[str, Any]:
    """What the form of that page sends."""
    if path.endswith("/frugal"):
        return {"mode": "auto"}
    if path.endswith("/here"):
        return {"lat": 37.45, "lon": 118.59, "accuracy_m": 5}
    with browser.plant.work(read_only=True) as work:
        return {"key": "k", "area": str(next(area.id for area in work.plant.areas() if area.code == "ZX"))}


def token(browser: Browser) -> str:
    with browser.client.session_transaction(base_url=APP) as session:
        session.setdefault("csrf", "t" * 20)
        return str(session["csrf"])


@pytest.fixture(scope="module")
def browsers(plant) -> dict[str, Browser]:
    made = {role: Browser(plant, who) for role, who in WHO.items()}
    gone = Browser(plant, "高峰")
    with plant.work() as work:
        person = work.people.by_name("高峰")[0]
        person.active = False
        work.commit()
    return {"没登录": Browser(plant), **made, "已离职": gone}


@pytest.mark.parametrize("row", PAGES)
def test_a_page_opens_for_those_who_may_see_it(browsers, row):
    assert {role: opened(browser, row) for role, browser in browsers.items()} == PAGES[row]


def test_every_address_has_a_row(plant):
    known = {re.sub(r"^[A-Z]+ ", "", row) for row in [*PAGES, *CALLS]} | set(OTHER)
    served = {rule.rule for rule in plant.app.url_map.iter_rules()} | plant.app.wsgi_app.paths
    assert served - known == set()
    assert set(OTHER) <= served
    asked = {
        f"{method} {rule.rule}"
        for rule in plant.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule not in OTHER
    }
    assert asked == {*PAGES, *CALLS}


@pytest.mark.parametrize("path", SIGNED)
def test_an_address_of_a_platform_takes_nothing_unsigned(plant, path):
    with plant.work(read_only=True) as work:
        before = work.db.scalar(select(func.count(Inbox.id)))
    client, now = plant.app.test_client(), str(int(plant.now.timestamp()))
    old = str(int(plant.now.timestamp()) - 9000)
    for stamp in (now, old, ""):
        query = f"?msg_signature={'0' * 40}&signature={'0' * 40}&timestamp={stamp}&nonce=1&echostr=abc"
        headers = {"timestamp": stamp, "sign": "0", "x-ddpaas-signature-timestamp": stamp, "x-ddpaas-signature": "0"}
        for body in ({"encrypt": "abc"}, {}):
            assert client.post(APP + path + query, json=body, headers=headers).status_code in (400, 403)
        assert client.get(APP + path + query).status_code in (403, 405)
    with plant.work(read_only=True) as work:
        assert work.db.scalar(select(func.count(Inbox.id))) == before


@pytest.mark.parametrize("row", [row for row in PAGES if row.startswith("POST") and "sign-in" not in row])
def test_a_form_of_another_site_is_refused(browsers, row):
    _, path = path_of(row)
    for headers in ({}, {"X-CSRF-Token": "guessed"}):
        answer = browsers["安全员"].client.post(APP + path, json={"key": "k"}, headers=headers)
        assert answer.status_code == 403, answer.text


def test_a_sign_in_needs_the_state_this_browser_was_given(browsers):
    stranger = browsers["没登录"]
    for body in ({}, {"state": "", "code": "c"}, {"state": "guessed", "code": "c"}):
        assert stranger.client.post(f"{APP}/h5/sign-in/code", json=body).status_code == 403
    assert stranger.get("/h5/signed-in?state=guessed&code=c").status_code == 403


# -- what opens with a signature instead of a person


def test_a_picture_opens_with_its_own_signature_only(plant, browsers):
    with plant.work(read_only=True) as work:
        sha = work.db.scalars(select(Media.sha256).where(Media.mime.like("image/%"))).first()
    assert sha
    secret, stranger = plant.settings.secret_key.get_secret_value(), browsers["没登录"]
    link = picture_url(secret, APP, sha, "small", clock=lambda: plant.now)
    assert stranger.get(link).status_code == 200
    forged = picture_url("another secret" * 3, APP, sha, "small", clock=lambda: plant.now)
    old = picture_url(secret, APP, sha, "small", clock=lambda: plant.now.replace(year=2025))
    for wrong in (forged, old, link + "x", link[:-1]):
        assert stranger.get(wrong).status_code == 404


def test_a_printed_permit_is_verified_with_its_own_signature_only(plant, browsers):
    secret = plant.settings.secret_key.get_secret_value()
    stranger, good = browsers["没登录"], permit_sheet.verify_url("", secret, "ZY-0001")
    assert stranger.get(good).status_code == 200
    assert stranger.get(good.replace("ZY-0001", "ZY-0002")).status_code == 403
    assert stranger.get(permit_sheet.verify_url("", "another", "ZY-0001")).status_code == 403


# -- API


@pytest.fixture(scope="module")
def tokens(plant) -> dict[str, str]:
    """A token of each kind."""
    found = {"没有令牌": "", "错的令牌": "anshao_" + "x" * 43}
    with plant.work() as work:
        for name, scopes, revoked in (
            ("作废的令牌", "read write", True), ("只读令牌", "read", False), ("读写令牌", "read write", False),
        ):  # fmt: skip
            secret = "anshao_" + hashlib.sha256(name.encode()).hexdigest()[:43]
            token = work.people.add_token(name, hashlib.sha256(secret.encode()).hexdigest(), at=plant.now)
            token.scopes, token.revoked_at = scopes, plant.now if revoked else None
            found[name] = secret
        work.commit()
    return found


def called(plant, row: str, secret: str) -> str:
    method, path = path_of(row)
    path = path.replace("/permits/YH-0001", "/permits/ZY-0001")
    path += {"/api/v1/deliveries": "?case=YH-0001", "/api/v1/knowledge/search": "?q=泵响"}.get(path, "")
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    body = {"json": [] if path.endswith("readings") else {}} if method == "POST" else {}
    answer = plant.app.test_client().open(path, method=method, headers=headers, **body)
    assert answer.status_code < 500, answer.text
    return {401: "401", 403: "403"}.get(answer.status_code, "✓")


@pytest.mark.parametrize("row", CALLS)
def test_a_call_is_answered_for_a_token_that_may(plant, tokens, row):
    assert {name: called(plant, row, secret) for name, secret in tokens.items()} == CALLS[row]


def test_somebody_who_left_presses_in_vain(plant):
    with plant.work() as work:
        person = work.db.scalars(select(Person).where(Person.name == "刘洋")).one()
        person.active = False
        work.commit()
    before = plant.phone("刘洋").count("YH-0001")
    plant.phone("刘洋").says("YH-0001")
    assert plant.phone("刘洋").count("YH-0001") == before
