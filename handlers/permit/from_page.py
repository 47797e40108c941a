"""A permit's open facts answered on a page: many at once, read exactly as they are read in chat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from handlers.permit import actions, cast, gas_facts, heights, judge, questions
from handlers.permit.judge import Judgement
from handlers.permit.questions import NotUnderstood, Question
from rules.permit import Stage
from storage.models import Permit, Person
from storage.unit_of_work import UnitOfWork

WEB = "web"
HEIGHT = "height_m"  # how high the job is, where somebody works high up beside it: of the permit, no fact of a rule


@dataclass(slots=True)
class Answered:
    """What became of a form: facts set, and a sentence for every answer that could not be read."""

    judged: Judgement
    taken: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def open_questions(work: UnitOfWork, permit: Permit) -> Sequence[Question]:
    """Every fact of the present stage that people still have to say, gates before details. Writes nothing."""
    with work.db.no_autoflush:  # a request's judgement proposes its level on the row; only an answer keeps it
        heights.from_words(permit)
        judged = judge.judge(work, permit)
        remembered = work.place_answers.of(actions.place_key(permit), permit.work)
        height = [Question(HEIGHT, "离地高度", None, False)] if heights.is_open(work, permit, judged) else []
    return [*height, *questions.open_questions(permit, judged, remembered)]


def answer_facts(
    work: UnitOfWork, permit: Permit, *, by: Person, answers: Mapping[str, str], via: str = WEB
) -> Answered:
    """Take the answers that can be read and judge again. Raises RuleBroken for somebody who may not answer.

    `answers`: fact → what was typed or chosen, in the words of the chat («是», «没有», «12»). Only facts that are open
    now are taken, so a form that lay about for an hour overwrites nothing.
    """
    cast.need_answerer(permit, by)
    open_now = {question.fact for question in open_questions(work, permit)}
    facts, wrong, taken = dict(permit.facts), [], []
    for name, text in answers.items():
        if not text.strip():
            continue
        if name not in open_now:
            continue
        if name == HEIGHT:
            if heights.said(permit, text):
                taken.append(name)
            else:
                wrong.append(heights.NOT_HEARD)
            continue
        try:
            facts |= questions.read(name, text, no_meter=not gas_facts.needs_meter(work, permit))
            taken.append(name)
        except NotUnderstood as problem:
            wrong.append(str(problem))
    permit.facts = facts
    heights.from_answers(permit)
    work.flush()
    stage = judge.stage_of(permit)
    judged = judge.judge(work, permit, stage=stage, with_fix=stage is Stage.REQUEST)
    judge.keep(work, permit, judged, cause="answered")
    if taken:
        actions.leave_line(work, permit, "answered", by=by, via=via, why=f"{len(taken)}项", facts=taken)
        if permit.judge_at is not None:
            permit.judge_at = work.at  # a live permit: whoever must be told of the change is told by the judging job
    return Answered(judged, taken, wrong)
