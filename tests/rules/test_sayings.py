"""Sentences nobody wrote into the lexicon: understood all the same, and what is in order is not taken for a hazard."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from rules.hazard import understand
from rules.lexicon import lexicon
from rules.terms import Grade

_PHRASES = lexicon().phrases


def _sayings() -> dict[str, list[str]]:
    found = defaultdict(list)
    for line in (Path(__file__).parent / "sayings.tsv").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            id_, sentence = line.split("\t")
            found[id_].append(sentence)
    return found


SAYINGS = _sayings()


def test_every_phrase_has_sayings():
    assert SAYINGS.keys() == _PHRASES.keys()


@pytest.mark.parametrize("id_", sorted(SAYINGS))
def test_a_saying_is_recognised_and_never_graded_lower(id_):
    phrase = _PHRASES[id_]
    for sentence in SAYINGS[id_]:
        found = understand(sentence)
        assert id_ in found.phrase_ids, sentence
        assert found.grade.rank <= phrase.grade.rank, sentence
        assert found.major_candidate or not phrase.major_candidate, sentence


IN_ORDER = [
    "师傅，今天巡检全部正常",
    "3号泵运行正常，没有泄漏",
    "安全带佩戴规范",
    "现场监护人在岗",
    "护栏已经修好了",
    "这个灭火器在有效期内",
    "设备没有异响",
    "阀门开关状态正确",
    "栏杆没有松动",
    "电缆完好无破损",
    "法兰没有渗漏",
    "消火栓有水压力正常",
    "作业票在有效期内",
    "请问哪里可以领劳保手套",
    "压力表需要检定吗",
    "叉车证怎么考",
    "什么时候搞应急演练",
    "我今天请假",
    "下班了",
    "吃饭了吗",
    "天气真好",
    "手机落在宿舍了",
    "快递到了",
    "车间主任电话多少",
    "下周培训在哪里",
    "工资条发了没有",
    "护栏都很牢固，没有问题",
    "安全帽戴得很好",
    "今天巡检一切正常",
    "灭火器压力正常",
    "安全带都系好了",
    "没有发现泄漏",
    "没发现隐患",
    "报警器工作正常",
    "消防通道畅通",
    "要不要戴安全帽？",
    "安全带怎么系才对",
    "动火票在哪里办？",
    "应急预案在哪看",
    "今天几点开会",
    "谢谢师傅",
    "好的收到",
    "明天我休息",
    "帮我查一下库存",
    "这个月工资什么时候发",
    "防护罩已经装好",
    "阀门没有漏",
    "配电箱锁好了",
    "我的手套破了找谁领",
    "晚上聚餐吗",
    "李强在哪",
    "乙炔瓶已绑好",
    "大家注意戴好安全帽",
    "请各位按规程操作",
    "领导什么时候来",
    "监护人到位",
    "动火票已办好",
    "气体检测合格",
    "盖板都盖好了",
    "电缆没有破损",
    "接地线没断",
    "没有人抽烟",
    "厂区禁止吸烟",
    "灯都亮着",
    "泵运行平稳没有异响",
    "轴承温度正常",
    "叉车刹车很好",
    "通风良好",
    "票都齐全",
    "培训都做了",
    "没有异味",
]


@pytest.mark.parametrize("text", IN_ORDER)
def test_what_is_in_order_asked_or_forbidden_is_no_hazard(text):
    assert understand(text).phrase_ids == ()


GRADES = {
    "压力表坏了": "yellow",
    "护栏松动": "orange",
    "没戴安全帽": "yellow",
    "灭火器过期": "orange",
    "应急灯不亮": "yellow",
    "地面有油": "yellow",
    "过道堆物": "yellow",
    "叉车没喇叭": "yellow",
    "配电箱门没关": "yellow",
    "梯子没人扶": "yellow",
    "管道没有色标": "yellow",
    "风机异响": "orange",
    "地脚螺栓松动": "orange",
    "盖板缺失": "orange",
    "告知牌掉了": "yellow",
    "班前会没开": "yellow",
    "皮带打滑": "yellow",
    "手套没发": "yellow",
    "轴承温度高": "orange",
    "阀门没有标识牌": "yellow",
    "洗眼器没水": "orange",
    "灭火器被挡": "yellow",
    "照明灯坏了": "yellow",
    "噪音太大": "yellow",
    "路面坑洼积水": "yellow",
    "防护罩缺失": "orange",
    "没穿防静电服进罐区": "orange",
    "氧气瓶没瓶帽": "yellow",
    "装卸台照明不足,灯坏一片": "yellow",
    "1号甲醇储罐V-201旁边地沟盖板没了,踩空危险": "orange",
    "围堰有裂缝": "orange",
    "水管漏水": "orange",
    "3号泵房 P-101A 泵密封渗油,地上有油": "orange",
    "装卸台 护栏缺损 栏杆断了": "orange",
    "穿拖鞋上班": "yellow",
    "限速牌掉了": "yellow",
    "安全出口标志灯不亮": "yellow",
    "疏散指示灯不亮": "yellow",
    "培训没有记录": "yellow",
    "罐区有杂草": "yellow",
    "桶上没标签": "orange",
    "气瓶没固定": "orange",
    "管道振动大": "orange",
    "液位计看不清": "orange",
    "消防栓没水": "orange",
    "楼梯栏杆断了": "orange",
    "瓶子没绑": "orange",
    "温度高": "orange",
    "照明灯坏了几盏看不清": "yellow",
}


@pytest.mark.parametrize(("text", "grade"), GRADES.items())
def test_everyday_hazards_keep_the_grade_of_the_lexicon(text, grade):
    assert understand(text).grade is Grade(grade)
