"""Contributing («经验»): voice or text; only what is missing is asked; then the draft is shown and submitted."""

from __future__ import annotations

import re
from datetime import timedelta

from bot import outbox
from bot.flow import Flow, Press, like, on, said
from bot.message import Kind
from bot.platforms.base import only_answers
from bot.turn import Turn
from cards import knowledge as cards
from handlers import spoken
from handlers.knowledge import actions, heard, route
from rules import knowledge as rules
from rules import text as words
from rules.errors import RuleBroken
from rules.knowledge import POINTS_ANSWER, CardState
from storage.models import KnowledgeCard, KnowledgeQuestion

FLOW = "knowledge.tell"
OPEN, FILLING, SHOWN, ANSWERING = "open", "filling", "shown", "answering"
WAIT = timedelta(hours=2)
MAX_PHOTOS = 3
BACK = ("取消", "算了", "不说了")
PREFIX = re.compile(r"^(我(有|来)(个|一个|说个)?)?经验[\s,,::、]*")
_FIELD = re.compile(r"^\s*(设备|声音|征兆|声音/征兆|怀疑|原因|先做|先|危险信号|危险)\s*[::]\s*(.+)$")
_FIELD_OF = {
    "设备": "kind",
    "声音": "title",
    "征兆": "title",
    "声音/征兆": "title",
    "怀疑": "cause",
    "原因": "cause",
    "先做": "first_action",
    "先": "first_action",
    "危险信号": "danger_sign",
    "危险": "danger_sign",
}
UNHEARD = "这段没听清文字,录音给您留着了,请打字说一遍。"


def begin(turn: Turn) -> None:
    turn.ask(
        "请说说您的经验:哪台设备、什么声音、是什么毛病、先做什么。",
        flow=FLOW,
        state=OPEN,
        facts={},
        note="语音、打字都行,想到哪说到哪;少了的我再问。说“取消”退出。",
        expires_after=WAIT,
    )


def told(turn: Turn) -> None:
    """The first words: a draft is made of what they give."""
    text = PREFIX.sub("", turn.text).strip()
    if not text and not _voice_of(turn):
        begin(turn)
        return
    if text and _says_nothing(turn, text):
        return
    card = actions.new_draft(turn.work, by=turn.person, told=text, voice_sha=_voice_of(turn))
    _take(turn, card, text)
    _go_on(turn, card)


def _says_nothing(turn: Turn, text: str) -> bool:
    problem = words.content_problem(text)
    if problem is None:
        return False
    turn.say(problem.message_zh if problem is words.ContentProblem.TOO_LONG else "没看懂,请用一句话说说设备和声音。")
    return True


def _voice_of(turn: Turn) -> str:
    return next((f.sha256 for f in turn.fetched if f.kind == "voice" and f.sha256), "")


def _take(turn: Turn, card: KnowledgeCard, text: str) -> None:
    """Fields that the words give fill what is empty; nothing said before is overwritten."""
    equipment = heard.equipment_in(turn.work, text)
    given = rules.read_told(text, machine=heard.machine_in(heard.kind_of(equipment) or text) or heard.machine_in(text))
    for name, value in given.items():
        if not getattr(card, name):
            setattr(card, name, value)


def filled(turn: Turn) -> None:
    """The answer to the question that was asked, or «字段:值» at any time."""
    card = _card(turn)
    if card is None:
        return
    if turn.message.kind is Kind.IMAGE:
        _add_photos(turn, card)
        return
    voice = _voice_of(turn)
    card.voice_sha = card.voice_sha or voice
    if not turn.text:
        turn.say(UNHEARD)
        return
    if _says_nothing(turn, turn.text):
        return
    if _put_right(turn, card):
        _go_on(turn, card)
        return
    card.told = f"{card.told}\n{turn.text}".strip()[:2000]
    fields = fields_in(turn.text)
    asked = str(turn.facts.get("asked", ""))
    if fields:
        actions.correct(turn.work, card, fields, by=turn.person, via=turn.via)
    elif not asked:
        _take(turn, card, turn.text)  # more words before anything could be asked
    elif asked == "kind":
        card.kind = (heard.machine_in(turn.text) or turn.text)[: rules.FIELD_CHARS["kind"]]
    else:
        setattr(card, asked, turn.text[: rules.FIELD_CHARS[asked]])
    _go_on(turn, card)


