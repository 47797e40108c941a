from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.permit.spoken_time import LEADING, only_time, said_shift, said_time

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)  # Tuesday, 09:00 at the plant
LATE = datetime(2026, 11, 28, 8, 20, tzinfo=UTC)  # Saturday, 16:20


def clock(moment: datetime | None) -> str | None:
    return moment.astimezone(ZONE).strftime("%m-%d %H:%M") if moment is not None else None


def told(said: str, now: datetime) -> tuple[str | None, str | None] | None:
    found = said_time(said, now=now, zone=ZONE)
    return (clock(found.start), clock(found.end)) if found is not None else None


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("现在", ("11-24 09:00", None)),
        ("现在开始干2小时", ("11-24 09:00", "11-24 11:00")),
        ("今天下午2点", ("11-24 14:00", None)),
        ("下午2点到5点", ("11-24 14:00", "11-24 17:00")),
        ("下午两点半到四点", ("11-24 14:30", "11-24 16:00")),
        ("14:30到16:00", ("11-24 14:30", "11-24 16:00")),
        ("8:00-11:00", ("11-24 08:00", "11-24 11:00")),
        ("8点到5点", ("11-24 08:00", "11-24 17:00")),
        ("9点到12点", ("11-24 09:00", "11-24 12:00")),
        ("明早8点干3小时", ("11-25 08:00", "11-25 11:00")),
        ("明天9:00", ("11-25 09:00", None)),
        ("明天9点到11点,监护郑凯", ("11-25 09:00", "11-25 11:00")),
        ("10点到12点", ("11-24 10:00", "11-24 12:00")),
        ("22:00到2:00", ("11-24 22:00", "11-25 02:00")),
        ("今天下午2点干3天", ("11-24 14:00", "11-27 14:00")),
        ("改到明天上午9点到11点", ("11-25 09:00", "11-25 11:00")),
        ("现在干到11点半", ("11-24 09:00", "11-24 11:30")),
        ("下午2到4点", ("11-24 14:00", "11-24 16:00")),
        ("焊接P-102B出口法兰", None),
        ("3号泵房换阀", None),
        ("LEL 3个点", None),
        ("氧20.8点", None),
        ("25:70", None),
        ("9点75分", None),
        ("昨天9点到11点", None),
    ],
)
def test_times_as_they_are_said(said, expected):
    assert told(said, NOW) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("周三上午9点到11点", ("11-25 09:00", "11-25 11:00")),
        ("星期三十点到十二点", ("11-25 10:00", "11-25 12:00")),
        ("周二下午3点", ("11-24 15:00", None)),  # today
        ("周一早上8点干2小时", ("11-30 08:00", "11-30 10:00")),
        ("下周一上午9点", ("11-30 09:00", None)),
        ("下周日9点", ("12-06 09:00", None)),
        ("本周日9点到11点", ("11-29 09:00", "11-29 11:00")),
        ("大后天8点", ("11-27 08:00", None)),
        ("30号上午9点", ("11-30 09:00", None)),
        ("3号上午9点", ("12-03 09:00", None)),  # the third of this month is over
        ("12月1日上午9点到11点", ("12-01 09:00", "12-01 11:00")),
        ("十二月一号八点", ("12-01 08:00", None)),
        ("1月5日8点", ("01-05 08:00", None)),
        ("2月30日9点", None),
        ("31号9点", None),
        ("明天上午", None),
        ("明天干2小时", None),  # from when is not said
        ("下周一", None),
    ],
)
def test_days_by_their_name(said, expected):
    assert told(said, NOW) == expected


def test_a_day_of_january_said_in_november_is_in_the_next_year():
    found = said_time("1月5日8点", now=NOW, zone=ZONE)
    assert found is not None and found.start.year == 2027


@pytest.mark.parametrize(
    ("said", "minutes"),
    [
        ("现在干两小时", 120),
        ("现在干一个半小时", 90),
        ("现在干1.5小时", 90),
        ("现在干1小时半", 90),
        ("现在干2个半小时", 150),
        ("现在干三个小时", 180),
        ("现在干十二个钟头", 720),
        ("现在干半小时", 30),
        ("现在干半个小时", 30),
        ("现在干1小时30分钟", 90),
        ("现在干40分钟", 40),
        ("现在干三刻钟", 45),
        ("马上干,两个小时", 120),
        ("干两个半小时", 150),
        ("3小时", 180),
    ],
)
def test_how_long(said, minutes):
    found = said_time(said, now=NOW, zone=ZONE)
    assert found is not None and found.end is not None
    assert (found.start, found.end - found.start) == (NOW, timedelta(minutes=minutes))


