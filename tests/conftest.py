"""A real database and a real Redis for every test that asks for one.

    def test_a(database_url): …      runs twice, on SQLite and on PostgreSQL, each time on a fresh database at head
    def test_b(engine): …            the same, with an open SQLAlchemy engine
    def test_c(sqlite_url): …        on SQLite only; postgres_url likewise
    def test_d(redis_url): …         an empty Valkey; redis_client likewise

    def test_e(chromium): …          the path of a Chromium; skipped with one loud line, or failed where it is required

`--database sqlite` (or postgres) runs the parametrised tests on one of them. Talks and pages marked `sqlite_suffices`
look at what people see; what they ask of the database runs on both elsewhere, and they themselves do with
`--database both`. `postgres_suffices` is the same for the other.
"""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import redis
import structlog
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine, event
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache
from werkzeug.routing.rules import Rule

from storage import schema
from storage.database import open_engine
from tests import shelf
from tools import embedded, postgres

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
NO_BROWSER = (
    "NO CHROMIUM FOUND: the browser tests did NOT run 没有找到 Chromium,浏览器测试没有运行 (apt install chromium)"
)
KINDS = ("sqlite", "postgres")
# how fast examples come tells of a busy machine, not of the code under test
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")
NewDatabase = Callable[[], AbstractContextManager[str]]


def _remember_url_builders() -> None:
    """Werkzeug compiles two functions for each address of each app, and a thousand tests make the same four apps anew."""
    compiled, known = Rule._compile_builder, dict[Any, Any]()

    def remembered(rule: Rule, append_unknown: bool = True) -> Any:
        key = append_unknown, rule.rule, tuple(rule._trace), repr(rule.defaults)
        if key not in known:
            known[key] = compiled(rule, append_unknown)
        return known[key]

    Rule._compile_builder = remembered  # type: ignore[method-assign]


_remember_url_builders()


def _share_compiled_statements() -> None:
    """Every test opens an engine of its own: each would compile the same statements anew, a quarter of all time.

    An engine keeps what it compiled by its dialect; all of one kind count as one here, they are opened the same way.
    """
    caches: dict[type, Any] = {}

    def shared(self: Engine) -> Any:
        return caches.setdefault(type(self.dialect), LRUCache(5000))

    Engine._compiled_cache = property(shared, lambda _self, _own: None)  # type: ignore[assignment]
    DefaultDialect.__eq__ = lambda self, other: type(self) is type(other)  # type: ignore[method-assign]
    DefaultDialect.__hash__ = lambda self: hash(type(self))  # type: ignore[method-assign]


_share_compiled_statements()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database", choices=("usual", *KINDS, "both"), default="usual", help="databases of parametrised tests"
    )


# files of few and long tests first, those of thousands of quick ones last: the last process is not left alone with a demo
QUICK_LAST = ("auditor", "jobs", "handlers", "connectors", "storage", "emulators", "bot", "cards", "search", "rules")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    tests = Path(__file__).parent

    def rank(item: pytest.Item) -> int:
        folder = item.path.relative_to(tests).parts[0]
        return QUICK_LAST.index(folder) + 1 if folder in QUICK_LAST else 0

    items.sort(key=rank)


def pytest_collection_finish() -> None:
    """What is loaded by now stays: a collection that looks at all of it again and again takes a quarter of the run."""
    gc.set_threshold(50_000, 20, 4)
    gc.collect()
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Between files nothing of a test is left but what stays: connections that nobody closed end here."""
    if nextitem is None or nextitem.path != item.path:
        gc.collect()
        gc.freeze()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database_kind" in metafunc.fixturenames:
        wish = metafunc.config.getoption("--database")
        metafunc.parametrize("database_kind", _kinds(metafunc.definition, wish), scope="session")


def _kinds(test: pytest.Item, wish: str) -> tuple[str, ...]:
    if wish in KINDS:
        return (wish,)
    if wish == "both" or test.get_closest_marker("both_databases"):
        return KINDS
    suffices = [kind for kind in KINDS if test.get_closest_marker(f"{kind}_suffices")]
    return tuple(suffices) or KINDS


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium for playwright's `executable_path`. ANSHAO_REQUIRE_BROWSER=1 makes its absence a failure."""
    for name in BROWSERS:
        if path := shutil.which(name):
            return path
    if os.environ.get("ANSHAO_REQUIRE_BROWSER") == "1":
        pytest.fail(NO_BROWSER)
    pytest.skip(NO_BROWSER)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One loud line, once, before the runner's own summary."""
    skipped = terminalreporter.stats.get("skipped", [])
    if any("NO CHROMIUM" in str(report.longrepr) for report in skipped):
        terminalreporter.write_line(NO_BROWSER, yellow=True, bold=True)


@pytest.fixture(scope="session")
def new_sqlite(tmp_path_factory: pytest.TempPathFactory) -> NewDatabase:
    """A factory of fresh SQLite databases: copies of one file at head."""
    folder = tmp_path_factory.mktemp("sqlite")
    template, numbers = folder / "template.db", count(1)
    _to_head(f"sqlite:///{template}")

    @contextmanager
    def fresh() -> Iterator[str]:
        path = folder / f"{next(numbers)}.db"
        shutil.copyfile(template, path)
        yield f"sqlite:///{path}"
        for left in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
            left.unlink(missing_ok=True)

    return fresh


@pytest.fixture(scope="session")
def new_postgres() -> Iterator[NewDatabase]:
    """A factory of fresh PostgreSQL databases; without any PostgreSQL the tests that need one fail, never skip."""
    with postgres.server() as server:
        databases = postgres.Databases(server)
        _to_head(databases.template_url)
        yield databases.fresh
        databases.close()


def _to_head(url: str) -> None:
    engine = open_engine(url)
    schema.upgrade(engine)
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA journal_mode=DELETE")  # all of it in the one file that is copied
            connection.exec_driver_sql("BEGIN")
    engine.dispose()


@pytest.fixture
def database_url(database_kind: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """The SQLAlchemy URL of a fresh database at head; the test runs once for each kind of database."""
    fresh: NewDatabase = request.getfixturevalue(f"new_{database_kind}")
    with fresh() as url:
        yield url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on a fresh database at head, once for each kind of database."""
    made = open_engine(database_url)
    if made.dialect.name == "sqlite":
        event.listen(made, "connect", lambda connection, _record: connection.execute("PRAGMA synchronous=OFF"))
    yield made
    made.dispose()


@pytest.fixture
def sqlite_url(new_sqlite: NewDatabase) -> Iterator[str]:
    with new_sqlite() as url:
        yield url


@pytest.fixture
def postgres_url(new_postgres: NewDatabase) -> Iterator[str]:
    with new_postgres() as url:
        yield url


@pytest.fixture(scope="session")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One real server a test process; take `redis_url` for an empty one."""
    with embedded.valkey(tmp_path_factory.mktemp("valkey"), keep=False) as url:
        yield url


@pytest.fixture
def redis_client(valkey_url: str) -> Iterator[redis.Redis]:
    """A client of an empty Redis."""
    client = redis.Redis.from_url(valkey_url)
    client.flushall()
    yield client
    client.close()


@pytest.fixture
def redis_url(redis_client: redis.Redis, valkey_url: str) -> str:
    """The URL of an empty Redis."""
    return valkey_url


@pytest.fixture(autouse=True)
def _patches_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.is_patched = lambda: bool(monkeypatch._setattr or monkeypatch._setitem)


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    """A plant sets the log level of its process; the next test starts with the library's own settings."""
    yield
    structlog.reset_defaults()
