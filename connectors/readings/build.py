"""From the sections of the file to sources; an adapter's library is imported only when the file names its type."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from importlib import import_module

from connectors.readings.config import BadConfig, ReadingsConfig, Section
from connectors.readings.source import ReadingSource

TYPES = {
    "modbus": "connectors.readings.modbus",
    "opcua": "connectors.readings.opcua",
    "hj212": "connectors.readings.hj212.server",
}


def sources(config: ReadingsConfig, *, clock: Callable[[], datetime]) -> list[ReadingSource]:
    """Every source of the file. Raises BadConfig, also for two of one name or a library that is not installed."""
    found: dict[str, ReadingSource] = {}
    for section in config.sources:
        source = _one(section, clock)
        if source.name in found:
            raise BadConfig(f"{section.where}: the name {source.name} is used twice")
        found[source.name] = source
    return list(found.values())


def _one(section: Section, clock: Callable[[], datetime]) -> ReadingSource:
    name = section.take("name", str)
    if not name or len(name) > 60:
        raise BadConfig(f"{section.where}: name must have 1 to 60 characters")
    kind = section.choice("type", tuple(TYPES), "")
    try:
        module = import_module(TYPES[kind])
    except ModuleNotFoundError as error:
        raise BadConfig(f"{section.where}: {kind} needs the extra: pip install 'anshao[gas]'") from error
    made: ReadingSource = module.from_config(name, section, clock)
    section.finish()
    return made
