"""The plain WSGI in front of the pages: what is answered here, what is passed on, and what bad requests get."""

from __future__ import annotations

import io
from typing import Any

import pytest
import structlog
from werkzeug.test import Client, TestResponse
from werkzeug.wrappers import Response

from bot.platforms.callbacks import MAX_BODY_BYTES, Answer, Asked, Callbacks, refuse

HEADERS = [("X-Content-Type-Options", "nosniff")]


def echo(asked: Asked) -> Answer:
    return Answer(asked.body() + b"|" + asked.query.get("q", "").encode() + b"|" + asked.header("X-Sign").encode())


def wrong(asked: Asked) -> Answer:
    refuse(403, "signature")


def broken(asked: Asked) -> Answer:
    raise RuntimeError("secret words")


@pytest.fixture
def counted() -> list[tuple[str, int]]:
    return []


@pytest.fixture
def client(counted: list[tuple[str, int]]) -> Client:
    routes = {"/a/echo": {"POST": echo}, "/a/wrong": {"GET": wrong, "POST": wrong}, "/b/broken": {"GET": broken}}
    count = lambda platform, status, took_s: counted.append((platform, status))  # noqa: E731
    return Client(Callbacks(routes, Response(b"a page"), headers=HEADERS, counted=count))


def raw(client: Client, **environ: Any) -> TestResponse:
    """A request as a server hands it on, without a client that corrects it."""
    given = {"REQUEST_METHOD": "POST", "PATH_INFO": "/a/echo", "wsgi.input": io.BytesIO(b"12345"), **environ}
    return client.open("/a/echo", method="POST", environ_overrides={"CONTENT_LENGTH": "", **given})


def test_a_callback_is_answered_with_what_goes_with_every_answer(client, counted):
    answer = client.post("/a/echo?q=%E6%BC%8F&q=2", data="油", headers={"X-Sign": "s"})
    assert (answer.status_code, answer.text) == (200, "油|漏|s")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert counted == [("a", 200)]


def test_everything_else_is_passed_on_and_not_counted(client, counted):
    for path in ("/", "/a", "/a/echo/", "/a/echo/more", "/A/ECHO"):
        assert client.post(path).data == b"a page"
    assert counted == []


def test_another_method_is_told_which_are_taken(client, counted):
    answer = client.put("/a/wrong")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, POST")
    assert answer.mimetype == "application/problem+json"
    assert (answer.json["status"], answer.json["title"]) == (405, "Method not allowed")
    assert client.get("/a/echo").status_code == 405
    assert counted == [("a", 405), ("a", 405)]


def test_a_refusal_is_a_problem_document(client, counted):
    answer = client.post("/a/wrong")
    assert (answer.status_code, answer.mimetype) == (403, "application/problem+json")
    assert answer.json["reason"] == "signature"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert counted == [("a", 403)]


def test_what_breaks_is_no_answer_that_counts_as_taken(client, counted):
    with structlog.testing.capture_logs() as logs:
        answer = client.get("/b/broken")
    assert (answer.status_code, answer.mimetype, counted) == (500, "application/problem+json", [("b", 500)])
    assert (answer.json["status"], answer.json["reason"]) == (500, "failed")
    assert [(line["event"], line["path"]) for line in logs] == [("callback.failed", "/b/broken")]


@pytest.mark.parametrize(
    ("environ", "status", "body"),
    [
        ({"CONTENT_LENGTH": "5"}, 200, b"12345||"),
        ({"CONTENT_LENGTH": "3"}, 200, b"123||"),
        ({"CONTENT_LENGTH": "6"}, 400, None),  # the sender hung up
        ({"CONTENT_LENGTH": str(MAX_BODY_BYTES + 1)}, 413, None),
        ({"CONTENT_LENGTH": "x"}, 200, b"||"),
        ({"CONTENT_LENGTH": "-1"}, 200, b"||"),
        ({}, 200, b"||"),  # nobody said how long it is, nor that it ends
        ({"wsgi.input_terminated": True}, 200, b"12345||"),
        ({"wsgi.input_terminated": True, "wsgi.input": io.BytesIO(b"x" * (MAX_BODY_BYTES + 1))}, 413, None),
    ],
)
def test_a_body_is_read_to_its_length_and_never_further(client, environ, status, body):
    answer = raw(client, **environ)
    assert answer.status_code == status
    assert body is None or answer.data == body


@pytest.mark.parametrize("query", ["", "q", "=", "&&&", "q=%ff%fe", "q=" + "&q=".join("1" * 60), "\xff=\xfe"])
def test_no_query_breaks_it(client, query):
    assert raw(client, QUERY_STRING=query).status_code == 200
