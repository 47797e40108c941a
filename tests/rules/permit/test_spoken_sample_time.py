"""When a sample was taken, said at 16:00 on Tuesday 24 November."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from rules.permit.spoken_sample_time import sampled_at

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 24, 16, 0, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("said", "at"),
    [
        ("昨天下午3点测的,动火点可燃0.1%LEL,氧20.8", "11-23 15:00"),
        ("8点30测的可燃12%LEL", "11-24 08:30"),
        ("3点测的可燃0", "11-24 15:00"),
        ("15:50测的", "11-24 15:50"),
        ("半小时前测的,可燃0.1", "11-24 15:30"),
        ("十分钟前可燃0.1%LEL", "11-24 15:50"),
        ("一个半小时前测的", "11-24 14:30"),
        ("上午9点,可燃0.1", "11-24 09:00"),
        ("可燃0.1%LEL 15点40", "11-24 15:40"),
        ("昨晚11点半测的", "11-23 23:30"),
        ("凌晨2点取的样", "11-24 02:00"),
        ("上部8点测的可燃0,下部9点半测的可燃0", "11-24 08:00"),
        ("16:01测的", "11-24 16:00"),
    ],
)
def test_a_told_time(said, at):
    found = sampled_at(said, now=NOW, zone=ZONE)
    assert found is not None
    assert found.at is not None
    assert found.at.strftime("%m-%d %H:%M") == at


@pytest.mark.parametrize(
    "said",
    [
        "下午5点测的,可燃0.1",
        "昨天测的可燃0.1",
        "早上测的可燃0.1",
        "上一班测的可燃0.1",
        "上次的数据可燃0.1%LEL",
        "25点测的",
    ],
)
def test_a_time_that_cannot_be_used_is_asked_again(said):
    found = sampled_at(said, now=NOW, zone=ZONE)
    assert found is not None
    assert found.at is None
    assert found.problem


@pytest.mark.parametrize(
    "said",
    [
        "动火点可燃0.1%LEL,氧20.8",
        "氧20点8,可燃零点一",
        "可燃零点一LEL,氧二十点八",
        "20个点的氧",
        "可燃3点",
        "明天上午9点到11点,可燃0.1%LEL",
        "改到下午5点,可燃0.1",
        "刚测的可燃0.1",
        "三号泵房可燃0.1,现在测的",
    ],
)
def test_no_time_means_now(said):
    assert sampled_at(said, now=NOW, zone=ZONE) is None
