"""Which function handles a message. Dictionaries first, so the cost does not grow with the number of flows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from bot.flow import Expect, Flow, Press, Step
from bot.message import Kind
from bot.turn import Turn


@dataclass(slots=True)
class Route:
    """What was found: a name for the log, and the call."""

    name: str
    run: Step


def _hears(expect: Expect, turn: Turn) -> bool:
    """Whether the turn says this; a command also with signs around it («帮助。», «YH-0001!»), which are then taken off."""
    if expect.matches(turn):
        return True
    if not expect.is_command or turn.command == turn.text:
        return False
    clean = replace(turn, message=turn.message.with_text(turn.command))
    if not expect.matches(clean):
        return False
    turn.message = clean.message
    return True


@dataclass(slots=True)
class Router:
    """Order: buttons, menus, what is heard before all else, words heard anywhere in the open dialogue, commands of other
    flows where it gives way to them, its state, what starts a flow, help."""

    flows: Sequence[Flow]
    help: Step
    _by_name: dict[str, Flow] = field(default_factory=dict)
    _buttons: dict[str, Press] = field(default_factory=dict)
    _menus: dict[str, Step] = field(default_factory=dict)
    _words: dict[str, tuple[str, Step]] = field(default_factory=dict)  # whole-text commands that start something
    _starts: dict[Kind, list[tuple[str, Expect]]] = field(default_factory=dict)
    _first: dict[Kind, list[tuple[str, Expect]]] = field(default_factory=dict)
    _asides: list[tuple[str, Expect]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for flow in self.flows:
            if flow.name in self._by_name:
                raise ValueError(f"two flows are named {flow.name}")
            self._by_name[flow.name] = flow
            for action, press in flow.buttons.items():
                if action in self._buttons:
                    raise ValueError(f"two flows own the button {action}")
                self._buttons[action] = press
            self._menus.update(flow.menus)
            for expect in flow.first:
                for kind in (expect.kind, Kind.VOICE) if expect.by_voice else (expect.kind,):
                    self._first.setdefault(kind, []).append((flow.name, expect))
            self._asides += [(flow.name, expect) for expect in (*flow.starts, *flow.asides) if expect.is_command]
            self._asides += [(flow.name, expect) for expect in flow.asides if not expect.is_command]
            for expect in flow.starts:
                if expect.words and expect.fits is None and expect.pattern is None:
                    self._words.update(dict.fromkeys(expect.words, (flow.name, expect.step)))
                else:
                    for kind in (expect.kind, Kind.VOICE) if expect.by_voice else (expect.kind,):
                        self._starts.setdefault(kind, []).append((flow.name, expect))

    def find(self, turn: Turn) -> Route:
        message = turn.message
        if message.press is not None:
            return self._button(message.press.action)
        if message.kind is Kind.MENU and message.menu in self._menus:
            return Route(f"menu:{message.menu}", self._menus[message.menu])
        for name, expect in self._first.get(message.kind, ()):
            if _hears(expect, turn):
                return Route(f"{name}:first", expect.step)
        talk = self._by_name.get(turn.conversation.flow) if turn.conversation else None
        if talk is not None and turn.conversation is not None:
            state = turn.conversation.state
            for expect in talk.anywhere:
                if _hears(expect, turn):
                    return Route(f"{talk.name}:{state}", expect.step)
            if state in talk.gives_way and message.kind in (Kind.TEXT, Kind.VOICE):
                aside = self._aside(turn, talk.name)
                if aside is not None:
                    return aside
            for expect in talk.states.get(state, ()):
                if expect.matches(turn):
                    return Route(f"{talk.name}:{state}", expect.step)
        if message.kind in (Kind.TEXT, Kind.VOICE):
            known = self._words.get(turn.text) or self._words.get(turn.command)
            if known is not None:
                return Route(*known)
        for name, expect in self._starts.get(message.kind, ()):
            if _hears(expect, turn):
                return Route(name, expect.step)
        return Route("help", self.help)

    def _aside(self, turn: Turn, open_flow: str) -> Route | None:
        """A command of another flow than the open one, or a question for it; then the open dialogue goes on."""
        for name, expect in self._asides:
            if name != open_flow and _hears(expect, turn):
                return Route(f"{name}:aside", partial(self._and_back, expect.step))
        return None

    def _and_back(self, step: Step, turn: Turn) -> None:
        """Do something else, then go on with the open dialogue, unless another one that waits for words was begun."""
        talk = turn.conversation
        assert talk is not None
        flow, state, facts, until = talk.flow, talk.state, dict(talk.facts), talk.expires_at
        step(turn)
        now = turn.work.conversations.load(turn.chat_key, at=turn.at)
        if now is None or not (now.flow in self._by_name and self._by_name[now.flow].waits_for_words(now.state)):
            turn.work.conversations.move(
                turn.chat_key, flow=flow, state=state, facts=facts, at=turn.at, expires_at=until
            )

    def _button(self, action: str) -> Route:
        name, _, rest = action.partition(":")
        press = self._buttons.get(name)
        if press is None:
            return Route("button:unknown", self.help)
        return Route(f"button:{name}", lambda turn: press(turn, rest))
