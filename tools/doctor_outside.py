"""The doctor's checks of what lies outside this machine: our public address, the platforms' settings, our own processes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import requests
from rq import Worker

from bot.platforms.base import PlatformError, remedy_for
from bot.platforms.dingtalk import stream_board
from connectors.errors import OutsideError
from connectors.speech import local as speech_local
from handlers.permit.surroundings import WEATHER
from handlers.permit.surroundings import weather as weather_of
from jobs import certificates
from jobs.context import Services
from jobs.queue import CHAT, DELIVERY, MEDIA
from search import load_embedder
from storage import audit
from tools.finding import Finding

TIMEOUT_S = 5
AUDITOR_SILENT_S = 120.0
NEEDED_QUEUES = {CHAT: "chat", MEDIA: "media", DELIVERY: "delivery"}
# address → answers that only our own program gives to a call without signature
CALLBACKS = {
    "wecom": (("GET", "/wecom/callback", (400, 403)),),
    "dingtalk": (("POST", "/dingtalk/robot", (403,)), ("POST", "/dingtalk/cards", (403,))),
}
BOT_CALLBACK = (("GET", "/wecom/bot", (400, 403)),)  # the 智能机器人 of the groups, where the settings name one


def callbacks(services: Services, http: requests.Session) -> Iterator[Finding]:
    """Whether the configured public address leads to this program, for pages and for each platform's callbacks."""
    base = services.public_url
    https = base.startswith("https://")
    yield Finding("对外地址用 https", https, "" if https else "ANSHAO_PUBLIC_URL 要用 https 域名,手机页面和回调都靠它")
    try:
        answer = http.get(base + "/healthz", timeout=TIMEOUT_S, allow_redirects=False)
        ours = answer.status_code == 200 and answer.json() == {"alive": True}
    except (requests.RequestException, ValueError) as error:
        remedy = (
            f"打不开 {base}/healthz({type(error).__name__}):检查域名解析、证书、防火墙和 nginx;"
            "如果只是本机绕不回自己的外网地址,请用手机流量打开同一地址确认"
        )
        yield Finding("对外地址能打开", False, remedy)
        return
    yield Finding(
        "对外地址能打开", ours, "" if ours else f"{base} 后面不是安哨(HTTP {answer.status_code}):检查 nginx 转发"
    )
    if not ours:
        return
    for name, platform in services.platforms.items():
        if name == "dingtalk" and services.settings.dingtalk_mode == "stream":
            continue
        bot = BOT_CALLBACK if name == "wecom" and services.settings.wecom_bot_token.get_secret_value() else ()
        for method, path, expected in (*CALLBACKS.get(name, ()), *bot):
            yield _callback(http, platform.title, method, base + path, expected)


def _callback(http: requests.Session, title: str, method: str, url: str, expected: tuple[int, ...]) -> Finding:
    what = f"{title}:回调地址 {url.rpartition('/')[2]}"
    try:
        answer = http.request(
            method, url, json={} if method == "POST" else None, timeout=TIMEOUT_S, allow_redirects=False
        )
    except requests.RequestException as error:
        return Finding(what, False, f"打不开 {url}({type(error).__name__}):检查 nginx 是否放行这个路径")
    ok = answer.status_code in expected
    return Finding(what, ok, "" if ok else f"{url} 回答 HTTP {answer.status_code}:检查 nginx 是否原样转发这个路径")


def wecom(services: Services) -> Iterator[Finding]:
    """The trusted IP and the menu: both are asked with one call of the real API."""
    platform: Any = services.platforms.get("wecom")
    if platform is None:
        return
    menu, ip = Finding("企业微信:菜单", True), Finding("企业微信:可信 IP", True)
    try:
        platform.api.get("menu/get", agentid=str(platform.config.agent_id))
    except PlatformError as error:
        if error.code == "46003":
            menu = Finding("企业微信:菜单", False, "还没有菜单:运行 flask --app app set-menu")
        elif error.code == "60020":
            ip = Finding("企业微信:可信 IP", False, error.remedy)
            menu = Finding("企业微信:菜单", False, "先加上可信 IP,再检查一次")
        else:  # the call did not come so far that the address was looked at: not known is not passed
            ip = Finding("企业微信:可信 IP", False, f"没能检查:{remedy_for(error)}")
            menu = Finding("企业微信:菜单", False, f"读不到菜单:{remedy_for(error)}")
    yield ip
    yield menu


