"""What is installed is decided by us: every package pinned, for every extra; the server's set to the byte."""

from __future__ import annotations

import importlib.metadata
import re
import tomllib
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parents[2]
OWN = {"anshao", "pip"}


def name_of(text: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", text)
    assert found, text
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def pinned(path: str) -> dict[str, str]:
    """Package → version of a file whose every line is a pin."""
    found = {}
    for line in (ROOT / path).read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            name, same, rest = line.partition("==")
            assert same, line
            found[name_of(name)] = rest.split(" ")[0]
    return found


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_every_package_we_name_is_pinned_in_every_extra():
    made = project()
    asked = [*made["project"]["dependencies"], *chain(*made["project"]["optional-dependencies"].values())]
    assert {name_of(text) for text in asked} - set(pinned("constraints.txt")) == set()


def test_what_is_installed_here_is_what_is_pinned():
    here = {name_of(d.metadata["Name"]): d.version for d in importlib.metadata.distributions()}
    pins = pinned("constraints.txt")
    assert {name for name in here if name not in pins} - OWN - {"setuptools"} == set()
    assert {name: version for name, version in here.items() if name in pins and name != "setuptools"} == {
        name: pins[name] for name in here if name in pins and name != "setuptools"
    }


def test_what_builds_the_package_is_pinned_too():
    assert project()["build-system"]["requires"] == [f"setuptools=={pinned('constraints.txt')['setuptools']}"]


def test_the_servers_lock_has_the_same_versions_each_with_its_hash():
    lock = (ROOT / "deploy" / "requirements.lock").read_text(encoding="utf-8")
    rows = [line for line in lock.splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"\S+==\S+ --hash=sha256:[0-9a-f]{64}", row) for row in rows)
    locked, pins = pinned("deploy/requirements.lock"), pinned("constraints.txt")
    assert {name: pins.get(name) for name in locked} == locked
    made = project()["project"]
    asked = [*made["dependencies"], *made["optional-dependencies"]["s3"]]
    assert {name_of(text) for text in asked} <= set(locked)
