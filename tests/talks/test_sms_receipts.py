"""An SMS that the gateway took and the operator dropped: said another way or told, once, with either provider."""

from __future__ import annotations

from datetime import timedelta

import pytest

from auditor.finding import Kind
from auditor.service import Auditor
from bot import outbox
from connectors.sms import AliyunSms, SmsAccount, TencentSms
from handlers.permit import feel
from jobs import schedule, slow, sms_receipts
from storage.models import Account
from tests import permits as p
from tests.pictures import scene
from tests.plant import SMS, walked

pytestmark = pytest.mark.sqlite_suffices

RED = "3号泵房甲醇泵泄漏,有人头晕"
OFFICER, ADMIN, BOSS = "周敏", "周敏", "赵建国"


@pytest.fixture(params=[AliyunSms, TencentSms], ids=["aliyun", "tencent"])
def both(plant, request):
    """The plant, with one provider and then with the other."""
    keys, settings = plant.data["sms"], plant.settings
    account = SmsAccount(
        key_id=keys["access_key_id"],
        key_secret=keys["access_key_secret"],
        sign_name=settings.sms_sign_name,
        template=settings.sms_template_code,
        app_id="1400006666",
        endpoint=SMS + "/",
    )
    plant.services.sms = request.param(account, plant._session(), lambda: plant.now)
    return plant


def fault(plant, **wish):
    assert plant.sms.app.test_client().post("/_phone/faults", json=wish).status_code == 200


@walked
def report(plant):
    """A red hazard, whose own SMS have all arrived."""
    plant.phone("张伟").sends_photo(scene(1)).says(RED)
    later(plant, minutes=1)
    with plant.work(read_only=True) as work:
        return work.hazards.page()[0].number


def only_sms(plant, number, *names, purpose="hazard.dispatch", tag="only"):
    """An urgent SMS to each of them and nothing beside it, as a policy may want it."""
    plant.now += timedelta(minutes=6)  # whatever was said of the case in chat was long before
    with plant.work() as work:
        hazard = work.hazards.by_number(number)
        for name in names:
            params = {"grade": "一级隐患", "number": number, "area": "3号泵房", "time": "09:00"}
            case = ("hazard", hazard.id)
            person = work.people.by_name(name)[0]
            outbox.send_sms(work, person, params, purpose=purpose, dedupe_key=f"test:{tag}", case=case)
        work.commit()
    plant.settle()


def forget_accounts(plant, *names):
    """They are in neither chat platform."""
    with plant.work() as work:
        for name in names:
            for account in list(work.people.by_name(name)[0].accounts):
                work.db.delete(work.db.get_one(Account, account.id))
        work.commit()


def later(plant, **span):
    """Time passes, the operator says what it has to say, and whoever is due is asked about."""
    plant.now += timedelta(**span)
    plant.sms.tick()
    ended = sms_receipts.ask(plant.services)
    plant.settle()
    return ended


def sms_rows(plant, *, tag="test:"):
    with plant.work(read_only=True) as work:
        rows = [row for row in work.outbox.of_case("hazard", work.hazards.page()[0].id) if row.what == "sms"]
        return [(row.state, row.receipt, row.error) for row in rows if row.dedupe_key.startswith(tag)]


def test_what_arrived_is_written_down_and_nobody_is_bothered(both):
    only_sms(both, report(both), BOSS)
    fault(both, receipt_duplicate=True, receipt_out_of_order=True)
    later(both, seconds=30)
    assert sms_rows(both) == [("confirmed", "", "")]  # an operator takes a moment
    assert later(both, seconds=30) >= 1
    assert sms_rows(both) == [("confirmed", "delivered", "")]
    assert not sms_receipts.is_due(both.services)
    both.phone(BOSS).does_not_see("短信没有送到")
    both.phone(OFFICER).does_not_see("短信没有送达")


def test_what_the_operator_dropped_is_said_in_chat_and_the_admins_hear_why(both):
    number = report(both)
    fault(both, receipt_fail="MK:0008")
    only_sms(both, number, BOSS)
    assert later(both, minutes=1) >= 1
    assert sms_rows(both) == [("refused", "failed", "receipt MK:0008")]
    assert both.phone(BOSS).count(number, "短信没有送到", "发编号可以办理") == 1
    both.phone(ADMIN).sees("有消息送不到 · 短信", "receipt MK:0008", "请打电话通知本人")
    both.phone(OFFICER).does_not_see("短信没有送达")
    assert later(both, minutes=40) == 0  # nothing twice
    assert both.phone(BOSS).count(number, "短信没有送到") == 1


def test_who_has_no_other_way_is_told_to_the_safety_officers_once_for_a_case(plant):
    number = report(plant)
    forget_accounts(plant, BOSS, "王芳")
    fault(plant, receipt_fail=True)
    only_sms(plant, number, BOSS, "王芳")
    later(plant, minutes=1)
    assert [row[:2] for row in sms_rows(plant)] == [("refused", "failed")] * 2
    found = Auditor(engine=plant.services.engine, clock=lambda: plant.now).look().found
    assert Kind.SEND_REFUSED not in {finding.kind for finding in found}  # the officers know already
    plant.phone(OFFICER).sees(number, "短信没有送达", BOSS, "王芳", "请打电话")
    assert plant.phone(OFFICER).count(number, "短信没有送达") == 1
    assert later(plant, minutes=40) == 0
    assert plant.phone(OFFICER).count(number, "短信没有送达") == 1


