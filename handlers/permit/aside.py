"""A kind of work named while another request is open: go on with that one, or put it aside and begin a new one.

A request put aside stays a draft; «作业票» lists it and goes on with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.flow import Expect, like, said
from bot.turn import Turn
from cards import permit as cards
from cards.card import Button, Card
from handlers.permit import apply, request_words
from handlers.permit.talk import TELLING, ask, here, permit_of
from rules.permit import Work
from rules.permit.life import PermitState
from rules.permit.work_words import works_in
from storage.models import Permit

DRAFTS = (PermitState.DRAFT, PermitState.PENDING_FACTS)
KIND_OF_WORD: dict[str, Work] = {
    **{word: kind for kind, words in apply.START_WORDS.items() for word in words},
    **apply.ALSO,
}
SHOWN = 5
MEMORY = ("slot", "gas_done", "guardian_done")


def words() -> list[Expect]:
    """The first lines of every state in which such a word, or a whole request, cannot be an answer."""
    word, request = said(tuple(KIND_OF_WORD), named), like(request_words.WANTS.pattern, named)
    return [replace(word, fits=lambda turn: not _answers(turn)), replace(request, fits=_shows_verdict)]


def _shows_verdict(turn: Turn) -> bool:
    """Nothing was asked: the verdict stands, and a sentence that asks for a permit asks for another one."""
    if not request_words.wants(turn):
        return False
    return here(turn).get("slot", "") == "" and turn.conversation is not None and turn.conversation.state == TELLING


def _answers(turn: Turn) -> bool:
    """«动火» to «干什么?» of a hot-work request is told at its word."""
    slot = here(turn).get("slot")
    return slot == "content" and permit_of(turn).work == KIND_OF_WORD[turn.text].value


def named(turn: Turn) -> None:
    """Two buttons; a request of which nothing was told yet, or one that is handed in, needs no question."""
    permit, kind = permit_of(turn, lock=True), KIND_OF_WORD.get(turn.text)
    request = "" if kind is not None else turn.text
    kind = kind or Work(next(iter(works_in(request)), permit.work))
    if PermitState(permit.state) not in DRAFTS or permit.applicant_id != turn.person.id or _is_empty(permit):
        turn.done()
        apply.begin(turn, kind.value, said=request)
        return
    memory = {name: value for name, value in here(turn).items() if name in MEMORY}
    choices = [
        ("接着办这张", f"permit.carry:{permit.id}"),
        (f"放一边,办{kind.zh}", f"permit.aside:{permit.id}.{kind.value}"),
    ]
    ask(
        turn,
        f"{_title(permit)}还没提交。接着办,还是先放一边、另办一张{kind.zh}?",
        state=TELLING,
        permit=permit,
        choices=choices,
        note="放一边的申请留着,发“作业票”可以接着办。",
        request=request,
        **memory,
    )


def _is_empty(permit: Permit) -> bool:
    return permit.area_id is None and permit.lat is None and not permit.content


def _title(permit: Permit) -> str:
    where = cards.place(permit)
    return f"“{Work(permit.work).zh}{' ' + where if where else ''}”"


def put_aside(turn: Turn, permit: Permit, kind: str) -> None:
    """The open request stays a draft, a new one begins."""
    apply.need_draft(turn, permit)
    if kind not in Work.__members__.values():
        return
    request = str(here(turn).get("request", ""))
    turn.done()
    apply.begin(turn, kind, said=request, keep_open=True)


def carry_on(turn: Turn, permit: Permit) -> None:
    """«接着办»: the next question of this request, or its verdict."""
    apply.need_draft(turn, permit)
    if here(turn).get("permit") != permit.id:
        told = bool(permit.gas_tests)
        apply.remember(turn, permit, gas_done=told, guardian_done=told and permit.guardian_id is None)
    apply.go_on(turn, permit)


def offer(turn: Turn, mine: Sequence[Permit]) -> None:
    """A card with the requests that were begun and not handed in."""
    drafts = [p for p in mine if PermitState(p.state) in DRAFTS and p.applicant_id == turn.person.id][:SHOWN]
    if not drafts:
        return
    buttons = [Button(f"接着办{n}", f"permit.carry:{permit.id}") for n, permit in enumerate(drafts, start=1)]
    lines = [f"{n}. {cards.line(permit)}" for n, permit in enumerate(drafts, start=1)]
    card = Card(title="没提交的申请", colour="blue", body="\n".join(lines), buttons=tuple(buttons), state="ask")
    turn.show(card, key=f"drafts:{turn.inbox_id}")
