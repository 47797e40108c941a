"""What a recording is, before anybody is paid to listen to it: codec by its first bytes, size, seconds, silence.

AMR is counted frame by frame (3GPP TS 26.101: 20 ms each), because the duration a container tells is only approximate.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_BYTES = 3 * 1024 * 1024
MAX_SECONDS = 61.0  # the platforms record at most 60 s; half a frame more is no reason to refuse
MIN_SECONDS = 0.3
FRAME_S = 0.02
# bytes of a frame after its header byte, by frame type (storage format, RFC 4867 §5.3)
_NB = {0: 12, 1: 13, 2: 15, 3: 17, 4: 19, 5: 20, 6: 26, 7: 31, 8: 5, 15: 0}
_WB = {0: 17, 1: 23, 2: 32, 3: 36, 4: 40, 5: 46, 6: 50, 7: 58, 8: 60, 9: 5, 14: 0, 15: 0}
_NO_SPEECH_NB, _NO_SPEECH_WB = frozenset({8, 15}), frozenset({9, 14, 15})


class SpeechRefused(Exception):
    """The recording cannot be recognised whatever the provider; `message_zh` says why and what to do."""

    def __init__(self, code: str, message_zh: str) -> None:
        super().__init__(code)
        self.code, self.message_zh = code, message_zh


@dataclass(frozen=True, slots=True)
class Sound:
    """codec: amr, amr-wb, wav, ogg, mp3, m4a, silk, speex. seconds: None when only a decoder could tell."""

    codec: str
    seconds: float | None
    rate_hz: int | None


def examine(data: bytes, *, told: str = "") -> Sound:
    """What the recording is. `told`: the format the platform named; speex has no magic bytes of its own.

    Raises SpeechRefused for what is empty, too big, too long, silent throughout, or no sound at all.
    """
    if not data:
        raise SpeechRefused("empty", "录音是空的,请再录一次或打字")
    if len(data) > MAX_BYTES:
        raise SpeechRefused("too_big", "录音超过3MB,请分成一分钟以内的几段,或打字")
    sound = _sound(data, told)
    if sound is None:
        raise SpeechRefused("codec", "这种录音格式认不出来,请直接用聊天里的语音,或打字")
    if sound.seconds is not None and sound.seconds > MAX_SECONDS:
        raise SpeechRefused("too_long", "录音超过一分钟,请分成几段,或打字")
    if sound.seconds is not None and sound.seconds < MIN_SECONDS:
        raise SpeechRefused("too_short", "录音太短了,请按住多说一会儿,或打字")
    return sound


def _sound(data: bytes, told: str) -> Sound | None:
    if data.startswith(b"#!AMR-WB\n"):
        return Sound("amr-wb", _amr_seconds(data[9:], _WB, _NO_SPEECH_WB), 16000)
    if data.startswith(b"#!AMR\n"):
        return Sound("amr", _amr_seconds(data[6:], _NB, _NO_SPEECH_NB), 8000)
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return _wav(data)
    if data.startswith((b"#!SILK", b"\x02#!SILK")):
        return Sound("silk", None, None)
    if data.startswith(b"OggS"):
        return Sound("speex" if b"Speex   " in data[:64] else "ogg", None, None)
    if data.startswith(b"ID3") or (data[0] == 0xFF and len(data) > 1 and data[1] & 0xE6 in (0xE2, 0xE4, 0xE6)):
        return Sound("mp3", None, None)
    if data[4:8] == b"ftyp":
        return Sound("m4a", None, None)
    return Sound("speex", None, 16000) if told.lower() == "speex" else None


def _amr_seconds(frames: bytes, sizes: dict[int, int], silent: frozenset[int]) -> float:
    """Seconds of the frames. A broken frame ends the count; nothing but silence frames is refused."""
    at = count = speech = 0
    while at < len(frames):
        kind = frames[at] >> 3 & 15
        size = sizes.get(kind)
        if size is None or at + 1 + size > len(frames):
            break
        at, count, speech = at + 1 + size, count + 1, speech + (kind not in silent)
    if count and not speech:
        raise SpeechRefused("silence", "录音里没有声音,请靠近手机再说一次,或打字")
    if not count:
        raise SpeechRefused("codec", "录音文件坏了,请再录一次,或打字")
    return count * FRAME_S


def _wav(data: bytes) -> Sound | None:
    """PCM WAV by its header; the rate and byte rate stand at fixed places of the fmt chunk."""
    at = data.find(b"fmt ")
    body = data.find(b"data", at + 8) if at >= 0 else -1
    if at < 0 or body < 0 or len(data) < at + 24:
        return None
    rate = int.from_bytes(data[at + 12 : at + 16], "little")
    bytes_a_second = int.from_bytes(data[at + 16 : at + 20], "little")
    if not rate or not bytes_a_second:
        return None
    return Sound("wav", (len(data) - body - 8) / bytes_a_second, rate)
