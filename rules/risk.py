"""A row of 《危险源辨识与风险评价表》: what its words mean and what does not add up. Nothing is put right silently.

Source: risk-and-hazard reference §1 (LEC scales and bands, import checks), §2 (colours and control levels); accident
types by GB 6441-2025, with the names of GB/T 6441-1986 that older tables still use.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from math import isclose

from rules.errors import RuleBroken
from rules.lec import SCHEMES, Boundary, LecResult, RiskLevel, Scheme, SchemeTable, classify, lec

_R, _O, _Y, _B = RiskLevel.RED, RiskLevel.ORANGE, RiskLevel.YELLOW, RiskLevel.BLUE
# the longest words first: «一般危险» is the classic band 20–70, «一般» alone is a level of the four
_WORDS: tuple[tuple[str, RiskLevel], ...] = (
    ("极其危险", _R),
    ("高度危险", _O),
    ("显著危险", _Y),
    ("一般危险", _B),
    ("稍有危险", _B),
    ("重大", _R),
    ("较大", _O),
    ("一般", _Y),
    ("较低", _B),
    ("低", _B),
    ("轻微", _B),
    ("可接受", _B),
    ("红", _R),
    ("橙", _O),
    ("黄", _Y),
    ("蓝", _B),
)
_DIGITS = {"一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5}
_DIGITS |= {str(n): n for n in range(1, 6)} | {letter: n for n, letter in enumerate("abcde", start=1)}
_NUMBERED = re.compile(r"(?:第)?(iv|v|iii|ii|i|[1-5]|[一二三四五]|[a-e])(?:级|类)?(?:风险)?")
_RANK = {_R: 1, _O: 2, _Y: 3, _B: 4}

# who controls a risk at least (管控层级), highest first; the words tables use for each
CONTROL: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("公司级", ("公司", "厂级", "企业", "总厂", "集团")),
    ("车间级", ("车间", "部门", "科室", "分厂", "区队")),
    ("班组级", ("班组", "工段")),
    ("岗位级", ("岗位", "员工", "个人")),
)

ACCIDENTS = (
    "物体打击", "厂(场)内车辆致害", "机械致害", "起重致害", "触电", "淹溺", "灼烫", "火灾", "高处坠落", "跌落", "坍塌",
    "容器爆炸", "管道爆炸", "可燃气体爆炸", "可燃液体蒸气爆炸", "粉尘爆炸", "中毒", "窒息", "泄漏", "其他",
)  # fmt: skip
OLD_ACCIDENTS: dict[str, tuple[str, ...]] = {  # 1986 name → 2025 names; more than one: a person has to choose
    "车辆伤害": ("厂(场)内车辆致害",),
    "机械伤害": ("机械致害",),
    "起重伤害": ("起重致害",),
    "中毒和窒息": ("中毒", "窒息"),
    "中毒窒息": ("中毒", "窒息"),
    "锅炉爆炸": ("容器爆炸",),
    "压力容器爆炸": ("容器爆炸",),
    "瓦斯爆炸": ("可燃气体爆炸",),
    "其他爆炸": ("容器爆炸", "管道爆炸", "可燃气体爆炸", "可燃液体蒸气爆炸", "粉尘爆炸"),
    "爆炸": ("容器爆炸", "管道爆炸", "可燃气体爆炸", "可燃液体蒸气爆炸", "粉尘爆炸"),
    "其他伤害": ("其他",),
    "坠落": ("高处坠落",),
    "烫伤": ("灼烫",),
    "灼伤": ("灼烫",),
    "厂内车辆伤害": ("厂(场)内车辆致害",),
    "泄露": ("泄漏",),
}


@dataclass(frozen=True, slots=True)
class Note:
    """Something a person has to look at. `code` is stable, `words` one Chinese sentence."""

    code: str
    words: str


@dataclass(frozen=True, slots=True)
class Written:
    """What the table says. None or "" where it says nothing; scores without unit, levels as they stand there."""

    likelihood: float | None = None
    exposure: float | None = None
    consequence: float | None = None
    score: float | None = None
    level: str = ""
    residual_score: float | None = None
    residual_level: str = ""
    control: str = ""
    accidents: str = ""
    has_measure: bool = True
    has_owner: bool = True


@dataclass(frozen=True, slots=True)
class Assessment:
    """colour: as the table says, or computed where it does not; computed: L × E × C by the plant's scheme."""

    colour: RiskLevel
    computed: LecResult | None
    accidents: tuple[str, ...]
    notes: tuple[Note, ...] = field(default=())


