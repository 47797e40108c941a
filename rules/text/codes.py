"""Equipment position numbers (设备位号) in a sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rules.text.normal import normalise


@dataclass(frozen=True, slots=True)
class EquipmentMention:
    """code: as a ledger would write it («P-101A», «3号罐»); key: for comparing («P101A», «3号罐»)."""

    code: str
    key: str


# letters that look like a position number and are not: sizes, pressures, gases, standards, steels, our own numbers
_NOT_EQUIPMENT = {
    "DN", "PN", "GB", "GBT", "GBZ", "AQ", "HG", "JB", "SH", "SY", "O", "CO", "SO", "NO", "CH", "H", "N", "NH", "PM",
    "LEL", "UEL", "PPM", "MPA", "KPA", "YH", "ZY", "CM", "GM", "QQ", "VX", "WX", "PH", "COVID", "MM", "KV", "IP", "SIL",
    "TEL", "V220", "CL", "HCL", "HCN",
}  # fmt: skip
_CODE = re.compile(
    r"(?<![a-z0-9])(?:(\d{1,4})-)?([a-z]{1,4})(-| )?(\d{1,5})([a-z]{0,2})(?:/([a-z])(?![a-z0-9]))?(?![a-z0-9])",
    re.ASCII,
)
_NUMBERED = re.compile(
    r"(\d{1,3})号([\u4e00-\u9fff]{0,5}?)"
    r"(储罐|罐|反应釜|釜|精馏塔|吸收塔|塔|换热器|冷凝器|加热炉|锅炉|炉|泵|风机|压缩机|空压机|离心机|干燥机|除尘器|皮带机|提升机|行车"
    r"|天车|叉车|冲床|车床|电梯|变压器|配电箱|配电柜|阀|机组|机)"
)


def equipment_key(code: str) -> str:
    """Comparable form of a ledger's or a person's code: «p 101a», «P-101A» → «P101A»; «三号罐», «3#罐» → «3号罐»."""
    return re.sub(r"[^0-9A-Z\u4e00-\u9fff]", "", normalise(code).upper())


def equipment_codes(text: str) -> list[EquipmentMention]:
    """Equipment position numbers in a sentence, in order, each once. Gases, sizes and standards are not taken for codes.

    «P-101A/B» gives both. A number with a kind («3号甲醇罐») gives «3号罐» only when the ledger has it so; both the short
    and the long form are returned, the long one first.
    """
    plain = normalise(text)
    hits: list[tuple[int, str]] = []
    for match in _CODE.finditer(plain):
        prefix, letters, joint, digits, suffix, second = match.groups()
        if not _is_code(letters.upper(), joint, digits, prefix):
            continue
        stem = f"{prefix + '-' if prefix else ''}{letters.upper()}-{digits}"
        hits.append((match.start(), stem + suffix.upper()))
        if second:
            hits.append((match.start(), stem + second.upper()))
    for match in _NUMBERED.finditer(plain):
        number, middle, kind = match.groups()
        if middle and not re.search("[的和与在是]", middle):
            hits.append((match.start(), f"{number}号{middle}{kind}"))
            hits.append((match.start(), f"{number}号{kind}"))
        elif not middle:
            hits.append((match.start(), f"{number}号{kind}"))
    codes = dict.fromkeys(code for _, code in sorted(hits, key=lambda hit: hit[0]))
    return [EquipmentMention(code=code, key=equipment_key(code)) for code in codes]


def _is_code(letters: str, joint: str | None, digits: str, prefix: str | None) -> bool:
    if letters in _NOT_EQUIPMENT:
        return False
    if prefix or joint == "-":
        return True
    return len(digits) >= 3 if joint == " " else len(digits) >= 2
