"""Greetings, help, and a helpful answer to what was not understood."""

from __future__ import annotations

import re
from datetime import timedelta

from bot.flow import Flow, like, on, said
from bot.message import Kind
from bot.turn import Turn
from cards.card import Button, Card
from handlers import people
from handlers.hazard import filing, place, report, taking
from rules import text as words
from rules.permit.work_words import works_in

HELP = (
    "我是安哨。\n"
    "· 报隐患:拍照发来,再说一句问题、发个位置(顺序不限);说“匿名”可不留名\n"
    "· 查进度:发编号(如 YH-0012),或“我的隐患”“待办”“本周”\n"
    "· 办理:点卡片按钮;提交整改要发整改后的照片\n"
    "· 办作业票:说“动火”“受限空间”等,照着问的答;“作业票”看我的,“今天的动火”看全厂\n"
    "· 听毛病:直接说(如“皮带吱吱叫”)或“老师傅 …”,语音也行;说“经验”把您的经验留下来\n"
    "· 问情况:“3号泵房的隐患”“GT-301多少”“谁值班”“谁能监护”“今天风大能登高吗”\n"
    "· 险情:直接说(如“3号泵房着火了”),我会马上提醒撤离并通知领导"
)
NOT_SEEN = {
    Kind.VIDEO: "暂时看不了视频,请改发照片,再说一句问题。",
    Kind.FILE: "暂时收不了文件。报隐患请直接发照片。",
    Kind.LINK: "链接我打不开,请用一句话说说是什么问题,或发照片。",
    Kind.QUOTA: "这条消息没有显示内容(平台本月消息额度用完),请打电话给安全员,或在手机上打开“我的待办”页面。",
}
WAYS = "问规定带上作业名,如“动火分析多久有效”;问设备毛病说“老师傅”加情况;找人说“找安全员”。"
_ASKING = re.compile(r"什么|怎么|哪|谁|几点|多少|多久|吗$")
GREET_AFTER = timedelta(hours=12)


def help_text(turn: Turn) -> None:
    turn.say(HELP)


def not_understood(turn: Turn) -> None:
    """The last resort: never silent, never an error."""
    kind = turn.message.kind
    if kind in (Kind.LEFT, Kind.ORG_CHANGED, Kind.PHOTOS_COMING) or _silent_position(turn):
        return
    if kind in NOT_SEEN:
        turn.say(NOT_SEEN[kind])
    elif kind is Kind.UNKNOWN:
        _offer_place_page(turn)
    elif kind is Kind.VOICE:
        turn.say("语音收到了,但没听清文字,请打字再说一遍;录音已保存。")
    elif kind is Kind.PRESS:
        turn.say("这个按钮已经失效,发“待办”看看现在要办的。")
    elif turn.text and words.content_problem(turn.text) is None and not turn.in_group:
        _offer_report(turn)
    else:
        turn.say("没太明白。\n" + HELP)


def _silent_position(turn: Turn) -> bool:
    """The client tells its position on opening the chat: noted with the account, nothing to answer."""
    position = turn.message.position
    return turn.message.kind is Kind.PLACE and (position is None or position.by_event)


def _offer_report(turn: Turn) -> None:
    turn.stay(
        flow="help", state="offered", facts={"text": turn.text[: taking.MAX_WORDS]}, expires_after=report.TOGETHER
    )
    buttons = [Button("是,上报", "hazard.this", "primary"), Button("不是", "help.no")]
    if works_in(turn.text):
        buttons.insert(1, Button("办作业票", "permit.this"))
    asks = words.is_question(turn.text) or _ASKING.search(turn.text) is not None
    turn.show(
        Card(
            title="没太明白。这是要报隐患吗?" if asks else "这是要报隐患吗?",
            colour="blue",
            subtitle=f"“{turn.text[:40]}”",
            note=WAYS if asks else "也可以直接拍照发来;发“帮助”看我会做什么。",
            buttons=tuple(buttons),
            state="ask",
        ),
        key=f"ask:{turn.inbox_id}",
    )


def _offer_place_page(turn: Turn) -> None:
    """DingTalk tells a location message only as «unknown»: while a report lacks its place, the page asks the phone."""
    draft = turn.work.hazards.draft_of(turn.person.id, since=turn.at - report.TOGETHER)
    if draft is None or draft.area is not None:
        turn.say("这种消息我收不到内容。报隐患请发照片,再说一句问题。")
        return
    areas = place.choices(turn.work, draft)[:6]
    turn.ask(
        "这种消息我收不到内容。如果发的是位置,请点“打开”定位,或点区域。",
        flow=report.FLOW,
        state=report.TELLING,
        facts={**turn.facts, "draft": draft.id, "asked": "place"},
        choices=[(area.name, f"hazard.area:{draft.id}.{area.id}") for area in areas],
        page=f"/h5/place/{draft.id}",
    )


def report_this(turn: Turn, _rest: str) -> None:
    """«是,上报»: the words said before become the report's sentence."""
    said_words = str(turn.facts.get("text", ""))
    if not said_words:
        report.begin(turn)
        return
    hazard = report.current_draft(turn) or filing.open_draft(turn.work, by=turn.person, at=turn.at)
    hazard.description = f"{hazard.description}\n{said_words}".strip()
    turn.done()
    turn.conversation = None
    report.told_by_button(turn, hazard)


def nothing_open(turn: Turn) -> None:
    """«取消» where there is nothing to call off."""
    turn.say("现在没有在填的内容,不用取消。已交的申请、隐患发“作业票”或“我的隐患”看。")


def no_report(turn: Turn, _rest: str) -> None:
    turn.done()
    turn.say("好的。" + HELP)


def entered(turn: Turn) -> None:
    """Opening the chat: a greeting now and then, not every time."""


def joined(turn: Turn) -> None:
    turn.say(f"{turn.person.name},您好!\n{HELP}")


flow = Flow(
    name="help",
    first=[said(("帮助", "help", "Help", "菜单", "怎么用", "使用说明", "你会什么", "你能做什么"), help_text)],
    starts=[
        said(("帮助", "help", "Help", "?", "?", "菜单", "你好", "您好", "在吗"), help_text),
        said(("取消", "算了", "退出", "返回", "不用了", "不办了", "不报了"), nothing_open),
        like("^绑定", people.bind_group),
        said(("解绑", "解除绑定"), people.unbind_group),
        on(Kind.ENTERED, entered),
        on(Kind.JOINED, joined),
    ],
    buttons={"hazard.this": report_this, "help.no": no_report},
    menus={"help": help_text},
)
