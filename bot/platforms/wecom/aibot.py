"""A decrypted callback of the 智能机器人 (aibot, URL mode) as an Inbound: what is said to it in a group, and presses.

A self-built app never hears a group; this robot does, when it is @-ed. It may answer each message once, at the
`response_url` that came with it, so that address travels with the message (bot/platforms/wecom/aibot_answers.py).
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import datetime

from bot.message import Inbound, Kind, Press
from bot.platforms.base import ANSWERS_ONLY
from bot.platforms.wecom.crypto import Corrupt
from bot.platforms.wecom.parse import PLATFORM
from bot.platforms.wecom.render import CHOICE_KEY, NO_CHOICE
from bot.platforms.wecom.text import clean, cut_bytes, safe_markdown
from bot.platforms.wecom.values import ID_CHARS, Data, as_dict, code_of, id_of, words_of

ANSWER_BYTES = 20480
# «@安哨 » where it was said; the client ends a name with a blank of one kind or another.
_CALLED_FIRST = re.compile(r"^\s*@\S+\s*")
_CALLED = re.compile(r"\s*@\S+\s*")
_SILENT_EVENTS = frozenset({"enter_chat", "feedback_event", "disconnected_event"})


def read(text: str) -> Data:
    """The fields of one message or event. Raises Corrupt when it is none."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise Corrupt("content") from None
    if not isinstance(data, dict):
        raise Corrupt("content")
    return data


def can_be_answered(data: Data) -> bool:
    """Whether a passive text would be shown: to a message, not to an event."""
    return words_of(data, "msgtype") != "event"


def has_pictures(data: Data) -> bool:
    """Whether a mixed message brought pictures: they lie encrypted at addresses of five minutes, and are not fetched."""
    return any(part.get("msgtype") == "image" for part in _parts(data))


def inbound_of(data: Data, *, now: datetime) -> Inbound | None:
    """The Inbound of one callback; None for what nobody said (a poll of a stream, a greeting, a like).

    `reply_to` holds: response_url (to be posted to once within the hour), user (who asked), and answers as in parse.py.
    The callback has no time of a message, so `sent_at` is now.
    """
    kind, event = words_of(data, "msgtype"), as_dict(data.get("event"))
    if kind == "stream" or (kind == "event" and words_of(event, "eventtype") in _SILENT_EVENTS):
        return None
    sender, chat = id_of(as_dict(data.get("from")), "userid"), id_of(data, "chatid")
    in_group = words_of(data, "chattype") == "group" or bool(chat)
    right = code_of(data, "response_url") if in_group else ""
    found = _press(event, right) if kind == "event" else _said(data, kind, in_group=in_group)
    asked = {"response_url": right, "user": sender} if in_group and kind != "event" else {}
    found["reply_to"] = {**{n: v for n, v in asked.items() if v}, **found.get("reply_to", {})}
    return Inbound(
        platform=PLATFORM,
        key=_key(data),
        sender=sender,
        sent_at=now,
        group=f"{ANSWERS_ONLY}{chat}" if in_group else "",
        **found,
    )


def passive_text(text: str, *, ref: str) -> str:
    """The reply that shows a text at once: a stream that is finished with its first part."""
    content = cut_bytes(safe_markdown(text), ANSWER_BYTES)
    stream = {"id": hashlib.sha256(ref.encode()).hexdigest()[:32], "finish": True, "content": content}
    return json.dumps({"msgtype": "stream", "stream": stream}, ensure_ascii=False)


def _said(data: Data, kind: str, *, in_group: bool) -> Data:
    if kind == "voice":  # it comes as words; in a group it never comes
        words = words_of(as_dict(data.get("voice")), "content").strip()
        return {"kind": Kind.VOICE, "text": clean(words)} if words else {"kind": Kind.UNKNOWN}
    text = _text_of(data)
    if text is None:
        return {"kind": Kind.UNKNOWN}
    if in_group:
        text = _without_call(text)
        quoted = _text_of(as_dict(data.get("quote"))) if not text else None
        text = _without_call(quoted) if quoted else text  # only @-ed under a quote: the quote is the question
    return {"kind": Kind.TEXT, "text": text}


def _text_of(data: Data) -> str | None:
    """The words of a text or of a mixed message's text parts; None for other types."""
    kind = words_of(data, "msgtype")
    if kind == "text":
        return clean(words_of(as_dict(data.get("text")), "content")).strip()
    if kind != "mixed":
        return None
    texts = [part for part in _parts(data) if part.get("msgtype") == "text"]
    words = [words_of(as_dict(part.get("text")), "content").strip() for part in texts]
    return clean("\n".join(word for word in words if word))


def _parts(data: Data) -> list[Data]:
    """The parts of a mixed message, none of any other."""
    items = as_dict(data.get("mixed")).get("msg_item") if words_of(data, "msgtype") == "mixed" else None
    return [as_dict(item) for item in items] if isinstance(items, list) else []


def _without_call(text: str) -> str:
    without, found = _CALLED_FIRST.subn("", text, count=1)
    return (without if found else _CALLED.sub(" ", text, count=1)).strip()


def _press(event: Data, right: str) -> Data:
    """The documents nest the fields under the event's name, the vendor's typings do not: both are read.

    `right`: the address that came with the press, where one more thing may be said.
    """
    if words_of(event, "eventtype") != "template_card_event":
        return {"kind": Kind.UNKNOWN}
    inner = as_dict(event.get("template_card_event")) or event
    action = code_of(inner, "event_key")
    if not action:
        return {"kind": Kind.UNKNOWN}
    answers = _answers(inner)
    chosen = answers.get(CHOICE_KEY) or next(iter(answers.values()), [])
    choice = ",".join(option for option in chosen if option != NO_CHOICE)
    press = Press(action=action, choice=choice, card_ref=id_of(inner, "task_id"), response_code=right)
    return {"kind": Kind.PRESS, "press": press, "reply_to": {"answers": answers} if len(answers) > 1 else {}}


def _answers(inner: Data) -> dict[str, list[str]]:
    found = {}
    items = as_dict(inner.get("selected_items")).get("selected_item")
    for item in map(as_dict, items if isinstance(items, list) else []):
        key, options = code_of(item, "question_key"), as_dict(item.get("option_ids")).get("option_id")
        if key and isinstance(options, list):
            found[key] = [option for option in options if isinstance(option, str) and len(option) <= ID_CHARS]
    return found


def _key(data: Data) -> str:
    """What a repeated delivery shares; apart from the ids of the app's own messages."""
    number = id_of(data, "msgid")
    if number:
        return f"bot:{number}"
    try:
        told = json.dumps(data, sort_keys=True)
    except RecursionError:
        raise Corrupt("depth") from None
    return "bot:" + hashlib.sha256(told.encode()).hexdigest()[:40]
