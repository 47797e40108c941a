"""sherpa-onnx on this machine, with a model directory that the administrator supplies. Nothing is ever downloaded."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, Protocol

from connectors.errors import OutsideError
from connectors.speech.audio import Sound, SpeechRefused
from connectors.speech.decode import RATE_HZ, SYSTEM, loudness, to_samples
from connectors.speech.model import SpeechAccount

QUIET = 0.002  # about -54 dBFS: nobody speaks that softly into a phone


class Recogniser(Protocol):
    def recognise(self, samples: list[float]) -> str:
        """The words of 16 kHz samples from -1 to 1."""
        ...


class SherpaRecogniser:
    """SenseVoice or Paraformer, whichever the directory holds (`model.int8.onnx` or `model.onnx`, `tokens.txt`)."""

    def __init__(self, directory: Path) -> None:
        """Raises OutsideError, whose code says what is missing."""
        try:
            import sherpa_onnx
        except ImportError as error:
            raise OutsideError(SYSTEM, "sherpa_onnx_missing", permanent=True) from error
        model = next((p for name in ("model.int8.onnx", "model.onnx") if (p := directory / name).is_file()), None)
        tokens = directory / "tokens.txt"
        if model is None or not tokens.is_file():
            raise OutsideError(SYSTEM, "model_files_missing", permanent=True)
        made: Any = sherpa_onnx.OfflineRecognizer
        if "paraformer" in directory.name.lower():
            self._recognizer = made.from_paraformer(paraformer=str(model), tokens=str(tokens))
        else:
            self._recognizer = made.from_sense_voice(model=str(model), tokens=str(tokens), use_itn=True, language="zh")

    def recognise(self, samples: list[float]) -> str:
        stream = self._recognizer.create_stream()
        stream.accept_waveform(RATE_HZ, samples)
        self._recognizer.decode_stream(stream)
        return str(stream.result.text)


class LocalSpeech:
    name = "local"

    def __init__(self, account: SpeechAccount, *, recogniser: Recogniser | None = None) -> None:
        self._directory, self._recogniser = account.model_dir, recogniser
        self._lock = threading.Lock()

    def hear(self, data: bytes, _sound: Sound) -> str:
        """The words, "" when there are none. Raises SpeechRefused or OutsideError («not configured» by its code)."""
        samples = to_samples(data)
        if loudness(samples) < QUIET:
            raise SpeechRefused("silence", "录音里没有声音,请靠近手机再说一次,或打字")
        with self._lock:  # the model is loaded once, and recognises one recording at a time
            if self._recogniser is None:
                if self._directory is None or not self._directory.is_dir():
                    raise OutsideError(SYSTEM, "not_configured", permanent=True)
                self._recogniser = SherpaRecogniser(self._directory)
            return self._recogniser.recognise([sample / 32768 for sample in samples]).strip()
