"""The stop-and-evacuate line: fires on real danger, silent on denial, questions, drills and talk of risk."""

from __future__ import annotations

import time

import pytest

from rules.hazard import emergency
from rules.lexicon import lexicon

DANGER = {
    "fire": [
        "着火了",
        "3号罐着火了怎么办",
        "着火了，怎么办？",
        "车间起火了快来人",
        "配电柜冒火",
        "泵房失火",
        "着火了快跑",
        "电机烧起来了",
        "库房冒浓烟",
        "着火了怎么办 快来人",
        "可能着火了，一股烟",
        "罐区着伙了",
        "怎么着火了！",
        " 卸车台着了",
        "3号泵房冒火了赶紧派人",
        "快点快点 配电室着火",
        "罐顶起火",
        "电焊火花把棉纱引燃了烧起来了",
        "着火啦",
        "失火啦！！",
        "着火了没有人管",
        "储罐区发生火灾",
        "二楼着火楼道全是烟",
        "仓库烟很大看不见",
    ],
    "explosion": [
        "爆炸了",
        "刚才3号釜爆炸",
        "锅炉炸了",
        "要爆炸了快跑",
        "听到爆炸声",
        "反应釜爆了",
        "刚才听见砰的一声好像爆炸了",
        "反应釜超压要炸了",
        "泵爆了",
        "气瓶爆炸了",
    ],
    "toxic_leak": [
        "泄漏了快跑",
        "氨气泄漏",
        "液氨漏了",
        "甲醇喷出来了",
        "大量泄漏",
        "硫化氢泄漏，都往外跑",
        "法兰往外喷料",
        "跑氯了",
        "罐区甲醇漏得厉害",
        "漏安了",
        "液氯瓶漏了",
        "甲醇管线断了往外喷",
        "冷库氨泄漏",
    ],
    "electric_shock": [
        "有人触电",
        "老王被电倒了",
        "电工触电了",
        "焊工被电击",
        "有人被电到了快断电",
        "小王触电了 在2号配电箱",
        "他被电打了",
    ],
    "trapped": [
        "手被夹住了",
        "卡人了",
        "有人被卷进去了",
        "基坑塌方了",
        "有人被困在罐里",
        "李师傅的手绞进皮带里了",
        "压住人了",
        "袖子卷进车床了",
        "手卷到皮带里面了",
        "同事被压在钢管下面",
        "有人掉进污水池了",
        "墙塌了压住人",
        "师傅胳膊被绞住了",
        "厂房塌了",
    ],
    "person_down": [
        "有人晕倒",
        "有人晕倒了",
        "罐里有人倒下了",
        "师傅昏迷了",
        "叫不醒了",
        "有人中毒了",
        "喘不过气",
        "老张倒地了人叫不醒",
        "釜里的人没意识了",
        "他晕过去了",
        "老李在罐里头晕倒了没人敢下去",
        "氨味特别大都喘不上气了",
        "井下两个人没动静了",
        "人晕了",
        "工人中暑昏迷",
        "煤气中毒了好几个人",
        "快来人有人倒地了",
        "有人在釜里没出来叫不应",
        "没戴呼吸器下去的人晕倒了",
    ],
    "person_hurt": [
        "有人从架子上摔下来了",
        "砸到人了",
        "叉车撞到人",
        "硫酸溅到眼睛里了",
        "工友受伤流血",
        "有人从平台掉下来了",
        "有个人从脚手架上摔下来了",
        "一个工人被叉车撞了",
        "硫酸喷到脸上了",
        "货架倒了砸到人了",
    ],
    "help": [
        "救命",
        "快来人啊",
        "快跑",
    ],
}
NO_DANGER = [
    "没有着火",
    "着火了怎么办?",
    "消防演练",
    "没着火",
    "如果着火了怎么办",
    "着火点在哪里",
    "火灾报警器坏了",
    "防爆灯不亮",
    "爆炸下限是多少",
    "今天下午消防演练，模拟罐区着火",
    "没人晕倒",
    "没有人触电",
    "有没有人受伤?",
    "容易触电",
    "小心触电",
    "可能会爆炸",
    "防止爆炸",
    "睡着了",
    "监护人睡着了",
    "差点着火",
    "差点砸到人",
    "法兰泄漏",
    "阀门滴漏",
    "泄漏报警器不响",
    "手套破了",
    "被电梯门挡了",
    "轴承冒烟",
    "货架要倒",
    "气瓶倒在地上",
    "人字梯没人扶",
    "动火作业怎么办",
    "发生火灾应该怎么做",
    "触电怎么急救?",
    "氨泄漏怎么处理",
    "应急预案里的泄漏处置",
    "去年着火的那台",
    "误报，没有着火",
    "未发生爆炸",
    "没戴安全帽",
    "地面油污容易滑倒摔伤",
    "没有发现泄漏",
    "怕着火",
    "严禁烟火",
    "不会着火吧",
    "有坠落风险",
    "防坠落器坏了",
    "灭火器过期",
    "洗眼器不出水",
    "安全出口锁着",
    "配电箱没关容易造成触电",
    "万一爆炸就麻烦了",
    "着火了吗",
    "是不是着火了？",
    "脚手架卡住了",
    "脚手架扣件松",
    "手动葫芦卡住",
    "电缆破皮有触电隐患",
    "可燃气体报警器故障",
    "学习了一个爆炸案例",
    "明天灭火演习",
    "人员密集场所",
    "煤气报警器没电",
    "扶手夹缝里有垃圾",
    "没有人受伤",
    "人都没事，没有受伤",
    "请问中毒窒息属于哪类事故",
    "氨机房阀门生锈",
    "怎么预防爆炸",
    "烟感报警器坏了",
    "消防通道堆货着火就跑不出去了",
    "这个要是着火就完了",
    "灭火器没气了着火怎么办",
    "插座容易起火",
    "线皮破了怕触电",
    "安全带没挂掉下来怎么办",
    "吊带割口，可能砸到人",
    "乙炔瓶躺着用有爆炸风险",
    "罐区打电话会引起爆炸",
    "什么情况算火灾事故",
    "触电急救培训什么时候",
    "今天的应急演练几点开始",
    "着火源清理了没",
    "电缆老化,易发生火灾",
    "洞口没盖，有人掉下去就麻烦了",
    "旋转部位没罩，手容易卷进去",
    "没人受伤",
    "昨天那个着火的电机修好了吗",
    "防爆区刷手机",
    "焊渣掉下来引燃杂物的风险",
    "这里曾经爆炸过",
    "爆炸性气体环境",
    "烟头差点引起火灾",
    "平台没栏杆，容易摔下去",
    "皮带轮没罩，小心卷进去",
    "窒息性气体检测仪没电",
    "热晕了怎么预防",
    "受限空间没测氧，人下去会窒息",
    "叉车开太快，早晚撞到人",
    "灭火毯丢了",
    "明火作业没人看",
    "着火应急预案没演练",
    "火灾逃生门打不开",
    "氨机房水管漏了",
    "特别注意防火",
    "手机没电了",
    "火警电话是多少",
    "灯泡不亮",
]


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in DANGER.items() for text in texts])
def test_danger_gets_the_line_of_its_kind(kind, text):
    line = emergency(text)
    assert line is not None
    assert line.kind == kind
    assert line.words


