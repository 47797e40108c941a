"""Permit pages and the sign board, as people's browsers get them."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from storage.models import Permit
from tests import permits as p
from tests.permits import APPLICANT, GUARDIAN, WORKER
from tests.plant import APP, walked
from web.board import KEY_LASTS, key_is_good, make_key
from web.board_view import frame
from web.permit_sheet import signature
from web.permit_view import KIND_ZH

pytestmark = pytest.mark.sqlite_suffices

NUMBER = "ZY-0001"
SECRET = "s" * 40


def draft_id(plant) -> int:  # type: ignore[no-untyped-def]
    with plant.work(read_only=True) as work:
        person = work.people.by_name(APPLICANT)[0]
        return work.permits.draft_of(person.id, since=plant.now - timedelta(days=1)).id


# -- the permit's page and sheet


def test_the_page_tells_verdict_rules_signatures_and_trail(plant, browse):  # type: ignore[no-untyped-def]
    p.at_work(plant)
    page = browse(APPLICANT).get(f"/h5/permits/{NUMBER}").text
    for words in (
        NUMBER,
        "作业中",
        GUARDIAN,
        "判定",
        "GB 30871-2022",
        "安全措施",
        "开始作业",
        "气体分析",
        "合格的规则",
        "作业票 PDF",
        "动火点周围可燃0.1%LEL",
    ):
        assert words in page, words
    assert '<summary class="button big">经过(' in page  # long on a phone: folded
    assert "法定审批人须在作业现场审批" in page
    with plant.work(read_only=True) as work:
        by_id = work.permits.by_number(NUMBER).id
    assert NUMBER in browse(WORKER).get(f"/h5/permits/{by_id}").text  # as the cards name it


@pytest.mark.parametrize("ref", ["ZY-9999", "999", "9" * 18, "9" * 40, "x", "%00"])
def test_a_permit_that_is_not_there(quick_plant, browse, ref: str):  # type: ignore[no-untyped-def]
    assert browse(APPLICANT).get(f"/h5/permits/{ref}").status_code == 404


def test_strangers_sign_in_first(quick_plant, browse):  # type: ignore[no-untyped-def]
    for path in (
        f"/h5/permits/{NUMBER}",
        f"/h5/permits/{NUMBER}/sheet.pdf",
        f"/h5/permits/{NUMBER}/facts",
        "/h5/board",
    ):
        answer = browse().get(path)
        assert answer.status_code == 302
        assert "/h5/sign-in" in answer.location


def test_the_sheet_is_a_pdf_and_its_code_verifies(plant, browse):  # type: ignore[no-untyped-def]
    p.at_work(plant)
    answer = browse(APPLICANT).get(f"/h5/permits/{NUMBER}/sheet.pdf")
    assert answer.mimetype == "application/pdf"
    assert answer.data.startswith(b"%PDF-")
    stranger = browse()
    good = stranger.get(f"/h5/permits/{NUMBER}/verify?sig={signature(SECRET, NUMBER)}")
    assert good.status_code == 200
    assert "现在允许作业" in good.text
    assert GUARDIAN not in good.text  # nothing about people to whoever holds the paper


def test_a_stopped_permit_verifies_as_true_and_not_allowed(plant, browse):  # type: ignore[no-untyped-def]
    p.at_work(plant)
    with plant.work() as work:
        work.permits.by_number(NUMBER).state = "suspended"
        work.commit()
    page = browse().get(f"/h5/permits/{NUMBER}/verify?sig={signature(SECRET, NUMBER)}").text
    assert "现在不允许作业:已叫停" in page


@pytest.mark.parametrize("sig", ["", "x", "A" * 16, signature("other", NUMBER), signature(SECRET, "ZY-0002"), "é"])
def test_a_forged_code_is_refused_the_same_way(quick_plant, browse, sig: str):  # type: ignore[no-untyped-def]
    answer = browse().get(f"/h5/permits/{NUMBER}/verify?sig={sig}")
    assert answer.status_code == 403
    assert "不是本系统打印的" in answer.text


def test_the_code_of_a_printed_draft_says_that_it_is_ours_and_no_permit(plant, browse):  # type: ignore[no-untyped-def]
    begin(plant)
    name = f"draft-{draft_id(plant)}"
    path = f"/h5/permits/{name}/verify?sig={signature(SECRET, name)}"
    page = browse().get(path)
    assert page.status_code == 200
    assert "是本系统打印的草稿,不是有效的作业票" in page.text
    assert "现在允许作业" not in page.text
    assert browse().get(f"/h5/permits/draft-9999/verify?sig={signature(SECRET, 'draft-9999')}").status_code == 403
    assert browse().get(f"/h5/permits/{name}/verify?sig={signature(SECRET, NUMBER)}").status_code == 403


def test_every_kind_of_signature_has_a_chinese_name():
    """What `kind` may be (storage/models/permit.py) and what handlers write."""
    kinds = set()
    for path in (Path(__file__).parents[2] / "handlers" / "permit").glob("*.py"):
        kinds |= set(re.findall(r'kind="([a-z_]+)"', path.read_text(encoding="utf-8")))
    assert "fire_watch" in kinds
    assert kinds <= set(KIND_ZH), kinds - set(KIND_ZH)


# -- the long form


def asked(page: str) -> list[str]:
    return list(dict.fromkeys(re.findall(r'name="(fact\.[a-z0-9_]+)"', page)))


@walked
def begin(plant):  # type: ignore[no-untyped-def]
    p.feed(plant)
    phone = plant.phone(APPLICANT)
    phone.says("动火").says("P-102B").says("P-102B出口法兰电焊").says("现在干4小时").says(GUARDIAN).says(WORKER)
    return phone.says("动火点可燃0.1%LEL,氧20.8").taps("BX-01")


def test_the_form_asks_what_is_open_and_its_answers_flip_the_verdict(plant, browse):  # type: ignore[no-untyped-def]
    begin(plant)
    browser, ref = browse(APPLICANT), draft_id(plant)
    path = f"/h5/permits/{ref}/facts"
    page = browser.get(path).text
    fields = asked(page)
    assert "fact.combustibles_cleared" in fields or len(fields) > 5
    for _ in range(6):  # details follow their gates
        page = browser.get(path).text
        fields = asked(page)
        if not fields:
            break
        offers = dict(re.findall(r'name="(fact\.[a-z0-9_]+)" value="([^"]*)" data-offer', page))
        offers |= dict(re.findall(r'name="(fact\.[a-z0-9_]+)"[^>]*data-offer="([^"]*)"', page))
        form = {name: offers.get(name, "5") for name in fields}
        answer = browser.post(path, data={"csrf": browser.csrf("/h5/place"), **form})
        assert answer.status_code == 303, answer.text
    with plant.work(read_only=True) as work:
        permit = work.permits.find(ref)
        assert permit.result == "pass", permit.verdict_id
        assert "answered" in [line.action for line in work.trail.of("permit", permit.id)]
    assert "现在没有要补充的内容" in browser.get(path).text
    assert plant.problems() == []


def test_answers_that_make_no_sense_are_told_and_the_others_kept(plant, browse):  # type: ignore[no-untyped-def]
    begin(plant)
    browser, ref = browse(APPLICANT), draft_id(plant)
    path = f"/h5/permits/{ref}/facts"
    before = asked(browser.get(path).text)
    with plant.work(read_only=True) as work:
        first_bool = next(n for n in before if f'name="{n}" value="是"' in browser.get(path).text)
        assert work.permits.find(ref).result != "pass"
    other = next(n for n in before if n != first_bool)
    data = {
        "csrf": browser.csrf("/h5/place"),
        first_bool: "是",
        other: "天晓得",
        "fact.level": "none",
        "fact.nonsense": "1",
    }
    answer = browser.post(path, data=data)
    page = browser.get(answer.location).text
    assert re.search(r'class="said bad"', page)
    after = asked(page)
    assert first_bool not in after
    assert other in after
    with plant.work(read_only=True) as work:
        facts = work.permits.find(ref).facts
        assert "level" not in facts
        assert "nonsense" not in facts


def test_only_the_applicant_fills_in_a_request(plant, browse):  # type: ignore[no-untyped-def]
    begin(plant)
    ref = draft_id(plant)
    other = browse(WORKER)
    assert other.get(f"/h5/permits/{ref}/facts").status_code == 403
    answer = other.post(f"/h5/permits/{ref}/facts", data={"csrf": other.csrf("/h5/place"), "fact.jsa_done": "是"})
    assert answer.status_code == 303
    with plant.work(read_only=True) as work:
        assert "jsa_done" not in work.permits.find(ref).facts
    assert other.post(f"/h5/permits/{ref}/facts", data={"fact.jsa_done": "是"}).status_code == 403  # no CSRF token


def below_a_height(plant, **over):  # type: ignore[no-untyped-def]
    """A request for hot work under approved work at 5 m; its dialogue has come to the question for the height."""
    with plant.work() as work:
        lat, lon = p.spot(plant, "P-102B")
        area = work.plant.area_by_code("BF")
        high = Permit(work="work_at_height", level="I", state="approved", number=NUMBER, created_at=plant.now)
        high.area_id, high.lat, high.lon, high.height_m, high.generation = area.id, lat, lon, 5.0, 1
        high.content, high.facts, high.suspend_why, high.next_due = "管架检修", {}, [], []
        work.permits.add(high)
        work.commit()
    p.feed(plant)
    return p.ask_for(plant, **over)


def fill(browser, ref, **facts: str) -> str:  # type: ignore[no-untyped-def]
    """Send the long form; returns the page that follows."""
    data = {f"fact.{name}": text for name, text in facts.items()}
    answer = browser.post(f"/h5/permits/{ref}/facts", data={"csrf": browser.csrf("/h5/place"), **data})
    assert answer.status_code == 303, answer.text
    return browser.get(answer.location).text


def height_of(plant, ref):  # type: ignore[no-untyped-def]
    with plant.work(read_only=True) as work:
        return work.permits.find(ref).height_m


def test_the_form_asks_how_high_the_job_is_as_the_chat_does(quick_plant, browse):  # type: ignore[no-untyped-def]
    phone = below_a_height(quick_plant).sees("作业点离地多少米?")
    browser, ref = browse(APPLICANT), draft_id(quick_plant)
    page = browser.get(f"/h5/permits/{ref}/facts").text
    assert "附近有别的作业,要看是否上下交叉:作业点离地多少米?填个数,在地面就填“地面”。" in page
    assert asked(page)[0] == "fact.height_m"
    assert 'data-quick="地面"' in page
    for wrong in ("不知道", "-3", "1001", "1e9"):
        page = fill(browser, ref, height_m=wrong)
        assert "没听懂高度,请说离地多少米,如“6米”;在地面说“地面”。" in page, wrong
        assert height_of(quick_plant, ref) is None
    page = fill(browser, ref, height_m="1.5米")
    assert "没听懂高度" not in page
    assert "fact.height_m" not in page
    assert height_of(quick_plant, ref) == 1.5
    assert "离地 1.5 m" in browser.get(f"/h5/permits/{ref}").text
    with quick_plant.work(read_only=True) as work:
        line = next(row for row in reversed(work.trail.of("permit", ref)) if row.action == "answered")
        assert line.data["facts"] == ["height_m"]
        notes = work.permit_verdicts.get(work.permits.find(ref).verdict_id).verdict["notes"]
    assert any(note.startswith(f"上方有作业 {NUMBER}") for note in notes)
    assert phone.plant.problems() == []


@pytest.mark.parametrize(("told", "metres"), [("0", 0.0), ("地面", 0.0), ("1000", 1000.0)])
def test_heights_at_the_edge(quick_plant, browse, told: str, metres: float):  # type: ignore[no-untyped-def]
    below_a_height(quick_plant)
    ref = draft_id(quick_plant)
    fill(browse(APPLICANT), ref, height_m=told)
    assert height_of(quick_plant, ref) == metres


def test_a_height_in_the_words_of_the_job_is_not_asked(quick_plant, browse):  # type: ignore[no-untyped-def]
    below_a_height(quick_plant, what="P-102B出口法兰电焊,离地6米")
    ref = draft_id(quick_plant)
    assert "fact.height_m" not in asked(browse(APPLICANT).get(f"/h5/permits/{ref}/facts").text)
    assert height_of(quick_plant, ref) == 6


# -- the board


def live(browser, code: str = "-", **query: str):  # type: ignore[no-untyped-def]
    tail = "&".join(f"{k}={v}" for k, v in query.items())
    return browser.get(f"/h5/board/{code}/live" + (f"?{tail}" if tail else ""))


def test_the_board_shows_live_permits_where_they_are(plant, browse):  # type: ignore[no-untyped-def]
    p.at_work(plant)
    browser = browse(GUARDIAN)
    page = browser.get("/h5/board").text
    assert "甲醇罐区" in page
    assert 'style="' not in page  # the policy allows no inline style
    assert "<script>" not in page
    (row,) = live(browser).json["permits"]
    assert (row["number"], row["tone"], row["guardian"]) == (NUMBER, "active", GUARDIAN)
    assert "可燃" in row["gas"]
    assert 0 < row["x"] < 1000
    with plant.work(read_only=True) as work:
        here = work.permits.by_number(NUMBER).area.code
        others = [a.code for a in work.plant.areas() if a.code != here]
    assert [r["number"] for r in live(browser, here).json["permits"]] == [NUMBER]
    assert live(browser, others[0]).json["permits"] == []
    assert browser.get("/h5/board/NONE").status_code == 404


@pytest.mark.parametrize(
    ("state", "minutes_left", "tone"),
    [
        ("active", 31, "active"),
        ("active", 30, "ending"),
        ("active", -1, "ending"),
        ("interrupted", 60, "paused"),
        ("approved", 60, "ready"),
        ("suspended", 10, "suspended"),
        ("expired", -10, "ending"),
    ],
)
def test_colours(quick_plant, browse, state: str, minutes_left: int, tone: str):  # type: ignore[no-untyped-def]
    plant = quick_plant
    with plant.work() as work:
        permit = Permit(work="hot_work", level="l1", state=state, number=NUMBER, created_at=plant.now, generation=1)
        permit.area = work.plant.areas()[0]
        permit.valid_until = plant.now + timedelta(minutes=minutes_left)
        work.permits.add(permit)
        work.commit()
    (row,) = live(browse(GUARDIAN)).json["permits"]
    assert row["tone"] == tone
    assert row["x"] is not None  # in the middle of its area


def test_what_is_over_or_not_yet_does_not_hang_there(quick_plant, browse):  # type: ignore[no-untyped-def]
    with quick_plant.work() as work:
        for n, state in enumerate(("draft", "submitted", "closed", "refused", "withdrawn")):
            work.permits.add(
                Permit(work="lifting", state=state, number=f"ZY-{n}", created_at=quick_plant.now, generation=1)
            )
        work.commit()
    assert live(browse(GUARDIAN)).json == {
        "at": quick_plant.now.isoformat(),
        "permits": [],
        "counts": {"suspended": 0, "ending": 0, "active": 0, "paused": 0, "ready": 0},
    }


def test_a_wall_screen_opens_the_board_with_its_key_and_nothing_else(quick_plant, browse):  # type: ignore[no-untyped-def]
    found = re.search(r'class="link">([^<]+)<', browse(GUARDIAN).get("/h5/board").text)
    assert found
    path = found[1].removeprefix(APP)
    wall = browse()
    page = wall.get(path)
    assert page.status_code == 200
    assert "投屏链接" not in page.text
    key = urlsplit(path).query.removeprefix("key=")
    assert wall.get(f"/h5/board/-/live?key={key}").status_code == 200
    assert wall.get(f"/h5/permits/{NUMBER}?key={key}").status_code == 302
    assert wall.get("/h5/board").status_code == 302  # the key makes no session
    quick_plant.forward(hours=24 * (KEY_LASTS.days + 2))
    assert wall.get(path).status_code == 302


def test_keys_cannot_be_made_up():
    today, until = date(2026, 11, 24), date(2027, 1, 1)
    key = make_key(SECRET, until)
    assert key_is_good(SECRET, key, today)
    assert key_is_good(SECRET, key, until)
    assert not key_is_good(SECRET, key, date(2027, 1, 2))
    assert not key_is_good("other", key, today)
    assert not key_is_good(SECRET, key.replace("20270101", "20370101"), today)
    for wrong in ("", ".", "20270101", "20270101.", "20271399.x", "２０２７０１０１.x", key + "x"):
        assert not key_is_good(SECRET, wrong, today), wrong


def test_the_drawing_keeps_shape_and_north():
    square = [[118.0, 37.0], [118.01, 37.0], [118.01, 37.008], [118.0, 37.008]]
    seen = frame([square])
    assert seen is not None
    west, north = seen.at(118.0, 37.008)
    east, south = seen.at(118.01, 37.0)
    assert 0 < west < east < 1000
    assert 0 < north < south < seen.height
    assert (east - west) / (south - north) == pytest.approx(0.01 * 0.7986 / 0.008, rel=0.01)  # metres, not degrees
    assert frame([]) is None
    assert frame([[[118.0, 37.0]]]) is not None  # a single point still has a frame


def test_the_live_answer_is_small(plant, browse):  # type: ignore[no-untyped-def]
    p.at_work(plant)
    assert len(json.dumps(live(browse(GUARDIAN)).json)) < 1500
