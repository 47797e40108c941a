"""The anchor of bench/callback.py: a Flask handler that decrypts, parses and commits one raw row. Nothing else.

`python -m bench.bare_server PORT DATABASE_URL < settings.json`. It serves the same two addresses as the product, with
the same server, the same number of threads and the same database settings.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import threading
from typing import Any

import psycopg
import waitress
from flask import Flask, Response, jsonify, request
from wechatpy.enterprise import parse_message
from wechatpy.enterprise.crypto import WeChatCrypto

from emulators.dingtalk.signing import hmac_sign
from tools.stack import SEND_BYTES, THREADS

CREATE = "CREATE TABLE IF NOT EXISTS raw (id {key}, platform TEXT, key TEXT, payload TEXT, UNIQUE (platform, key))"
INSERT = "INSERT INTO raw (platform, key, payload) VALUES ({0}, {0}, {0}) ON CONFLICT DO NOTHING"


class Raw:
    """One driver connection a thread; one row is one transaction."""

    def __init__(self, url: str) -> None:
        self._lite = url.startswith("sqlite:///")
        self._address = url.removeprefix("sqlite:///") if self._lite else url.replace("+psycopg", "")
        self._of_thread = threading.local()
        key = "INTEGER PRIMARY KEY" if self._lite else "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
        self._connection().execute(CREATE.format(key=key))

    def _connection(self) -> Any:
        found = getattr(self._of_thread, "connection", None)
        if found is None:
            found = self._of_thread.connection = self._open()
        return found

    def _open(self) -> Any:
        if not self._lite:
            return psycopg.connect(self._address, autocommit=True)
        connection = sqlite3.connect(self._address, timeout=15, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        return connection

    def insert(self, platform: str, key: str, payload: dict[str, Any]) -> None:
        values = (platform, key, json.dumps(payload, ensure_ascii=False))
        self._connection().execute(INSERT.format("?" if self._lite else "%s"), values)


def create_app(settings: dict[str, Any], database_url: str) -> Flask:
    app, raw = Flask(__name__), Raw(database_url)
    wecom, dingtalk = settings["wecom"], settings["dingtalk"]
    crypto = WeChatCrypto(wecom["token"], wecom["aes_key"], wecom["corp_id"])

    @app.post("/wecom/callback")
    def from_wecom() -> Response:
        given = request.args
        xml = crypto.decrypt_message(request.data, given["msg_signature"], given["timestamp"], given["nonce"])
        message = parse_message(xml)
        raw.insert("wecom", str(message.id), {"from": message.source, "text": message.content})
        return Response()

    @app.post("/dingtalk/robot")
    def from_dingtalk() -> Response:
        if request.headers["sign"] != hmac_sign(request.headers["timestamp"], dingtalk["client_secret"]):
            return Response(status=403)
        message = request.get_json()
        payload = {"from": message["senderStaffId"], "text": message["text"]["content"]}
        raw.insert("dingtalk", message["msgId"], payload)
        return jsonify({"msgtype": "empty"})

    return app


def main() -> None:
    app = create_app(json.load(sys.stdin), sys.argv[2])
    waitress.serve(app, host="127.0.0.1", port=int(sys.argv[1]), threads=THREADS, send_bytes=SEND_BYTES, _quiet=True)


if __name__ == "__main__":
    main()
