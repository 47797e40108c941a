"""`flask import-people FILE`: people, their chat accounts and roles. What unknown accounts said before is taken up."""

from __future__ import annotations

from pathlib import Path

from handlers.people import bind_account
from rules.terms import Role
from storage.models import Person, RoleGrant
from storage.people import account_key
from storage.unit_of_work import UnitOfWork
from tools.importing.table import BadRow, ImportReport, Row, put, read_table, take

COLUMNS = {
    "code": ("工号", "人员编号", "id"),
    "name": ("姓名",),
    "mobile": ("手机", "手机号", "phone"),
    "title": ("职务", "岗位"),
    "team": ("班组",),
    "wecom": ("企业微信账号", "企业微信", "wecom userid"),
    "dingtalk": ("钉钉账号", "钉钉", "dingtalk userid"),
    "union": ("钉钉unionid", "unionid", "dingtalk unionid"),
    "roles": ("角色",),
}
ROLES = {name: role for role in Role for name in (role.value, role.zh)}
Grants = set[tuple[str, int | None]]


def import_people(work: UnitOfWork, path: Path) -> ImportReport:
    """Add or change people by their staff number; the caller commits. Raises TableError.

    Roles are replaced by those of the table; accounts are added, never taken away.
    """
    areas = {name: area.id for area in work.plant.areas() for name in (area.code, area.name)}
    seen: set[str] = set()
    accounts: dict[tuple[str, str], str] = {}
    unparked = 0

    def one(row: Row) -> str:
        nonlocal unparked
        code = row.text("code", limit=64, needed="工号")
        if code in seen:
            raise BadRow(f"工号 {code} 在表里出现了两次")
        values = {
            "name": row.text("name", limit=64, needed="姓名"),
            "mobile": _mobile(row.text("mobile", limit=32)),
            "title": row.text("title", limit=64),
            "team": row.text("team", limit=64),
            "active": True,
        }
        grants = _grants(row, areas) if row.has("roles") else None
        known = work.people.by_code(code)
        given = _accounts(work, row, known, accounts, code)
        seen.add(code)
        person = known or Person(code=code, created_at=work.at, accounts=[], roles=[])
        outcome = put(person, values, new=known is None)
        if known is None:
            work.db.add(person)
        work.flush()
        changed, waiting = _bind(work, person, given)
        unparked += waiting
        if grants is not None:
            changed |= _regrant(work, person, grants)
        return "changed" if changed and outcome == "same" else outcome

    report = take(read_table(path, COLUMNS, needed=("code", "name")), one)
    report.unparked = unparked
    return report


def _mobile(value: str) -> str:
    digits = value.replace(" ", "").replace("-", "")
    if digits and not (digits.removeprefix("+").isdigit() and 7 <= len(digits.removeprefix("+")) <= 15):
        raise BadRow("手机号不对,只能有7到15位数字")
    return digits


def _grants(row: Row, areas: dict[str, int]) -> Grants:
    """«team_leader@JC;worker» → roles, each for one area or the whole plant."""
    found: Grants = set()
    for part in row.many("roles"):
        name, _, area = part.partition("@")
        role = ROLES.get(name.strip())
        if role is None:
            known = "、".join(f"{r.value}({r.zh})" for r in Role)
            raise BadRow(f"角色“{name.strip()[:16]}”不认识,可填:{known}")
        if area and area.strip() not in areas:
            raise BadRow(f"没有区域“{area.strip()[:16]}”,请先导入区域或改正编码")
        found.add((role.value, areas[area.strip()] if area else None))
    return found or {(Role.WORKER.value, None)}


def _accounts(
    work: UnitOfWork, row: Row, known: Person | None, used: dict[tuple[str, str], str], code: str
) -> list[tuple[str, str, str]]:
    """(platform, user id, union id) of the row, checked against the table above and the database."""
    found = []
    for platform in ("wecom", "dingtalk"):
        user = row.text(platform, limit=128)
        if not user:
            continue
        key = (platform, account_key(platform, user))
        title = "企业微信" if platform == "wecom" else "钉钉"
        if key in used:
            raise BadRow(f"{title}账号 {user} 与工号 {used[key]} 重复")
        account = work.people.account(*key)
        if account is not None and account.person_id is not None and (known is None or account.person_id != known.id):
            raise BadRow(f"{title}账号 {user} 已是别人的,请核对")
        used[key] = code
        found.append((platform, user, row.text("union", limit=128) if platform == "dingtalk" else ""))
    return found


def _bind(work: UnitOfWork, person: Person, given: list[tuple[str, str, str]]) -> tuple[bool, int]:
    """Give the accounts to the person; (whether anything changed, how many messages of theirs were waiting)."""
    changed, waiting = False, 0
    for platform, user, union in given:
        account = work.people.account(platform, user)
        if account is not None and account.person_id == person.id and (not union or account.union_id == union):
            continue
        changed = True
        account = work.people.add_account(platform, user, at=work.at, union_id=union)
        waiting += bind_account(work, account, person)
    return changed, waiting


def _regrant(work: UnitOfWork, person: Person, grants: Grants) -> bool:
    have = {(grant.role, grant.area_id): grant for grant in person.roles}
    if set(have) == grants:
        return False
    for key, grant in have.items():
        if key not in grants:
            person.roles.remove(grant)
    for role, area_id in sorted(grants - set(have), key=str):
        person.roles.append(RoleGrant(role=role, area_id=area_id))
    work.flush()
    return True
