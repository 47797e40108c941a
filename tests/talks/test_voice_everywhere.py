"""Voice wherever a sentence is expected: commands, reports, permits, acceptance; and typed words put right what was misheard."""

from __future__ import annotations

import pytest

from connectors.speech import Heard
from handlers import spoken
from tests.pictures import scene
from tests.talks.test_knowledge import make_veteran


@pytest.fixture
def plant(plant_on_sqlite):
    return plant_on_sqlite


def filed(plant, phone, words="3号泵房法兰漏油"):
    phone.sends_photo(scene(1))
    phone.sends_voice(words)
    return plant.hazard("YH-0001")


def test_a_spoken_word_of_command_works_like_a_typed_one(plant):
    sun = plant.phone("孙丽")
    sun.sends_voice("上报。")
    sun.sees("请拍一张现场照片")
    sun.sends_voice("取消。")
    sun.sees("这条没有上报")
    sun.sends_voice("经验,皮带跑起来啪啪甩,多半是接头裂了,先停机换皮带。")
    sun.sees("这样记,对吗", "接头裂", "停机换皮带")


def test_a_permit_is_asked_for_by_voice(plant):
    sun = plant.phone("孙丽")
    sun.sends_voice("我要在3号泵房 P-102B 焊接法兰,申请动火。")
    sun.sees("动火")
    with plant.work(read_only=True) as work:
        asked = work.permits.of_person(work.people.by_name("孙丽")[0].id)
        assert [permit.work for permit in asked] == ["hot_work"]


def test_typed_words_replace_the_misheard_ones_in_a_report_being_told(plant):
    sun = plant.phone("孙丽")
    sun.sends_voice("3号泵房冻火作业没人间护")
    sun.sees("听到的是", "冻火", "不对请打字")
    sun.says("3号泵房动火作业没人监护")
    sun.sends_photo(scene(1))
    assert plant.hazard("YH-0001").description == "3号泵房动火作业没人监护"


def test_typed_words_put_a_filed_report_right_and_leave_a_trail(plant):
    sun = plant.phone("孙丽")
    filed(plant, sun, "3号泵房法蓝路油")
    sun.sees("YH-0001").says("不对,3号泵房法兰漏油")
    sun.sees("已按您打的字更正 YH-0001")
    hazard = plant.hazard("YH-0001")
    assert hazard.description == "3号泵房法兰漏油"
    with plant.work(read_only=True) as work:
        assert "corrected" in [line.action for line in work.trail.of("hazard", hazard.id)]


def test_another_sentence_or_number_is_another_hazard(plant):
    sun = plant.phone("孙丽")
    filed(plant, sun)
    sun.says("2号泵房法兰漏油")
    sun.does_not_see("更正")
    assert plant.hazard("YH-0001").description == "3号泵房法兰漏油"


def test_danger_typed_after_a_misheard_report_is_never_a_mere_correction(plant):
    sun = plant.phone("孙丽")
    filed(plant, sun, "3号泵房招火了")
    sun.says("3号泵房着火了")
    assert plant.hazard("YH-0002").grade == "red"


class Hears:
    """A recogniser that hears the words it was told, one recording after another."""

    def __init__(self, *words: str) -> None:
        self.words = list(words)

    def transcribe(self, data: bytes, *, format: str) -> Heard:
        return Heard(self.words.pop(0), "test", 1)


def test_rectification_and_sending_back_are_spoken(plant):
    plant.services.speech = Hears("垫片换过了,螺栓对角拧紧。")
    plant.phone("张伟", "wecom").sends_photo(scene(1)).says("3号泵房 P-101A 法兰漏油")
    owner = plant.phone(plant.hazard("YH-0001").owner.name, "wecom")
    owner.taps("开始整改", on="YH-0001")
    owner.sends_photo(scene(2)).sends_voice()
    owner.sees("听到的是", "垫片换过了").sees("已提交")
    assert plant.hazard("YH-0001").state == "to_accept"
    wang = plant.phone("王芳")
    wang.taps("退回", on="YH-0001")
    wang.sends_voice("垫片没对正,还在渗。")
    wang.sees("已退回")
    owner.sees("垫片没对正")
    assert plant.hazard("YH-0001").state == "rectifying"


def test_what_was_misheard_while_telling_an_experience_is_put_right(plant):
    make_veteran(plant, "孙丽")
    sun = plant.phone("孙丽")
    sun.says("经验").sees("哪台设备")
    sun.sends_voice("给水泵呱呱叫,多半是入口绿网赌了")
    sun.sees("先做什么")
    sun.says("给水泵呱呱叫,多半是入口滤网堵了")
    with plant.work(read_only=True) as work:
        card = work.knowledge.by_code("JY-0001")
        assert "滤网堵" in card.cause and not card.first_action and "绿网" not in card.told
    sun.sends_voice("先停泵把滤网拆下来洗")
    sun.sees("这样记,对吗", "滤网堵")


@pytest.mark.parametrize(
    ("typed", "heard", "right"),
    [
        ("动火没人监护", "冻火没人监户", True),
        ("不是周成,是轴承响", "周成响", True),
        ("1号泵漏油", "2号泵漏油", False),
        ("动火没人监护", "动火没人监护", False),
        ("今天食堂吃什么", "冻火没人监户", False),
        ("好的", "好地", False),
    ],
)
def test_what_counts_as_the_same_sentence(typed, heard, right):
    assert spoken.puts_right(spoken._LEAD.sub("", typed), heard) is right
