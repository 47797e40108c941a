"""FC-01 … FC-15 at, below and above each limit; unknown facts give neither a signal nor a pass."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rules.geo import Point, distance_m
from rules.hazard import Evidence, ExtensionFacts, PhotoFacts, Strength, examine, hash_distance, signals

T0 = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)
PLACE = Point(lat=31.0, lon=121.0)
ALL = tuple(f"FC-{n:02d}" for n in range(1, 16))


def north(metres: float) -> Point:
    per_degree = distance_m(PLACE, Point(lat=31.001, lon=121.0)) * 1000
    return Point(lat=31.0 + metres / per_degree, lon=121.0)


def ids(**facts) -> set[str]:
    return {signal.id for signal in signals(Evidence(**facts))}


def one(id_: str, **facts):
    return next((signal for signal in signals(Evidence(**facts)) if signal.id == id_), None)


def test_nothing_known_gives_no_signal_and_no_pass():
    findings = examine(Evidence())
    assert findings.signals == ()
    assert findings.unknown == ALL


def test_a_clean_case_has_no_signal_and_nothing_unknown():
    clean = Evidence(
        now=T0 + timedelta(hours=2),
        before=[PhotoFacts("a", 0, T0, PLACE)],
        after=[PhotoFacts("b", 0xFFFF, T0 + timedelta(hours=1), north(10))],
        earlier=(),
        place=PLACE,
        dispatched_at=T0,
        confirm_due_at=T0 + timedelta(minutes=15),
        confirmed_at=T0 + timedelta(minutes=5),
        due_at=T0 + timedelta(hours=4),
        finished_at=T0 + timedelta(hours=1),
        closed_same_minute=1,
        fixer=1,
        acceptor=2,
        fix_text="更换P-101A出口垫片，试压无泄漏",
        reported_at=T0,
        same_kind_closed_at=(),
        is_major=False,
        acceptor_visited=True,
        extensions=(),
    )
    findings = examine(clean)
    assert findings.signals == () and findings.unknown == () and findings.refusal_zh == ""


def test_missing_photos():
    assert one("FC-01", before=()).strength is Strength.WEAK
    assert one("FC-02", after=()).strength is Strength.STRONG
    assert ids(before=[PhotoFacts()], after=[PhotoFacts()]) == set()


def test_same_file_as_a_before_photo_or_any_earlier_one():
    assert one("FC-03", before=[PhotoFacts("a")], after=[PhotoFacts("a")]).strength is Strength.STRONG
    found = one("FC-03", earlier=[PhotoFacts("x", case="YH-0007")], after=[PhotoFacts("x")])
    assert found.strength is Strength.STRONG and "YH-0007" in found.message_zh
    assert one("FC-03", before=[PhotoFacts("a")], after=[PhotoFacts("b")]) is None


@pytest.mark.parametrize(("bits", "hit"), [(0, True), (5, True), (6, True), (7, False), (30, False)])
def test_near_duplicate_threshold(bits, hit):
    after = PhotoFacts("b", (1 << bits) - 1)
    assert bool(one("FC-03", before=[PhotoFacts("a", 0)], after=[after], earlier=())) is hit
    assert hash_distance(0, (1 << bits) - 1) == bits


def test_same_picture_is_undecided_without_hashes_or_earlier_photos():
    assert "FC-03" in examine(Evidence(before=[PhotoFacts("a", 0)], after=[PhotoFacts("b", 255)])).unknown
    assert "FC-03" in examine(Evidence(before=[PhotoFacts("a")], after=[PhotoFacts("b", 255)], earlier=())).unknown


@pytest.mark.parametrize(
    ("metres", "accuracy", "strength"),
    [
        (49.9, 0, None),
        (50.0 - 1e-3, 0, None),
        (50.1, 0, Strength.STRONG),
        (60, 9.9, Strength.STRONG),
        (60, 10.5, Strength.WEAK),  # the position errors could explain it
        (45, 100, None),
    ],
)
def test_elsewhere_at_fifty_metres(metres, accuracy, strength):
    found = one("FC-04", place=PLACE, after=[PhotoFacts("b", position=north(metres), accuracy_m=accuracy)])
    assert (found.strength if found else None) is strength


def test_a_photo_without_position_is_unknown_not_near():
    assert "FC-04" in examine(Evidence(place=PLACE, after=[PhotoFacts("b")])).unknown


@pytest.mark.parametrize(("seconds", "hit"), [(-1, True), (0, False), (1, False)])
def test_older_than_the_order(seconds, hit):
    found = one("FC-05", dispatched_at=T0, after=[PhotoFacts("b", taken_at=T0 + timedelta(seconds=seconds))])
    assert bool(found) is hit and (not hit or found.strength is Strength.STRONG)


def test_photo_time_unknown():
    assert "FC-05" in examine(Evidence(dispatched_at=T0, after=[PhotoFacts("b")])).unknown


def test_fixer_is_acceptor():
    assert one("FC-06", fixer=7, acceptor=7).strength is Strength.STRONG
    assert one("FC-06", fixer=7, acceptor=8) is None
    assert "FC-06" in examine(Evidence(fixer=7)).unknown


@pytest.mark.parametrize(("seconds", "hit"), [(-1, False), (0, False), (1, True)])
def test_confirmation_and_fix_overdue(seconds, hit):
    at = T0 + timedelta(seconds=seconds)
    assert bool(one("FC-07", confirm_due_at=T0, confirmed_at=at)) is hit
    assert bool(one("FC-07", confirm_due_at=T0, confirmed=False, now=at)) is hit
    assert bool(one("FC-08", due_at=T0, finished_at=at, extensions=())) is hit


def test_an_approved_extension_excuses_the_delay_an_unapproved_one_does_not():
    late = {"due_at": T0, "finished_at": T0 + timedelta(days=1)}
    assert one("FC-08", **late, extensions=[ExtensionFacts(True, "围挡")]) is None
    assert one("FC-08", **late, extensions=[ExtensionFacts(False, "围挡")])
    assert "FC-08" in examine(Evidence(**late)).unknown


@pytest.mark.parametrize(("seconds", "hit"), [(0, True), (119, True), (120, True), (121, False)])
def test_too_fast(seconds, hit):
    assert bool(one("FC-09", dispatched_at=T0, closed_at=T0 + timedelta(seconds=seconds))) is hit


@pytest.mark.parametrize(("count", "hit"), [(4, False), (5, True), (6, True)])
def test_batch_close(count, hit):
    facts = {"dispatched_at": T0, "closed_at": T0 + timedelta(hours=1), "closed_same_minute": count}
    assert bool(one("FC-09", **facts)) is hit


@pytest.mark.parametrize(("text", "hit"), [("换了垫片子", True), ("更换了新垫片", False), ("已整改完毕请验收", True)])
def test_template_text(text, hit):
    assert bool(one("FC-10", fix_text=text)) is hit


@pytest.mark.parametrize(
    ("after", "hit"), [(timedelta(days=29), True), (timedelta(days=30), True), (timedelta(days=30, seconds=1), False)]
)
def test_back_within_thirty_days(after, hit):
    assert bool(one("FC-11", reported_at=T0 + after, same_kind_closed_at=[T0])) is hit


def test_a_case_closed_after_this_report_is_no_repeat():
    assert one("FC-11", reported_at=T0, same_kind_closed_at=[T0 + timedelta(days=1)]) is None


def test_major_needs_evaluation_and_five_fixes():
    five = {"responsibility", "measures", "funds", "time_limit", "plan"}
    assert ids(is_major=True, has_evaluation=False, five_fixes=five) == {"FC-12"}
    missing = one("FC-14", is_major=True, five_fixes=five - {"funds"})
    assert missing.facts["missing"] == ["funds"] and "资金" in missing.message_zh
    assert ids(is_major=False) == set()
    assert {"FC-12", "FC-14"} <= set(examine(Evidence(is_major=True)).unknown)


def test_visit_and_interim_measure():
    assert ids(acceptor_visited=False) == {"FC-13"}
    assert ids(acceptor_visited=True) == set()
    assert ids(extensions=[ExtensionFacts(True, " ")]) == {"FC-15"}
    assert ids(extensions=[ExtensionFacts(True, "围挡")]) == set()


def test_words_ask_and_never_accuse():
    everything = [
        Evidence(before=(), after=()),
        Evidence(
            before=[PhotoFacts("a", 0)],
            after=[PhotoFacts("a", 0, T0, north(500))],
            place=PLACE,
            dispatched_at=T0 + timedelta(days=1),
        ),
        Evidence(
            fixer=1,
            acceptor=1,
            fix_text="已整改",
            acceptor_visited=False,
            is_major=True,
            has_evaluation=False,
            five_fixes=(),
        ),
    ]
    found = [signal for evidence in everything for signal in signals(evidence)]
    assert len(found) >= 9
    for signal in found:
        assert not any(word in signal.message_zh for word in ("造假", "作假", "虚假", "欺骗", "伪造", "嫌疑", "弄虚"))
        if signal.strength is Strength.STRONG:
            assert "请" in signal.message_zh
    refusal = examine(everything[1]).refusal_zh
    assert refusal.count("\n") == 2  # three strong signals, a line each


def test_where_the_pictures_were_looked_at_the_eye_decides():
    after = PhotoFacts(sha256="new", phash=0, dhash=0)
    near = PhotoFacts(sha256="old", phash=1, dhash=1, case="YH-0003")
    assert [s.id for s in signals(Evidence(after=[after], before=[near], earlier=[])) if s.id == "FC-03"] == ["FC-03"]
    unlike, like = (replace(near, looks_like=frozenset(seen)) for seen in ((), ("new",)))
    assert not [s for s in signals(Evidence(after=[after], before=[unlike], earlier=[])) if s.id == "FC-03"]
    far = replace(like, phash=2**40 - 1)
    assert [s.facts["case"] for s in signals(Evidence(after=[after], before=[], earlier=[far])) if s.id == "FC-03"] == [
        "YH-0003"
    ]
