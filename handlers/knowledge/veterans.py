"""Whom to ask: authors of like cards, veterans of the area, of the plant, the equipment officers, the safety officers."""

from __future__ import annotations

from collections.abc import Sequence

from rules.terms import Role
from storage.models import Area, KnowledgeCard, Person
from storage.people import has_role
from storage.unit_of_work import UnitOfWork

MAX_ASKED = 3
EQUIPMENT_OFFICER = "设备"  # in a job title: 设备员, 设备主管


def to_ask(work: UnitOfWork, *, asker_id: int, codes: Sequence[str], area: Area | None) -> list[Person]:
    """At most three people who may know, likeliest first; never the asker. `codes`: cards that came near."""
    by_machine = work.knowledge.authors_of(codes)
    area_id = area.id if area is not None else None
    veterans = list(work.people.with_role(Role.VETERAN, area_id=area_id)) if area_id is not None else []
    veterans += [p for p in work.people.with_role(Role.VETERAN, area_id=None) if p not in veterans]
    if not veterans:
        veterans = any_veterans(work)
    found = [p for p in dict.fromkeys([*by_machine, *veterans]) if p.id != asker_id and p.accounts]
    if not found:
        officers = [p for p in work.people.all_active() if EQUIPMENT_OFFICER in p.title]
        officers += work.people.with_role(Role.SAFETY_OFFICER)
        found = [p for p in dict.fromkeys(officers) if p.id != asker_id and p.accounts]
    return found[:MAX_ASKED]


def any_veterans(work: UnitOfWork) -> list[Person]:
    """Everybody who is a veteran anywhere."""
    return [p for p in work.people.all_active() if any(g.role == Role.VETERAN.value for g in p.roles)]


def reviewers(work: UnitOfWork, card: KnowledgeCard) -> list[Person]:
    """Who may review the card: other veterans first, then safety officers; never its author."""
    people = [*any_veterans(work), *work.people.with_role(Role.SAFETY_OFFICER), *work.people.with_role(Role.ADMIN)]
    return [p for p in dict.fromkeys(people) if p.id != card.author_id and p.accounts][:MAX_ASKED]


def may_review(person: Person) -> bool:
    return any(g.role in (Role.VETERAN.value, Role.SAFETY_OFFICER.value, Role.ADMIN.value) for g in person.roles)


def safety_officer_words(work: UnitOfWork) -> str:
    """«安全员王芳», for answers that send somebody to a person."""
    officers = work.people.with_role(Role.SAFETY_OFFICER)
    return f"安全员{officers[0].name}" if officers else "安全员"


def is_veteran(person: Person) -> bool:
    return has_role(person, Role.VETERAN) or any(g.role == Role.VETERAN.value for g in person.roles)
