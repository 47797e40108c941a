"""How `./anshao test` shares the tests out."""

from __future__ import annotations

import pytest

from tools.test import arguments, processes


@pytest.mark.parametrize(("cores", "expected"), [(None, 4), (1, 4), (2, 4), (4, 6), (64, 6)])
def test_processes_for_the_cores(cores, expected):
    assert processes(cores) == expected


def test_what_is_named_runs_in_one_process():
    assert arguments(["tests/rules"]) == ["-q", "tests/rules"]
    assert arguments(["-n", "0"]) == ["-q", "-n", "0"]
    assert arguments(["--database", "sqlite"])[1:2] != ["-n"]
    assert arguments([])[1] == "-n"
