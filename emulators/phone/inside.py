"""Calls to the other emulators' control APIs, in the same process and without a socket."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

from werkzeug.test import EnvironBuilder, run_wsgi_app

Wsgi = Callable[..., Iterable[bytes]]


class Inside:
    """`apps` maps a mount such as "/wecom" to its WSGI app."""

    def __init__(self, apps: Mapping[str, Wsgi]) -> None:
        self.apps = dict(apps)

    def has(self, platform: str) -> bool:
        return f"/{platform}" in self.apps

    def get(self, platform: str, path: str, **query: Any) -> Any:
        """The JSON behind `/_phone/<path>`; None when that platform is not served or answers with an error."""
        return self._call(platform, path, {"query_string": {k: str(v) for k, v in query.items()}})

    def post(self, platform: str, path: str, body: dict[str, Any]) -> Any:
        return self._call(platform, path, {"method": "POST", "json": body})

    def _call(self, platform: str, path: str, wish: dict[str, Any]) -> Any:
        app = self.apps.get(f"/{platform}")
        if app is None:
            return None
        builder = EnvironBuilder(path=f"/_phone/{quote(path)}", base_url=f"http://localhost/{platform}/", **wish)
        try:
            chunks, status, _headers = run_wsgi_app(app, builder.get_environ())
            body = b"".join(chunks)
        finally:
            builder.close()
        return json.loads(body) if status.startswith("200") else None
