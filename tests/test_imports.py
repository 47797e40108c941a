"""Imports point down, never up or in a circle; one outside library, one folder. Also inside functions and for typing."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# folder → the folders of ours it may import besides itself
MAY_IMPORT: dict[str, set[str]] = {
    "rules": set(),
    "search": {"rules"},
    "storage": {"rules"},
    "connectors": {"rules"},
    "cards": {"rules", "storage"},
    "bot": {"storage", "cards"},
    "handlers": {"rules", "storage", "cards", "bot", "connectors", "search"},
    "jobs": {"rules", "storage", "cards", "bot", "connectors", "handlers", "search"},
    "web": {"rules", "storage", "cards", "handlers", "bot"},
    "emulators": set(),
    "auditor": {"storage"},  # looks at what the others did, so it shares none of their code but the engine
}
ENTRY_POINTS = {"app", "worker", "wiring", "settings"}  # may import all; nobody below imports them
ENTRY_FILES = {"auditor/__main__.py"}  # starts a process of its own, so it reads the settings
FREE = {"tools", "bench", "tests"}

# outside library → the only places that may import it (names under FREE always may)
ONLY_IN: dict[str, tuple[str, ...]] = {
    "sqlalchemy": ("storage/*", "auditor/*"),
    "alembic": ("storage/*",),
    "psycopg": ("storage/*",),
    "boto3": ("storage/*",),
    "rq": ("jobs/*", "worker.py"),
    "flask": ("app.py", "web/*", "emulators/*"),
    "PIL": ("cards/images/*", "emulators/*"),
    "zxingcpp": ("cards/images/*",),
    "segno": ("cards/images/*", "emulators/*"),
    "requests": ("wiring.py", "bot/platforms/*", "connectors/*", "emulators/*"),
    "redis": ("wiring.py", "jobs/*", "bot/platforms/*"),
    "wechatpy": ("bot/platforms/wecom/*",),
    "dingtalk": ("bot/platforms/dingtalk/*",),
    "reportlab": ("cards/pdf/*",),
    "pymodbus": ("connectors/readings/*",),
    "asyncua": ("connectors/readings/*", "emulators/gas/*"),
    "rjieba": ("search/*",),
    "pypinyin": ("search/*",),
    "openpyxl": ("web/*",),
    "pydantic": ("settings.py",),
    "pydantic_settings": ("settings.py",),
}
# names of types and errors: what is handed on or caught, with no way to write a query
HARMLESS = {
    ("jobs/*", "sqlalchemy.Engine"),
    ("jobs/*", "sqlalchemy.orm.exc.StaleDataError"),
    ("wiring.py", "sqlalchemy.Engine"),
    ("handlers/*", "sqlalchemy.Pool"),
}
STANDARD_ONLY = {"rules"}


def sources() -> Iterator[Path]:
    for path in sorted(ROOT.rglob("*.py")):
        relative = path.relative_to(ROOT)
        top = relative.parts[0]
        if top in MAY_IMPORT or relative.as_posix() in {f"{name}.py" for name in ENTRY_POINTS}:
            yield relative


def imports(source: str, package: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of everything imported; for `from a import b` that is a.b. Relative ones are made absolute."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module or "") if part)
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in ("import_module", "__import__") and isinstance(node.args[0].value, str):
                yield node.lineno, node.args[0].value


def breaches(path: Path, source: str) -> list[str]:
    """Sentences about every import of one file that the tables do not allow."""
    where, top = path.as_posix(), path.parts[0].removesuffix(".py")
    ours = set(MAY_IMPORT) | ENTRY_POINTS | FREE
    found = []
    for line, name in imports(source, path.parts[:-1]):
        target = name.split(".")[0]
        if target in ours:
            free = top in ENTRY_POINTS or (where in ENTRY_FILES and target in ENTRY_POINTS)
            if not free and target != top and target not in MAY_IMPORT[top]:
                may = ", ".join(sorted(MAY_IMPORT[top])) or "nothing of ours"
                found.append(f"{where}:{line} imports {name}; {top}/ may import {may}")
        elif target in ONLY_IN and not _may_use(where, target, name):
            found.append(f"{where}:{line} imports {name}; {target} belongs in {', '.join(ONLY_IN[target])}")
        elif top in STANDARD_ONLY and not _is_standard(target):
            found.append(f"{where}:{line} imports {name}; {top}/ uses the standard library only")
    return found


def _may_use(where: str, library: str, name: str) -> bool:
    if any(fnmatch(where, pattern) for pattern in ONLY_IN[library]):
        return True
    return any(fnmatch(where, pattern) and name == harmless for pattern, harmless in HARMLESS)


def _is_standard(name: str) -> bool:
    return name in sys.stdlib_module_names


def reads_environment(source: str) -> list[int]:
    """Lines that read the process environment."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and (node.value.id, node.attr) in {("os", "environ"), ("os", "getenv")}
    ]


