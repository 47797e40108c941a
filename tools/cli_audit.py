"""`flask audit …`: the trail of every case, checked in the database or in a copy that lies on another machine."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import click
from flask.cli import AppGroup

from jobs.context import Services
from storage import trail
from storage.models import TrailLine
from storage.unit_of_work import UnitOfWork

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
SHOWN = 50  # broken lines that are named


def group(services: Services) -> AppGroup:
    commands = AppGroup("audit", help="The trail of every case.")

    @commands.command("verify", help="Check that no line of any trail was changed or taken out; exit 1 when one was.")
    @click.option("--file", type=FILE, help="Check this copy instead of the database; needs no database.")
    @click.option("--against", type=FILE, help="Check too that the database still holds every line of this older copy.")
    def verify(file: Path | None, against: Path | None) -> None:
        if file is not None:
            _say(*_of_file(file))
            return
        with services.new_work(read_only=True) as work:
            count, wrong = _of_database(work)
            wrong += _left_out(work, against) if against is not None else []
        _say(count, wrong)

    @commands.command("export", help="Write a copy of all trails (JSON lines) to keep elsewhere and verify against.")
    @click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
    def export(file: Path) -> None:
        with services.new_work(read_only=True) as work, os.fdopen(_private(file), "w", encoding="utf-8") as out:
            count = 0
            for line in work.trail.lines():
                out.write(json.dumps(trail.to_json(line), ensure_ascii=False) + "\n")
                count += 1
        click.echo(f"已导出{count}行留痕:{file}")

    return commands


def _private(file: Path) -> int:
    """The trail names people's ids and reasons: readable by us only."""
    return os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)


def _say(count: int, wrong: list[str]) -> None:
    for words in wrong[:SHOWN]:
        click.echo(words, err=True)
    if len(wrong) > SHOWN:
        click.echo(f"还有{len(wrong) - SHOWN}处", err=True)
    if wrong:
        click.echo("留痕有问题:保留现场,不要再改数据库,和备份对比,报安全负责人", err=True)
        raise SystemExit(1)
    click.echo(f"留痕完整({count}行)")


def _of_database(work: UnitOfWork) -> tuple[int, list[str]]:
    wrong = [_words(line, why) for line, why in work.trail.broken()]
    wrong += [f"{kind} {row_id} 没有一行留痕" for kind, row_id in work.trail.without_lines()]
    if work.trail.guards_missing():
        wrong.append("数据库里保护留痕的触发器不见了:查明是谁停掉的,然后运行 flask --app app db upgrade 装回")
    return sum(1 for _ in work.trail.lines()), wrong


def _of_file(file: Path) -> tuple[int, list[str]]:
    lines = list(_read(file))
    return len(lines), [_words(line, why) for line, why in trail.check(lines)]


def _left_out(work: UnitOfWork, file: Path) -> list[str]:
    """Lines of the older copy that the database does not hold any more, or holds with other words."""
    now = {(line.case_kind, line.case_id, line.seq): line.hash for line in work.trail.lines()}
    return [
        _words(line, "the copy has it, the database not" if key not in now else "the copy has other words")
        for line in _read(file)
        if now.get(key := (line.case_kind, line.case_id, line.seq)) != line.hash
    ]


def _read(file: Path) -> Iterator[TrailLine]:
    with file.open(encoding="utf-8") as rows:
        for number, row in enumerate(rows, start=1):
            try:
                yield trail.from_json(json.loads(row))
            except (ValueError, KeyError, TypeError) as error:
                raise click.ClickException(f"{file.name} 第{number}行不是留痕的副本({type(error).__name__})") from error


def _words(line: TrailLine, why: str) -> str:
    return f"{line.case_kind} {line.case_id} 第{line.seq}行:{why}"
