"""Experience cards as tables: what comes in, what is refused by row, and that an export comes back unchanged."""

from __future__ import annotations

import pytest
from openpyxl import Workbook, load_workbook

from handlers.knowledge import starter
from storage.models import Person
from storage.unit_of_work import UnitOfWork
from tools.importing import TableError, export_cards, import_cards

pytestmark = pytest.mark.sqlite_suffices

HEAD = ["编号", "声音或征兆", "设备", "怀疑", "先做", "危险信号", "口语说法", "作者工号", "署名", "审核人工号", "状态"]


@pytest.fixture
def work(engine):
    from datetime import UTC, datetime

    with UnitOfWork(engine, datetime(2026, 11, 24, 1, tzinfo=UTC)) as made:
        for code, name in (("m1", "马德顺"), ("w1", "王芳")):
            made.db.add(Person(code=code, name=name, created_at=made.at))
        made.flush()
        yield made


def sheet(path, *rows):
    book = Workbook()
    for row in [HEAD, *rows]:
        book.active.append(list(row))
    for line in book.active.iter_rows():
        for cell in line:
            cell.data_type = "s" if isinstance(cell.value, str) else cell.data_type
    book.save(path)
    return path


def row(code="", title="引风机嘎嘎响", first="先停机紧地脚", author="m1", reviewer="", state="", named="是"):
    return [code, title, "引风机", "地脚松", first, "越响越大就停", "嘎啦嘎啦;嘎吱", author, named, reviewer, state]


def test_a_reviewed_row_is_published_and_an_unreviewed_one_waits(work, tmp_path):
    report = import_cards(work, sheet(tmp_path / "a.xlsx", row(reviewer="w1"), row(title="皮带唱歌")))
    assert (report.added, report.bad) == (2, [])
    first, second = work.knowledge.by_code("JY-0001"), work.knowledge.by_code("JY-0002")
    assert (first.state, first.author.name, first.named, first.sayings) == (
        "published",
        "马德顺",
        True,
        ["嘎啦嘎啦", "嘎吱"],
    )
    assert (second.state, second.reviewed_by_id) == ("in_review", None)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (row(title=""), "缺少声音或征兆"),
        (row(author="nobody"), "不在名册里"),
        (row(reviewer="m1"), "作者不能审核自己"),
        (row(code="JY-0999"), "新卡请把编号留空"),
        (row(first="不用停机,短接联锁再开"), "请改了再导入"),
        (row(state="已发布"), "请填审核人"),
        (row(state="随便"), "状态"),
        (row(named="也许"), "是 或 否"),
        (row(title="长" * 201), "太长"),
    ],
)
def test_a_bad_row_is_named_and_the_others_come_in(work, tmp_path, bad, words):
    report = import_cards(work, sheet(tmp_path / "a.xlsx", bad, row(title="另一条")))
    assert report.added == 1
    assert [number for number, _ in report.bad] == [2] and words in report.bad[0][1]


def test_a_known_card_gets_a_new_edition(work, tmp_path):
    starter.load(work)
    held = work.knowledge.by_code("k01")  # its reviewer was read as nobody: whoever holds the card must see the new one
    report = import_cards(work, sheet(tmp_path / "a.xlsx", row(code="K01", title="电机尖叫", author="", reviewer="w1")))
    card = work.knowledge.by_code("k01")
    assert card is held
    assert (report.changed, card.edition, card.title, card.reviewed_by.name) == (1, 2, "电机尖叫", "王芳")
    assert card.reviewed_at == work.at and card.valid_until > work.at


def test_an_export_comes_back_without_a_change(work, tmp_path):
    import_cards(work, sheet(tmp_path / "a.xlsx", row(title="=HYPERLINK(1)", reviewer="w1")))
    assert export_cards(work, tmp_path / "out.xlsx") == 61
    before = work.knowledge.version()
    report = import_cards(work, tmp_path / "out.xlsx")
    assert (report.same, report.changed, report.added, report.bad) == (61, 0, 0, [])
    assert work.knowledge.version() == before
    cells = load_workbook(tmp_path / "out.xlsx").active
    assert all(cell.data_type != "f" for line in cells.iter_rows() for cell in line)


def test_a_table_without_the_needed_columns_is_refused(work, tmp_path):
    book = Workbook()
    book.active.append(["编号", "设备"])
    book.save(tmp_path / "b.xlsx")
    with pytest.raises(TableError, match="缺少这些列"):
        import_cards(work, tmp_path / "b.xlsx")
