"""The neutral card as WeCom's template cards, all five kinds, and as markdown where no card can go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.platforms.wecom.text import MORE, clean, cut_bytes, cut_chars, plain
from cards.card import Button, Card, Fact, Option, Select

CHOICE_KEY = "choice"
NO_CHOICE = "-"  # a drop-down shows its first option as chosen, so the first one says that nothing is
ASK = "请选择"
DETAILS = "查看详情"
PICTURE = "查看照片"
MAX_OPTIONS = 10
MAX_LINKS = 3

_COLOUR = {"red": 2, "orange": 2, "yellow": 1, "green": 3, "grey": 0, "blue": 1}
# 3 and 4 are drawn differently in the two pictures WeCom has published; 1 and 2 are not in doubt.
_STYLE = {"primary": 1, "normal": 2, "danger": 4}

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Look:
    """How long each part may be, in characters: longer ones would be cut by the client without a word."""

    source: int = 20
    title: int = 36
    subtitle: int = 44
    text: int = 160
    fact_name: int = 5
    fact_value: int = 30
    link: int = 18
    row_title: int = 38
    row_text: int = 160
    button: int = 10
    option: int = 16


APP = Look()
ROBOT = Look(source=13, title=26, subtitle=30, text=112, fact_value=26, link=13, row_title=26, row_text=112)


class Renderer:
    """Draws cards. `picture_url` turns a stored picture's SHA-256 into an address; `source` names the plant."""

    def __init__(self, *, public_url: str, picture_url: Callable[[str], str], source: str) -> None:
        self._public_url, self._picture_url, self._source = public_url.rstrip("/"), picture_url, source

    def template_card(self, card: Card, *, ref: str = "", look: Look = APP) -> Json:
        """The kind that fits: buttons to press, else a picture, else text. `ref` is the task_id; none in updates."""
        if any(button.action for button in card.buttons):
            return self.button_interaction(card, ref=ref, look=look)
        return self.notice(card, look)

    def notice(self, card: Card, look: Look = APP) -> Json:
        return self.news_notice(card, look) if card.picture else self.text_notice(card, look)

    def button_interaction(self, card: Card, *, ref: str = "", look: Look = APP) -> Json:
        """Up to six buttons, perhaps with one drop-down whose choice comes along with the press."""
        card = _whole_title(card, look)
        drawn = self._head("button_interaction", card, look) | _facts(card.facts, look)
        drawn["button_list"] = [self._button(button) for button in card.buttons]
        text = _body(card, look.text)
        if text:
            drawn["sub_title_text"] = text
        if card.picture:
            drawn["quote_area"] = {
                "type": 1,
                "url": self._picture_url(card.picture),
                "title": PICTURE,
                "quote_text": "点开看大图",
            }
        if card.page:
            drawn["card_action"] = {"type": 1, "url": self.page_url(card.page)}
        if card.select and card.select.options:
            drawn["button_selection"] = _question(CHOICE_KEY, card.select)
        return drawn | ({"task_id": ref} if ref else {})

    def text_notice(self, card: Card, look: Look = APP) -> Json:
        """Nothing to press; the whole card opens its page."""
        card = _whole_title(card, look)
        drawn = self._head("text_notice", card, look) | _facts(card.facts, look) | self._links(card, look)
        text = _body(card, look.text)
        if text:
            drawn["sub_title_text"] = text
        return drawn | {"card_action": {"type": 1, "url": self.page_url(card.page)}}

    def news_notice(self, card: Card, look: Look = APP) -> Json:
        """Nothing to press, with the picture on top. It has no free text, so body and note become rows."""
        if not card.picture:
            raise ValueError("a news_notice needs a picture")
        card = _whole_title(card, look)
        drawn = self._head("news_notice", card, look) | _facts(card.facts, look) | self._links(card, look)
        body, note = _cut_text(card.body, look.row_text), cut_chars(card.note, look.row_title)
        rows = [{"title": "说明", "desc": body}] if body else []
        rows += [{"title": note}] if note else []
        if rows:
            drawn["vertical_content_list"] = rows
        drawn["card_image"] = {"url": self._picture_url(card.picture)}
        return drawn | {"card_action": {"type": 1, "url": self.page_url(card.page)}}

    def vote_interaction(
        self, card: Card, options: Sequence[Option], *, submit: Button, ref: str = "", several: bool = False
    ) -> Json:
        """One question with up to 20 answers; title and colour are the card's, the answer comes as Press.choice."""
        if not 1 <= len(options) <= 20:
            raise ValueError(f"a vote has 1 to 20 options, not {len(options)}")
        drawn = self._head("vote_interaction", card, APP) | _submit(submit)
        drawn["checkbox"] = {
            "question_key": CHOICE_KEY,
            "mode": int(several),
            "option_list": [
                {"id": option.id, "text": cut_chars(option.label, 17), "is_checked": False} for option in options
            ],
        }
        return drawn | ({"task_id": ref} if ref else {})

    def multiple_interaction(
        self, card: Card, questions: Sequence[tuple[str, Select]], *, submit: Button, ref: str = ""
    ) -> Json:
        """Up to three drop-downs, each (question key, Select); all answers come in Inbound.reply_to["answers"]."""
        if not 1 <= len(questions) <= 3:
            raise ValueError(f"a form has 1 to 3 questions, not {len(questions)}")
        drawn = self._head("multiple_interaction", card, APP) | _submit(submit)
        drawn["select_list"] = [_question(key, select) for key, select in questions]
        return drawn | ({"task_id": ref} if ref else {})

    def markdown(self, card: Card, *, limit_bytes: int) -> str:
        """For places that take no cards: groups the app made, and a group robot's plain messages."""
        colour = {2: "warning", 3: "info"}.get(_COLOUR[card.colour], "comment")
        lines = [f"### {plain(card.title)}"]
        if card.subtitle:
            lines.append(f'<font color="{colour}">{plain(card.subtitle)}</font>')
        lines += [f"**{plain(fact.name)}**:{plain(fact.value)}" for fact in card.facts if fact.value]
        end = f"\n[{DETAILS}]({self.page_url(card.page)})" if card.page else ""
        body = "\n".join(f"> {line}" for part in (card.body, card.note) for line in plain(part).splitlines() if line)
        text = "\n".join([*lines, body] if body else lines)
        return cut_bytes(text, limit_bytes - len(end.encode()), end=MORE) + end

    def page_url(self, page: str) -> str:
        """Absolute address of a page; the entry page when the card has none of its own."""
        if page.startswith(("http://", "https://")):
            return page
        return self._public_url + (page if page.startswith("/") else "/" + page)

    def _head(self, kind: str, card: Card, look: Look) -> Json:
        title = {"title": cut_chars(card.title, look.title)}
        if card.subtitle:
            title["desc"] = cut_chars(card.subtitle, look.subtitle)
        source = {"desc": cut_chars(self._source, look.source), "desc_color": _COLOUR[card.colour]}
        return {"card_type": kind, "source": source, "main_title": title}

    def _button(self, button: Button) -> Json:
        drawn: Json = {"text": cut_chars(button.label, APP.button), "style": _STYLE[button.style]}
        if button.action:
            return drawn | {"type": 0, "key": button.action}
        return drawn | {"type": 1, "url": self.page_url(button.url)}

    def _links(self, card: Card, look: Look) -> Json:
        rows = [
            {"type": 1, "title": cut_chars(button.label, look.link), "url": self.page_url(button.url)}
            for button in card.buttons
            if button.url
        ]
        return {"jump_list": rows[:MAX_LINKS]} if rows else {}


