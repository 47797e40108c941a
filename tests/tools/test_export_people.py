"""The platforms' directories as the table that import-people reads: over the emulators, and with awkward people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from bot.platforms.base import Member
from storage.models import Person
from storage.unit_of_work import UnitOfWork
from tests.plant import Plant
from tools.importing import export_people, import_people


@pytest.fixture
def plant(sqlite_url: str, redis_client: Any, tmp_path: Path) -> Iterator[Plant]:
    made = Plant(sqlite_url, redis_client, tmp_path)
    yield made
    made.services.engine.dispose()


@pytest.fixture
def work(migrated: Any) -> Iterator[UnitOfWork]:
    with UnitOfWork(migrated, datetime(2026, 11, 24, 1, tzinfo=UTC)) as made:
        yield made


@pytest.fixture
def migrated(sqlite_url: str) -> Iterator[Any]:
    from storage import schema
    from storage.database import open_engine

    engine = open_engine(sqlite_url)
    schema.upgrade(engine)
    yield engine
    engine.dispose()


def table(path: Path) -> list[list[str]]:
    return [[cell or "" for cell in row] for row in load_workbook(path).active.iter_rows(min_row=2, values_only=True)]


def test_the_directories_come_back_as_they_are_and_fill_an_empty_roster(plant, tmp_path):
    path = tmp_path / "people.xlsx"
    said = plant.app.test_cli_runner().invoke(args=["export-people", str(path)])
    assert said.exit_code == 0, said.output
    assert "新的0人" in said.output
    assert "不在通讯录" not in said.output
    both = next(p for p in plant.data["people"] if p["wecom"] and p["dingtalk"])
    row = next(r for r in table(path) if r[0] == both["id"])
    assert row[1] == both["name"] and row[5].lower() == both["wecom"].lower() and row[6] == both["dingtalk"]
    with plant.work() as work:
        report = import_people(work, path)
    assert (report.bad, report.added, report.changed) == ([], 0, 0)


def test_somebody_new_gets_a_row_with_both_accounts_and_can_be_imported(work, tmp_path):
    members = {
        "wecom": [Member("NewOne", "钱七", mobile="13900000001"), Member("Left", "走了", active=False)],
        "dingtalk": [Member("d7", "钱七", union_id="u7"), Member("d8", "孙八", union_id="u8")],
    }
    done = export_people(work, members, tmp_path / "p.xlsx")
    assert (done.known, done.new, done.gone) == (0, 2, ())
    assert table(tmp_path / "p.xlsx") == [
        ["NewOne", "钱七", "13900000001", "", "", "NewOne", "d7", "u7", ""],
        ["d8", "孙八", "", "", "", "", "d8", "u8", ""],
    ]
    assert import_people(work, tmp_path / "p.xlsx").added == 2
    assert work.people.account("dingtalk", "d7").person.code == "NewOne"


def test_two_of_one_name_are_never_taken_for_one(work, tmp_path):
    members = {
        "wecom": [Member("w1", "张伟"), Member("w2", "张伟")],
        "dingtalk": [Member("d1", "张伟", union_id="u1")],
    }
    export_people(work, members, tmp_path / "p.xlsx")
    assert [(row[5], row[6]) for row in table(tmp_path / "p.xlsx")] == [("w1", ""), ("w2", ""), ("", "d1")]


def test_a_number_that_somebody_has_is_not_given_again_and_words_stay_words(work, tmp_path):
    work.db.add(Person(code="w1", name="别人", created_at=work.at, accounts=[], roles=[]))
    work.flush()
    export_people(work, {"wecom": [Member("w1", "=1+1", title="@SUM(A1)")]}, tmp_path / "p.xlsx")
    sheet = load_workbook(tmp_path / "p.xlsx").active
    assert (sheet["A2"].value, sheet["B2"].value, sheet["B2"].data_type) == ("w1-2", "=1+1", "s")


def test_who_left_the_directory_is_named(work, tmp_path):
    person = Person(code="A9", name="旧人", created_at=work.at, accounts=[], roles=[])
    work.db.add(person)
    work.flush()
    work.people.add_account("wecom", "OldOne", at=work.at, person=person)
    assert export_people(work, {"wecom": [Member("x", "新人")]}, tmp_path / "p.xlsx").gone == ("A9",)
    assert export_people(work, {"dingtalk": []}, tmp_path / "p.xlsx").gone == ()  # that platform was not read


def test_a_directory_that_cannot_be_read_says_what_to_do(plant, tmp_path):
    plant.wecom.app.test_client().post("/_phone/faults", json={"api_error": 60011})
    said = plant.app.test_cli_runner().invoke(args=["export-people", str(tmp_path / "p.xlsx")])
    assert said.exit_code == 1 and "企业微信的通讯录读不到" in said.output
