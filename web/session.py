"""Who is looking: sign-in through the chat platform, the session cookie, and the CSRF token of its forms."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlencode

import structlog
from flask import Blueprint, abort, g, jsonify, redirect, render_template, request, session
from flask.typing import ResponseReturnValue

from bot.platforms.base import PlatformError
from web.context import WebContext
from web.errors import Refused

log = structlog.get_logger()

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])
STATE_LIVES_S = 600
PENDING = 5  # sign-ins one browser may have under way
USER_AGENTS = (("dingtalk", "dingtalk"), ("wecom", "wxwork"), ("wecom", "micromessenger"))
NOT_LISTED = "您还不在本厂安全员名册里,请把工号告诉安全员登记,登记后再打开。"
AGAIN = "登录没有成功,可能是链接用过了或等得太久。请回到聊天里重新打开。"


@dataclass(frozen=True, slots=True)
class Visitor:
    """The signed-in person of this request; `account_id` is the account they signed in with."""

    person_id: int
    account_id: int
    platform: str


def visitor() -> Visitor:
    """The signed-in person. Only inside a view under `needs_person`."""
    return g.visitor


def csrf_token() -> str:
    """The token every form and script of this session must send back."""
    if "csrf" not in session:
        session["csrf"] = secrets.token_urlsafe(24)
    return str(session["csrf"])


def check_csrf() -> None:
    """Refuse a form that this session did not make: another site's, or one left over from another person."""
    given = request.headers.get("X-CSRF-Token") or request.form.get("csrf", "")
    if not hmac.compare_digest(given, str(session.get("csrf", ""))) or not given:
        raise Refused(403, "页面已过期或登录的人换了,请重新打开这个页面再试。")


def needs_person(ctx: WebContext) -> Callable[[View], View]:
    """Views for people the plant knows; others are sent to sign in first. A change needs the CSRF token as well."""

    def wrap(view: View) -> View:
        @wraps(view)
        def checked(*args: Any, **kwargs: Any) -> ResponseReturnValue:
            g.visitor = None if "fresh" in request.args and request.method == "GET" else _visitor(ctx)
            if g.visitor is None:
                return _sign_in_first()
            if request.method not in ("GET", "HEAD"):
                check_csrf()
            return view(*args, **kwargs)

        return checked  # type: ignore[return-value]

    return wrap


def _visitor(ctx: WebContext) -> Visitor | None:
    """The person of the session, as long as the plant still knows them."""
    account_id, signed_in_at = session.get("account"), session.get("at", 0)
    if not account_id or ctx.clock().timestamp() - signed_in_at > ctx.session_for.total_seconds():
        return None
    with ctx.new_work(read_only=True) as work:
        account = work.people.account_by_id(account_id)
        if account is None or account.person is None or not account.person.active:
            return None
        return Visitor(account.person.id, account.id, account.platform)


def _sign_in_first() -> ResponseReturnValue:
    if request.method not in ("GET", "HEAD") or request.is_json:
        raise Refused(401, "登录已过期,请重新打开这个页面。")
    kept = {k: v for k, v in request.args.items(multi=False) if k not in ("fresh", "platform")}
    wanted = request.path + (f"?{urlencode(kept)}" if kept else "")
    hint = {"platform": request.args["platform"]} if "platform" in request.args else {}
    return redirect(f"/h5/sign-in?{urlencode({'next': wanted, **hint})}")


def safe_next(path: str) -> str:
    """Only our own pages may follow a sign-in."""
    if not path.startswith("/h5/") or "\\" in path or any(ord(c) < 32 for c in path):
        return "/h5/todo"
    return path


def new_state(ctx: WebContext, platform: str, follow: str) -> str:
    """A state that this browser alone can use, once, within ten minutes. Short: WeCom takes few characters."""
    state, now = secrets.token_urlsafe(16), int(ctx.clock().timestamp())
    pending = [row for row in session.get("sign_in", []) if now - row[3] < STATE_LIVES_S]
    session["sign_in"] = [*pending, [state, platform, safe_next(follow), now]][-PENDING:]
    return state


def take_state(ctx: WebContext, state: str) -> tuple[str, str]:
    """(platform, next page) of a state given out before; it is used up. Raises Refused."""
    now = ctx.clock().timestamp()
    found = [row for row in session.get("sign_in", []) if hmac.compare_digest(str(row[0]), state)]
    session["sign_in"] = [row for row in session.get("sign_in", []) if row not in found]
    if not found or now - found[0][3] >= STATE_LIVES_S:
        raise Refused(403, AGAIN)
    return str(found[0][1]), str(found[0][2])


