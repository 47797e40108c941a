"""The auditor keeps quiet while everything goes as it should: a false alarm is a lie as well."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from auditor import tables
from storage import models
from storage.database import Base
from tests.pictures import scene

FOLDER = Path(tables.__file__).parent
LOOK_EVERY = 1  # minutes of the plant's clock


def watch(plant, auditor, **span):
    """Let time pass and look each minute, as the real one would."""
    minutes = int(span.get("minutes", 0) + 60 * span.get("hours", 0))
    found = []
    for _ in range(minutes):
        plant.forward(minutes=1)
        found += auditor.look().found
    return found


def test_a_whole_round_from_report_to_closing_raises_nothing(plant, auditor):
    zhang, li, wang = plant.phone("张伟"), plant.phone("李强"), plant.phone("王芳")
    assert auditor.look().found == ()
    zhang.sends_photo(scene(1)).says("装卸台照明不足,灯坏一片")
    assert watch(plant, auditor, minutes=5) == []
    li.taps("确认收到", on="YH-0001")
    li.taps("开始整改", on="YH-0001")
    assert watch(plant, auditor, minutes=5) == []
    li.sends_photo(scene(1, mended=True))
    li.says("更换了三只灯管,试亮正常")
    assert watch(plant, auditor, minutes=5) == []
    wang.taps("退回", on="YH-0001")
    wang.says("东头还有一只不亮")
    li.taps("提交整改", on="YH-0001")
    assert watch(plant, auditor, minutes=5) == []
    li.sends_photo(scene(7, mended=True))
    li.says("东头那只也换好了,全部亮")
    wang.taps("验收通过", on="YH-0001")
    assert watch(plant, auditor, minutes=5) == []
    zhang.taps("还在", on="YH-0001")
    assert watch(plant, auditor, minutes=5) == []


@pytest.mark.sqlite_suffices
@pytest.mark.parametrize(
    "words",
    [
        "装卸台照明不足,灯坏一片",
        "1号甲醇储罐V-201旁边地沟盖板没了,踩空危险",
        "3号泵房 P-101A 甲醇大量泄漏",
        "有个地方不太对劲",
    ],
)
def test_an_unanswered_case_of_each_grade_climbs_its_ladder_without_a_false_finding(plant, auditor, words):
    plant.phone("张伟").sends_photo(scene(1)).says(words)
    assert watch(plant, auditor, minutes=45) == []


def test_the_auditor_sees_columns_that_exist():
    for seen in tables.ALL:
        real = Base.metadata.tables[seen.name]
        assert set(seen.columns.keys()) <= set(real.columns.keys()), seen.name


def test_the_rows_the_auditor_writes_are_complete():
    """A column without a default of the database that the engine adds must be known to the auditor, or inserts fail."""
    for name in ("delivery", "ladder_step", "audit_finding", "audit_run"):
        seen = next(t for t in tables.ALL if t.name == name)
        for column in Base.metadata.tables[name].columns:
            if not column.nullable and column.server_default is None and not column.primary_key:
                assert column.name in seen.columns, f"{name}.{column.name}"


def test_the_auditor_shares_no_code_with_the_engine():
    ours = {p.name for p in FOLDER.parent.iterdir() if (p / "__init__.py").exists()} | {"wiring", "app", "worker"}
    assert models.__name__.split(".")[0] in ours
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{a.name}" for a in node.names]
            for name in names:
                top = name.split(".")[0]
                allowed = top in ("auditor",) or name == "storage.database.open_engine" or top == "settings"
                assert top not in ours | {"settings"} or allowed, f"{path.name} imports {name}"
                assert top != "settings" or path.name == "__main__.py"
