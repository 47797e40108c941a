"""Nobody changes or removes a line of the trail: the database refuses, and whoever takes that away is seen."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from storage import guards, schema
from storage.models import Hazard, TrailLine
from storage.unit_of_work import UnitOfWork
from tests.pictures import scene
from tests.plant import START, Plant


@pytest.fixture
def lines(engine):
    """An engine whose trail holds three lines of a case."""
    with UnitOfWork(engine, START) as work:
        for action in ("filed", "assigned", "confirmed"):
            work.trail.add("hazard", 1, action, at=START, by_id=7)
        work.commit()
    return engine


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE trail_line SET why = 'another story'",
        "UPDATE trail_line SET by_hidden = true WHERE seq = 2",
        "DELETE FROM trail_line WHERE seq = 3",
        "DELETE FROM trail_line",
        "TRUNCATE trail_line",
        "INSERT OR REPLACE INTO trail_line SELECT * FROM trail_line",
    ],
)
def test_the_database_refuses_every_way_to_change_a_line(lines, statement):
    postgres = lines.dialect.name == "postgresql"
    if statement.startswith("TRUNCATE" if not postgres else "INSERT OR"):
        statement = "DELETE FROM trail_line WHERE id > 0"  # the dialect has no such words
    with pytest.raises(DBAPIError, match=guards.WORDS), lines.begin() as db:
        db.execute(text(statement))
    with UnitOfWork(lines, START, read_only=True) as work:
        assert [line.action for line in work.trail.lines()] == ["filed", "assigned", "confirmed"]
        assert list(work.trail.broken()) == []


def test_the_program_itself_cannot_change_one_either(lines):
    with UnitOfWork(lines, START) as work:
        work.trail.of("hazard", 1)[1].why = "another story"
        with pytest.raises(DBAPIError, match=guards.WORDS):
            work.commit()


def test_guards_that_were_taken_away_are_named_and_put_back_by_the_upgrade(lines):
    with lines.begin() as db:
        assert guards.missing(db) == []
        guards.remove(db)
    with lines.connect() as db:
        assert guards.missing(db)
    schema.upgrade(lines)
    with lines.connect() as db:
        assert guards.missing(db) == []


# -- the verifier


@pytest.fixture
def plant(sqlite_url, redis_client, tmp_path):
    made = Plant(sqlite_url, redis_client, tmp_path)
    made.phone("张伟").sends_photo(scene(1)).says("装卸台照明不足,灯坏一片")
    made.phone("李强").taps("确认收到", on="YH-0001")
    yield made
    made.services.engine.dispose()


def audit(plant, *arguments):
    return plant.app.test_cli_runner().invoke(args=["audit", *map(str, arguments)])


def without_guards(plant, *statements):
    with plant.services.engine.begin() as db:
        guards.remove(db)
        for statement in statements:
            db.execute(text(statement))
        guards.install(db)


def test_verify_says_how_many_lines_are_whole(plant):
    result = audit(plant, "verify")
    assert result.exit_code == 0 and "留痕完整(3行)" in result.output


def test_verify_says_when_the_guards_are_gone(plant):
    with plant.services.engine.begin() as db:
        guards.remove(db)
    result = audit(plant, "verify")
    assert result.exit_code == 1 and "触发器" in result.output and "db upgrade" in result.output


def test_a_trail_that_was_taken_out_whole_is_found(plant):
    without_guards(plant, "DELETE FROM trail_line")
    result = audit(plant, "verify")
    assert result.exit_code == 1 and "hazard 1 没有一行留痕" in result.output


def test_a_copy_on_another_machine_shows_what_the_chain_alone_cannot(plant, tmp_path):
    copy = tmp_path / "trail.jsonl"
    assert "已导出3行" in audit(plant, "export", copy).output
    assert copy.stat().st_mode & 0o077 == 0
    assert audit(plant, "verify", "--file", copy).exit_code == 0
    assert audit(plant, "verify", "--against", copy).exit_code == 0
    without_guards(plant, "DELETE FROM trail_line WHERE seq = 3")  # the last line: the chain before it is whole
    assert audit(plant, "verify").exit_code == 0
    result = audit(plant, "verify", "--against", copy)
    assert result.exit_code == 1 and "hazard 1 第3行" in result.output


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda rows: [{**rows[0], "why": "x"}, *rows[1:]], "第1行:the line was changed"),
        (lambda rows: [rows[0], rows[2]], "第3行:line 2 is missing"),
        (lambda rows: rows[1:], "第2行:line 1 is missing"),
    ],
)
def test_a_spoilt_copy_is_found_without_a_database(plant, tmp_path, spoil, told):
    copy = tmp_path / "trail.jsonl"
    audit(plant, "export", copy)
    rows = spoil([json.loads(row) for row in copy.read_text(encoding="utf-8").splitlines()])
    copy.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    result = audit(plant, "verify", "--file", copy)
    assert result.exit_code == 1 and told in result.output


def test_a_file_that_is_no_copy_is_told(plant, tmp_path):
    (tmp_path / "no.jsonl").write_text("[]\n")
    result = audit(plant, "verify", "--file", tmp_path / "no.jsonl")
    assert result.exit_code == 1 and "第1行不是留痕的副本" in result.output


def test_every_field_of_a_line_is_in_the_copy():
    from storage.trail import FIELDS

    assert {*FIELDS, "id"} == {column.name for column in TrailLine.__table__.columns}
    assert Hazard.number is not None