def assess(row: Written, *, scheme: Scheme = Scheme.A, boundary: Boundary | None = None) -> Assessment:
    """Check one row. Differences are noted and the table's own words stay.

    Raises RuleBroken("lec") for a value off its scale, ("risk_level") when the row says neither L×E×C nor D nor level.
    """
    notes: list[Note] = []
    computed = _computed(row, notes, scheme=scheme, boundary=boundary)
    written = level_of(row.level, scheme=scheme)
    if row.level and written is None:
        notes.append(Note("level_unknown", f"等级“{row.level[:12]}”看不懂,请写重大、较大、一般、低"))
    if written is not None and computed is not None and written is not computed.colour:
        notes.append(Note("level_differs", f"表里写{written.zh},按D={computed.score:g}应为{computed.colour.zh},请核对"))
    colour = written or (computed.colour if computed is not None else None)
    if colour is None:
        raise RuleBroken("risk_level", "没有L、E、C,也没有D和风险等级,请至少补一样")
    _residual(row, colour, computed, notes, scheme=scheme, boundary=boundary)
    _control(row.control, colour, notes)
    if not row.has_measure:
        notes.append(Note("no_measure", "没有写控制措施,请补上"))
    if not row.has_owner:
        notes.append(Note("no_owner", "没有责任单位和责任人,请补上"))
    accidents = accident_types(row.accidents, notes)
    return Assessment(colour=colour, computed=computed, accidents=accidents, notes=tuple(notes))


def _computed(row: Written, notes: list[Note], *, scheme: Scheme, boundary: Boundary | None) -> LecResult | None:
    given = (row.likelihood, row.exposure, row.consequence)
    if all(value is not None for value in given):
        found = lec(*given, scheme=scheme, boundary=boundary)  # type: ignore[arg-type]
        if row.score is not None and not isclose(row.score, found.score, rel_tol=1e-6, abs_tol=0.005):
            notes.append(Note("d_differs", f"表里D={row.score:g},L×E×C={found.score:g},请核对"))
        return found
    if any(value is not None for value in given):
        notes.append(Note("lec_incomplete", "L、E、C没有填全,没法核对D"))
    return classify(row.score, scheme=scheme, boundary=boundary) if row.score is not None else None


def _residual(
    row: Written,
    inherent: RiskLevel,
    computed: LecResult | None,
    notes: list[Note],
    *,
    scheme: Scheme,
    boundary: Boundary | None,
) -> None:
    """The current risk (现有风险) cannot be higher than the inherent one (固有风险)."""
    inherent_score = row.score if row.score is not None else computed.score if computed is not None else None
    by_score = row.residual_score is not None and inherent_score is not None and row.residual_score > inherent_score
    residual = level_of(row.residual_level, scheme=scheme)
    if residual is None and row.residual_score is not None:
        residual = classify(row.residual_score, scheme=scheme, boundary=boundary).colour
    if by_score or (residual is not None and _RANK[residual] < _RANK[inherent]):
        notes.append(Note("residual_higher", "现有风险比固有风险还高,请核对"))


def _control(text: str, colour: RiskLevel, notes: list[Note]) -> None:
    levels = [name for name, words in CONTROL if any(word in text for word in words)]
    order = [name for name, _ in CONTROL]
    if levels and order.index(levels[0]) > order.index(colour.control_zh):
        notes.append(Note("control_lower", f"{colour.zh}应由{colour.control_zh}管控,表里最高只到{levels[0]},请核对"))


def level_of(text: str, *, scheme: Scheme = Scheme.A) -> RiskLevel | None:
    """The colour that a level means (Ⅱ级, 2, B, 橙, 较大风险 …); None when it is empty or not understood."""
    plain = "".join(unicodedata.normalize("NFKC", text).lower().split())
    for word, colour in _WORDS:
        if word in plain:
            return colour
    match = _NUMBERED.fullmatch(plain.strip("()[]【】"))
    return _numbered(_DIGITS[match.group(1)], SCHEMES[scheme]) if match else None


def _numbered(level: int, table: SchemeTable) -> RiskLevel:
    known = {number: colour for _, number, colour in table.steps} | {table.floor[0]: table.floor[1]}
    return known.get(level, _B)


def accident_types(text: str, notes: list[Note]) -> tuple[str, ...]:
    """The accident types of GB 6441-2025 that the cell names; old and unknown names are noted, none is guessed."""
    found: list[str] = []
    for part in re.split(r"[\u3001,\uff0c;\uff1b/|\n。\s]+", unicodedata.normalize("NFKC", text).replace("(场)", "场")):
        name = re.sub(r"^\d+[.)]?", "", part).strip().removesuffix("事故")
        if not name:
            continue
        name = "厂(场)内车辆致害" if name == "厂场内车辆致害" else name
        if name in ACCIDENTS:
            found.append(name)
        elif (modern := OLD_ACCIDENTS.get(name)) is None:
            notes.append(Note("accident_unknown", f"事故类型“{name[:12]}”不在GB 6441-2025的名称里,请核对"))
        elif len(modern) > 1:
            notes.append(Note("accident_split", f"“{name}”在GB 6441-2025里分为{'、'.join(modern)},请选定"))
        else:
            found.append(modern[0])
    return tuple(dict.fromkeys(found))