def enter(ctx: WebContext, platform: str, code: str) -> None:
    """Turn the platform's single-use code into a session. Raises Refused."""
    try:
        user = ctx.platforms[platform].h5_user(code)
    except PlatformError as error:
        log.warning("page.sign_in_failed", platform=platform, failure=error.failure.value, code=error.code)
        raise Refused(403, AGAIN) from error
    with ctx.new_work(read_only=True) as work:
        account = work.people.account(platform, user) if user else None
        if account is None or account.person is None or not account.person.active:
            raise Refused(403, NOT_LISTED)
        account_id = account.id
    pending = session.get("sign_in", [])
    session.clear()
    session.permanent = True
    session.update(account=account_id, at=int(ctx.clock().timestamp()), sign_in=pending)
    log.info("page.signed_in", platform=platform, account=account_id)


def routes(ctx: WebContext) -> Blueprint:
    pages = Blueprint("session", __name__)

    @pages.get("/h5/sign-in")
    def sign_in() -> ResponseReturnValue:
        follow = safe_next(request.args.get("next", ""))
        platform = _platform(ctx)
        if not platform:
            if not ctx.platforms:
                raise Refused(503, "还没有接通企业微信或钉钉,请联系管理员。")
            links = [
                (p.title, f"/h5/sign-in?{urlencode({'next': follow, 'platform': name})}")
                for name, p in ctx.platforms.items()
            ]
            return render_template("sign_in_choice.html", links=links)
        state = new_state(ctx, platform, follow)
        away = ctx.platforms[platform].sign_in_url(f"{ctx.public_url}/h5/signed-in", state)
        if away:
            return redirect(away)
        here = f"{ctx.public_url}{request.full_path.rstrip('?')}"
        return render_template(
            "sign_in_script.html",
            state=state,
            config=_config(ctx, platform, here),
            platform=platform,
            bridge=ctx.scripts.get(platform, ""),
        )

    @pages.get("/h5/signed-in")
    def signed_in() -> ResponseReturnValue:
        platform, follow = take_state(ctx, request.args.get("state", ""))
        enter(ctx, platform, _code(request.args.get("code", "")))
        return redirect(follow)

    @pages.post("/h5/sign-in/code")
    def code_sent() -> ResponseReturnValue:
        body = request.get_json(silent=True)
        body = body if isinstance(body, dict) else {}
        platform, follow = take_state(ctx, str(body.get("state", "")))
        enter(ctx, platform, _code(str(body.get("code", ""))))
        return jsonify({"next": follow})

    @pages.get("/h5/js-config")
    @needs_person(ctx)
    def js_config() -> ResponseReturnValue:
        """What the bridge needs on the page that asks; its signature covers exactly that address."""
        page = request.args.get("url", "").split("#")[0]
        if not page.startswith(f"{ctx.public_url}/h5/"):
            _bad("url")
        platform = visitor().platform
        answer = jsonify({"platform": platform, "config": _config(ctx, platform, page)})
        answer.headers["Cache-Control"] = "no-store"
        return answer

    return pages


def _bad(name: str) -> NoReturn:
    abort(400, description=f"参数 {name} 不对,请重新打开这个页面。")


def _code(code: str) -> str:
    if not 0 < len(code) <= 512:
        raise Refused(403, AGAIN)
    return code


def _config(ctx: WebContext, platform: str, page: str) -> dict[str, Any]:
    """Empty when the platform cannot be asked now: the page falls back to the browser's own location."""
    if platform not in ctx.platforms:
        return {}
    try:
        return ctx.platforms[platform].js_config(page)
    except PlatformError as error:
        log.warning("page.no_js_config", platform=platform, failure=error.failure.value, code=error.code)
        return {}


def _platform(ctx: WebContext) -> str:
    """The platform whose client shows this page; "" when the person has to say."""
    wanted = request.args.get("platform", "")
    if wanted in ctx.platforms:
        return wanted
    agent = request.headers.get("User-Agent", "").lower()
    for name, sign in USER_AGENTS:
        if sign in agent and name in ctx.platforms:
            return name
    return next(iter(ctx.platforms)) if len(ctx.platforms) == 1 else ""
