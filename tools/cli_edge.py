"""`flask edge …`: register edge terminals and give each a token of its own."""

from __future__ import annotations

import hashlib
import secrets

import click
from flask.cli import AppGroup

from cards.words import local
from jobs.context import Services
from storage.models import EdgeDevice

TOKEN_PREFIX = "anshao_edge_"


def group(services: Services) -> AppGroup:
    edge = AppGroup("edge", help="Edge terminals (边缘终端) and their tokens.")

    @edge.command("add", help="Register a terminal, or give a known one a new token; the token is printed once.")
    @click.argument("code")
    @click.option("--name", default="", help="What people call it, e.g. 罐区东侧摄像头.")
    @click.option("--area", default="", help="Code or name of the area it watches.")
    @click.option("--equipment", default="", help="Number on the plate of the equipment it watches.")
    @click.option(
        "--interval",
        type=click.IntRange(0, 7 * 24 * 3600),
        default=None,
        help="Seconds between two signs of life; after three without any it counts as off line. 0: the default.",
    )
    def add(code: str, name: str, area: str, equipment: str, interval: int | None) -> None:
        if not 1 <= len(code) <= 64 or not code.isascii() or any(sign in code for sign in "/?#% "):
            raise click.ClickException("终端编号用1到64个字母、数字、横线,例如 CAM-01")
        secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
        with services.new_work() as work:
            areas = {key: a for a in work.plant.areas() for key in (a.code, a.name)}
            if area and area not in areas:
                raise click.ClickException(f"没有区域“{area}”,可填:{'、'.join(a.name for a in work.plant.areas())}")
            item = work.plant.equipment_by_code(equipment) if equipment else None
            if equipment and item is None:
                raise click.ClickException(f"台账里没有设备“{equipment}”,请核对位号")
            if not area and item is None:
                raise click.ClickException("请用 --area 或 --equipment 说明它看着哪里,否则报警不知道派给谁")
            known = work.edge.device(code)
            device = known or EdgeDevice(code=code, created_at=work.at)
            device.name, device.active = (name or device.name or "")[:64], True
            device.area = areas[area] if area else item.area if item is not None else None
            device.equipment = item
            device.interval_s = (device.interval_s or 0) if interval is None else interval
            device.silent_at = None
            device.token_sha256 = hashlib.sha256(secret.encode()).hexdigest()
            work.db.add(device)
            work.commit()
        click.echo("原来的令牌已失效。" if known else f"终端 {code} 已登记。", err=True)
        click.echo("令牌只显示这一次,请马上写进终端:", err=True)
        click.echo(secret)

    @edge.command("revoke", help="A terminal's token is useless from now on; its events stay.")
    @click.argument("code")
    def revoke(code: str) -> None:
        with services.new_work() as work:
            device = work.edge.device(code)
            if device is None or not device.active:
                raise click.ClickException(f"没有在用的终端“{code}”,flask edge list 可以查看")
            device.active = False
            work.commit()
        click.echo(f"终端 {code} 已停用")

    @edge.command("list", help="The terminals in use and when each was last heard.")
    def show() -> None:
        with services.new_work(read_only=True) as work:
            devices = work.edge.devices()
            for device in devices:
                where = device.area.name if device.area is not None else "—"
                silent = "  没有消息" if device.silent_at is not None else ""
                click.echo(f"{device.code}  {device.name or '—'}  {where}  上次{local(device.last_seen_at)}{silent}")
        if not devices:
            click.echo("还没有登记终端;用 flask edge add 编号 --area 区域 登记")

    return edge
