"""Buttons and dialogues of a permit after its request: signing on the spot, checks, start, pause, finish, acceptance."""

from __future__ import annotations

from typing import Any

from bot.turn import Turn
from cards import permit as cards
from cards.words import clock_time
from handlers.permit import (
    actions,
    answers,
    cast,
    feel,
    gas_facts,
    guarding,
    handover_talk,
    judge,
    running,
    signing,
    who_said,
)
from handlers.permit import handover as relief
from handlers.permit.talk import (
    FINISH_LIST,
    FINISH_PHOTO,
    HANDOVER,
    START_PHOTO,
    ask,
    guarded,
    permit_of,
    photo_of,
)
from rules.errors import RuleBroken
from rules.permit.life import PermitState
from storage.models import Permit


def reason_said(turn: Turn) -> None:
    permit, what = permit_of(turn, lock=True), str(turn.facts.get("what"))
    guarded(turn, permit, lambda: _with_reason(turn, permit, what, turn.text))


def _with_reason(turn: Turn, permit: Permit, what: str, why: str) -> None:
    if what == "stop":
        feel.stop_by_hand(turn.work, permit, by=turn.person, why=why, via=turn.via)
        words = f"{permit.number} 已叫停,已通知票上所有人。"
    elif what == "pause":
        running.interrupt(turn.work, permit, by=turn.person, why=why, via=turn.via)
        due = cards.due_lines(permit.next_due)
        words = f"{permit.number} 已中断,{clock_time(turn.at)}起算。{due[0] + '。' if due else ''}"
    else:
        signing.decline(turn.work, permit, by=turn.person, why=why, back=what == "return", via=turn.via)
        words = f"{permit.number} 已{'退回' if what == 'return' else '不予批准'},原因已告诉申请人。"
    turn.done()
    turn.say(words, case=cast.case_of(permit))


# -- checks before the start


def leader(turn: Turn, permit: Permit) -> None:
    running.leader_check(turn.work, permit, by=turn.person, via=turn.via)


def briefed(turn: Turn, permit: Permit) -> None:
    running.hear_briefing(turn.work, permit, by=turn.person, via=turn.via)


def check_in(turn: Turn, permit: Permit) -> None:
    """«监护打卡»; for a relief first what there is to know, item by item."""
    if handover_talk.ask_next(turn, permit):
        return
    running.check_in(turn.work, permit, by=turn.person, photo_sha=photo_of(turn), via=turn.via)


# -- start


def start(turn: Turn, permit: Permit) -> None:
    """«开始作业»: what the rules of the start still want to know, then the picture of the fire point."""
    running.need_state(permit, PermitState.APPROVED)
    if permit.guardian_id != turn.person.id:
        raise RuleBroken("who", "由监护人在现场开始作业。")
    waiting = cast.waiting(permit)
    if waiting:
        raise RuleBroken("waits", f"{permit.number} 还不能开始:" + ";".join(waiting) + "。")
    go_on_start(turn, permit)


def go_on_start(turn: Turn, permit: Permit, **memory: Any) -> None:
    turn.work.flush()
    judged = running.judge_start(turn.work, permit)
    if answers.ask_open(turn, permit, judged, then="start", **memory):
        return
    if not judged.result.allows_work:
        turn.done()
        judge.keep(turn.work, permit, judged, cause="start")
        verdict = {**judged.verdict.as_dict(), "notes": judged.gathered.notes}
        turn.say(cards.verdict_text(permit, verdict), case=cast.case_of(permit))
        return
    ask(
        turn,
        f"{permit.number} 判定{judged.result.zh}。请把穿监护背心的监护人和作业点拍在一张照片里发来,收到就开始计时。",
        state=START_PHOTO,
        permit=permit,
    )


def start_photo(turn: Turn) -> None:
    permit, photo = permit_of(turn, lock=True), photo_of(turn)
    if not photo:
        turn.say("请拍一张监护人和作业点的照片发来。", case=cast.case_of(permit))
        return
    guarded(turn, permit, lambda: _started(turn, permit, photo))


