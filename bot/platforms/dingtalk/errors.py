"""What each DingTalk error means for the message: the classification as data, and the functions that look it up.

Two generations of errors: the old gateway answers HTTP 200 with a number in `errcode`, the new one HTTP 4xx/5xx with a
word in `code`. Either may answer HTML instead (a ban of our address, a broken gateway).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import requests

from bot.platforms.base import Failure, PlatformError

BAN_S = 300.0
TOKEN = "token"  # not a Failure: the token was refused, fetch a new one and repeat once

_PERMISSION = "到钉钉开发者后台「权限管理」开通{scopes},再发布一次应用版本"
_ADDRESS = "到钉钉开发者后台「安全设置」把服务器的出口 IP 加进白名单"
_SECRET = "核对 ANSHAO_DINGTALK_CLIENT_ID 和 ANSHAO_DINGTALK_CLIENT_SECRET"
_ROBOT = "核对 ANSHAO_DINGTALK_ROBOT_CODE,并在开发者后台确认机器人已启用、应用已发布"
_TEMPLATE = "核对 ANSHAO_DINGTALK_CARD_TEMPLATE_ID,并在卡片平台确认模板已发布(见 docs/dingtalk-card.md)"
_AGENT = "核对 ANSHAO_DINGTALK_AGENT_ID"
_WEBHOOK = "核对群机器人的地址、加签密钥、关键词和 IP 设置"


class Meaning(NamedTuple):
    failure: Failure | str
    wait_s: float = 0.0
    remedy: str = ""


_R, _T, _P, _N = Failure.RETRY, Failure.THROTTLED, Failure.PERMANENT, Failure.NOBODY
_C, _S, _Q, _E, _U = Failure.CONFIG, Failure.SPENT, Failure.QUOTA, Failure.EXPIRED, Failure.UNKNOWN

OLD: dict[int, Meaning] = {
    **dict.fromkeys((40014, 42001, 40001, 33001), Meaning(TOKEN)),
    40089: Meaning(_C, remedy=_SECRET),
    90018: Meaning(_T, 1.0),
    90002: Meaning(_T, 2.0),
    90020: Meaning(_Q),
    **dict.fromkeys((90001, *range(90003, 90018), 45009), Meaning(_T, 5.0)),
    **dict.fromkeys((-1, 15, 88), Meaning(_R)),
    410100: Meaning(_T, 3.0),
    **dict.fromkeys((143103, 143104), Meaning(_T, 60.0)),
    143105: Meaning(_Q),
    143106: Meaning(_P),
    **dict.fromkeys((60011, 50002, 50004), Meaning(_C, remedy=_PERMISSION)),
    60020: Meaning(_C, remedy=_ADDRESS),
    40056: Meaning(_C, remedy=_AGENT),
    **dict.fromkeys((60121, 33012, 40104), Meaning(_N)),
    40078: Meaning(_E),
    300001: Meaning(_E),
    **dict.fromkeys((310000, 400101, 400102, 400106, 300005), Meaning(_C, remedy=_WEBHOOK)),
    400013: Meaning(_N),
    **dict.fromkeys((40035, 400002, 43009, 43004, 60003, 400105, *range(430101, 430105)), Meaning(_P)),
}

NEW: dict[str, Meaning] = {
    "InvalidAuthentication": Meaning(TOKEN),  # HTTP 400, not 401
    "invalidClientIdOrSecret": Meaning(_C, remedy=_SECRET),
    "invalid.client": Meaning(_C, remedy=_SECRET),
    "unauthorized.client": Meaning(_C, remedy=_SECRET),
    "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi": Meaning(_T, 1.0),
    "Forbidden.AccessDenied.QpmLimitForAppkeyAndApi": Meaning(_T, 20.0),
    "Forbidden.AccessDenied.QpsLimitForApi": Meaning(_T, 2.0),
    "Forbidden.AccessDenied.ApiCountLimitForOrg": Meaning(_Q),
    "Forbidden.AccessDenied.AccessTokenPermissionDenied": Meaning(_C, remedy=_PERMISSION),
    "Forbidden.AccessDenied.IpNotInWhiteList": Meaning(_C, remedy=_ADDRESS),
    "send.too.fast": Meaning(_T, 3.0),
    "send.byToken.tooFast": Meaning(_T, 3.0),
    "too.many.people": Meaning(_T, 10.0),
    "too.many.group": Meaning(_T, 10.0),
    "systemBusy": Meaning(_T, 5.0),
    "system.busy": Meaning(_R),
    "system.error": Meaning(_R),
    "session.expired": Meaning(_E),
    "session.notExisted": Meaning(_E),
    "invalidParameter.robotCode.downloadCode": Meaning(_E),
    "processQueryKey.expireTime": Meaning(_E),
    "robot.processQueryKey.expired": Meaning(_E),
    "chatbotId.notAllow.sendOTO": Meaning(_C, remedy=_ROBOT),
    "bot.stopped": Meaning(_C, remedy=_ROBOT),
    "invalidRequest.robotNotExist": Meaning(_C, remedy=_ROBOT),
    "invalidRequest.robotIsStop": Meaning(_C, remedy=_ROBOT),
    "robot.oto.notExist": Meaning(_N),
    "staffId.notExisted": Meaning(_N),
    "param.userIdNotExist": Meaning(_N),
    "group.disbanded": Meaning(_N),
    "invalid.openConversationId": Meaning(_N),
    "param.templateNotExist": Meaning(_C, remedy=_TEMPLATE),
    "param.templateUnpublished": Meaning(_C, remedy=_TEMPLATE),
    "param.cardTemplateIdEmpty": Meaning(_C, remedy=_TEMPLATE),
    "param.cardNotExist": Meaning(_S),
    "todo.taskCreate.lockError": Meaning(_R),
    "todo.taskCreate.flowControlError": Meaning(_T, 2.0),
}

NEW_BY_PREFIX: tuple[tuple[str, Meaning], ...] = (
    ("Forbidden.AccessDenied.QpsLimit", Meaning(_T, 2.0)),
    ("Forbidden.AccessDenied.QpmLimit", Meaning(_T, 20.0)),
    ("Forbidden.AccessDenied.", Meaning(_C, remedy=_PERMISSION)),
    ("invalidParameter.robotCode.", Meaning(_C, remedy=_ROBOT)),
    ("invalidParameter.", Meaning(_P)),
    ("param.", Meaning(_P)),
    ("miss.", Meaning(_P)),
    ("contain.", Meaning(_P)),
)


class DingTalkError(PlatformError):
    """A PlatformError with what this folder still needs of the answer. `detail` is vendor text: never log it."""

    def __init__(self, meaning: Meaning, code: str, *, detail: str = "", request_id: str = "") -> None:
        stale = meaning.failure == TOKEN
        # A token refused twice is not a wrong secret (fetching one would have said so): try again later.
        failure = Failure.RETRY if stale else Failure(meaning.failure)
        super().__init__(failure, code, wait_s=meaning.wait_s, remedy=meaning.remedy)
        self.stale_token, self.detail, self.request_id = stale, detail, request_id


def meaning_of_old(errcode: int) -> Meaning:
    return OLD.get(errcode, Meaning(_P))


def meaning_of_new(code: str, status: int) -> Meaning:
    if code in NEW:
        meaning = NEW[code]
        # "busy" with 429 asks for a pause, with 500 only for another try.
        return Meaning(_T, 5.0) if status == 429 and meaning.failure is Failure.RETRY else meaning
    for prefix, meaning in NEW_BY_PREFIX:
        if code.startswith(prefix):
            return meaning
    return meaning_of_status(status)


def meaning_of_status(status: int) -> Meaning:
    """For an answer whose code we do not know, or that has none."""
    if status == 429:
        return Meaning(_T, 5.0)
    if status >= 500:
        return Meaning(_R)
    if status in (401, 403):
        return Meaning(_C, remedy=_PERMISSION)
    return Meaning(_P)


def old_error(body: dict[str, Any]) -> DingTalkError | None:
    """The error in an answer of the old gateway, None when it tells success.

    Code 88 is the gateway's envelope: what happened stands in a sub code, spelled either way, or only in the text.
    """
    if is_ban(body):
        return ban()
    try:
        code = int(body.get("errcode", 0))
    except (TypeError, ValueError):
        return DingTalkError(Meaning(_R), "errcode_unreadable")
    if code == 0:
        return None
    text = str(body.get("errmsg") or "")
    shown, meaning = str(code), meaning_of_old(code)
    if code == 88:
        sub = str(body.get("sub_code") or body.get("subCode") or "")
        if sub.isdecimal() and int(sub) in OLD:
            shown, meaning = f"88.{sub}", OLD[int(sub)]
        elif "access_token" in text:
            meaning = Meaning(TOKEN)
    return DingTalkError(_named(meaning, body), shown, detail=text, request_id=str(body.get("request_id") or ""))


def new_error(status: int, body: dict[str, Any], *, request_id: str = "") -> DingTalkError:
    """The error in a 4xx/5xx answer of the new gateway; `requestid` and `requestId` both occur."""
    if is_ban(body):
        return ban()
    code = str(body.get("code") or "")
    seen = str(body.get("requestid") or body.get("requestId") or request_id)
    meaning = _named(meaning_of_new(code, status), body)
    return DingTalkError(meaning, code or str(status), detail=str(body.get("message") or ""), request_id=seen)


def html_error(status: int) -> DingTalkError:
    """An answer that is no JSON: from a broken gateway (5xx), else the page that a banned address gets."""
    return DingTalkError(meaning_of_status(status), f"html_{status}") if status >= 500 else ban()


def ban() -> DingTalkError:
    return DingTalkError(Meaning(_T, BAN_S), "banned")


def is_ban(body: dict[str, Any]) -> bool:
    return str(body.get("status")) == "1111" and body.get("punish") is not None


def transport_error(error: requests.RequestException) -> DingTalkError:
    """Never connected: nothing arrived. Anything later: it may have."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return DingTalkError(Meaning(_R), "connect_timeout")
    if isinstance(error, requests.exceptions.Timeout):
        return DingTalkError(Meaning(_U), "read_timeout")
    if isinstance(error, requests.exceptions.ConnectionError):
        refused = "NewConnectionError" in str(error) or "NameResolutionError" in str(error)
        return DingTalkError(Meaning(_R), "not_connected") if refused else DingTalkError(Meaning(_U), "cut")
    return DingTalkError(Meaning(_U), type(error).__name__)


def safe_to_repeat(error: DingTalkError) -> DingTalkError:
    """For calls that change nothing when made twice: "perhaps" becomes "again"."""
    if error.failure is Failure.UNKNOWN:
        error.failure = Failure.RETRY
    return error


def _named(meaning: Meaning, body: dict[str, Any]) -> Meaning:
    """Put the scopes that are missing into the remedy."""
    if "{scopes}" not in meaning.remedy:
        return meaning
    detail = body.get("accessdenieddetail") or body.get("accessDeniedDetail") or {}
    scopes = detail.get("requiredScopes") if isinstance(detail, dict) else None
    names = "、".join(str(s) for s in scopes) if isinstance(scopes, list) else ""
    return meaning._replace(remedy=meaning.remedy.format(scopes=f"权限 {names}" if names else "这个接口的权限"))
