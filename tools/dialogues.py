"""`./anshao dialogues`: draw the dialogues from the flow tables into docs/dialogues/*.mmd (Mermaid).

The tables say what each state expects; where a step goes next is read from its code (`state=…` of ask and stay, `done`),
so that a drawing cannot tell another story than the program. tests/tools/test_dialogues.py keeps the files current.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from pathlib import Path
from types import FunctionType
from typing import Any

import wiring
from bot.flow import Expect, Flow
from bot.message import Kind
from tools.stack import ROOT

FOLDER = ROOT / "docs" / "dialogues"
KINDS_ZH = {
    Kind.TEXT: "文字",
    Kind.IMAGE: "照片",
    Kind.VOICE: "语音",
    Kind.VIDEO: "视频",
    Kind.FILE: "文件",
    Kind.PLACE: "位置",
    Kind.LINK: "链接",
    Kind.SCAN: "扫码",
    Kind.ENTERED: "打开聊天",
    Kind.JOINED: "加入",
    Kind.UNKNOWN: "收不到内容的消息",
}
END = "done"
Target = tuple[str, str]
DEPTH = 5  # how many calls a step may be away from the place that says where the dialogue goes
WORDS_SHOWN = 4


def draw(flow: Flow) -> str:
    """One flow as a Mermaid flowchart: rounded states, the steps between them, and what leads to each step."""
    lines: dict[str, None] = {}
    nodes: dict[str, str] = {}

    def step(node: str, called: Any) -> None:
        name = name_of(called)
        nodes.setdefault(f"f_{name}", f'f_{name}["{name}"]')
        lines.setdefault(node + f" f_{name}")
        for owner, state in sorted(targets(called)):
            if state == END:
                nodes.setdefault(END, f"{END}((完))")
            elif owner != flow.name:  # the dialogue goes on in another drawing
                nodes.setdefault(_other(owner, state), f'{_other(owner, state)}[["{owner}: {state}"]]')
            place = END if state == END else f"s_{state}" if owner == flow.name else _other(owner, state)
            lines.setdefault(f"    f_{name} --> {place}")

    for state in sorted(flow.states):
        nodes[f"s_{state}"] = f's_{state}(["{state}"])'
    for label, called in _by_step(flow.first):
        nodes.setdefault("first", "first{{先于任何对话}}")
        step(f'    first -- "{label}" -->', called)
    for label, called in _by_step(flow.starts):
        nodes.setdefault("start", "start((说))")
        step(f'    start -- "{label}" -->', called)
    for label, called in _by_step(flow.asides):
        nodes.setdefault("aside", "aside{{别的对话让路时}}")
        step(f'    aside -- "{label}" -->', called)
    for state, expects in flow.states.items():
        for label, called in _by_step(expects):
            step(f'    s_{state} -- "{label}" -->', called)
    for label, called in _by_step(flow.anywhere):
        nodes.setdefault("anywhere", "anywhere{{对话中随时}}")
        step(f'    anywhere -- "{label}" -->', called)
    for key, called in flow.menus.items():
        nodes.setdefault("menu", "menu[/菜单/]")
        step(f'    menu -- "{key}" -->', called)
    for key, called in flow.buttons.items():
        nodes.setdefault("button", "button[/按钮/]")
        step(f'    button -- "{key}" -->', called)
    head = f"%% {flow.name}: drawn by ./anshao dialogues from the flow table; do not edit\nflowchart LR\n"
    return head + "\n".join([*(f"    {node}" for node in nodes.values()), *lines]) + "\n"


def _other(flow: str, state: str) -> str:
    return f"o_{flow}_{state}".replace(".", "_")


def _by_step(expects: Sequence[Expect]) -> list[tuple[str, Any]]:
    """(what leads there, step): the lines of a table that end in the same step are one arrow."""
    found: dict[str, tuple[list[str], Any]] = {}
    for expect in expects:
        found.setdefault(name_of(expect.step), ([], expect.step))[0].append(_label(expect))
    return [("<br>".join(dict.fromkeys(labels)), called) for labels, called in found.values()]


def _label(expect: Expect) -> str:
    kind = KINDS_ZH.get(expect.kind, expect.kind.value)
    if expect.words:
        words = sorted(expect.words, key=lambda word: (len(word), word))
        more = "…" if len(words) > WORDS_SHOWN else ""
        return "「" + "」「".join(_plain(word) for word in words[:WORDS_SHOWN]) + f"」{more}"
    if expect.pattern is not None:
        pattern = expect.pattern.pattern
        return f"{kind} ~ {_plain(pattern if len(pattern) <= 32 else pattern[:31] + '…')}"
    return f"{kind} 如果 {name_of(expect.fits)}" if expect.fits is not None else kind


def _plain(text: str) -> str:
    """Text that cannot end a Mermaid label."""
    return text.replace('"', "'").replace("\n", " ").replace("<", "‹").replace(">", "›").replace("#", "♯")


# -- where a step goes


def name_of(called: Any) -> str:
    """The function's own name; of a wrapped one (press(start), partial(…)) the inner one's; a lambda is a condition."""
    inner = _unwrapped(called)
    name = str(getattr(inner, "__qualname__", type(inner).__name__))
    name = name.split(".<locals>")[0]  # a function made by another one is known by its maker
    return "条件" if name == "<lambda>" else name


def _unwrapped(called: Any) -> Any:
    """What a wrapper such as `press(step)` calls: the one function its closure holds."""
    while True:
        if isinstance(called, partial):
            called = called.func
            continue
        cells = [cell.cell_contents for cell in getattr(called, "__closure__", None) or ()]
        held = [value for value in cells if isinstance(value, (FunctionType, partial))]
        if len(held) != 1:
            return called
        called = held[0]


def targets(called: Any) -> frozenset[Target]:
    """(flow, state) that this step may lead to; ("", END) when it may end the dialogue."""
    return _leads_to(_unwrapped(called), DEPTH)


@cache
def _leads_to(function: Callable[..., Any], depth: int) -> frozenset[Target]:
    found: set[Target] = set()
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return frozenset()
    names = dict(getattr(function, "__globals__", {}), **inspect.getclosurevars(function).nonlocals)
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if isinstance(call.func, ast.Attribute) and call.func.attr == "done":
            found.add(("", END))
        said = {word.arg: _text(word.value, names) for word in call.keywords if word.arg in ("flow", "state")}
        if said.get("flow") and said.get("state"):
            found.add((said["flow"], said["state"]))
        next_one = _resolve(call.func, names)
        if depth and isinstance(next_one, FunctionType) and next_one.__module__.startswith("handlers."):
            found |= _leads_to(next_one, depth - 1)
    return frozenset(found)


def _text(node: ast.expr, names: dict[str, Any]) -> str:
    value = node.value if isinstance(node, ast.Constant) else _resolve(node, names)
    return value if isinstance(value, str) else ""


def _resolve(node: ast.expr, names: dict[str, Any]) -> Any:
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        return getattr(_resolve(node.value, names), node.attr, None)
    return None


# -- files


def files(flows: Iterable[Flow]) -> dict[str, str]:
    """File name → what should be in it."""
    return {f"{flow.name}.mmd": draw(flow) for flow in flows}


def main() -> int:
    parser = argparse.ArgumentParser(prog="./anshao dialogues", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when a file is not current")
    wish = parser.parse_args()
    wanted = files(wiring.FLOWS)
    there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.mmd")}
    stale = sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name))
    if wish.check:
        for name in stale:
            print(f"docs/dialogues/{name} is not current: run ./anshao dialogues", file=sys.stderr)
        return 1 if stale else 0
    write(FOLDER, wanted)
    print(f"docs/dialogues: {len(wanted)} drawings, {len(stale)} changed")
    return 0


def write(folder: Path, wanted: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.mmd"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
