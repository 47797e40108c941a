"""`flask replay-verdict NUMBER`: judge every stored verdict of a permit again and say whether it comes out the same."""

from __future__ import annotations

import click

from cards.words import local
from handlers.permit.replay import replay_all
from jobs.context import Services
from rules.permit import Result


def command(services: Services) -> click.Command:
    @click.command(
        "replay-verdict", help="Judge a permit's stored verdicts again; exit 1 when one comes out otherwise."
    )
    @click.argument("number")
    def replay_verdict(number: str) -> None:
        with services.new_work(read_only=True) as work:
            permit = work.permits.by_number(number)
            if permit is None:
                raise click.ClickException(f"没有作业票 {number}")
            found = list(replay_all(work, permit))
        for one in found:
            how = {
                True: "一致",
                False: f"不一致:{'、'.join(one.differs) or '结论'}",
                None: "规则表不在本机,请用当时的版本回放",
            }
            click.echo(f"{local(one.at)} {one.cause} {Result(one.result).zh} {one.table_version} {how[one.same]}")
        wrong = sum(1 for one in found if one.same is False)
        click.echo(f"{permit.number}:{len(found)}次判定,{wrong}次不一致")
        if wrong:
            raise SystemExit(1)

    return replay_verdict
