"""The callback envelope: signature, decryption and the encrypted answer, on wechatpy's cipher.

wechatpy compares signatures with `!=`, does not look at the padding, and lets a damaged ciphertext surface as whatever
error it happens to cause; those three are handled here.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import struct

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from bot.platforms.wecom.config import WeComConfig
from bot.platforms.wecom.sdk import InvalidCorpIdException, PrpCrypto, WeChatCrypto


class WrongEnvelope(Exception):
    """Not signed by the platform, or meant for somebody else; the text says which."""


class Corrupt(Exception):
    """Not an envelope at all, or its content cannot be read; the text says which."""


class Envelope:
    """Opens and closes envelopes of one app. May be shared by threads."""

    def __init__(self, config: WeComConfig) -> None:
        self._token, self._corp_id = config.token, config.corp_id
        self._crypto = WeChatCrypto(config.token, config.aes_key, config.corp_id)
        self._cipher = PrpCrypto(self._crypto.key)

    def open(self, encrypted: str, *, signature: str, timestamp: str, nonce: str) -> str:
        """The plaintext of `<Encrypt>` or echostr. Raises WrongEnvelope or Corrupt."""
        wanted = self._signature(timestamp, nonce, encrypted)
        if not hmac.compare_digest(wanted.encode(), signature.encode()):
            raise WrongEnvelope("signature")
        try:
            return str(self._cipher.decrypt(encrypted, self._corp_id))
        except InvalidCorpIdException:
            raise WrongEnvelope("receiver") from None
        except (ValueError, IndexError, struct.error, OverflowError):
            raise Corrupt("cipher") from None

    def _signature(self, timestamp: str, nonce: str, encrypted: str) -> str:
        return hashlib.sha1("".join(sorted((self._token, timestamp, nonce, encrypted))).encode()).hexdigest()

    def close(self, xml: str, *, timestamp: str, nonce: str) -> str:
        """The envelope around a passive reply."""
        return str(self._crypto.encrypt_message(xml, nonce, timestamp))


class BotEnvelope(Envelope):
    """Envelopes of the 智能机器人: the same cipher, meant for nobody by name, and JSON around the answer."""

    def __init__(self, config: WeComConfig) -> None:
        self._token, self._corp_id = config.bot_token, ""
        self._crypto = WeChatCrypto(config.bot_token, config.bot_aes_key, "")
        self._cipher = PrpCrypto(self._crypto.key)

    def close(self, text: str, *, timestamp: str, nonce: str) -> str:
        """The envelope around a passive reply; `nonce` is the one of the request."""
        encrypted = self._cipher.encrypt(text, "").decode()
        signed = self._signature(timestamp, nonce, encrypted)
        stamp = int(timestamp)
        return json.dumps({"encrypt": encrypted, "msgsignature": signed, "timestamp": stamp, "nonce": nonce})


def encrypted_json(body: bytes) -> str:
    """`encrypt` in the JSON body of a robot's callback; nobody has vouched for it yet. Raises Corrupt."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise Corrupt("json") from None
    encrypted = found.get("encrypt") if isinstance(found, dict) else None
    if not isinstance(encrypted, str) or not encrypted:
        raise Corrupt("no_encrypt")
    return encrypted


def encrypted_part(body: bytes) -> str:
    """The text of `<Encrypt>` in a callback's body; nobody has vouched for the body yet. Raises Corrupt."""
    try:
        found = fromstring(body, forbid_dtd=True).findtext("Encrypt")
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise Corrupt("xml") from None
    if not found:
        raise Corrupt("no_encrypt")
    return str(found)
