"""Planted orphans: what the engine lost, put into its database on purpose. The auditor's own process must find each in time."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic

from storage import guards
from tools.fault_runs.run import Plan, Result

FOUND_WITHIN_S = 60.0
CLEARED_WITHIN_S = 75.0


@dataclass(frozen=True)
class Orphan:
    """`plant` and `mend` are statements about hazard :case; `kind` is what the auditor must say."""

    kind: str
    plant: tuple[str, ...]
    mend: tuple[str, ...] = ()


_LOOK = "(SELECT min(id) FROM {table} WHERE case_kind = 'hazard' AND case_id = :case)"
ORPHANS = (
    Orphan("hazard.no_step", ("DELETE FROM ladder_step WHERE case_kind = 'hazard' AND case_id = :case",)),
    Orphan(
        "hazard.no_due",
        ("UPDATE hazard SET due_at = NULL WHERE id = :case",),
        ("UPDATE hazard SET due_at = now() + interval '1 day' WHERE id = :case",),
    ),
    Orphan(
        "delivery.refused",
        (
            "INSERT INTO delivery (dedupe_key, case_kind, case_id, purpose, what, platform, user_id, group_id, payload,"
            " batch_key, urgency, state, due_at, attempts, ref, error, wait_reason, created_at) VALUES ("
            "'orphan:' || :case, 'hazard', :case, 'hazard.dispatch', 'text', 'wecom', 'nobody', '', '{\"text\": \"x\"}', '',"
            " 0, 'refused', now(), 1, '', '81013', '', now())",
        ),
        ("DELETE FROM delivery WHERE dedupe_key = 'orphan:' || :case",),
    ),
    Orphan(
        "inbox.failed",
        (
            "INSERT INTO inbox (platform, key, sender, payload, state, needs_media, media, received_at, sent_at, handled_at,"
            " attempts, error) VALUES ('wecom', 'orphan-' || :case, 'nobody', '{}', 'failed', false, '[]', now(), now(),"
            " now(), 4, 'X')",
        ),
        ("DELETE FROM inbox WHERE key = 'orphan-' || :case",),
    ),
    Orphan(
        "inbox.held",
        (
            "INSERT INTO inbox (platform, key, sender, payload, state, needs_media, media, received_at, sent_at, attempts,"
            " error, lease_until) VALUES ('wecom', 'orphan-' || :case, 'nobody2', '{}', 'taken', false, '[]', now(), now(),"
            " 1, '', now() + interval '2 days')",
        ),
        ("DELETE FROM inbox WHERE key = 'orphan-' || :case",),
    ),
    Orphan(
        "trail.broken",
        (f"UPDATE trail_line SET why = why || '.' WHERE id = {_LOOK.format(table='trail_line')}",),
        (f"UPDATE trail_line SET why = left(why, -1) WHERE id = {_LOOK.format(table='trail_line')}",),
    ),
)


def planted(plan: Plan) -> Result:
    """One hazard an orphan; all planted at once, each found by the auditor's process, and over when it is put right."""
    on, result = plan.on, Result("planted orphans found by the auditor")
    sent = [plan.crowd.report(platform="wecom") for _ in ORPHANS]
    plan.settle(result, sent)
    cases = [
        on.ask("SELECT id FROM hazard WHERE description LIKE :like AND number IS NOT NULL", like=f"{report.code} %")[
            0
        ].id
        for report in sent
    ]
    before = on.number("SELECT coalesce(max(id), 0) FROM audit_finding")
    with on.engine.begin() as db:
        guards.remove(db)
    for orphan, case in zip(ORPHANS, cases, strict=True):
        for statement in orphan.plant:
            on.ask(statement, **({"case": case} if ":case" in statement else {}))
    began, seen = monotonic(), dict[str, float]()

    def all_found() -> bool:
        rows = on.ask("SELECT kind FROM audit_finding WHERE id > :before", before=before)
        for row in rows:
            seen.setdefault(row.kind, monotonic() - began)
        return {orphan.kind for orphan in ORPHANS} <= set(seen)

    on.wait_for(all_found, within_s=FOUND_WITHIN_S + 30)
    for orphan, case in zip(ORPHANS, cases, strict=True):
        for statement in orphan.mend:
            on.ask(statement, case=case)
    with on.engine.begin() as db:
        guards.install(db)
    for orphan in ORPHANS:
        took = seen.get(orphan.kind)
        if took is None or took > FOUND_WITHIN_S:
            result.wrong.append(f"{orphan.kind} was " + ("not found" if took is None else f"found after {took:.0f} s"))
    gone = on.wait_for(lambda: not _open(plan), within_s=CLEARED_WITHIN_S)
    if gone is None:
        result.wrong.append(f"still open after it was put right: {_open(plan)}")
    result.recover_s = max(seen.values(), default=0.0)
    result.note = (
        f"{len(seen)} of {len(ORPHANS)} kinds, the last after {result.recover_s:.0f} s (goal {FOUND_WITHIN_S:.0f} s)"
    )
    plan.settle(result, [])
    return result


def _open(plan: Plan) -> list[str]:
    kinds = [orphan.kind for orphan in ORPHANS]
    rows = plan.on.ask("SELECT kind FROM audit_finding WHERE cleared_at IS NULL AND kind = ANY(:kinds)", kinds=kinds)
    return sorted({row.kind for row in rows})
