"""The permit's dialogues as one table: words that start one, what each state expects, every button."""

from __future__ import annotations

from bot.flow import Expect, Flow, Step, like, on, said
from bot.message import Kind
from bot.turn import Turn
from cards import permit as cards
from cards.card import Button, Card
from handlers.permit import (
    answers,
    apply,
    aside,
    briefing,
    by_word,
    cast,
    fixing,
    gas_talk,
    handover_talk,
    looking,
    measure_talk,
    mine,
    request_words,
    sign_talk,
    told,
    watch_talk,
    work_talk,
)
from handlers.permit.talk import (
    ANSWER,
    FINISH_LIST,
    FINISH_PHOTO,
    FLOW,
    GAS,
    GROUP,
    HANDOVER,
    HANDOVER_ITEM,
    MEASURE,
    METER,
    POINT,
    REASON,
    SITE,
    START_PHOTO,
    TELLING,
    UNIT,
    WATCH_PHOTO,
    pick,
    press,
)
from rules.permit import Work

NUMBER = r"^\s*[Zz][Yy][-–— ]?(\d{1,7})\s*$"
MINE = (
    *(
        "作业票",
        "办作业票",
        "我的作业票",
        "我的票",
        "作业票进度",
        "待审批",
        "待审批的作业票",
        "等我签的票",
        "待我签的票",
    ),
    *("有哪些票等我签", "催审批", "催一下审批"),
)
HOW_MINE = (
    r"^(?:怎么|如何|咋)(?:办|开|申请|弄).{0,5}票[??]?$|^.{0,5}票(?:怎么|如何|咋)(?:办|开|申请|弄)[??]?$"
    r"|^我的?.{0,8}(?:票|动火|申请|作业)(?:批了|审批了|批下来|到哪|怎么样|过了|签了).{0,3}[??]?$"
)
CANCEL = ("取消", "不办了", "算了")
FIRST = (Work.HOT_WORK, Work.CONFINED_SPACE, Work.WORK_AT_HEIGHT, Work.LIFTING, Work.TEMP_POWER)
REST = (Work.BLIND_PLATE, Work.DIGGING, Work.ROAD_CLOSING)


def overview(turn: Turn) -> None:
    """«作业票»: mine, what waits for me, and the buttons to ask for a new one."""
    own = list(turn.work.permits.of_person(turn.person.id, limit=10))
    asked = turn.work.permits.waiting_for_approval(limit=mine.MOST) if turn.person.roles else []
    waiting = [permit for permit in asked if mine.to_sign(turn.work, permit, turn.person)]
    lines = []
    if waiting:
        lines += ["等您签:", *(cards.line(permit) for permit in waiting[:8])]
    if own:
        lines += ["我的作业票:", *(cards.line(permit) for permit in own)]
    if lines:
        turn.say("\n".join([*lines, "发编号可以办理。"]))
    aside.offer(turn, own)
    _offer(turn, FIRST, more=True)


def more_kinds(turn: Turn, _rest: str) -> None:
    _offer(turn, REST, more=False)


def _offer(turn: Turn, kinds: tuple[Work, ...], *, more: bool) -> None:
    buttons = [Button(kind.zh, f"permit.new:{kind.value}") for kind in kinds]
    buttons += [Button("其他", "permit.more")] if more else []
    card = Card(title="办哪种作业票?", colour="blue", buttons=tuple(buttons), state="ask")
    turn.show(card, key=f"ask:{turn.inbox_id}")


def new_kind(turn: Turn, kind: str) -> None:
    if kind in Work.__members__.values():
        apply.begin(turn, kind)


def one(turn: Turn) -> None:
    """«ZY-0001»: the live card again for those on it, a few lines for anybody else."""
    digits = "".join(c for c in turn.text if c.isdigit())
    permit = turn.work.permits.by_number(f"ZY-{int(digits):04d}") if digits else None
    if permit is None:
        turn.say(f"没有找到 {turn.text[:20]},请核对编号;发“作业票”可以看自己的。")
        return
    if turn.in_group:
        turn.say(cards.line(permit), case=cast.case_of(permit))
        return
    cast.post_here(turn.work, permit, turn.where, batch=f"asked:{turn.inbox_id}")


def _spoken(step: Step) -> list[Expect]:
    return [on(Kind.TEXT, step), on(Kind.VOICE, step)]


def _shown(step: Step) -> list[Expect]:
    return [on(Kind.IMAGE, step), *_spoken(step)]


_ANYTHING = [
    on(kind, told.told, fits=told.is_told)
    for kind in (Kind.TEXT, Kind.VOICE, Kind.PLACE, Kind.SCAN, Kind.IMAGE, Kind.UNKNOWN)
]

