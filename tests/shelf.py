"""What many talks begin with is walked once in a process: the plant's whole state is kept and taken up again.

    plant.step(("at work",), lambda: walk(plant))      walks the first time, afterwards the state is there at once

Kept are the database, Redis, the pictures, the clock and everything the emulated platforms and phones remember. A
state counts only for a plant that did exactly the same steps before, and nothing else.
"""

from __future__ import annotations

import io
import pickle
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import BuiltinMethodType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any

import requests
from flask import Blueprint, Flask

if TYPE_CHECKING:
    from datetime import datetime

    from tests.plant import Plant

_CODE = (FunctionType, MethodType, BuiltinMethodType, partial)
_OWN = (*_CODE, requests.Session, Flask, Blueprint, threading.Event, type(threading.RLock()), type(threading.Lock()))
Parts = dict[str, Any]

# of the running test: whether it has patched anything, which a kept state would not know of
is_patched: Callable[[], bool] = bool


@dataclass
class Kept:
    now: datetime
    memories: list[bytes]  # of the emulators
    database: sqlite3.Connection
    redis: list[tuple[bytes, int, bytes]]  # key, its life in ms (0: for ever), its value as Redis dumps it
    files: dict[Path, bytes]
    pressed: dict[tuple[str, ...], datetime]
    found: Any  # what the walk returned


def memory(plant: Plant) -> list[bytes]:
    """What the emulated platforms remember."""
    return [_memory(emulator) for emulator in plant.emulators]


def keep(plant: Plant, found: Any) -> Kept:
    database = sqlite3.connect(":memory:", check_same_thread=False)
    with closing(sqlite3.connect(str(plant.services.engine.url.database))) as theirs:
        theirs.backup(database)
    redis = plant.services.redis
    keys = [(key, max(0, redis.pttl(key)), redis.dump(key)) for key in redis.scan_iter()]
    files = {path.relative_to(plant.folder): path.read_bytes() for path in plant.folder.rglob("*") if path.is_file()}
    return Kept(plant.now, memory(plant), database, keys, files, dict(plant.pressed), found)


def take_up(plant: Plant, kept: Kept) -> None:
    plant.now, plant.pressed = kept.now, dict(kept.pressed)
    for emulator, memory in zip(plant.emulators, kept.memories, strict=True):
        _remember(emulator, memory)
    with closing(sqlite3.connect(str(plant.services.engine.url.database))) as ours:
        kept.database.backup(ours)
    redis = plant.services.redis
    redis.flushdb()
    for key, life, value in kept.redis:
        redis.restore(key, life, value)
    for path, content in kept.files.items():
        (plant.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (plant.folder / path).write_bytes(content)


# -- what an emulator remembers: everything but its parts themselves, which know each other and the process


class _Writer(pickle.Pickler):
    def __init__(self, file: io.BytesIO, parts: Parts) -> None:
        super().__init__(file)
        self._names = {id(part): name for name, part in parts.items()}

    def persistent_id(self, obj: Any) -> str | None:
        return self._names.get(id(obj))


class _Reader(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, parts: Parts) -> None:
        super().__init__(file)
        self._parts = parts

    def persistent_load(self, name: str) -> Any:
        return self._parts[name]


def _memory(emulator: Any) -> bytes:
    parts = _parts(emulator)
    named = {id(part) for part in parts.values()}
    state = {
        name: {key: value for key, value in vars(part).items() if id(value) not in named and not _is_own(value)}
        for name, part in parts.items()
        if not _is_own(part)
    }
    file = io.BytesIO()
    _Writer(file, parts).dump(state)
    return file.getvalue()


def _remember(emulator: Any, memory: bytes) -> None:
    parts = _parts(emulator)
    for name, values in _Reader(io.BytesIO(memory), parts).load().items():
        parts[name].__dict__.update(values)


def _parts(emulator: Any) -> Parts:
    """By where they are found: the emulator's objects, and what belongs to the process and is never copied."""
    found: Parts = {}
    seen: set[int] = set()

    def look(name: str, part: Any) -> None:
        if id(part) in seen:
            return
        seen.add(id(part))
        found[name] = part
        if not _is_own(part):
            for key, value in vars(part).items():
                if _is_own(value) or _is_part(value):
                    look(f"{name}.{key}", value)

    look("", emulator)
    return found


def _is_part(value: Any) -> bool:
    return type(value).__module__.startswith("emulators.") and hasattr(value, "__dict__")


def _is_own(value: Any) -> bool:
    """Of the process, not of the plant; also a table of handlers."""
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return isinstance(value, _OWN) or any(isinstance(member, _CODE) for member in members)
