"""What every job needs, built once a process by wiring.py. Jobs carry ids only, so they ask for it here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from bot.platforms.base import Platform
from bot.router import Router
from connectors.sms import Receipt, Taken
from connectors.speech import Heard
from connectors.training import Pulled
from connectors.video import VideoDuty
from connectors.weather import Observation
from jobs.queue import Kicker
from storage.media import MediaStore
from storage.models import Delivery
from storage.unit_of_work import UnitOfWork


class SmsSender(Protocol):
    def send(self, mobile: str, params: Mapping[str, str], *, key: str) -> str:
        """Send the approved template with its variables; returns the provider's handle. Raises OutsideError."""
        ...

    def receipts(self, mobile: str, texts: Sequence[Taken]) -> dict[str, Receipt]:
        """key → what the operator made of the texts to one number. Raises OutsideError."""
        ...


class Speech(Protocol):
    def transcribe(self, data: bytes, *, format: str) -> Heard:
        """The words of a voice message; text "" when nothing was understood. Raises SpeechRefused or OutsideError."""
        ...


class TrainingSystem(Protocol):
    def pull(self, tags: Mapping[str, str] | None = None) -> Pulled:
        """Every certificate the training system knows, or that nothing changed. Raises OutsideError."""
        ...


class WeatherSource(Protocol):
    def now(self, *, lon: float, lat: float) -> Observation:
        """The weather at a place in WGS84 degrees. Raises OutsideError."""
        ...


class FallBack(Protocol):
    def __call__(self, work: UnitOfWork, row: Delivery, *, ahead: bool = False) -> bool:
        """Write the message that takes the next channel; False when there is none."""
        ...


@dataclass(slots=True)
class Services:
    engine: Engine
    clock: Callable[[], datetime]
    platforms: Mapping[str, Platform]
    router: Router
    media: MediaStore
    kick: Kicker
    zone: ZoneInfo
    public_url: str
    redis: Any
    sms: SmsSender | None = None
    speech: Speech | None = None
    training: TrainingSystem | None = None
    weather: WeatherSource | None = None
    video: VideoDuty | None = None
    fall_back: FallBack | None = None
    no_longer: Callable[[UnitOfWork, Delivery], str] | None = None  # why a message is not needed any more, "" if it is
    settings: Any = None

    def new_work(self, *, read_only: bool = False) -> UnitOfWork:
        return UnitOfWork(self.engine, self.clock(), read_only=read_only)


_current: Services | None = None


def use(services: Services) -> None:
    """Make these the services of this process."""
    global _current
    _current = services


def services() -> Services:
    if _current is None:
        raise RuntimeError("jobs run in a worker process: start them through worker.py")
    return _current
