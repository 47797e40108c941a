"""`flask export-people FILE`: who is in the platforms' directories, as the table to fill in and import."""

from __future__ import annotations

from pathlib import Path

import click

from bot.platforms.base import PlatformError
from jobs.context import Services
from tools.importing import export_people


def command(services: Services) -> click.Command:
    @click.command("export-people", help="Write the platforms' directories as an XLSX file that import-people reads.")
    @click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
    def run(file: Path) -> None:
        if not services.platforms:
            raise click.ClickException("没有配置任何平台,先设置 ANSHAO_WECOM_* 或 ANSHAO_DINGTALK_*")
        directories = {}
        for name, platform in services.platforms.items():
            try:
                directories[name] = list(platform.members())
            except PlatformError as error:
                remedy = error.remedy or "检查应用的可见范围和通讯录权限"
                raise click.ClickException(f"{platform.title}的通讯录读不到({error.code}):{remedy}") from error
            click.echo(f"{platform.title}:可见范围内{len(directories[name])}人")
        with services.new_work(read_only=True) as work:
            done = export_people(work, directories, file)
        click.echo(f"已写入{file}:已登记{done.known}人,新的{done.new}人(请补工号、班组、角色,再 import-people)")
        if done.gone:
            click.echo(f"名册里有{len(done.gone)}人的账号不在通讯录里了,请核对:{'、'.join(done.gone)}")

    return run
