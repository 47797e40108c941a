"""Reading members and departments, and the exchange of an OAuth code for a member."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import request

from .core import Core
from .directory import ROOT, Directory
from .errors import ApiError
from .tokens import Tokens


def contact_routes(core: Core, directory: Directory, tokens: Tokens) -> dict[tuple[str, str], Callable[[Any], Any]]:
    """The rows of the API table that read the directory."""
    view = Contacts(core, directory, tokens)
    return {
        ("GET", "user/get"): view.user,
        ("GET", "user/list"): view.user_list,
        ("GET", "user/simplelist"): view.user_simplelist,
        ("POST", "user/list_id"): view.list_id,
        ("POST", "user/getuserid"): view.by_mobile,
        ("POST", "user/convert_to_openid"): lambda c: {
            "openid": f"op{directory.need_visible(c.body['userid']).userid}"
        },
        ("POST", "user/convert_to_userid"): view.from_openid,
        ("GET", "department/list"): view.departments,
        ("GET", "department/simplelist"): view.department_ids,
        ("GET", "department/get"): view.department,
        ("GET", "auth/getuserinfo"): view.user_of_code,
        ("POST", "auth/getuserdetail"): view.user_detail,
        ("GET", "user/getuserinfo"): view.user_of_code_old,
    }


class Contacts:
    """Callers hold the lock."""

    def __init__(self, core: Core, directory: Directory, tokens: Tokens) -> None:
        self.core, self.directory, self.tokens = core, directory, tokens

    def user(self, call: Any) -> dict[str, Any]:
        return self.directory.public(self.directory.need_visible(call.arg("userid")))

    def _members(self) -> list[Any]:
        try:
            number = int(request.args.get("department_id", ""))
        except ValueError as error:
            raise ApiError(60123) from error
        if number not in self.directory.departments:
            raise ApiError(60123)
        return [m for m in self.directory.in_department(number) if m.userid.lower() in self.directory.visible]

    def user_list(self, call: Any) -> dict[str, Any]:
        return {"userlist": [self.directory.public(member) for member in self._members()]}

    def user_simplelist(self, call: Any) -> dict[str, Any]:
        fields = ("userid", "name", "department", "open_userid")
        rows = [self.directory.public(member) for member in self._members()]
        return {"userlist": [{name: row[name] for name in fields} for row in rows]}

    def list_id(self, call: Any) -> dict[str, Any]:
        """Paged ids; the cursor is the next position."""
        limit = min(int(call.body.get("limit") or 10000), 10000)
        start = int(call.body.get("cursor") or 0)
        rows = [
            {"userid": m.userid, "department": m.department}
            for m in self.directory.members.values()
            if m.status != 5 and m.userid.lower() in self.directory.visible
        ]
        more = str(start + limit) if start + limit < len(rows) else ""
        return {"next_cursor": more, "dept_user": rows[start : start + limit]}

    def by_mobile(self, call: Any) -> dict[str, Any]:
        mobile = str(call.body.get("mobile", ""))
        member = next((m for m in self.directory.members.values() if mobile and m.mobile == mobile), None)
        if member is None:
            raise ApiError(46004, "mobile")
        return {"userid": self.directory.need_visible(member.userid).userid}

    def from_openid(self, call: Any) -> dict[str, Any]:
        openid = str(call.body.get("openid", ""))
        if not openid.startswith("op"):
            raise ApiError(40003)
        return {"userid": self.directory.need_visible(openid[2:]).userid}

    def _below(self, wish: str) -> list[dict[str, Any]]:
        if not wish:
            return list(self.directory.departments.values())
        number = int(wish)
        if number not in self.directory.departments:
            raise ApiError(60123)
        rows = self.directory.departments.values()
        return [row for row in rows if row["id"] == number or (number == ROOT and row["parentid"] == ROOT)]

    def departments(self, call: Any) -> dict[str, Any]:
        return {"department": self._below(call.arg("id"))}

    def department_ids(self, call: Any) -> dict[str, Any]:
        fields = ("id", "parentid", "order")
        return {"department_id": [{name: row[name] for name in fields} for row in self._below(call.arg("id"))]}

    def department(self, call: Any) -> dict[str, Any]:
        number = int(call.arg("id") or 0)
        if number not in self.directory.departments:
            raise ApiError(60123)
        return {"department": self.directory.departments[number]}

    # --- OAuth ---------------------------------------------------------------------------------------------------
    def user_of_code(self, call: Any) -> dict[str, Any]:
        """`auth/getuserinfo`: a member, or an outsider's openid."""
        userid, _, private = self.tokens.redeem_code(call.arg("code"))
        member = self.directory.find(userid)
        if member is None or member.status != 1:
            return {"openid": f"op{userid}"}
        body = {"userid": member.userid}
        return body | {"user_ticket": self.tokens.new_user_ticket(member.userid)} if private else body

    def user_of_code_old(self, call: Any) -> dict[str, Any]:
        """The old path with its capitalised names."""
        userid, _, _ = self.tokens.redeem_code(call.arg("code"))
        return {"UserId": self.directory.need_visible(userid).userid, "DeviceId": ""}

    def user_detail(self, call: Any) -> dict[str, Any]:
        """`auth/getuserdetail`: what the member agreed to show."""
        member = self.directory.need_visible(self.tokens.user_of_ticket(str(call.body.get("user_ticket", ""))))
        return {"userid": member.userid, "gender": "1", "avatar": "", "qr_code": "", "mobile": member.mobile}