def test_a_receipt_that_never_comes_is_told_after_half_an_hour(both):
    number = report(both)
    forget_accounts(both, BOSS)
    fault(both, receipt_never=True)
    only_sms(both, number, BOSS)
    calls = both.sms.calls.total()
    ends = [later(both, minutes=1) for _ in range(29)]
    assert sms_rows(both) == [("confirmed", "", "")] and not any(ends)
    asked = both.sms.calls.total() - calls
    assert 5 <= asked <= 20  # not every time somebody looks
    both.phone(OFFICER).does_not_see("没有短信回执")
    assert later(both, minutes=1) == 1
    assert sms_rows(both) == [("confirmed", "unknown", "receipt none")]
    both.phone(OFFICER).sees(number, "30分钟没有短信回执", BOSS)
    assert later(both, minutes=5) == 0
    assert both.phone(OFFICER).count(number, "没有短信回执") == 1


def test_a_stop_of_a_permit_whose_sms_is_dropped(plant):
    p.at_work(plant)
    plant.wecom.core.switches.set({"api_error": 60111, "path": "message/send"})
    fault(plant, receipt_fail=True)
    with plant.work() as work:
        found = work.permits.by_number("ZY-0001")
        feel.stop_by_hand(work, found, by=work.people.by_name(p.WORKER)[0], why="闻到气味", via="chat")
        work.commit()
    plant.settle()
    plant.wecom.core.switches.set({"clear": True})
    auditor = Auditor(engine=plant.services.engine, clock=lambda: plant.now)
    assert later(plant, minutes=1) >= 2
    plant.phone(OFFICER).sees("ZY-0001", "短信没有送达", p.GUARDIAN, p.APPLICANT)
    for name in (p.GUARDIAN, p.APPLICANT):  # no second SMS to the number that does not work
        assert len([said for said in plant.sms_of(name) if "作业票已叫停" in said]) == 1
    found = {finding.kind for finding in auditor.look().found}
    assert Kind.STOP_UNHEARD in found and Kind.SEND_REFUSED not in found


def test_nobody_hears_of_a_dropped_sms_that_is_not_needed_any_more(plant):
    number = report(plant)
    forget_accounts(plant, BOSS)
    fault(plant, receipt_fail=True)
    only_sms(plant, number, BOSS, purpose="hazard.confirm")
    plant.phone("陈刚").taps("确认收到", on=number)
    later(plant, minutes=1)
    assert sms_rows(plant) == [("refused", "failed", sms_rows(plant)[0][2])]
    plant.phone(OFFICER).does_not_see("短信没有送达")


def test_a_provider_that_cannot_be_asked_is_no_receipt(plant):
    number = report(plant)
    forget_accounts(plant, BOSS)
    only_sms(plant, number, BOSS)
    fault(plant, http_500=True)
    plant.now += timedelta(hours=2)  # a long stop: the first call that fails decides nothing
    assert later(plant, seconds=0) == 0
    assert later(plant, minutes=1) == 1
    assert sms_rows(plant) == [("confirmed", "unknown", "receipt not_asked http_500")]
    plant.phone(OFFICER).sees(number, "没有短信回执", BOSS)


def test_a_worker_that_dies_and_two_that_answer_at_once(plant):
    number = report(plant)
    forget_accounts(plant, BOSS)
    fault(plant, receipt_fail=True)
    only_sms(plant, number, BOSS)
    plant.now += timedelta(minutes=1)
    plant.sms.tick()
    texts = sms_receipts._due(plant.services, limit=50)
    answers = sms_receipts._answers(plant.services, texts)  # a worker asks and dies before it writes
    assert sms_receipts.is_due(plant.services)
    assert sms_receipts.ask(plant.services) == len(texts)
    for case in {text.case for text in texts}:  # and one that was taken for dead writes late
        mine = [text for text in texts if text.case == case]
        assert sms_receipts._write_down(plant.services, case, mine, answers) == 0
    plant.settle()
    assert plant.phone(OFFICER).count(number, "短信没有送达") == 1


def test_an_sms_the_gateway_refuses_goes_to_chat_too(plant):
    number = report(plant)
    fault(plant, business_limit=True)
    only_sms(plant, number, BOSS)
    assert sms_rows(plant)[0][0] == "refused"
    plant.phone(BOSS).sees(number, "短信没有送到")


def test_it_is_slow_work_that_the_scheduler_looks_for_and_can_be_switched_off(plant):
    only_sms(plant, report(plant), BOSS)
    plant.now += timedelta(minutes=1)
    assert "slow sms_receipts" in {duty.name for duty in schedule.DUTIES}
    assert slow.wake(plant.services, "sms_receipts")
    off = plant.settings.model_copy(update={"sms_receipts": False})
    plant.services.settings = off
    assert not sms_receipts.is_due(plant.services)
    plant.services.settings = plant.settings
    plant.sms.tick()
    assert slow.run(plant.services, "sms_receipts") >= 1
    assert sms_rows(plant) == [("confirmed", "delivered", "")]
