"""How fast a callback is answered: the product beside a bare Flask handler, on SQLite and on PostgreSQL.

Both are served by waitress with the same 16 threads and settings, in processes of their own, and take turns in every round. The product verifies,
parses, stores and wakes a worker through a real Valkey; the bare handler decrypts, parses and commits one raw row.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import monotonic, sleep
from typing import Any
from unittest import mock

from bench import load, traffic
from bench.measuring import Row, at_least, at_most, cpu_s, quantile, row
from storage import schema
from storage.database import open_engine
from tools import embedded, postgres, processes
from tools.alone import free_ports
from tools.stack import ROOT, THREADS, WAITRESS, Stack

ROUNDS = 7
BURST = 1000  # requests a round and side
PER_S = 100.0
STEADY_TURNS, STEADY_S = 3, 5
P99_GOAL_MS = 50.0  # issue 2
SHARE_GOAL = 0.7  # issue 2: of the bare handler's throughput
READY_WITHIN_S = 30.0
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}  # tests go without; a plant does not
SIGNED = {"wecom": traffic.wecom_requests, "dingtalk": traffic.dingtalk_requests}


@dataclass
class Side:
    """One server under load."""

    port: int
    pid: int


@dataclass
class Burst:
    rate: float
    cpu_us: float


def run() -> list[Row]:
    """Rows for WeCom on both databases, for DingTalk on SQLite; throughput as the median of the rounds' ratios."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="anshao-bench-") as place:
        folder = Path(place)
        lite = f"sqlite:///{folder / 'anshao.db'}"
        with _pair(folder / "lite", lite, f"sqlite:///{folder / 'bare.db'}") as (plant, ours, bare):
            rows += _steady("sqlite", plant, ours, bare) + _throughput("wecom", "sqlite", plant, ours, bare)
            rows += _throughput("dingtalk", "sqlite", plant, ours, bare)
        lite, bare_lite = f"sqlite:///{folder / 'busy.db'}", f"sqlite:///{folder / 'bare2.db'}"
        with _pair(folder / "busy", lite, bare_lite, worker=True) as (plant, ours, bare):
            rows += _beside_worker(plant, ours, bare)
        with mock.patch.dict(postgres.FLAGS, DURABLE), postgres.server() as server:
            databases = postgres.Databases(server)
            with (
                databases.fresh() as our_url,
                databases.fresh() as bare_url,
                _pair(folder / "pg", our_url, bare_url) as (plant, ours, bare),
            ):
                rows += _steady("postgres", plant, ours, bare)
                rows += _throughput("wecom", "postgres", plant, ours, bare)
            databases.close()
    return rows


@contextmanager
def _pair(
    folder: Path, our_url: str, bare_url: str, *, worker: bool = False
) -> Iterator[tuple[dict[str, Any], Side, Side]]:
    """(plant, the product, the bare server), both answering; with `worker` a chat worker too."""
    our_port, bare_port, nowhere = free_ports(3)
    stack = Stack(folder, our_port, nowhere)
    with ExitStack() as cleanup:
        stack.prepare(cleanup.enter_context(embedded.valkey(folder, keep=True)))
        stack.environment |= {"ANSHAO_DATABASE_URL": our_url, "ANSHAO_LOG_LEVEL": "WARNING"}
        engine = open_engine(our_url)
        schema.upgrade(engine)
        engine.dispose()
        cleanup.callback(stack.stop)
        listen = f"127.0.0.1:{our_port}"
        stack.start("app", "-m", "waitress", "--listen", listen, *WAITRESS, "--call", "app:create_app")
        if worker:
            stack.start("chat", "worker.py", "chat")
        ours = Side(our_port, stack.children["app"].pid)
        bare = _start_bare(folder, stack.plant, bare_port, bare_url, cleanup)
        for side in (ours, bare):
            _wait(side, stack)
        yield stack.plant, ours, bare


