"""A download address is the platform's word, not ours: one that leads into the plant's network is not opened."""

from __future__ import annotations

import pytest

from bot.platforms.base import Failure, PlatformError
from bot.platforms.dingtalk import DingTalk


@pytest.mark.parametrize(
    ("url", "code"),
    [("http://localhost:6379/", "port"), ("file:///etc/passwd", "scheme"), ("http://u:p@a.test/", "user")],
)
def test_an_inner_address_is_refused_for_good(dingtalk: DingTalk, url: str, code: str) -> None:
    with pytest.raises(PlatformError) as refused:
        dingtalk.api.fetch_bytes(url)
    assert (refused.value.failure, refused.value.code) == (Failure.PERMANENT, f"download_{code}")
