"""A permit that the system cannot judge: not known is no pass, so the work stops as for any other rule, and who must mend it hears.

Facts that are not known are a matter of the rules (feel.py); here the judging itself breaks, or never comes to its end.
"""

from __future__ import annotations

from bot import outbox
from handlers import duty
from handlers.permit import cast, feel
from rules.permit.life import PermitState
from rules.terms import Role
from storage.models import Person
from storage.unit_of_work import UnitOfWork

WHY = {
    "rule": "unjudged",
    "clause": "",
    "message": "情况不明,系统无法判定",
    "resumes_when": "系统能够判定后,由监护人或当班班长恢复作业",
}


def stop(work: UnitOfWork, permit_id: int) -> bool:
    """Suspend work under way; False when nobody works by this permit."""
    permit = work.permits.to_judge(permit_id, lock=True)
    if PermitState(permit.state) not in feel.STOPPABLE:
        return False
    feel.suspend(work, permit, [WHY], by=None, via="clock")
    text = (
        f"{permit.number} 系统无法判定(程序出错),已按“情况不明”叫停并通知票上所有人撤离。"
        f"请安全员到现场核实;请管理员把编号 permit={permit.id} 发给维护人员。能够判定后由监护人或当班班长恢复作业。"
    )
    cast.tell(work, permit, _who(work), text, tag="unjudged")
    return True


def tell_not_stopped(work: UnitOfWork, permit_id: int) -> None:
    """Even the stop broke: people have to do it themselves."""
    permit = work.permits.to_judge(permit_id)
    if PermitState(permit.state) not in feel.STOPPABLE:
        return
    text = f"⚠ {permit.number} 系统无法判定,也没能自动叫停。请马上人工叫停作业、让人撤离,并告诉管理员(permit={permit.id})。"
    cast.tell(work, permit, _who(work), text, tag="unstopped")
    cast.tell(work, permit, cast.everyone(permit), text, tag="unstopped", urgency=outbox.ALARM)


def _who(work: UnitOfWork) -> list[Person]:
    """Safety officers and admins, each once."""
    return list({p.id: p for p in [*duty.safety_officers(work), *work.people.with_role(Role.ADMIN)]}.values())
