"""Settings: all of them documented; a wrong one stops the start, names itself and says what to do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from settings import PREFIX, Settings, SettingsError, load, robots_of, unknown_names

DOCUMENT = Path(__file__).parents[1] / "docs" / "settings.md"
ENOUGH = {"ANSHAO_SECRET_KEY": "k" * 32}
WECOM = {
    "ANSHAO_WECOM_CORP_ID": "ww1",
    "ANSHAO_WECOM_AGENT_ID": "1000002",
    "ANSHAO_WECOM_SECRET": "s",
    "ANSHAO_WECOM_TOKEN": "t",
    "ANSHAO_WECOM_AES_KEY": "a" * 43,
}
DINGTALK = {
    "ANSHAO_DINGTALK_CORP_ID": "ding1",
    "ANSHAO_DINGTALK_CLIENT_ID": "dingclient",
    "ANSHAO_DINGTALK_CLIENT_SECRET": "s",
    "ANSHAO_DINGTALK_CARD_TEMPLATE_ID": "x.schema",
}


def rows() -> dict[str, tuple[str, str]]:
    """name → (default, meaning) of the document's tables."""
    found = {}
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        row = re.fullmatch(r"\| `(ANSHAO_[A-Z0-9_]+)` \| (.+?) \| (.+) \|", line)
        if row:
            assert row[1] not in found, f"{row[1]} stands there twice"
            found[row[1]] = (row[2], row[3])
    return found


def test_every_setting_is_documented():
    ours = {PREFIX + name.upper() for name in Settings.model_fields}
    assert sorted(ours - set(rows())) == []


def test_nothing_is_documented_that_does_not_exist():
    ours = {PREFIX + name.upper() for name in Settings.model_fields}
    assert sorted(set(rows()) - ours) == []


def test_documented_defaults_are_the_real_ones():
    for name, (told, meaning) in rows().items():
        default = Settings.model_fields[name.removeprefix(PREFIX).lower()].default
        plain = default.get_secret_value() if hasattr(default, "get_secret_value") else default
        assert len(meaning) > 10, name
        if told.startswith("`") and told.endswith("`"):
            real = str(plain).lower() if isinstance(plain, bool) else str(plain)
            assert told.strip("`") == real, name
        elif told == "empty":
            assert plain in ("", 0, (), None), name


def test_a_secret_key_is_enough():
    settings = load(ENOUGH)
    assert not settings.has_wecom
    assert not settings.has_dingtalk
    assert settings.media_root_url == (Path("data").absolute() / "media").as_uri()


def test_one_platform_alone_is_a_full_installation():
    assert load(ENOUGH | WECOM).has_wecom
    both = load(ENOUGH | WECOM | DINGTALK)
    assert both.has_dingtalk
    assert both.robot_code == "dingclient"


