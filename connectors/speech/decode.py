"""AMR and other recordings to 16 kHz mono samples, through PyAV (the optional extra `speech`)."""

from __future__ import annotations

import io
from array import array
from typing import Any

from connectors.errors import OutsideError
from connectors.speech.audio import MAX_SECONDS, SpeechRefused

RATE_HZ = 16000
SYSTEM = "local_asr"


def to_samples(data: bytes) -> array:
    """Signed 16-bit samples at 16 kHz, mono. Raises SpeechRefused for what does not decode, OutsideError without PyAV."""
    try:
        import av
    except ImportError as error:
        raise OutsideError(SYSTEM, "pyav_missing", permanent=True) from error
    samples = array("h")
    try:
        with av.open(io.BytesIO(data), "r", metadata_errors="ignore") as container:
            if not container.streams.audio:
                raise SpeechRefused("codec", "录音里没有声音轨,请再录一次,或打字")
            resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
            for frame in container.decode(audio=0):
                _append(samples, resampler.resample(frame))
                if len(samples) > MAX_SECONDS * RATE_HZ:
                    raise SpeechRefused("too_long", "录音超过一分钟,请分成几段,或打字")
            _append(samples, resampler.resample(None))
    except av.error.FFmpegError as error:
        raise SpeechRefused("codec", "录音解不开,请再录一次,或打字") from error
    if not samples:
        raise SpeechRefused("empty", "录音是空的,请再录一次,或打字")
    return samples


def _append(samples: array, frames: Any) -> None:
    for frame in frames:
        samples.frombytes(bytes(frame.planes[0])[: frame.samples * 2])


def loudness(samples: array) -> float:
    """Root mean square, 0..1 of full scale."""
    return (sum(float(s) * s for s in samples) / len(samples)) ** 0.5 / 32768 if samples else 0.0
