"""`flask sync-certificates`: training and certificates from another system, now."""

from __future__ import annotations

import click

from connectors.errors import OutsideError
from jobs import certificates
from jobs.context import Services


def command(services: Services) -> click.Command:
    @click.command("sync-certificates", help="Fetch training and certificates from ANSHAO_TRAINING_URL now.")
    @click.option("--whole", is_flag=True, help="Read every page, also when nothing seems to have changed.")
    def sync(whole: bool) -> None:
        if services.training is None:
            raise click.ClickException(
                "没有配置培训系统:设置 ANSHAO_TRAINING_URL(见 docs/certificates.md),或用 flask import-certificates"
            )
        try:
            report = certificates.sync(services, whole=whole)
        except OutsideError as error:
            again = "核对 ANSHAO_TRAINING_URL 和 ANSHAO_TRAINING_TOKEN" if error.permanent else "稍后再试"
            raise click.ClickException(f"培训系统读不到({error.code}):{again};现有证书没有改动") from error
        if report is None:
            click.echo("证书:培训系统没有变化")
            return
        click.echo(
            f"证书:新增{report.added},更新{report.changed},不变{report.same},停用{report.gone},有问题{len(report.bad)}"
        )
        if report.touched:
            click.echo(f"重新判定{report.touched}张在办作业票")
        if report.kept:
            click.echo(
                f"  {report.kept}张证书在培训系统里不见了,一次太多,没有停用:请核对培训系统,确认后用 Excel 改有效期",
                err=True,
            )
        for number, reason in report.bad:
            click.echo(f"  第{number}条:{reason}", err=True)
        if report.bad or report.kept:
            raise SystemExit(1)

    return sync