@pytest.mark.parametrize(
    ("wrong", "names", "remedy"),
    [
        ({"ANSHAO_SECRET_KEY": ""}, "ANSHAO_SECRET_KEY", "openssl rand"),
        ({"ANSHAO_SECRET_KEY": "k" * 15}, "ANSHAO_SECRET_KEY", "32 or more"),
        ({"ANSHAO_DATABASE_URL": "mysql://x"}, "ANSHAO_DATABASE_URL", "postgresql://"),
        ({"ANSHAO_PUBLIC_URL": "anshao.example"}, "ANSHAO_PUBLIC_URL", "https://"),
        ({"ANSHAO_REDIS_URL": "http://127.0.0.1"}, "ANSHAO_REDIS_URL", "redis://"),
        ({"ANSHAO_MEDIA_URL": "ftp://media"}, "ANSHAO_MEDIA_URL", "s3://bucket/prefix"),
        ({"ANSHAO_MEDIA_URL": "file://media"}, "ANSHAO_MEDIA_URL", "file:///absolute/folder"),
        ({"ANSHAO_MEDIA_URL": "s3://"}, "ANSHAO_MEDIA_URL", "s3://bucket/prefix"),
        ({"ANSHAO_TIMEZONE": "Mars/Base"}, "ANSHAO_TIMEZONE", "Asia/Shanghai"),
        ({"ANSHAO_TIMEZONE": "../etc/passwd"}, "ANSHAO_TIMEZONE", "Asia/Shanghai"),
        ({"ANSHAO_ADMINS": "zhang"}, "ANSHAO_ADMINS", "wecom:userid"),
        ({"ANSHAO_ADMINS": "wecom:"}, "ANSHAO_ADMINS", "wecom:userid"),
        ({"ANSHAO_LOG_LEVEL": "LOUD"}, "ANSHAO_LOG_LEVEL", "INFO"),
        ({"ANSHAO_DATUM_OF_LOCATIONS": "bd09"}, "ANSHAO_DATUM_OF_LOCATIONS", "wgs84"),
        ({**WECOM, "ANSHAO_WECOM_AES_KEY": "a" * 42}, "ANSHAO_WECOM_AES_KEY", "43"),
        ({**WECOM, "ANSHAO_WECOM_AES_KEY": "a" * 44}, "ANSHAO_WECOM_AES_KEY", "43"),
        ({**WECOM, "ANSHAO_WECOM_AGENT_ID": "one"}, "ANSHAO_WECOM_AGENT_ID", "integer"),
        ({**WECOM, "ANSHAO_WECOM_SECRET": ""}, "ANSHAO_WECOM_SECRET", "set them all"),
        ({**WECOM, "ANSHAO_WECOM_AGENT_ID": "0"}, "ANSHAO_WECOM_AGENT_ID", "set them all"),
        ({"ANSHAO_WECOM_CORP_ID": "ww1"}, "ANSHAO_WECOM_TOKEN", "none to switch it off"),
        ({**DINGTALK, "ANSHAO_DINGTALK_CARD_TEMPLATE_ID": ""}, "ANSHAO_DINGTALK_CARD_TEMPLATE_ID", "set them all"),
        ({**DINGTALK, "ANSHAO_DINGTALK_MODE": "poll"}, "ANSHAO_DINGTALK_MODE", "stream"),
        ({**DINGTALK, "ANSHAO_DINGTALK_EVENT_AES_KEY": "short"}, "ANSHAO_DINGTALK_EVENT_AES_KEY", "43"),
        ({"ANSHAO_SMS_PROVIDER": "pigeon"}, "ANSHAO_SMS_PROVIDER", "aliyun"),
        ({"ANSHAO_SMS_PROVIDER": "aliyun"}, "ANSHAO_SMS_ACCESS_KEY_ID", "set that to none"),
        (
            {
                "ANSHAO_SMS_PROVIDER": "tencent",
                "ANSHAO_SMS_ACCESS_KEY_ID": "a",
                "ANSHAO_SMS_ACCESS_KEY_SECRET": "b",
                "ANSHAO_SMS_SIGN_NAME": "c",
                "ANSHAO_SMS_TEMPLATE_CODE": "d",
            },
            "ANSHAO_SMS_APP_ID",
            "set that to none",
        ),
    ],
)
def test_a_wrong_value_names_itself_and_its_remedy(wrong: dict[str, str], names: str, remedy: str):
    with pytest.raises(SettingsError) as caught:
        load(ENOUGH | wrong)
    line = next(line for line in str(caught.value).splitlines() if names in line)
    assert remedy in line


def test_all_wrong_values_are_named_at_once():
    with pytest.raises(SettingsError) as caught:
        load({"ANSHAO_DATABASE_URL": "x", "ANSHAO_PUBLIC_URL": "y", "ANSHAO_TIMEZONE": "z"})
    for name in ("ANSHAO_DATABASE_URL", "ANSHAO_PUBLIC_URL", "ANSHAO_TIMEZONE"):
        assert name in str(caught.value)


