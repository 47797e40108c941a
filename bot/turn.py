"""One inbound message being handled: who said it, what the bot answers, where the dialogue goes next."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot import outbox
from bot.message import Inbound, Kind
from bot.platforms.base import only_answers
from cards.card import Button, Card
from storage.models import Account, Conversation, Person
from storage.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Fetched:
    """A picture or voice that was fetched before the turn. `refused` is the Chinese reason when it cannot be used."""

    kind: str
    sha256: str = ""
    refused: str = ""
    codes: tuple[str, ...] = ()  # QR and bar codes read from the picture


@dataclass(slots=True)
class Turn:
    """Everything a flow function may use. Nothing here touches the network."""

    work: UnitOfWork
    message: Inbound
    inbox_id: int
    account: Account
    person: Person
    at: datetime  # now: when the turn is handled
    fetched: tuple[Fetched, ...] = ()
    conversation: Conversation | None = None
    data: dict[str, Any] = field(default_factory=dict)
    _said: int = 0

    @property
    def text(self) -> str:
        """What was said. A speech service puts a full stop behind every utterance («取消。»), which says nothing."""
        said = self.message.text.strip()
        return said.rstrip("。. ") if self.message.kind is Kind.VOICE else said

    @property
    def command(self) -> str:
        """The words without the signs around them: «帮助。», «待办!»; a lone «?» stays."""
        return self.text.strip(" \t\n。.!\uff01?\uff1f~\uff5e,\uff0c、;\uff1b…") or self.text

    @property
    def via(self) -> str:
        return self.message.platform

    @property
    def in_group(self) -> bool:
        """Said in a group. What follows a pressed card is between the bot and the presser, wherever the card hangs."""
        return bool(self.message.group) and self.message.press is None

    @property
    def chat_key(self) -> str:
        base = f"person:{self.person.id}"
        return f"{base}@{self.message.platform}:{self.message.group}" if self.in_group else base

    @property
    def facts(self) -> dict[str, Any]:
        return dict(self.conversation.facts) if self.conversation else {}

    @property
    def where(self) -> outbox.Address:
        return outbox.Address(
            platform=self.message.platform,
            user_id="" if self.in_group else self.account.user_id,
            group_id=self.message.group if self.in_group else "",
            person_id=None if self.in_group else self.person.id,
        )

    def say(self, text: str, *, case: tuple[str, int] | None = None, urgency: int = 2, purpose: str = "reply") -> None:
        """Answer in the chat the message came from."""
        self._said += 1
        outbox.say(
            self.work,
            self.where,
            text,
            purpose=purpose,
            case=case,
            urgency=urgency,
            reply_to=self.message.reply_to,
            dedupe_key=f"turn:{self.inbox_id}:{self._said}",
        )

    def show(
        self, card: Card, *, key: str, case: tuple[str, int] | None = None, purpose: str = "reply", again: bool = False
    ) -> None:
        """Show a live card in the chat the message came from; `key` names it for later redraws.

        A card that hangs there already is redrawn where it is, or, with `again`, posted anew at the chat's end as well.
        """
        self._said += 1
        outbox.post_card(
            self.work,
            key,
            card,
            [self.where],
            case=case,
            purpose=purpose,
            urgency=2,
            batch=f"turn:{self.inbox_id}:{self._said}",
            again=again,
            reply_to=self.message.reply_to if only_answers(self.where.group_id) else None,
        )

    def ask(
        self,
        question: str,
        *,
        flow: str,
        state: str,
        facts: dict[str, Any] | None = None,
        choices: list[tuple[str, str]] | None = None,
        note: str = "",
        page: str = "",
        expires_after: timedelta = timedelta(minutes=30),
    ) -> None:
        """Ask one question and remember where we are. `choices` are (label, action) buttons under it."""
        self.work.conversations.move(
            self.chat_key, flow=flow, state=state, facts=facts or {}, at=self.at, expires_at=self.at + expires_after
        )
        if choices or page:
            buttons = tuple(Button(label, action) for label, action in choices or [])
            card = Card(title=question, colour="blue", note=note, buttons=buttons[:6], page=page, state="ask")
            self.show(card, key=f"ask:{self.inbox_id}")
        else:
            self.say(question + (f"\n{note}" if note else ""))

    def stay(self, *, flow: str, state: str, facts: dict[str, Any], expires_after: timedelta) -> None:
        """Remember where we are without a question."""
        self.work.conversations.move(
            self.chat_key, flow=flow, state=state, facts=facts, at=self.at, expires_at=self.at + expires_after
        )

    def done(self) -> None:
        """The dialogue is over."""
        self.work.conversations.end(self.chat_key, at=self.at)
