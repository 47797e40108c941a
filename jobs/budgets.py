"""Watching the platforms' monthly budgets: the admins hear in time that a month will run out, once a day at most."""

from __future__ import annotations

import structlog
from redis.exceptions import RedisError

from bot import outbox
from jobs.context import Services
from jobs.queue import DELIVERY
from rules.terms import Role

log = structlog.get_logger()


def warn(services: Services) -> int:
    """Tell the admins when the month's calls will not last; returns how many people were told."""
    told = 0
    for name, platform in services.platforms.items():
        meter = getattr(platform, "meter", None)
        if meter is None:
            continue
        try:
            use = meter.month()
        except RedisError as error:
            log.warning("budget.unknown", platform=name, error=type(error).__name__)
            continue
        if not use.runs_out:
            continue
        text = (
            f"{platform.title}接口额度:本月已用{use.used}次/{use.limit}次,照此到月底约{use.expected}次,会不够用。"
            "请考虑升级版本,或把三级隐患改由企业微信通知(flask policy set)。"
        )
        with services.new_work() as work:
            for admin in work.people.with_role(Role.ADMIN):
                address = outbox.address_of(admin)
                day = work.at.astimezone(services.zone).strftime("%Y%m%d")
                if address is not None and outbox.say(
                    work, address, text, purpose="budget", dedupe_key=f"budget:{name}:{day}", urgency=outbox.LATER
                ):
                    told += 1
            work.commit()
    if told:
        services.kick(DELIVERY)
    return told
