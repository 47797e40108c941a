"""Shapes of lists and pages that training systems give."""

from __future__ import annotations

import json

import pytest
import requests
from flask import Flask, Response, request

from connectors.errors import OutsideError
from connectors.training import Training, TrainingAccount
from emulators.wsgi import WsgiAdapter

ROWS = [{"person": f"p{n}"} for n in range(5)]


def pulled(view, *, path="/list", tags=None):
    """What is pulled from a system that answers by `view(page)`."""
    app = Flask("system")
    app.add_url_rule("/list", view_func=lambda: view(int(request.args.get("page", 1))))
    http = requests.Session()
    http.mount("http://system.test", WsgiAdapter(app))
    return Training(TrainingAccount(f"http://system.test{path}"), http).pull(tags)


def answer(body, **headers):
    return Response(json.dumps(body), mimetype="application/json", headers=headers)


@pytest.mark.parametrize(
    "wrapped", [lambda rows: rows, lambda rows: {"data": {"records": rows}}, lambda rows: {"rows": rows}]
)
def test_one_page_however_it_is_wrapped(wrapped):
    assert pulled(lambda page: answer(wrapped(ROWS))).rows == ROWS


def test_pages_by_next_address():
    found = pulled(
        lambda page: answer({"items": ROWS[page - 1 : page], "next": f"?page={page + 1}" if page < 5 else None})
    )
    assert (found.rows, found.pages) == (ROWS, 5)


def test_pages_by_link_header():
    def view(page):
        more = {"Link": f'</list?page={page + 1}>; rel="next"'} if page < 3 else {}
        return answer(ROWS[2 * page - 2 : 2 * page], **more)

    assert pulled(view).rows == ROWS


def test_pages_by_total():
    found = pulled(lambda page: answer({"total": 5, "items": ROWS[2 * page - 2 : 2 * page]}), path="/list?dept=1")
    assert (found.rows, found.pages) == (ROWS, 3)


def test_tags_are_kept_only_when_every_page_has_one():
    assert pulled(lambda page: answer(ROWS, ETag='"a"')).tags == {"http://system.test/list": '"a"'}
    half = pulled(lambda page: answer({"items": ROWS, "next": "?page=2"}, ETag='"a"') if page == 1 else answer(ROWS))
    assert half.tags == {}


@pytest.mark.parametrize(
    ("view", "code"),
    [
        (lambda page: answer({"items": ROWS, "next": "/list"}), "endless_pages"),
        (lambda page: answer({"total": 9, "items": []}), "pages_missing"),
        (lambda page: answer({"message": "hello"}), "no_list"),
        (lambda page: answer("hello"), "no_list"),
        (lambda page: Response("<html>"), "not_json"),
        (lambda page: answer({"items": ROWS, "next": "http://elsewhere.test/"}), "page_elsewhere"),
        (lambda page: Response(status=403), "HTTP 403"),
        (lambda page: answer([0] * 60_000), "too_many_rows"),
    ],
)
def test_what_is_no_whole_list_is_refused(view, code):
    with pytest.raises(OutsideError) as raised:
        pulled(view)
    assert raised.value.code == code