def _started(turn: Turn, permit: Permit, photo: str) -> None:
    running.start(turn.work, permit, by=turn.person, photo_sha=photo, via=turn.via)
    turn.done()
    due = cards.due_lines(permit.next_due)
    turn.say(
        f"{permit.number} 已开始,{cards.span(permit)}有效。" + (f"\n接下来:{due[0]}" if due else ""),
        case=cast.case_of(permit),
    )


# -- pause, stop, resume


def pause(turn: Turn, permit: Permit) -> None:
    running.need_watcher(permit, turn.person)
    running.need_state(permit, PermitState.ACTIVE)
    _with_reason(turn, permit, "pause", "暂停作业")


def stop(turn: Turn, permit: Permit, *, why: str = "") -> None:
    """«叫停»: stopped first, the reason can be told afterwards."""
    _with_reason(turn, permit, "stop", why or "现场异常")


def confirm(turn: Turn, permit: Permit) -> None:
    feel.confirm(turn.work, permit, by=turn.person, via=turn.via)


def resume(turn: Turn, permit: Permit) -> None:
    running.need_state(permit, PermitState.INTERRUPTED, PermitState.SUSPENDED)
    running.forget_what_fades(turn.work, permit)
    go_on_resume(turn, permit)


def go_on_resume(turn: Turn, permit: Permit) -> None:
    turn.work.flush()
    if running.never_began(permit):
        _release(turn, permit)
        return
    judged = running.judge_resume(turn.work, permit)
    if answers.ask_open(turn, permit, judged, then="resume"):
        return
    turn.done()
    obstacles = running.why_not_resumed(turn.work, permit)
    if obstacles:
        verdict = {**judged.verdict.as_dict(), "notes": judged.gathered.notes}
        rows = [cards.rule_line(row) for row in cards.in_the_way(verdict) if row["result"] != "conditional"]
        fixes = [f"这样就能恢复:{';'.join(cards.fix_lines(verdict))}"] if cards.fix_lines(verdict) else []
        older = gas_facts.still_to_sample(permit, turn.at)
        lines = [f"{permit.number} 还不能恢复:", *obstacles[:4], *([older] if older else []), *rows[:4], *fixes]
        turn.say("\n".join(lines), case=cast.case_of(permit))
        return
    running.resume(turn.work, permit, by=turn.person, via=turn.via)
    turn.say(f"{permit.number} 已恢复作业。", case=cast.case_of(permit))


def _release(turn: Turn, permit: Permit) -> None:
    """Stopped before its work began."""
    obstacles = running.why_not_resumed(turn.work, permit)
    if obstacles:
        turn.say("\n".join([f"{permit.number} 还不能解除叫停:", *obstacles[:4]]), case=cast.case_of(permit))
        return
    running.resume(turn.work, permit, by=turn.person, via=turn.via)
    turn.say(f"{permit.number} 已解除叫停,还没开始的步骤接着办,办完点“开始作业”。", case=cast.case_of(permit))


def gas_judgement(turn: Turn, permit: Permit) -> str:
    """A word on what the new test means for the permit."""
    stage = judge.stage_of(permit)
    judged = judge.judge(turn.work, permit, stage=stage)
    bad = [row for row in judged.verdict.failing() if row.id in _GAS_RULES]
    older = gas_facts.still_to_sample(permit, turn.at)
    words = [*(row.message.rstrip("。") for row in bad[:2]), *([older] if older else [])]
    return ("结果不合格:" if bad else "结果合格。" if not older else "") + ";".join(words) + ("。" if words else "")


_GAS_RULES = {"HW-A02", "HW-A03", "HW-A04", "HW-A12", "CS-002", "CS-003", "CS-004", "CS-005", "CS-006", "CS-007"}


# -- handover, finish, acceptance


def handover(turn: Turn, permit: Permit) -> None:
    running.need_watcher(permit, turn.person)
    found = [row for row in guarding.for_permit(turn.work, permit, turn.at) if row.person_id != permit.guardian_id]
    choices = [(row.name, f"permit.give:{permit.id}.{row.person_id}") for row in found[:6]]
    ask(
        turn,
        f"{permit.number} 监护交给谁?",
        state=HANDOVER,
        permit=permit,
        choices=choices,
        note="" if found else "没有空着的持证监护人,可以说名字。",
    )


