"""The TOML file of readings: which sources there are and which of their points is which detector.

docs/readings.md shows the file. Whatever is wrong is said with the place it stands at, and the start is refused.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from connectors.readings.points import Scale
from connectors.readings.source import Status

Value = TypeVar("Value")
REQUIRED: Any = object()
MEGABYTE = 1024 * 1024


class BadConfig(ValueError):
    """The file cannot be used; the text says where, what and why."""


@dataclass(frozen=True, slots=True)
class ReadingsConfig:
    spool_dir: Path
    spool_max_bytes: int
    sources: tuple[Section, ...]


class Section:
    """One table of the file. Every key is taken once; what is left over at the end was misspelt."""

    def __init__(self, where: str, table: Mapping[str, Any]) -> None:
        self.where, self._left = where, dict(table)

    def take(self, name: str, kind: type[Value], default: Any = REQUIRED) -> Value:
        if name not in self._left:
            if default is REQUIRED:
                raise BadConfig(f"{self.where}: {name} is missing")
            return default
        value = self._left.pop(name)
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise BadConfig(f"{self.where}: {name} must be {_KINDS.get(kind, kind.__name__)}")
        return value

    def choice(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        value = self.take(name, str, default)
        if value not in allowed:
            raise BadConfig(f"{self.where}: {name} must be one of {', '.join(allowed)}")
        return value

    def positive(self, name: str, default: Any = REQUIRED) -> float:
        value = self.take(name, float, default)
        if not (value > 0 and math.isfinite(value)):
            raise BadConfig(f"{self.where}: {name} must be more than 0")
        return value

    def port(self, default: int) -> int:
        value = self.take("port", int, default)
        if not 0 <= value <= 65535:
            raise BadConfig(f"{self.where}: port must be 0 to 65535")
        return value

    def secret(self, name: str) -> str:
        """`name`, or the content of the file named by `name`_file: so that the TOML itself holds no secret."""
        path = self.take(f"{name}_file", str, "")
        plain = self.take(name, str, "")
        if not path:
            return plain
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise BadConfig(f"{self.where}: {name}_file cannot be read ({error.strerror})") from error

    def sections(self, name: str) -> list[Section]:
        """A list of tables, at least one."""
        rows = self.take(name, list)
        if not rows or not all(isinstance(row, dict) for row in rows):
            raise BadConfig(f"{self.where}: needs at least one [[{name}]]")
        return [Section(f"{self.where}.{name}[{number}]", row) for number, row in enumerate(rows)]

    def scale(self, *, unit: str = "") -> Scale:
        """The keys unit, scale, offset, low, high, sentinels, zero_drift."""
        sentinels = self.take("sentinels", list, [])
        if not all(isinstance(item, (int, float)) and not isinstance(item, bool) for item in sentinels):
            raise BadConfig(f"{self.where}: sentinels must be numbers")
        return Scale(
            unit=self.take("unit", str, unit or REQUIRED),
            factor=self.take("scale", float, 1.0),
            offset=self.take("offset", float, 0.0),
            low=self.take("low", float, -math.inf),
            high=self.take("high", float, math.inf),
            sentinels=frozenset(float(item) for item in sentinels),
            zero_drift=self.take("zero_drift", float, 0.0),
        )

    def bits(self, name: str) -> dict[int, Status]:
        """`{ 3 = "fault", 4 = "offline" }`: TOML's keys are words."""
        found = {}
        for bit, status in self.take(name, dict, {}).items():
            if not bit.isdigit() or int(bit) > 31 or status not in {s.value for s in Status}:
                raise BadConfig(f"{self.where}: {name} reads bit number = one of {', '.join(Status)}")
            found[int(bit)] = Status(status)
        return found

    def finish(self) -> None:
        """Refuse what nobody asked for."""
        if self._left:
            raise BadConfig(f"{self.where}: unknown {', '.join(sorted(self._left))}")


_KINDS = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "a table",
}


def load(path: Path, *, data_dir: Path) -> ReadingsConfig:
    """Read the file. Raises BadConfig."""
    try:
        with path.open("rb") as file:
            table = tomllib.load(file)
    except OSError as error:
        raise BadConfig(f"{path}: cannot be read ({error.strerror})") from error
    except tomllib.TOMLDecodeError as error:
        raise BadConfig(f"{path}: {error}") from error
    return parse(table, data_dir=data_dir)


def parse(table: Mapping[str, Any], *, data_dir: Path) -> ReadingsConfig:
    top = Section("readings", table)
    folder = top.take("spool", str, "")
    size = top.positive("spool_max_mb", 64.0)
    rows = top.sections("source")
    top.finish()
    return ReadingsConfig(Path(folder) if folder else data_dir / "readings", int(size * MEGABYTE), tuple(rows))
