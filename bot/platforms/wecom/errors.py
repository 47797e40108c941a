"""What each WeCom error code means for the message, as data. Codes decide; the words beside them never do."""

from __future__ import annotations

from typing import NamedTuple

from bot.platforms.base import Failure, PlatformError

TOKEN_CODES = frozenset({40001, 40014, 42001})  # fetch a new token and make the call once more
MEDIA_EXPIRED = 40007
TOO_BIG_WITHOUT_RANGE = 830002
CARD_FORMAT_CODES = frozenset({40035, 40058, 40063, 42045})

_SECRET = "核对 ANSHAO_WECOM_CORP_ID 和 ANSHAO_WECOM_SECRET(企业微信后台「应用管理」里复制)"
_AGENT = "核对 ANSHAO_WECOM_AGENT_ID,它要和 ANSHAO_WECOM_SECRET 属于同一个应用"
_ADDRESS = "到企业微信后台该应用的「企业可信IP」,加上服务器的出口 IP"
_RANGE = "到企业微信后台把这些人加进应用的「可见范围」"
_ENABLED = "到企业微信后台确认应用已启用,并有这个接口的权限"
_DOMAIN = "到企业微信后台该应用的「网页授权及JS-SDK」,把 ANSHAO_PUBLIC_URL 的域名设为可信域名"
_ROBOT = "群机器人已被移除或停用:在群里重新添加,并更新它的 key"
_GROUP = "重新建群:这个群不是本应用建的,或已经解散"
_PROXY = "服务器访问企业微信被拦截:检查出口代理和防火墙"
_LICENCE = "到企业微信后台给这些人分配接口许可"


class Meaning(NamedTuple):
    failure: Failure
    wait_s: float = 0.0
    remedy: str = ""


_R, _T, _P, _N = Failure.RETRY, Failure.THROTTLED, Failure.PERMANENT, Failure.NOBODY
_C, _E = Failure.CONFIG, Failure.EXPIRED

MEANINGS: dict[int, Meaning] = {
    -1: Meaning(_R),
    45033: Meaning(_R, 1.0),
    45009: Meaning(_T, 60.0),  # the minute's block; after an hour's or a day's the same answer comes again
    **dict.fromkeys((40001, 40013, 40014, 40091, 41002, 41004, 42001), Meaning(_C, remedy=_SECRET)),
    **dict.fromkeys((40056, 41011, 301002), Meaning(_C, remedy=_AGENT)),
    60020: Meaning(_C, remedy=_ADDRESS),
    **dict.fromkeys((48002, 50003), Meaning(_C, remedy=_ENABLED)),
    50001: Meaning(_C, remedy=_DOMAIN),
    **dict.fromkeys((40003, 46004, 60111), Meaning(_N)),
    **dict.fromkeys((50002, 60011, 60021, 81013, 92000), Meaning(_N, remedy=_RANGE)),
    MEDIA_EXPIRED: Meaning(_E),
    **dict.fromkeys((40029, 42022), Meaning(_E, remedy="重新打开页面")),
    **dict.fromkeys((40050, 86001, 86003, 86008), Meaning(_P, remedy=_GROUP)),
    # a robot that is gone hears nothing however long one waits: what its group was to hear goes to people
    **dict.fromkeys((93000, 93004, 93008), Meaning(_N, remedy=_ROBOT)),
}
UNLICENSED = Meaning(_N, remedy=_LICENCE)


def meaning_of(code: int) -> Meaning:
    """Everything that is not listed will not work by being repeated."""
    return MEANINGS.get(code, Meaning(Failure.PERMANENT))


def meaning_of_status(status: int) -> Meaning:
    """An HTTP error: WeCom answers its own errors with 200, so this is a gateway or a proxy on the way."""
    if status == 504:
        return Meaning(Failure.UNKNOWN)  # it gave up waiting; the service behind it may have done the work
    if status >= 500 or status in (408, 429):
        return Meaning(Failure.RETRY)
    return Meaning(Failure.CONFIG, remedy=_PROXY)


def error_of(code: int) -> PlatformError:
    meaning = meaning_of(code)
    return PlatformError(meaning.failure, str(code), wait_s=meaning.wait_s, remedy=meaning.remedy)


def status_error(status: int) -> PlatformError:
    meaning = meaning_of_status(status)
    return PlatformError(meaning.failure, f"http_{status}", wait_s=meaning.wait_s, remedy=meaning.remedy)
