"""Every setting of an installation, from the environment (`ANSHAO_*`) or a file named by `ANSHAO_*_FILE`.

A wrong or missing value stops the start: `load()` raises `SettingsError`, whose text names each setting and its remedy.
docs/settings.md lists them; tests/test_settings.py fails when one is missing there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "ANSHAO_"


class SettingsError(Exception):
    """The installation's settings cannot be used; the text says which, why and what to do."""


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    # -- the installation
    database_url: str = "sqlite:///data/anshao.db"
    redis_url: str = ""  # empty: the embedded server under data_dir
    media_url: str = "file:///"  # completed below: file under data_dir
    s3_endpoint: str = ""
    public_url: str = "http://127.0.0.1:8000"
    secret_key: SecretStr = SecretStr("")
    timezone: str = "Asia/Shanghai"
    data_dir: Path = Path("data")
    admins: Annotated[tuple[str, ...], NoDecode] = ()
    plant_name: str = "本厂"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    datum_of_locations: Literal["gcj02", "wgs84"] = "gcj02"
    demo: bool = False
    frugal: Literal["auto", "on", "off"] = "auto"  # bundle notices of yellow hazards; an admin's choice goes before
    inbound_per_minute: int = Field(default=300, ge=10)  # messages of one sender handled in a minute; danger is exempt
    heartbeat_url: str = ""  # the auditor asks for it after every look; an outside service alarms when it stays away
    readings_keep_days: Annotated[int, Field(ge=31, le=3650)] = 400
    readings_config: Path | None = None  # TOML: where gas readings come from (docs/readings.md)

    # -- training and certificates of another system
    training_url: str = ""  # the list to pull; empty: only Excel
    training_token: SecretStr = SecretStr("")
    training_every_min: Annotated[int, Field(ge=1, le=1440)] = 15

    # -- video duty of special-grade hot work
    video_hook: str = ""  # package.module:factory; empty: people confirm the recording

    # -- weather of the plant's place
    weather_provider: Literal["qweather", "none"] = "none"
    weather_api_base: str = ""  # the host QWeather gave the account
    weather_key: SecretStr = SecretStr("")

    # -- WeCom
    wecom_corp_id: str = ""
    wecom_agent_id: int = 0
    wecom_secret: SecretStr = SecretStr("")
    wecom_token: SecretStr = SecretStr("")
    wecom_aes_key: SecretStr = SecretStr("")
    wecom_api_base: str = "https://qyapi.weixin.qq.com"
    wecom_oauth_base: str = "https://open.weixin.qq.com"
    wecom_group_robots: SecretStr = SecretStr("")  # 合成安全群=key,…: groups that have a webhook robot (消息推送)
    wecom_accounts: Annotated[int, Field(ge=1)] = 100  # the corp's limit of accounts: 200 messages a day for each
    wecom_bot_token: SecretStr = SecretStr("")  # the 智能机器人 that answers in groups; both or none
    wecom_bot_aes_key: SecretStr = SecretStr("")
    wecom_js_url: str = "https://res.wx.qq.com/open/js/jweixin-1.2.0.js"
    phones_url: str = ""

    # -- DingTalk
    dingtalk_corp_id: str = ""
    dingtalk_client_id: str = ""
    dingtalk_client_secret: SecretStr = SecretStr("")
    dingtalk_agent_id: int = 0
    dingtalk_robot_code: str = ""  # the client id when empty
    dingtalk_event_token: SecretStr = SecretStr("")
    dingtalk_event_aes_key: SecretStr = SecretStr("")
    dingtalk_mode: Literal["http", "stream"] = "http"
    dingtalk_api_base: str = "https://api.dingtalk.com"
    dingtalk_oapi_base: str = "https://oapi.dingtalk.com"
    dingtalk_card_template_id: str = ""
    dingtalk_js_signature: Literal["sha256", "sha1"] = "sha256"
    dingtalk_todo_creator: str = ""  # user id in whose name to-dos are made
    dingtalk_group_robots: SecretStr = SecretStr(
        ""
    )  # 合成安全群=https://oapi.dingtalk.com/robot/send?access_token=… SEC…
    dingtalk_month_calls: Annotated[int, Field(ge=1)] = 5000  # of the edition the company has
    dingtalk_month_messages: Annotated[int, Field(ge=1)] = 3000
    dingtalk_js_url: str = "https://g.alicdn.com/dingding/dingtalk-jsapi/2.10.3/dingtalk.open.js"

    # -- SMS
    sms_provider: Literal["aliyun", "tencent", "none"] = "none"
    sms_access_key_id: str = ""
    sms_access_key_secret: SecretStr = SecretStr("")
    sms_sign_name: str = ""
    sms_template_code: str = ""
    sms_app_id: str = ""  # Tencent only
    sms_endpoint: str = ""  # the provider's own when empty
    sms_receipts: bool = True  # ask the provider what the operator made of urgent ones

    # -- voice to text
    speech_provider: Annotated[tuple[str, ...], NoDecode] = ()  # none; tencent, aliyun, local; several: tencent,local
    speech_access_key_id: str = ""
    speech_access_key_secret: SecretStr = SecretStr("")
    speech_app_key: str = ""  # Aliyun only: the NLS project
    speech_engine: str = ""  # Tencent only: chosen by the recording when empty
    speech_endpoint: str = ""  # the provider's own when empty
    speech_token_endpoint: str = ""  # Aliyun only
    speech_model_dir: Path | None = None  # local only: a sherpa-onnx model that the admin put there

    # -- knowledge search
    search_vectors_dir: Path | None = None  # word vectors that the admin put there; without them the search works alone

    @field_validator("admins", mode="before")
    @classmethod
    def _split_admins(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        admins = tuple(part.strip() for part in value.split(",") if part.strip())
        for admin in admins:
            platform, _, user = admin.partition(":")
            if platform not in ("wecom", "dingtalk") or not user:
                raise ValueError(
                    f"«{admin}» must read wecom:userid or dingtalk:userid (要写成 wecom:账号 或 dingtalk:账号)"
                )
        return admins

    @field_validator("speech_provider", mode="before")
    @classmethod
    def _split_speech(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        names = tuple(part.strip() for part in value.split(",") if part.strip() and part.strip() != "none")
        wrong = [name for name in names if name not in ("tencent", "aliyun", "local")]
        if wrong or len(set(names)) != len(names):
            raise ValueError(
                "must be none, tencent, aliyun or local; two of them as tencent,local (只能填 none、tencent、aliyun、local)"
            )
        if "tencent" in names and "aliyun" in names:
            raise ValueError(
                "tencent and aliyun cannot be used together; name one of them, and local if you like "
                "(tencent 和 aliyun 只能选一个,可以再加 local)"
            )
        return names

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if value.startswith("postgresql://"):
            value = "postgresql+psycopg://" + value.removeprefix("postgresql://")
        if not value.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("must start with sqlite:/// or postgresql:// (要以 sqlite:/// 或 postgresql:// 开头)")
        return value

    @field_validator("redis_url")
    @classmethod
    def _known_redis(cls, value: str) -> str:
        if value and not value.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError(
                "must start with redis://, rediss:// or unix://; leave it out for the embedded server "
                "(要以 redis://、rediss:// 或 unix:// 开头;不填则用内置的)"
            )
        return value

    @field_validator("media_url")
    @classmethod
    def _known_media(cls, value: str) -> str:
        if not (value.startswith("file:///") or (value.startswith("s3://") and value.removeprefix("s3://").strip("/"))):
            raise ValueError(
                "must be file:///absolute/folder or s3://bucket/prefix (要写成 file:///绝对路径 或 s3://桶/前缀)"
            )
        return value

    @field_validator("public_url", "wecom_api_base", "wecom_oauth_base", "dingtalk_api_base", "dingtalk_oapi_base")
    @classmethod
    def _base_url(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https:// (要以 http:// 或 https:// 开头)")
        return value.rstrip("/")

    @field_validator("training_url", "weather_api_base")
    @classmethod
    def _training_url(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://, or be empty (要以 http:// 或 https:// 开头,或留空)")
        return value

    @field_validator("heartbeat_url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https:// (要以 http:// 或 https:// 开头)")
        return value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(
                "is not a time zone name such as Asia/Shanghai (不是时区名,国内填 Asia/Shanghai)"
            ) from error
        return value

    @field_validator("wecom_aes_key", "wecom_bot_aes_key", "dingtalk_event_aes_key")
    @classmethod
    def _aes_key(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value() and len(value.get_secret_value()) != 43:
            raise ValueError(
                "must have exactly 43 characters; copy it again from the platform's console (要正好 43 个字符,请从平台后台重新复制)"
            )
        return value

    @field_validator("wecom_group_robots", "dingtalk_group_robots")
    @classmethod
    def _named_robots(cls, value: SecretStr) -> SecretStr:
        robots_of(value)
        return value

    @model_validator(mode="after")
    def _complete(self) -> Settings:
        problems: list[str] = []
        if not self.secret_key.get_secret_value():
            problems.append(
                "ANSHAO_SECRET_KEY is missing: set it to 32 or more random characters, e.g. `openssl rand -hex 32` "
                "(没有填:运行 openssl rand -hex 32,把结果填进去)"
            )
        elif len(self.secret_key.get_secret_value()) < 16:
            problems.append(
                "ANSHAO_SECRET_KEY is too short: use 32 or more random characters (太短,至少 32 个随机字符)"
            )
        problems += self._half_set("wecom", ("corp_id", "agent_id", "secret", "token", "aes_key"))
        problems += self._half_set("wecom_bot", ("token", "aes_key"))
        if self.wecom_bot_token.get_secret_value() and not self.has_wecom:
            problems.append(
                "ANSHAO_WECOM_BOT_TOKEN needs the app as well: set ANSHAO_WECOM_CORP_ID and the rest of it "
                "(智能机器人要和自建应用一起用:先填好 ANSHAO_WECOM_CORP_ID 等各项)"
            )
        problems += self._half_set("dingtalk", ("corp_id", "client_id", "client_secret", "card_template_id"))
        if self.sms_provider != "none":
            needed = ["access_key_id", "access_key_secret", "sign_name", "template_code"]
            needed += ["app_id"] if self.sms_provider == "tencent" else []
            missing = [f"ANSHAO_SMS_{n.upper()}" for n in needed if not _plain(getattr(self, f"sms_{n}"))]
            if missing:
                problems.append(
                    f"{', '.join(missing)} missing: ANSHAO_SMS_PROVIDER={self.sms_provider} needs it, or set that to none "
                    "(没有填:补上,或改为 none)"
                )
        problems += self._half_speech()
        if self.weather_provider != "none":
            weather = {"API_BASE": self.weather_api_base, "KEY": self.weather_key.get_secret_value()}
            missing = [f"ANSHAO_WEATHER_{name}" for name, value in weather.items() if not value]
            if missing:
                chosen = f"ANSHAO_WEATHER_PROVIDER={self.weather_provider}"
                problems.append(
                    f"{', '.join(missing)} missing: {chosen} needs it, or set that to none (没有填:补上,或改为 none)"
                )
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _half_set(self, platform: str, names: tuple[str, ...]) -> list[str]:
        values = {f"{PREFIX}{platform.upper()}_{n.upper()}": _plain(getattr(self, f"{platform}_{n}")) for n in names}
        missing = [name for name, value in values.items() if not value]
        if not missing or len(missing) == len(values):
            return []
        return [
            f"{', '.join(missing)} missing: {platform} is half configured; set them all, or none to switch it off (这几项没填:要么全填,要么全空)"
        ]

    def _half_speech(self) -> list[str]:
        needed: list[str] = []
        for name in self.speech_provider:
            needed += ["model_dir"] if name == "local" else ["access_key_id", "access_key_secret"]
            needed += ["app_key"] if name == "aliyun" else []
        missing = [f"ANSHAO_SPEECH_{n.upper()}" for n in needed if not _plain(getattr(self, f"speech_{n}"))]
        if not missing:
            return []
        chosen = ",".join(self.speech_provider)
        return [
            f"{', '.join(missing)} missing: ANSHAO_SPEECH_PROVIDER={chosen} needs it, or set that to none (没有填:补上,或改为 none)"
        ]

    @property
    def has_wecom(self) -> bool:
        return bool(self.wecom_corp_id)

    @property
    def has_dingtalk(self) -> bool:
        return bool(self.dingtalk_client_id)

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def media_root_url(self) -> str:
        """`file:///…/data/media` unless ANSHAO_MEDIA_URL says otherwise."""
        return self.media_url if self.media_url != "file:///" else (self.data_dir / "media").absolute().as_uri()

    @property
    def robot_code(self) -> str:
        return self.dingtalk_robot_code or self.dingtalk_client_id


def robots_of(value: SecretStr) -> list[tuple[str, str]]:
    """(name, what is behind it) of «name=value,name=value». Raises ValueError without repeating a secret."""
    robots = []
    for number, part in enumerate((p.strip() for p in value.get_secret_value().split(",") if p.strip()), 1):
        name, found, rest = part.partition("=")
        if not found or not name.strip() or not rest.strip():
            raise ValueError(
                f"entry {number} must read 群名=key (DingTalk: 群名=address, then a space and the SEC… secret) "
                f"(第{number}个要写成 群名=key;钉钉:群名=地址,空格后接 SEC… 密钥)"
            )
        robots.append((name.strip(), rest.strip()))
    if len({name for name, _ in robots}) < len(robots):
        raise ValueError("two robots have the same name; give each group its own (两个机器人同名,每个群要用自己的名字)")
    return robots


def _plain(value: Any) -> Any:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def load(env: Mapping[str, str] | None = None) -> Settings:
    """Settings from `env` (the process environment when None).

    Raises SettingsError with one line for each wrong setting: its name, what is wrong, what to do.
    """
    given = dict(os.environ if env is None else env)
    values: dict[str, Any] = {}
    for name in Settings.model_fields:
        key = PREFIX + name.upper()
        path = given.get(key + "_FILE")
        if path:
            try:
                values[name] = Path(path).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise SettingsError(
                    f"{key}_FILE: cannot read {path} ({error.strerror}); give a readable file (文件读不了,请检查路径和权限)"
                ) from error
        elif key in given and given[key] != "":
            values[name] = given[key]
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        hints = [
            f"{name} is no setting; did you mean {likely}? (没有这个设置,是不是 {likely}?)"
            for name, likely in unknown_names(given)
            if likely
        ]
        raise SettingsError("\n  ".join([_explain(error), *hints])) from error


# what others read: the entry script, the suites, the backup script
OTHERS = re.compile(r"ANSHAO_(?:PYTHON|DEMO_PORT|REQUIRE_[A-Z_]+|BENCH_[A-Z0-9_]+|BACKUP_[A-Z_]+)")
_OURS_MISTYPED = re.compile(r"AN[A-Z]{2,7}_", re.IGNORECASE)
LIKE = 0.88  # of two names: one or two letters wrong, missing or swapped


def unknown_names(env: Mapping[str, str] | None = None) -> list[tuple[str, str]]:
    """(name, the setting it was probably meant to be or "") of what reads like a setting and is none. Never a value.

    Names of our scripts are left out. Somebody else's name that is not like one of ours has no second part.
    """
    ours = {PREFIX + name.upper() + suffix for name in Settings.model_fields for suffix in ("", "_FILE")}
    found = []
    for name in sorted(os.environ if env is None else env):
        if name in ours or OTHERS.fullmatch(name) or not _OURS_MISTYPED.match(name):
            continue
        likely = next(iter(get_close_matches(name.upper(), sorted(ours), n=1, cutoff=LIKE)), "")
        if likely or name.startswith(PREFIX):
            found.append((name, likely))
    return found


# what the library says of a value in English only, by its name of the error
_ZH = {
    "bool_parsing": "只能填 true 或 false",
    "bool_type": "只能填 true 或 false",
    "int_parsing": "要填整数",
    "int_from_float": "要填整数",
    "float_parsing": "要填数字",
    "literal_error": "只能填 {expected}",
    "greater_than": "要大于 {gt}",
    "greater_than_equal": "不能小于 {ge}",
    "less_than": "要小于 {lt}",
    "less_than_equal": "不能大于 {le}",
}


def _explain(error: ValidationError) -> str:
    lines = []
    for problem in error.errors():
        message = problem["msg"].removeprefix("Value error, ")
        zh = _ZH.get(problem["type"], "").format(**problem.get("ctx", {}))
        message += f" ({zh})" if zh else ""
        where = PREFIX + "_".join(str(p) for p in problem["loc"][:1]).upper() if problem["loc"] else ""
        lines += [f"{where}: {message}" if where else line for line in message.splitlines()]
    return "Settings cannot be used 设置不能用,请改好后重试:\n  " + "\n  ".join(lines)
