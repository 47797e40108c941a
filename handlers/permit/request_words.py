"""A request for a permit said in a sentence: «申请动火», «动火 P-101B 出口法兰焊接,明天上午9点到11点», «V-206进罐清理».

Whoever complains of something reports a hazard, whatever work he speaks of.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from bot.flow import Expect, Step
from bot.message import Kind
from bot.turn import Turn
from handlers.hazard import place as places
from handlers.permit import apply, looking, slots
from handlers.permit.talk import KINDS
from rules import text as words
from rules.permit import Work
from rules.permit.work_words import works_in

WANTS = re.compile(
    r"(?:申请|办(?!公)|开(?=[一张个份具]|动火|.{0,4}票)|(?<![不没别])要(?![求是不点])|想|准备|安排|打算).{0,12}?"
    r"(?:动个?火|受限空间|有限空间|进[罐塔釜槽池井]|清[罐釜塔池]|盲板|高处|登高|脚手架|吊装|临时用?电|临电|动土|开挖|挖[沟坑]|断路|封路)"
)
MAY_I = re.compile(rf"(?:能不能|可不可以|可以|能)(?:{KINDS}|焊接?|进罐)(?:作业)?(?:吗|么|不)?[??]?$")
"""«P-102B现在能动火吗»: answered by a judgement of that place, as soon as the rest is told."""
_ASKING = re.compile(r"多久|多长|多少|几个?(?:人|级|天)|什么|怎么|如何|谁|哪|要不要|[吗呢??]$")
_KIND_WORDS = re.compile(rf"{KINDS}|松[开掉]?(?=螺|法兰|盲板)|断电")
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


def begin_by_sentence(turn: Turn) -> None:
    """«我要在3号泵房 P-102B 焊接法兰,申请动火»."""
    kind = next(iter(works_in(turn.text)), Work.HOT_WORK.value)
    apply.begin(turn, kind, said=turn.text)


def begin_with_words(turn: Turn, _rest: str) -> None:
    """«办作业票» under a sentence that was taken for neither a report nor a request: its words begin the request."""
    said = str(turn.facts.get("text", ""))
    kind = next(iter(works_in(said)), Work.HOT_WORK.value)
    turn.done()
    turn.conversation = None
    apply.begin(turn, kind, said=said)


def request_said(turn: Turn) -> None:
    """«动火 P-101B 出口法兰焊接,明天上午9点到11点,监护郑凯,作业人吴涛»: a request, said in one go."""
    found = re.search(REQUEST, turn.text)
    kind = next((kind for kind in Work if found is not None and kind.zh.startswith(found.group(1))), Work.HOT_WORK)
    apply.begin(turn, kind.value, said=turn.text)


def _asks_for_one(turn: Turn) -> bool:
    """A place is named and nothing is complained of: «动火 P-102B 现场没人监护» is a report."""
    said = ",".join(slots.clauses_left(turn, turn.text))  # without «监护张松»: a name complains of nothing
    return _names_a_place(turn) and not _complains(said)


def _complains(said: str) -> bool:
    return COMPLAINT.search(_KIND_WORDS.sub("", said)) is not None  # «断路» breaks nothing


def wants(turn: Turn) -> bool:
    """Somebody wants a permit, and neither complains («没办票就要动火») nor asks after a rule («办动火票要多久»)."""
    said = ",".join(slots.clauses_left(turn, turn.text))
    asks = words.is_question(turn.text) or _ASKING.search(said) is not None
    return WANTS.search(turn.text) is not None and not _complains(said) and not asks


def _may_i(turn: Turn) -> bool:
    return _names_a_place(turn) and len(turn.text) <= LONGEST_JOB


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
    return looking.names_area(turn) or any(turn.work.plant.equipment_by_code(code) is not None for code in codes)


def _in_place(pattern: str, step: Step, fits: Callable[[Turn], bool]) -> Expect:
    return Expect(Kind.TEXT, step, pattern=re.compile(pattern), fits=fits)


STARTS = (
    _in_place(REQUEST, request_said, _asks_for_one),
    _in_place(rf"^.*(?:{_JOB})", begin_by_sentence, _states_a_job),
    _in_place(MAY_I.pattern, begin_by_sentence, _may_i),
    _in_place(WANTS.pattern, begin_by_sentence, wants),
)
