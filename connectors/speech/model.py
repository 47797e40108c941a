"""What a recogniser gives back, and the account it is called with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Heard:
    """text: "" when nothing was understood. took_ms: milliseconds of the call."""

    text: str
    provider: str
    took_ms: int


@dataclass(frozen=True, slots=True)
class SpeechAccount:
    """Credentials and addresses; an empty address means the provider's own. model_dir: sherpa-onnx only."""

    providers: tuple[str, ...] = ()
    key_id: str = ""
    key_secret: str = ""
    app_key: str = ""  # Aliyun: the NLS project
    engine: str = ""  # Tencent: EngSerViceType; chosen by the recording when empty
    endpoint: str = ""
    token_endpoint: str = ""  # Aliyun: where tokens are made
    model_dir: Path | None = None
