"""Messages of permits: a stop always gets through or somebody knows that it did not; what nobody needs is called off."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from auditor.finding import Kind
from auditor.service import Auditor
from handlers.permit import actions, cast, feel, running, still_needed
from storage.models import Delivery
from tests import permits as p

pytestmark = pytest.mark.sqlite_suffices


@pytest.fixture
def auditor(plant):
    return Auditor(engine=plant.services.engine, clock=lambda: plant.now)


def permit(plant):
    with plant.work(read_only=True) as work:
        return work.permits.by_number("ZY-0001")


def rows(plant, purpose, *, to=""):
    """(what, platform, state, error) of the messages of ZY-0001."""
    with plant.work(read_only=True) as work:
        names = {person.id: person.name for person in work.people.everyone()}
        return [
            (row.what, row.platform, row.state, row.error)
            for row in work.outbox.of_case("permit", permit(plant).id)
            if row.purpose == purpose and (not to or names.get(row.person_id) == to)
        ]


def wecom_fails(plant, **fault):
    plant.wecom.core.switches.set({**fault, "path": "message/send"})


def wecom_works(plant):
    plant.wecom.core.switches.set({"clear": True})


def stop(plant, who=p.WORKER):
    with plant.work() as work:
        found = work.permits.by_number("ZY-0001")
        feel.stop_by_hand(work, found, by=work.people.by_name(who)[0], why="闻到气味", via="chat")
        work.commit()


def confirm(plant, who):
    with plant.work() as work:
        feel.confirm(work, work.permits.by_number("ZY-0001"), by=work.people.by_name(who)[0], via="page")
        work.commit()


def kinds(report):
    return {finding.kind for finding in report.found}


def test_a_stop_that_no_platform_takes_goes_by_sms_once_and_the_admins_hear_of_it(plant, auditor):
    p.at_work(plant)
    wecom_fails(plant, api_error=60111)
    stop(plant)
    plant.settle()
    for name in (p.GUARDIAN, p.APPLICANT):
        assert ("text", "wecom", "refused") in [row[:3] for row in rows(plant, "permit.suspended", to=name)]
        assert len([said for said in plant.sms_of(name) if "作业票已叫停" in said and "ZY-0001" in said]) == 1
    assert plant.sms_of(p.WORKER) == []
    with plant.work(read_only=True) as work:
        told = work.db.scalars(select(Delivery).where(Delivery.purpose == "delivery.failed")).all()
    assert told
    plant.now += timedelta(seconds=30)
    assert not kinds(auditor.look()) & {Kind.STOP_UNHEARD, Kind.SEND_REFUSED}  # something is in their place
    wecom_works(plant)


def test_a_stop_that_reached_somebody_by_no_way_is_found_and_told(plant, auditor):
    p.at_work(plant)
    with plant.work() as work:
        work.people.by_name(p.GUARDIAN)[0].mobile = ""
        work.commit()
    wecom_fails(plant, api_error=60111)
    stop(plant)
    plant.settle()
    wecom_works(plant)
    plant.now += timedelta(seconds=30)
    report = auditor.look()
    assert {Kind.STOP_UNHEARD, Kind.SEND_REFUSED} <= kinds(report)
    plant.settle()
    plant.phone("王芳").sees("【巡检】", "ZY-0001 已叫停,但没有一条停工通知送到这个人")
    confirm(plant, p.GUARDIAN)  # somebody ran there
    plant.now += timedelta(seconds=30)
    assert Kind.STOP_UNHEARD not in kinds(auditor.look())


def test_who_has_no_account_hears_of_a_stop_by_sms(plant):
    p.at_work(plant)
    with plant.work() as work:
        for account in work.people.by_name(p.GUARDIAN)[0].accounts:
            account.user_id = ""
        work.commit()
    stop(plant)
    plant.settle()
    assert any("ZY-0001" in said for said in plant.sms_of(p.GUARDIAN))


def test_a_stop_is_called_off_only_for_who_has_confirmed_it(plant):
    p.at_work(plant)
    wecom_fails(plant, busy=True)
    stop(plant)
    plant.settle()
    confirm(plant, p.GUARDIAN)
    wecom_works(plant)
    plant.forward(minutes=1)
    texts = {name: [r[1:] for r in rows(plant, "permit.suspended", to=name) if r[0] == "text"] for name in NAMES}
    assert texts[p.GUARDIAN] == [("wecom", "expired", "settled meanwhile")]
    assert texts[p.APPLICANT][0][:2] == ("wecom", "confirmed")
    plant.phone(p.APPLICANT).sees("ZY-0001 立即停止作业")


NAMES = (p.GUARDIAN, p.APPLICANT)


def suspended_row(plant, name):
    """The text of the stop to this person, as it was written."""
    with plant.work(read_only=True) as work:
        person = work.people.by_name(name)[0]
        found = work.outbox.of_case("permit", permit(plant).id)
        return next(
            r for r in found if r.purpose == "permit.suspended" and r.what == "text" and r.person_id == person.id
        )


@pytest.mark.parametrize("state", ["suspended", "expired"])
def test_a_stop_is_never_called_off_while_somebody_may_still_be_at_work(plant_on_sqlite, state):
    plant = plant_on_sqlite
    p.at_work(plant)
    stop(plant)
    row = suspended_row(plant, p.GUARDIAN)
    plant.now += timedelta(hours=12)
    with plant.work() as work:
        found = work.permits.by_number("ZY-0001")
        found.state = state
        assert still_needed.no_longer(work, row) == ""
        for party in found.parties:  # everybody else has confirmed
            party.confirmed_at = work.at if party.person_id != row.person_id else None
        assert still_needed.no_longer(work, row) == ""
        found.state = "active"  # the leader let them go on
        assert still_needed.no_longer(work, row) == "permit went on meanwhile"
        found.state = "closed"
        assert still_needed.no_longer(work, row) == "case is over"


def test_reminders_are_called_off_when_they_were_heeded_or_mean_nothing_any_more(plant_on_sqlite):
    plant = plant_on_sqlite
    p.at_work(plant)
    with plant.work() as work:
        found = work.permits.by_number("ZY-0001")
        due = {"at": (work.at + timedelta(minutes=9)).isoformat(), "rule": "HW-A02", "clause": "x", "message": "该测了"}
        found.next_due = [due]
        seen = running.guardian_of(found).checked_in_at
        guardian = [found.guardian]
        cast.tell(work, found, guardian, "该测了", tag=f"due:HW-A02:{work.at + timedelta(minutes=9):%d%H%M}")
        cast.tell(work, found, guardian, "请打卡", tag=f"checkin:{seen:%d%H%M}")
        cast.tell(work, found, guardian, "下班", tag="shift:240900")
        work.flush()
        told = {r.purpose: r for r in work.outbox.of_case("permit", found.id) if r.state == "due" and r.what == "text"}

        def answers():
            return {name.partition(".")[2]: still_needed.no_longer(work, row) for name, row in told.items()}

        assert answers() == {"due": "", "checkin": "", "shift": ""}
        found.next_due = [
            {**due, "at": (work.at + timedelta(hours=2)).isoformat()}
        ]  # measured: the next is in two hours
        running.guardian_of(found).checked_in_at = work.at + timedelta(minutes=1)
        assert answers() == {"due": "settled meanwhile", "checkin": "settled meanwhile", "shift": ""}
        found.generation += 1  # stopped and resumed: what was said before means nothing
        assert answers()["shift"] == "permit went on meanwhile"
        found.state = "suspended"
        assert set(answers().values()) == {"settled meanwhile"}


def test_nobody_is_asked_to_sign_what_was_withdrawn(plant):
    p.feed(plant)
    applicant = p.ask_for(plant)
    wecom_fails(plant, busy=True)
    applicant.taps("提交审批")
    with plant.work() as work:
        found = work.permits.by_number("ZY-0001")
        actions.withdraw(work, found, by=found.applicant, via="page")
        work.commit()
    wecom_works(plant)
    plant.forward(minutes=1)
    assert [row[2:] for row in rows(plant, "permit.submitted", to=p.APPROVER)] == [("expired", "case is over")]
    plant.phone(p.APPROVER).does_not_see("ZY-0001")


def test_who_need_not_sign_any_more_is_not_asked(plant_on_sqlite):
    plant = plant_on_sqlite
    p.feed(plant)
    p.hand_in(plant)
    with plant.work(read_only=True) as work:
        found = work.permits.by_number("ZY-0001")
        row = next(
            r for r in work.outbox.of_case("permit", found.id)
            if r.purpose == "permit.submitted" and r.person_id == work.people.by_name(p.APPROVER)[0].id
        )  # fmt: skip
        assert still_needed.no_longer(work, row) == ""
        for signature in found.approvals:
            signature.granted = True
        assert still_needed.no_longer(work, row) == "settled meanwhile"
