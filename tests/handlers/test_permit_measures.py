"""Measures of the forms and micro-actions: which are asked for which work, with which evidence, by which clause."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from handlers.permit import measures
from handlers.permit.measures import Evidence, Measure
from rules.errors import RuleBroken
from rules.permit import Work
from storage.models import Area, GasTest, Permit
from tools import measure_docs

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)

# risk-and-hazard.md §8: those that belong to a permit, the work they are asked for, evidence, clause
MICRO = [
    ("MA-01", "confined_space", "photo", "6.3"),
    ("MA-02", "lifting", "photo", "9.2.11 c"),
    ("MA-03", "lifting", "video", "9.2.9"),
    ("MA-05", "hot_work", "photo", "4.5 c"),
    ("MA-06", "hot_work", "photo", "4.12"),
    ("MA-06", "confined_space", "photo", "4.12"),
    ("MA-07", "hot_work", "photo", "5.2.4"),
    ("MA-08", "hot_work", "photo", "5.2.1"),
    ("MA-09", "hot_work", "photo", "5.2.13"),
    ("MA-12", "confined_space", "list", "6.8"),
    ("MA-13", "work_at_height", "photo", "8.2.1"),
    ("MA-14", "hot_work", "value", "5.2.15"),
    ("MA-14", "work_at_height", "value", "8.2.6"),
    ("MA-14", "lifting", "value", "9.2.4"),
    ("MA-15", "work_at_height", "photo", "8.2.4"),
    ("MA-16", "temp_power", "tick", "10.6 h"),
    ("MA-16", "hot_work", "tick", "4.5 e"),
    ("MA-17", "blind_plate", "photo", "7.5"),
    ("MA-18", "blind_plate", "photo", "7.4"),
    ("MA-19", "digging", "sketch", "11.4"),
    ("MA-23", "confined_space", "tick", "4.5 h"),
    ("MA-24", "hot_work", "photo", "5.2.16"),
]
ROWS = {  # rows of the measures column of tables A.1 to A.8; the last one is free text
    "hot_work": 15, "confined_space": 14, "blind_plate": 10, "work_at_height": 14,
    "lifting": 19, "temp_power": 13, "digging": 10, "road_closing": 3,
}  # fmt: skip


def permit(work: str, **over) -> Permit:
    fields = {
        "level": "",
        "content": "出口法兰电焊、打磨",
        "method": "",
        "place_words": "",
        "facts": {},
        "gas_tests": [],
    }
    made = Permit(work=work, **{**fields, **over})
    made.area = Area(code="A", name="煤粉仓", media=["煤粉"])
    return made


def asked(made: Permit) -> dict[str, Measure]:
    return {measure.id: measure for measure in measures.measures_of(made)}


@pytest.mark.parametrize(("micro", "work", "evidence", "clause"), MICRO)
def test_every_micro_action_of_a_permit_is_asked_with_its_evidence(micro, work, evidence, clause):
    found = [m for m in asked(permit(work)).values() if m.micro == micro]
    assert [m.evidence.value for m in found] == [evidence]
    assert clause in found[0].clause


@pytest.mark.parametrize("work", list(Work))
def test_every_row_of_the_standards_form_is_there(work):
    levels = {"lifting": "1", "hot_work": "special"}
    made = permit(work.value, level=levels.get(work.value, ""))
    told = {int(n) for m in asked(made).values() for n in m.std.get(work.value, "").replace("、", " ").split()}
    extra = {5} if work is Work.HOT_WORK else {8} if work is Work.CONFINED_SPACE else set()  # asked by words only
    assert told | extra == set(range(1, ROWS[work.value] + 1))


@pytest.mark.parametrize("measure", measures.all_measures().values(), ids=lambda m: m.id)
def test_every_measure_names_its_clause_and_fits_a_card(measure):
    assert measure.clause
    assert len(measure.text) <= 70


def test_what_people_said_is_not_there_is_not_asked_but_stays_on_the_form():
    made = permit("hot_work", facts={"contained_hazard": False, "outdoor": False, "corrosive_medium": False})
    assert {"inside_clean", "lines_cut", "wind", "flush_water"}.isdisjoint(asked(made))
    assert {"inside_clean", "lines_cut", "wind", "flush_water"} <= {m.id for m, _ in measures.left_out(made)}
    assert ("video", "本级不要求") in [(m.id, why) for m, why in measures.left_out(made)]
    assert "inside_clean" in asked(permit("hot_work", facts={"contained_hazard": True}))
    assert "inside_clean" in asked(permit("hot_work"))  # nobody said anything: asked


def test_words_of_the_job_and_of_the_medium_bring_measures():
    assert "dust" in asked(permit("hot_work"))
    plain = permit("hot_work", content="换垫片")
    plain.area = None
    assert {"dust", "hand_tools", "welder"}.isdisjoint(asked(plain))


@pytest.mark.parametrize(
    ("said", "force"),
    [
        *[("3级", 3), ("三级", 3), ("4.5米每秒", 3), ("8.0 m/s", 5), ("风速10.7米", 5), ("10.8米每秒", 6), ("0", 0)],
        *[
            ("十二级", 12),
            ("十一级", 11),
            ("十级", 10),
            ("4~5级", 5),
            ("四到五级", 5),
            ("三四级", 4),
            ("3级,阵风8级", 8),
        ],
        *[("2号泵房3级", 3), ("8点30测3级", 3), ("7.9~8.0米每秒", 5), ("3级,阵风10.8米每秒", 6)],
    ],
)
def test_wind_as_people_say_it(said, force):
    assert measures.read_wind(said) == force


@pytest.mark.parametrize("said", ["不大", "", "3.5级", "40级", "-", "4级以上", "超过4级"])
def test_wind_that_is_no_value_is_asked_again(said):
    with pytest.raises(RuleBroken, match="风力几级"):
        measures.read_wind(said)


def confirm(measure_id: str, made: Permit, **given):
    values = {"photo_sha": "", "video_sha": "", "said": "", **given}
    return measures.need_evidence(measures.all_measures()[measure_id], made, at=NOW, **values)


@pytest.mark.parametrize("measure", measures.all_measures().values(), ids=lambda m: m.id)
def test_no_measure_with_evidence_goes_without(measure):
    if measure.evidence is Evidence.TICK:
        assert confirm(measure.id, permit("hot_work")) == dict(measure.sets)
        return
    with pytest.raises(RuleBroken):
        confirm(measure.id, permit("hot_work"))


def test_a_film_is_no_picture_and_a_picture_is_no_film():
    with pytest.raises(RuleBroken, match="录视频"):
        confirm("trial_lift", permit("lifting"), photo_sha="a")
    with pytest.raises(RuleBroken, match="要拍照"):
        confirm("lug", permit("lifting"), video_sha="a")
    assert confirm("trial_lift", permit("lifting"), video_sha="a") == {"trial_lift_ok": True}


def test_a_measured_wind_is_the_fact_that_is_judged():
    assert confirm("wind", permit("lifting"), said="11米每秒") == {"wind_force": 6}


@pytest.mark.parametrize(
    ("minutes", "gases", "fine"),
    [(30, ("o2", "combustible"), True), (31, ("o2", "combustible"), False), (5, ("combustible",), False)],
)
def test_oxygen_first_wants_a_fresh_test_of_oxygen_and_gas(minutes, gases, fine):
    made = permit("confined_space")
    values = [{"gas": gas, "value": 1.0, "unit": "%vol"} for gas in gases]
    made.gas_tests = [GasTest(at=NOW - timedelta(minutes=minutes), values=values)]
    if fine:
        assert confirm("oxygen_first", made, photo_sha="a") == {}
        return
    with pytest.raises(RuleBroken, match="30分钟以内"):
        confirm("oxygen_first", made, photo_sha="a")


def test_the_page_of_the_documents_is_current():
    assert measure_docs.PAGE.read_text(encoding="utf-8") == measure_docs.page(), "run python -m tools.measure_docs"
