"""Who is speaking: platform account → person; unknown senders; groups that an admin binds."""

from __future__ import annotations

import structlog

from bot import outbox
from bot.message import Inbound, Kind
from bot.platforms.base import only_answers
from bot.turn import Turn
from handlers import leaving
from rules.terms import Role
from storage.models import Account, GroupChat, Inbox, Person, RoleGrant
from storage.people import account_key, has_role
from storage.unit_of_work import UnitOfWork

log = structlog.get_logger()

UNKNOWN = (
    "您还不在本厂安全员名册里,我先把这条消息存好了。\n"
    "请把工号告诉安全员登记;登记好后会接着处理,不用重发。\n遇到险情请立即撤离并打厂内应急电话。"
)
NO_SENDER = "收到一条消息,但平台没有告诉我是谁发的(机器人版本可能还没发布),请管理员检查应用发布状态。"
UNSAID = {Kind.LEFT, Kind.ORG_CHANGED}  # told about somebody, not by them
SILENT = {Kind.ENTERED, Kind.LEFT, Kind.ORG_CHANGED, Kind.PHOTOS_COMING}


_admins: frozenset[tuple[str, str]] = frozenset()


def use_admins(admins: tuple[str, ...]) -> None:
    """The first bot admins by ANSHAO_ADMINS («wecom:userid»); set once by wiring."""
    global _admins
    pairs = (admin.partition(":") for admin in admins)
    _admins = frozenset((platform, account_key(platform, user)) for platform, _, user in pairs)


def _first_admin(work: UnitOfWork, message: Inbound, account: Account | None) -> Account | None:
    """An account named in the settings is an admin from its first word on, also before anybody was imported."""
    if (message.platform, account_key(message.platform, message.sender)) not in _admins:
        return account
    if account is None or account.person is None:
        code = f"{message.platform}:{message.sender}"
        person = work.people.by_code(code) or Person(
            code=code, name=message.sender_name or message.sender, created_at=work.at
        )
        work.db.add(person)
        account = work.people.add_account(message.platform, message.sender, at=work.at, person=person)
        log.info("admin.added", account=account.id)
    if account.person is not None and not has_role(account.person, Role.ADMIN):
        account.person.roles.append(RoleGrant(role=Role.ADMIN.value))
        work.flush()
    return account


def who(work: UnitOfWork, message: Inbound) -> tuple[Account, Person] | None:
    """The account and person behind a message; None when the plant does not know them (or they have left)."""
    if not message.sender:
        return None
    account = _first_admin(work, message, work.people.account(message.platform, message.sender))
    if account is None or account.person is None or not account.person.active:
        return None
    if message.kind not in UNSAID:
        account.last_seen_at = work.at
        leaving.is_here(account, message)
    if message.sender_union_id and not account.union_id:
        account.union_id = message.sender_union_id
    if message.position is not None and message.position.by_event:
        account.last_lat, account.last_lon = message.position.lat, message.position.lon
        account.last_accuracy_m, account.last_position_at = message.position.accuracy_m, message.sent_at
    return account, account.person


def unknown_sender(work: UnitOfWork, message: Inbound, row: Inbox) -> str:
    """Keep what an unknown sender said, tell them what to do, and tell the admins once."""
    if message.kind in SILENT:
        row.state, row.handled_at = "done", work.at
        return "unknown.silent"
    row.state, row.lease_until = "parked", None
    if not message.sender:
        if message.group:
            to = outbox.Address(message.platform, group_id=message.group)
            outbox.say(
                work,
                to,
                NO_SENDER,
                purpose="unknown",
                dedupe_key=f"nosender:{message.group}:{work.at:%Y%m%d}",
                reply_to=message.reply_to,
            )
        return "unknown.no_sender"
    account = work.people.add_account(message.platform, message.sender, at=work.at, nick=message.sender_name)
    to = outbox.Address(message.platform, user_id=account.user_id)
    outbox.say(
        work,
        to,
        UNKNOWN,
        purpose="unknown",
        urgency=outbox.REPLY,
        reply_to=None if message.group else message.reply_to,
        dedupe_key=f"unknown:{account.id}:{work.at:%Y%m%d%H}",
    )
    for admin in [*work.people.with_role(Role.ADMIN), *work.people.with_role(Role.SAFETY_OFFICER)][:3]:
        address = outbox.address_of(admin)
        if address is not None:
            outbox.say(
                work,
                address,
                f"有一位未登记人员在给机器人发消息({message.platform} 账号 {message.sender})。"
                "请在名册里补上此账号并重新导入,消息会自动接着处理。",
                purpose="unknown.admin",
                dedupe_key=f"unknown-admin:{account.id}:{work.at:%Y%m%d}",
            )
    log.warning("sender.unknown", account=account.id, inbound=row.id)
    return "unknown.parked"


def bind_account(work: UnitOfWork, account: Account, person: Person) -> int:
    """Give the account to the person and take up what was said before; returns how many messages wait."""
    account.person = person
    work.flush()
    return work.inbox.unpark(account.platform, account.user_id)


def bind_group(turn: Turn) -> None:
    """«绑定 合成车间», said to the bot in a group by an admin or safety officer: the group gets that workshop's cards."""
    if not turn.in_group:
        turn.say("请在要绑定的群里@我说“绑定 车间名”。")
        return
    if not (has_role(turn.person, Role.ADMIN) or has_role(turn.person, Role.SAFETY_OFFICER)):
        turn.say("只有管理员或安全员能绑定群,请联系他们。")
        return
    if only_answers(turn.message.group):
        turn.say("智能机器人只能在群里回答,不能主动发卡片。请在群里加“消息推送”机器人,由管理员配置后绑定。")
        return
    wanted = turn.text.removeprefix("绑定").strip()
    workshops = turn.work.plant.workshops()
    whole_plant = wanted in ("全厂", "本厂")
    if not whole_plant and wanted not in workshops:
        turn.say(f"没有找到“{wanted[:20]}”,可以绑定:{'、'.join(workshops)}、全厂。")
        return
    message = turn.message
    group = turn.work.people.group(message.platform, message.group)
    if group is None:
        group = GroupChat(platform=message.platform, conversation_id=message.group)
        turn.work.db.add(group)
    group.title, group.workshop, group.active = message.group_title, "" if whole_plant else wanted, True
    group.bound_by_id, group.bound_at = turn.person.id, turn.at
    turn.say(f"已绑定:本群接收“{wanted}”的隐患卡片。")


def unbind_group(turn: Turn) -> None:
    """«解绑»: the group gets no more cards."""
    group = turn.work.people.group(turn.message.platform, turn.message.group) if turn.in_group else None
    if group is None:
        turn.say("本群没有绑定过。")
        return
    if not (has_role(turn.person, Role.ADMIN) or has_role(turn.person, Role.SAFETY_OFFICER)):
        turn.say("只有管理员或安全员能解绑,请联系他们。")
        return
    group.active = False
    turn.say("已解绑,本群不再接收隐患卡片。")
