"""Who is told of a hazard, through what, by when it must be confirmed, rectified and accepted, and who is told next.

The policy is data (grade × area × category → plan); the plant may publish its own versions. A plan is copied onto the
hazard when it is dispatched, so a later edit never changes a running case.

Source: grade → receiver as the plant's procedure has it (一级红→分管领导, 二级橙→车间主任, 三级黄→班组长). The times are
proposals and no legal limits (docs/hazard-rules.md); Order 16 art. 15 only asks for «at once» or a plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CHANNELS = frozenset({"app", "wecom", "dingtalk", "dingtalk_group", "wecom_group", "dingtalk_todo", "sms"})
PEOPLE = frozenset({"owner", "acceptor", "team_leader", "workshop_director", "safety_officer", "executive", "admin"})
LADDERS = ("confirm", "stale", "rectify", "accept")


class PolicyError(ValueError):
    """The policy cannot be used; the text says where and why."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Tell the holders of a role (or the owner, the acceptor) through these channels."""

    to: str
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One rung: `after_minutes` past the ladder's start (negative: before the deadline) these people are told."""

    after_minutes: int
    notices: tuple[Notice, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    owner: str  # role whose holder of the area must see to the rectification
    acceptor: str  # role that accepts
    first: tuple[Notice, ...]
    confirm_minutes: int
    rectify_hours: float
    accept_hours: float
    stale_minutes: int  # confirmed but nothing begun for so long: asked again; 0 = never
    waits_for_working_hours: bool  # reminders of low grades wait for the plant's working hours
    ladders: Mapping[str, tuple[Step, ...]]


def _notice(to: str, *channels: str) -> dict[str, Any]:
    return {"to": to, "channels": list(channels)}


DEFAULT: dict[str, Any] = {
    "plans": [
        {
            "when": {"grade": "red"},
            "owner": "workshop_director",
            "acceptor": "safety_officer",
            "first": [
                _notice("executive", "wecom", "sms"),
                _notice("owner", "app"),
                _notice("safety_officer", "app"),
            ],
            "confirm_minutes": 15,
            "rectify_hours": 4,
            "accept_hours": 4,
            "stale_minutes": 30,
            "ladders": {
                "stale": [
                    {"after_minutes": 0, "notices": [_notice("owner", "app", "sms")]},
                    {"after_minutes": 30, "notices": [_notice("executive", "app"), _notice("safety_officer", "app")]},
                ],
                "confirm": [
                    {"after_minutes": 5, "notices": [_notice("owner", "app", "sms")]},
                    {
                        "after_minutes": 15,
                        "notices": [_notice("executive", "app", "sms"), _notice("safety_officer", "app", "sms")],
                    },
                    {"after_minutes": 30, "notices": [_notice("executive", "sms"), _notice("admin", "app")]},
                ],
                "rectify": [
                    {"after_minutes": -60, "notices": [_notice("owner", "app")]},
                    {"after_minutes": 0, "notices": [_notice("owner", "app", "sms"), _notice("executive", "app")]},
                    {
                        "after_minutes": 240,
                        "notices": [_notice("executive", "app", "sms"), _notice("safety_officer", "app")],
                    },
                ],
                "accept": [
                    {"after_minutes": 0, "notices": [_notice("acceptor", "app")]},
                    {"after_minutes": 240, "notices": [_notice("executive", "app")]},
                ],
            },
        },
        {
            "when": {"grade": "orange"},
            "owner": "workshop_director",
            "acceptor": "safety_officer",
            "first": [_notice("owner", "dingtalk_group", "dingtalk_todo")],
            "confirm_minutes": 120,
            "rectify_hours": 72,
            "accept_hours": 24,
            "stale_minutes": 1440,
            "ladders": {
                "stale": [
                    {"after_minutes": 0, "notices": [_notice("owner", "app")]},
                    {"after_minutes": 480, "notices": [_notice("safety_officer", "app")]},
                ],
                "confirm": [
                    {"after_minutes": 120, "notices": [_notice("owner", "app")]},
                    {
                        "after_minutes": 240,
                        "notices": [_notice("safety_officer", "app"), _notice("owner", "app", "sms")],
                    },
                    {"after_minutes": 480, "notices": [_notice("executive", "app")]},
                ],
                "rectify": [
                    {"after_minutes": -1440, "notices": [_notice("owner", "app")]},
                    {"after_minutes": 0, "notices": [_notice("owner", "app"), _notice("safety_officer", "app")]},
                    {"after_minutes": 1440, "notices": [_notice("executive", "app")]},
                ],
                "accept": [
                    {"after_minutes": 0, "notices": [_notice("acceptor", "app")]},
                    {"after_minutes": 1440, "notices": [_notice("executive", "app")]},
                ],
            },
        },
        {
            "when": {"grade": "yellow"},
            "owner": "team_leader",
            "acceptor": "safety_officer",
            "first": [_notice("owner", "app")],
            "confirm_minutes": 480,
            "rectify_hours": 168,
            "accept_hours": 48,
            "stale_minutes": 4320,
            "waits_for_working_hours": True,
            "ladders": {
                "stale": [{"after_minutes": 0, "notices": [_notice("owner", "app")]}],
                "confirm": [
                    {"after_minutes": 480, "notices": [_notice("owner", "app")]},
                    {"after_minutes": 960, "notices": [_notice("workshop_director", "app")]},
                    {"after_minutes": 1440, "notices": [_notice("safety_officer", "app")]},
                ],
                "rectify": [
                    {"after_minutes": -1440, "notices": [_notice("owner", "app")]},
                    {"after_minutes": 0, "notices": [_notice("owner", "app"), _notice("workshop_director", "app")]},
                    {"after_minutes": 2880, "notices": [_notice("safety_officer", "app")]},
                ],
                "accept": [
                    {"after_minutes": 0, "notices": [_notice("acceptor", "app")]},
                    {"after_minutes": 2880, "notices": [_notice("workshop_director", "app")]},
                ],
            },
        },
    ]
}


def entry_for(policy: Mapping[str, Any], *, grade: str, area: str = "", category: str = "") -> dict[str, Any]:
    """The stored form of the first plan whose every condition holds. Raises PolicyError when none does."""
    facts = {"grade": grade, "area": area, "category": category}
    for entry in policy["plans"]:
        if all(
            facts.get(k) in (wanted if isinstance(wanted, list) else [wanted]) for k, wanted in entry["when"].items()
        ):
            return dict(entry)
    raise PolicyError(f"no plan for grade {grade}, area {area or '-'}, category {category or '-'}")


def read_plan(entry: Mapping[str, Any]) -> Plan:
    """A plan from its stored form. Raises PolicyError naming the first thing that is wrong."""
    try:
        plan = Plan(
            owner=entry["owner"],
            acceptor=entry["acceptor"],
            first=tuple(_read_notice(n) for n in entry["first"]),
            confirm_minutes=int(entry["confirm_minutes"]),
            rectify_hours=float(entry["rectify_hours"]),
            accept_hours=float(entry["accept_hours"]),
            stale_minutes=int(entry.get("stale_minutes", 0)),
            waits_for_working_hours=bool(entry.get("waits_for_working_hours", False)),
            ladders={name: tuple(_read_step(s) for s in entry["ladders"].get(name, [])) for name in LADDERS},
        )
    except (KeyError, TypeError) as error:
        raise PolicyError(f"a plan lacks {error}") from error
    if plan.confirm_minutes <= 0 or plan.rectify_hours <= 0 or plan.accept_hours <= 0:
        raise PolicyError("deadlines must be longer than zero")
    for role in (plan.owner, plan.acceptor):
        if role not in PEOPLE - {"owner", "acceptor"}:
            raise PolicyError(f"«{role}» is no role")
    return plan


def _read_step(step: Mapping[str, Any]) -> Step:
    return Step(int(step["after_minutes"]), tuple(_read_notice(n) for n in step["notices"]))


def _read_notice(notice: Mapping[str, Any]) -> Notice:
    to, channels = notice["to"], tuple(notice["channels"])
    if to not in PEOPLE:
        raise PolicyError(f"«{to}» is neither a role nor owner or acceptor")
    unknown = set(channels) - CHANNELS
    if unknown or not channels:
        raise PolicyError(f"unknown or missing channels for {to}: {', '.join(sorted(unknown)) or 'none given'}")
    return Notice(to, channels)


def validate(policy: Mapping[str, Any]) -> None:
    """Check a whole policy before it is published: every grade must have a plan without further conditions."""
    for entry in policy.get("plans", []):
        read_plan(entry)
    for grade in ("red", "orange", "yellow"):
        entry_for(policy, grade=grade)
