"""Who may see the pages: people the plant knows, through their chat platform, with a state that is used once."""

from __future__ import annotations

import re

import pytest

from tests.plant import APP


def test_wecom_signs_in_by_redirect_and_leads_back_to_the_page(quick_plant, browse):
    stranger = browse()
    first = stranger.get("/h5/place?platform=wecom")
    assert first.location == "/h5/sign-in?next=%2Fh5%2Fplace&platform=wecom"
    away = stranger.get(first.location).location
    assert away.startswith("http://wecom.test/connect/oauth2/authorize?")
    assert "scope=snsapi_base" in away
    back = stranger.get(stranger.wecom_answers(away, "ZhangWei"))
    assert back.status_code == 302
    assert back.location == "/h5/place"
    assert "隐患在哪里" in stranger.get("/h5/place").text


def test_dingtalk_signs_in_by_script(quick_plant, browse):
    li = browse("李强")
    assert li.platform == "dingtalk"
    assert "李强的待办" in li.get("/h5/todo").text


def test_the_user_agent_tells_the_platform(quick_plant, browse):
    stranger = browse()
    page = stranger.get("/h5/sign-in", headers={"User-Agent": "Mozilla AliApp(DingTalk/7.5)"})
    assert 'data-client="ding' in page.text
    away = stranger.get("/h5/sign-in", headers={"User-Agent": "Mozilla wxwork/4.1 MicroMessenger/7"})
    assert away.location.startswith("http://wecom.test/")
    asked = stranger.get("/h5/sign-in", headers={"User-Agent": "Firefox"})
    assert "企业微信" in asked.text
    assert "钉钉" in asked.text


def test_a_state_is_used_once(quick_plant, browse):
    zhang = browse()
    away = zhang.get("/h5/sign-in?platform=wecom").location
    back = zhang.wecom_answers(away, "ZhangWei")
    assert zhang.get(back).status_code == 302
    again = zhang.get(back)
    assert again.status_code == 403
    assert "重新打开" in again.text


def test_a_state_of_another_browser_is_refused(quick_plant, browse):
    attacker, victim = browse(), browse()
    away = attacker.get("/h5/sign-in?platform=wecom").location
    back = attacker.wecom_answers(away, "ZhangWei")
    assert victim.get(back).status_code == 403
    assert victim.get("/h5/todo").status_code == 302


@pytest.mark.parametrize(("seconds", "status"), [(599, 302), (600, 403), (601, 403)])
def test_a_state_lives_ten_minutes(quick_plant, browse, seconds, status):
    zhang = browse()
    away = zhang.get("/h5/sign-in?platform=wecom").location
    quick_plant.forward(seconds=seconds)
    assert zhang.get(zhang.wecom_answers(away, "ZhangWei")).status_code == status


def test_a_used_code_does_not_sign_in(quick_plant, browse):
    zhang = browse()
    first = zhang.wecom_answers(zhang.get("/h5/sign-in?platform=wecom").location, "ZhangWei")
    code = re.search(r"code=([^&]+)", first)[1]
    zhang.get(first)
    other = browse()
    state = re.search(r"state=([^&#]+)", other.get("/h5/sign-in?platform=wecom").location)[1]
    answer = other.get(f"/h5/signed-in?code={code}&state={state}")
    assert answer.status_code == 403
    assert "重新打开" in answer.text


def test_somebody_outside_the_roll_is_told_what_to_do(quick_plant, browse):
    with quick_plant.work() as work:
        work.people.account("wecom", "ZhangWei").person = None
        work.commit()
    zhang = browse()
    answer = zhang.get(zhang.wecom_answers(zhang.get("/h5/sign-in?platform=wecom").location, "ZhangWei"))
    assert answer.status_code == 403
    assert "名册" in answer.text


def test_somebody_who_left_is_out_at_once(quick_plant, browse):
    zhang = browse("张伟")
    assert zhang.get("/h5/todo").status_code == 200
    with quick_plant.work() as work:
        work.people.by_name("张伟")[0].active = False
        work.commit()
    assert zhang.get("/h5/todo").status_code == 302


def test_a_session_ends_after_twelve_hours(quick_plant, browse):
    zhang = browse("张伟")
    quick_plant.forward(hours=12)
    assert zhang.get("/h5/todo").status_code == 200
    quick_plant.forward(seconds=1)
    assert zhang.get("/h5/todo").status_code == 302


@pytest.mark.parametrize("path", ["https://evil.test/", "//evil.test", "/h5/\\evil", "/api/v1/people", "javascript:1"])
def test_nothing_but_our_pages_follows_a_sign_in(quick_plant, browse, path):
    zhang = browse()
    away = zhang.client.get(f"{APP}/h5/sign-in", query_string={"platform": "wecom", "next": path}).location
    assert zhang.get(zhang.wecom_answers(away, "ZhangWei")).location == "/h5/todo"


def test_fresh_asks_again_who_it_is(quick_plant, browse):
    zhang = browse("张伟")
    answer = zhang.get("/h5/todo?fresh=1&platform=wecom")
    assert answer.location == "/h5/sign-in?next=%2Fh5%2Ftodo&platform=wecom"


def test_the_cookie_is_out_of_reach(quick_plant, browse):
    answer = browse().get("/h5/sign-in?platform=wecom")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie  # the emulated plant is served by plain http


def _config(visitor, page):
    return visitor.client.get(f"{APP}/h5/js-config", query_string={"url": page + "#top"}).json


def test_wecom_accepts_the_signature_of_its_bridge(quick_plant, browse):
    page = f"{APP}/h5/place/1?a=1"
    told = _config(browse("张伟"), page)
    assert told["platform"] == "wecom"
    check = quick_plant.wecom.app.test_client()
    corp, agent = told["config"]["config"], told["config"]["agentConfig"]
    wish = {**corp, "kind": "config", "corpid": corp["appId"], "url": page}
    assert check.post("/_phone/jssdk/check", json=wish).json["ok"]
    assert check.post("/_phone/jssdk/check", json={**agent, "kind": "agentConfig", "url": page}).json["ok"]
    assert not check.post("/_phone/jssdk/check", json={**wish, "url": page + "&b=2"}).json["ok"]


def test_dingtalk_accepts_the_signature_of_its_bridge(quick_plant, browse):
    page = f"{APP}/h5/place/1?a=1"
    told = _config(browse("李强"), page)
    assert told["platform"] == "dingtalk"
    check = quick_plant.dingtalk.app.test_client()
    assert check.post("/_phone/jsapi/check", json={**told["config"], "url": page}).json["ok"]
    assert not check.post("/_phone/jsapi/check", json={**told["config"], "url": page + "&b=2"}).json["ok"]


def test_the_bridge_is_not_configured_for_other_sites(quick_plant, browse):
    answer = browse("张伟").get("/h5/js-config?url=https://evil.test/h5/place")
    assert answer.status_code == 400
