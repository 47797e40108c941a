"""What the card's buttons do, said in words: «停止动火», «叫停 ZY-0001 脚手板松动», «报气体», «延期», «3号泵房的动火».

A card may lie far up in the chat; who sees something wrong says it. Stopping is heard in the middle of any dialogue, and
one's own only running permit is stopped at the word; with several, or somebody else's, a tap says which.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.flow import Expect, Step, like
from bot.message import Kind
from bot.turn import Turn
from cards import permit as cards
from cards.card import Button, Card
from cards.words import local, zone
from handlers.hazard import place as places
from handlers.permit import apply, cast, gas_talk, measure_talk, sign_talk, slots, work_talk
from handlers.permit.talk import GONE, guarded
from rules import text as words
from rules.permit import Work
from rules.permit.life import PermitState
from storage.models import Permit

Act = Callable[[Turn, Permit], None]
KINDS = "动火|受限空间|盲板抽堵|盲板|高处|吊装|临时用电|动土|断路"
NUMBER = r"[Zz][Yy][-–— ]?\d{1,7}"
SHOWN = 6
_STOP = rf"(?:请|马上|立即|赶紧|现在)?(?:叫停|停工|停止作业|停止(?:{KINDS})(?:作业)?|(?:{KINDS})(?:作业)?(?:停下|叫停))"
STOP = rf"^(?:{NUMBER})?[,,\s]*{_STOP}[,,\s]*(?:{NUMBER})?$"
STOP_WHY = (
    rf"^(?:(?={NUMBER}|.*{_STOP}[,,\s]*{NUMBER})(?:{NUMBER})?[,,\s]*{_STOP}[,,\s]*(?:{NUMBER})?[,,。::\s]+(.{{2,80}}))$"
)
LONGER = rf"^(?=.*(?:延期|延长|续期|续票|续时间)).*(?:{NUMBER}|作业票|(?:{KINDS})票)"
TODAY = (
    rf"^(?:今天|今日|现在|当前|正在)(?:的|有|有哪些|有什么|有几个|有几张|有多少|谁在|在)?({KINDS}|作业票|作业)(?:作业)?(?:票|的)?"
    r"(?:有哪些|有几个|有几张)?[??]?$"
)
THERE = rf"^.{{2,12}}?(?:今天|今日|现在)?(?:的|有哪些)({KINDS}|作业)(?:作业)?票?[??]?$"
NOW = re.compile(r"^(?:现在|当前|正在)|现在")
UNDER_WAY = (PermitState.ACTIVE, PermitState.INTERRUPTED)
EXTENDABLE = (PermitState.APPROVED, *UNDER_WAY, PermitState.SUSPENDED, PermitState.EXPIRED)


@dataclass(frozen=True, slots=True)
class Verb:
    """A button by its label: the states it means something in, and its step."""

    name: str
    act: Act
    states: Sequence[PermitState]


RUNNING = (*UNDER_WAY, PermitState.SUSPENDED)
VERBS: dict[str, Verb] = {
    "中断": Verb("pause", work_talk.pause, (PermitState.ACTIVE,)),
    "暂停作业": Verb("pause", work_talk.pause, (PermitState.ACTIVE,)),
    "恢复作业": Verb("resume", work_talk.resume, (PermitState.INTERRUPTED, PermitState.SUSPENDED)),
    "收工": Verb("finish", work_talk.finish, (*RUNNING, PermitState.EXPIRED)),
    "监护打卡": Verb("checkin", work_talk.check_in, (PermitState.APPROVED, *RUNNING)),
    "监护到位": Verb("checkin", work_talk.check_in, (PermitState.APPROVED, *RUNNING)),
    "监护交接": Verb("handover", work_talk.handover, UNDER_WAY),
    "报气体": Verb("gas", gas_talk.pressed, (PermitState.APPROVED, *RUNNING)),
    "开始作业": Verb("start", work_talk.start, (PermitState.APPROVED,)),
    "确认措施": Verb("measures", measure_talk.list_measures, (PermitState.APPROVED,)),
    "接受交底": Verb("briefed", work_talk.briefed, (PermitState.APPROVED, *UNDER_WAY)),
    "确认停工": Verb("confirm", work_talk.confirm, (PermitState.SUSPENDED,)),
}
SIGNS: dict[str, Act] = {
    "批准": sign_talk.approve,
    "同意": sign_talk.approve,
    "会签": sign_talk.sign,
    "不批准": sign_talk.refuse,
    "不予批准": sign_talk.refuse,
    "不同意": sign_talk.refuse,
    "退回": sign_talk.give_back,
    "撤回": apply.drop,
    "班长验票": work_talk.leader,
    "验票": work_talk.leader,
}
"""Only with a number: «同意» alone says nothing about which."""
_SIGN = rf"^(?:{NUMBER}[,,\s]*({'|'.join(SIGNS)})|({'|'.join(SIGNS)})[,,\s]*{NUMBER})(?:[,,。\s].{{0,60}})?$"
ASKS = rf"^(?=.*{NUMBER}).{{0,30}}(?:到哪|审批了|批了|进度|怎么样|什么情况|状态|谁在|谁监护|几点|了吗|[??])"
REQUEST = rf"^(?:申请)?({KINDS})(?:作业)?票?[,,::\s]+\S{{2}}"
_WILL = r"(?:我们?|今天|下午|上午|现在|要|准备|打算|想|去|在|到|进入?(?![罐塔釜槽井池]))*"
_JOB = "进[罐塔釜槽井池]|下[井池]|清[罐釜塔池]|罐内|塔内|釜内|动火|电焊|气焊|焊接|气割|切割|打磨|吊装|起吊|登高|高处|抽盲板|堵盲板|盲板抽堵|开挖|动土|接临电"
_DOING = (
    "清理|清洗|清罐|检修|检查|维修|更换|补焊|焊接|打磨|刷漆|防腐|保温|拆除|安装|施工|作业|法兰|管线|阀门|内壁"
    "|[焊割切换补修拆装]|[出进]口|垫[片子]|螺[栓丝]|支架|护栏|平台|爬梯|短管|管子|弯头|阀|泵"
)
JOB = rf"^{_WILL}(\S{{2,16}}?){_WILL}(?:{_JOB})(?:{_DOING})*[。!!]?$"
"""«V-206进罐清理»: a place, a job, when and who, and nothing else; whoever reports a hazard says what is wrong."""
LONGEST_JOB = 60
_CODE = re.compile(r"[A-Za-z]{1,4}[-–— ]?\d+[A-Za-z]?(?:/[A-Za-z])?")
_PART_OF_IT = re.compile(r"(?:的|里面?|内|上|顶部?|底部?|旁边?|[进出]口|泵|罐|塔|釜|法兰|管线|管道|阀门?|平台|机组)*")
COMPLAINT = re.compile(r"没|无人|无证|未|不戴|不系|不在|漏|坏|断|危险|冒|违|松|倒|掉")
_DO = rf"^(?:({NUMBER})[,,\s]*)?({'|'.join(VERBS)})[,,\s]*({NUMBER})?$"


def _numbered(turn: Turn) -> tuple[bool, Permit | None]:
    """(whether a number was said, its permit)."""
    found = re.search(NUMBER, turn.text)
    if found is None:
        return False, None
    digits = "".join(c for c in found.group() if c.isdigit())
    return True, turn.work.permits.by_number(f"ZY-{int(digits):04d}")


def _mine(turn: Turn, states: Sequence[PermitState]) -> list[Permit]:
    kind = next((kind.value for kind in Work if kind.zh in turn.text), "")
    return [
        permit
        for permit in turn.work.permits.of_person(turn.person.id)
        if PermitState(permit.state) in states and permit.ended_at is None and kind in ("", permit.work)
    ]


def _run(turn: Turn, permit: Permit, act: Act) -> None:
    locked = turn.work.permits.get(permit.id, lock=True)
    guarded(turn, locked, lambda: act(turn, locked))


def _choose(turn: Turn, permits: Sequence[Permit], question: str, verb: str) -> None:
    buttons = tuple(Button(permit.number or "", f"permit.{verb}:{permit.id}") for permit in permits[:SHOWN])
    body = "\n".join(cards.line(permit) for permit in permits[:SHOWN])
    card = Card(title=question, colour="red" if verb == "stop" else "blue", body=body, buttons=buttons, state="ask")
    turn.show(card, key=f"ask:{turn.inbox_id}")


# -- stopping


def stop_said(turn: Turn) -> None:
    """Stopped at the word when it is clear which one; the reason is kept when it was said."""
    reason = re.search(STOP_WHY, turn.text)
    why = reason.group(1).strip() if reason else ""
    numbered, permit = _numbered(turn)
    if numbered and permit is None:
        turn.say(GONE)
        return
    mine = [permit] if permit is not None else _mine(turn, UNDER_WAY)
    if len(mine) == 1:
        _run(turn, mine[0], lambda turn, permit: work_talk.stop(turn, permit, why=why))
        return
    others = mine or [
        permit
        for permit in turn.work.permits.live(states=[state.value for state in UNDER_WAY])
        if permit.ended_at is None and cast.may_watch(permit, turn.person)
    ]
    if others:
        _choose(turn, others, "叫停哪一张?点一下马上停。", "stop")
    else:
        turn.say("您不在作业中的作业票上。看到危险先当面叫停,再把现场拍给我上报隐患;紧急的直接说“着火了”“漏了”。")


# -- the other buttons


def verb_said(turn: Turn) -> None:
    """The verb on the permit that was named, or on one's own for which it means something now."""
    found = re.search(_DO, turn.command)
    verb = VERBS[found.group(2)] if found else VERBS["报气体"]
    label = found.group(2) if found else "报气体"
    numbered, permit = _numbered(turn)
    if numbered and permit is None:
        turn.say(GONE)
        return
    mine = [permit] if permit is not None else _mine(turn, verb.states)
    if len(mine) == 1:
        _run(turn, mine[0], verb.act)
    elif mine:
        _choose(turn, mine, f"{label}:哪一张?", verb.name)
    else:
        turn.say(f"您现在没有可以“{label}”的作业票。发“作业票”看自己的,或说“{label} ZY-0001”。")


