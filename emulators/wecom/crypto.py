"""The callback envelope of WeCom: AES-256-CBC with a 32-byte PKCS#7 block, SHA-1 over the sorted parts."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import struct
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK = 32


class BadEnvelope(Exception):
    """The other side's ciphertext or signature is not what the protocol asks for."""


@dataclass(frozen=True)
class Keys:
    """What one callback configuration holds. `receive_id` is the CorpID of a self-built app."""

    token: str
    aes_key: str
    receive_id: str

    @property
    def raw_key(self) -> bytes:
        """The 32 AES bytes behind the 43 characters; raises BadEnvelope when they are not 32."""
        try:
            raw = base64.b64decode(self.aes_key + "=")
        except ValueError as error:
            raise BadEnvelope("EncodingAESKey is not base64") from error
        if len(self.aes_key) != 43 or len(raw) != 32:
            raise BadEnvelope("EncodingAESKey must be 43 characters")
        return raw


def signature(token: str, timestamp: str, nonce: str, encrypted: str) -> str:
    """Lower-case SHA-1 hex over the four parts, sorted and joined without separator."""
    return hashlib.sha1("".join(sorted([token, timestamp, nonce, encrypted])).encode()).hexdigest()


def encrypt(keys: Keys, text: str, *, receive_id: str | None = None, random16: bytes | None = None) -> str:
    """Base64 of the encrypted `random16 + length + text + receive_id`; `receive_id` overrides the true one."""
    message = text.encode("utf-8")
    tail = (keys.receive_id if receive_id is None else receive_id).encode("utf-8")
    plain = (random16 or os.urandom(16)) + struct.pack(">I", len(message)) + message + tail
    fill = BLOCK - len(plain) % BLOCK
    plain += bytes([fill]) * fill
    key = keys.raw_key
    worker = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(worker.update(plain) + worker.finalize()).decode()


def decrypt(keys: Keys, encrypted: str) -> str:
    """The text inside; raises BadEnvelope for a wrong key, padding, length or receiver."""
    try:
        cipher = base64.b64decode(encrypted, validate=True)
    except ValueError as error:
        raise BadEnvelope("Encrypt is not base64") from error
    if not cipher or len(cipher) % 16:
        raise BadEnvelope("ciphertext is not a whole number of AES blocks")
    key = keys.raw_key
    worker = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
    plain = worker.update(cipher) + worker.finalize()
    fill = plain[-1]
    if not 1 <= fill <= BLOCK or len(plain) < fill + 20 or plain[-fill:] != bytes([fill]) * fill:
        raise BadEnvelope("padding is not PKCS#7 with block 32")
    plain = plain[:-fill]
    size = struct.unpack(">I", plain[16:20])[0]
    if 20 + size > len(plain):
        raise BadEnvelope("length field points past the end")
    if plain[20 + size :].decode("utf-8", "replace") != keys.receive_id:
        raise BadEnvelope("receiver id differs")
    return plain[20 : 20 + size].decode("utf-8")


def check_signature(keys: Keys, given: str, timestamp: str, nonce: str, encrypted: str) -> None:
    """Raises BadEnvelope unless `given` signs the other three."""
    if not hmac.compare_digest(given.encode(), signature(keys.token, timestamp, nonce, encrypted).encode()):
        raise BadEnvelope("signature does not match")
