"""Signals that a case was closed on paper only (形式闭环, FC-01 … FC-15), from whatever facts are known.

A fact that is None is unknown: it raises no signal and gives no pass, its signal's id is listed in `unknown`.
Strong signals refuse the step with a kind request for another photo (or another person); weak ones are shown to the
acceptor, who decides. The words describe what was seen and what would help; they never accuse.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from rules.geo import distance_m
from rules.hazard.evidence import FIVE_FIXES, FIVE_FIXES_ZH, Evidence, Findings, PhotoFacts, Signal, Strength
from rules.text import TemplateReason, template_reason

# Limits of the table in docs/hazard-rules.md; those marked [L] are ours
FAR_M = 50.0  # FC-04
TOO_FAST = timedelta(minutes=2)  # FC-09
BATCH = 5  # FC-09 [L]: this many closed by one person within one minute
REPEAT_WITHIN = timedelta(days=30)  # FC-11
NEAR_DUPLICATE_BITS = 6  # FC-03 [L]: of 64 bits of a perceptual hash, when it is all that is known
BOTH_HASHES_BITS = (12, 16)  # FC-03 [L]: of phash and dhash, when both agree (also catches cropped copies)


class _Unknown(Exception):
    """A fact this signal needs is not known."""


def hash_distance(a: int, b: int) -> int:
    """Bits that differ between two 64-bit perceptual hashes, 0 to 64."""
    return ((a ^ b) & 0xFFFF_FFFF_FFFF_FFFF).bit_count()


def examine(evidence: Evidence) -> Findings:
    """All fifteen signals."""
    found: list[Signal] = []
    unknown: list[str] = []
    for id_, test in _TESTS.items():
        try:
            signal = test(evidence)
        except _Unknown:
            unknown.append(id_)
            continue
        if signal is not None:
            found.append(signal)
    return Findings(tuple(found), tuple(unknown))


def signals(evidence: Evidence) -> list[Signal]:
    """The signals alone; use examine() to see also what could not be decided."""
    return list(examine(evidence).signals)


def _need(*facts: object) -> None:
    if any(fact is None for fact in facts):
        raise _Unknown


def _strong(id_: str, message_zh: str, **facts: object) -> Signal:
    return Signal(id_, Strength.STRONG, message_zh, facts)


def _weak(id_: str, message_zh: str, **facts: object) -> Signal:
    return Signal(id_, Strength.WEAK, message_zh, facts)


def _no_before_photo(e: Evidence) -> Signal | None:
    _need(e.before)
    return None if e.before else _weak("FC-01", "没有整改前照片，请到现场对照原描述核对。")


def _no_after_photo(e: Evidence) -> Signal | None:
    """A written measurement is welcome and does not replace the photo (issue 2)."""
    _need(e.after)
    return None if e.after else _strong("FC-02", "还缺整改后的照片，请在现场拍一张发过来。")


def _both_agree(a: PhotoFacts, b: PhotoFacts) -> bool:
    if a.phash is None or b.phash is None or a.dhash is None or b.dhash is None:
        return False
    far_p, far_d = BOTH_HASHES_BITS
    return hash_distance(a.phash, b.phash) <= far_p and hash_distance(a.dhash, b.dhash) <= far_d


def _same_look(after: PhotoFacts, other: PhotoFacts) -> bool:
    """By eye where both were looked at (hashes of like layouts agree by chance once in a hundred), else by the hashes."""
    if other.looks_like is not None:
        return after.sha256 in other.looks_like
    assert after.phash is not None
    assert other.phash is not None
    return hash_distance(after.phash, other.phash) <= NEAR_DUPLICATE_BITS or _both_agree(after, other)


def _same_picture(e: Evidence) -> Signal | None:
    """Every after-photo against the before-photos and against any earlier photo at hand."""
    _need(e.after)
    known = (*(e.before or ()), *(e.earlier or ()))
    for after in e.after or ():
        for other in known:
            where = f"({other.case})" if other.case else ""
            if after.sha256 and after.sha256 == other.sha256:
                text = f"这张和之前的照片{where}是同一个文件，请到现场重新拍一张整改后的照片。"
                return _strong("FC-03", text, case=other.case, bits=0)
            if after.phash is not None and other.phash is not None:
                bits = hash_distance(after.phash, other.phash)
                if _same_look(after, other):
                    text = f"这张和之前的照片{where}几乎一样，看不出变化，请换个角度再拍一张整改后的照片。"
                    return _strong("FC-03", text, case=other.case, bits=bits)
    _need(e.before, e.earlier)
    if any(photo.sha256 is None or photo.phash is None for photo in (*(e.after or ()), *known)):
        raise _Unknown
    return None


def _elsewhere(e: Evidence) -> Signal | None:
    """Far only when the distance exceeds the limit even after both position errors; within the errors it is weak."""
    _need(e.after, e.place)
    farthest: tuple[float, float] | None = None
    for photo in e.after or ():
        if photo.position is not None and e.place is not None:
            pair = (distance_m(e.place, photo.position), (photo.accuracy_m or 0.0) + (e.place_accuracy_m or 0.0))
            farthest = max(farthest or pair, pair)
    if farthest is None:
        raise _Unknown
    metres, error = farthest
    facts = {"distance_m": round(metres, 1), "error_m": round(error, 1), "limit_m": FAR_M}
    if metres - error > FAR_M:
        text = f"照片位置离隐患地点约{metres:.0f}米，请到隐患现场再拍一张；定位不准时可先打开定位再拍。"
        return _strong("FC-04", text, **facts)
    if metres > FAR_M:
        return _weak(
            "FC-04", f"照片位置离隐患地点约{metres:.0f}米，定位误差约{error:.0f}米，请核对是否同一地点。", **facts
        )
    return None


def _older_than_order(e: Evidence) -> Signal | None:
    _need(e.after, e.dispatched_at)
    times = [photo.taken_at for photo in e.after or ()]
    old = [at for at in times if at is not None and e.dispatched_at is not None and at < e.dispatched_at]
    if old:
        text = "照片的拍摄时间早于派单时间，请现在到现场再拍一张；如果手机时间不准，请先校准。"
        return _strong("FC-05", text, taken_at=min(old), dispatched_at=e.dispatched_at)
    _need(*times)
    return None


def _one_person(e: Evidence) -> Signal | None:
    _need(e.fixer, e.acceptor)
    return _strong("FC-06", "整改人和验收人是同一位，请换一位验收人。") if e.fixer == e.acceptor else None


def _confirmed_late(e: Evidence) -> Signal | None:
    _need(e.confirm_due_at)
    due = e.confirm_due_at
    assert due is not None
    if e.confirmed_at is not None:
        late = e.confirmed_at > due
        return (
            _weak("FC-07", "确认时间晚于规定时限。", confirm_due_at=due, confirmed_at=e.confirmed_at) if late else None
        )
    if e.confirmed:
        raise _Unknown
    _need(e.now, e.confirmed)
    return _weak("FC-07", "已过确认时限，还没有人确认。", confirm_due_at=due) if e.now and e.now > due else None


def _fixed_late(e: Evidence) -> Signal | None:
    """due_at is the deadline in force: an approved extension has already moved it, or excuses the delay here."""
    done_at = e.finished_at or e.now
    _need(e.due_at, done_at)
    if done_at is None or e.due_at is None or done_at <= e.due_at:
        return None
    _need(e.extensions)
    if any(extension.approved for extension in e.extensions or ()):
        return None
    return _weak("FC-08", "已超过整改期限，没有批准的延期。", due_at=e.due_at, finished_at=done_at)


def _too_fast(e: Evidence) -> Signal | None:
    ended = e.closed_at or e.finished_at
    if e.closed_same_minute is not None and e.closed_same_minute >= BATCH:
        text = f"同一分钟内一起办结了{e.closed_same_minute}条，请抽一条到现场看看。"
        return _weak("FC-09", text, closed_same_minute=e.closed_same_minute)
    _need(ended, e.dispatched_at)
    assert ended is not None
    assert e.dispatched_at is not None
    took = ended - e.dispatched_at
    if took <= TOO_FAST:
        text = f"从派单到完成约{max(0, round(took.total_seconds()))}秒，比较快，请核对现场。"
        return _weak("FC-09", text, took_s=took.total_seconds())
    return None


def _template_text(e: Evidence) -> Signal | None:
    _need(e.fix_text)
    reason = template_reason(e.fix_text or "")
    if reason is None:
        return None
    text = {
        TemplateReason.SHORT: "整改说明比较短，看不出做了什么，请对照照片核对。",
        TemplateReason.STOCK: "整改说明没有写具体做法，请对照照片核对。",
    }[reason]
    return _weak("FC-10", text, reason=reason.value)


def _came_back(e: Evidence) -> Signal | None:
    """Same place and kind again within 30 days after the earlier one was closed."""
    _need(e.reported_at, e.same_kind_closed_at)
    assert e.reported_at is not None
    gaps = [e.reported_at - at for at in e.same_kind_closed_at or () if at <= e.reported_at]
    if gaps and min(gaps) <= REPEAT_WITHIN:
        days = min(gaps).total_seconds() / 86_400
        return _weak("FC-11", f"同一地点同类问题{days:.0f}天前刚整改过，请看看根本原因是否消除。", days=round(days, 2))
    return None


def _no_evaluation(e: Evidence) -> Signal | None:
    _need(e.is_major)
    if not e.is_major:
        return None
    _need(e.has_evaluation)
    return None if e.has_evaluation else _weak("FC-12", "重大隐患销号前需要评估记录，请补充评估结论。")


def _no_visit(e: Evidence) -> Signal | None:
    _need(e.acceptor_visited)
    return None if e.acceptor_visited else _weak("FC-13", "验收人没有现场打卡或照片，建议到现场看一眼、拍一张。")


def _five_fixes_missing(e: Evidence) -> Signal | None:
    _need(e.is_major)
    if not e.is_major:
        return None
    _need(e.five_fixes)
    missing = [name for name in FIVE_FIXES if name not in (e.five_fixes or ())]
    if not missing:
        return None
    return _weak(
        "FC-14",
        f"重大隐患的五落实还缺：{'、'.join(FIVE_FIXES_ZH[name] for name in missing)}，请补充。",
        missing=missing,
    )


def _no_interim_measure(e: Evidence) -> Signal | None:
    _need(e.extensions)
    bare = [x for x in e.extensions or () if not (x.interim_measure and x.interim_measure.strip())]
    return _weak("FC-15", "有延期没有写临时措施，请补充延期期间怎么防护。", count=len(bare)) if bare else None


_TESTS: dict[str, Callable[[Evidence], Signal | None]] = {
    "FC-01": _no_before_photo,
    "FC-02": _no_after_photo,
    "FC-03": _same_picture,
    "FC-04": _elsewhere,
    "FC-05": _older_than_order,
    "FC-06": _one_person,
    "FC-07": _confirmed_late,
    "FC-08": _fixed_late,
    "FC-09": _too_fast,
    "FC-10": _template_text,
    "FC-11": _came_back,
    "FC-12": _no_evaluation,
    "FC-13": _no_visit,
    "FC-14": _five_fixes_missing,
    "FC-15": _no_interim_measure,
}