def sign_said(turn: Turn) -> None:
    """«批准 ZY-0001», «ZY-0001 不同意»: as the button; place and reason are asked next."""
    found = re.search(_SIGN, turn.text)
    _, permit = _numbered(turn)
    if found is None or permit is None:
        turn.say(GONE)
        return
    _run(turn, permit, SIGNS[found.group(1) or found.group(2)])


def asked(turn: Turn) -> None:
    """A question about a permit by its number: its live card says where it stands and who is awaited."""
    _, permit = _numbered(turn)
    if permit is None:
        turn.say(GONE)
    elif turn.in_group:
        turn.say(cards.line(permit), case=cast.case_of(permit))
    else:
        cast.post_here(turn.work, permit, turn.where, batch=f"asked:{turn.inbox_id}")


def request_said(turn: Turn) -> None:
    """«动火 P-101B 出口法兰焊接,明天上午9点到11点,监护郑凯,作业人吴涛»: a request, said in one go."""
    found = re.search(REQUEST, turn.text)
    kind = next((kind for kind in Work if found is not None and kind.zh.startswith(found.group(1))), Work.HOT_WORK)
    apply.begin(turn, kind.value, said=turn.text)


def _asks_for_one(turn: Turn) -> bool:
    """A place is named and nothing is complained of: «动火 P-102B 现场没人监护» is a report."""
    said = ",".join(slots.clauses_left(turn, turn.text))  # without «监护张松»: a name complains of nothing
    return _names_a_place(turn) and COMPLAINT.search(said) is None


