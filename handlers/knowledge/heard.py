"""What machine is it about? From the ledger when a number is said or scanned, else from the words."""

from __future__ import annotations

from rules import text as words
from search import text as search_text
from search.question import ask
from search.talk import talk_reader
from storage.models import Equipment
from storage.unit_of_work import UnitOfWork

KIND_ZH = {
    "pump": "泵",
    "compressor": "压缩机",
    "boiler": "锅炉",
    "fan": "风机",
    "valve": "阀门",
    "reactor": "反应釜",
    "motor": "电机",
    "electrical": "",
}


def equipment_in(work: UnitOfWork, text: str) -> Equipment | None:
    """The piece of the ledger whose number is said."""
    for mention in words.equipment_codes(text):
        found = work.plant.equipment_by_code(mention.code)
        if found is not None:
            return found
    return None


def equipment_scanned(work: UnitOfWork, code: str) -> Equipment | None:
    """The piece whose plate was scanned: its number, or a link that ends in it."""
    return work.plant.equipment_by_code(code.rsplit("/", 1)[-1].rsplit("=", 1)[-1])


def kind_of(equipment: Equipment | None) -> str:
    """Words for the kind of machine, as the search reads them; "" when unknown."""
    if equipment is None:
        return ""
    return f"{equipment.name} {KIND_ZH.get(equipment.kind, equipment.kind)}".strip()


def machine_in(text: str) -> str:
    """The first machine (or part of one) named in the words, as it is usually called; "" when none is."""
    asked = ask(text)
    machines = [idea for idea in asked.ideas if idea.concept.slot == "machine"]
    parts = [idea for idea in asked.ideas if idea.concept.slot == "part"]
    return (machines or parts)[0].concept.label if machines or parts else ""


def complains(text: str) -> bool:
    """Whether somebody describes a fault (响, 叫, 老是, 怎么回事), whatever the sound is called."""
    cleaned = search_text.clean(text)
    return bool(cleaned) and talk_reader().read(cleaned, frozenset()).complaint


def has_symptom(text: str) -> bool:
    """Whether a sound or a sign is named in the words."""
    return any(idea.concept.slot in ("sound", "sign") for idea in ask(text).ideas)
