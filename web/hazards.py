"""`/h5/hazards/<number>`: the whole case, and the same steps as the buttons in chat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time
from functools import partial

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bot.turn import Fetched
from cards import treatment
from cards.images import qr_png
from cards.words import local, place_of
from handlers.hazard import actions, from_page, taking
from handlers.hazard.actions.treating import MAX_WORDS as MAX_TREATMENT
from handlers.hazard.from_page import WEB
from rules import text as words
from rules.errors import RuleBroken
from rules.hazard.evidence import FIVE_FIXES
from rules.terms import Grade
from storage.models import Hazard, Person
from storage.unit_of_work import UnitOfWork
from web.context import WebContext
from web.errors import Refused
from web.hazard_view import view
from web.headers import MAX_UPLOAD_BYTES
from web.media import picture_url
from web.session import csrf_token, needs_person, visitor

UPLOADS = frozenset({"submit", "more"})
MAX_REASON = 300
GONE = "没有找到这条隐患,请核对编号或回到聊天里重新打开。"


@dataclass(frozen=True, slots=True)
class Sent:
    """What a form of the page sent."""

    form: dict[str, str]
    photos: tuple[Fetched, ...] = ()
    refused: tuple[str, ...] = ()

    def words(self, name: str, ask: str, *, limit: int = MAX_REASON) -> str:
        """A text that must be there. Raises RuleBroken with the sentence that asks for it."""
        text = " ".join(self.form.get(name, "").split()) if limit == MAX_REASON else self.form.get(name, "").strip()
        if not text:
            raise RuleBroken("words", ask)
        return text[:limit]


class Refusal(str):
    """The step was not taken, but what came with it is kept."""

    __slots__ = ()


Do = Callable[[WebContext, UnitOfWork, Hazard, Person, Sent], str]
"""Carries out one step and returns the sentence for the page. Raises RuleBroken."""


def routes(ctx: WebContext) -> Blueprint:
    pages = Blueprint("hazards", __name__)

    @pages.get("/h5/hazards/<number>")
    @needs_person(ctx)
    def case(number: str) -> ResponseReturnValue:
        link = partial(picture_url, ctx.secret_key, ctx.public_url, clock=ctx.clock)
        with ctx.new_work(read_only=True) as work:
            hazard = _find(work, number)
            person = work.people.get(visitor().person_id)
            seen = view(work, hazard, person, link=link, today=ctx.local(work.at))
        return render_template("hazard.html", case=seen, csrf=csrf_token(), max_photos=taking.MAX_PHOTOS)

    @pages.post("/h5/hazards/<number>/<verb>")
    def step(number: str, verb: str) -> ResponseReturnValue:
        if verb in UPLOADS:
            request.max_content_length = MAX_UPLOAD_BYTES  # before anything reads the form
        return take(number, verb)

    @needs_person(ctx)
    def take(number: str, verb: str) -> ResponseReturnValue:
        do = VERBS.get(verb)
        if do is None:
            raise Refused(404, GONE)
        sent = _read(ctx, upload=verb in UPLOADS)
        person_id = visitor().person_id

        def act(work: UnitOfWork) -> tuple[str, str]:
            hazard = work.hazards.get(_find(work, number).id, lock=True)
            try:
                said = do(ctx, work, hazard, work.people.get(person_id), sent)
                return "bad" if isinstance(said, Refusal) else "good", said
            except RuleBroken as broken:
                raise _Told(actions.explain_late_press(work, hazard, verb, broken)) from broken

        try:
            tone, said = ctx.change(act)
        except _Told as told:
            tone, said = "bad", told.words
        for reason in sent.refused:
            flash(f"⚠ {reason}。", "bad")
        flash(said, tone)
        return redirect(url_for("hazards.case", number=number), code=303)

    @pages.get("/h5/hazards/<number>/label")
    @needs_person(ctx)
    def label(number: str) -> ResponseReturnValue:
        """A sheet to print and hang at the place: number, grade, what is wrong, and the way back here as a QR code."""
        with ctx.new_work(read_only=True) as work:
            hazard = _find(work, number)
            facts = {
                "number": hazard.number,
                "grade": Grade(hazard.grade),
                "place": place_of(hazard),
                "description": hazard.description,
                "owner": hazard.owner.name if hazard.owner else "待指定",
                "due": local(hazard.due_at),
            }
        return render_template("label.html", **facts)

    @pages.get("/h5/hazards/<number>/label.png")
    @needs_person(ctx)
    def label_code(number: str) -> ResponseReturnValue:
        with ctx.new_work(read_only=True) as work:
            found = _find(work, number).number
        return qr_png(f"{ctx.public_url}/h5/hazards/{found}"), 200, {"Content-Type": "image/png"}

    return pages


class _Told(Exception):
    """Rolls back and carries the sentence for the person."""

    def __init__(self, words: str) -> None:
        self.words = words


def _find(work: UnitOfWork, number: str) -> Hazard:
    hazard = work.hazards.by_number(number)
    if hazard is None:
        raise Refused(404, GONE)
    return hazard


def _read(ctx: WebContext, *, upload: bool) -> Sent:
    """The form, with its pictures checked and stored before any transaction begins."""
    form = {name: value[: taking.MAX_WORDS] for name, value in request.form.items()}
    if not upload:
        return Sent(form)
    files = [f for f in request.files.getlist("photos") if f.filename]
    refused = [f"一次最多{taking.MAX_PHOTOS}张,多出的没有收"] if len(files) > taking.MAX_PHOTOS else []
    photos = []
    for file in files[: taking.MAX_PHOTOS]:
        row, facts = ctx.keep_photo(file.read())
        if row is None:
            refused.append(str(facts["refused"]).rstrip("。"))
            continue
        with ctx.new_work() as work:
            sha = work.media.add(row).sha256
            work.commit()
        photos.append(Fetched("image", sha, codes=tuple(facts.get("codes", ()))))
    return Sent(form, tuple(photos), tuple(dict.fromkeys(refused)))


# -- the steps


def _confirm(ctx: WebContext, work: UnitOfWork, hazard: Hazard, by: Person, sent: Sent) -> str:
    actions.confirm(work, hazard, by=by, via=WEB)
    return "已确认收到。"


def _start(ctx: WebContext, work: UnitOfWork, hazard: Hazard, by: Person, sent: Sent) -> str:
    actions.start(work, hazard, by=by, via=WEB)
    return "已开始整改。改好后在这里或聊天里提交照片。"


def _submit(ctx: WebContext, work: UnitOfWork, hazard: Hazard, by: Person, sent: Sent) -> str:
    outcome = from_page.proof_sent(
        work, hazard, by=by, photos=sent.photos, words=sent.form.get("words", ""), at=work.at
    )
    return Refusal(outcome.refused_zh) if outcome.refused_zh else "已提交,等验收。"


def _accept(ctx: WebContext, work: UnitOfWork, hazard: Hazard, by: Person, sent: Sent) -> str:
    actions.accept(work, hazard, by=by, via=WEB)
    return "已验收通过,隐患闭环。"


def _reject(ctx: WebContext, work: UnitOfWork, hazard: Hazard, by: Person, sent: Sent) -> str:
    reason = sent.words("reason", "退回要写明原因,请用一句话说明。")
    actions.reject(work, hazard, by=by, reason=reason, via=WEB)
    return "已退回,原因已告诉整改人。"


def _transfer(ctx: WebContext, work: UnitOfWork, hazard: Hazard, by: Person, sent: Sent) -> str:
    chosen = sent.form.get("person", "")
    to = next((p for p in work.people.all_active() if str(p.id) == chosen), None)
    if to is None:
        raise RuleBroken("person", "没有选转给谁,请从名单里选一个人。")
    actions.transfer(work, hazard, by=by, to=to, via=WEB, why=sent.form.get("reason", "").strip()[:MAX_REASON])
    return f"已转给{to.name}。"


def _extend(ctx: WebContext, work: UnitOfWork, hazard: Hazard, by: Person, sent: Sent) -> str:
    try:
        day = datetime.strptime(sent.form.get("until", ""), "%Y-%m-%d").replace(tzinfo=ctx.zone).date()
    except ValueError as error:
        raise RuleBroken("extension_time", "请选延期到哪一天。") from error
    until = datetime.combine(day, time(23, 59), tzinfo=ctx.zone)
    actions.ask_extension(
        work,
        hazard,
        by=by,
        reason=sent.words("reason", "为什么要延期?请写一句话。"),
        measure=sent.words("measure", "延期期间怎么防护还没写,请补充临时措施。"),
        until=until,
        via=WEB,
    )
    return "延期申请已发出,批准前仍按原期限。"


def _grant(ctx: WebContext, work: UnitOfWork, hazard: Hazard, by: Person, sent: Sent) -> str:
    actions.decide_extension(work, hazard, by=by, granted=True, via=WEB)
    return f"已同意延期,新期限{local(hazard.due_at)}。"


def _refuse(ctx: WebContext, work: UnitOfWork, hazard: Hazard, by: Person, sent: Sent) -> str:
    actions.decide_extension(work, hazard, by=by, granted=False, via=WEB)
    return f"已回复不同意,仍按{local(hazard.due_at)}完成。"


def _still(ctx: WebContext, work: UnitOfWork, hazard: Hazard, by: Person, sent: Sent) -> str:
    actions.reopen(work, hazard, by=by, via=WEB)
    return "收到,已升一级重新派单。"


def _grade(ctx: WebContext, work: UnitOfWork, hazard: Hazard, by: Person, sent: Sent) -> str:
    wanted = sent.form.get("grade", "")
    if wanted not in {g.value for g in Grade}:
        raise RuleBroken("grade", "请选一个等级。")
    reason = sent.words("reason", "改等级要写明原因,请用一句话说明。")
    actions.set_grade(work, hazard, by=by, grade=Grade(wanted), reason=reason, via=WEB)
    return f"已改为{Grade(wanted).zh}。"


def _correct(ctx: WebContext, work: UnitOfWork, hazard: Hazard, by: Person, sent: Sent) -> str:
    text = sent.words("description", "请写上正确的描述。", limit=taking.MAX_WORDS)
    if words.content_problem(text, max_chars=taking.MAX_WORDS) is not None:
        raise RuleBroken("words", "没看懂,请用一句话说说哪里有什么问题。")
    actions.correct(work, hazard, by=by, description=text, via=WEB)
    return "描述已更正。"


def _more(ctx: WebContext, work: UnitOfWork, hazard: Hazard, by: Person, sent: Sent) -> str:
    added = from_page.more_photos(work, hazard, by=by, photos=sent.photos, at=work.at)
    if not added:
        raise RuleBroken("photos", "没有收到新的照片,请选照片后再提交。")
    return f"已补充{added}张照片。"


def _withdraw(ctx: WebContext, work: UnitOfWork, hazard: Hazard, by: Person, sent: Sent) -> str:
    actions.withdraw(work, hazard, by=by, via=WEB)
    return "已撤回。"


def _hide(ctx: WebContext, work: UnitOfWork, hazard: Hazard, by: Person, sent: Sent) -> str:
    actions.hide_reporter(work, hazard, by=by, via=WEB)
    return "已改为匿名,以后谁都看不到是您报的。"


def _major(ctx: WebContext, work: UnitOfWork, hazard: Hazard, by: Person, sent: Sent) -> str:
    wanted = sent.form.get("major", "")
    if wanted not in ("yes", "no"):
        raise RuleBroken("major_choice", "请选重大隐患还是一般隐患。")
    reason = sent.words("reason", "核定要写明依据,请用一句话说明。")
    actions.decide_major(work, hazard, by=by, major=wanted == "yes", reason=reason, via=WEB)
    return f"已核定为{'重大' if wanted == 'yes' else '一般'}隐患。"


def _treat(ctx: WebContext, work: UnitOfWork, hazard: Hazard, by: Person, sent: Sent) -> str:
    parts = {part: sent.form.get(part, "") for part in FIVE_FIXES}
    actions.write_treatment(work, hazard, by=by, parts=parts, via=WEB)
    lacks = treatment.missing(hazard)
    return f"已记下,五落实还缺{lacks}。" if lacks else "已记下,五落实已齐。"


def _evaluate(ctx: WebContext, work: UnitOfWork, hazard: Hazard, by: Person, sent: Sent) -> str:
    words_given = sent.words("words", "评估结论还没写,请写明谁评估、怎么查的、隐患消除了没有。", limit=MAX_TREATMENT)
    actions.evaluate(work, hazard, by=by, words=words_given, via=WEB)
    return "治理评估已记下。"


VERBS: dict[str, Do] = {
    "confirm": _confirm,
    "start": _start,
    "submit": _submit,
    "accept": _accept,
    "reject": _reject,
    "transfer": _transfer,
    "extend": _extend,
    "grant": _grant,
    "refuse": _refuse,
    "still": _still,
    "grade": _grade,
    "correct": _correct,
    "more": _more,
    "withdraw": _withdraw,
    "hide": _hide,
    "major": _major,
    "treat": _treat,
    "evaluate": _evaluate,
}
