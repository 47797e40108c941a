"""The page of budgets and deliveries: who sees it, what it says, how an admin switches frugal mode, where it is found."""

from __future__ import annotations

from jobs import budgets
from tests.talks.test_budgets import spend
from tests.talks.test_frugal import YELLOW, report


def test_it_shows_what_is_used_what_waits_and_why(quick_plant, browse):
    spend(quick_plant, 4900)
    budgets.keep(quick_plant.services)
    number = report(quick_plant, YELLOW)
    quick_plant.now = quick_plant.now.replace(minute=30)
    budgets.keep(quick_plant.services)
    page = browse("周敏").get("/h5/budgets").text
    for words in (
        "钉钉",
        "接口调用",
        "/ 5000",
        "会不够用",
        "节约模式",
        "并入下一次汇总",
        "已等30分钟",
        number,
        "应用消息(人次)",
    ):
        assert words in page, words
    assert "李强" not in page and "张伟" not in page  # never to whom


def test_officers_look_admins_switch_workers_do_neither(quick_plant, browse):
    budgets.keep(quick_plant.services)
    assert browse("张伟").get("/h5/budgets").status_code == 403
    officer, admin = browse("王芳"), browse("周敏")
    assert 'name="mode"' not in officer.get("/h5/budgets").text
    sent = {"csrf": officer.csrf("/h5/place"), "mode": "on"}
    assert officer.post("/h5/budgets/frugal", data=sent).status_code == 403
    for mode, words in (("on", "节约模式已设为“开”"), ("off", "没有平台在节约"), ("auto", "自动")):
        sent = {"csrf": admin.csrf("/h5/budgets"), "mode": mode}
        assert admin.post("/h5/budgets/frugal", data=sent).status_code == 303
        assert words in admin.get("/h5/budgets").text
    assert admin.post("/h5/budgets/frugal", data={"csrf": admin.csrf("/h5/budgets"), "mode": "x"}).status_code == 303
    assert "请选“自动”“开”或“关”" in admin.get("/h5/budgets").text
    assert admin.post("/h5/budgets/frugal", data={"mode": "on"}).status_code == 403


def test_it_says_when_nobody_counts(quick_plant, browse):
    assert "还没有额度数字" in browse("周敏").get("/h5/budgets").text
    budgets.keep(quick_plant.services)
    assert "额度数字停在" not in browse("周敏").get("/h5/budgets").text
    quick_plant.now = quick_plant.now.replace(hour=quick_plant.now.hour + 1)
    assert "额度数字停在" in browse("周敏").get("/h5/budgets").text


def test_admins_find_it_on_their_todo_page(quick_plant, browse):
    assert 'href="/h5/budgets"' in browse("周敏").get("/h5/todo").text
    assert 'href="/h5/budgets"' not in browse("张伟").get("/h5/todo").text
