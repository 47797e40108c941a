from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.hazard import (
    AnnotationKind,
    AreaFacts,
    Category,
    EquipmentFacts,
    KnownFrom,
    NearbyFacts,
    raise_grade,
    understand,
)
from rules.terms import Grade

TANK_FARM = AreaFacts("甲醇罐区", media=("甲醇",), explosive=True)
PUMP = EquipmentFacts("P-101A", name="甲醇输送泵", kind="离心泵", media=("甲醇",))
FURNACE = NearbyFacts("加热炉", kind="加热炉", distance_m=25.2)


def test_the_annotation_of_the_issue():
    found = understand("P-101A出口法兰滴漏", area=TANK_FARM, equipment=PUMP, near=[FURNACE])
    assert found.annotation == "涉及甲醇介质、邻近加热炉(约25米)，位于甲醇罐区"
    medium = next(note for note in found.annotations if note.kind is AnnotationKind.MEDIUM)
    assert (medium.value, medium.known_from, medium.why) == ("甲醇", KnownFrom.EQUIPMENT, "设备台账：P-101A")
    assert [mention.code for mention in found.entities.equipment] == ["P-101A"]


@pytest.mark.parametrize(
    ("text", "grade", "id_"),
    [
        ("有人不戴帽子进车间", Grade.YELLOW, "A01"), ("脚手架上的工人没挂安全带", Grade.RED, "A03"), ("护栏断了一截", Grade.ORANGE, "B43"),
        ("电线皮破了露铜丝", Grade.RED, "B26"), ("可燃气探头黑屏", Grade.RED, "B09"), ("吊车下面站着人", Grade.RED, "A28"),
        ("配电箱没锁", Grade.YELLOW, "B28"), ("叉车没喇叭了", Grade.YELLOW, "B52"), ("罐区有人抽烟", Grade.RED, "A10"),
        ("动火现场没有监护人", Grade.RED, "A12"), ("下罐没测氧", Grade.RED, "A15"), ("作业票过期还在干", Grade.RED, "D02"),
        ("应急灯不亮", Grade.YELLOW, "B18"), ("井盖丢了", Grade.ORANGE, "B45"), ("酸和碱放在一起", Grade.RED, "B57"),
        ("机器开着就伸手掏料", Grade.RED, "A26"), ("外协人员没培训就进场", Grade.ORANGE, "D06"), ("压力表坏了", Grade.YELLOW, "B05"),
        ("人字梯没人扶", Grade.YELLOW, "A35"), ("护目镜没戴就打磨", Grade.YELLOW, "A05"), ("灭火器过期了", Grade.ORANGE, "B14"),
        ("高空作业忘了系安全带", Grade.RED, "A03"), ("没带安全帽", Grade.YELLOW, "A01"), ("法蓝滴漏", Grade.ORANGE, "B01"),
        ("安全出口锁着", Grade.RED, "B17"), ("危化品桶没标签", Grade.ORANGE, "B56"),
    ],
)  # fmt: skip
def test_everyday_sentences(text, grade, id_):
    found = understand(text)
    assert id_ in found.phrase_ids
    assert found.grade is grade, found.grade_why


def test_nothing_matched_is_yellow_and_says_so():
    found = understand("这个东西看着怪怪的")
    assert found.grade is Grade.YELLOW
    assert found.grade_why == "未匹配到词库，请责任人核定"
    assert found.category is Category.UNKNOWN


@pytest.mark.parametrize(
    ("text", "area", "equipment", "grade"),
    [
        ("法兰漏了", None, None, Grade.ORANGE),  # nothing known about the medium
        ("法兰漏甲醇", None, None, Grade.RED),  # named
        ("法兰漏了", TANK_FARM, None, Grade.RED),  # assumed from the area
        ("法兰漏了", AreaFacts("甲醇罐区"), None, Grade.RED),  # the area's name is enough
        ("甲醇罐区法兰漏了", None, None, Grade.RED),
        ("机封漏了", None, PUMP, Grade.RED),
        ("冷却水管漏水", TANK_FARM, PUMP, Grade.ORANGE),  # a harmless medium is named
        ("水管旁边的法兰漏甲醇", TANK_FARM, None, Grade.RED),  # a dangerous one is named all the same
        ("法兰漏氮气", TANK_FARM, None, Grade.ORANGE),
        ("柴油管接头渗漏", None, None, Grade.ORANGE),
        ("压力表坏了", TANK_FARM, PUMP, Grade.YELLOW),  # not a leak
    ],
)
def test_a_toxic_or_flammable_medium_makes_a_leak_red(text, area, equipment, grade):
    found = understand(text, area=area, equipment=equipment)
    assert found.grade is grade, found.grade_why


