"""Voice to text: Tencent 一句话识别, Aliyun NLS, or sherpa-onnx on this machine; one after another until one answers.

    heard = ears.transcribe(data, format="amr")     # Heard(text, provider, took_ms), text "" when nothing was understood

A recording that no provider could take raises SpeechRefused with the Chinese reason; OutsideError means «later or not at all».
"""

from __future__ import annotations

from connectors.speech.audio import Sound, SpeechRefused, examine
from connectors.speech.chain import Chain, Provider, build
from connectors.speech.model import Heard, SpeechAccount

__all__ = ["Chain", "Heard", "Provider", "Sound", "SpeechAccount", "SpeechRefused", "build", "examine"]
