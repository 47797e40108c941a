"""Readings of gas detectors from outside: Modbus TCP, OPC UA and HJ 212, read from one TOML file.

config = load(Path("readings.toml"), data_dir=…, clock=…)
feed = Feed(sources(config, clock=…), ingest=…, note=…, spool=Spool(config.spool_dir, max_bytes=…))
asyncio.run(feed.run(stop))
"""

from connectors.readings.build import sources
from connectors.readings.config import BadConfig, ReadingsConfig, load
from connectors.readings.feed import Feed
from connectors.readings.source import Ingest, IngestAway, ReadingSource, Refused, Sample, SourceHealth, SourceLost
from connectors.readings.spool import Spool

__all__ = [
    "BadConfig",
    "Feed",
    "Ingest",
    "IngestAway",
    "ReadingSource",
    "ReadingsConfig",
    "Refused",
    "Sample",
    "SourceHealth",
    "SourceLost",
    "Spool",
    "load",
    "sources",
]
