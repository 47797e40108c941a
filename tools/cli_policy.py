"""`flask policy …`: see, check and publish the policy of dispatch and escalation; move open cases to it (docs/escalation.md)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup

from handlers import policies
from handlers.policies import Preview
from jobs.context import Services
from jobs.queue import DELIVERY
from rules import escalation
from rules.errors import RuleBroken
from rules.escalation import PolicyError

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
SHOWN = 20


def group(services: Services) -> AppGroup:
    found = AppGroup("policy", help="Who is told of which hazard, through what, by when.")
    for command in (_show, _list, _default, _check, _set, _preview, _move):
        found.add_command(command(services))
    return found


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"读不了 {file.name},请存成 UTF-8 的 JSON 文件:{type(error).__name__}") from error
    except ValueError as error:
        raise click.ClickException(f"{file.name} 不是 JSON:{error};可先用 flask policy default 看样子") from error


def _refuse(problems: tuple[str, ...] | list[str]) -> click.ClickException:
    listed = "\n".join(f"  {line}" for line in problems[:SHOWN])
    more = f"\n  …还有{len(problems) - SHOWN}处" if len(problems) > SHOWN else ""
    return click.ClickException(f"策略不能用,请改这{len(problems)}处(没有发布):\n{listed}{more}")


def _print(content: Any) -> None:
    click.echo(json.dumps(content, ensure_ascii=False, indent=2))


def _show(services: Services) -> click.Command:
    @click.command("show", help="Print the policy in force (or --version N) as JSON.")
    @click.option("--version", type=int, default=None)
    def show(version: int | None) -> None:
        with services.new_work(read_only=True) as work:
            row = work.policies.current() if version is None else work.policies.version(version)
        if row is None and version:
            raise click.ClickException(f"没有版本 {version};用 flask policy list 看有哪些")
        click.echo(f"版本 {row.version}" if row is not None else "版本 0(默认)", err=True)
        _print(row.content if row is not None else escalation.DEFAULT)

    return show


def _list(services: Services) -> click.Command:
    @click.command("list", help="Published versions, newest first, and how many open cases go by each.")
    def versions() -> None:
        with services.new_work(read_only=True) as work:
            rows = work.policies.all()
            counts = work.policies.open_by_version()
        for row in rows:
            moved = f",{row.moved_at:%Y-%m-%d} 在办案件改用{row.moved_count}条" if row.moved_at is not None else ""
            click.echo(
                f"v{row.version} {row.created_at.astimezone(services.zone):%Y-%m-%d %H:%M} "
                f"在办{counts.get(row.version, 0)}条{moved}"
            )
        click.echo(f"v0(默认) 在办{counts.get(0, 0)}条")

    return versions


def _default(services: Services) -> click.Command:
    @click.command("default", help="Print the built-in policy: a file to begin with.")
    def default() -> None:
        _print(escalation.DEFAULT)

    return default


def _check(services: Services) -> click.Command:
    @click.command("check", help="Check a policy file (JSON) without publishing it.")
    @click.argument("file", type=FILE)
    def check(file: Path) -> None:
        content = _read(file)
        with services.new_work(read_only=True) as work:
            problems = policies.problems_of(work, content)
        if problems:
            raise _refuse(problems)
        click.echo(f"{file.name} 可以发布")

    return check


def _set(services: Services) -> click.Command:
    @click.command("set", help="Check a policy file (JSON) and put it in force; running cases keep theirs.")
    @click.argument("file", type=FILE)
    def put(file: Path) -> None:
        content = _read(file)
        with services.new_work() as work:
            try:
                row = policies.publish(work, content, by=None)
            except PolicyError as error:
                raise _refuse(error.problems) from error
            seen = policies.preview(work, row)
            work.commit()
        services.kick(DELIVERY)
        click.echo(f"策略已生效,版本 {row.version};已在办的隐患仍按原来的走")
        if seen.total:
            click.echo(
                f"有{seen.total}条在办按旧版本走,其中{len(seen.changed)}条会变:flask policy preview,再 flask policy move"
            )

    return put


def _preview(services: Services) -> click.Command:
    @click.command("preview", help="What the version in force would change on open cases.")
    def preview() -> None:
        with services.new_work(read_only=True) as work:
            row = work.policies.current()
            seen = policies.preview(work, row) if row is not None else None
        if seen is None:
            click.echo("还没有发布过策略,在办案件都按默认策略走")
        else:
            _tell(seen)

    return preview


def _tell(seen: Preview) -> None:
    more = "以上" if seen.more else ""
    click.echo(f"策略 v{seen.version}:{seen.total}条{more}在办案件按旧版本走,其中{len(seen.changed)}条会变")
    for lines, numbers in seen.groups():
        click.echo(policies.numbers_zh(numbers))
        for line in lines:
            click.echo(f"  {line}")
    for case in seen.changed[:SHOWN]:
        if case.plan and case.own:
            click.echo(f"{case.number}:{';'.join(case.own)}")


def _move(services: Services) -> click.Command:
    @click.command("move", help="Show the preview, then move all open cases to the version in force.")
    @click.option("--yes", is_flag=True, help="Do not ask.")
    def move(yes: bool) -> None:
        with services.new_work(read_only=True) as work:
            row = work.policies.current()
            seen = policies.preview(work, row) if row is not None else None
        if row is None or seen is None:
            raise click.ClickException("还没有发布过策略,没有可以改用的版本")
        _tell(seen)
        if seen.total and not yes:
            click.confirm(f"让这{seen.total}条在办案件改用 v{row.version}?", abort=True)
        with services.new_work() as work:
            try:
                policies.ask_move(work, row.version, by=None, via="cli")
            except RuleBroken as broken:
                raise click.ClickException(broken.message_zh) from broken
            work.commit()
        click.echo("正在改用,由调度进程逐条进行;用 flask policy list 看进度")

    return move
