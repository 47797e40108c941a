"""Workers: `python worker.py` runs them all, `python worker.py chat` one queue, `python worker.py --scheduler` the clock.

`python worker.py --readings` fetches and receives gas readings by the file ANSHAO_READINGS_CONFIG (docs/readings.md).

Chat, media and delivery workers run their jobs without a fork (a fork costs 6 ms, a reply should cost 1); jobs of the
slow queue (jobs/slow.py) get a fork each, so that a hanging one can be killed, from two lanes: the other kinds go on meanwhile.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from time import monotonic

import structlog
from rq import Queue, SimpleWorker, Worker
from rq.serializers import JSONSerializer

import auditor.__main__ as auditor_process
import wiring
from bot.platforms.http import session
from connectors.readings import BadConfig
from connectors.readings import load as load_readings
from handlers.knowledge import ear
from jobs import context, feeds, inbound, schedule
from jobs.queue import CHAT, DELIVERY, MEDIA, SLOW
from settings import Settings, SettingsError, load
from storage import schema
from storage.inbox import write_canary
from tools import embedded, lanes

log = structlog.get_logger()

ROLES: dict[str, tuple[str, ...]] = {"chat": (CHAT,), "media": (MEDIA,), "delivery": (DELIVERY,), "slow": (SLOW,)}
WORKER_TTL_S = 35  # with our own registry clean-up a killed worker's job is seen in seconds, not in 808 s
RESTART_AFTER_S = 1.0
SLOW_LANES = 2  # one kind of slow work that hangs until its time limit holds up no other


def _ready() -> context.Services:
    settings = load()
    services = wiring.build(settings, redis_client=wiring.open_redis(settings, patient=True))
    if not schema.is_usable(services.engine):
        raise SettingsError("The database's schema is not ready: run `flask --app app db upgrade` first")
    context.use(services)
    return services


def settle() -> None:
    """What is loaded by now lives as long as the process: a full collection that looks at it all takes 30 ms, and comes
    in the middle of somebody's verdict."""
    gc.collect()
    gc.freeze()


def run_worker(role: str) -> None:
    """One worker process until it is told to stop."""
    services = _ready()
    if role == "chat":
        with services.new_work(read_only=True) as work:
            ear.warm(work)
    queues = [Queue(name, connection=services.redis, serializer=JSONSerializer) for name in ROLES[role]]
    kind = Worker if role == "slow" else SimpleWorker
    if role == "slow":
        services.engine.dispose()  # a fork must not inherit an open connection: one killed on it would leave it broken
        services.redis.connection_pool.disconnect()
        if not lanes.in_one(SLOW_LANES):
            return
    worker = kind(
        queues,
        connection=services.redis,
        serializer=JSONSerializer,
        worker_ttl=WORKER_TTL_S,
        job_monitoring_interval=5,
        maintenance_interval=30,
        name=f"anshao-{role}-{os.getpid()}",
    )
    settle()
    log.info("worker.started", role=role, pid=os.getpid())
    worker.work(logging_level="WARNING", with_scheduler=False)
    log.info("worker.stopped", role=role, pid=os.getpid())


def run_scheduler() -> None:
    """The clock: due steps, lost wake-ups, dead workers' leases. Any number of schedulers may run."""
    services = _ready()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    settle()
    log.info("scheduler.started", pid=os.getpid())
    schedule.run(services, stop)
    log.info("scheduler.stopped", pid=os.getpid())


def _streams(settings: Settings) -> bool:
    """The mode alone says nothing: it may be left over in an installation that has WeCom only."""
    return settings.has_dingtalk and settings.dingtalk_mode == "stream"


def run_stream() -> None:
    """DingTalk's messages over a link of our own making (ANSHAO_DINGTALK_MODE=stream). Several processes may run."""
    services = _ready()
    settings = services.settings
    if not _streams(settings):
        raise SettingsError("--stream needs DingTalk's settings and ANSHAO_DINGTALK_MODE=stream")
    from bot.platforms.dingtalk.stream import stream_of

    accept = inbound.accept_into(services.engine, services.kick, services.clock, wiring.first_aid)
    dingtalk = services.platforms["dingtalk"]
    client = stream_of(
        dingtalk,  # type: ignore[arg-type]
        accept,
        http=session(),
        redis=services.redis,
        clock=services.clock,
        canary=lambda: write_canary(services.engine, f"stream:{socket.gethostname()}", services.clock()),
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        # from a thread: the handler may interrupt the very lock that stop() needs
        signal.signal(number, lambda *_: threading.Thread(target=client.stop).start())
    log.info("stream.started", pid=os.getpid())
    client.run()
    log.info("stream.stopped", pid=os.getpid())


def run_readings() -> None:
    """Gas readings by the file ANSHAO_READINGS_CONFIG. One process a file: HJ 212 loggers dial one port."""
    services = _ready()
    path = services.settings.readings_config
    if path is None:
        raise SettingsError("ANSHAO_READINGS_CONFIG is missing: name the TOML file of docs/readings.md")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        feeds.run(services, load_readings(path, data_dir=services.settings.data_dir), stop)
    except BadConfig as error:
        raise SettingsError(f"ANSHAO_READINGS_CONFIG: {error}") from error


def run_all() -> None:
    """Every role in a process of its own; one that dies is started again. Without a Redis URL it runs one itself."""
    settings = load()
    if settings.redis_url:
        _supervise(settings)
    else:
        with embedded.valkey(settings.data_dir):
            _supervise(settings)


def roles_of(settings: Settings) -> list[str]:
    """What this installation runs; a role that lacks its settings would end and be started again for ever."""
    roles = [*ROLES, "--scheduler", "--auditor", *(["--stream"] if _streams(settings) else [])]
    return [*roles, *(["--readings"] if settings.readings_config is not None else [])]


def _supervise(settings: Settings) -> None:
    script = str(Path(__file__).resolve())
    roles = roles_of(settings)
    children = {role: subprocess.Popen([sys.executable, script, role]) for role in roles}
    started = dict.fromkeys(roles, monotonic())
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    while not stop.wait(0.2):
        for role, child in children.items():
            if child.poll() is not None and monotonic() - started[role] > RESTART_AFTER_S:
                log.error("worker.died", role=role, code=child.returncode)
                children[role] = subprocess.Popen([sys.executable, script, role])
                started[role] = monotonic()
    for child in children.values():
        child.terminate()
    for child in children.values():
        try:
            child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            child.kill()


def main(arguments: list[str]) -> int:
    try:
        if not arguments:
            run_all()
        elif arguments == ["--scheduler"]:
            run_scheduler()
        elif arguments == ["--stream"]:
            run_stream()
        elif arguments == ["--readings"]:
            run_readings()
        elif arguments == ["--auditor"]:
            settings = load()
            wiring.configure_logs(settings)
            auditor_process.run(settings)
        elif len(arguments) == 1 and arguments[0] in ROLES:
            run_worker(arguments[0])
        else:
            print(
                f"usage: python worker.py [{'|'.join(ROLES)}|--scheduler|--auditor|--readings|--stream]",
                file=sys.stderr,
            )
            return 2
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
