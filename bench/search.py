"""Knowledge search: recall on the question sets beside three baselines, then speed, memory and build time."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.search_baselines import BASELINES, Baseline
from search import Card, Index, starter_cards
from search.phonetics import syllable
from search.vocabulary import knowing_only, shipped_terms, vocabulary

SETS = Path(__file__).with_name("search_sets")
NOTHING = "-"
# Issue 5.
RECALL_1, RECALL_3, NOTHING_RIGHT = 75.0, 92.0, 90.0
P99_MS = {1_000: 5.0, 100_000: 20.0}
NEW_CARD_MS = 2_000.0
PAGE = 4096

Question = tuple[str, str]
# Answers of an engine: ids best first, empty when it says that nothing fits.
Engine = Callable[[str], Sequence[str]]


def run(sizes: Sequence[int] = (1_000, 100_000)) -> list[dict[str, Any]]:
    """Rows {name, value, unit, goal, ok, n, note}. Recall goals are lower limits, times upper limits."""
    index = Index(starter_cards())
    blind = load("blind") + load("blind_b")
    tuning = load("dev_a") + load("dev_b") + load("dev_c")
    rows = [*quality("blind", engine(index), blind, goals=True)]
    for name in ("blind", "blind_b"):
        rows += quality(f"{name}.tsv", engine(index), load(name), goals=False)
    rows += quality("development", engine(index), tuning, goals=False)
    rows += quality("blind, one character misheard", engine(index), misheard(blind), goals=False)
    for share in (0.15, 0.3):
        with knowing_only(forgotten(share)):
            rows += quality(
                f"blind, {share:.0%} of the words unknown", engine(Index(starter_cards())), blind, goals=False
            )
    for baseline in BASELINES:
        made: Baseline = baseline(starter_cards())
        made.calibrate(tuning)
        rows += quality(f"blind, {made.name}", made.ask, blind, goals=False)
    for size in sizes:
        rows += speed(size, [question for _, question in tuning])
    return rows


def load(name: str) -> list[Question]:
    """(card id or NOTHING, question) pairs of a set."""
    lines = (SETS / f"{name}.tsv").read_text(encoding="utf-8").splitlines()
    return [(wanted, question) for wanted, _, question in (line.partition("\t") for line in lines) if question]


def engine(index: Index) -> Engine:
    """The index as a plain function."""
    return lambda question: [hit.id for hit in index.search(question).hits]


def quality(label: str, ask: Engine, questions: list[Question], *, goals: bool) -> list[dict[str, Any]]:
    """Recall in the first one and three, and right refusals, in percent."""
    fitting = [(wanted, ask(question)) for wanted, question in questions if wanted != NOTHING]
    unrelated = [ask(question) for wanted, question in questions if wanted == NOTHING]
    first = sum(ids[:1] == [wanted] for wanted, ids in ((w, list(i)) for w, i in fitting))
    three = sum(wanted in list(ids)[:3] for wanted, ids in fitting)
    refused = sum(not ids for ids in unrelated)
    return [
        _row(
            f"recall@1 {label}", 100 * first / len(fitting), "%", RECALL_1 if goals else None, len(fitting), above=True
        ),
        _row(
            f"recall@3 {label}", 100 * three / len(fitting), "%", RECALL_3 if goals else None, len(fitting), above=True
        ),
        _row(
            f"nothing fits {label}",
            100 * refused / len(unrelated),
            "%",
            NOTHING_RIGHT if goals else None,
            len(unrelated),
            above=True,
        ),
    ]


def misheard(questions: list[Question], seed: int = 5) -> list[Question]:
    """The same questions with one character swapped for a homophone, as a recogniser does."""
    chance = random.Random(seed)
    alike: dict[str, list[str]] = {}
    for high in range(0xB0, 0xD8):
        for low in range(0xA1, 0xFF):
            try:
                char = bytes((high, low)).decode("gb2312")
            except UnicodeDecodeError:
                continue
            alike.setdefault(syllable(char), []).append(char)
    swapped = []
    for wanted, question in questions:
        places = [at for at, char in enumerate(question) if len(alike.get(syllable(char), ())) > 1]
        if wanted != NOTHING and places:
            at = chance.choice(places)
            others = [char for char in alike[syllable(question[at])] if char != question[at]]
            question = question[:at] + chance.choice(others) + question[at + 1 :]
        swapped.append((wanted, question))
    return swapped


def forgotten(share: float, seed: int = 3) -> dict[str, dict[str, dict]]:
    """The vocabulary without a share of its terms; every idea keeps its first word."""
    chance = random.Random(seed)
    raw = shipped_terms()
    for entries in raw.values():
        for entry in entries.values():
            first, *others = entry["terms"].split()
            entry["terms"] = " ".join([first, *(term for term in others if chance.random() >= share)])
    return raw


def speed(size: int, questions: list[str]) -> list[dict[str, Any]]:
    """Query times, build time, memory and the way of a new card, at `size` cards."""
    cards = [*many_cards(size - len(starter_cards())), *starter_cards()]
    before, started = _resident_mb(), time.perf_counter()
    index = Index(cards)
    built_s, grown_mb = time.perf_counter() - started, _resident_mb() - before
    for question in questions:
        index.search(question)
    timed = [_timed_ms(index, question) for question in questions for _ in range(3)]
    took, busy = sorted(wall for wall, _ in timed), sorted(cpu for _, cpu in timed)
    middle, last = len(took) // 2, int(len(took) * 0.99)
    started = time.perf_counter()
    index.add(Card(id="NEW", title="压榨机老打喷嚏", kind="压榨机"))
    found = [hit.id for hit in index.search("压榨机打喷嚏").hits][:1] == ["NEW"]
    new_ms = (time.perf_counter() - started) * 1000 if found else float("inf")
    grown = _resident_mb() - before
    return [
        _row(f"query p50, {size} cards", took[middle], "ms", None, len(took), note=f"{busy[middle]:.2f} ms processor"),
        _row(
            f"query p99, {size} cards",
            took[last],
            "ms",
            P99_MS.get(size),
            len(took),
            note=f"{busy[last]:.2f} ms processor; the rest waited for other processes",
        ),
        _row(f"new card found, {size} cards", new_ms, "ms", NEW_CARD_MS, 1, note="in this process"),
        _row(f"index build, {size} cards", built_s, "s", None, size),
        _row(f"index memory, {size} cards", grown_mb, "MB", None, size, note=f"{grown:.0f} MB after the queries"),
    ]


def many_cards(count: int, seed: int = 1) -> list[Card]:
    """Made-up cards from the vocabulary itself, so that every question meets long posting lists."""
    chance = random.Random(seed)
    terms: dict[str, list[str]] = {}
    for term, names in vocabulary().terms.items():
        terms.setdefault(vocabulary().concepts[names[0]].slot, []).append(term)

    def pick(slot: str) -> str:
        return chance.choice(terms[slot])

    return [
        Card(
            id=f"C{number}",
            title=f"{pick('machine')}{pick('part')}{pick('sound')}{pick('sign')}",
            kind=pick("machine"),
            cause=f"怀疑{pick('part')}{pick('sign')},也可能{pick('sign')}",
            first_action="停机检查",
            sayings=(f"{pick('machine')}那边{pick('sound')}{pick('sound')}的,{pick('sign')}",),
        )
        for number in range(count)
    ]


def _timed_ms(index: Index, question: str) -> tuple[float, float]:
    """(by the wall clock, of this thread's processor time): on a machine doing nothing else they are equal."""
    started, busy = time.perf_counter(), time.thread_time()
    index.search(question)
    return (time.perf_counter() - started) * 1000, (time.thread_time() - busy) * 1000


def _resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE / 2**20


def _row(
    name: str, value: float, unit: str, goal: float | None, n: int, *, above: bool = False, note: str = ""
) -> dict[str, Any]:
    ok = None if goal is None else (value >= goal if above else value <= goal)
    return {"name": name, "value": round(value, 2), "unit": unit, "goal": goal, "ok": ok, "n": n, "note": note}


if __name__ == "__main__":
    for line in run():
        print(line)
