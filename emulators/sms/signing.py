"""Request signatures: Aliyun RPC v1 (HMAC-SHA1) and Tencent TC3-HMAC-SHA256."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from urllib.parse import quote


def percent(text: str) -> str:
    """RFC 3986: only A-Za-z0-9-_.~ stay."""
    return quote(text, safe="-_.~")


def aliyun_signature(params: dict[str, str], *, secret: str, method: str) -> str:
    """Base64 HMAC-SHA1 over METHOD&%2F&encoded(sorted parameters), without `Signature` itself."""
    joined = "&".join(f"{percent(k)}={percent(v)}" for k, v in sorted(params.items()) if k != "Signature")
    digest = hmac.new((secret + "&").encode(), f"{method}&%2F&{percent(joined)}".encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def tencent_signature(*, secret: str, host: str, content_type: str, timestamp: int, body: bytes) -> str:
    """Hex TC3-HMAC-SHA256 over content-type and host, service sms."""
    date = datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d")
    canonical = (
        f"POST\n/\n\ncontent-type:{content_type}\nhost:{host}\n\ncontent-type;host\n{hashlib.sha256(body).hexdigest()}"
    )
    scope = f"{date}/sms/tc3_request"
    text = f"TC3-HMAC-SHA256\n{timestamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = ("TC3" + secret).encode()
    for part in (date, "sms", "tc3_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
