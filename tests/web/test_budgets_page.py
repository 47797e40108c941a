"""The page of budgets and deliveries: who sees it, what it says, how an admin switches frugal mode, where it is found."""

from __future__ import annotations

from datetime import timedelta

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


def test_metrics_and_readyz_tell_the_same(quick_plant):
    client = quick_plant.app.test_client()
    assert "anshao_budget_used{" not in client.get("/metrics").text
    spend(quick_plant, 4900)
    budgets.keep(quick_plant.services)
    report(quick_plant, YELLOW)
    quick_plant.now += timedelta(minutes=30)
    told = client.get("/metrics").text
    for line in (
        'anshao_budget_used{budget="calls",platform="dingtalk"} 4900.0',
        'anshao_budget_limit{budget="messages",platform="dingtalk"} 3000.0',
        'anshao_budget_runs_out{budget="calls",platform="dingtalk"} 1.0',
        'anshao_budget_runs_out{budget="people",platform="wecom"} 0.0',
        'anshao_frugal{platform="dingtalk"} 1.0',
        "anshao_budget_age_seconds 1800.0",
        'anshao_outbox_queue{platform="dingtalk",reason="frugal",urgent="no"} 1.0',
        'anshao_outbox_queue_oldest_seconds{platform="dingtalk",reason="frugal",urgent="no"} 1800.0',
        'anshao_outbox_oldest_seconds{platform="dingtalk"} 1800.0',
    ):
        assert line in told, line
    assert [r for r in client.get("/readyz").json["degraded"] if r.startswith("budget dingtalk calls: 4900 of 5000")]


def test_the_api_says_why_a_message_waits_and_since_when(quick_plant):
    spend(quick_plant, 4900)
    budgets.keep(quick_plant.services)
    number = report(quick_plant, YELLOW)
    quick_plant.now += timedelta(minutes=30)
    items = quick_plant.api().get(f"/api/v1/deliveries?case={number}").json["items"]
    [held] = [item for item in items if item["purpose"] == "hazard.dispatch"]
    assert (held["state"], held["waits_for"], held["waiting_s"]) == ("due", "frugal", 1800)
    assert held["waits_for_zh"] == "节约模式:并入下一次汇总"
    assert held["waiting_since"] == "2026-11-24T09:00:00+08:00"
    sent = next(item for item in items if item["state"] == "confirmed")
    assert (sent["waits_for_zh"], sent["waiting_since"], sent["waiting_s"]) == (None, None, None)


def test_the_command_line_switches_and_tells(quick_plant):
    run = quick_plant.app.test_cli_runner().invoke
    told = run(args=["budget"]).output
    assert "钉钉 接口调用:本月0/5000" in told and "没有排队的消息" in told
    assert run(args=["frugal"]).output == "节约模式:自动\n"
    assert "节约模式已设为“开”,现在开着:钉钉、企业微信" in run(args=["frugal", "on"]).output
    number = report(quick_plant, YELLOW)
    told = run(args=["budget"]).output
    assert "钉钉 节约模式:开" in told and "并入下一次汇总" in told and number
    assert "没有平台在节约" in run(args=["frugal", "off"]).output
    assert run(args=["frugal", "maybe"]).exit_code == 2
