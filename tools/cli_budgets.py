"""`flask budget` says how the platforms' budgets stand and what waits; `flask frugal on|off|auto` switches frugal mode."""

from __future__ import annotations

import click

from handlers import budgets, frugal
from jobs import budgets as counting
from jobs.context import Services
from jobs.queue import DELIVERY


def commands(services: Services) -> list[click.Command]:
    @click.command(
        "budget", help="Say what is used of the platforms' budgets, what they come to, and what waits and why."
    )
    def budget() -> None:
        counting.keep(services)
        with services.new_work(read_only=True) as work:
            for line in (*budgets.budget_lines(work), *budgets.waiting_lines(work)):
                click.echo(line)

    @click.command("frugal", help="Bundle notices of yellow hazards: on, off, or auto (while a budget will not last).")
    @click.argument("mode", type=click.Choice(list(frugal.MODES)), required=False)
    def switch(mode: str | None) -> None:
        counting.keep(services)
        with services.new_work() as work:
            if mode is None:
                click.echo(f"节约模式:{frugal.MODES[frugal.mode(work)]}")
                return
            click.echo(budgets.switched(work, mode, by=None))
            work.commit()
        services.kick(DELIVERY)

    return [budget, switch]
