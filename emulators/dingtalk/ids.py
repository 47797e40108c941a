"""Identifiers in the platform's looks."""

from __future__ import annotations

import base64
import secrets


def new_hex(count: int = 16) -> str:
    return secrets.token_hex(count)


def new_message_id() -> str:
    return "msg" + base64.b64encode(secrets.token_bytes(16)).decode()


def new_query_key() -> str:
    """A processQueryKey; always carries `/` and `+`, so a client that does not URL-encode it fails."""
    head, tail = (base64.b64encode(secrets.token_bytes(size)).decode() for size in (12, 6))
    return f"{head}/{tail}+="
