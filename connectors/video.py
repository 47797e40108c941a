"""Video duty (视频值守) for special-grade hot work: the hook a plant's video system is plugged in by.

GB 30871-2022 5.2.11 asks for video of the whole work by an explosion-proof camera. `ANSHAO_VIDEO_HOOK` names a factory,
`package.module:name`; what it returns is asked about each permit of that grade from its approval to its end. Without a
hook people confirm the recording by name, as a measure of the ticket.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Protocol


@dataclass(frozen=True, slots=True)
class VideoOrder:
    """The work to be filmed: number of its permit, its place in words and in WGS84 degrees, whether it has begun."""

    number: str
    place: str
    lat: float | None
    lon: float | None
    begun: bool


@dataclass(frozen=True, slots=True)
class Recording:
    """How the recording stands at `at`. `ex_proof` None: the video system does not know."""

    at: datetime
    recording: bool
    ex_proof: bool | None = None
    camera: str = ""


class VideoDuty(Protocol):
    def look(self, order: VideoOrder) -> Recording:
        """See that the work is filmed and say how it stands; asked every 15 seconds. Raises OutsideError."""
        ...

    def release(self, number: str) -> None:
        """The work is over: the recording may stop; it is kept at least a month (B.3). Raises OutsideError."""
        ...


class BadHook(ValueError):
    """The named hook cannot be used; the text says why."""


def load(name: str) -> VideoDuty:
    """The hook of a name such as `plant_video:connect`. Raises BadHook."""
    module, _, factory = name.partition(":")
    try:
        made = getattr(import_module(module), factory)()
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise BadHook(f"{name}: {error}") from error
    if not callable(getattr(made, "look", None)) or not callable(getattr(made, "release", None)):
        raise BadHook(f"{name}: what it returns has no look() and release()")
    hook: VideoDuty = made
    return hook
