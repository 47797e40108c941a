from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from search.postings import Planes, Posting, positions_of, row_of

CARDS = 150
rows = st.sets(st.integers(0, CARDS - 1), min_size=1)
weighted = st.lists(st.tuples(rows, st.integers(0, 300)), max_size=12)


def planes_of(additions):
    planes, plain = Planes(), [0] * CARDS
    for cards, weight in additions:
        planes.add(sum(1 << card for card in cards), weight)
        for card in cards:
            plain[card] += weight
    return planes, plain


@given(weighted)
def test_planes_add_like_a_list(additions):
    planes, plain = planes_of(additions)
    reader = planes.reader()
    assert [reader[card] for card in range(CARDS)] == plain


@given(weighted, weighted)
def test_two_sums_add_up(one, other):
    (first, plain), (second, more) = planes_of(one), planes_of(other)
    reader = first.plus(second).reader()
    assert [reader[card] for card in range(CARDS)] == [a + b for a, b in zip(plain, more, strict=True)]


@given(weighted, rows, st.integers(1, 40))
def test_top_takes_the_greatest_sums(additions, among, count):
    planes, plain = planes_of(additions)
    chosen = planes.top(sum(1 << card for card in among), count)
    best = sorted((plain[card] for card in among if plain[card]), reverse=True)[:count]
    assert sorted((plain[card] for card in chosen), reverse=True) == best
    assert set(chosen) <= among and len(set(chosen)) == len(chosen)


@given(st.lists(st.integers(0, 5), max_size=60), st.integers(1, 9))
def test_a_posting_row_keeps_up_with_what_is_added(gaps, every):
    posting, position, expected = Posting(), 0, set()
    for number, gap in enumerate(gaps):
        position += gap + 1
        posting.add(position)
        expected.add(position)
        if number % every == 0:
            assert set(positions_of(posting.row(), 1000)) == expected
    assert set(positions_of(posting.row(), 1000)) == expected
    if expected:
        assert row_of(posting.positions) == posting.row()
