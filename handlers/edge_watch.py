"""Edge terminals that have fallen silent: told once a silence, a yellow hazard of its own, and told again when they are back.

A terminal is silent when nothing came from it for three of its intervals. Without an interval of its own one that tells its
status is watched by the default; one that only ever tells alarms is not, since its silence means nothing.
Source: integrations reference §7 (no status for 3 intervals: a hazard «terminal offline»).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from bot import outbox
from cards.words import duration, local
from handlers import duty
from handlers.hazard import dispatch, filing, place
from rules.terms import OPEN_STATES, Grade, HazardState, Role
from storage.models import EdgeDevice, Hazard
from storage.unit_of_work import UnitOfWork

log = structlog.get_logger()

VIA = "edge"
INTERVAL_S = 300
MISSED = 3


def interval_of(device: EdgeDevice) -> timedelta | None:
    """How often it is heard at least; None when nobody can tell."""
    seconds = device.interval_s or (INTERVAL_S if device.last_status else 0)
    return timedelta(seconds=seconds) if seconds else None


def silent(work: UnitOfWork, *, since: datetime) -> Sequence[EdgeDevice]:
    """Terminals in use that have fallen silent and were not told of; `since`: before it nobody listened."""
    return [device for device in work.edge.devices() if device.silent_at is None and _is_silent(device, work.at, since)]


def _is_silent(device: EdgeDevice, at: datetime, since: datetime) -> bool:
    every = interval_of(device)
    return (
        every is not None and device.last_seen_at is not None and at - max(device.last_seen_at, since) > MISSED * every
    )


def gone_silent(work: UnitOfWork, code: str, *, since: datetime) -> bool:
    """Open the hazard and tell admins and safety officers, once a silence; the caller commits."""
    device = work.edge.device(code, lock=True)
    if device is None or not device.active or device.silent_at is not None or not _is_silent(device, work.at, since):
        return False
    device.silent_at = work.at
    words = f"边缘终端 {_name(device)}没有消息,最后一次是{local(device.last_seen_at)}。请检查终端的供电和网络。"
    hazard = _still_open(work, device)
    if hazard is None:
        hazard = _open(work, device, words)
        device.silent_hazard_id = hazard.id
    else:  # it comes and goes: one hazard until it is mended
        _note(work, hazard, "terminal_silent", f"终端 {device.code} 又没有消息了")
    _tell(work, device, f"{words}隐患 {hazard.number}。", tag="silent")
    work.flush()
    log.warning("edge.silent", device=device.id, hazard=hazard.id)
    return True


def heard(work: UnitOfWork, device: EdgeDevice) -> None:
    """Something came from the terminal: a silence that was told of is over."""
    if device.silent_at is None:
        return
    lasted = duration((work.at - (device.last_seen_at or device.silent_at)).total_seconds())
    hazard = _still_open(work, device)
    if hazard is not None:
        _note(work, hazard, "terminal_back", f"终端 {device.code} 恢复了,断了{lasted}")
    case = f"隐患 {hazard.number} 核实后请闭环。" if hazard is not None else ""
    _tell(work, device, f"边缘终端 {_name(device)}恢复了,断了{lasted}。{case}", tag="back")
    device.silent_at = None
    log.info("edge.back", device=device.id)


def _open(work: UnitOfWork, device: EdgeDevice, words: str) -> Hazard:
    hazard = filing.open_draft(work, by=None, at=work.at)
    hazard.description = words
    if device.equipment is not None:
        place.set_equipment(hazard, device.equipment)
    if device.area is not None:
        place.choose_area(hazard, device.area)
    place.settle(work, hazard)
    return filing.file(work, hazard, by=None, via=VIA, at_least=Grade.YELLOW, why="终端没有消息")


def _still_open(work: UnitOfWork, device: EdgeDevice) -> Hazard | None:
    hazard = work.hazards.get(device.silent_hazard_id, lock=True) if device.silent_hazard_id is not None else None
    return hazard if hazard is not None and HazardState(hazard.state) in OPEN_STATES else None


def _note(work: UnitOfWork, hazard: Hazard, action: str, why: str) -> None:
    state = hazard.state
    work.trail.add("hazard", hazard.id, action, at=work.at, from_state=state, to_state=state, why=why, via=VIA)
    dispatch.redraw(work, hazard, why)


def _tell(work: UnitOfWork, device: EdgeDevice, text: str, *, tag: str) -> None:
    officers = dispatch.present(work, dispatch.holders(work, Role.SAFETY_OFFICER, device.area_id))
    people = [*work.people.with_role(Role.ADMIN), *(officers or duty.safety_officers(work))]
    for person in {p.id: p for p in people}.values():
        address = outbox.address_of(person)
        if address is not None:
            key = f"edge:{device.id}:{tag}:{device.silent_at:%Y%m%d%H%M%S}:{person.id}"
            outbox.say(work, address, text, purpose=f"edge.{tag}", urgency=outbox.NORMAL, dedupe_key=key)


def _name(device: EdgeDevice) -> str:
    return f"{device.code}({device.name})" if device.name else f"{device.code} "
