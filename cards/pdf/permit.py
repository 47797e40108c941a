"""The permit (安全作业票) as a PDF: the boxes of GB 30871-2022 tables A.1 to A.8, one page A4 where it fits."""

from __future__ import annotations

import io
import tomllib
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate, Paragraph, Table, TableStyle

from cards.images import qr_png
from cards.pdf.sheet import PermitSheet, SheetMeasure, SheetOpinion, SheetPerson
from cards.words import zone

FONT = "AnShaoSans"
FONT_FILE = Path(__file__).parents[1] / "fonts" / "AnShaoSans-Regular.ttf"
SIZES = (10.0, 9.5, 9.0, 8.5, 8.0, 7.5, 7.0, 6.5)  # points; the largest that keeps the sheet on one page
LONG = 8.0  # points, when it is several pages anyway
SIDE, FOOT = 12 * mm, 13 * mm
HEAD = 24 * mm
WIDTH = A4[0] - 2 * SIDE
QR_SIDE = 20 * mm
BLANK_GAS_ROWS = 3  # the form's own number of sampling rows, so that a sheet can be filled by hand
GAP = "\u00a0" * 4  # room to write by hand; plain spaces would be drawn as one
AID = "判定是辅助:法定审批人须在作业现场审批(4.11 a)。"
SHADE = colors.HexColor("#eef1f4")
LINE = colors.HexColor("#333333")
STAMP = {"已叫停": "#c62828", "不予批准": "#c62828", "已到期": "#8a6d00", "已撤回": "#57606a", "已关闭": "#57606a"}


@cache
def forms() -> Mapping[str, Mapping[str, Any]]:
    """The forms by work; see the head of forms.toml."""
    with (Path(__file__).parent / "forms.toml").open("rb") as file:
        return tomllib.load(file)["form"]


@cache
def _use_font() -> str:
    pdfmetrics.registerFont(TTFont(FONT, FONT_FILE))
    return FONT


def permit_pdf(sheet: PermitSheet) -> bytes:
    """The sheet as a PDF. The letters shrink until it is one page; if the smallest will not do, it takes two."""
    font, made = _use_font(), b""
    for size in SIZES:
        made, pages = _drawn(sheet, font, size)
        if pages == 1:
            return made
    made, _ = _drawn(sheet, font, LONG)  # over several pages: readable again
    return made


def _drawn(sheet: PermitSheet, font: str, size: float) -> tuple[bytes, int]:
    out = io.BytesIO()
    title = f"{forms()[sheet.work]['title']} {sheet.number}"
    document = BaseDocTemplate(
        out, pagesize=A4, title=title, author=sheet.plant, creator="AnShao 安哨", subject="GB 30871-2022", invariant=1
    )
    frame = Frame(SIDE, FOOT, WIDTH, A4[1] - HEAD - FOOT, leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0)
    qr = ImageReader(io.BytesIO(qr_png(sheet.verify_url)))

    def around(canvas: Canvas, _document: BaseDocTemplate) -> None:
        _head_and_foot(canvas, sheet, font, qr)

    document.addPageTemplates(PageTemplate(frames=[frame], onPage=around))
    document.build(_Form(sheet, font, size).parts())
    return out.getvalue(), document.page


def _head_and_foot(canvas: Canvas, sheet: PermitSheet, font: str, qr: ImageReader) -> None:
    form = forms()[sheet.work]
    top = A4[1]
    canvas.saveState()
    canvas.setFont(font, 17)
    canvas.drawCentredString(A4[0] / 2, top - 14 * mm, form["title"])
    canvas.setFont(font, 9)
    canvas.drawString(SIDE, top - 8 * mm, sheet.plant)
    canvas.drawString(SIDE, top - 21 * mm, f"编号:{sheet.number}")
    canvas.drawCentredString(A4[0] / 2, top - 21 * mm, f"{f'级别:{sheet.level}' if sheet.level else ''}")
    canvas.drawImage(qr, A4[0] - SIDE - QR_SIDE, top - 23 * mm, QR_SIDE, QR_SIDE)
    canvas.setFont(font, 10)
    canvas.setFillColor(colors.HexColor(STAMP.get(sheet.state, "#1a7f37")))
    canvas.drawRightString(A4[0] - SIDE - QR_SIDE - 3 * mm, top - 21 * mm, f"【{sheet.state}】")
    canvas.setFillColor(colors.HexColor("#57606a"))
    canvas.setFont(font, 7)
    canvas.drawString(SIDE, 8 * mm, f"依据 GB 30871-2022 附录A {form['table']}。{AID}")
    right = f"{_time(sheet.printed_at)} 生成 · 扫码核验 · 第{canvas.getPageNumber()}页"
    canvas.drawRightString(A4[0] - SIDE, 8 * mm, right)
    canvas.restoreState()


