"""`flask import-risks FILE`: the register of risks, with the question that the file does not answer itself."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from jobs.context import Services
from rules.lec import Boundary, RiskLevel, Scheme
from tools.importing import TableError, import_risks

QUESTION = (
    "D值怎样换算成四色?\n"
    "  A  大于320红、大于160橙、大于70黄,其余蓝(多数企业)\n"
    "  B  同A,边界值取高一级\n"
    "  C  270红、140橙、70黄,边界值取高一级\n"
    "  D  五级:同A,20以下另列一级,也是蓝\n"
    "  E  160红、70橙、20黄,边界值取高一级\n"
    "方案"
)


def command(services: Services) -> click.Command:
    schemes, boundaries = [s.value for s in Scheme], [b.value for b in Boundary]

    @click.command(
        "import-risks", help="Import 《危险源辨识与风险评价表》 (CSV or XLSX); what does not add up is reported."
    )
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--scheme", type=click.Choice(schemes), help="How D becomes a colour; asked when left out.")
    @click.option("--boundary", type=click.Choice(boundaries), help="What a D exactly on a limit becomes.")
    def run(file: Path, scheme: str | None, boundary: str | None) -> None:
        if scheme is None and sys.stdin.isatty():
            scheme = click.prompt(QUESTION, type=click.Choice(schemes), default=Scheme.A.value)
        chosen, limit = Scheme(scheme or Scheme.A), Boundary(boundary) if boundary else None
        with services.new_work() as work:
            try:
                report = import_risks(work, file, scheme=chosen, boundary=limit)
            except TableError as error:
                raise click.ClickException(str(error)) from error
            work.commit()
            counts = work.risks.counts()
        click.echo(f"风险:新增{report.added},更新{report.changed},不变{report.same},有问题{len(report.bad)}")
        click.echo("现有:" + "、".join(f"{level.zh}{counts.get(level.value, 0)}" for level in RiskLevel))
        click.echo(f"D值按方案{chosen.value}换算;本厂用别的方案时加 --scheme 再导入一次")
        if report.notes:
            click.echo(f"待核对{len(report.notes)}处(表里的写法都保留了):")
        for number, words in report.notes:
            click.echo(f"  第{number}行 待核对:{words}")
        for number, words in report.bad:
            click.echo(f"  第{number}行 没有导入:{words}", err=True)
        if report.bad:
            raise SystemExit(1)

    return run
