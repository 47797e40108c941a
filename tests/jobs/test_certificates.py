"""Training and certificates from another system: pages, tags, what vanishes, what breaks, and the permit that feels it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import requests

from connectors.errors import OutsideError
from connectors.training import Training, TrainingAccount
from emulators.training import TrainingEmulator
from emulators.wsgi import WsgiAdapter
from jobs import certificates
from tests import permits as p
from tests.plant import Plant
from tools import doctor_outside

SYSTEM = "http://training.test"
URL = f"{SYSTEM}/api/certificates"


@pytest.fixture
def plant(sqlite_url, redis_client, tmp_path):
    made = Plant(sqlite_url, redis_client, tmp_path)
    yield made
    made.services.engine.dispose()


@pytest.fixture
def system(plant):
    """The emulated training system, plugged into the plant."""
    made = TrainingEmulator(plant.data, public_url=SYSTEM)
    http = requests.Session()
    http.trust_env = False
    http.mount(SYSTEM, WsgiAdapter(made.app))
    plant.services.training = Training(TrainingAccount(URL, made.token), http)
    yield made
    plant.services.training = None


def change(system, **wish):
    answer = system.app.test_client().post("/_control", json=wish)
    assert answer.status_code == 200, answer.get_json()


def ends(plant, number):
    with plant.work(read_only=True) as work:
        return {c.number: c.valid_until for c in work.certificates.by_key().values()}[number]


def state(plant):
    with plant.work(read_only=True) as work:
        return work.certificates.sync_state(certificates.SOURCE)


def yesterday(plant):
    return plant.now.astimezone(plant.settings.zone).date() - timedelta(days=1)


def test_the_first_time_only_takes_over_what_excel_brought_and_the_second_changes_nothing(plant, system):
    first = certificates.sync(plant.services)
    assert (first.added, first.changed, first.bad) == (0, len(system.rows), [])
    assert system.calls["page"] == 2
    second = certificates.sync(plant.services, whole=True)
    assert (second.added, second.changed, second.same) == (0, 0, len(system.rows))


def test_unchanged_pages_are_not_read_again(plant, system):
    certificates.sync(plant.services)
    system.calls.clear()
    assert certificates.sync(plant.services) is None
    assert dict(system.calls) == {"unchanged": 2}


def test_a_change_on_the_last_page_is_seen(plant, system):
    certificates.sync(plant.services)
    number = system.rows[-1]["number"]
    change(system, number=number, valid_until="2031-01-31")
    assert certificates.sync(plant.services).changed == 1
    assert ends(plant, number) == date(2031, 1, 31)


def test_once_a_day_everything_is_read_so_that_what_was_changed_here_is_set_right(plant, system):
    certificates.sync(plant.services)
    with plant.work() as work:
        row = next(c for c in work.certificates.by_key().values() if c.number == "JH-2026-021")
        row.valid_until = date(2035, 1, 1)
        work.commit()
    plant.now += timedelta(hours=1)
    assert certificates.sync(plant.services) is None
    plant.now += timedelta(hours=24)
    assert certificates.sync(plant.services).changed == 1
    assert ends(plant, "JH-2026-021") == date(2027, 6, 30)


@pytest.mark.parametrize("wish", [{"status": "吊销"}, {"passed": False}])
def test_a_withdrawn_certificate_ends_yesterday_and_comes_back(plant, system, wish):
    certificates.sync(plant.services)
    change(system, number="JH-2026-021", **wish)
    assert certificates.sync(plant.services).changed == 1
    ended = ends(plant, "JH-2026-021")
    assert ended == yesterday(plant)
    plant.now += timedelta(days=3)
    assert certificates.sync(plant.services, whole=True).changed == 0  # told again: still the same day
    change(system, number="JH-2026-021", status="valid", passed=True)
    certificates.sync(plant.services)
    assert ends(plant, "JH-2026-021") == date(2027, 6, 30)


def test_one_that_vanished_ends(plant, system):
    certificates.sync(plant.services)
    change(system, drop="JH-2026-021")
    report = certificates.sync(plant.services)
    assert (report.gone, report.kept) == (1, 0)
    assert ends(plant, "JH-2026-021") == yesterday(plant)


def test_an_empty_list_ends_nothing(plant, system):
    certificates.sync(plant.services)
    known, system.rows = len(system.rows), []
    report = certificates.sync(plant.services)
    assert report.gone == 0
    assert report.kept >= known - 2  # two had run out anyway
    assert ends(plant, "JH-2026-021") == date(2027, 6, 30)


def test_bad_rows_are_named_and_the_others_taken(plant, system):
    good = {"person": "sunli", "kind": "动火监护人", "number": "JH-9", "valid_until": "2028/1/31"}
    for row in (
        good,
        {**good, "number": "JH-10", "valid_until": "下周"},
        {**good, "number": "JH-11", "person": "nobody"},
        {**good, "number": ""},
        {**good, "number": "JH-12", "status": "maybe"},
        {**good, "number": "JH-13", "issued_on": "2029-01-01"},
        good,
        "row",
    ):
        change(system, add=row)
    before = len(system.rows) - 8
    report = certificates.sync(plant.services)
    assert report.added == 1
    assert [number - before for number, _ in report.bad] == [2, 3, 4, 5, 6, 7, 8]
    for (_, why), words in zip(
        report.bad, ("不是日期", "没有工号", "缺少证书编号", "不认识状态", "晚于", "两次", "对象"), strict=True
    ):
        assert words in why
    assert ends(plant, "JH-9") == date(2028, 1, 31)


def test_while_a_row_cannot_be_told_nothing_ends(plant, system):
    certificates.sync(plant.services)
    change(system, drop="JH-2026-021")
    change(system, add={"kind": "动火监护人"})  # whose is it? perhaps the very one that is missing
    assert certificates.sync(plant.services).gone == 0
    assert ends(plant, "JH-2026-021") == date(2027, 6, 30)


@pytest.mark.parametrize(
    ("fault", "code", "permanent"),
    [
        ("http_500", "HTTP 500", False),
        ("http_429", "HTTP 429", False),
        ("not_json", "not_json", True),
        ("half", "pages_missing", False),
        ("redirect", "HTTP 302", True),
    ],
)
def test_a_system_that_cannot_be_read_changes_nothing(plant, system, fault, code, permanent):
    change(system, number="JH-2026-021", status="revoked")
    change(system, fault=fault)
    with pytest.raises(OutsideError) as raised:
        certificates.sync(plant.services)
    assert (raised.value.code, raised.value.permanent) == (code, permanent)
    assert ends(plant, "JH-2026-021") == date(2027, 6, 30)
    assert state(plant).last_error == code
    certificates.sync(plant.services)
    assert state(plant).last_error == ""
    assert ends(plant, "JH-2026-021") == yesterday(plant)


def test_a_wrong_token_is_told(plant, system):
    system.token = "another"
    with pytest.raises(OutsideError, match="HTTP 401"):
        certificates.sync(plant.services)


def test_the_token_goes_to_the_configured_host_only(plant, system):
    system.public_url = "http://elsewhere.test"  # where the next page is said to be
    with pytest.raises(OutsideError, match="page_elsewhere"):
        certificates.sync(plant.services)


def test_it_is_done_by_one_process_when_it_is_time(plant, system):
    assert certificates.is_due(plant.services) == 1
    assert certificates.sync_due(plant.services) == 1
    assert certificates.sync_due(plant.services) == 0  # another process asks at the same moment
    assert certificates.is_due(plant.services) == 0
    plant.now += timedelta(minutes=15)
    assert certificates.is_due(plant.services) == 1


def test_without_a_training_system_nothing_is_done(plant):
    assert (certificates.is_due(plant.services), certificates.sync_due(plant.services)) == (0, 0)


def test_a_running_permit_stops_when_its_guardian_loses_the_certificate(plant, system):
    certificates.sync(plant.services)
    p.at_work(plant)
    change(system, number="JH-2026-017", status="revoked")
    report = certificates.sync(plant.services)
    assert report.touched == 1
    plant.settle()
    plant.phone(p.GUARDIAN).sees("ZY-0001", "立即停止作业", "证")
    with plant.work(read_only=True) as work:
        assert work.permits.by_number("ZY-0001").state == "suspended"


def test_the_command_reports(plant, system):
    run = plant.app.test_cli_runner()
    said = run.invoke(args=["sync-certificates"])
    assert said.exit_code == 0
    assert f"更新{len(system.rows)}" in said.output
    assert "没有变化" in run.invoke(args=["sync-certificates"]).output
    change(system, add={"person": "nobody", "kind": "guardian", "number": "1"})
    bad = run.invoke(args=["sync-certificates"])
    assert bad.exit_code == 1
    assert "有问题1" in bad.output
    change(system, fault="http_500")
    failed = run.invoke(args=["sync-certificates"])
    assert failed.exit_code == 1
    assert "现有证书没有改动" in failed.output


def test_the_command_without_settings_says_which(plant):
    said = plant.app.test_cli_runner().invoke(args=["sync-certificates"])
    assert said.exit_code == 1
    assert "ANSHAO_TRAINING_URL" in said.output


def test_the_doctor_says_how_the_last_fetch_went(plant, system):
    def said():
        return [(f.ok, f.remedy) for f in doctor_outside.training(plant.services)]

    assert said()[0][0] is False
    certificates.sync(plant.services)
    assert said() == [(True, "")]
    change(system, fault="http_500")
    with pytest.raises(OutsideError):
        certificates.sync(plant.services)
    assert (said()[0][0], "HTTP 500" in said()[0][1]) == (False, True)
