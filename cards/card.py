"""The neutral card. Platforms render it; nothing here knows WeCom or DingTalk."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Style = Literal["primary", "normal", "danger"]
Colour = Literal["red", "orange", "yellow", "green", "grey", "blue"]

MAX_BUTTONS = 6
MAX_FACTS = 6
MAX_OPTIONS = 10


@dataclass(frozen=True, slots=True)
class Fact:
    """One line «区域:甲醇罐区». WeCom shows 5 characters of the name and about 30 of the value."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Button:
    """`action` is `feature.verb:id` for a callback; with `url` set the button opens a page instead."""

    label: str
    action: str = ""
    style: Style = "normal"
    url: str = ""


@dataclass(frozen=True, slots=True)
class Option:
    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Select:
    """One drop-down; what is picked travels with the next press as `Press.choice`."""

    title: str
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """Title, facts, text, picture, buttons: the same on every platform, drawn as well as each can.

    `picture` is the SHA-256 of a stored picture; `page` the path of the H5 page behind the card («/h5/…»).
    An empty `buttons` means that nothing can be pressed any more.
    """

    title: str
    colour: Colour = "grey"
    subtitle: str = ""
    facts: tuple[Fact, ...] = ()
    body: str = ""
    note: str = ""
    picture: str = ""
    page: str = ""
    buttons: tuple[Button, ...] = ()
    select: Select | None = None
    state: str = ""

    def __post_init__(self) -> None:
        if len(self.buttons) > MAX_BUTTONS or len(self.facts) > MAX_FACTS:
            raise ValueError(f"a card holds at most {MAX_BUTTONS} buttons and {MAX_FACTS} facts: {self.title}")
        if self.select and len(self.select.options) > MAX_OPTIONS:
            raise ValueError(f"a select holds at most {MAX_OPTIONS} options: {self.title}")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Card:
        data = dict(data)
        data["facts"] = tuple(Fact(**f) for f in data.get("facts", ()))
        data["buttons"] = tuple(Button(**b) for b in data.get("buttons", ()))
        select = data.get("select")
        data["select"] = (
            Select(title=select["title"], options=tuple(Option(**o) for o in select["options"])) if select else None
        )
        return cls(**data)

    def as_text(self) -> str:
        """The card in plain words, for channels that have no cards (SMS, a webhook, a failed card)."""
        lines = [self.title, self.subtitle, *(f"{f.name}:{f.value}" for f in self.facts), self.body, self.note]
        return "\n".join(line for line in lines if line)