def _time(at: datetime | None) -> str:
    return at.astimezone(zone()).strftime("%Y-%m-%d %H:%M") if at else ""


def _span(start: datetime | None, end: datetime | None) -> str:
    if start is None and end is None:
        return ""
    return f"自 {_time(start) or '—'} 至 {_time(end) or '—'}"


def _people(people: Sequence[SheetPerson]) -> str:
    return "、".join(f"{p.name}({p.certificate})" if p.certificate else p.name for p in people)


class _Form:
    """The tables of one sheet, in the order of the standard's form."""

    def __init__(self, sheet: PermitSheet, font: str, size: float) -> None:
        self.sheet, self.form = sheet, forms()[sheet.work]
        self.pad = 1.6 + (size - SIZES[-1]) * 0.5
        self.plain = ParagraphStyle("plain", fontName=font, fontSize=size, leading=size * 1.3, wordWrap="CJK")
        self.centred = ParagraphStyle("centred", parent=self.plain, alignment=TA_CENTER)

    def parts(self) -> list[Flowable]:
        found = [self._about(), self._own()]
        if self.form["gas"] or self.sheet.gas:
            found.append(self._gas())
        found += [self._plan(), self._measures(), self._signed()]
        return [part for part in found if part is not None]

    # -- cells

    def _text(self, text: str, *, centred: bool = False) -> Paragraph:
        return Paragraph(escape(text).replace("\n", "<br/>"), self.centred if centred else self.plain)

    def _label(self, text: str) -> Paragraph:
        return self._text(text, centred=True)

    def _table(
        self, rows: list[list[Any]], widths: Sequence[float], *, spans: Sequence[tuple] = (), repeat: int = 0
    ) -> Table:
        """`widths` are shares of the sheet's width; `spans` are commands of reportlab's TableStyle."""
        table = Table(rows, colWidths=[WIDTH * share for share in widths], repeatRows=repeat)
        style = [
            ("GRID", (0, 0), (-1, -1), 0.5, LINE),
            ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            *((f"{side}PADDING", (0, 0), (-1, -1), self.pad) for side in ("TOP", "BOTTOM")),
            *((f"{side}PADDING", (0, 0), (-1, -1), 3) for side in ("LEFT", "RIGHT")),
            *spans,
        ]
        table.setStyle(TableStyle(style))
        return table

    # -- blocks

    def _about(self) -> Table:
        sheet = self.sheet
        pairs = [
            (
                "作业申请单位",
                sheet.applicant_unit,
                "申请人和申请时间",
                f"{sheet.applicant} {_time(sheet.applied_at)}".strip(),
            ),
            (self.form["place"], sheet.place, "作业内容", sheet.content),
            ("作业单位", sheet.work_unit, "作业负责人", sheet.leader),
            (self.form["people"], _people(sheet.workers), "监护人及合格证编号", _people([sheet.guardian])),
        ]
        return self._pairs(pairs)

    def _own(self) -> Table | None:
        """Boxes that only this work has, two in a row."""
        boxes = [(label, self.sheet.own.get(key, "")) for key, label in self.form["own"]]
        if len(boxes) % 2:
            boxes.append(("", ""))
        pairs = [(*boxes[n], *boxes[n + 1]) for n in range(0, len(boxes), 2)]
        return self._pairs(pairs) if pairs else None

    def _pairs(self, pairs: Sequence[tuple[str, str, str, str]]) -> Table:
        rows = [[self._label(a), self._text(b), self._label(c), self._text(d)] for a, b, c, d in pairs]
        spans = [("SPAN", (1, n), (3, n)) for n, pair in enumerate(pairs) if not pair[2]]
        shade = [("BACKGROUND", (x, n), (x, n), SHADE) for n, pair in enumerate(pairs) for x in (0, 2) if pair[x]]
        return self._table(rows, (0.15, 0.35, 0.15, 0.35), spans=[*spans, *shade])

    def _gas(self) -> Table:
        head = [
            self._label(text) for text in ("气体取样分析", "取样分析时间", "部位", "代表性气体", "分析结果", "分析人")
        ]
        rows = [
            ["", *(self._text(cell, centred=True) for cell in (_time(g.at), g.point, g.gas, g.result, g.by))]
            for g in self.sheet.gas
        ]
        rows += [[self._text(GAP) for _ in head] for _ in range(BLANK_GAS_ROWS - len(rows))]
        spans = [
            ("SPAN", (0, 0), (0, len(rows))),
            ("BACKGROUND", (0, 0), (-1, 0), SHADE),
            ("BACKGROUND", (0, 0), (0, -1), SHADE),
        ]
        if len(rows) > 12:  # one cell cannot break over two pages
            spans = spans[1:]
        return self._table([head, *rows], (0.15, 0.19, 0.16, 0.18, 0.2, 0.12), spans=spans)

    def _plan(self) -> Table:
        sheet = self.sheet
        real = f"\n实际:{_span(sheet.started_at, sheet.ended_at)}" if sheet.started_at else ""
        rows = [
            ("关联的其他特殊作业及安全作业票编号", "、".join(sheet.related) or "无"),
            ("风险辨识结果", ";".join(sheet.hazards)),
            ("作业实施时间", _span(sheet.start, sheet.end) + real),
        ]
        if sheet.verdict:
            basis = f"({sheet.verdict_basis})" if sheet.verdict_basis else ""
            rows.append(("合规判定", f"{sheet.verdict}{basis}"))
        cells = [[self._label(label), self._text(text)] for label, text in rows]
        return self._table(cells, (0.15, 0.85), spans=[("BACKGROUND", (0, 0), (0, -1), SHADE)])

    def _measures(self) -> Table:
        """The rows of the standard's form, then what the plant adds, then room for other measures."""
        head = [self._label(text) for text in ("序号", "安全措施", "是否涉及", "确认人、时间")]
        rows = [
            [
                self._text(m.row or "+", centred=True),
                self._text(m.text),
                self._text(_involved(m), centred=True),
                self._text(_by(m), centred=True),
            ]
            for m in self.sheet.measures
        ]
        other = [self._text("", centred=True), self._text(f"其他安全措施:{GAP * 8}编制人:{GAP * 2}"), "", ""]
        shade = [("BACKGROUND", (0, 0), (-1, 0), SHADE)]
        return self._table([head, *rows, other], (0.08, 0.58, 0.09, 0.25), spans=shade, repeat=1)

    def _signed(self) -> Table:
        """Briefing, then every opinion of the form; what the plant asks for beyond the form follows."""
        sheet = self.sheet
        briefed = f"安全交底人:{sheet.briefer or GAP * 4}{GAP}接受交底人:{'、'.join(sheet.briefed) or GAP}{GAP}监护人:{sheet.guardian.name}"
        rows: list[list[Any]] = [[self._text(briefed), ""]]
        given = {opinion.title: opinion for opinion in sheet.opinions}
        titles = [*self.form["opinions"][:-1], *(t for t in given if t not in self.form["opinions"])]
        for title in [*titles, self.form["opinions"][-1]]:
            rows.append(self._opinion(given.get(title, SheetOpinion(title))))
        return self._table(rows, (0.68, 0.32), spans=[("SPAN", (0, 0), (1, 0))])

    def _opinion(self, opinion: SheetOpinion) -> list[Any]:
        signed = (
            f"签字:{opinion.by}  {_time(opinion.at)}" if opinion.by else f"签字:{GAP * 3}年{GAP}月{GAP}日{GAP}时{GAP}分"
        )
        return [self._text(f"{opinion.title}:{opinion.words}"), self._text(signed)]


def _involved(measure: SheetMeasure) -> str:
    return {None: "", True: "涉及", False: "不涉及"}[measure.involved]


def _by(measure: SheetMeasure) -> str:
    if not measure.by:
        return ""
    when = f"{measure.at.astimezone(zone()):%m-%d %H:%M}" if measure.at else ""
    return " ".join(part for part in (measure.by, when, measure.proof) if part)
