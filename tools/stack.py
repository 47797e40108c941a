"""The whole product with real processes: emulators, app, workers, scheduler, embedded database and Redis."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import requests

from emulators.demo_plant import SMS_TEMPLATE, demo_plant, demo_secrets
from settings import load
from tools import embedded, plant_files, processes
from tools.alone import FREE_WITHIN_S, HOST, StackError, alone, require_free_ports

ROOT = Path(__file__).resolve().parents[1]
THREADS = 16
# An answer below this is sent when its thread is done. With waitress's own 1 a thread sends at once, and while it waits to
# go on, the main loop sees bytes that it may not touch and asks for them again and again, hundreds of times a callback.
SEND_BYTES = 18_000
WAITRESS = ("--threads", str(THREADS), "--send-bytes", str(SEND_BYTES))
READY_WITHIN_S = 60.0
BOUND_WITHIN_S = 60.0
WEATHER_KEY = "demo"  # the one emulators/__main__.py gives its weather service


def _bot_settings(bot: dict[str, Any] | None) -> dict[str, str]:
    """The 智能机器人 of the groups; a demo folder from before it has none."""
    return {"ANSHAO_WECOM_BOT_TOKEN": bot["token"], "ANSHAO_WECOM_BOT_AES_KEY": bot["aes_key"]} if bot else {}


def _weather_settings(phones: str) -> dict[str, str]:
    return {
        "ANSHAO_WEATHER_PROVIDER": "qweather",
        "ANSHAO_WEATHER_API_BASE": f"{phones}/weather",
        "ANSHAO_WEATHER_KEY": WEATHER_KEY,
    }


def http() -> requests.Session:
    """A session that never goes through a proxy of the environment."""
    session = requests.Session()
    session.trust_env = False
    return session


@dataclass
class Stack:
    """A running stack. `note` is called with what happens while it starts."""

    folder: Path
    app_port: int
    phones_port: int
    note: Callable[[str], None] = lambda _line: None
    weather: bool = False  # the emulated weather service is asked; without it people are
    plant: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def app_url(self) -> str:
        return f"http://{HOST}:{self.app_port}"

    @property
    def phones_url(self) -> str:
        return f"http://{HOST}:{self.phones_port}"

    # -- before the processes

    def prepare(self, redis_url: str) -> None:
        """Secrets, plant file and settings; the same secrets at every start of one folder."""
        (self.folder / "logs").mkdir(parents=True, exist_ok=True)
        secrets = self._secrets()
        self.plant = demo_plant(public_url=self.app_url, secrets=secrets)
        _write_private(self.folder / "plant.json", json.dumps(self.plant, ensure_ascii=False, indent=1))
        self.environment = self._settings(secrets, redis_url)

    def _secrets(self) -> dict[str, Any]:
        path = self.folder / "secrets.json"
        if not path.exists():
            _write_private(path, json.dumps({"app": os.urandom(32).hex(), **demo_secrets()}, indent=1))
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found

    def _settings(self, secrets: dict[str, Any], redis_url: str) -> dict[str, str]:
        wecom, ding, sms = self.plant["wecom"], self.plant["dingtalk"], self.plant["sms"]
        phones = self.phones_url
        return {
            "ANSHAO_DEMO": "true",
            "ANSHAO_PLANT_NAME": self.plant["name"],
            "ANSHAO_DATA_DIR": str(self.folder),
            "ANSHAO_DATABASE_URL": f"sqlite:///{self.folder / 'anshao.db'}",
            "ANSHAO_REDIS_URL": redis_url,
            "ANSHAO_MEDIA_URL": (self.folder / "media").as_uri(),
            "ANSHAO_PUBLIC_URL": self.app_url,
            "ANSHAO_SECRET_KEY": secrets["app"],
            "ANSHAO_ADMINS": "wecom:ZhouMin",
            "ANSHAO_WECOM_CORP_ID": wecom["corp_id"],
            "ANSHAO_WECOM_AGENT_ID": str(wecom["agent_id"]),
            "ANSHAO_WECOM_SECRET": wecom["secret"],
            "ANSHAO_WECOM_TOKEN": wecom["token"],
            "ANSHAO_WECOM_AES_KEY": wecom["aes_key"],
            **_bot_settings(wecom.get("bot")),
            "ANSHAO_WECOM_API_BASE": f"{phones}/wecom",
            "ANSHAO_WECOM_OAUTH_BASE": f"{phones}/wecom",
            "ANSHAO_PHONES_URL": f"{phones}/",
            "ANSHAO_WECOM_JS_URL": f"{phones}/wecom/_phone/jssdk.js",
            "ANSHAO_DINGTALK_JS_URL": f"{phones}/phone/dd.js",
            "ANSHAO_DINGTALK_CORP_ID": ding["corp_id"],
            "ANSHAO_DINGTALK_CLIENT_ID": ding["client_id"],
            "ANSHAO_DINGTALK_CLIENT_SECRET": ding["client_secret"],
            "ANSHAO_DINGTALK_AGENT_ID": str(ding["agent_id"]),
            "ANSHAO_DINGTALK_ROBOT_CODE": ding["robot_code"],
            "ANSHAO_DINGTALK_EVENT_TOKEN": ding["event_token"],
            "ANSHAO_DINGTALK_EVENT_AES_KEY": ding["event_aes_key"],
            "ANSHAO_DINGTALK_CARD_TEMPLATE_ID": ding["card_template_id"],
            "ANSHAO_DINGTALK_API_BASE": f"{phones}/dingtalk/api",
            "ANSHAO_DINGTALK_OAPI_BASE": f"{phones}/dingtalk/oapi",
            "ANSHAO_SMS_PROVIDER": "aliyun",
            "ANSHAO_SMS_ACCESS_KEY_ID": sms["access_key_id"],
            "ANSHAO_SMS_ACCESS_KEY_SECRET": sms["access_key_secret"],
            "ANSHAO_SMS_SIGN_NAME": sms["sign_names"][0],
            "ANSHAO_SMS_TEMPLATE_CODE": SMS_TEMPLATE,
            "ANSHAO_SMS_ENDPOINT": f"{phones}/sms/",
            "ANSHAO_TRAINING_URL": f"{phones}/training/api/certificates",
            "ANSHAO_TRAINING_TOKEN": self.plant["training"]["token"],
            "ANSHAO_SPEECH_PROVIDER": "tencent",
            "ANSHAO_SPEECH_ACCESS_KEY_ID": sms["access_key_id"],
            "ANSHAO_SPEECH_ACCESS_KEY_SECRET": sms["access_key_secret"],
            "ANSHAO_SPEECH_ENDPOINT": f"{phones}/speech/",
            **(_weather_settings(phones) if self.weather else {}),
        }

    def _child_environment(self) -> dict[str, str]:
        """Ours without the settings of another installation."""
        ours = {k: v for k, v in os.environ.items() if not k.startswith("ANSHAO_") and k != "FLASK_APP"}
        return ours | self.environment | {"FLASK_APP": "app", "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}

    def write_env_file(self, path: Path) -> None:
        """The settings as shell assignments, for `./anshao run`; readable by us only."""
        lines = [f"# settings of the running demo, gone when it stops\n# pid {os.getpid()}"]
        lines += [f"{name}={shlex.quote(value)}" for name, value in self.environment.items()]
        _write_private(path, "\n".join(lines) + "\n")

    # -- processes

    def flask(self, *arguments: str) -> str:
        """Run one of the product's own commands; returns what it printed. Raises StackError with its last lines."""
        command = [sys.executable, "-m", "flask", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self._child_environment(), capture_output=True, text=True)
        if done.returncode != 0:
            said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
            raise StackError(f"flask {' '.join(arguments)} failed (code {done.returncode}):\n{said}")
        return done.stdout

    def start(self, name: str, *command: str) -> None:
        with (self.folder / "logs" / f"{name}.log").open("wb") as out:
            self.children[name] = processes.start(
                [sys.executable, *command],
                cwd=ROOT,
                env=self._child_environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    def start_emulators(self) -> None:
        plant, port = str(self.folder / "plant.json"), str(self.phones_port)
        self.start("emulators", "-m", "emulators", "--plant", plant, "--port", port, "--app-url", self.app_url)

    def start_product(self) -> None:
        listen = f"{HOST}:{self.app_port}"
        self.start("app", "-m", "waitress", "--listen", listen, *WAITRESS, "--call", "app:create_app")
        self.start("worker", "worker.py")

    def check_children(self) -> None:
        """Raises StackError when one has died, with its last words."""
        for name, child in self.children.items():
            code = child.poll()
            if code is not None:
                raise StackError(f"{name} stopped (code {code}):\n{self.last_words(name)}")

    def last_words(self, name: str, lines: int = 15) -> str:
        text = (self.folder / "logs" / f"{name}.log").read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.strip().splitlines()[-lines:])

    def wait_until(self, what: str, probe: Callable[[], bool], *, within_s: float = READY_WITHIN_S) -> None:
        """Poll until `probe` says yes. Raises StackError when a child dies or the time is over."""
        end, last = monotonic() + within_s, ""
        while True:
            self.check_children()
            try:
                if probe():
                    return
            except requests.RequestException as error:
                last = type(error).__name__
            if monotonic() > end:
                raise StackError(f"{what}: not within {within_s:.0f} s {last}; see {self.folder}/logs")
            sleep(0.05)

    def stop(self) -> None:
        """Workers and app first, so that what they still send finds the emulators there; all within 5 s."""
        product = [child for name, child in self.children.items() if name != "emulators"]
        processes.stop(product, within_s=3.5)
        processes.stop([child for name, child in self.children.items() if name == "emulators"], within_s=1.0)
        self.children.clear()


