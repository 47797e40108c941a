"""Leave and substitutes in chat: «请假3天 李强代班», «销假», «代班表»."""

from __future__ import annotations

import re
from datetime import timedelta

from bot import outbox
from bot.flow import Flow, like, said
from bot.turn import Turn
from cards.words import local

ASK = re.compile(r"^(?:请假|休假|出差)\s*(\d{1,2})\s*天[\s,,]*(?:由|请)?\s*([一-鿿·]{2,8}?)?\s*(?:代班|顶班|代我)?$")


def away(turn: Turn) -> None:
    """From now for so many days; what would go to me goes to the substitute."""
    match = ASK.match(turn.text)
    if match is None:
        turn.say("请这样说:请假3天 李强代班。没有代班人时,隐患会直接通知上一级。")
        return
    days, name = int(match.group(1)), match.group(2) or ""
    substitutes = turn.work.people.by_name(name) if name else []
    if name and len(substitutes) != 1:
        turn.say(f"{'没有找到' if not substitutes else '有多位'}“{name}”,请写代班人的全名。")
        return
    substitute = substitutes[0] if substitutes else None
    if substitute is not None and substitute.id == turn.person.id:
        turn.say("代班人不能是自己,请换一位。")
        return
    ends = turn.at + timedelta(days=days)
    turn.work.permits.touch_people([turn.person.id], at=turn.at)  # work that this person guards needs another guardian
    turn.work.wake.add("chat")
    turn.work.roster.add_leave(turn.person, starts_at=turn.at, ends_at=ends, substitute=substitute, at=turn.at)
    who = f"由{substitute.name}代班" if substitute else "没有代班人,期间直接通知上一级"
    turn.say(f"已登记:到{local(ends)},{who}。提前回来说“销假”。")
    if substitute is not None:
        address = outbox.address_of(turn.work.people.get(substitute.id))
        if address is not None:
            outbox.say(
                turn.work,
                address,
                f"{turn.person.name}请您代班到{local(ends)}:期间他的隐患通知会发给您。",
                purpose="roster",
                dedupe_key=f"leave:{turn.inbox_id}",
            )


def back(turn: Turn) -> None:
    ended = turn.work.roster.end_leave(turn.person, at=turn.at)
    turn.work.permits.touch_people([turn.person.id], at=turn.at)
    turn.say("已销假,通知恢复发给您。" if ended else "您没有在请假。")


flow = Flow(
    name="roster",
    starts=[like(r"^(请假|休假|出差)", away), said(("销假", "回来上班了"), back)],
)
