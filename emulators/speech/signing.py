"""Request signatures: TC3-HMAC-SHA256 for asr, and Aliyun RPC v1 for the token."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote


def tc3(*, secret: str, host: str, content_type: str, timestamp: int, body: bytes) -> str:
    """Hex TC3-HMAC-SHA256 over content-type and host, service asr."""
    date = datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d")
    head = f"content-type:{content_type}\nhost:{host}\n"
    canonical = f"POST\n/\n\n{head}\ncontent-type;host\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{date}/asr/tc3_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"TC3{secret}".encode()
    for part in (date, "asr", "tc3_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, f"TC3-HMAC-SHA256\n{timestamp}\n{scope}\n{digest}".encode(), hashlib.sha256).hexdigest()


def rpc(params: Mapping[str, str], *, secret: str) -> str:
    """Base64 HMAC-SHA1 over POST&%2F&encoded(sorted parameters), without `Signature` itself."""

    def percent(text: str) -> str:
        return quote(text, safe="-_.~")

    joined = "&".join(f"{percent(k)}={percent(v)}" for k, v in sorted(params.items()) if k != "Signature")
    digest = hmac.new(f"{secret}&".encode(), f"POST&%2F&{percent(joined)}".encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()
