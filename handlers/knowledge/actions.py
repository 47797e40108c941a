"""What can be done with a card: submit, approve, correct, merge, reject, confirm, retire. Callable from chat, page, job.

Each leaves a line in the trail and tells those it concerns; the commit is the caller's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot import outbox
from cards import knowledge as cards
from handlers.knowledge import ear, rulebook, veterans
from rules import knowledge as rules
from rules.errors import RuleBroken
from rules.knowledge import CardState
from search import contradicts, unsafe_advice
from storage.models import KnowledgeCard, KnowledgeQuestion, Person
from storage.unit_of_work import UnitOfWork

KIND = "knowledge.card"
NOT_REVIEWER = "审核经验卡要老师傅、安全员或管理员,请找他们。"


def new_draft(
    work: UnitOfWork, *, by: Person, told: str, voice_sha: str = "", question: KnowledgeQuestion | None = None
) -> KnowledgeCard:
    """An empty card of this author, not yet seen by anybody else."""
    card = KnowledgeCard(
        code=work.knowledge.next_code(),
        state=CardState.DRAFT.value,
        origin="answer" if question is not None else "told",
        title="",
        kind="",
        cause="",
        first_action="",
        danger_sign="",
        sayings=[],
        features={},
        photos=[],
        also_by=[],
        told=told[:2000],
        voice_sha=voice_sha,
        author=by,
        named=False,
        question_id=question.id if question is not None else None,
        edition=1,
        created_at=work.at,
        links=[],
    )
    return work.knowledge.add(card)


def leave(
    work: UnitOfWork, card: KnowledgeCard, action: str, *, by: Person | None, was: str, why: str = "", via: str = ""
) -> None:
    work.trail.add(
        KIND,
        card.id,
        action,
        at=work.at,
        by_id=by.id if by is not None else None,
        from_state=was,
        to_state=card.state,
        why=why,
        via=via,
        data={"code": card.code, "edition": card.edition},
    )


def submit(work: UnitOfWork, card: KnowledgeCard, *, by: Person, named: bool, via: str) -> None:
    """Hand a complete draft to the reviewers. Raises RuleBroken."""
    if card.author_id != by.id:
        raise RuleBroken("card_author", "只能提交自己说的经验。")
    was = CardState(card.state)
    rules.check_move(was, CardState.IN_REVIEW)
    if rules.missing(_given(card)) is not None:
        raise RuleBroken("card_missing", "还差一点没说全,请接着说。")
    work.knowledge.touch(card)
    card.state, card.named = CardState.IN_REVIEW.value, named
    work.flush()
    leave(work, card, "submitted", by=by, was=was.value, via=via)
    to = [a for p in veterans.reviewers(work, card) if (a := outbox.address_of(p)) is not None]
    outbox.post_card(
        work, cards.review_key(card.id), review_card(work, card), to, case=(KIND, card.id), purpose="knowledge.review"
    )


def _given(card: KnowledgeCard) -> dict[str, str]:
    return {name: getattr(card, name) or "" for name in rules.FIELD_ZH}


def review_card(work: UnitOfWork, card: KnowledgeCard, *, last: str = "") -> cards.Card:
    """The reviewers' card with everything that speaks against publishing it."""
    alike = near(work, card) if card.state == CardState.IN_REVIEW.value and not last else []
    warned = warnings(work, card, alike) if card.state == CardState.IN_REVIEW.value and not last else []
    return cards.review_card(card, warnings=warned, alike=alike, last=last)


def near(work: UnitOfWork, card: KnowledgeCard) -> list[KnowledgeCard]:
    """Published cards that may be the same experience, likest first."""
    found = ear.similar(work, card)
    rows = work.knowledge.by_codes([one.id for one in found])
    return [rows[one.id] for one in found if one.id in rows and rows[one.id].state == CardState.PUBLISHED.value]


def warnings(work: UnitOfWork, card: KnowledgeCard, alike: Sequence[KnowledgeCard]) -> list[str]:
    """What the reviewer must know: unsafe advice, contradictions, rules mentioned, words that do not belong there."""
    own = ear.as_search_card(card)
    out = [f"不能照这样发布:{reason}" for reason in unsafe_advice(own)]
    for other in alike:
        found = contradicts(own, ear.as_search_card(other))
        if found is not None:
            out.append(f"与{other.code}:{found.why}")
    told = "。".join(dict.fromkeys([*_given(card).values(), card.told]))
    out += rulebook.against(told)
    return [*out, *rules.warnings(told)]


def check_reviewer(card: KnowledgeCard, by: Person) -> None:
    """Raises RuleBroken for somebody who does not review cards, or told this one."""
    if not veterans.may_review(by):
        raise RuleBroken("card_role", NOT_REVIEWER)
    rules.check_reviewer(author_id=card.author_id, reviewer_id=by.id)


def _check_review(card: KnowledgeCard, by: Person, to: CardState) -> CardState:
    check_reviewer(card, by)
    was = CardState(card.state)
    if was is not CardState.IN_REVIEW and card.reviewed_by is not None:
        raise RuleBroken("card_state", f"{card.code} 已由{card.reviewed_by.name}处理,现在是“{was.zh}”。")
    rules.check_move(was, to)
    return was


