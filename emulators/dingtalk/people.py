"""Who exists: people, departments, groups and apps, read from the plant."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from typing import Any

ROOT_DEPT = 1


@dataclass
class Person:
    userid: str
    unionid: str
    name: str
    mobile: str
    title: str
    dept_ids: list[int]
    active: bool = True

    @property
    def sender_id(self) -> str:
        """The encrypted id that looks like a key for people but is none."""
        return "$:LWCP_v1:$" + _opaque(f"sender {self.userid}")


@dataclass
class Group:
    id: str
    title: str
    members: list[str]
    has_robot: bool = True


@dataclass(frozen=True)
class App:
    client_id: str
    client_secret: str
    robot_code: str


@dataclass
class Department:
    id: int
    name: str
    parent_id: int = ROOT_DEPT


@dataclass
class Directory:
    """Everything an admin would see in the contacts console."""

    people: dict[str, Person] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    apps: dict[str, App] = field(default_factory=dict)
    departments: dict[int, Department] = field(default_factory=dict)

    def by_unionid(self, unionid: str) -> Person | None:
        return next((p for p in self.people.values() if p.unionid == unionid and p.active), None)

    def by_mobile(self, mobile: str) -> Person | None:
        return next((p for p in self.people.values() if p.mobile == mobile and p.active), None)

    def member(self, userid: str) -> Person | None:
        person = self.people.get(userid)
        return person if person is not None and person.active else None

    def by_any_id(self, identifier: str, *, union: bool) -> Person | None:
        return self.by_unionid(identifier) if union else self.member(identifier)


def private_conversation(corp_id: str, userid: str) -> str:
    """openConversationId of the person↔robot conversation: stable, base64, ends in `==`."""
    return "cid" + _opaque(f"{corp_id} {userid}")


def _opaque(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()[:16]).decode()


def read_directory(plant: dict[str, Any]) -> Directory:
    """People with a `dingtalk` id, the DingTalk groups, departments by name (else by area), the apps."""
    conf = plant["dingtalk"]
    directory = Directory()
    directory.departments[ROOT_DEPT] = Department(ROOT_DEPT, str(plant.get("name", "演示工厂")), 0)
    area_names = {str(area.get("code")): str(area.get("name", "")) for area in plant.get("areas", [])}
    for raw in plant["people"]:
        if raw.get("dingtalk"):
            names = [raw["department"]] if raw.get("department") else raw.get("areas") or []
            depts = [_department(directory, area_names.get(name) or name) for name in names]
            unionid = raw.get("unionid") or _unionid(raw["dingtalk"])
            mobile, title = raw.get("mobile", ""), raw.get("title", "")
            person = Person(raw["dingtalk"], unionid, raw["name"], mobile, title, depts or [ROOT_DEPT])
            directory.people[person.userid] = person
    for raw in plant.get("groups", []):
        if raw.get("platform") == "dingtalk":
            group = Group(raw["id"], raw["title"], list(raw["members"]), bool(raw.get("has_robot", True)))
            directory.groups[group.id] = group
    for raw in [conf, *conf.get("other_apps", [])]:
        app = App(raw["client_id"], raw["client_secret"], raw.get("robot_code") or raw["client_id"])
        directory.apps[app.client_id] = app
    return directory


def _department(directory: Directory, name: str) -> int:
    """The id of the department of that name, made on first use."""
    found = next((dept.id for dept in directory.departments.values() if dept.name == name), None)
    if found is not None:
        return found
    number = 100 + len(directory.departments)
    directory.departments[number] = Department(number, name)
    return number


def _unionid(userid: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "", _opaque(f"union {userid}")) + "iEiE"
