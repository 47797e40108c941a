"""Child processes that never outlive us, however we end."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def dies_with_us(number: int = signal.SIGTERM) -> Callable[[], None] | None:
    """For `Popen(preexec_fn=…)`: on Linux the child gets the signal when its parent is gone, even by SIGKILL.

    Start such a child from the main thread: the kernel watches the thread that forked.
    """
    if _libc is None:
        return None

    def ask() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, number)

    return ask


def start(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own, so that Ctrl-C reaches only us and we stop the children in order.

    Raises RuntimeError off the main thread: the child would be ended with the thread, and nobody would know by whom.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("start children from the main thread: the kernel ends them with the thread that forked")
    return subprocess.Popen(command, start_new_session=True, preexec_fn=dies_with_us(), **options)


def stop(children: list[subprocess.Popen[bytes]], *, within_s: float = 4.0) -> None:
    """SIGTERM to all at once, SIGKILL to those still there after `within_s`."""
    alive = [child for child in children if child.poll() is None]
    for child in alive:
        child.terminate()
    end = monotonic() + within_s
    for child in alive:
        try:
            child.wait(timeout=max(0.05, end - monotonic()))
        except subprocess.TimeoutExpired:
            kill_group(child)


def kill_group(child: subprocess.Popen[bytes]) -> None:
    """SIGKILL to the child and to what it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait(timeout=5)


def short_folder(name: str, *, key: str) -> Path:
    """A private folder with a short path that is the same for the same `key` and user: a socket's path must stay
    under about 100 bytes, whatever the depth of the project.

    Raises PermissionError when somebody else owns the name.
    """
    digest = hashlib.sha256(key.encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"{name}-{os.getuid()}-{digest}"
    folder.mkdir(mode=0o700, exist_ok=True)
    facts = folder.lstat()
    if folder.is_symlink() or facts.st_uid != os.getuid() or facts.st_mode & 0o077:
        raise PermissionError(f"{folder} belongs to somebody else or is open to others; remove it and start again")
    return folder
