"""The running product of the fault runs: every process on its own, so that each can be killed; both servers restartable."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import redis
import requests
from sqlalchemy import Engine, text

from emulators.demo_plant import demo_plant
from storage.database import open_engine
from tools import embedded, postgres, processes
from tools.alone import HOST, StackError, free_ports
from tools.fault_runs import crowd
from tools.stack import ROOT, Stack, _start_everything, _write_private, http

ROLES = ("chat", "media", "delivery", "slow", "scheduler", "auditor")
KILLABLE = ("web", *ROLES)
# a crash of the server must lose nothing that was committed: this is what is proved
DURABLE = {"synchronous_commit": "on", "full_page_writes": "on", "max_connections": "200"}
WIDE = {  # a month of reports in minutes: the budgets of a small plant are not what is tried here
    "ANSHAO_DINGTALK_MONTH_CALLS": "10000000",
    "ANSHAO_DINGTALK_MONTH_MESSAGES": "10000000",
    "ANSHAO_WECOM_ACCOUNTS": "100000",
}
UP_WITHIN_S = 60.0
BACK_AFTER_S = 1.0  # a supervisor's RestartSec


class Valkey:
    """A Valkey that can be stopped, flushed and restarted, with or without what it held."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "valkey"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.socket = embedded.socket_path(folder)
        self.child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    @property
    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url)

    def start(self) -> None:
        self.socket.unlink(missing_ok=True)
        self.child = embedded._start(self.folder, self.socket, keep=True)
        with self.client as client:
            embedded._wait_until_it_answers(client, self.child, self.folder)

    def stop(self, *, hard: bool = True, forget: bool = False) -> None:
        """SIGKILL, or a clean end; `forget` removes what it wrote."""
        assert self.child is not None
        self.child.send_signal(signal.SIGKILL if hard else signal.SIGTERM)
        self.child.wait(timeout=10)
        if forget:
            for path in sorted(self.folder.rglob("*"), reverse=True):
                if path.name != "server.log":
                    path.rmdir() if path.is_dir() else path.unlink()


