"""Who is there now: by the duty roster, by role, and by who stands in for whom (代班)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from bot import outbox
from rules.terms import Role
from storage.models import Person
from storage.unit_of_work import UnitOfWork


def present(work: UnitOfWork, people: Iterable[Person]) -> list[Person]:
    """Those people or who stands in for them, each once."""
    standing = (work.roster.stand_in(person, work.at) for person in people)
    return list({person.id: person for person in standing if person is not None}.values())


def holders(work: UnitOfWork, role: Role, area_id: int | None) -> Sequence[Person]:
    """Who holds the role: by the duty roster when one is kept for it, else those of the area, else of the whole plant.

    Empty when the roster is kept and names nobody now: those who hold the role are off duty (a hole, to be told).
    """
    rostered = work.roster.on_duty(role, area_id, work.at)
    if rostered or work.roster.kept(role, area_id, work.at):
        return rostered
    own = work.people.with_role(role, area_id=area_id, exact=True) if area_id is not None else []
    return own or work.people.with_role(role, area_id=None, exact=True)


def on_duty(work: UnitOfWork, role: Role, area_id: int | None) -> list[Person]:
    """Who holds the role and is there, or stands in."""
    return present(work, holders(work, role, area_id))


def roles_of(work: UnitOfWork, person: Person, area_id: int | None) -> set[Role]:
    """The roles the person acts in for the area now: their own, those of the roster, and of those they stand in for."""
    people = [person, *work.roster.principals(person, work.at)]
    held = {Role(g.role) for p in people for g in p.roles if g.area_id is None or g.area_id == area_id}
    return held | {role for p in people for role in work.roster.duties_of(p.id, area_id, work.at)}


def stands_in_for(work: UnitOfWork, person: Person, other_id: int | None) -> bool:
    return other_id is not None and any(p.id == other_id for p in work.roster.principals(person, work.at))


def safety_officers(work: UnitOfWork) -> list[Person]:
    """Who hears of a hole: safety officers on duty, else any that can be reached, else executives, else admins."""
    for people in (
        on_duty(work, Role.SAFETY_OFFICER, None),
        present(work, work.people.with_role(Role.SAFETY_OFFICER)),
        work.people.with_role(Role.SAFETY_OFFICER),
        present(work, work.people.with_role(Role.EXECUTIVE)),
        work.people.with_role(Role.ADMIN),
    ):
        reachable = [person for person in people if outbox.address_of(person) is not None]
        if reachable:
            return reachable
    return []


def tell_hole(
    work: UnitOfWork, text: str, *, case: tuple[str, int], dedupe_key: str, due_at: datetime | None = None
) -> None:
    """The safety officers hear that a step of a ladder found nobody; at `due_at` when it can wait."""
    for officer in safety_officers(work):
        address = outbox.address_of(officer)
        if address is not None:
            outbox.say(
                work,
                address,
                text,
                purpose=f"{case[0]}.hole",
                case=case,
                urgency=outbox.URGENT,
                dedupe_key=dedupe_key,
                due_at=due_at,
            )
