"""What people say of a card: it helped, it was not this, it came back; and what the author gets for it."""

from __future__ import annotations

from bot import outbox
from bot.flow import Press
from bot.turn import Turn
from cards import knowledge as cards
from cards.knowledge import Shown
from handlers.knowledge import answers
from rules.knowledge import POINTS_HELPED
from storage.models import KnowledgeCard, KnowledgeQuestion, KnowledgeUse, Person
from storage.unit_of_work import UnitOfWork


def chosen(turn: Turn, question: KnowledgeQuestion) -> Shown | None:
    """The card picked in the list, else the first that was not said to be wrong."""
    shown = answers.shown_of(turn.work, question)
    pick = turn.message.press.choice if turn.message.press else ""
    for one in shown:
        if one.card.code == pick:
            return one
    said = {one.card.id: turn.work.knowledge.use_of(question.id, one.card.id, turn.person.id) for one in shown}
    return next((one for one in shown if (use := said[one.card.id]) is None or use.helped), shown[0] if shown else None)


def helped(work: UnitOfWork, question: KnowledgeQuestion, card: KnowledgeCard, *, by: Person) -> None:
    """The card helped. Counted once a person and question; a word taken back moves the count."""
    use = work.knowledge.use_of(question.id, card.id, by.id)
    if use is not None and use.helped:
        return
    work.knowledge.touch(card)
    card.used, card.last_used_at = card.used + 1, work.at
    if use is not None:
        use.helped, use.at, card.rejected = True, work.at, max(0, card.rejected - 1)
    else:
        work.knowledge.add_use(
            KnowledgeUse(question_id=question.id, card_id=card.id, person_id=by.id, helped=True, at=work.at)
        )
    question.state, question.answered_at = "helped", work.at
    if question.hazard_id is not None:
        hazard = work.hazards.find(question.hazard_id)
        if hazard is not None and hazard.number:
            work.knowledge.link(card, "hazard", hazard.number, at=work.at)
    if card.author_id is not None and card.author_id != by.id:
        key = f"helped:{card.id}:{by.id}:{work.at:%Y%m}"
        work.knowledge.award(card.author_id, POINTS_HELPED, "经验帮到人", key=key, at=work.at, card_id=card.id)


def wrong(work: UnitOfWork, question: KnowledgeQuestion, card: KnowledgeCard, *, by: Person) -> None:
    """«不是这个»: the card was not it."""
    use = work.knowledge.use_of(question.id, card.id, by.id)
    if use is not None and not use.helped:
        return
    work.knowledge.touch(card)
    card.rejected += 1
    if use is not None:
        use.helped, use.at, card.used = False, work.at, max(0, card.used - 1)
    else:
        work.knowledge.add_use(
            KnowledgeUse(question_id=question.id, card_id=card.id, person_id=by.id, helped=False, at=work.at)
        )
    if question.state == "offered":
        question.state = "wrong"


def follow_up(work: UnitOfWork, use: KnowledgeUse) -> bool:
    """Ask once, days later, whether the fault came back; False when the person cannot be reached."""
    use.follow_up_at = work.at
    person = work.people.get(use.person_id)
    address = outbox.address_of(person)
    question, card = work.knowledge.question(use.question_id), work.knowledge.find(use.card_id)
    if address is None or question is None or card is None or not person.active:
        return False
    outbox.post_card(
        work,
        f"know:use:{use.id}",
        cards.follow_up_card(question, card, use.id),
        [address],
        case=("knowledge", question.id),
        purpose="knowledge.follow_up",
        urgency=outbox.LATER,
    )
    return True


def _back(came_back: bool) -> Press:
    def handle(turn: Turn, rest: str) -> None:
        use = turn.work.knowledge.use(int(rest)) if rest.isdigit() else None
        if use is None or use.person_id != turn.person.id:
            turn.say("这条记录不是您的,或已清理。")
            return
        card, question = turn.work.knowledge.find(use.card_id), turn.work.knowledge.question(use.question_id)
        if use.came_back is None and card is not None:
            turn.work.knowledge.touch(card)
            card.solved += 0 if came_back else 1
        use.came_back = came_back
        if came_back:
            turn.say("记下了。请报隐患或再问老师傅,别带病运转。")
        else:
            turn.say("太好了,谢谢反馈!")
        if card is not None and question is not None:
            last = "又犯了,已记下。" if came_back else "没再犯,谢谢!"
            outbox.redraw(turn.work, f"know:use:{use.id}", cards.follow_up_card(question, card, use.id, last=last))

    return handle


BUTTONS: dict[str, Press] = {"know.fixed": _back(False), "know.back": _back(True)}
