"""A dialogue as one table: what starts it, what each state expects, what is heard anywhere.

flow = Flow(
    name="hazard.report",
    starts=[on(Kind.IMAGE, photo_received)],
    states={PLACE: [on(Kind.TEXT, place_said), on(Kind.PLACE, place_sent)]},
    anywhere=[said("取消", cancelled)],
)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bot.message import Kind
from bot.turn import Turn

Step = Callable[[Turn], None]
"""Handles one message; answers through the turn."""

Press = Callable[[Turn, str], None]
"""Handles one pressed button; the second argument is what follows the colon of its action."""


@dataclass(frozen=True, slots=True)
class Expect:
    """One line of a flow table: this kind of message, saying this (when given), goes to this function."""

    kind: Kind
    step: Step
    words: frozenset[str] = frozenset()
    pattern: re.Pattern[str] | None = None
    fits: Callable[[Turn], bool] | None = None

    @property
    def by_voice(self) -> bool:
        """Words that can be typed can be spoken as well."""
        return self.kind is Kind.TEXT and bool(self.words or self.pattern)

    @property
    def is_command(self) -> bool:
        """Said in set words, or in a form with a beginning: nobody describes anything so."""
        return bool(self.words) or (self.pattern is not None and "^" in self.pattern.pattern[:8])

    def matches(self, turn: Turn) -> bool:
        kind = turn.message.kind
        if kind is not self.kind and not (kind is Kind.VOICE and self.by_voice and turn.text):
            return False
        if self.words and turn.text not in self.words:
            return False
        if self.pattern is not None and not self.pattern.search(turn.text):
            return False
        return self.fits is None or self.fits(turn)


def on(kind: Kind, step: Step, *, fits: Callable[[Turn], bool] | None = None) -> Expect:
    return Expect(kind, step, fits=fits)


def said(words: str | Sequence[str], step: Step) -> Expect:
    """Exactly one of these words, typed or spoken."""
    return Expect(Kind.TEXT, step, words=frozenset([words] if isinstance(words, str) else words))


def like(pattern: str, step: Step) -> Expect:
    """Words, typed or spoken, that contain this pattern."""
    return Expect(Kind.TEXT, step, pattern=re.compile(pattern))


def menu(key: str, step: Step) -> Expect:
    return Expect(Kind.MENU, step, fits=lambda turn: turn.message.menu == key)


@dataclass(frozen=True, slots=True)
class Flow:
    name: str
    starts: Sequence[Expect] = ()
    states: dict[str, Sequence[Expect]] = field(default_factory=dict)
    anywhere: Sequence[Expect] = ()
    first: Sequence[Expect] = ()  # heard before any open dialogue, whoever's it is: danger, «待办», a number
    asides: Sequence[Expect] = ()  # heard in the middle of a dialogue that gives way: a question of another kind
    gives_way: frozenset[str] = frozenset()  # states that take any words, but no command of another flow for one
    buttons: dict[str, Press] = field(default_factory=dict)  # "hazard.accept": function
    menus: dict[str, Step] = field(default_factory=dict)

    def waits_for_words(self, state: str) -> bool:
        return any(expect.kind is Kind.TEXT for expect in self.states.get(state, ()))
