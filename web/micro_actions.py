"""`/h5/micro-actions`: micro-actions outside of permits with their evidence, to be shown to an inspector; as a table too."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import timedelta

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from cards.words import local, name_of
from handlers import moment_records
from handlers.moment_records import NAMES, Record
from storage.unit_of_work import UnitOfWork
from web.context import WebContext
from web.errors import Refused
from web.media import picture_url
from web.session import needs_person, visitor

DAYS = (1, 7, 30, 366)
SHOWN, TABLED = 100, 5000
HEAD = (
    *("编号", "微动作", "名称", "时间", "区域", "位置", "内容", "结果", "做的人", "第二人", "第二人时间"),
    *("氧含量%", "设定值%", "照片SHA256", "依据"),
)
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a table program would compute such a cell


def routes(ctx: WebContext) -> Blueprint:
    pages = Blueprint("micro_actions", __name__)

    @pages.get("/h5/micro-actions")
    @needs_person(ctx)
    def shown() -> ResponseReturnValue:
        with ctx.new_work(read_only=True) as work:
            _need_reader(work)
            rows, days, micro = _asked(work, SHOWN + 1)
            lines = [
                {
                    "title": f"{row.micro} {row.name}",
                    "words": row.words,
                    "result": row.result_zh,
                    "bad": row.result in ("differs", "failed"),
                    "open": row.result == "waiting",
                    "who": name_of(row.by) + (f"、{row.second.name}" if row.second is not None else ""),
                    "when": local(row.at),
                    "place": row.area.name,
                    "photo": picture_url(ctx.secret_key, ctx.public_url, row.photo, clock=ctx.clock)
                    if row.photo
                    else "",
                }
                for row in rows[:SHOWN]
            ]
        more = len(rows) > SHOWN
        return render_template(
            "micro_actions.html", lines=lines, more=more, days=days, micro=micro, choices=DAYS, names=NAMES
        )

    @pages.get("/h5/micro-actions.csv")
    @needs_person(ctx)
    def table() -> ResponseReturnValue:
        with ctx.new_work(read_only=True) as work:
            _need_reader(work)
            rows, _, _ = _asked(work, TABLED)
            text = _table(ctx, rows)
            name = f"micro-actions-{ctx.local(work.at):%Y%m%d}.csv"
        answer = Response("\ufeff" + text, mimetype="text/csv")
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return answer

    return pages


def _need_reader(work: UnitOfWork) -> None:
    if not moment_records.may_see(work.people.get(visitor().person_id)):
        raise Refused(403, moment_records.NOT_YOURS)


def _asked(work: UnitOfWork, limit: int) -> tuple[list[Record], int, str]:
    """(records, days back, micro-action) by the address; what it does not know is taken as the usual."""
    given = request.args.get("days", "")
    days = int(given) if given in {str(n) for n in DAYS} else 30
    micro = request.args.get("micro", "")
    micro = micro if micro in NAMES else ""
    rows = moment_records.page(work, micro=micro or None, since=work.at - timedelta(days=days), limit=limit)
    return rows, days, micro


def _table(ctx: WebContext, rows: Iterable[Record]) -> str:
    made = io.StringIO()
    out = csv.writer(made)
    out.writerow(HEAD)
    for row in rows:
        cells = [row.ref, row.micro, row.name, f"{ctx.local(row.at):%Y-%m-%d %H:%M:%S}", row.area.name, row.where]
        cells += [row.words, row.result_zh, name_of(row.by), row.second.name if row.second is not None else ""]
        cells.append(f"{ctx.local(row.second_at):%Y-%m-%d %H:%M:%S}" if row.second_at is not None else "")
        cells += [f"{number:g}" if number is not None else "" for number in (row.value, row.limit)]
        out.writerow([_cell(text) for text in (*cells, row.photo, "企业做法")])
    return made.getvalue()


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text
