"""The admin's card of a published policy: what it would change on open cases, and the one press that moves them."""

from __future__ import annotations

from collections.abc import Sequence

from cards.card import Button, Card, Fact
from cards.words import local, short
from storage.models import Policy

SHOWN = 3


def key_of(version: int) -> str:
    return f"policy:{version}"


def page_of(version: int) -> str:
    return f"/h5/policy/{version}"


def admin_card(row: Policy, *, open_cases: int, changed: int, lines: Sequence[str], newest: bool) -> Card:
    """`open_cases` go by other versions, of those `changed` would be different; `lines` say how."""
    buttons: tuple[Button, ...] = (Button("看全部变化", url=page_of(row.version)),)
    note = "点“改用新策略”,在办案件一次全部改用;不点,它们仍按原来的走。"
    title = f"策略 v{row.version} 已生效"
    if row.moved_at is not None:
        title, note = f"策略 v{row.version}:在办案件已改用", f"{local(row.moved_at)} 改用完成,共{row.moved_count}条。"
    elif row.move_asked_at is not None:
        title, note = f"策略 v{row.version}:正在改用", "正在逐条改用,完成后告诉您。"
    elif not newest:
        title, note = f"策略 v{row.version} 已被更新的版本取代", "请看最新版本的卡片。"
    elif not open_cases:
        note = "没有按旧版本走的在办案件。"
    else:
        buttons = (Button("改用新策略", f"policy.move:{row.version}", "primary"), *buttons)
    return Card(
        title=title,
        colour="blue",
        facts=(
            Fact("发布", local(row.created_at)),
            Fact("按旧版", f"{open_cases}条在办"),
            Fact("会变的", f"{changed}条"),
        ),
        body="\n".join(short(line, 60) for line in lines[:SHOWN]),
        note=note,
        page=page_of(row.version),
        buttons=buttons,
        state="policy",
    )
