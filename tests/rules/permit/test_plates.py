"""One ticket, one plate, one action (7.11): what the words of a job say of it."""

from __future__ import annotations

import pytest

from rules.permit.plates import action_in


@pytest.mark.parametrize(
    ("words", "action"),
    [
        ("P-101B入口加盲板", "insert"), ("堵盲板", "insert"), ("进料线安装一块盲板", "insert"), ("出口法兰插盲板", "insert"),
        ("抽盲板", "remove"), ("拆除盲板,恢复进料", "remove"), ("检修完抽掉3号盲板", "remove"), ("盲板拆除", "remove"),
        ("P-101B入口盲板堵,检修后抽", "both"), ("先堵后抽", "both"), ("加盲板,干完再拆盲板", "both"),
        ("盲板抽堵作业", None), ("P-101B入口盲板", None), ("", None), ("抽真空机出口盲板", None), ("堵漏处盲板", None),
        ("盲板抽堵:P-101B入口加盲板", "insert"), ("取样口加盲板", "insert"), ("装车泵出口盲板", None), ("拆保温,加盲板", "insert"),
    ],
)  # fmt: skip
def test_the_action_by_the_words(words, action):
    assert action_in(words) == action