flow = Flow(
    name=FLOW,
    starts=[
        *(said(words, apply.begin_by_word(kind)) for kind, words in apply.START_WORDS.items()),
        *(said(word, apply.begin_by_word(kind)) for word, kind in apply.ALSO.items()),
        said(MINE, overview),
        like(HOW_MINE, overview),
        *looking.STARTS,
        *by_word.STARTS,
        *briefing.STARTS,
        like(NUMBER, one),
        *request_words.STARTS,
    ],
    states={
        TELLING: [*aside.words(), *_ANYTHING],
        GAS: [*aside.words(), *_shown(gas_talk.told)],
        UNIT: _spoken(gas_talk.unit_said),
        POINT: _spoken(gas_talk.point_said),
        METER: _spoken(gas_talk.meter_said),
        GROUP: [*aside.words(), *_spoken(answers.group_said)],
        ANSWER: _spoken(answers.answer_said),
        SITE: [on(kind, sign_talk.position_sent) for kind in (Kind.PLACE, Kind.TEXT, Kind.UNKNOWN)],
        REASON: _spoken(work_talk.reason_said),
        MEASURE: [*_shown(measure_talk.measure_sent), on(Kind.VIDEO, measure_talk.measure_sent)],
        START_PHOTO: _shown(work_talk.start_photo),
        FINISH_LIST: _shown(work_talk.finish_list),
        FINISH_PHOTO: _shown(work_talk.finish_photo),
        WATCH_PHOTO: _shown(watch_talk.photo_sent),
        HANDOVER: _spoken(work_talk.handover_said),
        HANDOVER_ITEM: _spoken(handover_talk.know_said),
    },
    first=by_word.FIRST,  # whoever sees something wrong, in the middle of whatever
    gives_way=frozenset({TELLING, GAS, UNIT, POINT, METER, GROUP, ANSWER}),
    anywhere=[
        said(CANCEL, apply.cancelled),
        said(MINE, overview),
        like(HOW_MINE, overview),
        like(NUMBER, one),
        *looking.STARTS,
    ],
    buttons={
        "permit.new": new_kind,
        "permit.this": request_words.begin_with_words,
        "permit.more": more_kinds,
        "permit.carry": press(aside.carry_on),
        "permit.aside": pick(aside.put_aside),
        "permit.area": pick(apply.tapped_area),
        "permit.when": pick(apply.tapped_when),
        "permit.height": pick(apply.tapped_height),
        "permit.guardian": pick(apply.tapped_guardian),
        "permit.worker": pick(apply.tapped_worker),
        "permit.nogas": pick(gas_talk.not_yet),
        "permit.unit": pick(gas_talk.unit_picked),
        "permit.point": pick(gas_talk.point_picked),
        "permit.meter": pick(gas_talk.meter_picked),
        "permit.gas": press(gas_talk.pressed),
        "permit.allright": press(answers.all_right),
        "permit.notall": press(answers.not_all),
        "permit.wrong": pick(answers.wrong_one),
        "permit.answer": pick(answers.answered),
        "permit.judge": press(apply.judge_again),
        "permit.fix": press(fixing.apply_fix),
        "permit.edit": press(apply.edit),
        "permit.change": pick(apply.change),
        "permit.submit": press(apply.submit),
        "permit.drop": press(apply.drop),
        "permit.approve": press(sign_talk.approve),
        "permit.sign": press(sign_talk.sign),
        "permit.signfor": pick(sign_talk.sign_for),
        "permit.refuse": press(sign_talk.refuse),
        "permit.return": press(sign_talk.give_back),
        "permit.leader": press(work_talk.leader),
        "permit.measures": press(measure_talk.list_measures),
        "permit.done": pick(measure_talk.measure_done),
        "permit.told": pick(measure_talk.measure_told),
        "permit.na": pick(measure_talk.measure_na),
        "permit.brief": press(briefing.pressed),
        "permit.briefed": press(work_talk.briefed),
        "permit.checkin": press(work_talk.check_in),
        "permit.start": press(work_talk.start),
        "permit.pause": press(work_talk.pause),
        "permit.stop": press(work_talk.stop),
        "permit.confirm": press(work_talk.confirm),
        "permit.resume": press(work_talk.resume),
        "permit.handover": press(work_talk.handover),
        "permit.give": pick(work_talk.give),
        "permit.know": pick(handover_talk.know),
        "permit.finish": press(work_talk.finish),
        "permit.unfinish": press(work_talk.unfinish),
        "permit.watched": press(watch_talk.ended),
        "permit.accept": press(work_talk.accept),
        "permit.renew": press(work_talk.renew),
    },
    menus={"permit.start": overview},
)
