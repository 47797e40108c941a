"""No secret in any log line: neither in ours nor in those of libraries, nor in the text of an exception."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.logs import HIDDEN, redact
from storage.database import open_engine

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "line",
    [
        "/cgi-bin/gettoken?corpid=ww1&corpsecret=SECRET",
        "url: /cgi-bin/message/send?access_token=SECRET (Caused by …)",
        "GET /gettoken?appkey=ding&appsecret=SECRET HTTP/1.1",
        'body {"clientId": "ding", "clientSecret": "SECRET"}',
        "wss://wss.dingtalk.com/connect?ticket=SECRET",
        "Authorization: Bearer SECRET",
        "{'x-acs-dingtalk-access-token': 'SECRET'}",
        "postgresql+psycopg://anshao:SECRET@db/anshao",
        "rediss://:SECRET@redis:6379/0",
        "POST /robot/send?access_token=SECRET&timestamp=1&sign=SECRET",
        "/h5/signed-in?code=SECRET&state=x",
        "AWSAccessKeyId=x&Signature=SECRET&Expires=1",
    ],
)
def test_secrets_are_blacked_out(line):
    assert "SECRET" not in redact(line)
    assert HIDDEN in redact(line)


def test_one_of_our_tokens_is_never_shown():
    assert "x" * 30 not in redact("token anshao_" + "x" * 43)


@pytest.mark.parametrize(
    "line", ["inbound.handled", "key", "code 60020", "state=assigned took_ms=12", "card:abc", "YH-0001"]
)
def test_words_of_ours_stay(line):
    assert redact(line) == line


PROGRAM = """
import logging, sys
import structlog
import wiring
from settings import load

wiring.configure_logs(load({"ANSHAO_SECRET_KEY": "s" * 40, "ANSHAO_LOG_LEVEL": "DEBUG"}))
logging.getLogger("some.library").warning("calling %s", "https://x/y?access_token=SECRET1")
logging.getLogger("urllib3.connectionpool").warning("Retrying after …: /gettoken?corpsecret=SECRET2")
try:
    raise RuntimeError("https://x/y?access_token=SECRET3")
except RuntimeError as error:
    structlog.get_logger().error("it.failed", exc_info=error)
    logging.getLogger("other").error("failed", exc_info=True)
structlog.get_logger().info("it.happened", id=7, detail="corpsecret=SECRET4")
"""


def test_a_process_of_ours_logs_no_secret_whoever_writes_the_line():
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, timeout=60)
    said = done.stdout + done.stderr
    assert "SECRET" not in said and done.returncode == 0, said
    assert "calling https://x/y?access_token=***" in said and "RuntimeError" in said
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert [line["event"] for line in lines] == ["it.failed", "it.happened"] and lines[1]["id"] == 7


def test_a_start_names_a_mistyped_setting_and_not_its_value():
    env = {**os.environ, "ANSHAO_WECOM_SECRT": "SECRET5"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60
    )
    assert "SECRET5" not in done.stdout + done.stderr
    first = next(json.loads(line) for line in done.stderr.splitlines() if line.startswith("{"))
    told = (first["event"], first["level"], first["name"], first["did_you_mean"])
    assert told == ("settings.unknown", "warning", "ANSHAO_WECOM_SECRT", "ANSHAO_WECOM_SECRET")


def test_an_error_of_the_database_does_not_quote_what_people_said(database_url):
    engine = open_engine(database_url)
    with engine.connect() as db, pytest.raises(DBAPIError) as failed:
        db.execute(text("INSERT INTO no_such_table VALUES (:said)"), {"said": "张伟说3号泵漏油"})
    assert "张伟" not in str(failed.value)
    engine.dispose()


def test_the_filter_keeps_what_it_need_not_hide(caplog):
    with caplog.at_level(logging.INFO):
        logging.getLogger("a").info("%d rows of %s", 3, "inbox")
    assert "3 rows of inbox" in caplog.text