def give(turn: Turn, permit: Permit, person_id: str) -> None:
    to = turn.work.people.get(int(person_id))
    relief.give(turn.work, permit, by=turn.person, to=to, via=turn.via)
    turn.done()
    if permit.guardian_id == to.id:
        words = f"{permit.number} 监护已交给{to.name}。"
    else:
        words = f"{permit.number} 已请{to.name}接班。{to.name}到现场点“监护打卡”之前,仍由原监护人监护,不能离开。"
    turn.say(words, case=cast.case_of(permit))


def handover_said(turn: Turn) -> None:
    permit = permit_of(turn, lock=True)
    people, note = who_said.named(turn, turn.text)
    if not people or note:
        turn.say(note or "请说接班监护人的全名。")
        return
    guarded(turn, permit, lambda: give(turn, permit, str(people[0].id)))


def finish(turn: Turn, permit: Permit) -> None:
    running.need_watcher(permit, turn.person)
    if permit.ended_at is not None:
        raise RuleBroken("already", f"{permit.number} 已经收工,待验收。")
    if running.counts_out(permit) and permit.started_at is not None:
        went_in = running.entered(permit)
        note = f"进入时登记:{went_in}。" if went_in else ""
        ask(
            turn,
            f"{permit.number} 收工:请清点人员和工器具,用文字发出来了谁、带出了什么。",
            state=FINISH_LIST,
            permit=permit,
            note=note,
        )
        return
    _ask_finish_photo(turn, permit)


def _ask_finish_photo(turn: Turn, permit: Permit, **memory: Any) -> None:
    how = {
        "hot_work": "请清理现场,确认无残留火种,拍一张动火点发来。",
        "confined_space": "请拍一张入口发来(人已出清、已封闭)。",
    }.get(permit.work, "请清理现场,拍一张发来。")
    ask(turn, f"{permit.number} 收工:{how}", state=FINISH_PHOTO, permit=permit, **memory)


def finish_list(turn: Turn) -> None:
    """Who and what came out again (清点, 6.8 c)."""
    permit = permit_of(turn, lock=True)
    if len(turn.text) < 2 or photo_of(turn):
        turn.say("先用文字清点(如“孙丽出来;扳手2把、灯1盏带出”),再拍照。", case=cast.case_of(permit))
        return
    _ask_finish_photo(turn, permit, out=turn.text[:300])


def finish_photo(turn: Turn) -> None:
    permit, photo = permit_of(turn, lock=True), photo_of(turn)
    if not photo:
        turn.say("请拍一张收工后的现场照片发来。", case=cast.case_of(permit))
        return
    guarded(turn, permit, lambda: _finished(turn, permit, photo))


def _finished(turn: Turn, permit: Permit, photo: str) -> None:
    said = str(turn.facts.get("out", ""))
    running.finish(turn.work, permit, by=turn.person, photo_sha=photo, said=said, via=turn.via)
    turn.done()
    until = cards.watched_until(permit)
    then = f"请留守监火到{clock_time(until)},到时点“监火结束”。" if until is not None else "等验收签字。"
    turn.say(f"{permit.number} 已收工,{then}", case=cast.case_of(permit))


def unfinish(turn: Turn, permit: Permit) -> None:
    running.unfinish(turn.work, permit, by=turn.person, via=turn.via)
    if permit.state == PermitState.INTERRUPTED.value:
        words = f"{permit.number} 从收工起按中断算,监护人点“恢复作业”后再干;中断久了要重新取样。"
        turn.say(words, case=cast.case_of(permit))


def accept(turn: Turn, permit: Permit) -> None:
    running.accept(turn.work, permit, by=turn.person, via=turn.via)
    turn.say(f"{permit.number} 已验收关闭。", case=cast.case_of(permit))


def renew(turn: Turn, permit: Permit) -> None:
    """«重新办票»: a new permit with the same place, job and people; never a longer old one (4.16)."""
    from handlers.permit import apply

    running.need_watcher(permit, turn.person)
    made = actions.renew(turn.work, permit, by=turn.person)
    apply.go_on(turn, made, note=f"接着 {permit.number},请重新确认。")