def _states_a_job(turn: Turn) -> bool:
    """Before the job only the place is named: «刚才有人在3号泵房动火» is no request."""
    clauses = slots.clauses_left(turn, turn.text)
    found = re.search(JOB, clauses[0]) if len(clauses) == 1 and len(clauses[0]) <= LONGEST_JOB else None
    if found is None or not _asks_for_one(turn):
        return False
    area = places.area_named(turn.work, turn.text)
    rest = _CODE.sub("", found.group(1)).replace(area.name if area is not None else "\0", "")
    return _PART_OF_IT.fullmatch(rest) is not None


def _names_a_place(turn: Turn) -> bool:
    codes = [mention.code for mention in words.equipment_codes(turn.text)]
    return _there(turn) or any(turn.work.plant.equipment_by_code(code) is not None for code in codes)


def longer_said(turn: Turn) -> None:
    """«延期»: never a longer old permit; a new one from the same place, job and people (4.16)."""
    numbered, permit = _numbered(turn)
    if numbered and permit is None:
        turn.say(GONE)
        return
    mine = [permit] if permit is not None else _mine(turn, EXTENDABLE)
    rule = "作业票不能延长,到期须停止作业、重新办票(4.16)。"
    may = [one for one in mine if cast.may_watch(one, turn.person) and PermitState(one.state) in EXTENDABLE]
    if not may:
        turn.say(f"{rule}发“作业票”可以办新的。")
        return
    body = "\n".join(
        [rule, *(f"{one.number} 到{local(one.valid_until)}为止" for one in may[:SHOWN] if one.valid_until)]
    )
    label = "重新办票" if len(may) == 1 else ""
    buttons = tuple(Button(label or f"重办{one.number}", f"permit.renew:{one.id}") for one in may[:SHOWN])
    turn.show(
        Card(title="接着干要重新办票", colour="orange", body=body, buttons=buttons, state="ask"),
        key=f"ask:{turn.inbox_id}",
    )


