"""Lanes: forks of one process that are kept going, told to stop together, and never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools import processes

ROOT = Path(__file__).resolve().parents[2]
LANES = """
import os, signal, sys
from tools import lanes
if lanes.in_one(2):
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    os.write(1, b"%d\\n" % os.getpid())
    signal.sigwait({signal.SIGTERM})
    sys.exit(0)
os.write(1, b"ended\\n")
"""


@pytest.fixture
def made() -> Iterator[subprocess.Popen[bytes]]:
    child = processes.start([sys.executable, "-c", LANES], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    yield child
    if child.poll() is None:
        processes.kill_group(child)
    child.stdout.close()


def pid(made) -> int:
    """Of the next lane; what is logged stands between them."""
    return int(next(line for line in made.stdout if line.strip().isdigit()))


def test_a_lane_that_dies_is_forked_anew_and_all_end_together(made):
    first, second = pid(made), pid(made)
    os.kill(first, signal.SIGKILL)
    third = pid(made)
    assert len({first, second, third, made.pid}) == 4
    made.terminate()
    said, _ = made.communicate(timeout=20)  # read to its end: no lane holds it open any more
    assert (said.splitlines()[-1], made.returncode) == (b"ended", 0)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux ends them")
def test_lanes_end_with_the_process_that_forked_them(made):
    pid(made), pid(made)
    made.kill()
    assert made.communicate(timeout=20)[0] == b""
