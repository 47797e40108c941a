"""Tries one press: does it do anything, for this person, in this state of things? Nothing of it is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

from sqlalchemy import event, select

from bot.message import Inbound, Kind, Press
from bot.turn import Turn
from storage.models import Account, CardCopy, CardPost, CaseCard, Conversation, Delivery, Inbox
from storage.unit_of_work import UnitOfWork
from tests.plant import Plant

YES, NO = "✓", "—"
# an answer to the presser consists of these; a refusal writes nothing else
ANSWERS = (Delivery, CaseCard, CardPost, CardCopy, Account, Inbox)
_numbers = count(900_000)


@dataclass(frozen=True)
class Outcome:
    """`did`: the kinds of rows the press changed; `said`: what the presser was told."""

    did: frozenset[str]
    said: str

    @property
    def mark(self) -> str:
        return YES if self.did else NO


@dataclass(frozen=True)
class Button:
    """`action` with what follows its colon. `scene` makes the state in which the button means something;
    `talk` is the dialogue that showed it: (flow, state, facts)."""

    action: str
    scene: Callable[[UnitOfWork], None]
    choice: str = ""
    talk: tuple[str, str, dict[str, Any]] | None = None
    done: str = ""  # words of the answer that mean yes, where the press changes nothing but a card

    @property
    def verb(self) -> str:
        return self.action.partition(":")[0]


def press(plant: Plant, who: str, button: Button) -> Outcome:
    """`who` presses; everything is rolled back."""
    with plant.work() as work:
        button.scene(work)
        person = work.people.by_name(who)[0]
        account = person.accounts[0]
        number = next(_numbers)
        message = Inbound(
            account.platform, f"k{number}", account.user_id, Kind.PRESS, plant.now,
            press=Press(action=button.action, choice=button.choice),
        )  # fmt: skip
        turn = Turn(work=work, message=message, inbox_id=number, account=account, person=person, at=plant.now)
        work.conversations.end(turn.chat_key, at=plant.now)
        if button.talk is not None:
            flow, state, facts = button.talk
            work.conversations.move(turn.chat_key, flow=flow, state=state, facts=facts, at=plant.now, expires_at=None)
        turn.conversation = work.conversations.load(turn.chat_key, at=plant.now)
        work.flush()
        did: set[str] = set()

        def note(session: Any, *_: object) -> None:
            touched = [*session.new, *session.deleted, *(row for row in session.dirty if session.is_modified(row))]
            ended = [row for row in touched if isinstance(row, Conversation) and not row.flow]
            did.update(type(row).__name__ for row in touched if not isinstance(row, ANSWERS) and row not in ended)

        event.listen(work.db, "before_flush", note)
        plant.services.router.find(turn).run(turn)
        work.flush()
        rows = work.db.scalars(select(Delivery).where(Delivery.dedupe_key.like(f"turn:{number}:%")))
        told = "\n".join(str(row.payload.get("text", "")) for row in rows)
        work.db.rollback()
    if button.done and button.done in told:
        did.add("CaseCard")
    return Outcome(frozenset(did), told)
