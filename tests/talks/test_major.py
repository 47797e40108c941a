"""Major hazards: decided by a person, five fixes and evaluation written down, and the signals FC-12, FC-14 that rest on them."""

from __future__ import annotations

import pytest

from tests.pictures import scene
from tests.plant import walked

SAID = "装卸台有人无票动火,旁边没监护"


@pytest.fixture
def plant(plant_on_sqlite):
    return plant_on_sqlite


@walked
def filed(plant):
    """A red hazard that may be major (CM-18); 陈刚 answers for it, 王芳 is the safety officer."""
    plant.phone("张伟").sends_photo(scene(1)).says(SAID)
    hazard = plant.hazard("YH-0001")
    assert (hazard.grade, hazard.major_candidate, hazard.major) == ("red", "CM-18", None)
    return plant.phone("陈刚"), plant.phone("王芳")


def signals(plant):
    return {s["id"] for s in plant.hazard("YH-0001").signals} & {"FC-12", "FC-14"}


def mended(plant, owner):
    owner.taps("开始整改", on="YH-0001")
    plant.forward(minutes=30)
    owner.sends_photo(scene(1, mended=True)).says("已补办作业票并派了监护人")


def actions_of(plant):
    with plant.work(read_only=True) as work:
        return [(t.action, t.why) for t in work.trail.of("hazard", 1)]


def test_a_major_hazard_is_decided_treated_evaluated_and_closed(plant):
    owner, officer = filed(plant)
    officer.sees("疑似重大隐患(CM-18)", "核定重大")
    officer.says("YH-0001 核定重大 对照第18条,没有作业票").sees("已核定为重大隐患", "措施:还没写")
    owner.sees("核定为重大隐患", "五落实还缺措施、资金、预案")
    owner.sees("YH-0001 一级", "五落实还缺措施、资金、预案", "五落实 YH-0001")

    owner.says("五落实 YH-0001").sees("措施", "用什么办法治理")
    owner.says("停工补票,派专人监护").sees("已记下措施", "资金", "从哪里出")
    plant.phone("陈刚", "dingtalk").sends_voice("资金是安全经费两千元。预案是备两具灭火器和泡沫。").sees(
        "已记下资金、预案", "五落实已齐"
    )
    mended(plant, owner)
    assert signals(plant) == {"FC-12"}
    officer.sees("重大隐患销号前需要评估记录", "发“评估 YH-0001")
    owner.says("评估 YH-0001 我看过了没问题").sees("整改人不能评估自己的整改")
    officer.says("评估 YH-0001 王芳到场核对票证和监护,重大隐患已消除").sees("治理评估已记下")
    assert signals(plant) == set()
    officer.taps("验收通过", on="YH-0001")
    assert plant.hazard("YH-0001").state == "closed"
    assert signals(plant) == set()
    trail = actions_of(plant)
    assert ("major_decided", "重大隐患:对照第18条,没有作业票") in trail
    assert ("treatment_written", "资金:安全经费两千元;预案:备两具灭火器和泡沫") in trail
    assert ("evaluated", "王芳到场核对票证和监护,重大隐患已消除") in trail
    assert plant.problems() == []


def test_closed_without_treatment_is_noticed(plant):
    owner, officer = filed(plant)
    officer.says("YH-0001 核定重大 没有作业票")
    mended(plant, owner)
    officer.taps("验收通过", on="YH-0001")
    assert signals(plant) == {"FC-12", "FC-14"}


def test_a_general_hazard_needs_neither(plant):
    owner, officer = filed(plant)
    mended(plant, owner)
    assert signals(plant) == {"FC-12", "FC-14"}  # nobody has decided: a candidate gets no pass
    officer.says("YH-0001 核定为一般,票在车间,已补挂").sees("已核定为一般隐患", "等级不变")
    assert signals(plant) == set()
    assert plant.hazard("YH-0001").grade == "red"
    owner.says("五落实 YH-0001 措施:补挂").sees("是一般隐患,不用写五落实")


def test_an_evaluation_is_of_one_round_of_work(plant):
    owner, officer = filed(plant)
    officer.says("YH-0001 核定重大 没有作业票")
    owner.says("五落实 YH-0001 措施:停工补票,资金:安全经费,预案:备灭火器").sees("五落实已齐")
    mended(plant, owner)
    officer.says("评估 YH-0001 到场看过,已消除")
    officer.taps("退回", on="YH-0001").says("监护人又走了")
    owner.taps("提交整改", on="YH-0001")
    owner.sends_photo(scene(3, mended=True)).says("换了专职监护人并签到").sees("已提交")
    assert signals(plant) == {"FC-12"}


def test_what_is_decided_by_others_or_said_badly_is_refused_in_words(plant):
    owner, officer = filed(plant)
    zhang = plant.phone("张伟")
    zhang.says("YH-0001 核定重大 看着就严重").sees("核定重大隐患只能由安全员、分管领导操作")
    officer.says("YH-0001 核定重大").sees("核定要写明依据")
    officer.says("YH-0001 改为橙 已补票")
    officer.says("YH-0001 核定重大 没有作业票")
    assert plant.hazard("YH-0001").grade == "red"
    officer.says("YH-0001 核定重大 没有作业票").sees("已经核定为重大隐患")
    officer.says("YH-0001 改为橙 已补票").sees("判定为重大隐患的必须是一级")
    zhang.says("五落实 YH-0001 资金:两千元").sees("写五落实只能由")
    zhang.says("五落实 YH-0001").sees("YH-0001 五落实:", "资金:还没写")
    owner.says("五落实 YH-0001 尽快弄好").sees("请写明是哪一项")
    owner.says("五落实 YH-0001 资金:¥").sees("资金没看懂")
    owner.says("五落实 YH-0001 责任:").sees("请写明是哪一项")
    owner.says("五落实 YH-0009").sees("没有找到这个编号")
    owner.says("五落实").sees("请带上编号")
    officer.says("评估 YH-0001 已看").sees("还不能或不必写治理评估")
    assert not [a for a, _ in actions_of(plant) if a in ("treatment_written", "evaluated")]


def test_an_open_report_is_not_lost_by_writing_of_another_case(plant):
    owner, officer = filed(plant)
    officer.says("YH-0001 核定重大 没有作业票")
    owner.sends_photo(scene(5))
    owner.says("五落实 YH-0001 措施:停工补票").sees("已记下措施", "还缺资金、预案")
    owner.says("装卸台护栏缺损")
    assert plant.hazard("YH-0002").description == "装卸台护栏缺损"
