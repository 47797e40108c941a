"""Stream mode: a small client of our own that loses nothing it was handed (docs/adr: why not dingtalk-stream).

One thread reads one link. A link that is told to leave, or stays silent, is replaced before it is given up. Frames are
stored durably and then acknowledged, one after another, in the thread that reads them.
"""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from time import monotonic, time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import requests
import structlog
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.sync.client import ClientConnection, connect

from bot.message import Inbound
from bot.outbox import ALARM
from bot.platforms.base import Accept, PlatformError, Target
from bot.platforms.dingtalk.client import read_answer
from bot.platforms.dingtalk.config import DingTalkConfig
from bot.platforms.dingtalk.stream_board import Board
from bot.platforms.dingtalk.stream_frames import SUBSCRIPTIONS, Asks, Frames
from bot.platforms.rates import sending

if TYPE_CHECKING:
    from bot.platforms.dingtalk.platform import DingTalk

log = structlog.get_logger(__name__)

GATEWAY = "/v1.0/gateway/connections/open"
UA = "anshao-stream/1"
MAX_FRAME_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Pace:
    """All times of the client in seconds; tests make them short."""

    quiet: float = 45.0  # without an application frame a link is replaced; websocket pongs prove nothing
    quiet_most: float = (
        55.0  # learned from a server that speaks more seldom; a dead link is replaced within 60 s even so
    )
    linger: float = 30.0  # a replaced link is still read for this long
    stable: float = 30.0  # a link that lived shorter counts as a failed attempt
    back_off_first: float = 1.0
    back_off_most: float = 60.0
    drain: float = 3.0  # at the stop: at most this long for what is on its way
    drain_quiet: float = 0.3
    poll: float = 0.25
    open_timeout: float = 10.0
    board: float = 5.0
    canary: float = 15.0
    canary_most: float = 10.0  # a canary that takes longer has failed


class GatewayRefused(Exception):
    """The gateway gave no ticket; the text is a code for the log."""


class Link:
    """One connection and the thread that reads it."""

    def __init__(self, client: StreamClient, socket: ClientConnection, close: ExitStack) -> None:
        self._client, self._socket, self._closing = client, socket, close
        self.born = self.last_frame = monotonic()
        self.leaving = threading.Event()  # told to leave, or given up by us
        self.give_up_at: float | None = None
        self.gone = threading.Event()
        self._thread = threading.Thread(target=self._read, name="dingtalk-stream-link", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self, timeout: float) -> None:
        self._thread.join(timeout)

    @property
    def silent_s(self) -> float:
        return monotonic() - self.last_frame

    def _read(self) -> None:
        pace, stop = self._client.pace, self._client.stopping
        drain_until: float | None = None
        try:
            while True:
                if stop.is_set() and drain_until is None:
                    drain_until = monotonic() + pace.drain
                if drain_until is not None and monotonic() > drain_until:
                    break
                if self.give_up_at is not None and monotonic() > self.give_up_at:
                    break
                try:
                    text = self._socket.recv(timeout=pace.poll if drain_until is None else pace.drain_quiet)
                except TimeoutError:
                    if drain_until is not None:
                        break  # nothing more is on its way
                    continue
                self._one(text if isinstance(text, str) else text.decode("utf-8", "replace"))
        except ConnectionClosed as closed:
            log.info("dingtalk.stream_closed", code=closed.rcvd.code if closed.rcvd else 1006)
        except Exception as error:
            log.error("dingtalk.stream_link_crashed", exc_info=error)
        finally:
            self._close()
            self.gone.set()
            self._client.changed.set()

    def _one(self, text: str) -> None:
        gap = self.silent_s
        self.last_frame = monotonic()
        self._client.heard(gap)
        answered = self._client.frames.answer(text)
        if answered.ack:
            self._socket.send(answered.ack)
        if answered.not_stored:
            self._client.missed()
        for message, line in answered.first_aid:
            self._client.say(message, line)
        if answered.asks is Asks.LEAVE:
            self.leaving.set()
            self._client.changed.set()

    def _close(self) -> None:
        try:
            self._closing.close()
        except OSError as error:
            log.info("dingtalk.stream_close_failed", error=type(error).__name__)


