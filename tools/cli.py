"""The commands of `flask --app app …` (contract.md). Each opens one unit of work, says what it did, and exits 1 on failure."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from pathlib import Path

import click
from flask import Flask
from flask.cli import AppGroup

from bot.platforms.base import PlatformError
from jobs.context import Services
from jobs.queue import CHAT
from storage import schema
from storage.models import GroupChat
from storage.unit_of_work import UnitOfWork
from tools import cli_audit, cli_budgets, cli_edge, cli_people, cli_permits, cli_policy, cli_risks, cli_training, doctor
from tools.importing import (
    ImportReport,
    TableError,
    export_cards,
    import_areas,
    import_cards,
    import_certificates,
    import_detectors,
    import_equipment,
    import_people,
    import_roster,
    import_zones,
)

TOKEN_PREFIX = "anshao_"
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
Importer = Callable[[UnitOfWork, Path], ImportReport]


def register(app: Flask, services: Services) -> None:
    app.cli.add_command(_db(services))
    app.cli.add_command(_token(services))
    app.cli.add_command(cli_audit.group(services))
    app.cli.add_command(cli_policy.group(services))
    for name, what, importer in (
        ("import-people", "人员", import_people),
        ("import-areas", "区域", import_areas),
        ("import-equipment", "设备", import_equipment),
        ("import-detectors", "探测器", import_detectors),
        ("import-zones", "分区", import_zones),
        ("import-certificates", "证书", import_certificates),
        ("import-cards", "经验卡", import_cards),
        ("import-roster", "值班表", import_roster),
    ):
        app.cli.add_command(_import(services, name, what, importer))
    app.cli.add_command(cli_risks.command(services))
    app.cli.add_command(cli_people.command(services))
    app.cli.add_command(_export_cards(services))
    app.cli.add_command(cli_permits.command(services))
    app.cli.add_command(cli_training.command(services))
    app.cli.add_command(cli_edge.group(services))
    for command in cli_budgets.commands(services):
        app.cli.add_command(command)
    _single(app, services)


def _fail(words: str) -> click.ClickException:
    return click.ClickException(words)


def _db(services: Services) -> AppGroup:
    group = AppGroup("db", help="The database's schema.")

    @group.command("upgrade", help="Bring the database up to this version; safe to repeat.")
    def upgrade() -> None:
        before = schema.current(services.engine)
        after = schema.upgrade(services.engine)
        click.echo(f"数据库已是最新:{after}" if before == after else f"数据库已升级:{before or '空'} → {after}")

    @group.command("current", help="Say which revision the database is at.")
    def current() -> None:
        click.echo(f"{schema.current(services.engine) or '空'} (程序需要 {schema.head()})")

    return group


def _single(app: Flask, services: Services) -> None:
    @app.cli.command("doctor", help="Try everything the installation needs; exit 1 when something is missing.")
    def doctor_command() -> None:
        findings = list(doctor.examine(services))
        click.echo(doctor.table(findings))
        if not doctor.all_good(findings):
            raise SystemExit(1)

    @app.cli.command("set-menu", help="Write the menus and quick entries of the platforms; safe to repeat.")
    def set_menu() -> None:
        if not services.platforms:
            raise _fail("没有配置任何平台")
        for platform in services.platforms.values():
            try:
                platform.set_menu()
            except PlatformError as error:
                raise _fail(f"{platform.title}:{error.remedy or error.code}") from error
            click.echo(f"{platform.title}:菜单已设置")

    @app.cli.command("bind-group", help="Let a chat group get a workshop's cards: PLATFORM CONVERSATION_ID WORKSHOP.")
    @click.argument("platform", type=click.Choice(["wecom", "dingtalk"]))
    @click.argument("conversation_id")
    @click.argument("workshop")
    def bind_group(platform: str, conversation_id: str, workshop: str) -> None:
        with services.new_work() as work:
            workshops = work.plant.workshops()
            whole = workshop in ("全厂", "本厂", "all")
            if not whole and workshop not in workshops:
                raise _fail(f"没有车间“{workshop}”,可填:{'、'.join([*workshops, '全厂'])}")
            group = work.people.group(platform, conversation_id)
            if group is None:
                group = GroupChat(platform=platform, conversation_id=conversation_id)
                work.db.add(group)
            group.workshop, group.active, group.bound_at = "" if whole else workshop, True, work.at
            work.commit()
        click.echo(f"已绑定:这个群接收“{workshop}”的隐患卡片")


def _export_cards(services: Services) -> click.Command:
    @click.command("export-cards", help="Write the experience cards to an XLSX file that import-cards reads.")
    @click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
    def command(file: Path) -> None:
        with services.new_work(read_only=True) as work:
            count = export_cards(work, file)
        click.echo(f"已导出{count}张经验卡:{file}")

    return command


def _import(services: Services, name: str, what: str, importer: Importer) -> click.Command:
    @click.command(name, help=f"Import {what} from a CSV or XLSX file; rows that are wrong are listed and left out.")
    @click.argument("file", type=FILE)
    def command(file: Path) -> None:
        with services.new_work() as work:
            try:
                report = importer(work, file)
            except TableError as error:
                raise _fail(str(error)) from error
            work.commit()
        services.kick(CHAT)  # messages that waited, permits that this changes
        click.echo(f"{what}:新增{report.added},更新{report.changed},不变{report.same},有问题{len(report.bad)}")
        if report.unparked:
            click.echo(f"接着处理登记前收到的{report.unparked}条消息")
        for number, words in report.notes:
            click.echo(f"  第{number}行(已收,请核对):{words}")
        for number, reason in report.bad:
            click.echo(f"  第{number}行:{reason}", err=True)
        if report.bad:
            raise SystemExit(1)

    return command


def _token(services: Services) -> AppGroup:
    group = AppGroup("token", help="Bearer tokens of the API.")

    @group.command("create", help="Make a token; it is printed once and cannot be shown again.")
    @click.argument("name")
    @click.option("--read-only", is_flag=True, help="May read and judge, but not send readings.")
    def create(name: str, read_only: bool) -> None:
        secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
        with services.new_work() as work:
            if work.people.token_named(name) is not None:
                raise _fail(f"已有叫“{name}”的令牌;先 flask token revoke {name},或换个名字")
            token = work.people.add_token(name[:64], hashlib.sha256(secret.encode()).hexdigest(), at=work.at)
            token.scopes = "read" if read_only else "read write"
            work.commit()
        click.echo("令牌只显示这一次,请马上保存:", err=True)
        click.echo(secret)

    @group.command("revoke", help="Make a token useless from now on.")
    @click.argument("name")
    def revoke(name: str) -> None:
        with services.new_work() as work:
            token = work.people.token_named(name)
            if token is None:
                raise _fail(f"没有叫“{name}”的有效令牌")
            token.revoked_at = work.at
            work.commit()
        click.echo(f"令牌“{name}”已作废")

    return group