@contextmanager
def running(
    folder: Path,
    *,
    app_port: int,
    phones_port: int,
    note: Callable[[str], None] = lambda _line: None,
    weather: bool = False,
) -> Iterator[Stack]:
    """Start everything in `folder`, give the ready stack, stop everything. Raises StackError."""
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    stack = Stack(folder, app_port, phones_port, note, weather)
    with alone(folder):
        # what a killed run left behind needs a moment; a first run need not wait
        require_free_ports(app_port, phones_port, within_s=FREE_WITHIN_S if (folder / "secrets.json").exists() else 0.0)
        with embedded.valkey(folder) as redis_url:
            try:
                stack.prepare(redis_url)
                _start_everything(stack)
                yield stack
            finally:
                stack.stop()


def _start_everything(stack: Stack) -> None:
    stack.note("starting the emulated platforms … 启动平台模拟器")
    stack.start_emulators()
    stack.note("preparing the database … 准备数据库")
    with Console(stack) as console:
        console.run("db", "upgrade")
        stack.note("starting app, workers and scheduler … 启动应用、任务与调度")
        stack.start_product()
        stack.note("importing the plant … 导入工厂资料")
        for command, path in plant_files.write(stack.plant, stack.folder / "plant").items():
            console.run(command, str(path))
        client = http()
        stack.wait_until("emulators", lambda: client.get(f"{stack.phones_url}/wecom/_phone/people", timeout=2).ok)
        stack.wait_until("app", lambda: client.get(f"{stack.app_url}/readyz", timeout=2).ok)
        stack.note("saving callbacks, creating menus, binding groups … 保存回调、创建菜单、绑定群")
        saved = client.post(f"{stack.phones_url}/wecom/_phone/save_callback", json={}, timeout=20)
        if not saved.ok:
            raise StackError(f"WeCom refused the callback address: {saved.json().get('reason')}")
        console.set_menus()
    for group in stack.plant["groups"]:
        if group["platform"] == "dingtalk":
            _bind(stack, client, group)


