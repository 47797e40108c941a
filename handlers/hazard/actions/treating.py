"""A major hazard (重大隐患): who decides that it is one, its five fixes (五落实), the evaluation before it is closed."""

from __future__ import annotations

from collections.abc import Mapping

from cards import treatment
from handlers.hazard import dispatch, proof
from handlers.hazard.actions.assigning import dispatch_anew
from handlers.hazard.actions.steps import check, leave, relations, tell
from rules import hazard as rules
from rules.errors import RuleBroken
from rules.hazard import Action
from rules.hazard.evidence import FIVE_FIXES, FIVE_FIXES_ZH
from rules.hazard.treatment import EVALUATION
from rules.terms import Grade, HazardState
from storage.models import Hazard, HazardTreatment, Person
from storage.unit_of_work import UnitOfWork

MAX_WORDS = 500


def decide_major(work: UnitOfWork, hazard: Hazard, *, by: Person, major: bool, reason: str, via: str) -> None:
    """The authorised person's decision. A major hazard is red; a general one keeps its grade, which is lowered apart."""
    check(work, hazard, Action.DECIDE_MAJOR, by)
    if not reason.strip():
        raise RuleBroken("reason", "核定要写明依据,请在后面加一句原因。")
    if hazard.major is major:
        raise RuleBroken("same_major", f"{hazard.number} 已经核定为{_zh(major)}。")
    raised = major and hazard.grade != Grade.RED.value
    if major:
        rules.check_grade(
            old=Grade(hazard.grade),
            new=Grade.RED,
            state=HazardState(hazard.state),
            relations=relations(work, hazard, by),
            confirms_major=True,
        )
    hazard.major = major
    if raised:
        hazard.grade, hazard.grade_why, hazard.grade_by_id = Grade.RED.value, f"核定为重大隐患:{reason}", by.id
    _judge_again(work, hazard)
    said = f"{_zh(major)}:{reason}"
    last = leave(work, hazard, "major_decided", by=by, via=via, from_state=hazard.state, why=said, major=major)
    if raised:
        dispatch_anew(work, hazard, raised=True, via=via)
    else:
        dispatch.redraw(work, hazard, last)
    if major and hazard.owner is not None and hazard.owner_id != by.id:
        lacks = treatment.missing(hazard)
        ask = f"\n五落实还缺{lacks},请发“五落实 {hazard.number}”补上。" if lacks else ""
        tell(work, hazard, hazard.owner, f"{hazard.number} 已由{by.name}核定为重大隐患:{reason}{ask}", tag="major")


def write_treatment(work: UnitOfWork, hazard: Hazard, *, by: Person, parts: Mapping[str, str], via: str) -> None:
    """Write down some of the five fixes; words that are there already are not written twice."""
    check(work, hazard, Action.TREAT, by)
    _only_major(hazard)
    known = treatment.five_fixes(hazard)
    new = {part: parts[part].strip() for part in FIVE_FIXES if parts.get(part, "").strip()}
    new = {part: words for part, words in new.items() if part not in known or known[part].words != words}
    if not new:
        raise RuleBroken("words", "没有新的内容,请写上要补的一项,例如“措施:更换法兰垫片”。")
    for part, words in new.items():
        _good_words(words, FIVE_FIXES_ZH[part])
    for part, words in new.items():
        _add(work, hazard, part, words, by)
    _judge_again(work, hazard)
    why = ";".join(f"{FIVE_FIXES_ZH[part]}:{words}" for part, words in new.items())
    last = leave(work, hazard, "treatment_written", by=by, via=via, from_state=hazard.state, why=why, parts=list(new))
    dispatch.redraw(work, hazard, last)


def evaluate(work: UnitOfWork, hazard: Hazard, *, by: Person, words: str, via: str) -> None:
    """The evaluation of what was done against a major hazard, by somebody who did not do it (FC-12)."""
    check(work, hazard, Action.EVALUATE, by)
    _only_major(hazard)
    words = words.strip()
    _good_words(words, "评估结论")
    _add(work, hazard, EVALUATION, words, by)
    _judge_again(work, hazard)
    dispatch.redraw(work, hazard, leave(work, hazard, "evaluated", by=by, via=via, from_state=hazard.state, why=words))


def _zh(major: bool) -> str:
    return "重大隐患" if major else "一般隐患"


def _only_major(hazard: Hazard) -> None:
    if not treatment.concerns(hazard):
        raise RuleBroken("not_major", f"{hazard.number} 是一般隐患,不用写五落实和评估,按整改流程办就行。")


def _good_words(words: str, what: str) -> None:
    if len(words) > MAX_WORDS:
        raise RuleBroken("words", f"{what}太长,请写在{MAX_WORDS}字以内。")
    if not any(c.isalnum() for c in words):  # «2000» is a fund and «2026-12-01» a time
        raise RuleBroken("words", f"{what}没看懂,请用一句话写清楚。")


def _add(work: UnitOfWork, hazard: Hazard, part: str, words: str, by: Person) -> None:
    hazard.treatments.append(
        HazardTreatment(hazard_id=hazard.id, part=part, words=words, by_id=by.id, by=by, at=work.at, round=hazard.round)
    )
    work.flush()


def _judge_again(work: UnitOfWork, hazard: Hazard) -> None:
    """What the acceptor is shown of a submission follows what was written down since."""
    if hazard.state != HazardState.TO_ACCEPT.value:
        return
    others = [signal for signal in hazard.signals if signal["id"] not in proof.OF_TREATMENT]
    hazard.signals = sorted([*others, *proof.as_rows(proof.judge_treatment(hazard))], key=lambda s: str(s["id"]))
