"""Everything is built here, once a process: database, wake-ups, platforms, connectors, flows, clock."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import redis
import requests
import structlog
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.retry import Retry
from sqlalchemy import Engine

from bot import logs
from bot.platforms.base import Platform
from bot.platforms.http import session
from bot.router import Router
from cards.words import use_zone
from connectors.sms import AliyunSms, SmsAccount, TencentSms
from connectors.speech import Chain, SpeechAccount
from connectors.speech import build as build_speech
from connectors.training import Training, TrainingAccount
from connectors.video import BadHook, VideoDuty
from connectors.video import load as load_video_hook
from connectors.weather import QWeather, WeatherAccount
from handlers import budgets as budget_flow
from handlers import deliveries as delivery_flow
from handlers import help as help_flow
from handlers import meters, moments, people, policies, query, risk, roster, small_talk, still_needed, todo
from handlers.hazard import buttons, first, major, rectify, report
from handlers.knowledge import ask, ear, review, tell
from handlers.permit import flow as permit
from handlers.roll_call import talk as roll_call
from jobs import fall_back, hotwords
from jobs.context import Services, SmsSender
from jobs.queue import RqKicker
from rules import hazard as hazard_rules
from settings import Settings, SettingsError, robots_of, unknown_names
from storage.database import open_engine
from storage.media import open_store
from tools import embedded
from web.media import picture_url

FLOWS = (
    roll_call.flow,  # a leader's order to evacuate goes before the words of danger in it
    first.flow,
    query.flow,
    todo.flow,
    major.flow,
    meters.flow,
    risk.flow,
    permit.flow,
    moments.flow,
    policies.flow,
    roster.flow,
    budget_flow.flow,
    delivery_flow.flow,
    help_flow.flow,
    small_talk.flow,
    rectify.flow,
    review.flow,
    tell.flow,
    ask.flow,
    report.flow,
    buttons.flow,
)


def utc_now() -> datetime:
    return datetime.now(UTC)


def build(
    settings: Settings,
    *,
    clock: Callable[[], datetime] = utc_now,
    http: Callable[[], requests.Session] = session,
    redis_client: Any = None,
    kick: Any = None,
) -> Services:
    """The services of one process. `http` makes one requests session a platform; tests mount emulators on them."""
    configure_logs(settings)
    use_zone(settings.zone)
    people.use_admins(settings.admins)
    ear.use_vectors(settings.search_vectors_dir)
    client = redis_client if redis_client is not None else open_redis(settings)
    engine = open_engine(settings.database_url)
    return Services(
        engine=engine,
        clock=clock,
        platforms=_platforms(settings, clock=clock, http=http, client=client),
        router=Router(FLOWS, help=help_flow.not_understood),
        media=open_store(settings.media_root_url, s3_endpoint=settings.s3_endpoint or None),
        kick=kick if kick is not None else RqKicker(client),
        zone=settings.zone,
        public_url=settings.public_url,
        redis=client,
        sms=_sms(settings, clock=clock, http=http),
        speech=_speech(settings, engine=engine, clock=clock, http=http),
        training=_training(settings, http=http),
        weather=_weather(settings, http=http),
        video=_video(settings),
        fall_back=fall_back.next_channel,
        no_longer=still_needed.no_longer,
        settings=settings,
    )


def open_redis(settings: Settings, *, patient: bool = False) -> redis.Redis:
    """Redis by its URL, or the data folder's embedded server when none is given.

    A web process retries nothing: a dead Redis may slow a callback by one time-out, never hold it, and what could not
    be kicked is found by the scheduler. A worker is patient: it has nothing to do without Redis anyway.
    """
    return redis.Redis.from_url(
        settings.redis_url or embedded.url(settings.data_dir),
        socket_timeout=20,
        socket_connect_timeout=2,
        health_check_interval=30,
        retry=Retry(ExponentialBackoff(cap=2.0), 5) if patient else Retry(NoBackoff(), 0),
    )


def first_aid(text: str) -> str:
    """The line for words of imminent danger, answered by the callback itself; "" for anything else."""
    line = hazard_rules.emergency(text)
    return line.line_zh if line is not None else ""


def _platforms(
    settings: Settings, *, clock: Callable[[], datetime], http: Callable[[], requests.Session], client: Any
) -> dict[str, Platform]:
    pictures = partial(picture_url, settings.secret_key.get_secret_value(), settings.public_url, clock=clock)
    platforms: dict[str, Platform] = {}
    if settings.has_wecom:
        from bot.platforms.wecom import WeCom, WeComConfig
        from bot.platforms.wecom.config import GroupRobot as WeComRobot

        platforms["wecom"] = WeCom(
            WeComConfig(
                corp_id=settings.wecom_corp_id,
                agent_id=settings.wecom_agent_id,
                secret=settings.wecom_secret.get_secret_value(),
                token=settings.wecom_token.get_secret_value(),
                aes_key=settings.wecom_aes_key.get_secret_value(),
                api_base=settings.wecom_api_base,
                oauth_base=settings.wecom_oauth_base,
                datum=settings.datum_of_locations,
                plant_name=settings.plant_name,
                accounts=settings.wecom_accounts,
                bot_token=settings.wecom_bot_token.get_secret_value(),
                bot_aes_key=settings.wecom_bot_aes_key.get_secret_value(),
                group_robots=tuple(WeComRobot(*robot) for robot in robots_of(settings.wecom_group_robots)),
            ),
            redis=client,
            http=http(),
            clock=clock,
            public_url=settings.public_url,
            picture_url=pictures,
        )
    if settings.has_dingtalk:
        from bot.platforms.dingtalk import DingTalk, DingTalkConfig
        from bot.platforms.dingtalk.config import GroupRobot as DingTalkRobot

        platforms["dingtalk"] = DingTalk(
            DingTalkConfig(
                corp_id=settings.dingtalk_corp_id,
                client_id=settings.dingtalk_client_id,
                client_secret=settings.dingtalk_client_secret.get_secret_value(),
                agent_id=settings.dingtalk_agent_id,
                robot_code=settings.robot_code,
                event_token=settings.dingtalk_event_token.get_secret_value(),
                event_aes_key=settings.dingtalk_event_aes_key.get_secret_value(),
                api_base=settings.dingtalk_api_base,
                oapi_base=settings.dingtalk_oapi_base,
                card_template_id=settings.dingtalk_card_template_id,
                js_signature=settings.dingtalk_js_signature,
                mode=settings.dingtalk_mode,
                tasks_page="/h5/todo",
                todo_creator=settings.dingtalk_todo_creator,
                group_robots=tuple(
                    DingTalkRobot(name, *given.split(maxsplit=1))
                    for name, given in robots_of(settings.dingtalk_group_robots)
                ),
                month_calls=settings.dingtalk_month_calls,
                month_messages=settings.dingtalk_month_messages,
            ),
            redis=client,
            http=http(),
            clock=clock,
            public_url=settings.public_url,
            picture_url=pictures,
        )
    return platforms


def _sms(
    settings: Settings, *, clock: Callable[[], datetime], http: Callable[[], requests.Session]
) -> SmsSender | None:
    if settings.sms_provider == "none":
        return None
    account = SmsAccount(
        key_id=settings.sms_access_key_id,
        key_secret=settings.sms_access_key_secret.get_secret_value(),
        sign_name=settings.sms_sign_name,
        template=settings.sms_template_code,
        app_id=settings.sms_app_id,
        endpoint=settings.sms_endpoint,
    )
    kind = AliyunSms if settings.sms_provider == "aliyun" else TencentSms
    return kind(account, http(), clock)


def _speech(
    settings: Settings, *, engine: Engine, clock: Callable[[], datetime], http: Callable[[], requests.Session]
) -> Chain | None:
    account = SpeechAccount(
        providers=settings.speech_provider,
        key_id=settings.speech_access_key_id,
        key_secret=settings.speech_access_key_secret.get_secret_value(),
        app_key=settings.speech_app_key,
        engine=settings.speech_engine,
        endpoint=settings.speech_endpoint,
        token_endpoint=settings.speech_token_endpoint,
        model_dir=settings.speech_model_dir,
    )
    return build_speech(account, http(), clock=clock, hot_words=hotwords.of_plant(engine, clock))


def _training(settings: Settings, *, http: Callable[[], requests.Session]) -> Training | None:
    if not settings.training_url:
        return None
    return Training(TrainingAccount(settings.training_url, settings.training_token.get_secret_value()), http())


def _video(settings: Settings) -> VideoDuty | None:
    if not settings.video_hook:
        return None
    try:
        return load_video_hook(settings.video_hook)
    except BadHook as error:
        raise SettingsError(f"ANSHAO_VIDEO_HOOK: {error}; name an importable factory or leave it empty") from error


def _weather(settings: Settings, *, http: Callable[[], requests.Session]) -> QWeather | None:
    if settings.weather_provider == "none":
        return None
    return QWeather(WeatherAccount(settings.weather_api_base, settings.weather_key.get_secret_value()), http())


def configure_logs(settings: Settings) -> None:
    """One JSON line an event, ids only; the SDKs' own chatter is kept to warnings."""
    level = getattr(logging, settings.log_level)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logs.guard_handlers(*logging.getLogger().handlers)
    for noisy in ("wechatpy", "dingtalk", "rq"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # its warnings quote whole addresses, with the tokens in them
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # it tells every moment with more callers than threads
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            logs.processor,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # what a command prints is its answer («flask token create NAME» > file); the log goes beside it
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    for name, likely in unknown_names():  # ignored, and said so: a mistyped name would switch something off in silence
        structlog.get_logger().warning("settings.unknown", name=name, did_you_mean=likely or None)
