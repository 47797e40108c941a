"""API errors as WeCom writes them: HTTP 200, a number to judge by, and a long text nobody should match on."""

from __future__ import annotations

import secrets

TEXTS = {
    -1: "system busy",
    40001: "invalid credential",
    40003: "invalid userid",
    40004: "invalid media type",
    40006: "invalid media size",
    40007: "invalid media_id",
    40008: "invalid message type",
    40009: "invalid image size",
    40011: "invalid video size",
    40013: "invalid corpid",
    40014: "invalid access_token",
    40016: "invalid button count",
    40017: "invalid button type",
    40018: "invalid button name size",
    40019: "invalid button key size",
    40023: "invalid sub button count",
    40029: "invalid code",
    40031: "invalid userid list",
    40032: "invalid userid list size",
    40033: "invalid request character",
    40035: "invalid parameter",
    40050: "invalid chatid",
    40056: "invalid agentid",
    40058: "invalid request parameter",
    40063: "some parameters are empty",
    40093: "invalid jsapi signature",
    40123: "invalid image format",
    41001: "access_token missing",
    41002: "corpid missing",
    41004: "corpsecret missing",
    41011: "agentid missing",
    42001: "access_token expired",
    43001: "require the other http method",
    42014: "invalid response_code",
    42045: "template_card.card_action missing or invalid",
    44001: "empty media data",
    44004: "empty content",
    45001: "media data too big",
    45007: "voice playing time too long",
    45008: "article count exceeds the limit",
    45009: "api freq out of limit",
    45033: "api concurrent out of limit",
    45034: "url without scheme",
    46003: "no menu data",
    46004: "user does not exist",
    48002: "api forbidden",
    50001: "redirect_uri is not a trusted domain",
    60011: "no privilege to access/modify contact/party/agent",
    60020: "not allow to access from your ip",
    60111: "userid not found",
    60123: "invalid party id",
    81013: "user & party & tag all invalid",
    82001: "touser & toparty & totag all empty",
    82002: "invalid party list size",
    82003: "invalid tag list size",
    86001: "invalid chatid",
    86003: "chat is not created by this app",
    86008: "chat member count invalid",
    93000: "invalid webhook url",
    93004: "robot is disabled",
    93008: "robot is not in the group",
    301002: "no privilege on this agent",
    301017: "voice is not amr",
    830002: "media is too big, use Range",
}


class ApiError(Exception):
    """Answered as `{"errcode", "errmsg"}` with HTTP 200."""

    def __init__(self, code: int, detail: str = "") -> None:
        super().__init__(f"{code} {detail}")
        self.code = code
        self.detail = detail


def error_body(error: ApiError, *, ip: str, wrong_json: bool = False) -> dict[str, object]:
    """The JSON of one error; the text varies from call to call as the real one does."""
    text = TEXTS.get(error.code, "request failed")
    if error.detail:
        text = f"{text}: {error.detail}"
    if wrong_json:
        text = f"{text} Warning: wrong json format. "
    hint = secrets.randbelow(10**20)
    return {
        "errcode": error.code,
        "errmsg": f"{text}, hint: [{hint:020d}], from ip: {ip}, "
        f"more info at https://open.work.weixin.qq.com/devtool/query?e={error.code}",
    }
