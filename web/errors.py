"""Errors for two readers: people get a Chinese page with the next step, programs application/problem+json (RFC 9457)."""

from __future__ import annotations

import json
from typing import Any

import structlog
from flask import Flask, Response, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from rules.errors import RuleBroken

log = structlog.get_logger()

TITLES = {
    400: "请求不完整",
    401: "请先登录",
    403: "不能打开",
    404: "没有找到",
    405: "不支持这样操作",
    413: "内容太大",
    429: "太频繁了",
    500: "出了点问题",
    503: "暂时不可用",
}
NEXT = {
    400: "请返回上一页重新填写。",
    404: "链接可能过期了,请回到聊天里重新打开。",
    405: "请回到聊天里重新打开。",
    413: "一次最多9张照片、每张不超过5 MB,请减少后再传。",
    500: "内容没有丢,请稍后再试;急事请直接打电话。",
    503: "请稍后再试;急事请直接打电话。",
}
TITLES_EN = {
    400: "Bad request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    413: "Content too large",
    415: "Unsupported media type",
    500: "Internal error",
    503: "Unavailable",
}


class Refused(Exception):
    """A request that a person must be told about, with the sentence that says what to do."""

    def __init__(self, status: int, message_zh: str) -> None:
        super().__init__(message_zh)
        self.status, self.message_zh = status, message_zh


class Problem(Exception):
    """An API error. `parameter` names the query or path parameter that is wrong."""

    def __init__(self, status: int, detail: str, *, parameter: str = "", headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.parameter, self.headers = status, detail, parameter, headers or {}


def problem_json(status: int, detail: str, *, parameter: str = "", headers: dict[str, str] | None = None) -> Response:
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": TITLES_EN.get(status, "Error"),
        "status": status,
        "detail": detail,
    }
    if parameter:
        body["parameter"] = parameter
    answer = Response(json.dumps(body, ensure_ascii=False), status=status, mimetype="application/problem+json")
    answer.headers.update(headers or {})
    return answer


def register(app: Flask) -> None:
    @app.errorhandler(Problem)
    def problem(error: Problem) -> ResponseReturnValue:
        return problem_json(error.status, error.detail, parameter=error.parameter, headers=error.headers)

    @app.errorhandler(Refused)
    def refused(error: Refused) -> ResponseReturnValue:
        return answer(error.status, error.message_zh)

    @app.errorhandler(RuleBroken)
    def rule_broken(error: RuleBroken) -> ResponseReturnValue:
        return answer(409, error.message_zh)

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> ResponseReturnValue:
        status = error.code or 500
        if status < 400:
            return error
        allow = {"Allow": ", ".join(error.valid_methods or ())} if hasattr(error, "valid_methods") else {}
        return answer(status, error.description or "", headers=allow)

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> ResponseReturnValue:
        log.error("request.failed", endpoint=request.endpoint, method=request.method, exc_info=error)
        return answer(500, "")


def answer(status: int, words: str, *, headers: dict[str, str] | None = None) -> ResponseReturnValue:
    """The error in the form its reader expects."""
    if request.path.startswith("/api/"):
        detail = words or f"{TITLES_EN.get(status, 'Error')}. See /api/v1/openapi.json."
        return problem_json(status, detail, headers=headers)
    chinese = words if _is_chinese(words) else NEXT.get(status, "请回到聊天里重新打开。")
    if _by_script():
        return problem_json(status, chinese, headers=headers)
    if not request.path.startswith(("/h5/", "/m/")) and request.path != "/":
        return problem_json(status, f"{TITLES_EN.get(status, 'Error')}.", headers=headers)
    page = render_template("error.html", title=TITLES.get(status, "出了点问题"), message=chinese)
    return Response(page, status=status, mimetype="text/html", headers=headers)


def _is_chinese(words: str) -> bool:
    return any("\u4e00" <= c <= "\u9fff" for c in words)


def _by_script() -> bool:
    return (
        request.is_json or request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"
    )
