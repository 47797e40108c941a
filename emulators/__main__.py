"""`python -m emulators --port N --plant plant.json`: WeCom, DingTalk, SMS, speech and the training system on one server.

/wecom, /dingtalk (also /dingtalk/api and /dingtalk/oapi, the two API bases) and /sms; the phones' page at /.
Without --plant a fresh demo plant is made; `--write-plant FILE` keeps it with its secrets.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
from collections.abc import Callable, Iterable
from typing import Any

import requests
import waitress
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from .demo_plant import demo_plant, demo_secrets
from .phone import phone_app
from .sms import SmsEmulator
from .speech import SpeechEmulator
from .training import TrainingEmulator
from .weather import WeatherEmulator
from .wecom import WeComEmulator

Wsgi = Callable[..., Iterable[bytes]]


def build(plant: dict[str, Any], *, base: str) -> tuple[Wsgi, list[Any]]:
    """The WSGI app of everything and the emulators inside it; `base` is the URL the server is reached at."""
    base = base.rstrip("/")
    wecom = WeComEmulator(plant, http=_session(), public_url=f"{base}/wecom")
    sms = SmsEmulator(plant, http=_session(), public_url=f"{base}/sms")
    speech = SpeechEmulator({"app_key": "demo", **plant["sms"]})
    training = TrainingEmulator(plant, public_url=f"{base}/training")
    parts: list[Any] = [wecom, sms]
    mounts: dict[str, Wsgi] = {
        "/wecom": wecom.app.wsgi_app,
        "/sms": sms.app.wsgi_app,
        "/speech": speech.app.wsgi_app,
        "/training": training.app.wsgi_app,
        "/weather": WeatherEmulator("demo").app.wsgi_app,
    }
    if _exists("emulators.dingtalk"):
        from .dingtalk import DingTalkEmulator

        dingtalk = DingTalkEmulator(plant, http=_session(), public_url=f"{base}/dingtalk")
        parts.append(dingtalk)
        for prefix in ("/dingtalk", "/dingtalk/api", "/dingtalk/oapi"):
            mounts[prefix] = dingtalk.app.wsgi_app
    return DispatcherMiddleware(_root(plant, mounts, base=base), mounts), parts


def _session() -> requests.Session:
    """Callbacks go straight to the product, never through a proxy of the environment."""
    session = requests.Session()
    session.trust_env = False
    adapter = requests.adapters.HTTPAdapter(pool_connections=4, pool_maxsize=32)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def _exists(module: str) -> bool:
    """A package with an __init__, not just a folder somebody is about to fill."""
    spec = importlib.util.find_spec(module)
    return spec is not None and spec.origin is not None


def _root(plant: dict[str, Any], mounts: dict[str, Wsgi], *, base: str) -> Wsgi:
    """The phones' page; it asks the emulators through their control APIs."""
    return phone_app(plant, mounts, base=base).wsgi_app


def main() -> None:
    """Parse, build, serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m emulators", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--public-url", help="where phones reach this server (default http://HOST:PORT)")
    parser.add_argument("--app-url", default="http://127.0.0.1:8000", help="where the product is reached")
    parser.add_argument("--plant", help="plant file (JSON)")
    parser.add_argument("--write-plant", help="write the plant that is served to this file")
    parser.add_argument("--stream", action="store_true", help="serve DingTalk's Stream mode too, on a port of its own")
    wish = parser.parse_args()
    if wish.plant:
        with open(wish.plant, encoding="utf-8") as file:
            plant = json.load(file)
    else:
        plant = demo_plant(public_url=wish.app_url, secrets=demo_secrets())
    if wish.write_plant:
        with open(
            os.open(wish.write_plant, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
        ) as out:
            json.dump(plant, out, ensure_ascii=False, indent=1)
    app, parts = build(plant, base=wish.public_url or f"http://{wish.host}:{wish.port}")
    for part in parts:
        if wish.stream and hasattr(part, "start_stream"):
            part.start_stream(0)
    print(f"emulators: http://{wish.host}:{wish.port}", flush=True)
    try:
        waitress.serve(app, host=wish.host, port=wish.port, threads=16, _quiet=True)
    finally:
        for part in parts:
            getattr(part, "close", lambda: None)()


if __name__ == "__main__":
    main()
