"""Signatures and encryption of the platform side, written from the protocol notes (§1.1, 2.6, 3.3, 5.4, 6.1)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK = 32  # PKCS7 block of the event encryption, twice the AES block


def hmac_sign(timestamp: str, secret: str) -> str:
    """`sign` of HTTP-mode robot pushes and of group webhooks: base64(HMAC-SHA256(secret, timestamp\\nsecret))."""
    digest = hmac.new(secret.encode(), f"{timestamp}\n{secret}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def card_sign(timestamp: str, api_secret: str) -> str:
    """`x-ddpaas-signature` of card callbacks: base64(HMAC-SHA256(apiSecret, timestamp))."""
    return base64.b64encode(hmac.new(api_secret.encode(), timestamp.encode(), hashlib.sha256).digest()).decode()


def jsapi_digests(ticket: str, nonce: str, timestamp: str, url: str) -> dict[str, str]:
    """Both digests a dd.config signature may be: {"sha256": hex, "sha1": hex}. The fragment of url is dropped."""
    text = f"jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp}&url={url.split('#')[0]}".encode()
    return {"sha256": hashlib.sha256(text).hexdigest(), "sha1": hashlib.sha1(text, usedforsecurity=False).hexdigest()}


class BadCipher(Exception):
    """An encrypted answer cannot be opened, or is for somebody else."""


class EventCrypto:
    """AES-256-CBC of event pushes. owner is the AppKey of the app whose console holds the subscription."""

    def __init__(self, token: str, aes_key: str, owner: str):
        self._token, self._owner = token, owner
        self._key = base64.b64decode(aes_key + "=")
        if len(self._key) != 32:
            raise ValueError("event_aes_key must be 43 base64 characters")

    def encrypt(self, text: str, *, owner: str | None = None, random: bytes | None = None) -> str:
        body = text.encode()
        plain = (
            (random or secrets.token_bytes(16)) + len(body).to_bytes(4, "big") + body + (owner or self._owner).encode()
        )
        pad = BLOCK - len(plain) % BLOCK
        encryptor = self._cipher().encryptor()
        return base64.b64encode(encryptor.update(plain + bytes([pad]) * pad) + encryptor.finalize()).decode()

    def decrypt(self, encrypt: str) -> str:
        """The text inside; raises BadCipher for damage or another owner."""
        try:
            raw = base64.b64decode(encrypt, validate=True)
            decryptor = self._cipher().decryptor()
            plain = decryptor.update(raw) + decryptor.finalize()
        except (binascii.Error, ValueError) as error:
            raise BadCipher("not an encrypted text") from error
        if not plain or not 1 <= plain[-1] <= BLOCK or len(plain) < 20 + plain[-1]:
            raise BadCipher("padding")
        plain = plain[: -plain[-1]]
        length = int.from_bytes(plain[16:20], "big")
        body, owner = plain[20 : 20 + length], plain[20 + length :]
        if len(body) != length or owner != self._owner.encode():
            raise BadCipher("length or owner")
        try:
            return body.decode()
        except UnicodeDecodeError as error:
            raise BadCipher("not UTF-8") from error

    def sign(self, timestamp: str, nonce: str, encrypt: str) -> str:
        joined = "".join(sorted([self._token, timestamp, nonce, encrypt]))
        return hashlib.sha1(joined.encode(), usedforsecurity=False).hexdigest()

    def _cipher(self) -> Cipher:
        return Cipher(algorithms.AES(self._key), modes.CBC(self._key[:16]))
