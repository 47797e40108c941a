"""Which function handles a message. Dictionaries first, so the cost does not grow with the number of flows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.flow import Expect, Flow, Press, Step
from bot.message import Kind
from bot.turn import Turn


@dataclass(slots=True)
class Route:
    """What was found: a name for the log, and the call."""

    name: str
    run: Step


@dataclass(slots=True)
class Router:
    """Order: buttons, menus, what is heard before all else, words heard anywhere in the open dialogue, its state, what
    starts a flow, help."""

    flows: Sequence[Flow]
    help: Step
    _by_name: dict[str, Flow] = field(default_factory=dict)
    _buttons: dict[str, Press] = field(default_factory=dict)
    _menus: dict[str, Step] = field(default_factory=dict)
    _words: dict[str, tuple[str, Step]] = field(default_factory=dict)  # whole-text commands that start something
    _starts: dict[Kind, list[tuple[str, Expect]]] = field(default_factory=dict)
    _first: dict[Kind, list[tuple[str, Expect]]] = field(default_factory=dict)

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
            if expect.matches(turn):
                return Route(f"{name}:first", expect.step)
        talk = self._by_name.get(turn.conversation.flow) if turn.conversation else None
        if talk is not None and turn.conversation is not None:
            for expect in (*talk.anywhere, *talk.states.get(turn.conversation.state, ())):
                if expect.matches(turn):
                    return Route(f"{talk.name}:{turn.conversation.state}", expect.step)
        if message.kind in (Kind.TEXT, Kind.VOICE) and turn.text in self._words:
            name, step = self._words[turn.text]
            return Route(name, step)
        for name, expect in self._starts.get(message.kind, ()):
            if expect.matches(turn):
                return Route(name, expect.step)
        return Route("help", self.help)

    def _button(self, action: str) -> Route:
        name, _, rest = action.partition(":")
        press = self._buttons.get(name)
        if press is None:
            return Route("button:unknown", self.help)
        return Route(f"button:{name}", lambda turn: press(turn, rest))