def _put_right(turn: Turn, card: KnowledgeCard) -> bool:
    """Typed words that put the voice message before them right go where its words went."""
    misheard = spoken.heard_wrong(turn)
    if not misheard or misheard not in card.told:
        return False
    typed = spoken.typed(turn)
    card.told = card.told.replace(misheard, typed, 1)[:2000]
    meant = rules.read_told(typed, machine=heard.machine_in(typed))
    for name in rules.FIELD_CHARS:
        was, now = str(getattr(card, name) or ""), meant.get(name, "")
        if was and misheard.startswith(was):
            setattr(card, name, (now or typed)[: rules.FIELD_CHARS[name]])
        elif now and (not was or spoken.puts_right(now, was)):
            setattr(card, name, now)
    spoken.settled(turn)
    return True


def fields_in(text: str) -> dict[str, str]:
    """«先做:停机测温» lines, one a field."""
    found = (_FIELD.match(line) for line in text.splitlines())
    return {_FIELD_OF[m.group(1)]: m.group(2).strip() for m in found if m is not None}


def _add_photos(turn: Turn, card: KnowledgeCard) -> None:
    new = [f.sha256 for f in turn.fetched if f.kind == "image" and f.sha256]
    refused = [f.refused for f in turn.fetched if f.refused]
    card.photos = list(dict.fromkeys([*card.photos, *new]))[:MAX_PHOTOS]
    turn.say("".join(f"⚠ {r}。\n" for r in refused) + f"照片收到,共{len(card.photos)}张。")


def _card(turn: Turn) -> KnowledgeCard | None:
    card = turn.work.knowledge.find(int(turn.facts.get("card", 0)))
    if card is None or card.state != CardState.DRAFT.value or card.author_id != turn.person.id:
        turn.done()
        turn.say("这条草稿已经处理过了。再说“经验”可以新写一条。")
        return None
    return card


def _go_on(turn: Turn, card: KnowledgeCard) -> None:
    """Ask for the next missing thing, or show the draft."""
    turn.work.flush()
    asked = rules.missing({name: getattr(card, name) or "" for name in rules.ASKS})
    if not card.told:
        turn.stay(flow=FLOW, state=FILLING, facts={"card": card.id}, expires_after=WAIT)
        turn.say(UNHEARD)
        return
    if asked is not None:
        turn.ask(
            rules.ASKS[asked], flow=FLOW, state=FILLING, facts={"card": card.id, "asked": asked}, expires_after=WAIT
        )
        return
    turn.stay(flow=FLOW, state=SHOWN, facts={"card": card.id}, expires_after=WAIT)
    turn.show(cards.draft_card(card), key=f"know:draft:{card.id}", case=(actions.KIND, card.id))
    outbox.redraw(turn.work, f"know:draft:{card.id}", cards.draft_card(card))


def changed(turn: Turn) -> None:
    """Words after the draft was shown: «先做:…», or a free sentence that is put to the field it reads like."""
    card = _card(turn)
    if card is None:
        return
    if turn.message.kind is Kind.IMAGE:
        _add_photos(turn, card)
        return
    if _put_right(turn, card):
        _go_on(turn, card)
        return
    fields = fields_in(turn.text) or rules.read_told(turn.text, machine=heard.machine_in(turn.text))
    if not turn.text or not fields:
        turn.say("没听懂要改哪一项,请这样说:先做:停机测温。")
        return
    actions.correct(turn.work, card, fields, by=turn.person, via=turn.via)
    _go_on(turn, card)


def cancelled(turn: Turn) -> None:
    card = turn.work.knowledge.find(int(turn.facts.get("card", 0)))
    turn.done()
    if card is not None and card.state == CardState.DRAFT.value and card.author_id == turn.person.id:
        card.state = CardState.REJECTED.value
        card.review_note = "本人取消"
    turn.say("好的,没有记。想说的时候再发“经验”。")


# -- answering a routed question


def start_answer(turn: Turn, rest: str) -> None:
    question = turn.work.knowledge.question(int(rest)) if rest.isdigit() else None
    if question is None:
        turn.say("这个问题已经清理了,谢谢!")
        return
    turn.ask(
        f"“{question.text[:60]}”——您说多半是什么毛病、先做什么?",
        flow=FLOW,
        state=ANSWERING,
        facts={"question": question.id},
        note="语音、打字都行。",
        expires_after=WAIT,
    )


def answer_by_number(turn: Turn) -> None:
    """«答 12»: a question from the weekly list."""
    match = re.match(r"^答\s*(\d{1,9})$", turn.text)
    start_answer(turn, match.group(1) if match else "")


