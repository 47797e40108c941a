"""The limiter against a plain list of times: whatever is asked in whatever order, no platform's limit is ever exceeded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.outbox import ALARM, NORMAL
from bot.platforms.base import PlatformError
from bot.platforms.rates import Limit, Rates, sending

START = datetime(2026, 11, 24, tzinfo=UTC)
LIMITS = (Limit(5, 10, 2, "short"), Limit(12, 60, 3, "long"))
_numbers = count()
asks = st.tuples(st.floats(0, 8).map(lambda s: round(s, 1)), st.booleans(), st.integers(1, 2))


def _full(sent: list[datetime], at: datetime, alarm: bool) -> list[Limit]:
    """The limits that leave no room for one more at that time."""
    used = {limit: sum(then > at - timedelta(seconds=limit.span_s) for then in sent) for limit in LIMITS}
    return [limit for limit in LIMITS if used[limit] >= limit.most - (0 if alarm else limit.kept)]


def _take(rates: Rates, alarm: bool) -> PlatformError | None:
    try:
        with sending(ALARM if alarm else NORMAL):
            rates.take(["one"], LIMITS)
    except PlatformError as error:
        return error
    return None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(asks, max_size=60))
def test_no_window_ever_holds_more_than_its_limit(redis_client, script):
    now = [START]
    rates = Rates(redis_client, prefix=f"m{next(_numbers)}", clock=lambda: now[0])
    sent: list[datetime] = []
    for wait_s, alarm, times in script:
        now[0] += timedelta(seconds=wait_s)
        for _ in range(times):
            full = _full(sent, now[0], alarm)
            refused = _take(rates, alarm)
            if refused is None:
                assert not full, f"let through over {full[0].name}"
                sent.append(now[0])
            else:
                assert refused.code in {limit.name for limit in full}, "held back without a reason"
                back = now[0] + timedelta(seconds=refused.wait_s + 0.01)
                assert not _full(sent, back, alarm), "told to come back too early"
