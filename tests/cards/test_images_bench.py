"""The benchmark measures what it says, in the shape `./anshao bench --json` prints."""

from __future__ import annotations

from bench import photo


def test_rows_of_the_photo_benchmark():
    rows = photo.run(rounds=1)
    assert all(list(row) == ["name", "value", "unit", "goal", "ok", "n", "note"] for row in rows)
    by_name = {row["name"]: row for row in rows}
    assert by_name["photo.pipeline"]["goal"] == 150 and by_name["photo.pipeline_ratio"]["goal"] == 1.3
    assert all(row["value"] > 0 and row["n"] == 1 for row in rows)
    assert by_name["photo.codes_none"]["value"] > by_name["photo.hashes"]["value"]