class Console:
    """The product's own commands in this process: a process for each would cost a second and a half of imports."""

    def __init__(self, stack: Stack) -> None:
        import wiring
        from app import create_app

        settings = load(stack.environment | {"ANSHAO_LOG_LEVEL": "WARNING"})
        self.services = wiring.build(settings)
        self.runner = create_app(settings, services=self.services).test_cli_runner()

    def __enter__(self) -> Console:
        return self

    def __exit__(self, *_: object) -> None:
        self.services.engine.dispose()

    def run(self, *arguments: str) -> None:
        """One command, as `flask …` would run it. Raises StackError with what it said."""
        result = self.runner.invoke(args=list(arguments))
        if result.exit_code != 0:
            said = f"{result.output.strip()}\n{result.exception or ''}".strip()
            raise StackError(f"flask {' '.join(arguments)} failed (code {result.exit_code}):\n{said}")

    def set_menus(self) -> None:
        """The menu and quick entries, and the address that card presses go to."""
        for platform in self.services.platforms.values():
            platform.set_menu()


def _bind(stack: Stack, client: requests.Session, group: dict[str, Any]) -> None:
    """A safety officer of the group @-s the bot: «绑定 储运车间»."""
    workshop = group["title"].removesuffix("安全群")
    officers = {p["dingtalk"] for p in stack.plant["people"] if p["role"] == "safety_officer"}
    speaker = next(user for user in group["members"] if user in officers)
    phone = f"{stack.phones_url}/dingtalk/_phone/{speaker}"
    after = client.get(f"{phone}/screen", timeout=5).json()["seq"]
    said = {"text": f"绑定 {workshop}", "group": group["id"], "at_bot": True}
    client.post(f"{phone}/say", json=said, timeout=10).raise_for_status()

    def answered() -> bool:
        items = client.get(f"{phone}/screen", params={"after": after}, timeout=5).json()["items"]
        return any("已绑定" in item["text"] and workshop in item["text"] for item in items)

    stack.wait_until(f"the bot's answer to «绑定 {workshop}»", answered, within_s=BOUND_WITHIN_S)


def _write_private(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    temporary.replace(path)