def _start_bare(folder: Path, plant: dict[str, Any], port: int, url: str, cleanup: ExitStack) -> Side:
    command = [sys.executable, "-m", "bench.bare_server", str(port), url]
    out = cleanup.enter_context((folder / "bare.log").open("wb"))
    child = processes.start(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=out, stderr=out)
    cleanup.callback(processes.stop, [child])
    assert child.stdin is not None
    child.stdin.write(json.dumps({name: plant[name] for name in ("wecom", "dingtalk")}).encode())
    child.stdin.close()
    return Side(port, child.pid)


def _wait(side: Side, stack: Stack) -> None:
    end, probe = monotonic() + READY_WITHIN_S, traffic.wecom_requests(stack.plant, 1)[0]
    while load.Connection(side.port).ask(probe) != 200:
        stack.check_children()
        if monotonic() > end:
            raise RuntimeError(f"the server on port {side.port} does not answer")
        sleep(0.1)


def _steady(database: str, plant: dict[str, Any], ours: Side, bare: Side, *, name: str = "callback") -> list[Row]:
    """At 100 callbacks a second, sent at fixed times; the bare handler's p99 tells how quiet the machine is."""
    rows = []
    for platform, signed in SIGNED.items():
        found: dict[int, list[float]] = {ours.port: [], bare.port: []}
        for number in range(STEADY_TURNS + 1):
            for port, times in found.items():
                requests = signed(plant, int(PER_S * (STEADY_S if number else 1)))
                measured = _good(load.open_loop(port, requests, per_s=PER_S))
                times.extend(measured.latencies_ms if number else ())
        times, n = found[ours.port], len(found[ours.port])
        p50, p99 = quantile(times, 0.5), quantile(times, 0.99)
        note = f"bare handler {quantile(found[bare.port], 0.5):.1f} / {quantile(found[bare.port], 0.99):.1f} ms"
        steady = f"{PER_S:.0f}/s from fixed times, {THREADS} threads"
        rows.append(row(f"{name}.{platform}.{database}.p50", p50, "ms", n=n, note=steady))
        rows.append(at_most(f"{name}.{platform}.{database}.p99", p99, "ms", P99_GOAL_MS, n=n, note=note))
    return rows


def _beside_worker(plant: dict[str, Any], ours: Side, bare: Side) -> list[Row]:
    """The same while a chat worker handles what comes in, on the same two cores and the same SQLite file."""
    rows = _steady("sqlite", plant, ours, bare, name="callback.beside_worker")
    for each in rows:
        each["note"] += "; a chat worker works it off meanwhile"
    return rows


def _throughput(platform: str, database: str, plant: dict[str, Any], ours: Side, bare: Side) -> list[Row]:
    """As fast as 16 connections can, the two sides in turns."""
    sides = {"ours": ours, "bare": bare}
    bursts: dict[str, list[Burst]] = {name: [] for name in sides}
    for number in range(ROUNDS + 1):
        for name, side in sides.items():
            requests = SIGNED[platform](plant, BURST if number else 100)
            before = cpu_s(side.pid)
            measured = _good(load.closed_loop(side.port, requests, connections=THREADS))
            cpu_us = (cpu_s(side.pid) - before) / len(requests) * 1e6
            if number:  # the first round only warms up
                bursts[name].append(Burst(measured.rate, cpu_us))
    ratio = median(a.rate / b.rate for a, b in zip(bursts["ours"], bursts["bare"], strict=True))
    cost = {name: median(b.cpu_us for b in found) for name, found in bursts.items()}
    rate = {name: median(b.rate for b in found) for name, found in bursts.items()}
    name, n = f"callback.{platform}.{database}", ROUNDS
    note = f"{cost['ours']:.0f} µs CPU a callback against {cost['bare']:.0f}; the client shares the cores"
    return [
        row(f"{name}.rate", rate["ours"], "1/s", n=n, note=f"{THREADS} connections, {BURST} requests a round"),
        row(f"{name}.bare_rate", rate["bare"], "1/s", n=n, note="Flask, wechatpy or HMAC, one raw committed row"),
        at_least(f"{name}.share_of_bare", ratio, "×", SHARE_GOAL, n=n, note=note),
    ]


def _good(measured: load.Measured) -> load.Measured:
    if measured.bad:
        raise RuntimeError(f"answers that are not 200: {measured.bad}")
    return measured
