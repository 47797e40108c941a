"""What deploy/ holds fits the program: backup and restore are run, units and the nginx site name what exists."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

import worker
from storage.database import Base, open_engine
from storage.unit_of_work import UnitOfWork
from tests.pictures import scene
from tests.plant import Plant
from tools import postgres

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"


@pytest.fixture
def plant(database_url, redis_client, tmp_path):
    engine = open_engine(database_url)
    Base.metadata.create_all(engine)
    engine.dispose()
    made = Plant(database_url, redis_client, tmp_path / "plant")
    yield made
    made.services.engine.dispose()


def run(script: str, *arguments: object, database: str, media: Path, ok: bool = True) -> str:
    wheel = postgres._wheel()
    path = os.pathsep.join([*([str(wheel[1] / "bin")] if wheel else []), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "ANSHAO_DATABASE_URL": database, "ANSHAO_MEDIA_URL": media.as_uri()}
    done = subprocess.run(
        [DEPLOY / script, *map(str, arguments)], env=environment, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode == 0) == ok, done.stdout + done.stderr
    return done.stdout.strip().splitlines()[-1] if ok else done.stderr


def empty(database_url: str, tmp_path: Path) -> str:
    """The URL of a new empty database beside this one."""
    if database_url.startswith("sqlite"):
        return f"sqlite:///{tmp_path}/restored.db"
    url = make_url(database_url).set(database=make_url(database_url).database + "_restored")
    engine = open_engine(database_url).execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{url.database}" TEMPLATE template0'))
    engine.dispose()
    return url.render_as_string(hide_password=False)


def test_a_backup_is_restored_with_every_case_photo_and_an_unbroken_trail(plant, database_url, tmp_path):
    plant.phone("张伟").sends_photo(scene(1)).says("装卸台照明不足,灯坏一片")
    media, backups = tmp_path / "plant" / "media", tmp_path / "backups"
    file = run("backup.sh", backups, database=database_url, media=media)
    again = run("backup.sh", backups, database=database_url, media=media)
    assert Path(again).exists() and oct(Path(file).stat().st_mode)[-2:] == "00"
    target, new_media = empty(database_url, tmp_path), tmp_path / "new media"
    run("restore.sh", file, backups / "media", database=target, media=new_media)
    engine = open_engine(target)
    with UnitOfWork(engine, plant.now, read_only=True) as work:
        hazard = work.hazards.by_number("YH-0001")
        assert hazard is not None and hazard.photos
        assert list(work.trail.broken()) == []
    engine.dispose()
    photos = {p.relative_to(media) for p in media.rglob("*") if p.is_file()}
    assert photos and photos == {p.relative_to(new_media) for p in new_media.rglob("*") if p.is_file()}
    assert run("restore.sh", file, backups / "media", database=target, media=new_media, ok=False)


def test_every_unit_starts_a_role_that_exists():
    roles = {*worker.ROLES, "--scheduler", "--auditor", "--stream", "--readings"}
    started = set()
    for unit in (DEPLOY / "systemd").glob("*.service"):
        line = next(row for row in unit.read_text(encoding="utf-8").splitlines() if row.startswith("ExecStart="))
        if "worker.py" in line and "%i" not in line:
            started.add(line.split("worker.py ")[1].strip())
    target = (DEPLOY / "systemd" / "anshao.target").read_text(encoding="utf-8")
    started |= set(re.findall(r"anshao-worker@(\w+)\.service", target))
    compose = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    assert started == roles
    assert set(re.findall(r"command: \[python, worker\.py, ([-\w]+)\]", compose)) == roles


@pytest.mark.parametrize(
    ("dingtalk", "mode", "runs"), [(True, "stream", True), (True, "http", False), (False, "stream", False)]
)
def test_the_stream_runs_only_where_dingtalk_is_used_that_way(plant, dingtalk, mode, runs):
    """The mode is left over where DingTalk was given up: the process would end and be started again for ever."""
    changed: dict[str, object] = {"dingtalk_mode": mode}
    changed |= {} if dingtalk else {"dingtalk_corp_id": "", "dingtalk_client_id": "", "dingtalk_client_secret": ""}
    assert ("--stream" in worker.roles_of(plant.settings.model_copy(update=changed))) is runs


def test_the_site_hands_on_every_path_of_the_program(plant):
    site = (DEPLOY / "nginx" / "anshao.conf").read_text(encoding="utf-8")
    paths = {rule.rule for rule in plant.app.url_map.iter_rules()} | plant.app.wsgi_app.paths
    assert "/wecom/callback" in paths
    for path in paths:
        first = path.split("/")[1]
        named = f"location /{first}/ " in site or f"location = /{first} " in site or first in ("readyz", "metrics")
        assert named, path


def test_the_example_names_settings_that_exist():
    from settings import PREFIX, Settings

    names = re.findall(r"^#?(ANSHAO_[A-Z_]+)=", (DEPLOY / "anshao.env.example").read_text(encoding="utf-8"), re.M)
    assert names
    assert {name.removeprefix(PREFIX).lower() for name in names} <= set(Settings.model_fields)
