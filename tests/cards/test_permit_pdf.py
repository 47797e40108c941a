"""The permit's sheet: every box of the standard's form, on paper."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cards.pdf import PermitSheet, SheetGas, SheetMeasure, SheetOpinion, SheetPerson, permit_pdf
from cards.pdf.permit import forms
from rules.permit import Work

AT = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)


def sheet(work: str = "hot_work", measures: int = 16, gas: int = 3) -> PermitSheet:
    return PermitSheet(
        number="ZY-0042",
        work=work,
        level="一级" if work == "hot_work" else "",
        state="作业中",
        plant="青岩精细化工有限公司",
        verify_url="https://anshao.example/h5/permits/ZY-0042/verify?sig=abcdefghijklmnop",
        printed_at=AT,
        applicant_unit="合成车间",
        applicant="李强",
        applied_at=AT - timedelta(hours=2),
        place="甲醇罐区 · P-101A 甲醇泵出口管线",
        content="更换出口管线法兰,焊接DN80管段一处",
        work_unit="检维修一班",
        leader="陈刚",
        guardian=SheetPerson("王芳", "JH-2025-0113"),
        workers=(SheetPerson("赵铁", "T3702-0091"), SheetPerson("孙明", "T3702-0177")),
        related=("ZY-0041(临时用电)",),
        hazards=("火灾", "爆炸", "灼烫", "中毒和窒息"),
        start=AT,
        end=AT + timedelta(hours=6),
        started_at=AT + timedelta(minutes=8),
        gas=tuple(
            SheetGas(AT - timedelta(minutes=15 - n), "甲醇", "0.10 %vol", "周敏", f"动火点{'上中下'[n % 3]}部")
            for n in range(gas)
        ),
        measures=tuple(
            SheetMeasure(
                f"第{n}项:动火设备内部构件清洗干净,蒸汽吹扫或水洗置换合格,达到动火条件", n % 5 != 0, "王芳", AT
            )
            for n in range(1, measures + 1)
        ),
        briefer="李强",
        briefed=("赵铁", "孙明"),
        opinions=(
            SheetOpinion("作业负责人意见", "措施已落实,同意", "陈刚", AT),
            SheetOpinion("动火审批人意见", "同意,现场已确认", "刘安", AT),
        ),
        verdict="通过",
        verdict_basis="依据 GB 30871-2022",
        own={"method": "电焊、角磨机"},
    )


def pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", pdf))


@pytest.fixture
def text_of(tmp_path: Path):  # type: ignore[no-untyped-def]
    if shutil.which("pdftotext") is None:
        pytest.skip("no pdftotext (apt install poppler-utils)")

    def read(pdf: bytes) -> str:
        path = tmp_path / "sheet.pdf"
        path.write_bytes(pdf)
        text = subprocess.run(["pdftotext", "-raw", path, "-"], capture_output=True, check=True, text=True).stdout
        return re.sub(r"\s", "", text)

    return read


@pytest.mark.parametrize("work", list(Work))
def test_every_work_has_its_form_on_one_page(work: Work):
    made = permit_pdf(sheet(work.value))
    assert made.startswith(b"%PDF-")
    assert pages(made) == 1
    assert b"AnShaoSans" in made  # embedded, whatever the reader has
    assert len(made) < 300_000


def test_works_and_forms_are_the_same():
    assert set(forms()) == {work.value for work in Work}


def test_what_was_filled_in_can_be_read(text_of):  # type: ignore[no-untyped-def]
    text = text_of(permit_pdf(sheet()))
    for part in (
        "动火安全作业票", "ZY-0042", "级别:一级", "【作业中】", "李强2026-11-2407:00", "赵铁(T3702-0091)",
        "王芳(JH-2025-0113)", "电焊、角磨机", "0.10%vol", "2026-11-2408:45", "不涉及", "王芳11-2409:00",
        "动火审批人意见:同意,现场已确认", "签字:刘安2026-11-2409:00", "完工验收:", "自2026-11-2409:00至2026-11-2415:00",
        "实际:自2026-11-2409:08至—", "表A.1", "法定审批人须在作业现场审批", "ZY-0041(临时用电)",
    ):  # fmt: skip
        assert part in text, part


@pytest.mark.parametrize("work", list(Work))
def test_all_labels_of_the_form_are_printed_even_when_empty(work: Work, text_of):  # type: ignore[no-untyped-def]
    empty = PermitSheet("ZY-1", work.value, "", "填写中", "厂", "https://a.example/v", AT)
    form = forms()[work.value]
    text = text_of(permit_pdf(empty))
    labels = [form["title"], form["people"], form["place"], *(label for _, label in form["own"]), *form["opinions"]]
    assert [label for label in labels if re.sub(r"\s", "", label) not in text] == []
    assert ("分析结果" in text) is form["gas"]


def test_too_much_for_one_page_goes_over_two_and_loses_nothing(text_of):  # type: ignore[no-untyped-def]
    made = permit_pdf(sheet(measures=70, gas=24))
    assert pages(made) >= 2
    text = text_of(made)
    assert all(f"第{n}项" in text for n in range(1, 71))
    assert text.count("0.10%vol") == 24
    assert "第2页" in text


def test_marks_of_html_in_what_people_wrote_are_only_text(text_of):  # type: ignore[no-untyped-def]
    made = permit_pdf(replace(sheet(), content="换<b>阀&门</b>", place="a<br/>b", hazards=("<font color=red>",)))
    assert "换<b>阀&门</b>" in text_of(made)


def test_the_same_sheet_is_the_same_file():
    assert permit_pdf(sheet()) == permit_pdf(sheet())