def test_imports_point_down_and_libraries_stay_in_their_folders() -> None:
    found = [line for path in sources() for line in breaches(path, (ROOT / path).read_text(encoding="utf-8"))]
    assert not found, "\n" + "\n".join(found)


def test_only_settings_read_the_environment() -> None:
    found = [
        f"{path}:{line}"
        for path in sources()
        if path.as_posix() != "settings.py"
        for line in reads_environment((ROOT / path).read_text(encoding="utf-8"))
    ]
    assert not found, f"hand these values over from settings.py: {found}"


def test_every_folder_of_code_is_in_the_table() -> None:
    have = {path.relative_to(ROOT).parts[0] for path in ROOT.glob("*/**/*.py") if not path.parts[-2].startswith(".")}
    unknown = {name for name in have if not name.startswith(".")} - set(MAY_IMPORT) - FREE - {"build", "data"}
    assert not unknown, f"say in MAY_IMPORT what these may import: {sorted(unknown)}"


@pytest.mark.parametrize(
    ("path", "source", "expected"),
    [
        ("rules/a.py", "from storage.models import Hazard", "rules/ may import nothing of ours"),
        ("rules/a.py", "import requests", "requests belongs in"),
        ("rules/a.py", "import yaml", "standard library only"),
        ("bot/a.py", "def f():\n    import handlers.hazard", "bot/ may import cards, storage"),
        ("bot/a.py", "from wiring import build", "imports wiring.build"),
        ("jobs/a.py", "from tools import cli", "imports tools.cli"),
        ("jobs/a.py", "from sqlalchemy import select", "sqlalchemy belongs in storage/*"),
        ("web/a.py", "from rq import Queue", "rq belongs in jobs/*, worker.py"),
        ("bot/platforms/base.py", "import flask", "flask belongs in"),
        ("handlers/a.py", "from PIL import Image", "PIL belongs in"),
        ("bot/platforms/wecom/a.py", "from dingtalk import client", "dingtalk belongs in"),
        ("auditor/cases.py", "import settings", "auditor/ may import storage"),
        ("auditor/__main__.py", "from handlers import people", "auditor/ may import storage"),
        ("emulators/wecom/a.py", "from bot.message import Inbound", "emulators/ may import nothing of ours"),
        ("cards/a.py", "import importlib\nimportlib.import_module('bot.router')", "cards/ may import"),
        ("bot/platforms/a.py", "from ..flow import Flow\nfrom ...handlers import help", "bot/ may import"),
    ],
)
def test_a_breach_is_found(path: str, source: str, expected: str) -> None:
    found = breaches(Path(path), source)
    assert len(found) == 1
    assert expected in found[0]


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("rules/a.py", "import math\nfrom rules.terms import Grade"),
        ("bot/a.py", "from . import flow\nfrom .platforms import base"),
        ("jobs/a.py", "from sqlalchemy import Engine\nfrom rq import Queue"),
        ("web/a.py", "import flask"),
        ("wiring.py", "import web.media, redis, requests"),
        ("auditor/__main__.py", "import settings\nfrom storage.database import open_engine"),
    ],
)
def test_what_is_allowed_passes(path: str, source: str) -> None:
    assert breaches(Path(path), source) == []


def test_the_environment_is_seen_being_read() -> None:
    assert reads_environment("import os\nx = os.environ['A']\ny = os.getenv('B')\n") == [2, 3]
