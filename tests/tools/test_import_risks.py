"""《危险源辨识与风险评价表》 as plants draw it: titles, two-line headings, merged cells; and what the report says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from openpyxl import Workbook

from rules.lec import Scheme
from storage.models import Area, Person
from storage.unit_of_work import UnitOfWork
from tools.importing import TableError, import_risks

pytestmark = pytest.mark.sqlite_suffices

PLAIN = "序号,风险点,作业活动,危险源,可能导致的事故,L,E,C,D,风险等级,现有控制措施,责任单位,责任人\n"


@pytest.fixture
def work(engine):
    with UnitOfWork(engine, datetime(2026, 11, 24, 1, tzinfo=UTC)) as made:
        made.db.add(Area(code="GQ", name="甲醇罐区", workshop="储运车间"))
        made.db.add(Person(code="w1", name="王芳", created_at=made.at))
        made.flush()
        yield made


def csv(folder, *lines, head=PLAIN):
    path = folder / "risks.csv"
    path.write_text(head + "\n".join(lines), encoding="utf-8-sig")
    return path


def test_a_drawn_form_with_merged_cells_and_a_footer(work, tmp_path):
    book = Workbook()
    sheet = book.active
    for row in (
        ["危险源辨识与风险评价表"] + [""] * 13,
        ["序\n号", "区域/部位", "作业活动", "危险有害因素", "可能导致的事故类型", "作业条件危险性评价", "", "", "",
         "风险\n等级", "控制措施", "", "责任部门", "责任人"],
        ["", "", "", "", "", "L(可能性)", "E(频繁程度)", "C(后果)", "D", "", "工程技术", "管理", "", ""],
        ["一、储罐"] + [""] * 13,
        [1, "甲醇罐区", "卸车", "静电未释放", "火灾", 3, 6, 15, 270, "较大", "静电接地报警", "双人确认", "储运车间", "王芳"],
        [2, "", "", "软管脱落", "泄漏", 3, 3, 7, 63, "低", "快速接头", "", "储运车间", "王芳"],
        [3, "", "巡检", "平台护栏松动", "高处坠落", 1, 6, 15, 90, "Ⅲ级", "", "每班巡检", "", ""],
        ["编制:张三  审核:李四"] + [""] * 13,
    ):  # fmt: skip
        sheet.append(row)
    for area in (
        "A1:N1", "F2:I2", "K2:L2", "A2:A3", "B2:B3", "C2:C3", "D2:D3", "E2:E3", "J2:J3", "M2:M3", "N2:N3",
        "A4:N4", "B5:B7", "C5:C6", "M6:M7", "A8:N8",
    ):  # fmt: skip
        sheet.merge_cells(area)
    path = tmp_path / "form.xlsx"
    book.save(path)
    report = import_risks(work, path)
    assert (report.added, report.bad) == (3, [])
    rows = work.risks.page()
    assert [(r.place, r.activity, r.hazard, r.score, r.colour) for r in rows] == [
        ("甲醇罐区", "卸车", "静电未释放", 270, "orange"),
        ("甲醇罐区", "卸车", "软管脱落", 63, "blue"),
        ("甲醇罐区", "巡检", "平台护栏松动", 90, "yellow"),
    ]
    assert {r.area.code for r in rows} == {"GQ"}
    assert rows[0].owner.name == "王芳"
    assert rows[0].measures == {"engineering": "静电接地报警", "management": "双人确认"}
    assert rows[2].unit == "储运车间"  # a merged cell stands in each of its rows
    assert report.notes == []


def test_what_does_not_add_up_is_reported_by_row_and_stays_as_written(work, tmp_path):
    report = import_risks(
        work,
        csv(
            tmp_path,
            "1,甲醇罐区,卸车,静电,火灾,3,6,15,207,低,接地,储运车间,王芳",
            "2,甲醇罐区,卸车,泄漏,中毒和窒息,3,6,7,126,一般,,,",
            "3,锅炉房,巡检,超压,容器爆炸,1,6,15,90,一般,安全阀,动力车间,赵一",
        ),
    )
    assert (report.added, report.bad) == (3, [])
    said = {number: [w for n, w in report.notes if n == number] for number in (2, 3, 4)}
    assert ["D=207" in said[2][0], "应为较大风险" in said[2][1]] == [True, True]
    assert [any(part in w for w in said[3]) for part in ("控制措施", "责任", "中毒、窒息")] == [True] * 3
    assert [any(part in w for w in said[4]) for part in ("锅炉房", "赵一")] == [True] * 2
    first = work.risks.page()[0]
    assert (first.score_written, first.score, first.colour, first.computed, first.to_check) == (
        207,
        270,
        "blue",
        "orange",
        True,
    )
    assert [r.hazard for r in work.risks.page(to_check=True)] == ["静电", "泄漏", "超压"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("1,甲醇罐区,卸车,,火灾,3,6,15,270,较大,接地,储运车间,王芳", "缺少危险源"),
        ("1,甲醇罐区,卸车,静电,火灾,4,6,15,360,较大,接地,储运车间,王芳", "L=4 不在取值表内"),
        ("1,甲醇罐区,卸车,静电,火灾,很可能,6,15,,较大,接地,储运车间,王芳", "不是数字"),
        ("1,甲醇罐区,卸车,静电,火灾,,,,,见附件,接地,储运车间,王芳", "至少补一样"),
        ("1,甲醇罐区,卸车,好的,火灾,3,6,15,270,较大,接地,储运车间,王芳", "重复"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_and_the_others_come_in(work, tmp_path, line, words):
    good = "9,甲醇罐区,卸车,好的,火灾,3,6,15,270,较大,接地,储运车间,王芳"
    report = import_risks(work, csv(tmp_path, good, line))
    assert report.added == 1
    assert [number for number, _ in report.bad] == [3]
    assert words in report.bad[0][1]


def test_again_changes_nothing_and_a_new_value_changes_one(work, tmp_path):
    lines = [f"{n},甲醇罐区,卸车,危险{n},火灾,3,6,15,270,较大,接地,储运车间,王芳" for n in range(3)]
    import_risks(work, csv(tmp_path, *lines))
    assert import_risks(work, csv(tmp_path, *lines)).same == 3
    lines[1] = lines[1].replace("270,较大", "270,重大")
    again = import_risks(work, csv(tmp_path, *lines))
    assert (again.same, again.changed) == (2, 1)


def test_another_scheme_gives_other_colours(work, tmp_path):
    head = "风险点,危险源,D,措施,责任人\n"
    path = csv(tmp_path, "甲醇罐区,静电,320,接地,王芳", head=head)
    import_risks(work, path)
    assert work.risks.page()[0].colour == "orange"
    import_risks(work, path, scheme=Scheme.B)
    assert (work.risks.page()[0].colour, work.risks.page()[0].scheme) == ("red", "B")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", "姓名,电话\n张三,1\n".encode(), "没有找到表头"),
        ("a.csv", b"", "没有找到表头"),
        ("a.xlsx", b"PK\x03\x04broken", "打不开"),
        ("a.xls", b"\xd0\xcf\x11\xe0" + b"\0" * 64, "旧的 xls"),
        ("a.csv", b"\xff\xfe\x00\xd8\x00", "编码"),
    ],
)
def test_a_file_that_is_no_such_form_says_why(work, tmp_path, name, content, words):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(TableError, match=words):
        import_risks(work, path)
