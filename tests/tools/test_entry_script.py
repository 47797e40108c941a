"""`./anshao` in a folder of its own with a stand-in for Python: what it installs, when, and what it says."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# plays python3 and the venv's python; what it is asked for goes to calls.log
STAND_IN = """#!/bin/sh
echo "$*" >> "{log}"
case "$*" in
    "-c import sys; sys.exit(sys.version_info"*) exit {old} ;;
    "-c import venv, ensurepip") exit {no_venv} ;;
    "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
    "-m pip install"*) sleep {pip_s}; exit {pip} ;;
    -V) echo "Python 3.9.9" ;;
esac
"""


class Folder:
    def __init__(self, path: Path) -> None:
        self.path, self.log = path, path / "calls.log"
        for name in ("anshao", "pyproject.toml", "constraints.txt"):
            shutil.copy(ROOT / name, path / name)
        (path / "tools").mkdir()
        for name in ("demo", "smoke", "bench"):
            (path / "tools" / f"{name}.py").touch()
        self.python()

    def python(self, *, old: int = 0, no_venv: int = 0, pip: int = 0, pip_s: float = 0) -> None:
        text = STAND_IN.format(log=self.log, old=old, no_venv=no_venv, pip=pip, pip_s=pip_s)
        stand_in = self.path / "python3"
        stand_in.write_text(text)
        stand_in.chmod(0o755)

    def start(self, *arguments: str, **env: str) -> subprocess.Popen[str]:
        known = {"PATH": os.environ["PATH"], "HOME": str(self.path), "ANSHAO_PYTHON": str(self.path / "python3")}
        command = [str(self.path / "anshao"), *arguments]
        return subprocess.Popen(
            command, env=known | env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/"
        )

    def run(self, *arguments: str, **env: str) -> tuple[int, str]:
        process = self.start(*arguments, **env)
        said, _ = process.communicate(timeout=30)
        return process.returncode, said

    def calls(self, word: str) -> list[str]:
        return [line for line in self.log.read_text().splitlines() if word in line] if self.log.exists() else []


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_the_first_run_installs_and_the_second_does_not(folder: Folder) -> None:
    assert folder.run("demo", "--once")[0] == 0
    assert folder.run("demo")[0] == 0
    installs = folder.calls("pip install")
    assert len(installs) == 1
    assert "-c constraints.txt -e ." in installs[0]
    assert folder.calls("tools.demo") == ["-m tools.demo --once", "-m tools.demo"]


def test_changed_pins_and_further_extras_install_again(folder: Folder) -> None:
    folder.run("demo")
    folder.run("test")
    assert folder.calls("pip install")[-1].endswith("-e .[dev]")
    folder.run("demo")
    assert len(folder.calls("pip install")) == 2
    with (folder.path / "constraints.txt").open("a") as pins:
        pins.write("six==1.17.0\n")
    folder.run("demo")
    assert len(folder.calls("pip install")) == 3


def test_an_old_python_is_refused_in_both_languages(folder: Folder) -> None:
    folder.python(old=1)
    code, said = folder.run("demo")
    assert code == 1
    assert "3.11 or newer" in said
    assert "Python 3.9.9" in said
    assert "需要 Python 3.11" in said
    assert not folder.calls("-m venv")


def test_without_the_venv_module_the_remedy_is_named(folder: Folder) -> None:
    folder.python(no_venv=1)
    code, said = folder.run("demo")
    assert code == 1
    assert said.count("apt install python3-venv") == 2


def test_without_python_the_remedy_is_named(folder: Folder) -> None:
    code, said = folder.run("demo", ANSHAO_PYTHON="/nowhere/python3")
    assert code == 1
    assert "apt install python3 python3-venv" in said


def test_a_failed_install_says_what_to_do_and_is_tried_again(folder: Folder) -> None:
    folder.python(pip=1)
    code, said = folder.run("demo")
    assert code == 1
    assert "safe to repeat" in said
    assert not (folder.path / ".venv.lock").exists()
    assert not folder.calls("tools.demo")
    folder.python()
    shutil.rmtree(folder.path / ".venv")
    assert folder.run("demo")[0] == 0


def test_two_at_once_install_once(folder: Folder) -> None:
    folder.python(pip_s=0.5)
    both = [folder.start("demo"), folder.start("smoke")]
    assert [process.wait(timeout=30) for process in both] == [0, 0]
    for process in both:
        assert process.stdout is not None
        process.stdout.close()
    assert len(folder.calls("pip install")) == 1
    assert len(folder.calls("-m tools.")) == 2


def test_the_lock_of_a_killed_command_is_taken_over(folder: Folder) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    (folder.path / ".venv.lock").mkdir()
    (folder.path / ".venv.lock" / "pid").write_text(f"{gone.pid}\n")
    assert folder.run("demo")[0] == 0
    assert not (folder.path / ".venv.lock").exists()


def test_the_lock_of_a_living_command_is_respected(folder: Folder) -> None:
    (folder.path / ".venv.lock").mkdir()
    (folder.path / ".venv.lock" / "pid").write_text(f"{os.getpid()}\n")
    process = folder.start("demo")
    assert process.stdout is not None
    assert "waiting" in process.stdout.readline()
    assert not folder.calls("pip install")
    shutil.rmtree(folder.path / ".venv.lock")
    assert process.wait(timeout=30) == 0
    process.stdout.close()


@pytest.mark.parametrize("command", ["faults", "chat", "frobnicate"])
def test_a_command_that_is_not_there_says_so(folder: Folder, command: str) -> None:
    code, said = folder.run(command)
    assert code == 2
    assert command in said
    assert not folder.log.exists()


def test_help_lists_only_what_is_there(folder: Folder) -> None:
    code, said = folder.run("help")
    assert code == 0
    assert all(name in said for name in ("demo", "test", "smoke", "bench", "lint", "run"))
    assert "faults" not in said
    (folder.path / "tools" / "faults.py").touch()
    assert "faults" in folder.run()[1]


def demo_env(folder: Folder, pid: int) -> None:
    (folder.path / "data").mkdir(exist_ok=True)
    (folder.path / "data" / "demo.env").write_text(f"# pid {pid}\nANSHAO_PLANT_NAME='a b'\n")


def test_run_uses_the_settings_of_the_running_demo(folder: Folder) -> None:
    demo_env(folder, os.getpid())
    code, said = folder.run("run", "sh", "-c", 'echo "$ANSHAO_PLANT_NAME|$FLASK_APP|$VIRTUAL_ENV"; exit 7')
    assert code == 7
    assert f"a b|app|{folder.path}/.venv" in said


def test_run_leaves_the_settings_of_a_demo_that_is_gone(folder: Folder) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    demo_env(folder, gone.pid)
    code, said = folder.run("run", "sh", "-c", 'echo "[$ANSHAO_PLANT_NAME]"')
    assert code == 0
    assert "[]" in said
    assert "no longer runs" in said


def test_run_leaves_the_settings_of_another_installation_alone(folder: Folder) -> None:
    demo_env(folder, os.getpid())
    said = folder.run("run", "sh", "-c", 'echo "[$ANSHAO_PLANT_NAME]"', ANSHAO_SECRET_KEY="k" * 32)[1]
    assert "[]" in said