@dataclass
class Field(Stack):
    """`reports`: how many reports can be told apart (equipment that the plant has for them)."""

    reports: int = 400
    database_url: str = ""
    server: postgres.Server | None = None
    valkey: Valkey | None = None
    overrides: dict[str, str] = field(default_factory=dict)
    more_roles: tuple[str, ...] = ()
    ended: dict[str, int] = field(default_factory=dict)  # processes that ended by themselves, and how often
    _engine: Engine | None = None
    _http: requests.Session | None = None
    _log_sizes: dict[str, int] = field(default_factory=dict)

    def prepare(self, redis_url: str) -> None:
        super().prepare(redis_url)
        self.plant = demo_plant(public_url=self.app_url, secrets=self._secrets())
        crowd.enlarge(self.plant, equipment=self.reports)
        _write_private(self.folder / "plant.json", json.dumps(self.plant, ensure_ascii=False))
        # the installation reads its plant from the database; only the secrets matter, and they stay the same
        self.environment |= (
            {"ANSHAO_DATABASE_URL": self.database_url, "ANSHAO_LOG_LEVEL": "INFO"} | WIDE | self.overrides
        )

    def start(self, name: str, *command: str) -> None:
        """As in Stack, but a restart goes on in the same log."""
        path = self.folder / "logs" / f"{name}.log"
        self._log_sizes[name] = path.stat().st_size if path.exists() else 0
        with (self.folder / "logs" / f"{name}.log").open("ab") as out:
            self.children[name] = processes.start(
                [sys.executable, *command],
                cwd=ROOT,
                env=self._child_environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    def start_emulators(self) -> None:
        plant, port = str(self.folder / "plant.json"), str(self.phones_port)
        more = ["--stream"] if "stream" in self.more_roles else []
        command = ["-m", "emulators", "--plant", plant, "--port", port, "--app-url", self.app_url, *more]
        self.start("emulators", *command)

    def start_product(self) -> None:
        for name in (*KILLABLE, *self.more_roles):
            self.start_role(name)

    def start_role(self, name: str) -> None:
        """Start one process of the product. A name like scheduler2 is one more of the role."""
        self.start(name, *self._command(name))

    def start_dying(self, name: str, mark: Path, point: str, at: int) -> None:
        """Start one that is killed at a chosen moment (tools/fault_runs/dying.py)."""
        _, *command = self._command(name) if name == "web" else ("", *self._command(name))
        self.start(name, "-m", "tools.fault_runs.dying", str(mark), point, str(at), *command)

    def wait_until_up(self, name: str, *, within_s: float = UP_WITHIN_S) -> None:
        """Until a process that was just started does its work."""
        if name == "web":
            up = self.wait_for(lambda: self.client().get(f"{self.app_url}/healthz", timeout=2).ok, within_s=within_s)
        else:
            log, began = self.folder / "logs" / f"{name}.log", self._log_sizes.get(name, 0)
            up = self.wait_for(lambda: b".started" in log.read_bytes()[began:], within_s=within_s)
        if up is None:
            raise StackError(f"{name} did not start within {within_s:.0f} s:\n{self.last_words(name)}")

    def _command(self, name: str) -> tuple[str, ...]:
        """What `python` is called with."""
        role = name.rstrip("0123456789")
        if role != "web":
            return ("worker.py", f"--{role}" if role in ("scheduler", "auditor", "stream") else role)
        # two processes behind one socket, as in operation: while one is started again the other answers
        serve = ("-m", "gunicorn", "--workers", "2", "--threads", "8", "--bind", f"{HOST}:{self.app_port}")
        lines = ("--access-logfile", "-", "--access-logformat", "access %(U)s %(D)s %(s)s")
        return (*serve, *lines, "--graceful-timeout", "2", "app:create_app()")

    def kill_one_of_web(self, chosen: random.Random) -> None:
        """SIGKILL to one of the processes behind the web server's socket; their master starts another."""
        master = self.children["web"].pid
        workers = Path(f"/proc/{master}/task/{master}/children").read_text().split()
        if workers:
            os.kill(int(chosen.choice(workers)), signal.SIGKILL)

    def kill(self, name: str) -> None:
        """SIGKILL to the process and what it started, and nothing else."""
        child = self.children[name]
        os.killpg(child.pid, signal.SIGKILL)
        child.wait(timeout=10)

    def back(self, name: str) -> None:
        """What a supervisor does: start it again after a moment."""
        sleep(BACK_AFTER_S)
        self.start_role(name)

    def supervise(self) -> None:
        """Start again what has ended by itself, as systemd or `python worker.py` does."""
        for name, child in list(self.children.items()):
            if name != "emulators" and child.poll() is not None:
                self.ended[name] = self.ended.get(name, 0) + 1
                self.back(name)

    def retire(self, name: str) -> None:
        processes.stop([self.children.pop(name)])

    # -- what is there

    @property
    def engine(self) -> Engine:
        if self._engine is None:
            self._engine = open_engine(self.database_url, pool_size=4)
        return self._engine

    def ask(self, sql: str, **values: Any) -> list[Any]:
        """Rows of one statement, committed."""
        with self.engine.begin() as db:
            done = db.execute(text(sql), values)
            return list(done.all()) if done.returns_rows else []

    def number(self, sql: str, **values: Any) -> float:
        return float(self.ask(sql, **values)[0][0] or 0)

    def get(self, path: str) -> Any:
        """From the emulators' control API."""
        answer = self.client().get(f"{self.phones_url}{path}", timeout=30)
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, body: dict[str, Any]) -> Any:
        answer = self.client().post(f"{self.phones_url}{path}", json=body, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def client(self) -> requests.Session:
        if self._http is None:
            self._http = http()
        return self._http

    def wecom(self, **switches: Any) -> None:
        self.post("/wecom/_phone/faults", switches)

    def dingtalk(self, **switches: Any) -> None:
        self.post("/dingtalk/_phone/faults", switches)

    def all_well(self) -> None:
        """No fault is on; limits that would only make a run long are wide."""
        self.wecom(clear=True)
        self.dingtalk(clear=True)
        self.post("/dingtalk/_phone/limits", {"qps": 1000, "api_month": 10_000_000, "webhook_month": 10_000_000})
        self.post("/sms/_phone/limits", {"per_day": 100_000})

    def rss_mb(self, name: str) -> float:
        with suppress(OSError):
            for line in Path(f"/proc/{self.children[name].pid}/status").read_text().splitlines():
                if line.startswith("VmRSS"):
                    return int(line.split()[1]) / 1024
        return 0.0

    def wait_for(self, what: Callable[[], bool], *, within_s: float, every_s: float = 0.2) -> float | None:
        """Seconds until `what` says yes; None when it does not in time."""
        began = monotonic()
        while True:
            self.supervise()
            with suppress(Exception):  # a server that is just being restarted
                if what():
                    return monotonic() - began
            if monotonic() - began > within_s:
                return None
            sleep(every_s)


@contextmanager
def running(folder: Path, *, reports: int, note: Callable[[str], None], **overrides: str) -> Iterator[Field]:
    """The whole product on a PostgreSQL and a Valkey of its own, ready and quiet."""
    folder.mkdir(parents=True, exist_ok=True)
    app_port, phones_port = free_ports(2)
    with postgres.server(DURABLE) as server:
        with server.admin() as admin:
            admin.execute("CREATE DATABASE anshao_faults")
        made = Field(folder, app_port, phones_port, note, reports=reports)
        made.more_roles = ("stream",) if overrides.get("ANSHAO_DINGTALK_MODE") == "stream" else ()
        made.database_url, made.server, made.overrides = server.url("anshao_faults"), server, dict(overrides)
        made.valkey = Valkey(folder)
        made.valkey.start()
        try:
            made.prepare(made.valkey.url)
            _start_everything(made)
            made.all_well()
            yield made
        finally:
            made.stop()
            made.engine.dispose()
            made.valkey.stop(hard=True)
