"""From a message to its answer on the phone, with real processes: app, workers, scheduler, emulators, embedded Redis.

Both times are the emulated platforms' own: when the phone sent, and when the answer appeared on it. Nothing polls. The
emulators and the load share the two cores with the product.
"""

from __future__ import annotations

import json
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from bench import load, scenes
from bench.measuring import Row, at_most, cpu_s, quantile, row
from tools import plant_files
from tools.alone import free_ports
from tools.stack import Stack, http, running

PER_S = 20.0
SECONDS = 30
CROWD = 60  # WeCom drops what goes over 30 messages a minute to one person
WORDS = ("我的隐患", "待办")
PHOTOS, PHOTOS_PER_S = 30, 2.0
P50_GOAL_MS, P99_GOAL_MS = 60.0, 250.0  # issue 2
ALL_ANSWERED_WITHIN_S = 20.0

Phone = tuple[str, str]  # platform, user


def run() -> list[Row]:
    """Rows for texts at 20/s on both platforms together and apart, and for a photo until the next question."""
    with tempfile.TemporaryDirectory(prefix="anshao-bench-") as folder:
        app_port, phones_port = free_ports(2)
        with running(Path(folder), app_port=app_port, phones_port=phones_port) as stack:
            crowd = _hire(stack)
            phones = _in_turns(crowd, [("dingtalk", p["dingtalk"]) for p in stack.plant["people"] if p["dingtalk"]])
            _talk(stack, phones, PER_S, 5)
            before = _cpu(stack)
            times = _talk(stack, phones, PER_S, SECONDS)
            cpu = {name: seconds - before[name] for name, seconds in _cpu(stack).items()}
            photos = _photograph(stack, crowd[:PHOTOS])
    return _rows(times, photos, cpu)


def _rows(times: dict[str, list[float]], photos: list[float], cpu: dict[str, float]) -> list[Row]:
    both = [ms for found in times.values() for ms in found]
    share = ", ".join(f"{name} {seconds / SECONDS:.0%}" for name, seconds in cpu.items())
    rows = [
        at_most("reply.p50", quantile(both, 0.5), "ms", P50_GOAL_MS, n=len(both), note=f"{PER_S:.0f}/s, {SECONDS} s"),
        at_most("reply.p99", quantile(both, 0.99), "ms", P99_GOAL_MS, n=len(both), note=f"CPU of one core: {share}"),
    ]
    for platform, found in times.items():
        rows.append(row(f"reply.{platform}.p50", quantile(found, 0.5), "ms", n=len(found)))
        rows.append(row(f"reply.{platform}.p99", quantile(found, 0.99), "ms", n=len(found)))
    note = f"WeCom, 1600×1200 JPEG, {PHOTOS_PER_S:.0f}/s: fetched, checked, stored, asked for what is missing"
    rows.append(row("reply.photo.p50", quantile(photos, 0.5), "ms", n=len(photos), note=note))
    rows.append(row("reply.photo.p99", quantile(photos, 0.99), "ms", n=len(photos), note="media worker, then chat"))
    return rows


def _hire(stack: Stack) -> list[Phone]:
    """More WeCom people than the demo plant has, known to the emulator and to the product."""
    client, users = http(), [f"Crowd{number:03d}" for number in range(CROWD)]
    for user in users:
        client.post(
            f"{stack.phones_url}/wecom/_phone/people", json={"user": user, "name": user}, timeout=5
        ).raise_for_status()
    model = next(p for p in stack.plant["people"] if p["role"] == "worker")
    people = [
        {**model, "id": user.lower(), "name": user, "mobile": f"1390000{number:04d}", "wecom": user, "dingtalk": None}
        for number, user in enumerate(users)
    ]
    empty: dict[str, Any] = {name: [] for name, value in stack.plant.items() if isinstance(value, list)}
    files = plant_files.write({**empty, "people": people}, stack.folder / "crowd")
    stack.flask("import-people", str(files["import-people"]))
    return [("wecom", user) for user in users]


