"""Experience cards as people see them: the answer to a question, a question for veterans, a draft, a card to review."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cards.card import Button, Card, Fact, Option, Select
from cards.words import local, short
from rules.knowledge import FIELD_ZH, CardState, as_suspicion
from storage.models import KnowledgeCard, KnowledgeQuestion, Person

MARK = "待本厂老师傅确认"
ONLY_SUSPECTED = "只是怀疑,不是结论。情况变坏先停机、撤开,马上告诉班长。"
HELPED, NOT_THIS, ASK_VETERAN = "有用", "不是这个", "问老师傅"


@dataclass(frozen=True, slots=True)
class Shown:
    """One card of an answer, with how sure the search is and why, both in Chinese words."""

    card: KnowledgeCard
    confidence: str
    why: str


def key_of(question_id: int) -> str:
    return f"know:{question_id}"


def page_of(card: KnowledgeCard) -> str:
    """The page with the whole card: photos, the recording, where it helped."""
    return f"/h5/knowledge/{card.code}"


def review_key(card_id: int) -> str:
    return f"know:card:{card_id}"


def credit(card: KnowledgeCard) -> str:
    """Who the experience comes from: the name only with consent; the mark while nobody of the plant has confirmed it."""
    if card.origin == "starter" and card.reviewed_by_id is None:
        return f"通用经验,{MARK}"
    if card.origin == "starter" and card.named and card.author is not None:
        return f"{card.author.name}师傅和通用经验"
    if card.origin == "starter":
        return f"通用经验,{card.reviewed_by.name if card.reviewed_by else '老师傅'}确认"
    if card.named and card.author is not None:
        return f"{card.author.name}师傅"
    return f"{card.author_name}师傅" if card.named and card.author_name else "本厂老师傅"


def answer_card(question: KnowledgeQuestion, shown: Sequence[Shown], *, last: str = "", offered: bool = False) -> Card:
    """Up to three cards in one: what to do first on top, then why, then the other two. `last`: what was pressed."""
    best = shown[0]
    facts = [
        Fact("怀疑", _bare(best.card.cause)),
        Fact("危险信号", best.card.danger_sign),
        Fact("为什么", best.why),
        Fact("来自", f"{credit(best.card)}({best.card.code})"),
    ]
    facts += [Fact(f"另一种{n}", f"{s.card.first_action}|{s.card.title}") for n, s in enumerate(shown[1:3], start=1)]
    lines = [f"“{short(question.text, 30)}”"]
    if len(best.card.first_action) > 30:
        lines.append(f"先做:{best.card.first_action}")
    for number, other in enumerate(shown[1:3], start=1):
        lines.append(
            f"另一种{number}({other.confidence}):{other.card.title},{as_suspicion(other.card.cause)};"
            f"先{_bare_first(other.card.first_action)}。{other.why}。{credit(other.card)}({other.card.code})"
        )
    select = None
    if len(shown) > 1 and not last:
        select = Select("哪一条", tuple(Option(s.card.code, short(s.card.title, 16)) for s in shown))
    return Card(
        title=short(f"先做:{best.card.first_action}", 36),
        colour="blue",
        subtitle=f"{best.confidence}:{best.card.title}",
        facts=tuple(fact for fact in facts if fact.value),
        body="\n".join(lines),
        note=last or ("报隐患时顺便找到的。" if offered else "") + ONLY_SUSPECTED,
        picture=str(best.card.photos[0]) if best.card.photos else "",
        page=page_of(best.card),
        buttons=() if last else _answer_buttons(question.id),
        select=select,
        state="answered" if last else "offered",
    )


def _answer_buttons(question_id: int) -> tuple[Button, ...]:
    return (
        Button(HELPED, f"know.helped:{question_id}", "primary"),
        Button(NOT_THIS, f"know.wrong:{question_id}"),
        Button(ASK_VETERAN, f"know.ask:{question_id}"),
    )


def _bare(cause: str) -> str:
    return cause.removeprefix("怀疑")


def _bare_first(action: str) -> str:
    return action.removeprefix("先")


def nothing_card(question: KnowledgeQuestion, *, last: str = "") -> Card:
    """Honest: no card fits. The way on is a person."""
    return Card(
        title="没有合适的经验",
        colour="grey",
        subtitle=f"“{short(question.text, 40)}”",
        body="不乱猜。拿不准就先停机、远离,告诉班长;点下面让老师傅来答。",
        note=last or "说清是哪台设备、什么声音或味道,会更好找。",
        buttons=() if last else (Button(ASK_VETERAN, f"know.ask:{question.id}", "primary"),),
        state="nothing",
    )


def either_card(text: str, shown: Shown | None) -> Card:
    """A hazard to report, or a question after experience? One tap decides; what is urgent is said already."""
    facts: tuple[Fact, ...] = ()
    if shown is not None:
        facts = (Fact("先做", shown.card.first_action), Fact("危险信号", shown.card.danger_sign))
    return Card(
        title="要报隐患,还是问老师傅的经验?",
        colour="blue",
        subtitle=f"“{short(text, 40)}”",
        facts=tuple(fact for fact in facts if fact.value),
        note=ONLY_SUSPECTED,
        buttons=(Button("报隐患", "know.report", "primary"), Button("问经验", "know.this")),
        state="ask",
    )


def veteran_card(question: KnowledgeQuestion, asker: Person, *, last: str = "") -> Card:
    """A question for those who know the machine. Stays open after the first answer: a second opinion is welcome."""
    machine = f"{question.equipment.code} {question.equipment.name}" if question.equipment else ""
    tried = "、".join(str(hit.get("code")) for hit in question.hits)
    facts = (Fact("设备", machine), Fact("问的人", f"{asker.name} {local(question.asked_at)}"), Fact("不像", tried))
    return Card(
        title="老师傅,请帮着听听",
        colour="orange",
        subtitle=f"“{short(question.text, 40)}”",
        facts=tuple(fact for fact in facts if fact.value),
        body=question.text if len(question.text) > 40 else "",
        note=last or "点“我来答”,说话或打字都行;答完会告诉提问的人,并记成经验草稿。",
        buttons=(Button("我来答", f"know.answer:{question.id}", "primary"),),
        state="asked",
    )


def _content(card: KnowledgeCard) -> tuple[Fact, ...]:
    values = {name: str(getattr(card, name) or "") for name in FIELD_ZH}
    return tuple(Fact(zh, values[name]) for name, zh in FIELD_ZH.items() if values[name])


def draft_card(card: KnowledgeCard) -> Card:
    """What was understood, before it goes to review."""
    return Card(
        title="这样记,对吗?",
        colour="blue",
        subtitle=short(card.title, 40),
        facts=_content(card),
        note="要改就打字,如“先做:停机测温”。署名后别人能看到是您的经验。",
        buttons=(
            Button("提交,署我的名", f"know.submit:{card.id}", "primary"),
            Button("提交,不署名", f"know.quiet:{card.id}"),
            Button("算了", f"know.drop:{card.id}", "danger"),
        ),
        state="draft",
    )


def review_card(
    card: KnowledgeCard, *, warnings: Sequence[str] = (), alike: Sequence[KnowledgeCard] = (), last: str = ""
) -> Card:
    """For the reviewers: the content, what speaks against it, and what it is near to."""
    waiting = card.state == CardState.IN_REVIEW.value and not last
    buttons = [
        Button("通过", f"know.approve:{card.id}", "primary"),
        Button("更正", f"know.fix:{card.id}"),
        Button("不采用", f"know.reject:{card.id}", "danger"),
    ]
    if alike:
        buttons.insert(2, Button("合并", f"know.merge:{card.id}"))
    select = None
    if waiting and alike:
        select = Select("合并到", tuple(Option(str(a.id), short(f"{a.code} {a.title}", 16)) for a in alike[:9]))
    near = "、".join(f"{a.code} {short(a.title, 14)}" for a in alike[:3])
    return Card(
        title=f"{card.code} 经验卡 · {CardState(card.state).zh}",
        colour="orange" if warnings and waiting else "blue" if waiting else "green",
        subtitle=f"{card.author.name if card.author else card.author_name or '导入'}:{short(card.title, 30)}",
        facts=_content(card),
        body="\n".join([*(f"⚠ {w}" for w in warnings), *([f"很像已有的:{near}"] if near else [])]),
        note=last or "请老师傅或安全员审核;作者自己不能审。",
        buttons=tuple(buttons) if waiting else (),
        select=select,
        page=page_of(card) if card.voice_sha or card.photos else "",
        picture=str(card.photos[0]) if card.photos else "",
        state=card.state,
    )


def full_text(card: KnowledgeCard) -> str:
    """The whole card in words, for «经验卡 K01»."""
    lines = [
        f"{card.code} {card.title}({CardState(card.state).zh},第{card.edition}版)",
        f"先做:{card.first_action}",
        as_suspicion(card.cause),
        f"危险信号:{card.danger_sign}" if card.danger_sign else "",
        f"设备:{card.kind}" if card.kind else "",
        f"来自:{credit(card)}" + (f",{card.reviewed_by.name}审核" if card.reviewed_by else ""),
        f"规定提示:{card.rule_note}" if card.rule_note else "",
        f"用过的地方:{'、'.join(link.ref for link in card.links[-5:])}" if card.links else "",
        f"看过{card.shown}次,有用{card.used}次,“不是这个”{card.rejected}次。",
        ONLY_SUSPECTED,
    ]
    return "\n".join(line for line in lines if line)


def line(card: KnowledgeCard) -> str:
    """One line of a list: «JY-0003 皮带吱吱叫 已发布 有用4»."""
    return f"{card.code} {short(card.title, 20)} {CardState(card.state).zh} 有用{card.used}"


def follow_up_card(question: KnowledgeQuestion, card: KnowledgeCard, use_id: int, *, last: str = "") -> Card:
    """Days later: did it come back?"""
    return Card(
        title="上次那个毛病,后来还犯吗?",
        colour="blue",
        subtitle=f"“{short(question.text, 40)}”",
        facts=(Fact("用的经验", f"{card.code} {card.title}"),),
        note=last or "一点就行,帮经验卡排得更准。",
        buttons=()
        if last
        else (Button("好了,没再犯", f"know.fixed:{use_id}", "primary"), Button("又犯了", f"know.back:{use_id}")),
        state="follow_up",
    )
