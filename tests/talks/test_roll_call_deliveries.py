"""Messages of a roll call that waited: what nobody needs any more is called off, the alarm itself is not, and gets through."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from handlers import still_needed
from handlers.roll_call import actions, ladder
from storage.models import Delivery
from tests.plant import Plant

ALARM, CALL = "⚠ 撤离 · 3号泵房", 1
OVER, SETTLED = ("expired", "case is over"), ("expired", "settled meanwhile")


@pytest.fixture
def plant(sqlite_url, redis_client, tmp_path):
    """A fire at pump house 3 while no platform takes anything."""
    made = Plant(sqlite_url, redis_client, tmp_path)
    platforms_fail(made)
    made.phone("张伟").says("3号泵房着火了")
    yield made
    made.services.engine.dispose()


def platforms_fail(plant, **wecom):
    platforms_answer(plant)
    plant.wecom.core.switches.set({"path": "message/send", **(wecom or {"busy": True})})
    plant.dingtalk.core.faults.set(
        {"http_500": True} if not wecom else {"answer_with": {"status": 400, "code": "x", "message": "x"}}
    )


def platforms_answer(plant):
    plant.wecom.core.switches.set({"clear": True})
    plant.dingtalk.core.faults.set({"clear": True})


def platforms_work(plant):
    platforms_answer(plant)
    plant.forward(seconds=50)


def does(plant, act):
    """What somebody does on a page while the platforms are away."""
    with plant.work() as work:
        act(work, work.roll_calls.get(CALL), lambda name: work.people.by_name(name)[0])
        work.commit()


def safe(name, *, by=""):
    def act(work, call, person):
        actions.confirm(work, call, person=person(name), by=person(by or name), via="page")

    return act


def rows(plant, what, *, to=""):
    """(state, error) of the call's messages."""
    with plant.work(read_only=True) as work:
        names = {person.id: person.name for person in work.people.everyone()}
        found = work.db.scalars(select(Delivery).where(Delivery.purpose == f"roll_call.{what}").order_by(Delivery.id))
        return [(row.state, row.error) for row in found if not to or names.get(row.person_id) == to]


def test_who_has_answered_is_not_called_late_and_everybody_else_is(plant):
    assert plant.phone("李强").count(ALARM) == plant.phone("陈刚").count(ALARM) == 0
    does(plant, safe("李强"))
    platforms_work(plant)
    assert rows(plant, "evacuation", to="李强") == [SETTLED]
    plant.phone("李强").does_not_see(ALARM)
    plant.phone("陈刚").sees(ALARM)


def test_the_alarm_stays_for_who_was_only_seen_by_others_but_they_are_not_reminded(plant):
    does(plant, lambda work, call, person: actions.again(work, call, by=person("王芳"), via="page"))
    sms = rows(plant, "evacuation", to="陈刚")
    does(plant, safe("陈刚", by="王芳"))
    platforms_work(plant)
    assert len(sms) == 2  # the reminder as SMS; its card is the alarm that waits
    plant.phone("陈刚").sees(ALARM)
    with plant.work(read_only=True) as work:
        chen = work.people.by_name("陈刚")[0].id
        mine = [row for row in work.outbox.of_case("roll_call", CALL) if row.person_id == chen]
        asked = {row.what: still_needed.no_longer(work, row) for row in mine if row.purpose == "roll_call.evacuation"}
    assert asked == {"card": "", "sms": "settled meanwhile"}


def test_an_ended_call_says_only_that_it_is_over(plant):
    does(plant, lambda work, call, person: actions.end(work, call, by=person("王芳"), via="page"))
    platforms_work(plant)
    assert set(rows(plant, "list")) == {OVER}
    for name in ("李强", "陈刚", "张伟"):
        plant.phone(name).sees("撤离(3号泵房)已解除").does_not_see(ALARM)
    plant.phone("王芳").does_not_see("DM-0001 撤离点名")
    assert not any("DM-0001" in said for said in plant.sms_of("陈刚"))


def test_those_who_lead_are_not_sent_to_look_for_people_who_were_found(plant):
    def climb(work, call, _person):
        for step in work.ladder.of("roll_call", CALL, generation=call.generation):
            ladder.climb(work, step)

    does(plant, climb)
    for name in ("李强", "陈刚", "张伟"):
        does(plant, safe(name))
    platforms_work(plant)
    assert set(rows(plant, "step", to="王芳")) >= {SETTLED}
    plant.phone("王芳").does_not_see("请马上联系、找人").sees("全员3人已确认")


def test_a_cry_for_help_goes_out_late_until_that_person_is_safe(plant):
    does(plant, lambda work, call, person: actions.ask_help(work, call, by=person("张伟"), via="page"))
    does(plant, lambda work, call, person: actions.ask_help(work, call, by=person("陈刚"), via="page"))
    does(plant, safe("张伟", by="王芳"))
    platforms_work(plant)
    plant.phone("王芳").sees("陈刚需要救援").does_not_see("张伟需要救援")


def test_all_confirmed_is_not_said_when_somebody_needs_help_since(plant):
    for name in ("李强", "陈刚", "张伟"):
        does(plant, safe(name))
    does(plant, lambda work, call, person: actions.ask_help(work, call, by=person("张伟"), via="page"))
    platforms_work(plant)
    plant.phone("王芳").sees("张伟需要救援").does_not_see("全员3人已确认")


def test_an_alarm_that_no_platform_takes_goes_by_sms_once(plant):
    platforms_fail(plant, api_error=60111)
    plant.forward(seconds=50)
    said = {name: sum("DM-0001" in text for text in plant.sms_of(name)) for name in ("陈刚", "李强", "王芳")}
    assert said == {"陈刚": 1, "李强": 1, "王芳": 1}  # called, called, one who leads
    plant.forward(minutes=2, seconds=30)  # the first step asks again, by SMS of its own
    assert sum("DM-0001" in text for text in plant.sms_of("陈刚")) == 2
    assert sum("DM-0001" in text for text in plant.sms_of("王芳")) == 1
