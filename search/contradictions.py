"""Two cards that tell people opposite things, and advice that no card may give."""

from __future__ import annotations

import re
from dataclasses import dataclass

from search import text
from search.features import features_of, overlap
from search.model import Card

# Pairs of opposite advice, each side a pattern over the cleaned first action.
_OPPOSITES = (
    (
        "停机还是继续开",
        r"停机|停泵|停下|停止运行|立即停|马上停|急停|停车",
        r"不用停|不必停|别停|不要停|继续开|继续运行|可以开|坚持|边开边",
    ),
    ("阀门开大还是关小", r"开大|全开|打开|开足", r"关小|关死|全关|关闭|收小"),
    ("补油还是少加油", r"补油|加油|补.{0,3}脂|打黄油|加.{0,3}脂", r"放油|别加油|不要加油|不能加油|抽油|不用加油"),
    ("张紧还是放松", r"张紧|收紧|拧紧|紧固|上紧|调紧", r"放松|松开|调松|拧松|松一"),
    ("加料还是停料", r"加料|多喂|加大给料|补料", r"停料|停止给料|减料|少喂|断料"),
    ("升速还是降速", r"升速|加速|提速|提高转速", r"降速|减速|降低转速|慢下来"),
    ("断电还是通电试", r"断电|停电|拉闸|切断电", r"再合闸|通电试|带电|反复合|再启动|多启动"),
    ("远离还是靠近查看", r"远离|撤离|离开|不要靠近", r"靠近|凑近|贴上去|近处看|用手摸"),
)
_DANGEROUS = (
    (r"(短接|旁路|摘掉|解除|甩掉).{0,6}(联锁|连锁|保护|限位|急停)", "叫人解除联锁或保护,按规程要先办手续"),
    (r"(联锁|连锁|保护|限位).{0,4}(短接|旁路|摘掉|解除|甩掉)", "叫人解除联锁或保护,按规程要先办手续"),
    (
        r"(不用|不必|别|不要|甭|先不)(停机|停电|断电|泄压|挂牌|上锁|办票|开票|测气)",
        "叫人省掉停机、断电、泄压、挂牌、办票或测气",
    ),
    (r"(边转边|开着机|转着|运转中|运行中).{0,6}(掏|擦|清|加油|拆|摸|伸手|张紧|换)", "叫人在运转中动手"),
    (r"(安全阀|根阀)(?!.{0,2}(不要|不能|别|不准|严禁|禁止)).{0,3}(关|拧死|堵)", "叫人关安全阀或它的根阀"),
    (r"(?<!不要)(?<!不能)(?<!别)(?<!禁止)(?<!严禁)(关|拧死|堵).{0,3}(安全阀|根阀)", "叫人关安全阀或它的根阀"),
    (r"(?<!不要)(?<!不能)(?<!别)(?<!禁止)带电.{0,4}(修|拆|接|紧|查)", "叫人带电作业"),
    (r"(?<!不要)(?<!不能)(?<!别)(?<!禁止)(反复|多)(合闸|启动|试几次)", "叫人反复合闸"),
    (r"用手(直接)?(掏|摸|抠|拨).{0,4}(转|皮带|齿轮|料)?", "叫人直接用手去掏或摸"),
)
# Below this the two cards are about different things and may well advise different things.
SAME_SUBJECT = 0.45


@dataclass(frozen=True, slots=True)
class Contradiction:
    """why: one Chinese sentence for the reviewer. serious: the advice is opposite, not only the suspected cause."""

    why: str
    serious: bool


def contradicts(card: Card, other: Card) -> Contradiction | None:
    """Whether two cards on the same symptom tell people opposite things; symmetric."""
    likeness = overlap(features_of(card), features_of(other))
    if likeness < SAME_SUBJECT:
        return None
    ours, theirs = _advice(card), _advice(other)
    for question, one, opposite in _OPPOSITES:
        if (_says(ours, one, opposite) and _says(theirs, opposite, one)) or (
            _says(ours, opposite, one) and _says(theirs, one, opposite)
        ):
            return Contradiction(f"两张卡说的是同一种情况,做法相反:{question},请审核人确定一种", serious=True)
    if card.cause and other.cause and not set(text.bigrams(_bare(card.cause))) & set(text.bigrams(_bare(other.cause))):
        return Contradiction("两张卡说的是同一种情况,怀疑的原因不同,请确认是否都可能", serious=False)
    return None


def unsafe_advice(card: Card) -> tuple[str, ...]:
    """Reasons (Chinese, for the reviewer) why a card's advice must not be published as it stands; empty when none."""
    told = text.clean(card.first_action)
    # A thing told not to do is good advice.
    reasons = [reason for pattern, reason in _DANGEROUS if re.search(pattern, told)]
    return tuple(dict.fromkeys(reasons))


def _advice(card: Card) -> str:
    return text.clean(card.first_action)


def _says(told: str, wanted: str, opposite: str) -> bool:
    return bool(re.search(wanted, re.sub(opposite, " ", told)))


def _bare(cause: str) -> str:
    return re.sub(r"怀疑|可能|或者|或|坏了|了", " ", text.clean(cause))