# -- looking


def today(turn: Turn) -> None:
    """«今天的动火», «现在谁在动火», «3号泵房的作业票»: of the day or under way, of one kind, of one area."""
    kind = next((kind for kind in Work if kind.zh in turn.text), None)
    area, now = places.area_named(turn.work, turn.text), bool(NOW.search(turn.text))
    start = turn.at.astimezone(zone()).replace(hour=0, minute=0, second=0, microsecond=0)
    found = [
        permit
        for permit in turn.work.permits.between(start, start + timedelta(days=1), work=kind.value if kind else "")
        if (area is None or permit.area_id == area.id) and (not now or PermitState(permit.state) in UNDER_WAY)
    ]
    title = f"{area.name if area else ''}{'正在作业' if now else '今天'}的{kind.zh if kind else '作业票'}"
    if not found:
        turn.say(f"{title}:没有。")
        return
    turn.say(f"{title}({len(found)}):\n" + "\n".join(cards.line(permit) for permit in found[:20]) + "\n发编号看详情。")


def _there(turn: Turn) -> bool:
    return places.area_named(turn.work, turn.text) is not None


def _in_place(pattern: str, step: Step, fits: Callable[[Turn], bool] = _there) -> Expect:
    return Expect(Kind.TEXT, step, pattern=re.compile(pattern), fits=fits)


FIRST = (like(STOP, stop_said), like(STOP_WHY, stop_said))
STARTS = (
    like(TODAY, today),
    _in_place(THERE, today),
    like(_DO, verb_said),
    like(_SIGN, sign_said),
    like(LONGER, longer_said),
    like(ASKS, asked),
    _in_place(REQUEST, request_said, _asks_for_one),
    _in_place(rf"^.*(?:{_JOB})", apply.begin_by_sentence, _states_a_job),
)