def test_the_reason_tells_an_assumed_medium():
    assert "文字未说明介质" in understand("法兰漏了", area=TANK_FARM).grade_why
    assert "文字未说明介质" not in understand("法兰漏甲醇", area=TANK_FARM).grade_why


@pytest.mark.parametrize(
    ("text", "grade"),
    [
        ("电机声音不对", Grade.ORANGE),
        ("电机声音不对还冒烟", Grade.RED),  # orange, one up
        ("应急灯不亮还冒烟", Grade.ORANGE),  # yellow, one up
        ("冒火花，麻手", Grade.RED),
        ("插座摸着麻一下", Grade.RED),
        ("没戴安全帽，差点砸到人", Grade.ORANGE),
        ("防爆灯不亮", Grade.YELLOW),  # 爆 in 防爆 lifts nothing
        ("没有冒烟，就是压力表坏了", Grade.YELLOW),
        ("压力表坏了，会不会爆？", Grade.YELLOW),
    ],
)
def test_wordings_that_lift(text, grade):
    assert understand(text).grade is grade


def test_an_emergency_is_red_and_marked():
    found = understand("有人晕倒")
    assert found.emergency and found.grade is Grade.RED
    assert not understand("没有人晕倒").emergency


def test_major_candidates_point_to_their_criteria():
    found = understand("没有监护人就在动火")
    assert found.major_candidate and "CM-18" in found.major_codes
    assert "GB 30871-2022第4.10条" in found.major_why
    vessel = understand("锅炉过检了")
    assert vessel.major_candidate and vessel.major_codes == () and "待查" in vessel.major_why
    assert not understand("没戴安全帽").major_candidate


def test_the_most_serious_phrase_decides_grade_and_category():
    found = understand("没戴安全帽，电缆皮破了露铜")
    assert found.phrase_ids == ("B26", "A01")
    assert found.grade is Grade.RED and found.category is Category.CONDITION


@pytest.mark.parametrize(("distance", "shown"), [(29.9, True), (30.0, True), (30.1, False), (None, True)])
def test_nearby_ignition_sources_up_to_thirty_metres(distance, shown):
    found = understand("压力表坏了", near=[NearbyFacts("2号加热炉", "加热炉", distance)])
    assert ("邻近2号加热炉" in found.annotation) is shown


def test_near_is_taken_from_words_too_and_not_named_twice():
    found = understand("甲醇罐旁边就是加热炉", near=[FURNACE])
    assert found.annotation == "涉及甲醇介质、邻近加热炉"
    assert understand("离加热炉三米").annotation == "邻近加热炉(约3米)"
    assert understand("加热炉门坏了").annotation == ""
    assert understand("压力表坏了", near=[NearbyFacts("T-1", "储罐", 2)]).annotation == ""


def test_hot_work_advice_only_for_hot_work_in_an_explosive_place():
    advice = "属爆炸危险场所，动火至少一级；甲醇爆炸下限≥4%，可燃气体合格限值0.5%(体积)"
    assert understand("没监护人就动火", area=TANK_FARM).advice == advice
    assert understand("压力表坏了", area=TANK_FARM).advice == ""
    assert understand("没监护人就动火", area=AreaFacts("甲醇罐区", media=("甲醇",), explosive=None)).advice == ""


def test_smell_names_a_medium():
    found = understand("臭鸡蛋味很重")
    assert found.grade is Grade.RED and found.annotation == "涉及硫化氢介质"


def test_states_and_distances_are_found():
    entities = understand("P-101A停着，刚置换过，离地三米").entities
    assert entities.states == ("stopped", "purged")
    assert entities.distances_m == (3.0,)


def test_a_ledger_medium_unknown_to_the_lexicon_is_shown_as_written():
    assert (
        understand("压力表坏了", equipment=EquipmentFacts("V-1", media=("混合醇酮",))).annotation == "涉及混合醇酮介质"
    )


@given(st.text(max_size=300))
def test_any_text_gets_an_answer(text):
    found = understand(text, area=TANK_FARM, equipment=PUMP, near=[FURNACE])
    assert found.grade in Grade and found.grade_why and found.category_why


@given(
    st.sampled_from(["有人没戴安全帽", "法兰漏了", "护栏断了", "动火没有监护人"]),
    st.sampled_from(["", "冒烟", "触电", "已整改", "问题不大"]),
)
def test_more_words_never_lower_the_grade(text, more):
    assert understand(f"{text}，{more}").grade.rank <= understand(text).grade.rank


def test_raise_grade():
    assert [raise_grade(grade) for grade in (Grade.YELLOW, Grade.ORANGE, Grade.RED)] == [
        Grade.ORANGE,
        Grade.RED,
        Grade.RED,
    ]