def approve(work: UnitOfWork, card: KnowledgeCard, *, by: Person, via: str) -> None:
    """Publish: searchable by every worker at its next search, author credited and told. Raises RuleBroken."""
    was = _check_review(card, by, CardState.PUBLISHED)
    reasons = unsafe_advice(ear.as_search_card(card))
    if reasons:
        raise RuleBroken("card_unsafe", f"不能照这样发布:{reasons[0]}。请点“更正”改“先做”,或“不采用”。")
    alike = near(work, card)
    clash = [found.why for a in alike if (found := contradicts(ear.as_search_card(card), ear.as_search_card(a)))]
    work.knowledge.touch(card)
    card.state, card.reviewed_by, card.reviewed_at = CardState.PUBLISHED.value, by, work.at
    card.published_at, card.valid_until = work.at, work.at + rules.VALID_FOR
    _note_rules(card)
    work.flush()
    leave(work, card, "approved", by=by, was=was.value, why=";".join(clash), via=via)
    _award(work, card, rules.POINTS_PUBLISHED, "经验卡发布", key=f"published:{card.id}")
    _tell_author(work, card, f"您的经验 {card.code} 已发布,{by.name}审核,+{rules.POINTS_PUBLISHED}分。谢谢!")
    _tell_asker(work, card)
    _redraw(work, card, f"{by.name}已通过,现在就能搜到。")


def _note_rules(card: KnowledgeCard) -> None:
    if rules.mentions_rules(" ".join([*_given(card).values(), card.told])):
        card.rule_edition, card.rule_note = rulebook.edition(), "提到了规定,以规则表为准"


def reject(work: UnitOfWork, card: KnowledgeCard, *, by: Person, reason: str, via: str) -> None:
    """Not taken up, with a reason the author gets. Raises RuleBroken."""
    was = _check_review(card, by, CardState.REJECTED)
    if not reason.strip():
        raise RuleBroken("card_reason", "请用一句话说明为什么不采用。")
    work.knowledge.touch(card)
    card.state, card.reviewed_by, card.reviewed_at = CardState.REJECTED.value, by, work.at
    card.review_note = reason.strip()[:300]
    work.flush()
    leave(work, card, "rejected", by=by, was=was.value, why=card.review_note, via=via)
    _tell_author(work, card, f"您说的经验 {card.code} 这次没有采用:{card.review_note}。补充后可以再说一次“经验”。")
    _redraw(work, card, f"{by.name}:不采用,{card.review_note}")


def correct(work: UnitOfWork, card: KnowledgeCard, fields: dict[str, str], *, by: Person, via: str) -> None:
    """Change fields while it is being told or reviewed. Raises RuleBroken when the person may not."""
    state = CardState(card.state)
    own_draft = state is CardState.DRAFT and card.author_id == by.id
    if not own_draft:
        if state is not CardState.IN_REVIEW:
            raise RuleBroken("card_state", f"{card.code} 现在是“{state.zh}”,不能更正。")
        if not veterans.may_review(by):
            raise RuleBroken("card_role", NOT_REVIEWER)
    if not own_draft:
        work.knowledge.touch(card)
    before = _given(card)
    for name, value in fields.items():
        setattr(card, name, value[: rules.FIELD_CHARS[name]])
    work.flush()
    if not own_draft:
        changed = [f"{rules.FIELD_ZH[n]}:{before[n]}→{fields[n]}" for n in fields if before[n] != fields[n]]
        leave(work, card, "corrected", by=by, was=state.value, why=";".join(changed), via=via)
        outbox.redraw(work, cards.review_key(card.id), review_card(work, card))


def merge(work: UnitOfWork, card: KnowledgeCard, into: KnowledgeCard, *, by: Person, via: str) -> None:
    """The same experience as a published card: its words become sayings there, its author shares the credit."""
    was = _check_review(card, by, CardState.MERGED)
    if into.id == card.id or into.state != CardState.PUBLISHED.value:
        raise RuleBroken("card_merge", "只能合并到一张已发布的经验卡,请重新选。")
    work.knowledge.touch(card, into)
    card.state, card.merged_into, card.reviewed_by, card.reviewed_at = CardState.MERGED.value, into, by, work.at
    into.sayings = list(dict.fromkeys([*into.sayings, card.title]))[-20:]
    into.also_by = list(dict.fromkeys([*into.also_by, card.author_id] if card.author_id else into.also_by))
    into.edition += 1
    if into.author_id is None and not into.author_name:  # a card of the pack gets the plant's own author
        into.author, into.named = card.author, card.named
    if into.reviewed_by_id is None:  # a veteran of the plant says the same: that is the confirmation it waited for
        into.reviewed_by, into.reviewed_at = by, work.at
    work.flush()
    leave(work, card, "merged", by=by, was=was.value, why=f"并入{into.code}", via=via)
    leave(work, into, "extended", by=by, was=into.state, why=f"并入{card.code}", via=via)
    _award(work, card, rules.POINTS_MERGED, "经验并入已有卡", key=f"merged:{card.id}")
    _tell_author(work, card, f"您的经验和 {into.code} 是一回事,已并进去,+{rules.POINTS_MERGED}分。谢谢!")
    _redraw(work, card, f"{by.name}已并入 {into.code}。")


