"""What people say around the work, and questions about the plant: answered, never taken for a hazard."""

from __future__ import annotations

import re

import pytest

from handlers import meters, query, query_plant, roster, small_talk
from handlers.permit import looking
from tests import permits as p
from tests.pictures import scene

pytestmark = pytest.mark.sqlite_suffices


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        ("谢谢", "不客气"),
        ("好的,谢谢!", "不客气"),
        ("收到", "好的。"),
        ("嗯嗯", "好的。"),
        ("你是谁?", "我是安哨"),
        ("在不在", "我是安哨"),
        ("转人工", "安全员 王芳"),
        ("安全员电话多少", "安全员 周敏"),
        ("我换手机号了", "这件事请找"),
        ("密码忘了", "这件事请找"),
        ("看板在哪", "作业公示牌"),
        ("照片发错了", "您还没有报过隐患"),
        ("我要撤回", "点那条“已上报”卡片上的按钮"),
        ("已经处理完了", "没有待办"),
        ("我下班了", "辛苦了"),
        ("隐患怎么分级?", "二级(橙)"),
        ("什么是重大隐患", "由安全员核定"),
        ("新增经验", "取消"),
    ],
)
def test_what_is_said_around_the_work_is_answered(plant, said, seen):
    phone = plant.phone("林雪").says(said).sees(seen)
    phone.does_not_see("这是要报隐患吗")


@pytest.mark.parametrize(
    "said",
    [
        "好的阀门漏了",
        "收到但是泵漏油",
        "人走了没关电",
        "谢谢你帮忙但护栏坏了",
        "整改完了护栏还是松的",
        "今天下班前没关阀门",
        "请假的人没锁柜子",
    ],
)
def test_news_behind_polite_words_is_no_small_talk(said):
    own = [text for name, text in vars(small_talk).items() if name[0] != "_" and name.isupper() and type(text) is str]
    patterns = [*own, query_plant.OPEN_ONES, query_plant.REPORTED]
    assert len(own) > 6
    assert not any(re.search(pattern, said) for pattern in patterns)
    assert roster.DAYS.match(said) is None and roster.ONE_DAY.match(said) is None


@pytest.mark.parametrize(
    "again", ["没有结果", "处理得", "怎么样", "超标了吗", "是多少", "嗯哦", "要想得", "有多少没整改"]
)
def test_no_words_however_often_said_keep_a_pattern_busy(again):
    """One such message kept a worker busy for ever: parts of a pattern that were made of its other parts."""
    of = (small_talk, query, query_plant, meters, roster, looking)
    texts = [text for module in of for name, text in vars(module).items() if name[0] != "_" and name.isupper()]
    patterns = [text for text in texts if type(text) is str and any(sign in text for sign in "^\\")]
    assert query.MINE_ASKED in patterns and len(patterns) > 15
    for pattern in patterns:
        for before in ("", "我报的隐患", "GT-301", "3号泵房"):
            assert re.search(pattern, before + again * 60 + "x") is None


def test_polite_words_in_a_dialogue_are_answers_there(plant):
    plant.phone("张伟").sends_photo(scene(1)).says("好的").sees("在哪个区域")
    plant.phone("张伟").does_not_see("好的。")


def test_a_question_is_shown_the_ways_to_an_answer(plant):
    plant.phone("林雪").says("食堂几点开门?").sees("没太明白", buttons=["是,上报", "不是"]).sees("找安全员")


def test_whoever_guards_is_told_to_hand_over_before_leaving(plant):
    p.at_work(plant).says("我下班了").sees("还在监护1项作业", "监护交接")


# -- the plant's hazards


def test_open_hazards_of_an_area_and_those_past_their_time(plant):
    for n, (who, words) in enumerate((("张伟", "V-201 旁边地沟盖板缺失,踩空危险"), ("刘洋", "P-101B 护罩缺失"))):
        plant.phone(who).sends_photo(scene(n)).says(words)
    asker = plant.phone("林雪")
    asker.says("全厂有多少隐患没整改?").sees("全厂没闭环的隐患(2)", "YH-0001", "YH-0002")
    asker.says("装卸台还有哪些隐患").sees("装卸台没闭环的隐患:没有。")
    asker.says("甲醇罐区的隐患").sees("甲醇罐区没闭环的隐患(1)", "YH-0001", "发编号看详情")
    asker.says("超期的隐患").sees("全厂超期没闭环的隐患:没有。")
    plant.forward(days=4)
    asker.says("哪些隐患超期了").sees("全厂超期没闭环的隐患(2)")


def test_open_hazards_of_a_machine(plant):
    plant.phone("刘洋").sends_photo(scene(2)).says("P-101B 护罩缺失")
    plant.phone("林雪").says("P-101B有什么隐患?").sees("P-101B没闭环的隐患(1)", "YH-0001")
    plant.phone("林雪").says("P-102B的隐患").sees("P-102B没闭环的隐患:没有。")


def test_what_was_told_wrong_is_put_before_me_with_its_buttons(plant):
    plant.phone("张伟").sends_photo(scene(1)).says("V-201 旁边地沟盖板缺失,踩空危险")
    plant.phone("林雪").says("谢谢")
    plant.phone("张伟").says("描述写错了").sees("要改的是这条就点卡片上的按钮").taps("撤回", on="YH-0001")


def test_the_only_one_that_is_mine_to_mend_is_put_before_me(plant):
    plant.phone("张伟").sends_photo(scene(1)).says("P-101B 护罩缺失")
    with plant.work(read_only=True) as work:
        owner = work.hazards.by_number("YH-0001").owner.name
    plant.phone(owner).says("已经处理完了").sees("YH-0001", "现在是")


def test_how_many_were_reported_in_a_span(plant):
    plant.phone("张伟").sends_photo(scene(1)).says("V-201 旁边地沟盖板缺失,踩空危险")
    asker = plant.phone("林雪")
    asker.says("这个月报了多少隐患").sees("这个月报了1条隐患", "处理中1")
    asker.says("今天报了几条隐患").sees("今天报了1条隐患")
    asker.says("上个月隐患统计").sees("上个月报了0条隐患")
    asker.says("昨天的隐患").sees("昨天报了0条隐患")


# -- leave


@pytest.mark.parametrize(
    ("said", "until"),
    [
        ("请假三天", "11-27 09:00"),
        ("我要请两天假", "11-26 09:00"),
        ("明天请假一天", "11-26 00:00"),
        ("我后天要请假", "11-27 00:00"),
        ("从明天开始请假5天", "11-30 00:00"),
        ("我想请假2天让李强代班", "11-26 09:00"),
    ],
)
def test_leave_is_asked_for_in_many_words(plant, said, until):
    phone = plant.phone("陈刚", "dingtalk").says(said).sees("已登记", f"到{until}")
    phone.sees("由李强代班" if "李强" in said else "没有代班人")


def test_leave_without_days_is_asked_for_them(plant):
    plant.phone("陈刚", "dingtalk").says("我要请假").sees("请这样说")
