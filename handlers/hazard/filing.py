"""From a draft to a filed hazard: understood, numbered, dispatched, receipted; or joined to one that is open already."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot import outbox
from bot.turn import Turn
from cards import hazard as cards
from handlers.hazard import actions, place
from handlers.hazard.likeness import hash_of
from handlers.hazard.understanding import understand
from handlers.knowledge import answers
from handlers.permit import surroundings
from rules import hazard as rules
from rules.geo import Point
from rules.hazard import ReportFacts
from rules.terms import Grade, HazardState
from storage.hazards import OPEN
from storage.models import Hazard, Joiner, Person
from storage.unit_of_work import UnitOfWork

WORK, WHERE = "hazard.work", "where"  # the dialogue about one case, see rectify.py
DUPLICATE_WITHIN = timedelta(days=14)


def open_draft(work: UnitOfWork, *, by: Person | None, at: datetime) -> Hazard:
    """A report that is being told; by nobody when a machine raised it."""
    return work.hazards.add(
        Hazard(
            state=HazardState.DRAFT.value,
            reporter=by,
            created_at=at,
            description="",
            photos=[],
            joiners=[],
            extensions=[],
            places=[],
            round=1,
            generation=1,
            reopened_from=0,
            anonymous=False,
            place_notes=[],
            signals=[],
            annotations=[],
            plan={},
        )
    )


def drop_draft(work: UnitOfWork, hazard: Hazard, *, by: Person) -> None:
    hazard.state = HazardState.WITHDRAWN.value
    work.trail.add(
        "hazard",
        hazard.id,
        "withdrawn",
        at=work.at,
        by_id=by.id,
        by_hidden=hazard.anonymous,
        from_state="draft",
        to_state=hazard.state,
        why="填报时取消",
    )


def file_now(turn: Turn, hazard: Hazard, refusals: list[str]) -> None:
    """File the draft, dispatch it and give the receipt, in this one transaction."""
    file(turn.work, hazard, by=turn.person, via=turn.via)
    turn.done()
    lines = [f"⚠ {reason}。" for reason in refusals]
    if not hazard.photos:
        lines.append("还没有照片,方便时点“补照片”。")
    if lines:
        turn.say("\n".join(lines), case=("hazard", hazard.id))
    turn.show(
        cards.reporter_card(hazard),
        key=cards.reporter_key(hazard.id),
        case=("hazard", hazard.id),
        purpose="hazard.receipt",
    )
    answers.offer_after_report(turn, hazard)
    if hazard.area is None:
        ask_where(turn, hazard)


def file(
    work: UnitOfWork, hazard: Hazard, *, by: Person | None, via: str, at_least: Grade | None = None, why: str = ""
) -> Hazard:
    """Number, understanding, trail line, owner, deadlines, ladders and first notices.

    `at_least`: the grade a machine's alarm has whatever its words say, with the reason; a red one stops work nearby.
    """
    rules.check(rules.Action.FILE, state=HazardState(hazard.state), relations={rules.Relation.REPORTER})
    understand(work, hazard)
    if at_least is not None and at_least.rank < Grade(hazard.grade).rank:
        hazard.grade, hazard.grade_why = at_least.value, f"{why},{at_least.zh};{hazard.grade_why}"
    hazard.emergency = hazard.emergency or at_least is Grade.RED
    hazard.number, hazard.reported_at, hazard.state = work.hazards.next_number(), work.at, HazardState.REPORTED.value
    work.flush()
    work.trail.add(
        "hazard",
        hazard.id,
        "filed",
        at=work.at,
        by_id=by.id if by is not None else None,
        by_hidden=hazard.anonymous,
        from_state="draft",
        to_state=hazard.state,
        why=hazard.description,
        via=via,
        data={
            "grade": hazard.grade,
            "grade_why": hazard.grade_why,
            "place": hazard.place_source,
            "photos": len(hazard.photos),
        },
    )
    actions.assign(work, hazard, via=via)
    touch_permits(work, hazard)
    return hazard


def touch_permits(work: UnitOfWork, hazard: Hazard) -> None:
    """Work that is going on nearby is judged again: a leak or a fire stops it (GB 30871-2022 4.8)."""
    here = Point(lat=hazard.lat, lon=hazard.lon) if hazard.lat is not None and hazard.lon is not None else None
    surroundings.touch(work, here, hazard.area_id)


def likely_duplicate(work: UnitOfWork, hazard: Hazard) -> tuple[Hazard, str] | None:
    """An open hazard that is probably the same, with the reason in Chinese."""
    others = {h.id: h for h in work.hazards.open_near(hazard.area_id, since=work.at - DUPLICATE_WITHIN)}
    matches = rules.likely_duplicate(_facts(work, hazard), [_facts(work, other) for other in others.values()])
    if not matches:
        return None
    return others[int(str(matches[0].key))], matches[0].why


def _facts(work: UnitOfWork, hazard: Hazard) -> ReportFacts:
    hashes = [
        hash_of(m.dhash) for p in hazard.photos if p.kind == "before" and (m := work.media.get(p.sha256)) is not None
    ]
    # positions by hand (a chosen area) say nothing exact; only a device's own position is compared
    exact = hazard.lat is not None and hazard.lon is not None and hazard.place_source != "area_choice"
    return ReportFacts(
        key=hazard.id,
        text=hazard.description,
        area=hazard.area_id,
        equipment_code=hazard.equipment.code if hazard.equipment else None,
        position=Point(lat=hazard.lat, lon=hazard.lon) if exact else None,  # type: ignore[arg-type]
        phashes=tuple(h for h in hashes if h is not None),
        phrase_ids=rules.phrases_in(hazard.description),
    )


def join(turn: Turn, draft: Hazard, other: Hazard) -> None:
    """The reporter says it is the same: photos and name go over, the draft is merged."""
    work = turn.work
    if other.state not in OPEN:
        turn.say(f"{other.number} 刚刚结束了,这条单独上报。")
        file_now(turn, draft, [])
        return
    for photo in list(draft.photos):
        photo.hazard = other
    if turn.person.id != other.reporter_id and all(j.person_id != turn.person.id for j in other.joiners):
        other.joiners.append(Joiner(person_id=turn.person.id, at=turn.at, anonymous=draft.anonymous))
    draft.state, draft.merged_into = HazardState.MERGED.value, other
    work.trail.add(
        "hazard",
        other.id,
        "joined",
        at=turn.at,
        by_id=turn.person.id,
        by_hidden=draft.anonymous,
        from_state=other.state,
        to_state=other.state,
        why=draft.description,
        via=turn.via,
    )
    work.trail.add(
        "hazard",
        draft.id,
        "merged",
        at=turn.at,
        by_id=turn.person.id,
        by_hidden=draft.anonymous,
        from_state="draft",
        to_state=draft.state,
        why=f"并入{other.number}",
        via=turn.via,
    )
    work.flush()
    turn.done()
    outbox.redraw(
        work, cards.duty_key(other.id), cards.duty_card(other, last=f"又有人反映,共{len(other.joiners) + 1}人")
    )
    turn.say(
        f"已加入 {other.number}({Grade(other.grade).zh},{HazardState(other.state).zh}),照片也加进去了。闭环时告诉您。",
        case=("hazard", other.id),
    )


def ask_where(turn: Turn, hazard: Hazard) -> None:
    """A hazard filed in haste without a place: ask for it now, the case is under way already."""
    areas = place.choices(turn.work, hazard)[:6]
    turn.ask(
        f"{hazard.number} 在哪里?点一下,或发位置、说地名。",
        flow=WORK,
        state=WHERE,
        facts={"hazard": hazard.id},
        choices=[(area.name, f"hazard.where:{hazard.id}.{area.id}") for area in areas],
        expires_after=timedelta(hours=2),
    )


def place_added(turn: Turn, hazard: Hazard) -> None:
    """One more position for a filed hazard; when it lies in another area than thought, that area's people are told."""
    area = hazard.area_id
    place.settle(turn.work, hazard)
    understand(turn.work, hazard)
    turn.work.flush()
    if hazard.area_id != area:
        actions.place_known(turn.work, hazard, by=turn.person, via=turn.via)
        touch_permits(turn.work, hazard)
    else:
        actions.place_added(turn.work, hazard, by=turn.person, via=turn.via)


def place_told(turn: Turn, hazard: Hazard) -> None:
    """The place of a hazard that was filed without one."""
    if not place.settle(turn.work, hazard):
        ask_where(turn, hazard)
        return
    understand(turn.work, hazard)
    turn.work.flush()
    actions.place_known(turn.work, hazard, by=turn.person, via=turn.via)
    touch_permits(turn.work, hazard)
    turn.done()
    turn.say(f"{hazard.number} 的位置已记为{cards.place_of(hazard)},已通知那里的负责人。", case=("hazard", hazard.id))
