"""`flask doctor`: tries everything the installation needs, and says what to do where something is missing."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests

from bot.platforms.base import PlatformError, remedy_for
from cards.images.text import OWN
from jobs.context import Services
from settings import unknown_names
from storage import schema
from storage.media import MediaUnavailable
from tools import doctor_outside as outside
from tools.finding import Finding

CLOCK_LIMIT_S = 60.0  # platforms refuse signatures that are older than minutes
NEEDED = "隐患整改前后位置时间编号°㎡"


def examine(services: Services) -> Iterator[Finding]:
    """Each check as it is done; nothing raises."""
    yield _settings()
    yield _database(services)
    yield _trail(services)
    yield _redis(services)
    yield _media(services)
    yield _fonts()
    yield _clock(services)
    yield _people(services)
    if not services.platforms:
        yield Finding("平台", False, "企业微信和钉钉都没有配置:设置 ANSHAO_WECOM_* 或 ANSHAO_DINGTALK_*")
    for platform in services.platforms.values():
        try:
            for what, ok, remedy in platform.check():
                yield Finding(what, ok, remedy)
        except PlatformError as error:
            yield Finding(f"{platform.title}:检查", False, remedy_for(error))
        except Exception as error:  # e.g. Redis, which keeps the platforms' tokens
            yield Finding(f"{platform.title}:检查", False, f"没能检查({type(error).__name__}):先处理上面的问题")
    yield from _each("对外地址", lambda: outside.callbacks(services, _session()))
    yield from _each("企业微信:菜单", lambda: outside.wecom(services))
    yield from _each("钉钉:卡片模板能用", lambda: outside.dingtalk(services))
    yield from _each("工作进程", lambda: outside.processes(services))
    yield from _each("培训系统", lambda: outside.training(services))
    yield from _each("天气", lambda: outside.weather(services))
    yield from _each("语音转文字", lambda: outside.speech(services))
    yield from _each("语义模型", lambda: outside.vectors(services))
    if services.sms is None:
        yield Finding("短信", True, "没有配置(可以不配):一级隐患不会发短信")


def _session() -> requests.Session:
    return requests.Session()


def _each(what: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """The findings of one check; one that breaks is itself a finding, and the others go on."""
    try:
        yield from check()
    except Exception as error:
        yield Finding(what, False, f"没能检查({type(error).__name__}):先处理上面的问题,再运行一次")


def _settings() -> Finding:
    """Variables that read like a setting and are none: a mistyped name is ignored, and what it was for is off."""
    unknown = unknown_names()
    mistyped = [f"{name} 不认识,是不是 {likely}?" for name, likely in unknown if likely]
    if mistyped:
        return Finding("设置的名字", False, ";".join(mistyped) + "改好后重启")
    strange = "、".join(name for name, _ in unknown)
    return Finding("设置的名字", True, f"{strange} 不是安哨的设置,没有使用(名单见 docs/settings.md)" if strange else "")


def _database(services: Services) -> Finding:
    name = f"数据库({services.engine.dialect.name})"
    try:
        if schema.is_usable(services.engine):
            return Finding(name, True)
    except Exception as error:
        return Finding(name, False, f"连不上({type(error).__name__}):检查 ANSHAO_DATABASE_URL 和数据库是否在运行")
    return Finding(name, False, "表结构不是这个版本的:运行 flask --app app db upgrade")


def _trail(services: Services) -> Finding:
    """The database's own guards of the trail, which an administrator of the database can take away."""
    try:
        with services.new_work(read_only=True) as work:
            missing = work.trail.guards_missing()
    except Exception as error:
        return Finding("留痕保护", False, f"没能检查({type(error).__name__}):先修好数据库")
    remedy = "数据库里禁止改、删留痕的触发器不见了:查明是谁停掉的,再运行 flask --app app db upgrade 装回"
    return Finding("留痕保护", not missing, remedy if missing else "")


def _redis(services: Services) -> Finding:
    try:
        services.redis.ping()
    except Exception as error:
        return Finding("Redis", False, f"连不上({type(error).__name__}):检查 ANSHAO_REDIS_URL 和 Redis 是否在运行")
    return Finding("Redis", True)


def _media(services: Services) -> Finding:
    try:
        services.media.check()
    except MediaUnavailable as error:
        return Finding("照片存储", False, f"不能写入({error}):检查 ANSHAO_MEDIA_URL、权限和磁盘空间")
    return Finding("照片存储", True)


def _fonts() -> Finding:
    from PIL import ImageFont

    try:
        font = ImageFont.truetype(str(OWN), 24)
    except OSError:
        return Finding("图片字体", False, f"缺少 {OWN.name}:重新安装程序文件")
    blank = bytes(font.getmask("\uffff"))
    missing = [c for c in NEEDED if not unicodedata.category(c).startswith("Z") and bytes(font.getmask(c)) == blank]
    return Finding("图片字体", not missing, f"字体里没有:{''.join(missing)}" if missing else "")


def _clock(services: Services) -> Finding:
    """Our clock against that of the platforms (any answer carries their time)."""
    bases = [_base(services, name) for name in services.platforms]
    for base in [b for b in bases if b]:
        try:
            with requests.Session() as http:
                told = http.head(base, timeout=5, allow_redirects=False).headers.get("Date", "")
            theirs = parsedate_to_datetime(told)
        except (requests.RequestException, ValueError, TypeError):
            continue
        off_s = (datetime.now(UTC) - theirs).total_seconds()
        if abs(off_s) > CLOCK_LIMIT_S:
            return Finding("时钟", False, f"本机时间差了{off_s:+.0f}秒,签名会被拒绝:打开系统的时间同步(NTP)")
        return Finding("时钟", True)
    if not bases:
        return Finding("时钟", True, "没有平台可以对时,未比较")
    return Finding("时钟", False, "平台的地址都连不上,没法对时:检查网络和代理")


def _base(services: Services, platform: str) -> str:
    return str(getattr(services.settings, f"{platform}_api_base", ""))


def _people(services: Services) -> Finding:
    try:
        with services.new_work(read_only=True) as work:
            people, areas = work.people.count(), len(work.plant.areas())
    except Exception:
        return Finding("人员和区域", False, "读不到:先修好数据库")
    if people and areas:
        return Finding(f"人员{people}人、区域{areas}个", True)
    return Finding(
        f"人员{people}人、区域{areas}个", False, "用 flask import-areas、import-equipment、import-people 导入"
    )


def table(findings: Sequence[Finding]) -> str:
    """The findings as a table that lines up also with Chinese characters."""
    width = max((_width(f.what) for f in findings), default=0)
    lines = [f"{'✓' if f.ok else '✗'} {f.what}{' ' * (width - _width(f.what))}  {f.remedy}".rstrip() for f in findings]
    return "\n".join(lines)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def all_good(findings: Sequence[Any]) -> bool:
    return all(finding.ok for finding in findings)
