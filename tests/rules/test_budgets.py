"""Whether a budget lasts: averages carried on, the start of a month, the day it runs out."""

from __future__ import annotations

from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from rules.budgets import standing

NOON = datetime(2026, 11, 11, 12, 0, tzinfo=UTC)


def test_the_average_of_a_week_is_carried_on():
    days = {f"2026-11-{n:02d}": 100 for n in range(1, 11)} | {"2026-11-11": 50}
    found = standing(days, NOON, limit=5000, period="month")
    assert found.used == 1050
    assert found.expected == 1050 + round(100 * 19.5)
    assert not found.runs_out and found.is_easy


def test_the_day_it_runs_out_is_told():
    days = {f"2026-11-{n:02d}": 300 for n in range(1, 11)} | {"2026-11-11": 150}
    found = standing(days, NOON, limit=5000, period="month")
    assert found.used == 3150 and found.runs_out and not found.is_easy
    assert found.runs_out_on == date(2026, 11, 17)  # 1850 left at 300 a day: 6.2 days


def test_last_months_days_tell_what_the_new_month_will_cost():
    days = {f"2026-10-{n}": 400 for n in range(20, 32)}
    found = standing(days, datetime(2026, 11, 1, 0, 0, tzinfo=UTC), limit=5000, period="month")
    assert (found.used, found.expected) == (0, 12_000) and found.runs_out


def test_the_first_calls_of_an_installation_are_no_panic():
    found = standing({"2026-11-11": 20}, datetime(2026, 11, 11, 0, 30, tzinfo=UTC), limit=5000, period="month")
    assert found.expected < 5000


def test_without_a_limit_nothing_runs_out():
    found = standing({"2026-11-11": 10**6}, NOON, limit=0, period="month")
    assert not found.runs_out and found.is_easy and found.runs_out_on is None


def test_a_daily_budget_counts_today_alone():
    found = standing({"2026-11-10": 900, "2026-11-11": 100}, NOON, limit=150, period="day")
    assert (found.used, found.expected, found.runs_out) == (100, 200, True)


@given(
    st.dictionaries(st.dates(date(2026, 10, 15), date(2026, 11, 24)).map(date.isoformat), st.integers(0, 5000)),
    st.integers(0, 24 * 60 - 1).map(lambda minute: datetime(2026, 11, 24, minute // 60, minute % 60, tzinfo=UTC)),
    st.integers(1, 10_000),
)
def test_what_runs_out_has_a_day_and_never_less_than_was_used(days, now, limit):
    found = standing(days, now, limit=limit, period="month")
    assert found.expected >= found.used
    assert found.runs_out == (found.runs_out_on is not None) or abs(found.expected - limit) <= 1
    if found.runs_out_on is not None:
        assert found.runs_out_on >= now.date()
