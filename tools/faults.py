"""`./anshao faults [--short] [NAME…]`: break everything while people report hazards, and look whether anything was lost.

Real PostgreSQL, real Valkey, real processes, real HTTP; the platforms are emulated, with their faults. Prints a table and
exits with 1 when anything was lost, doubled or left in a wrong state.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import traceback
from pathlib import Path
from time import monotonic

from tools import bench
from tools.fault_runs import catalogue, streams
from tools.fault_runs.crowd import Crowd
from tools.fault_runs.field import running
from tools.fault_runs.run import Plan, Result
from tools.phones import Transcript

# no further run begins after so many seconds; the runs that were left out are named
SHORT_S, CI_S = 390.0, 50.0


def table(results: list[Result]) -> str:
    """The results as aligned text."""
    lines = [["", "fault 故障", "runs", "lost", "doubled", "recovered s", "note"]]
    for r in results:
        recovered = "" if r.recover_s is None else f"{r.recover_s:.1f}"
        lines.append([r.verdict, r.fault, str(r.runs), str(r.lost), str(r.doubled), recovered, r.note])
    widths = [max(bench._width(line[i]) for line in lines) for i in range(len(lines[0]))]
    right = {2, 3, 4, 5}
    return "\n".join(
        "  ".join(bench._pad(cell, widths[i], right=i in right) for i, cell in enumerate(line)).rstrip()
        for line in lines
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="./anshao faults", description=__doc__)
    parser.add_argument("name", nargs="*", help="only these runs")
    parser.add_argument("--short", action="store_true", help="within 8 minutes: fewer runs and rounds")
    parser.add_argument("--ci", action="store_true", help="a part of the short form that every change must pass")
    parser.add_argument(
        "--seed", type=int, default=random.SystemRandom().randrange(10**6), help="repeat a run's moments"
    )
    parser.add_argument("--keep", type=Path, help="keep logs in this folder")
    parser.add_argument("--list", action="store_true", help="only list the runs")
    wish = parser.parse_args()
    wish.short = wish.short or wish.ci
    runs = catalogue.chosen(wish.name, short=wish.short, ci=wish.ci)
    limit_s = None if wish.name or not wish.short else CI_S if wish.ci else SHORT_S
    wish.until = None if limit_s is None else monotonic() + limit_s
    if wish.list:
        print("\n".join(runs))
        return 0
    unknown = set(wish.name) - set(runs)
    if unknown:
        print(f"there is no run {', '.join(sorted(unknown))}; --list shows them", file=sys.stderr)
        return 2
    talk = Transcript()
    talk.say(f"seed {wish.seed}: {len(runs)} runs" + (" (short)" if wish.short else ""))
    with tempfile.TemporaryDirectory(prefix="anshao-faults-") as temporary:
        results = _run(runs, wish, wish.keep or Path(temporary), talk)
    print(f"\nseed {wish.seed}, {monotonic() - talk.began:.0f} s\n\n{table(results)}")
    wrong = [r for r in results if not r.ok]
    for r in wrong:
        print(f"\n✘ {r.fault}:\n" + "\n".join(f"   {line}" for line in [*r.missed, *r.wrong][:12]))
    return 1 if wrong else 0


def _run(runs: dict[str, catalogue.Entry], wish: argparse.Namespace, folder: Path, talk: Transcript) -> list[Result]:
    """In-process runs first, then all others on one running product."""
    seeded, results = random.Random(wish.seed), []
    for name, entry in runs.items():
        if entry.virtual is not None:
            run = lambda e=entry: e.virtual(folder, seeded, wish.short, talk.say)  # noqa: E731
            results.append(_one(name, run, wish, talk))
    for stream in (False, True):
        live = {name: e for name, e in runs.items() if e.live is not None and e.stream is stream}
        if live:
            results += _on_product(
                live, wish, folder / ("stream" if stream else "product"), seeded, talk, stream=stream
            )
    return results


def _on_product(
    live: dict[str, catalogue.Entry],
    wish: argparse.Namespace,
    folder: Path,
    seeded: random.Random,
    talk: Transcript,
    *,
    stream: bool,
) -> list[Result]:
    """Run after run on one running product, which each leaves as it found it."""
    reports, results = catalogue.reports(live, short=wish.short), []
    settings = {"ANSHAO_DINGTALK_MODE": "stream"} if stream else {}
    with running(folder, reports=reports, note=talk.say, **settings) as on:
        if stream:
            streams.ready(on)
        plan = Plan(on, Crowd(on.phones_url, on.plant), seeded, wish.short, talk.say)
        for name, entry in live.items():
            results.append(_one(name, lambda e=entry: e.live(plan), wish, talk))
            on.all_well()
            if stream:
                streams.ready(on)
    return results


def _one(name: str, run: object, wish: argparse.Namespace, talk: Transcript) -> Result:
    if wish.until is not None and monotonic() > wish.until:
        talk.say(f"{name} left out: the time is up")
        return Result(name, left_out=True, note="left out, the time was up; ./anshao faults " + name)
    talk.say(f"{name} …")
    began = monotonic()
    try:
        result: Result = run()  # type: ignore[operator]
    except Exception as error:  # the other runs still say what they found
        where = "".join(traceback.format_exception(error)[-3:])
        result = Result(name, wrong=[f"{type(error).__name__}: {error}\n{where}"])
    mark = "✔" if result.ok else "✘"
    talk.say(
        f"{mark} {name} in {monotonic() - began:.0f} s {result.note}"
        + "".join(f"\n✘ {w}" for w in [*result.missed, *result.wrong][:5])
    )
    return result


if __name__ == "__main__":
    raise SystemExit(main())
