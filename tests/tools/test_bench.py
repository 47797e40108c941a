"""The benchmark runner: rows are complete, tables line up, and one object a line means just that."""

from __future__ import annotations

import json

import pytest

from tools import bench


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> None:
    def fast() -> list[dict]:
        good = {"name": "回调 p99", "value": 12.5, "unit": "ms", "goal": "<= 50", "ok": True, "n": 1000, "note": "2核"}
        return [good, {"name": "rate", "value": 3242, "unit": "1/s"}]

    def slow() -> list[dict]:
        return [{"name": "photo", "value": 200.0, "unit": "ms", "goal": "<= 150", "ok": False}]

    monkeypatch.setattr(bench, "benchmarks", lambda: {"fast": fast, "slow": slow})


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["bench", *arguments])
    return bench.main()


def test_json_is_one_complete_object_a_line(two, monkeypatch, capsys) -> None:
    assert run(monkeypatch, "--json") == 1
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [list(row) for row in rows] == [list(bench.FIELDS)] * 3
    assert [row["ok"] for row in rows] == [True, None, False]


def test_one_name_runs_one_benchmark_and_the_exit_tells_of_its_goals(two, monkeypatch, capsys) -> None:
    assert run(monkeypatch, "fast") == 0
    said = capsys.readouterr().out
    assert "photo" not in said
    assert "1 goals kept, 0 missed" in said


def test_an_unknown_name_lists_the_known_ones(two, monkeypatch, capsys) -> None:
    assert run(monkeypatch, "quick") == 2
    assert "fast\nslow" in capsys.readouterr().err


def test_columns_line_up_with_chinese_in_them(two) -> None:
    rows = bench.checked("fast", bench.benchmarks()["fast"]())
    heading, first, second = bench.table(rows).splitlines()
    assert bench._width(first[: first.index("ms")]) == bench._width(second[: second.index("1/s")])
    assert bench._width(heading[: heading.index("unit")]) == bench._width(first[: first.index("ms")])


@pytest.mark.parametrize("row", [{"name": "a", "value": 1}, {"name": "a", "value": 1, "unit": "s", "colour": "red"}])
def test_a_row_that_is_not_complete_is_a_bug(row) -> None:
    with pytest.raises(ValueError, match="x: a row lacks"):
        bench.checked("x", [row])


def test_every_benchmark_of_the_folder_is_found() -> None:
    assert {"photo", "permit"} <= set(bench.benchmarks())
    assert {"scenes", "permit_rules", "permit_live"}.isdisjoint(bench.benchmarks())
