"""Platforms that misbehave while people report, and callbacks that come twice, late or in the wrong order."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep
from typing import Any

from auditor.finding import Kind
from tools.fault_runs import checks
from tools.fault_runs.crowd import Report
from tools.fault_runs.run import Plan, Result


def misbehaving(
    fault: str, *, wecom: dict[str, Any], dingtalk: dict[str, Any], for_s: float = 5.0
) -> Callable[[Plan], Result]:
    """Both platforms show the fault for some seconds of a stream of reports."""

    def run(plan: Plan) -> Result:
        result = Result(fault)
        for _ in range(plan.rounds(2)):
            with plan.reporting() as sent:
                sleep(plan.random.uniform(0.3, 1.0))
                plan.on.wecom(**wecom)
                plan.on.dingtalk(**dingtalk)
                sleep(for_s)
                plan.on.all_well()
                sleep(0.5)
            plan.settle(result, sent)
        return result

    return run


SLOW = misbehaving("platforms answer after 2 s", wecom={"slow_api_s": 2}, dingtalk={"slow_api_s": 2})
ERRORS = misbehaving("platforms answer HTTP 500", wecom={"http_500": True}, dingtalk={"http_500": True})
HTML = misbehaving("platforms answer HTML", wecom={"html_body": True}, dingtalk={"http_504": True})
LOST_ANSWERS = misbehaving(
    "done, but the answer never came",
    wecom={"timeout_but_delivered": 12, "times": 4, "path": "message/send"},
    dingtalk={"reset_but_delivered": True, "times": 6},
)
THROTTLED = misbehaving("platforms throttle", wecom={"throttle": True}, dingtalk={"throttle": True})
TOKENS = misbehaving(
    "token expired mid-batch",
    wecom={"token_expired": True, "times": 6},
    dingtalk={"token_expired": True, "times": 6},
    for_s=2.0,
)
CUT = misbehaving("connections cut", wecom={"reset": True, "times": 10}, dingtalk={"reset": True, "times": 10})


def repeated_callbacks(plan: Plan) -> Result:
    """Each callback comes one to five times, at the same moment."""
    result = Result("callbacks repeated 1–5 ×")
    for _ in range(plan.rounds(2)):
        with plan.reporting() as sent:
            for _ in range(plan.rounds(6, 4)):
                times = plan.random.randint(1, 5)
                plan.on.wecom(duplicate_callbacks=times)
                plan.on.dingtalk(duplicate_callbacks=times)
                sleep(plan.random.uniform(0.4, 1.0))
        plan.on.all_well()
        plan.settle(result, sent)
    return result


def reordered_callbacks(plan: Plan) -> Result:
    """Some callbacks are held back, so that later ones of the same person overtake them."""
    result = Result("callbacks reordered")
    for _ in range(plan.rounds(2)):
        with plan.reporting(reds=1000) as sent:
            for _ in range(8):
                plan.on.wecom(reorder=True, times=2)
                plan.on.dingtalk(reorder=1.0, times=2)
                sleep(0.6)
        plan.on.all_well()
        sleep(1.5)
        plan.settle(result, sent)
    return result


def dropped_once(plan: Plan) -> Result:
    """A push is lost on the way; the person sees no answer and sends the same words again."""
    result = Result("callback lost, sent again by hand")
    for _ in range(plan.rounds(3)):
        plan.on.dingtalk(drop_callbacks=True, times=3)
        sent = [plan.crowd.report(red=True, platform="dingtalk") for _ in range(4)]
        checks.at_rest(plan.on, within_s=30)
        missing = [r for r in sent if not plan.on.number(COUNT, like=f"%{r.code} %")]
        if len(missing) != 3:
            result.wrong.append(f"{len(missing)} pushes were lost instead of 3")
        plan.on.all_well()
        for report in missing:
            url = f"/dingtalk/_phone/{report.user}/say"
            plan.on.post(url, {"text": f"{report.code} 着火了"})
        plan.settle(result, sent)
    return result


COUNT = "SELECT count(*) FROM inbox WHERE CAST(payload AS text) LIKE :like"


def poison(plan: Plan) -> Result:
    """A stored message that no handler can read: others go on, it ends as failed, and its sender is told."""
    on, result = plan.on, Result("poison row")
    victim = next(p for p in plan.crowd.people if p["wecom"])["wecom"]
    stop = threading.Event()
    key = f"poison-{plan.random.randrange(10**9)}"
    on.ask(
        """INSERT INTO inbox (platform, key, sender, payload, state, needs_media, media, received_at, sent_at, attempts,
               error) VALUES ('wecom', :key, :sender, '{"broken": true}', 'new', false, '[]', now(), now(), 0, '')""",
        key=key,
        sender=victim.lower(),
    )
    sent: list[Report] = []
    while len(sent) < 20 and not stop.wait(0.1):
        sent.append(plan.crowd.report(red=len(sent) % 10 == 9))
    # all but the poisoned person's own messages are handled while the row is still being tried
    others = [r for r in sent if r.user != victim]
    filed = "SELECT count(*) FROM hazard WHERE number IS NOT NULL AND description LIKE :like"
    quick = on.wait_for(lambda: all(on.number(filed, like=f"%{r.code} %") for r in others), within_s=25)
    if quick is None:
        result.wrong.append("a poison row held up other people")
    plan.settle(result, sent, expected=(Kind.INBOX_FAILED,))
    state, error = on.ask("SELECT state, error FROM inbox WHERE key = :key", key=key)[0]
    if state != "failed" or not error:
        result.wrong.append(f"the poison row ended as {state} «{error}»")
    texts = [i["text"] or "" for i in on.get(f"/wecom/_phone/{victim}/screen")["items"] if i["from"] != "me"]
    if sum("没有处理成功" in text for text in texts) != 1:
        result.wrong.append("the sender of the poison row was not told once")
    result.note = f"others handled within {quick or 99:.1f} s"
    return result


def media_away(plan: Plan) -> Result:
    """The disk of the photos is full for some seconds: pictures wait, words do not."""
    result = Result("disk full on media")
    for _ in range(plan.rounds(2)):
        with plan.reporting(every_s=0.25) as sent:
            sleep(1)
            with full_disk(plan.on.folder / "media") as how:
                sleep(4)
            sleep(1)
        plan.settle(result, sent)
        result.note = how
    return result


@contextmanager
def full_disk(root: Path) -> Iterator[str]:
    """A tiny file system over the folder: writes begin and end with «no space left». Who may not mount one gets a
    file in the folder's place instead, where every write fails at once; says which it was."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16k,mode=700", "tmpfs", str(root)], capture_output=True, check=False
    )
    if mounted.returncode == 0:
        try:
            yield "a full file system"
        finally:
            subprocess.run(["umount", "-l", str(root)], check=True)
        return
    hidden = root.with_name("media.hidden")
    root.rename(hidden)
    root.write_text("in the way: every write below fails")  # permissions would not stop a worker run by root
    try:
        yield "a folder that takes nothing; no right to mount a full one"
    finally:
        root.unlink()
        hidden.rename(root)