def confirm(work: UnitOfWork, card: KnowledgeCard, *, by: Person, via: str) -> None:
    """A veteran of the plant stands by a card of the starter pack, or looks at an expired card again."""
    if not veterans.may_review(by):
        raise RuleBroken("card_role", NOT_REVIEWER)
    if card.state != CardState.PUBLISHED.value:
        raise RuleBroken("card_state", f"{card.code} 现在是“{CardState(card.state).zh}”,不用确认。")
    work.knowledge.touch(card)
    card.reviewed_by, card.reviewed_at, card.valid_until = by, work.at, work.at + rules.VALID_FOR
    _note_rules(card)
    work.flush()
    leave(work, card, "confirmed", by=by, was=card.state, via=via)


def revise(work: UnitOfWork, card: KnowledgeCard, fields: dict[str, str], *, by: Person, via: str) -> list[str]:
    """A new edition of a published card, found by every worker at its next search. Returns what to look at again.

    Raises RuleBroken for somebody who may not, for advice that no card may give, and when nothing changes.
    """
    check_reviewer(card, by)
    if card.state != CardState.PUBLISHED.value:
        raise RuleBroken("card_state", f"{card.code} 现在是“{CardState(card.state).zh}”,不能出新版。")
    before = _given(card)
    now = {name: value[: rules.FIELD_CHARS[name]] for name, value in fields.items()}
    changed = [f"{rules.FIELD_ZH[n]}:{before[n]}→{now[n]}" for n in now if before[n] != now[n]]
    if not changed:
        raise RuleBroken("card_same", f"{card.code} 本来就是这样写的,没有改动。")
    unsafe = unsafe_advice(replace(ear.as_search_card(card), first_action=now.get("first_action", card.first_action)))
    if unsafe:
        raise RuleBroken("card_unsafe", f"不能这样写:{unsafe[0]}。请换个安全的“先做”。")
    work.knowledge.touch(card)
    for name, value in now.items():
        setattr(card, name, value)
    if {"title", "kind"} & set(now):
        card.features = {}  # they were named for the old words; now they are read out of the new ones
    card.edition += 1
    card.reviewed_by, card.reviewed_at, card.valid_until = by, work.at, work.at + rules.VALID_FOR
    _note_rules(card)
    work.flush()
    leave(work, card, "revised", by=by, was=card.state, why=";".join(changed), via=via)
    _tell_author(work, card, f"您的经验 {card.code} 由{by.name}出了第{card.edition}版:{';'.join(changed)[:200]}")
    return rulebook.against("。".join(_given(card).values()))


def retire(work: UnitOfWork, card: KnowledgeCard, *, by: Person, reason: str, via: str) -> None:
    """Take a published card out of use."""
    if not veterans.may_review(by):
        raise RuleBroken("card_role", NOT_REVIEWER)
    was = CardState(card.state)
    rules.check_move(was, CardState.RETIRED)
    if not reason.strip():
        raise RuleBroken("card_reason", f"请说明为什么停用,如“停用 {card.code} 设备已拆除”。")
    work.knowledge.touch(card)
    card.state, card.review_note = CardState.RETIRED.value, reason.strip()[:300]
    work.flush()
    leave(work, card, "retired", by=by, was=was.value, why=card.review_note, via=via)


def _award(work: UnitOfWork, card: KnowledgeCard, points: int, why: str, *, key: str) -> None:
    if card.author_id is not None:
        work.knowledge.award(card.author_id, points, why, key=key, at=work.at, card_id=card.id)


def _tell_author(work: UnitOfWork, card: KnowledgeCard, text: str) -> None:
    address = outbox.address_of(card.author) if card.author is not None else None
    if address is not None:
        outbox.say(
            work,
            address,
            text,
            purpose="knowledge.author",
            dedupe_key=f"know:{card.id}:{card.state}:{work.at:%Y%m%d%H%M%S}",
            case=(KIND, card.id),
        )


def _tell_asker(work: UnitOfWork, card: KnowledgeCard) -> None:
    question = work.knowledge.question(card.question_id) if card.question_id else None
    address = outbox.address_of(question.asker, prefer=question.platform) if question is not None else None
    if question is not None and address is not None:
        outbox.say(
            work,
            address,
            f"您问的“{question.text[:30]}”已经成了经验卡 {card.code}:先{card.first_action.removeprefix('先')}。"
            f"来自{cards.credit(card)},只是怀疑。",
            purpose="knowledge.answered",
            dedupe_key=f"know:{card.id}:asker",
            case=("knowledge", question.id),
        )


def _redraw(work: UnitOfWork, card: KnowledgeCard, last: str) -> None:
    outbox.redraw(work, cards.review_key(card.id), cards.review_card(card, last=last))
