"""sherpa-onnx on this machine, with a model directory that the administrator supplies. Nothing is ever downloaded."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from connectors.errors import OutsideError
from connectors.speech.audio import Sound, SpeechRefused
from connectors.speech.decode import RATE_HZ, SYSTEM, loudness, to_samples
from connectors.speech.model import SpeechAccount

THREADS = 2
QUIET = 0.002  # about -54 dBFS: nobody speaks that softly into a phone


class Recogniser(Protocol):
    def recognise(self, samples: list[float]) -> str:
        """The words of 16 kHz samples from -1 to 1."""
        ...


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """What a model directory holds. `kind`: sense_voice or paraformer."""

    model: Path
    tokens: Path
    kind: str


def find_model(directory: Path | None) -> ModelFiles:
    """The model of a directory, or of the one folder in it (archives unpack so). Raises OutsideError: what is missing.

    SenseVoice is told from Paraformer by its tokens, which hold the languages (<|zh|>), not by the folder's name.
    """
    if directory is None or not directory.is_dir():
        raise OutsideError(SYSTEM, "not_configured", permanent=True)
    inside = [d for d in sorted(directory.iterdir()) if d.is_dir()]
    for place in (directory, *inside):
        model = next((p for name in ("model.int8.onnx", "model.onnx") if (p := place / name).is_file()), None)
        tokens = place / "tokens.txt"
        if model is not None and tokens.is_file():
            kind = "sense_voice" if "<|zh|>" in tokens.read_text(encoding="utf-8", errors="replace") else "paraformer"
            return ModelFiles(model, tokens, kind)
    raise OutsideError(SYSTEM, "model_files_missing", permanent=True)


def check(directory: Path | None) -> None:
    """Whether the local recogniser could start. Raises OutsideError, whose code says what is missing."""
    find_model(directory)
    for module, code in (("av", "pyav_missing"), ("sherpa_onnx", "sherpa_onnx_missing")):
        if find_spec(module) is None:
            raise OutsideError(SYSTEM, code, permanent=True)


class SherpaRecogniser:
    """SenseVoice or Paraformer, whichever the directory holds (`model.int8.onnx` or `model.onnx`, `tokens.txt`)."""

    def __init__(self, directory: Path | None) -> None:
        """Raises OutsideError, whose code says what is missing."""
        files = find_model(directory)
        try:
            import sherpa_onnx
        except ImportError as error:
            raise OutsideError(SYSTEM, "sherpa_onnx_missing", permanent=True) from error
        made: Any = sherpa_onnx.OfflineRecognizer
        model, tokens = str(files.model), str(files.tokens)
        try:
            if files.kind == "paraformer":
                self._recognizer = made.from_paraformer(paraformer=model, tokens=tokens, num_threads=THREADS)
            else:
                self._recognizer = made.from_sense_voice(
                    model=model, tokens=tokens, num_threads=THREADS, use_itn=True, language="zh"
                )
        except Exception as error:  # the library's own: a broken or foreign model file
            raise OutsideError(SYSTEM, "model_not_readable", permanent=True) from error

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
                self._recogniser = SherpaRecogniser(self._directory)
            try:
                return self._recogniser.recognise([sample / 32768 for sample in samples]).strip()
            except Exception as error:  # the library's own: the next provider is asked, the recording is kept
                raise OutsideError(SYSTEM, "recogniser_failed", permanent=True) from error