def _in_turns(first: Sequence[Phone], second: Sequence[Phone]) -> list[Phone]:
    """One of the first, one of the second; the shorter list comes round again."""
    return [phone for number, one in enumerate(first) for phone in (one, second[number % len(second)])]


def _talk(stack: Stack, phones: Sequence[Phone], per_s: float, seconds: int) -> dict[str, list[float]]:
    """Milliseconds from «sent» to «answered» of every message, by platform."""
    asked, after = [], {phone: _seq(stack, phone) for phone in phones}
    for number in range(int(per_s * seconds)):
        platform, user = phones[number % len(phones)]
        body = json.dumps({"text": WORDS[number // len(phones) % len(WORDS)]}).encode()
        target = f"/{platform}/_phone/{user}/say"
        asked.append(load.request("POST", target, body, {"Content-Type": "application/json"}))
    sent = load.open_loop(stack.phones_port, asked, per_s=per_s)
    if sent.bad:
        raise RuntimeError(f"the phones refused: {sent.bad}")
    return _answers(stack, after, len(asked))


def _photograph(stack: Stack, phones: Sequence[Phone]) -> list[float]:
    after = {phone: _seq(stack, phone) for phone in phones}
    requests = []
    for number, (platform, user) in enumerate(phones):
        photo, border = scenes.jpeg(scenes.scene(number), quality=85), uuid.uuid4().hex
        head = f'--{border}\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n'
        body = f"{head}Content-Type: image/jpeg\r\n\r\n".encode() + photo + f"\r\n--{border}--\r\n".encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={border}"}
        requests.append(load.request("POST", f"/{platform}/_phone/{user}/photo", body, kind))
    load.open_loop(stack.phones_port, requests, per_s=PHOTOS_PER_S)
    return [ms for found in _answers(stack, after, len(requests)).values() for ms in found]


def _seq(stack: Stack, phone: Phone) -> int:
    return int(_screen(stack, phone, 2**60)["seq"])


def _screen(stack: Stack, phone: Phone, after: int) -> dict[str, Any]:
    url = f"{stack.phones_url}/{phone[0]}/_phone/{phone[1]}/screen"
    answer = http().get(url, params={"after": after}, timeout=10)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def _answers(stack: Stack, after: dict[Phone, int], wanted: int) -> dict[str, list[float]]:
    """Read every phone when all is over. Raises RuntimeError when a message stays without an answer."""
    end = monotonic() + ALL_ANSWERED_WITHIN_S
    while True:
        times: dict[str, list[float]] = {}
        for phone, seq in after.items():
            times.setdefault(phone[0], []).extend(_pairs(_screen(stack, phone, seq)["items"]))
        if (found := sum(map(len, times.values()))) >= wanted:
            return times
        if monotonic() > end:
            raise RuntimeError(f"{wanted - found} of {wanted} messages were not answered; see {stack.folder}/logs")
        stack.check_children()
        sleep(0.5)


def _pairs(items: Sequence[dict[str, Any]]) -> Iterator[float]:
    """The answers of one person come in the order of the questions: the first belongs to the first."""
    here = [item for item in items if not item["chat"].startswith(("group", "todo"))]
    said = sorted(item["at"] for item in here if item["from"] == "me")
    heard = sorted(item["at"] for item in here if item["from"] != "me")
    for sent, received in zip(said, heard, strict=False):
        yield (received - sent) * 1000


def _cpu(stack: Stack) -> dict[str, float]:
    """CPU seconds so far by process; the workers are children of the one that starts them."""
    found = {name: cpu_s(child.pid) for name, child in stack.children.items() if name != "worker"}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text(encoding="ascii", errors="replace")
            if int(text.rpartition(")")[2].split()[1]) != stack.children["worker"].pid:
                continue
            role = path.with_name("cmdline").read_bytes().split(b"\0")[-2].decode().lstrip("-")
            found[role] = cpu_s(int(path.parent.name))
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked
    return found