@pytest.mark.parametrize("text", NO_DANGER)
def test_no_danger_gets_no_line(text):
    assert emergency(text) is None


@pytest.mark.parametrize("text", ["", " ", "。。。", "😀", "?"])
def test_nothing_said_is_nothing(text):
    assert emergency(text) is None


def test_enough_sentences_both_ways():
    assert sum(map(len, DANGER.values())) >= 60
    assert len(NO_DANGER) >= 60


def test_a_drill_said_to_be_real_is_real():
    assert emergency("消防演练，模拟着火") is None
    assert emergency("演练现场真的有人晕倒了") is not None


def test_full_width_and_typos_are_the_same():
    assert emergency("３＃罐着伙了！！").kind == "fire"
    assert emergency("暴炸了").kind == "explosion"


def test_lines_are_short_imperative_and_send_nobody_in_blindly():
    lines = {kind.id: kind.line_zh for kind in lexicon().emergencies}
    assert all(len(line) <= 70 for line in lines.values())
    assert "先断电" in lines["electric_shock"]
    assert "不要盲目施救" in lines["toxic_leak"] and "不要盲目施救" in lines["person_down"]
    assert "119" in lines["fire"] and "120" in lines["person_down"]


def test_cheap_enough_for_the_callback():
    text = "今天巡检发现2号甲醇罐区离心泵P-101A出口法兰处有滴漏，地面有一滩液体，请尽快处理"
    emergency(text)
    best = min(_timed(text) for _ in range(30))
    assert best < 0.001


def _timed(text: str) -> float:
    start = time.perf_counter()
    emergency(text)
    return time.perf_counter() - start
