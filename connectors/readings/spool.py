"""Readings that could not be delivered, kept in files: bounded, oldest first, safe against a torn write.

One folder, one file a batch (`00000000000000000042.jsonl`, a row a line). A file is written whole under another name,
forced to the disk and then renamed, so a file with this name is complete.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog

log = structlog.get_logger()

Row = Mapping[str, Any]


class Spool:
    """For one process and one thread at a time."""

    def __init__(self, folder: Path, *, max_bytes: int) -> None:
        self.folder, self.max_bytes = folder, max_bytes
        self.dropped_rows = 0  # given up because the folder was full
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob("*.part"):
            left.unlink()
        names = self._names()
        self._sizes = {name: (folder / name).stat().st_size for name in names}
        self._next = int(names[-1].split(".")[0]) + 1 if names else 1

    def __len__(self) -> int:
        """Batches that wait."""
        return len(self._sizes)

    @property
    def bytes_kept(self) -> int:
        return sum(self._sizes.values())

    def put(self, rows: Sequence[Row]) -> None:
        """Keep a batch. When the folder is full the oldest batches go: the newest say more about now."""
        if not rows:
            return
        data = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
        name = f"{self._next:020d}.jsonl"
        self._next += 1
        part = self.folder / f"{name}.part"
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.rename(self.folder / name)
        self._sizes[name] = len(data)
        while self.bytes_kept > self.max_bytes and len(self._sizes) > 1:
            self._give_up(min(self._sizes))

    def oldest(self) -> tuple[str, list[dict[str, Any]]] | None:
        """(name, rows) of the batch that waits longest; None when nothing waits."""
        if not self._sizes:
            return None
        name = min(self._sizes)
        rows = []
        for line in (self.folder / name).read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                rows.append(json.loads(line))
            except ValueError:
                self.dropped_rows += 1
                log.error("readings.spool_line_broken", file=name)
        return name, rows

    def remove(self, name: str) -> None:
        """The batch was delivered."""
        self._sizes.pop(name, None)
        (self.folder / name).unlink(missing_ok=True)

    def _give_up(self, name: str) -> None:
        with (self.folder / name).open("rb") as file:
            rows = sum(1 for _ in file)
        self.dropped_rows += rows
        log.error("readings.spool_full", rows=rows, kept_bytes=self.bytes_kept)
        self.remove(name)

    def _names(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob("*.jsonl"))