def test_a_message_never_shows_a_secret():
    secret = "do-not-show-me"
    with pytest.raises(SettingsError) as caught:
        load(ENOUGH | WECOM | {"ANSHAO_WECOM_AES_KEY": secret, "ANSHAO_TIMEZONE": "x"})
    assert secret not in str(caught.value)
    assert secret not in repr(caught.value.__cause__) or caught.value.__suppress_context__
    assert secret not in repr(load(ENOUGH | {"ANSHAO_WECOM_SECRET": ""} | {"ANSHAO_SECRET_KEY": secret * 3}))


def test_a_value_may_lie_in_a_file(tmp_path: Path):
    (tmp_path / "key").write_text("from-a-file-" + "x" * 30 + "\n", encoding="utf-8")
    settings = load({"ANSHAO_SECRET_KEY_FILE": str(tmp_path / "key"), "ANSHAO_SECRET_KEY": "k" * 40})
    assert settings.secret_key.get_secret_value() == "from-a-file-" + "x" * 30


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path):
    with pytest.raises(SettingsError, match=r"ANSHAO_SECRET_KEY_FILE: cannot read .*readable file"):
        load({"ANSHAO_SECRET_KEY_FILE": str(tmp_path / "none")})


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_can_come_from_a_file(name: str, tmp_path: Path):
    """The field named …_FILE is read: a file that is not there is complained about by name."""
    with pytest.raises(SettingsError, match=f"{PREFIX}{name.upper()}_FILE"):
        load(ENOUGH | {f"{PREFIX}{name.upper()}_FILE": str(tmp_path / "none")})


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ("postgresql://u:p@h/db", "postgresql+psycopg://u:p@h/db"),
        ("postgresql+psycopg://u:p@h/db", "postgresql+psycopg://u:p@h/db"),
        ("sqlite:///x.db", "sqlite:///x.db"),
    ],
)
def test_database_addresses(given: str, made: str):
    assert load(ENOUGH | {"ANSHAO_DATABASE_URL": given}).database_url == made


def test_small_conveniences():
    settings: Any = load(
        ENOUGH
        | {"ANSHAO_PUBLIC_URL": "https://a.example/", "ANSHAO_ADMINS": "wecom:A, dingtalk:b,", "ANSHAO_DEMO": "true"}
    )
    assert settings.public_url == "https://a.example"
    assert settings.admins == ("wecom:A", "dingtalk:b")
    assert settings.demo is True
    assert settings.zone.key == "Asia/Shanghai"


def test_group_robots_are_named_and_a_wrong_entry_repeats_no_secret():
    given = "合成安全群=https://oapi.dingtalk.com/robot/send?access_token=t SECs, 储运安全群=https://b"
    assert robots_of(SecretStr(given)) == [
        ("合成安全群", "https://oapi.dingtalk.com/robot/send?access_token=t SECs"), ("储运安全群", "https://b"),
    ]  # fmt: skip
    for wrong in ("secretkey", "a=x,a=y", "=x"):
        with pytest.raises(SettingsError) as told:
            load({"ANSHAO_SECRET_KEY": "s" * 40, "ANSHAO_WECOM_GROUP_ROBOTS": wrong})
        assert "ANSHAO_WECOM_GROUP_ROBOTS" in str(told.value) and "secretkey" not in str(told.value)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({**WECOM, "ANSHAO_WECOM_BOT_TOKEN": "t"}, "ANSHAO_WECOM_BOT_AES_KEY missing"),
        ({**WECOM, "ANSHAO_WECOM_BOT_AES_KEY": "a" * 43}, "ANSHAO_WECOM_BOT_TOKEN missing"),
        ({**WECOM, "ANSHAO_WECOM_BOT_TOKEN": "t", "ANSHAO_WECOM_BOT_AES_KEY": "a" * 42}, "43 characters"),
        ({"ANSHAO_WECOM_BOT_TOKEN": "t", "ANSHAO_WECOM_BOT_AES_KEY": "a" * 43}, "needs the app as well"),
    ],
)
def test_half_a_robot_for_groups_stops_the_start(given: dict[str, str], named: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=named):
        load({**ENOUGH, **given})
    key = tmp_path / "key"
    key.write_text("a" * 43 + "\n")
    whole = load({**ENOUGH, **WECOM, "ANSHAO_WECOM_BOT_TOKEN": "t", "ANSHAO_WECOM_BOT_AES_KEY_FILE": str(key)})
    assert whole.wecom_bot_aes_key.get_secret_value() == "a" * 43


