"""Said while a report is open: a command, a number, a question of another kind is answered and is none of its description."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.pictures import scene

OPEN = "隐患还没报完"

# what is said, what the answer holds
COMMANDS = [
    ("帮助", "办作业票:说“动火”"),
    ("菜单", "我是安哨"),
    ("你好", "我是安哨"),
    ("待办", "没有待办"),
    ("我的待办", "没有待办"),
    ("我的隐患", "我的隐患:\nYH-0001"),
    ("本周", "共报1条"),
    ("YH-0001", "YH-0001 三级(黄)"),
    ("YH0001", "YH-0001 三级(黄)"),
    ("查一下YH-0001", "YH-0001 三级(黄)"),
    ("YH-0001好了吗", "YH-0001 三级(黄)"),
    ("YH-0777", "没有找到"),
    ("ZY-0777", "没有找到"),
    ("YH-0001 改为黄 看错了", "已经是三级"),
    ("五落实 YH-0001", "是一般隐患"),
    ("今天的作业票", "今天的作业票:没有"),
    ("谁值班", "值班"),
    ("代班表", "代班"),
    ("风险清单", "风险"),
    ("点名情况", "点名"),
    ("额度", "额度"),
    ("策略", "策略"),
    ("我的经验", "经验"),
    ("K01", "经验卡"),
    ("老师傅 泵里噼里啪啦响", "汽蚀"),
    ("泵里噼里啪啦响是怎么回事", "汽蚀"),
    ("动火作业票有效期多久?", "5."),
    ("特级动火作业票有效期几小时", "8"),
]  # fmt: skip
QUESTIONS = {"泵里噼里啪啦响是怎么回事", "动火作业票有效期多久?", "特级动火作业票有效期几小时"}


@pytest.fixture
def plant(plant_on_sqlite):
    return plant_on_sqlite


def answers(phone):
    return [item["id"] for item in phone.screen() if item["from"] != "me"]


def new_words(plant, phone, before):
    from tests.plant import _words

    return "\n".join(_words(item) for item in phone.screen() if item["from"] != "me" and item["id"] not in before)


@pytest.mark.parametrize("name", ["张伟", "孙丽"], ids=["wecom", "dingtalk"])
def test_what_is_no_part_of_the_report_is_answered_and_the_report_stays(plant, name):
    """Typed on both platforms and spoken (DingTalk tells the words, with a full stop), one after the other in one draft."""
    phone = plant.phone(name)
    phone.sends_photo(scene(1)).says("装卸台照明不足,灯坏一片").sees("YH-0001")
    plant.forward(minutes=1)
    phone.sends_photo(scene(5))
    for words, wanted in COMMANDS:
        for sign in ("", "。") if words not in QUESTIONS else ("",):
            ways = [lambda said: phone.says(said)]
            if phone.platform == "dingtalk":
                ways.append(lambda said: phone.sends_voice(said.rstrip("。?") + "。"))
            for way in ways:
                plant.now += timedelta(seconds=3)  # nobody sends faster than WeCom lets answers through
                before = answers(phone)
                way(words + sign)
                told = new_words(plant, phone, before)
                assert wanted in told, (words + sign, told)
                assert (OPEN in told) == (words in QUESTIONS), (words, told)
                with plant.work(read_only=True) as work:
                    draft = work.hazards.draft_of(work.people.by_name(name)[0].id, since=plant.now.replace(hour=0))
                    assert draft is not None and draft.description == "", (words, draft and draft.description)
    phone.says("合成车间护栏缺损一截").sees("YH-0002")
    assert plant.hazard("YH-0002").description == "合成车间护栏缺损一截"
    assert plant.problems() == []


@pytest.mark.parametrize(
    "words",
    [
        "装卸台护栏断了怎么办",
        "装卸台值班室门口堆满杂物",
        "装卸台没办动火票就在焊",
        "开动火票的没到装卸台现场",
        "装卸台帮助箱丢了一个",
        "装卸台的泵里噼里啪啦响",
        "装卸台待办牌掉了,边角露铁",
    ],
)
def test_a_description_is_no_command(plant, words):
    plant.phone("张伟").sends_photo(scene(1)).says(words).sees("YH-0001")
    assert plant.hazard("YH-0001").description == words


def test_another_dialogue_may_be_begun_and_the_draft_stays(plant):
    zhang = plant.phone("张伟")
    zhang.sends_photo(scene(1)).says("异响").sees("什么声音")
    zhang.says("取消").says("装卸台照明不足,灯坏一片").sees("YH-0001")
    assert len(plant.hazard("YH-0001").photos) == 1


@pytest.mark.parametrize("said", ["我要办动火作业票", "申请一张受限空间作业票。", "开动火票"])
def test_a_request_for_a_permit_begins_it_and_the_draft_waits(plant, said):
    zhang = plant.phone("张伟")
    zhang.sends_photo(scene(1)).says(said)
    with plant.work(read_only=True) as work:
        assert work.permits.get(1).applicant_id == work.people.by_name("张伟")[0].id
        assert work.hazards.get(1).description == ""
    zhang.says("取消").says("装卸台照明不足,灯坏一片").sees("YH-0001")


def test_commands_are_no_words_of_a_proof(plant):
    plant.phone("张伟").sends_photo(scene(1)).says("装卸台照明不足,灯坏一片")
    li = plant.phone("李强").taps("开始整改", on="YH-0001")
    li.says("谁值班。").says("K01").says("待办!").says("帮助。")
    plant.forward(minutes=10)
    li.sends_photo(scene(1, mended=True)).says("更换了三只灯管,试亮正常")
    assert plant.hazard("YH-0001").rectification == "更换了三只灯管,试亮正常"


def test_a_report_is_given_up_with_a_sign_behind_the_word(plant):
    zhang = plant.phone("张伟")
    zhang.sends_photo(scene(1)).says("取消。").sees("这条没有上报")