def dingtalk(services: Services) -> Iterator[Finding]:
    """Whether the card template exists and is published: a card is made of it and shown to nobody."""
    platform: Any = services.platforms.get("dingtalk")
    if platform is None:
        return
    what = "钉钉:卡片模板能用"
    body = {
        "cardTemplateId": platform.config.card_template_id,
        "outTrackId": f"doctor-{int(services.clock().timestamp())}",
        "cardData": {"cardParamMap": {"title": "doctor"}},
        "callbackType": "STREAM",
        "imRobotOpenSpaceModel": {"supportForward": False},
    }
    try:
        platform.api.call("POST", "/v1.0/card/instances", body, repeatable=True)
    except PlatformError as error:
        template = f"模板没有发布或编号不对(代码 {error.code}):按 docs/dingtalk-card.md 发布模板"
        remedy = remedy_for(error, otherwise=template)
        yield Finding(what, False, remedy)
    else:
        yield Finding(what, True)
    if services.settings.dingtalk_mode == "stream":
        wrong = stream_board.complaint(services.redis, services.clock())
        remedy = f"{wrong}:启动 python worker.py --stream,检查能否访问外网 443 端口" if wrong else ""
        yield Finding("钉钉:Stream 连接", not wrong, remedy)


def processes(services: Services) -> Iterator[Finding]:
    """Whether a worker of each kind and an auditor are running now."""
    names = {name for worker in Worker.all(connection=services.redis) for name in worker.queue_names()}
    missing = [role for queue, role in NEEDED_QUEUES.items() if queue not in names]
    remedy = f"没有在运行:{'、'.join(missing)};运行 python worker.py 或启动对应的系统服务" if missing else ""
    yield Finding("工作进程", not missing, remedy)
    with services.new_work(read_only=True) as work:
        looked = audit.read(work.db, services.clock())
    if looked is None or looked.age_s > AUDITOR_SILENT_S:
        yield Finding("巡检进程", False, "没有在运行:启动 python worker.py --auditor")
        return
    found = sum(looked.open_by_kind.values())
    kinds = "、".join(sorted(looked.open_by_kind))
    yield Finding("巡检进程", not found, f"有{found}个没有解决的问题({kinds}),管理员会收到说明" if found else "")
    if services.settings.heartbeat_url:
        ok = not looked.beat_error
        yield Finding("对外心跳", ok, "" if ok else f"{looked.beat_error}:检查 ANSHAO_HEARTBEAT_URL 和外网")


def training(services: Services) -> Iterator[Finding]:
    """Whether certificates were fetched from the training system the last time they were due."""
    if services.training is None:
        return
    with services.new_work(read_only=True) as work:
        state = work.certificates.sync_state(certificates.SOURCE)
    if state is None or state.last_ok_at is None:
        why = f"({state.last_error})" if state is not None and state.last_error else ""
        yield Finding("培训系统", False, f"还没有取到过证书{why}:运行 flask --app app sync-certificates 看原因")
    elif state.last_error:
        yield Finding("培训系统", False, f"最近一次没取到({state.last_error}):核对地址和令牌,或联系培训系统管理员")
    elif state.facts.get("kept"):
        yield Finding("培训系统", False, f"{state.facts['kept']}张证书在培训系统里不见了,一次太多没有停用:请核对")
    else:
        bad = state.facts.get("bad", 0)
        yield Finding(
            "培训系统", True, f"有{bad}条没收:flask --app app sync-certificates --whole 看原因" if bad else ""
        )


def weather(services: Services) -> Iterator[Finding]:
    """Whether the weather service answers and its observation is fresh enough to count."""
    if services.weather is None:
        return
    with services.new_work(read_only=True) as work:
        state = work.readings.known_source(WEATHER)
        fresh = bool(weather_of(work, services.clock())[0])
    if state is not None and state.last_error:
        yield Finding("天气", False, f"最近一次没取到({state.last_error}):核对 ANSHAO_WEATHER_API_BASE、密钥和外网")
    elif not fresh:
        yield Finding("天气", False, "没有一小时内的天气:启动 python worker.py,导入有边界的区域,几分钟后再检查")
    else:
        yield Finding("天气", True)


_LOCAL_REMEDY = {
    "not_configured": "ANSHAO_SPEECH_MODEL_DIR 没有设置,或不是目录",
    "model_files_missing": "模型目录里没有 model.onnx(或 model.int8.onnx)和 tokens.txt",
    "sherpa_onnx_missing": "没有安装 sherpa-onnx:安装可选依赖 speech",
    "pyav_missing": "没有安装 PyAV:安装可选依赖 speech",
}


def speech(services: Services) -> Iterator[Finding]:
    """Whether voice becomes text: nothing configured is fine, a local model that cannot be loaded is not."""
    if services.speech is None:
        yield Finding("语音转文字", True, "没有配置(可以不配):钉钉自带文字,企业微信的语音只保存录音、请人打字")
        return
    if "local" not in services.settings.speech_provider:
        yield Finding("语音转文字", True)
        return
    try:
        speech_local.check(services.settings.speech_model_dir)
    except OutsideError as error:
        yield Finding("语音转文字:本地模型", False, _LOCAL_REMEDY.get(error.code, error.code))
    else:
        yield Finding("语音转文字:本地模型", True)


def vectors(services: Services) -> Iterator[Finding]:
    """Whether the search has word vectors; none configured is fine."""
    directory = services.settings.search_vectors_dir
    _, status = load_embedder(directory)
    yield Finding("语义模型", status.ready or directory is None, "" if status.ready else status.message)