def answered(turn: Turn) -> None:
    """The veteran's answer goes to the asker at once, and becomes a draft."""
    question = turn.work.knowledge.question(int(turn.facts.get("question", 0)))
    if question is None:
        turn.done()
        turn.say("这个问题已经清理了,谢谢!")
        return
    voice = _voice_of(turn)
    if not turn.text:
        question.answer_voice_sha = question.answer_voice_sha or voice
        turn.say(UNHEARD)
        return
    if _says_nothing(turn, turn.text):
        return
    _tell_asker(turn, question, turn.text)
    question.state, question.answer, question.answered_at = "answered", turn.text[:2000], turn.at
    question.answered_by_id = turn.person.id
    question.answer_voice_sha = question.answer_voice_sha or voice
    key = f"answered:{question.id}:{turn.person.id}"
    turn.work.knowledge.award(turn.person.id, POINTS_ANSWER, "回答提问", key=key, at=turn.at, card_id=None)
    last = f"{turn.person.name}已答:{turn.text[:60]}。您也可以补充。"
    outbox.redraw(
        turn.work, f"{cards.key_of(question.id)}:veteran", cards.veteran_card(question, question.asker, last=last)
    )
    card = actions.new_draft(turn.work, by=turn.person, told=turn.text, voice_sha=voice, question=question)
    card.title = question.text[: rules.FIELD_CHARS["title"]]
    machine = heard.machine_in(heard.kind_of(question.equipment)) or heard.machine_in(question.text)
    given = rules.read_told(f"{question.text}。{turn.text}", machine=machine or heard.machine_in(turn.text))
    for name in ("kind", "cause", "first_action", "danger_sign"):
        setattr(card, name, given.get(name, ""))
    turn.say("已经告诉提问的人,谢谢!顺便记成经验卡:")
    _go_on(turn, card)


def _tell_asker(turn: Turn, question: KnowledgeQuestion, text: str) -> None:
    to = outbox.address_of(question.asker, prefer=question.platform)
    if question.group_id and not only_answers(question.group_id):
        to = outbox.Address(question.platform, group_id=question.group_id)
    if to is not None:
        outbox.say(
            turn.work,
            to,
            f"{turn.person.name}师傅答“{question.text[:30]}”:\n{text[:600]}\n(只是怀疑,情况变坏先停机)",
            purpose="knowledge.answered",
            urgency=outbox.URGENT,
            dedupe_key=f"know:{question.id}:answer:{turn.inbox_id}",
            case=("knowledge", question.id),
        )


# -- buttons of the draft


def _submit(named: bool) -> Press:
    def handle(turn: Turn, rest: str) -> None:
        card = turn.work.knowledge.find(int(rest)) if rest.isdigit() else None
        if card is None or card.author_id != turn.person.id:
            turn.say("只能提交自己说的经验。")
            return
        try:
            actions.submit(turn.work, card, by=turn.person, named=named, via=turn.via)
        except RuleBroken as broken:
            turn.say(broken.message_zh)
            return
        turn.done()
        who = "署您的名" if named else "不署名"
        outbox.redraw(turn.work, f"know:draft:{card.id}", cards.review_card(card, last=f"已提交({who}),等审核。"))
        turn.say(f"{card.code} 已提交审核({who}),通过后告诉您。")

    return handle


def _drop(turn: Turn, rest: str) -> None:
    card = turn.work.knowledge.find(int(rest)) if rest.isdigit() else None
    if card is not None and card.author_id == turn.person.id and card.state == CardState.DRAFT.value:
        card.state, card.review_note = CardState.REJECTED.value, "本人取消"
        turn.done()
        outbox.redraw(turn.work, f"know:draft:{card.id}", cards.review_card(card, last="已取消,没有提交。"))
        turn.say("好的,没有提交。")
    else:
        turn.say("这条已经处理过了。")


_ANY = (Kind.TEXT, Kind.VOICE)
flow = Flow(
    name=FLOW,
    starts=[
        said(
            (
                "经验",
                "我有经验",
                "说经验",
                "写经验",
                "贡献经验",
                "新增经验",
                "添加经验",
                "分享经验",
                "上传经验",
                "录经验",
            ),
            begin,
        ),
        like(r"^(我(有|来)(个|一个|说个)?)?经验[\s,,::、]+\S", told),
        like(r"^答\s*\d{1,9}$", answer_by_number),
    ],
    states={
        OPEN: [on(kind, told, fits=route.no_danger) for kind in _ANY],
        FILLING: [*(on(kind, filled, fits=route.no_danger) for kind in _ANY), on(Kind.IMAGE, filled)],
        SHOWN: [*(on(kind, changed, fits=route.no_danger) for kind in _ANY), on(Kind.IMAGE, changed)],
        ANSWERING: [on(kind, answered, fits=route.no_danger) for kind in _ANY],
    },
    anywhere=[said(BACK, cancelled)],
    buttons={
        "know.answer": start_answer,
        "know.submit": _submit(True),
        "know.quiet": _submit(False),
        "know.drop": _drop,
    },
    menus={"knowledge.tell": begin},
)
