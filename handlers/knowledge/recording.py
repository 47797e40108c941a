"""The recording behind a card, in a form that a browser plays: phones record AMR, browsers play WAV."""

from __future__ import annotations

import io
import wave

from connectors.errors import OutsideError
from connectors.speech import SpeechRefused
from connectors.speech.decode import RATE_HZ, to_samples
from handlers.knowledge import veterans
from storage.models import KnowledgeCard, Person


def may_hear(card: KnowledgeCard, person: Person) -> bool:
    """A voice is as good as a name: without consent to be named only reviewers and the author hear it."""
    return bool(card.voice_sha) and (card.named or card.author_id == person.id or veterans.may_review(person))


def playable(data: bytes) -> tuple[bytes, str]:
    """(sound, MIME type): WAV at 16 kHz, or the recording as it came when this machine cannot decode it."""
    try:
        samples = to_samples(data)
    except (OutsideError, SpeechRefused):
        return data, "audio/amr"
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.tobytes())
    return out.getvalue(), "audio/wav"
