"""The demo as a user starts and stops it: real processes on free ports."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest
import requests

from emulators.demo_plant import demo_plant, demo_secrets
from settings import load
from tools import plant_files
from tools.alone import HOST, StackError, free_ports, require_free_ports
from tools.stack import ROOT, Stack

STOPS_WITHIN_S = 15.0  # it takes one; a busy machine is no reason to fail


class Demo:
    """One demo process; `ready` reads until it says what to open."""

    def __init__(self, folder: Path, port: int, *options: str) -> None:
        env = {k: v for k, v in os.environ.items() if not k.startswith("ANSHAO_")} | {"ANSHAO_DEMO_PORT": str(port)}
        self.folder, self.port, self.said = folder, port, ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tools.demo", "--data", str(folder), *options],
            cwd=ROOT,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def ready(self, *, says: str = "Ctrl-C") -> Demo:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line
            if says in line:
                return self
        raise AssertionError(f"the demo ended with {self.process.wait()}:\n{self.said}")

    def end(self, number: int) -> tuple[int, float]:
        """Send the signal; returns (exit code, seconds until it was gone)."""
        began = monotonic()
        self.process.send_signal(number)
        self.said += self.process.communicate(timeout=30)[0]
        return self.process.returncode, monotonic() - began


@pytest.fixture
def port() -> Iterator[int]:
    """A port whose neighbour is free as well."""
    for _ in range(50):
        (found,) = free_ports(1)
        if found < 65_000:
            try:
                require_free_ports(found + 1, within_s=0)
                break
            except StackError:
                continue
    return found


@pytest.mark.slow
def test_it_starts_after_a_kill_and_ctrl_c_stops_everything(tmp_path: Path, port: int) -> None:
    folder, env_file = tmp_path / "demo", tmp_path / "demo.env"
    Demo(folder, port).ready(says="menus").end(signal.SIGKILL)  # everything runs by then
    demo = Demo(folder, port).ready()
    assert requests.get(f"http://{HOST}:{port}/readyz", timeout=5).json()["ready"] is True
    assert requests.get(f"http://{HOST}:{port + 1}/", timeout=5).ok
    assert f'href="http://{HOST}:{port + 1}/"' in requests.get(f"http://{HOST}:{port}/", timeout=5).text
    for private in (env_file, folder / "secrets.json", folder / "plant.json"):
        assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert f"# pid {demo.process.pid}" in env_file.read_text()
    code, took_s = demo.end(signal.SIGINT)
    assert code == 0
    assert took_s < STOPS_WITHIN_S
    assert not env_file.exists()
    require_free_ports(port, port + 1, within_s=0)


def test_a_taken_port_is_named_with_the_remedy(tmp_path: Path, port: int) -> None:
    with socket.create_server((HOST, port + 1)):
        demo = Demo(tmp_path / "demo", port, "--once")
        assert demo.process.communicate(timeout=60)[0].count(str(port + 1)) == 2
        assert demo.process.returncode == 1


@pytest.mark.parametrize("given", ["http", "80", "65535", "-1"])
def test_a_senseless_port_is_refused(given: str, tmp_path: Path) -> None:
    env = os.environ | {"ANSHAO_DEMO_PORT": given}
    command = [sys.executable, "-m", "tools.demo", "--once", "--data", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 1
    assert "1024" in done.stderr


def test_secrets_are_random_and_stay_the_same(tmp_path: Path) -> None:
    first, again, other = (Stack(tmp_path / name, 1, 2) for name in ("a", "a", "b"))
    for stack in (first, again, other):
        stack.prepare("redis://nowhere")
    assert first.environment == again.environment
    assert first.environment["ANSHAO_SECRET_KEY"] != other.environment["ANSHAO_SECRET_KEY"]
    settings = load(first.environment)
    assert settings.has_wecom
    assert settings.has_dingtalk
    assert settings.demo


def test_the_env_file_survives_a_shell(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "it's here", 1, 2)
    stack.prepare("redis://nowhere")
    stack.write_env_file(tmp_path / "demo.env")
    script = f". '{tmp_path}/demo.env'; printf %s \"$ANSHAO_DATA_DIR\""
    assert subprocess.run(["sh", "-c", script], capture_output=True, text=True).stdout == str(tmp_path / "it's here")


def test_the_plants_files_can_be_imported_whole(plant_on_both, tmp_path: Path) -> None:
    """Through the same importers as `flask import-…`; every row is taken."""
    from tools import importing

    plant = demo_plant(public_url="http://app.test", secrets=demo_secrets())
    for command, path in plant_files.write(plant, tmp_path).items():
        with plant_on_both() as work:
            report = getattr(importing, command.replace("-", "_"))(work, path)
            work.commit()
        key = command.removeprefix("import-")
        assert (report.bad, report.added) == ([], len(plant[key]))
    with plant_on_both() as work:
        assert {a.code: len(a.polygon) for a in work.plant.areas()} == {
            a["code"]: len(a["polygon"]) for a in plant["areas"]
        }


@pytest.fixture
def plant_on_both(engine):
    from datetime import UTC, datetime

    from storage.unit_of_work import UnitOfWork

    return lambda: UnitOfWork(engine, datetime(2026, 11, 24, tzinfo=UTC))
