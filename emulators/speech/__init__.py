"""Speech recognition gateways of Tencent Cloud and Aliyun: signatures are really checked; the words are told beforehand."""

from .emulator import SpeechEmulator

__all__ = ["SpeechEmulator"]
