"""What the caller of a callback address is told when it is not taken: RFC 9457, with what to look at.

The platform looks at the status only; these words are for the person who sets the callback up and tries it by hand.
They say nothing that the caller did not send.
"""

from __future__ import annotations

import json

MIMETYPE = "application/problem+json"
TITLES = {
    400: "Bad request",
    403: "Forbidden",
    405: "Method not allowed",
    413: "Content too large",
    500: "Internal error",
}
WORDS = {
    "timestamp": "The timestamp is missing or too far from now: check the clocks of both sides. An old request is not taken.",
    "signature": "The signature is wrong: the token or secret in the platform's console and in the settings differ.",
    "receiver": "This is meant for another company, app or robot.",
    "cipher": "The content cannot be decrypted: the AES key in the console and in the settings differ, or it is damaged.",
    "xml": "The body is no XML envelope. Document types and entities are not taken.",
    "no_encrypt": "The envelope has no <Encrypt>.",
    "content": "The decrypted content is no message or event.",
    "depth": "The content is nested too deeply.",
    "json": "The body is no JSON object.",
    "too_large": "The body is larger than 1 MB.",
    "method": "This address does not take this method: GET proves the address to WeCom, POST brings messages.",
    "not_stored": "The message could not be stored: look at the log and at /readyz. It may be sent again.",
    "failed": "Something went wrong here: look at the log. It may be sent again.",
    "cut": "The body is shorter than announced.",
}


def problem(status: int, reason: str) -> str:
    """The body of the answer. `reason` is the code that the log has too."""
    detail = WORDS.get(reason, "This request is not taken.")
    said = {"type": "about:blank", "title": TITLES[status], "status": status, "detail": detail, "reason": reason}
    return json.dumps(said)
