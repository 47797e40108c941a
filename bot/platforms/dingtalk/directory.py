"""The company's directory, over topapi/v2. Its samples print numbers and booleans as strings: read both."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.platforms.base import Failure, Member
from bot.platforms.dingtalk.errors import DingTalkError
from bot.platforms.dingtalk.oapi import OldApi
from bot.platforms.dingtalk.values import as_bool, as_dict, as_id, as_list, as_text

ROOT = 1
PAGE = 100


class Directory:
    def __init__(self, oapi: OldApi) -> None:
        self._oapi = oapi

    def members(self) -> Iterator[Member]:
        """Everybody once, department by department."""
        seen: set[str] = set()
        for department in self._departments():
            for member in self._people_of(department):
                if member.user and member.user not in seen:
                    seen.add(member.user)
                    yield member

    def member(self, user: str) -> Member | None:
        try:
            answer = self._oapi.call("topapi/v2/user/get", {"userid": user, "language": "zh_CN"}, repeatable=True)
        except DingTalkError as error:
            if error.failure is Failure.NOBODY:
                return None
            raise
        return _member(as_dict(answer.get("result")))

    def user_of_code(self, code: str) -> str:
        """The user behind a 免登 code, which works once; raises EXPIRED for a used or old one."""
        answer = self._oapi.call("topapi/v2/user/getuserinfo", {"code": code})
        return as_id(as_dict(answer.get("result")).get("userid"))

    def _departments(self) -> Iterator[int]:
        waiting, seen = [ROOT], {ROOT}
        while waiting:
            department = waiting.pop(0)
            yield department
            answer = self._oapi.call("topapi/v2/department/listsub", {"dept_id": department}, repeatable=True)
            for item in _items(answer.get("result")):
                found = as_text(item.get("dept_id"))
                if found.isdecimal() and int(found) not in seen:
                    seen.add(int(found))
                    waiting.append(int(found))

    def _people_of(self, department: int) -> Iterator[Member]:
        cursor = 0
        while True:
            body = {"dept_id": department, "cursor": cursor, "size": PAGE}
            page = as_dict(self._oapi.call("topapi/v2/user/list", body, repeatable=True).get("result"))
            for item in _items(page.get("list")):
                yield _member(item)
            following = as_text(page.get("next_cursor"))
            if not as_bool(page.get("has_more")) or not following.isdecimal() or int(following) <= cursor:
                return
            cursor = int(following)


def _items(value: Any) -> list[dict[str, Any]]:
    """A list, or the one object that a sample shows in its place."""
    return [item for item in (as_list(value) or [value]) if isinstance(item, dict)]


def _member(item: dict[str, Any]) -> Member:
    return Member(
        user=as_id(item.get("userid")),
        name=as_text(item.get("name")),
        union_id=as_id(item.get("unionid")),
        mobile=as_text(item.get("mobile")),
        title=as_text(item.get("title")),
        active=as_bool(item.get("active", True)),
    )
