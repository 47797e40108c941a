"""`python -m auditor`: looks every 30 s until it is told to stop. `--once` looks once; exit 1 when something is open."""

from __future__ import annotations

import os
import signal
import sys
import threading
from datetime import UTC, datetime

import structlog

import settings as settings_module
from auditor.service import Auditor
from storage.database import open_engine

log = structlog.get_logger()


def make(settings: settings_module.Settings) -> Auditor:
    return Auditor(
        engine=open_engine(settings.database_url, pool_size=2),
        clock=lambda: datetime.now(UTC),
        admins=settings.admins,
        heartbeat_url=settings.heartbeat_url,
    )


def run(settings: settings_module.Settings) -> None:
    """Until SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    log.info("auditor.started", pid=os.getpid())
    make(settings).keep_looking(stop)
    log.info("auditor.stopped", pid=os.getpid())


def main(arguments: list[str]) -> int:
    try:
        settings = settings_module.load()
    except settings_module.SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    if arguments == ["--once"]:
        found = make(settings).look().found
        for item in found:
            print(item.kind.value, item.subject, item.facts)
        return 1 if found else 0
    if arguments:
        print("usage: python -m auditor [--once]", file=sys.stderr)
        return 2
    run(settings)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
