"""Reading the corp's directory, as far as the app's visible range goes, and who signed in to a page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.platforms.base import Failure, Member, PlatformError
from bot.platforms.wecom.client import Api

ACTIVE = 1


class Directory:
    def __init__(self, api: Api) -> None:
        self._api = api

    def members(self) -> Iterator[Member]:
        """Everybody the app may see, once each. Sub-departments are walked: asking for all at once is obsolete."""
        seen: set[str] = set()
        for department in self._departments():
            rows = self._api.get("user/list", department_id=department).get("userlist")
            for row in rows if isinstance(rows, list) else ():
                member = _member(row)
                if member.user and member.user not in seen:
                    seen.add(member.user)
                    yield member

    def member(self, user: str) -> Member | None:
        """None when the corp does not know them, or the app may not see them."""
        try:
            return _member(self._api.get("user/get", userid=user))
        except PlatformError as error:
            if error.failure is Failure.NOBODY:
                return None
            raise

    def user_of_code(self, code: str) -> str:
        """The user id behind a page's sign-in code. Raises EXPIRED for a used one, NOBODY for an outsider."""
        if not code or len(code) > 512:
            raise PlatformError(Failure.EXPIRED, "no_code")
        answer = self._api.get("auth/getuserinfo", code=code)
        user = str(answer.get("userid") or answer.get("UserId") or "")
        if not user:
            raise PlatformError(Failure.NOBODY, "not_a_member", remedy="请用本企业的企业微信账号打开")
        return user

    def _departments(self) -> list[str]:
        rows = self._api.get("department/simplelist").get("department_id")
        return [str(row["id"]) for row in rows if isinstance(row, dict) and "id" in row] if rows else []


def _member(row: dict[str, Any]) -> Member:
    """Apps of today get neither mobile number nor avatar; both stay empty then."""
    return Member(
        user=str(row.get("userid") or ""),
        name=str(row.get("name") or ""),
        mobile=str(row.get("mobile") or ""),
        title=str(row.get("position") or ""),
        active=row.get("status", ACTIVE) == ACTIVE,
    )