@pytest.mark.parametrize(
    ("name", "likely"),
    [
        ("ANSHAO_WECOM_SECRT", "ANSHAO_WECOM_SECRET"),
        ("ANSHAO_WECOM_SECRETE", "ANSHAO_WECOM_SECRET"),
        ("ANSHAO_WECOM_AESKEY", "ANSHAO_WECOM_AES_KEY"),
        ("ANSHAO_DINGTALK_CLIENT_ID_FLIE", "ANSHAO_DINGTALK_CLIENT_ID_FILE"),
        ("ANSHAO_PUBLIC_ULR", "ANSHAO_PUBLIC_URL"),
        ("ANSHOA_WECOM_SECRET", "ANSHAO_WECOM_SECRET"),
        ("anshao_secret_key", "ANSHAO_SECRET_KEY"),
        ("ANSHAO_COLOUR_OF_THE_ROOF", ""),
    ],
)
def test_a_name_that_is_no_setting_is_told_with_the_one_it_was_meant_to_be(name: str, likely: str) -> None:
    assert unknown_names({name: "v4lue"}) == [(name, likely)]


def test_names_of_settings_files_and_scripts_are_not_told():
    ours = [PREFIX + name.upper() + suffix for name in Settings.model_fields for suffix in ("", "_FILE")]
    scripts = ["PYTHON", "DEMO_PORT", "REQUIRE_BROWSER", "BENCH_READINGS", "BACKUP_KEEP_DAYS"]
    others = ["PATH", "ANSIBLE_CONFIG", "ANDROID_HOME", "ANT_HOME", "XANSHAO_WECOM_SECRET"]
    assert unknown_names(dict.fromkeys([*ours, *(PREFIX + name for name in scripts), *others], "v")) == []


def test_a_start_that_stops_names_the_mistyped_setting_and_no_value():
    given = ENOUGH | WECOM | {"ANSHAO_WECOM_SECRT": "v4lue"}
    del given["ANSHAO_WECOM_SECRET"]
    with pytest.raises(SettingsError) as told:
        load(given)
    assert "ANSHAO_WECOM_SECRT is no setting; did you mean ANSHAO_WECOM_SECRET?" in str(told.value)
    assert "v4lue" not in str(told.value)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("sms_receipts", "vielleicht", "只能填 true 或 false"),
        ("wecom_accounts", "many", "要填整数"),
        ("wecom_accounts", "0", "不能小于 1"),
        ("readings_keep_days", "9999", "不能大于 3650"),
        ("sms_provider", "pigeon", "只能填"),
        ("speech_provider", "ear", "只能填"),
        ("speech_provider", "tencent,aliyun", "只能选一个"),
        ("speech_provider", "local", "没有填"),
        ("redis_url", "127.0.0.1", "开头"),
        ("media_url", "media", "绝对路径"),
        ("public_url", "anshao.example", "开头"),
        ("training_url", "x", "开头"),
        ("heartbeat_url", "x", "开头"),
        ("weather_provider", "qweather", "没有填"),
        ("secret_key", "short", "太短"),
        ("timezone", "Mars", "时区"),
        ("dingtalk_group_robots", "x", "要写成"),
        ("wecom_corp_id", "ww1", "没填"),
        ("secret_key_FILE", "/no/such/file", "读不了"),
    ],
)
def test_what_is_wrong_with_a_setting_is_said_in_chinese_too(name: str, value: str, told: str) -> None:
    key = PREFIX + (name.removesuffix("_FILE").upper() + "_FILE" if name.endswith("_FILE") else name.upper())
    with pytest.raises(SettingsError) as error:
        load({**ENOUGH, key: value})
    (line,) = [line for line in str(error.value).splitlines() if PREFIX in line]
    assert told in line