def test_a_length_alone_says_nothing_of_the_beginning():
    alone, now = said_time("3小时", now=NOW, zone=ZONE), said_time("现在干3小时", now=NOW, zone=ZONE)
    assert alone is not None and now is not None
    assert (alone.only_length, now.only_length) == (True, False)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("五点到七点", ("11-28 17:00", "11-28 19:00")),
        ("等会儿5点开始,干到7点", ("11-28 17:00", "11-28 19:00")),
        ("05:00-07:00", ("11-28 05:00", "11-28 07:00")),  # written as a clock shows it
        ("上午5点到7点", ("11-28 05:00", "11-28 07:00")),
        ("九点到十一点", ("11-28 09:00", "11-28 11:00")),  # 21:00 is night work: asked, not guessed
        ("4点干1小时", ("11-28 16:00", "11-28 17:00")),
        ("明天5点到7点", ("11-29 05:00", "11-29 07:00")),
    ],
)
def test_a_clock_that_is_over_may_mean_the_evening(said, expected):
    assert told(said, LATE) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("今晚8点", ("11-28 20:00", None)),
        ("周六晚8点到10点", ("11-28 20:00", "11-28 22:00")),
        ("晚上10点到2点", ("11-28 22:00", "11-29 02:00")),
        ("今晚11点到2点", ("11-28 23:00", "11-29 02:00")),
        ("晚上12点到凌晨2点", ("11-29 00:00", "11-29 02:00")),
        ("夜里2点", ("11-29 02:00", None)),
        ("半夜一点干半小时", ("11-29 01:00", "11-29 01:30")),
        ("今晚10点到明早6点", ("11-28 22:00", "11-29 06:00")),
        ("今天24点", ("11-29 00:00", None)),
        ("中午12点半到下午2点", ("11-28 12:30", "11-28 14:00")),
        ("明天20点到后天2点", ("11-29 20:00", "11-30 02:00")),
    ],
)
def test_by_night(said, expected):
    assert told(said, LATE) == expected


@pytest.mark.parametrize(
    ("said", "minutes"),
    [
        ("推迟一小时", 60),
        ("往后推两个小时", 120),
        ("晚半个小时", 30),
        ("提前半小时", -30),
        ("早20分钟", -20),
        ("推迟到9点", None),
        ("早上9点", None),
        ("晚上干2小时", None),
        ("推迟", None),
    ],
)
def test_later_and_earlier(said, minutes):
    assert said_shift(said) == (timedelta(minutes=minutes) if minutes is not None else None)


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("明天上午9点到11点P-102B焊接", "P-102B焊接"),
        ("下周一9点半干两个小时V-206清罐", "V-206清罐"),
        ("现在3号泵房动火", "3号泵房动火"),
        ("12月1日8点到10点换垫片", "换垫片"),
    ],
)
def test_the_words_that_only_say_when(said, left):
    assert LEADING.sub("", said) == left


@given(
    st.integers(0, 23),
    st.integers(0, 59),
    st.integers(1, 600),
    st.sampled_from(["今天", "明天", "后天", "12月3日", "下周五"]),
)
def test_what_is_said_in_full_is_taken_to_the_minute(hour, minute, length, day):
    days = {"今天": 0, "明天": 1, "后天": 2, "12月3日": 9, "下周五": 10}
    start = datetime(2026, 11, 24, hour, minute, tzinfo=ZONE) + timedelta(days=days[day])
    found = said_time(f"{day}{hour:02}:{minute:02}干{length}分钟", now=NOW, zone=ZONE)
    assert found is not None and (found.start, found.end) == (start, start + timedelta(minutes=length))


@given(
    st.lists(
        st.sampled_from(
            [
                *"0123456789零一二三十两半点时刻分日号月周天个",
                "星期",
                "礼拜",
                "小时",
                "分钟",
                "今天",
                "明早",
                "晚上",
                "夜里",
                "下周",
                "到",
                "-",
                ":",
                "现在",
                "推迟",
                "12月31日",
                "2月29日",
            ]
        ),
        max_size=12,
    ).map("".join),
    st.integers(0, 3 * 365 * 24 * 60),
)
def test_whatever_is_said_is_a_time_to_come_or_none(said, now):
    at = datetime(2026, 1, 1, tzinfo=ZONE) + timedelta(minutes=now)
    found = said_time(said, now=at, zone=ZONE)
    assert isinstance(only_time(said), bool) and (said_shift(said) is None or said_shift(said) != timedelta(0))
    assert found is None or found.end is None or found.end > found.start


def test_a_day_that_is_not_every_year():
    assert said_time("2月29日9点", now=datetime(2028, 12, 1, tzinfo=ZONE), zone=ZONE) is None
    assert said_time("99999999999999999999小时", now=NOW, zone=ZONE) is None
