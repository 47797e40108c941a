from __future__ import annotations

import pytest

from search import Card, Index, load_embedder


def test_not_configured():
    embedder, status = load_embedder(None)
    assert embedder is None and not status.ready and "未配置" in status.message


def test_a_directory_without_the_file(tmp_path):
    embedder, status = load_embedder(tmp_path)
    assert embedder is None and not status.ready and "vectors.vec" in status.message


@pytest.mark.parametrize("content", ["", "泵 1 0\n风机 1\n", "泵 one two\n"])
def test_a_broken_file_is_reported(tmp_path, content):
    (tmp_path / "vectors.vec").write_text(content, encoding="utf-8")
    embedder, status = load_embedder(tmp_path)
    assert embedder is None and not status.ready and "读不了" in status.message


def test_vectors_break_a_tie(tmp_path):
    (tmp_path / "vectors.vec").write_text("3 2\n芝麻 1 0\n胡麻 0.9 0.1\n核桃 0 1\n", encoding="utf-8")
    embedder, status = load_embedder(tmp_path)
    assert status.ready
    cards = [
        Card(id=name, title=f"榨{seed}的机子抖", machines=("motor",), signs=("shake",))
        for name, seed in (("A", "核桃"), ("B", "胡麻"))
    ]
    assert Index(cards).search("电机抖 芝麻").hits[0].id == "A"
    assert Index(cards, embedder=embedder).search("电机抖 芝麻").hits[0].id == "B"
