"""What runs before a commit is what `./anshao lint` runs, by the project's own tools."""

from __future__ import annotations

import re

from tools.lint import CHECKS
from tools.stack import ROOT


def test_the_hooks_are_the_checks_of_lint_and_fetch_nothing():
    text = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert re.findall(r"repo: (\S+)", text) == ["local"]
    hooks = [line.split() for line in re.findall(r"entry: \.venv/bin/(.+)", text)]
    wanted = [command for name, command in CHECKS if name != "imports"]
    assert len(hooks) == len(wanted)
    for hook, command in zip(hooks, wanted, strict=True):
        assert hook[:2] == [part for part in command if part != "--check"][:2]