class Canary:
    """Stores something harmless now and then, the way messages are stored, so that a link that could store nothing is
    known before a message is lost on it. In a thread of its own: a database that hangs must not hold the links."""

    def __init__(self, store: Callable[[], object], pace: Pace) -> None:
        self._store, self._pace = store, pace
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="canary")
        self._pending: Future[object] | None = None
        self._begun, self._well = -math.inf, True

    def sings(self) -> bool:
        """Whether the last one was stored in time; begins the next when it is due. Never waits."""
        now = monotonic()
        if self._pending is not None and self._pending.done():
            error = self._pending.exception()
            self._note(error is None, type(error).__name__)
            self._pending = None
        if self._pending is None and now - self._begun >= self._pace.canary:
            self._begun = now
            self._pending = self._thread.submit(self._store)
        elif self._pending is not None and now - self._begun > self._pace.canary_most:
            self._note(False, "TimeoutError")
        return self._well

    def _note(self, well: bool, error: str) -> None:
        if well is not self._well:
            log.info("dingtalk.stream_canary_well") if well else log.error("dingtalk.stream_canary_failed", error=error)
        self._well = well

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)


class StreamClient:
    """Keeps a link to the gateway until `stop()`. Several processes may run: the platform spreads frames over them.

    `http` is for the gateway call alone; `speak` says a first-aid line by the message's own way back, after the ack.
    """

    def __init__(
        self,
        config: DingTalkConfig,
        *,
        http: requests.Session,
        frames: Frames,
        board: Board,
        speak: Callable[[Target, str, Inbound], object],
        pace: Pace | None = None,
        rng: Callable[[float, float], float] = random.uniform,
        canary: Callable[[], object] | None = None,
    ) -> None:
        self.config, self._http, self.frames, self._board, self._speak = config, http, frames, board, speak
        self.pace, self._rng = pace or Pace(), rng
        self.stopping, self.changed = threading.Event(), threading.Event()
        self._quiet = self.pace.quiet
        self._lock = threading.Lock()
        self._last_frame_at, self._connects, self._frames, self._not_stored = 0.0, 0, 0, 0
        self._state, self._shown_at = "connecting", 0.0
        self._failures, self._voice = 0, ThreadPoolExecutor(2, thread_name_prefix="first-aid")
        self._canary = Canary(canary, self.pace) if canary is not None else None

    # -- called by links

    def heard(self, gap_s: float) -> None:
        """A frame came after this silence. One that came after we had given up teaches us the server's rhythm."""
        with self._lock:
            self._last_frame_at = time()
            self._frames += 1
            if gap_s > self._quiet:
                self._quiet = min(gap_s * 1.25, self.pace.quiet_most)
        self._show()

    def missed(self) -> None:
        """Something could not be stored; it was not acknowledged as done."""
        with self._lock:
            self._not_stored += 1

    def say(self, message: Inbound, line: str) -> None:
        """The first-aid line; the worker says it again with the number, so a failure here is only noted."""

        def send() -> None:
            try:
                self._speak(Target(user=message.sender), line, message)
            except PlatformError as error:
                log.warning("dingtalk.stream_first_aid_failed", key=message.key, code=error.code)

        self._voice.submit(send)

    # -- the life of the process

    def stop(self) -> None:
        """Read what is on its way, acknowledge it, close; `run` returns then."""
        self.stopping.set()
        self.changed.set()

    def run(self) -> None:
        """Until `stop()`."""
        links: list[Link] = []
        while not self.stopping.is_set():
            links = [link for link in links if not link.gone.is_set()]
            current = links[-1] if links else None
            if current is None or current.leaving.is_set() or current.silent_s > self._quiet:
                fresh = self._connect()
                if fresh is not None:
                    self._retire(links)
                    links.append(fresh)
            self._rest(links)
        for link in links:
            link.join(self.pace.drain + self.pace.open_timeout)
        self._voice.shutdown(wait=True)
        if self._canary is not None:
            self._canary.close()
        self._board.remove()
        log.info("dingtalk.stream_stopped", frames=self._frames)

    def _retire(self, links: list[Link]) -> None:
        for link in links:
            if link.give_up_at is None:
                link.give_up_at = monotonic() + self.pace.linger

    def _rest(self, links: list[Link]) -> None:
        """Until something changes, or it is time to look again."""
        if links and not links[-1].gone.is_set() and monotonic() - links[-1].born > self.pace.stable:
            self._failures = 0
        alive = any(not link.gone.is_set() for link in links)
        sick = alive and self._canary is not None and not self._canary.sings()
        standing = "not_storing" if sick else "live"
        self._show(state=standing if alive else "connecting" if self._state in ("live", "not_storing") else None)
        if self.changed.wait(self.pace.poll):
            self.changed.clear()

    def _connect(self) -> Link | None:
        """A new link, after the pause that earlier failures ask for. None when there is none or we are to stop."""
        if self._failures and self.stopping.wait(self._pause()):
            return None
        self._failures += 1  # forgotten once the link has lived for a while: a clean close in a loop must not be hot
        try:
            endpoint, ticket = self._ticket()
            opening = connect(
                f"{endpoint}?ticket={quote(ticket, safe='')}",
                open_timeout=self.pace.open_timeout,
                close_timeout=2,
                max_size=MAX_FRAME_BYTES,
                user_agent_header=UA,
            )
            closing = ExitStack()  # the link's thread leaves it
            socket = closing.enter_context(opening)
        except GatewayRefused as error:
            self._show(state="refused")
            log.error("dingtalk.stream_refused", code=str(error), failures=self._failures)
            return None
        except (requests.RequestException, InvalidHandshake, InvalidURI, OSError, TimeoutError, PlatformError) as error:
            self._show(state="connecting")
            log.warning("dingtalk.stream_not_connected", error=type(error).__name__, failures=self._failures)
            return None
        self._connects += 1
        link = Link(self, socket, closing)
        link.start()
        with self._lock:
            self._last_frame_at = self._last_frame_at or time()
        self._show(state="live")
        log.info("dingtalk.stream_connected", connects=self._connects)
        return link

    def _pause(self) -> float:
        """Seconds before the next attempt: doubling, bounded, and spread so that many processes do not come at once."""
        most = min(self.pace.back_off_most, self.pace.back_off_first * 2.0 ** min(self._failures - 1, 10))
        return self._rng(most / 2, most)

    def _ticket(self) -> tuple[str, str]:
        body: dict[str, Any] = {
            "clientId": self.config.client_id,
            "clientSecret": self.config.client_secret,
            "subscriptions": list(SUBSCRIPTIONS),
            "ua": UA,
        }
        url = self.config.api_base.rstrip("/") + GATEWAY
        answer = self._http.post(url, json=body, timeout=(3.05, 10.0), allow_redirects=False)
        if answer.status_code in (400, 401, 403):
            raise GatewayRefused(str(answer.status_code))
        data = read_answer(answer)
        endpoint, ticket = str(data.get("endpoint") or ""), str(data.get("ticket") or "")
        if not endpoint.startswith(("ws://", "wss://")) or not ticket:
            raise GatewayRefused("no_ticket")
        if not leads_to_dingtalk(endpoint, self.config.api_base):
            raise GatewayRefused("foreign_endpoint")
        return endpoint, ticket

    def _show(self, *, state: str | None = None) -> None:
        """Onto the board: at once when the state changes, else now and then."""
        with self._lock:
            changed = state is not None and state != self._state
            self._state = state or self._state
            if not changed and monotonic() - self._shown_at < self.pace.board:
                return
            self._shown_at = monotonic()
            counts = {"connects": self._connects, "frames": self._frames, "not_stored": self._not_stored}
            shown, last_frame_at = self._state, self._last_frame_at
        self._board.write(state=shown, last_frame_at=last_frame_at, **counts)


def leads_to_dingtalk(endpoint: str, api_base: str) -> bool:
    """Whether the socket's address is DingTalk's own, encrypted; with another API base (a proxy, a test) any is taken."""
    if not (urlsplit(api_base).hostname or "").endswith(".dingtalk.com"):
        return True
    given = urlsplit(endpoint)
    return given.scheme == "wss" and (given.hostname or "").endswith(".dingtalk.com")


def stream_of(
    dingtalk: DingTalk,
    accept: Accept,
    *,
    http: requests.Session,
    redis: Any,
    clock: Callable[[], datetime],
    pace: Pace | None = None,
    canary: Callable[[], object] | None = None,
) -> StreamClient:
    """The client of one installation. `http` is this client's alone; `canary` stores something and raises when it cannot."""

    def speak(to: Target, line: str, message: Inbound) -> object:
        with sending(ALARM):
            return dingtalk.send_text(to, line, key=f"aid-{message.key}", reply_to=message.reply_to)

    frames, board = Frames(dingtalk, accept), Board(redis, clock=clock)
    return StreamClient(dingtalk.config, http=http, frames=frames, board=board, speak=speak, pace=pace, canary=canary)
