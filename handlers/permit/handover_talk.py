"""What changed is taken over item by item, never by one button (交接班同步风险变化, MA-04): then the relief guards.

The one who guards goes on guarding meanwhile (handlers/permit/handover.py), so reading costs nobody's safety.
"""

from __future__ import annotations

from bot.turn import Turn
from cards import permit as cards
from cards.words import local
from handlers.permit import actions, handover, running
from handlers.permit.talk import HANDOVER_ITEM, ask_about, guarded, permit_of
from rules.errors import RuleBroken
from rules.permit.life import PermitState
from storage.models import Permit, PermitApproval
from storage.unit_of_work import UnitOfWork

READ = ("已知晓", "知道了", "知道", "清楚", "好", "是")


def items(work: UnitOfWork, permit: Permit) -> list[tuple[str, str]]:
    """(item, words) the relief has to know; only what there is."""
    found = [("people", f"作业人{cards.people(permit, 'worker') or '未登记'},{permit.content[:60]}")]
    if permit.gas_tests:
        test = permit.gas_tests[-1]
        values = "、".join(f"{actions.gas_zh(v['gas'])}{v['value']:g}{v['unit']}" for v in test.values)
        found.append(("gas", f"最近气体分析 {local(test.at)}:{values}"))
    if permit.next_due:
        found.append(("due", "接下来:" + ";".join(cards.due_lines(permit.next_due)[:2])))
    locked = next((row for row in permit.approvals if row.kind == "measure" and row.step == "isolation"), None)
    if locked is not None and locked.granted:
        found.append(("locks", f"{locked.words}。锁和牌还在,没有谁解过"))
    stored = work.permit_verdicts.get(permit.verdict_id)
    notes = [str(note) for note in (stored.verdict.get("notes", []) if stored is not None else [])]
    if notes:
        found.append(("near", "周围:" + ";".join(notes[:3])))
    if permit.suspend_why and permit.state == PermitState.SUSPENDED.value:
        found.append(("stopped", "叫停原因:" + ";".join(str(why["message"]) for why in permit.suspend_why[:2])))
    if permit.interrupted_at is not None:
        found.append(("paused", f"{local(permit.interrupted_at)} 起中断,恢复前看要不要重新分析"))
    return found


def ask_next(turn: Turn, permit: Permit) -> bool:
    """Ask for the next item that this relief has not read; False when all are, or nobody waits for this person."""
    if not handover.awaits(permit, turn.person):
        return False
    round_no = _round(turn.work, permit)
    read = {row.step for row in permit.approvals if row.kind == "handover" and row.person_id == turn.person.id}
    rows = items(turn.work, permit)
    for number, (item, words) in enumerate(rows, start=1):
        step = f"{round_no}:{item}"
        if step not in read:
            ask_about(
                turn,
                f"交接{number}/{len(rows)}",
                [words[:140]],  # what a WeCom card shows
                state=HANDOVER_ITEM,
                permit=permit,
                choices=[("已知晓", f"permit.know:{permit.id}.{step}")],
                note="",
                step=step,
                words=words,
            )
            return True
    return False


def _round(work: UnitOfWork, permit: Permit) -> int:
    """Which handover this is: what was read for an earlier one does not count."""
    return sum(line.action == "took_over" for line in work.trail.of("permit", permit.id))


def know(turn: Turn, permit: Permit, step: str) -> None:
    """One item read. After the last one the relief guards."""
    if not handover.awaits(permit, turn.person):
        raise RuleBroken("who", "现在没有等您接的班。")
    words = {f"{_round(turn.work, permit)}:{item}": text for item, text in items(turn.work, permit)}.get(step, "")
    if words and not any(
        r.kind == "handover" and r.step == step and r.person_id == turn.person.id for r in permit.approvals
    ):
        permit.approvals.append(
            PermitApproval(
                kind="handover", step=step, words=words, person=turn.person, granted=True, decided_at=turn.at
            )
        )
        turn.work.flush()
        actions.leave_line(turn.work, permit, "heard", by=turn.person, via=turn.via, why=words[:200])
    if ask_next(turn, permit):
        return
    turn.done()
    running.check_in(turn.work, permit, by=turn.person, via=turn.via)


def know_said(turn: Turn) -> None:
    permit = permit_of(turn, lock=True)
    if turn.text not in READ:
        guarded(turn, permit, lambda: _again(turn, permit))
        return
    guarded(turn, permit, lambda: know(turn, permit, str(turn.facts.get("step", ""))))


def _again(turn: Turn, permit: Permit) -> None:
    turn.say("看清楚了请点“已知晓”;有疑问先问交班的监护人,他还不能离开。")
    ask_next(turn, permit)
