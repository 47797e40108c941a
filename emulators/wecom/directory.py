"""Members, departments and who may be seen by which app."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .core import Core
from .errors import ApiError

ROOT = 1


@dataclass
class Member:
    """One member. `status`: 1 active, 2 disabled, 4 not activated, 5 left."""

    userid: str
    person: str
    name: str
    title: str
    mobile: str
    department: int
    leader: bool
    unionid: str
    status: int = 1
    tags: list[int] = field(default_factory=list)


class Directory:
    """The corp's contacts, built from the plant; departments are the people's `department` names under the root."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.departments: dict[int, dict[str, Any]] = {ROOT: _department(ROOT, core.plant.get("name", "演示工厂"), 0)}
        self.members: dict[str, Member] = {}
        self._aliases: dict[str, str] = {}
        names: dict[str, int] = {}
        for person in core.plant["people"]:
            if not person.get("wecom"):
                continue
            name = person.get("department")
            if name and name not in names:
                names[name] = len(names) + 2
                self.departments[names[name]] = _department(names[name], name, ROOT)
            self._add(person, names.get(name, ROOT))
        wished = core.settings.get("visible")
        self.visible: set[str] = {u.lower() for u in wished} if wished is not None else set(self.members)

    def _add(self, person: dict[str, Any], department: int) -> None:
        member = Member(
            userid=person["wecom"],
            person=person["id"],
            name=person["name"],
            title=person.get("title", ""),
            mobile=person.get("mobile", ""),
            department=department,
            leader=any(r.get("role") == "workshop_director" for r in person.get("roles", [])),
            unionid=person.get("unionid", ""),
        )
        self.members[member.userid.lower()] = member
        self._aliases[member.person.lower()] = member.userid.lower()

    def hire(self, userid: str, name: str, *, title: str = "", mobile: str = "") -> Member:
        """A new member the plant file does not know, in the app's visible range."""
        self._add({"id": userid, "wecom": userid, "name": name, "title": title, "mobile": mobile}, ROOT)
        self.visible.add(userid.lower())
        return self.members[userid.lower()]

    def find(self, userid: str) -> Member | None:
        """By userid, ignoring case."""
        return self.members.get(userid.lower())

    def phone(self, user: str) -> Member:
        """By userid or the plant's person id; raises KeyError."""
        key = user.lower()
        return self.members[key if key in self.members else self._aliases[key]]

    def reachable(self, userid: str) -> bool:
        """In the app's visible range and active."""
        member = self.find(userid)
        return member is not None and member.status == 1 and member.userid.lower() in self.visible

    def in_department(self, department: int) -> list[Member]:
        """Direct members; the root holds those without a department."""
        return [m for m in self.members.values() if m.department == department and m.status != 5]

    def need_visible(self, userid: str) -> Member:
        """The member, or 60111 unknown, or 60011 outside the visible range."""
        member = self.find(userid)
        if member is None or member.status == 5:
            raise ApiError(60111, userid)
        if member.userid.lower() not in self.visible:
            raise ApiError(60011)
        return member

    def public(self, member: Member) -> dict[str, Any]:
        """`user/get` for an app of today: no mobile, e-mail or avatar unless the switch grants them."""
        body = {
            "userid": member.userid,
            "name": member.name,
            "department": [member.department],
            "order": [0],
            "position": member.title,
            "is_leader_in_dept": [int(member.leader)],
            "direct_leader": [],
            "main_department": member.department,
            "alias": "",
            "telephone": "",
            "status": member.status,
            "extattr": {"attrs": []},
            "external_position": "",
            "open_userid": f"wo{member.userid.lower()}",
        }
        if self.core.switches["user_details"]:
            body |= {"mobile": member.mobile, "gender": "1", "email": "", "biz_mail": "", "avatar": "", "address": ""}
        return body


def _department(number: int, name: str, parent: int) -> dict[str, Any]:
    return {
        "id": number,
        "name": name,
        "name_en": "",
        "department_leader": [],
        "parentid": parent,
        "order": 100000 - number,
    }
