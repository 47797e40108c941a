"""Contacts of the old API, `topapi/(v2/)user` and `topapi/v2/department` (protocol notes §5.2). Exempt from the quota."""

from __future__ import annotations

from typing import Any

from .core import Core
from .errors import OldError
from .people import ROOT_DEPT, Department, Person
from .routing import Call, Handler, Meter, Route, Style

MAX_PAGE = 100


class Contacts:
    def __init__(self, core: Core):
        self.core = core

    def routes(self) -> list[Route]:
        handlers: dict[str, Handler] = {
            "v2/user/get": self._user,
            "v2/user/getbymobile": self._by_mobile,
            "user/getbyunionid": self._by_unionid,
            "v2/user/list": self._page_of_users,
            "user/listsimple": self._page_of_names,
            "user/listid": self._ids,
            "v2/department/listsub": self._sub_departments,
            "v2/department/listsubid": self._sub_department_ids,
            "v2/department/get": self._department_details,
            "v2/department/listparentbyuser": self._parents_of_user,
        }
        return [Route("POST", f"/topapi/{path}", run, Style.OLD, meter=Meter.FREE) for path, run in handlers.items()]

    def _user(self, call: Call) -> dict[str, Any]:
        return {"result": self._full(self._person(call))}

    def _by_mobile(self, call: Call) -> dict[str, Any]:
        mobile = str(call.body.get("mobile", ""))
        if not mobile:
            raise OldError(40104, "无效的手机号")
        person = self.core.directory.by_mobile(mobile)
        if person is None:
            raise OldError(60121, "找不到该用户")
        return {"result": {"userid": person.userid}}

    def _by_unionid(self, call: Call) -> dict[str, Any]:
        person = self.core.directory.by_unionid(str(call.body.get("unionid", "")))
        if person is None:
            raise OldError(60121, "找不到该用户")
        return {"result": {"contact_type": 0, "userid": person.userid}}

    def _page_of_users(self, call: Call) -> dict[str, Any]:
        return self._page(call, full=True)

    def _page_of_names(self, call: Call) -> dict[str, Any]:
        return self._page(call, full=False)

    def _ids(self, call: Call) -> dict[str, Any]:
        return {"result": {"userid_list": [person.userid for person in self._members(self._department(call).id)]}}

    def _sub_departments(self, call: Call) -> dict[str, Any]:
        return {"result": [self._as_json(dept) for dept in self._children(self._department(call).id)]}

    def _sub_department_ids(self, call: Call) -> dict[str, Any]:
        return {"result": {"dept_id_list": [dept.id for dept in self._children(self._department(call).id)]}}

    def _department_details(self, call: Call) -> dict[str, Any]:
        return {"result": self._as_json(self._department(call))}

    def _parents_of_user(self, call: Call) -> dict[str, Any]:
        chains = [[dept] if dept == ROOT_DEPT else [dept, ROOT_DEPT] for dept in self._person(call).dept_ids]
        return {"result": {"parent_list": [{"parent_dept_id_list": chain} for chain in chains]}}

    def _page(self, call: Call, *, full: bool) -> dict[str, Any]:
        members = self._members(self._department(call).id)
        cursor, size = _number(call.body, "cursor", 0), _number(call.body, "size", 0)
        if not 1 <= size <= MAX_PAGE or cursor < 0:
            raise OldError(400002, "无效的参数: size 1-100, cursor >= 0")
        part = members[cursor : cursor + size]
        result: dict[str, Any] = {"has_more": cursor + size < len(members)}
        if result["has_more"]:
            result["next_cursor"] = cursor + size
        result["list"] = [self._full(p) if full else {"userid": p.userid, "name": p.name} for p in part]
        return {"result": result}

    def _person(self, call: Call) -> Person:
        userid = str(call.body.get("userid", ""))
        if not userid:
            raise OldError(33012, "无效的USERID")
        person = self.core.directory.member(userid)
        if person is None:
            raise OldError(60121, "找不到该用户")
        return person

    def _department(self, call: Call) -> Department:
        dept = self.core.directory.departments.get(_number(call.body, "dept_id", ROOT_DEPT))
        if dept is None:
            raise OldError(60003, "部门不存在")
        return dept

    def _children(self, dept_id: int) -> list[Department]:
        return [dept for dept in self.core.directory.departments.values() if dept.parent_id == dept_id]

    def _members(self, dept_id: int) -> list[Person]:
        """Direct members only, as on the platform."""
        return [p for p in self.core.directory.people.values() if dept_id in p.dept_ids and p.active]

    @staticmethod
    def _as_json(dept: Department) -> dict[str, Any]:
        head = {"dept_id": dept.id, "name": dept.name, "parent_id": dept.parent_id}
        return {**head, "create_dept_group": False, "auto_add_user": False}

    @staticmethod
    def _full(person: Person) -> dict[str, Any]:
        return {
            "userid": person.userid, "unionid": person.unionid, "name": person.name, "avatar": "",
            "mobile": person.mobile, "title": person.title, "job_number": "", "dept_id_list": person.dept_ids,
            "dept_order_list": [{"dept_id": dept, "order": 1} for dept in person.dept_ids],
            "leader_in_dept": [{"dept_id": dept, "leader": False} for dept in person.dept_ids],
            "admin": False, "boss": False, "senior": False, "active": True, "real_authed": True, "hide_mobile": False,
        }  # fmt: skip


def _number(body: dict[str, Any], name: str, default: int) -> int:
    value = body.get(name, default)
    try:
        return int(value)
    except (TypeError, ValueError) as error:
        raise OldError(400002, f"无效的参数: {name}") from error