_ENDS = ("。？！；?!;", "，、：,: ")  # of a sentence, else of a part of one


def _whole_title(card: Card, look: Look) -> Card:
    """A title that is too long goes on in the text: of a question its end is what people must read."""
    line = " ".join(clean(card.title).split())
    if len(line) <= look.title:
        return card
    head = line[: look.title]
    at = next((at for marks in _ENDS if (at := max(head.rfind(mark) for mark in marks)) > 3), None)
    if at is None:
        return replace(card, body=f"{line}\n{card.body}")  # it cannot be parted: it stands there once more as a whole
    title = line[:at] if line[at] not in "？！?!" else line[: at + 1]
    return replace(card, title=title, body=f"{line[at + 1 :].strip()}\n{card.body}".rstrip())


def _facts(facts: Sequence[Fact], look: Look) -> Json:
    """Lines that say nothing, also because nothing of them can be shown, are left out."""
    rows = [
        {"keyname": cut_chars(fact.name, look.fact_name), "value": cut_chars(fact.value, look.fact_value)}
        for fact in facts
    ]
    rows = [row for row in rows if row["keyname"] and row["value"]]
    return {"horizontal_content_list": rows} if rows else {}


def _body(card: Card, limit: int) -> str:
    """Body and note within the limit: the note says what to do next, so the body is what is cut."""
    note = _cut_text(card.note, limit // 2)
    room = limit - len(note) - 1 if note else limit
    return "\n".join(part for part in (_cut_text(card.body, room), note) if part)


def _cut_text(text: str, limit: int) -> str:
    text = clean(text).strip()
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _question(key: str, select: Select) -> Json:
    """A drop-down. With ten options there is no room for «请选择»: then the first one stands there as chosen."""
    options = [Option(NO_CHOICE, ASK), *select.options] if len(select.options) < MAX_OPTIONS else [*select.options]
    rows = [{"id": option.id, "text": cut_chars(option.label, APP.option)} for option in options]
    return {"question_key": key, "title": cut_chars(select.title, APP.option), "option_list": rows}


def _submit(button: Button) -> Json:
    return {"submit_button": {"text": cut_chars(button.label, APP.button), "key": button.action}}
