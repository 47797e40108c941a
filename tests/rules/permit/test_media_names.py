"""What a ledger's field names as media."""

from __future__ import annotations

import pytest

from rules.permit.gas import media
from rules.permit.media_names import media_names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("甲醇", ["甲醇"]),
        (" 甲醇 ", ["甲醇"]),
        ("甲醇、水", ["甲醇", "水"]),
        ("甲醇/水", ["甲醇", "水"]),
        ("甲醇，硫化氢;氢气", ["甲醇", "硫化氢", "氢气"]),
        ("甲醇和水", ["甲醇", "水"]),
        ("饱和蒸汽", ["饱和蒸汽"]),
        ("甲醇(99.9%)", ["甲醇"]),
        ("甲醇（液态）", ["甲醇"]),
        ("≥99.5%甲醇", ["甲醇"]),
        ("天然气(含少量硫化氢)", ["天然气", "硫化氢"]),
        ("1,3-丁二烯", ["1,3-丁二烯"]),
        ("甲醇,水", ["甲醇", "水"]),
        ("粗醇、水", ["粗醇", "水"]),  # what is unknown is not lost
        ("甲醇、高温液体", ["甲醇", "高温液体"]),  # a medium of the lexicon, no note
        ("气体", ["气体"]),
        ("甲醇、甲醇", ["甲醇"]),
    ],
)
def test_media_of_a_field(text, names):
    assert media_names(text) == names


def test_every_medium_of_the_lexicon_stays_whole():
    for medium in set(media().values()):
        assert media_names(medium.zh) == [medium.zh]
