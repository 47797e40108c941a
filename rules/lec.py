"""LEC: the risk of an activity, D = L × E × C (作业条件危险性评价法), its bands and its colours."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from rules.errors import RuleBroken

LIKELIHOOD = (0.1, 0.2, 0.5, 1, 3, 6, 10)  # 0.1 is in the classic table and absent in some plants' tables
EXPOSURE = (0.5, 1, 2, 3, 6, 10)
CONSEQUENCE = (1, 3, 7, 15, 40, 100)


class RiskLevel(StrEnum):
    """The four risk colours (风险分级). Not to be mixed with the grade of a hazard."""

    RED = "red"
    ORANGE = "orange"
    YELLOW = "yellow"
    BLUE = "blue"

    @property
    def zh(self) -> str:
        return {"red": "重大风险", "orange": "较大风险", "yellow": "一般风险", "blue": "低风险"}[self.value]

    @property
    def control_zh(self) -> str:
        """Who controls it by default (管控层级)."""
        return {"red": "公司级", "orange": "车间级", "yellow": "班组级", "blue": "岗位级"}[self.value]


class Boundary(StrEnum):
    """What a score exactly on a boundary becomes: the higher band only when ABOVE says `>` is not needed."""

    ABOVE = ">"  # D=320 stays in the lower band
    FROM = ">="  # D=320 takes the higher band


class Scheme(StrEnum):
    """How the score becomes a colour; plants differ, so the import asks (docs/hazard-rules.md)."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    E = "E"


@dataclass(frozen=True, slots=True)
class SchemeTable:
    """steps: (limit, level number, colour) from the top; below the last limit the floor applies."""

    steps: tuple[tuple[float, int, RiskLevel], ...]
    floor: tuple[int, RiskLevel]
    boundary: Boundary


_R, _O, _Y, _B = RiskLevel.RED, RiskLevel.ORANGE, RiskLevel.YELLOW, RiskLevel.BLUE
SCHEMES: dict[Scheme, SchemeTable] = {
    Scheme.A: SchemeTable(((320, 1, _R), (160, 2, _O), (70, 3, _Y)), (4, _B), Boundary.ABOVE),  # [M], default
    Scheme.B: SchemeTable(((320, 1, _R), (160, 2, _O), (70, 3, _Y)), (4, _B), Boundary.FROM),  # [M]
    Scheme.C: SchemeTable(((270, 1, _R), (140, 2, _O), (70, 3, _Y)), (4, _B), Boundary.FROM),  # [L]
    Scheme.D: SchemeTable(((320, 1, _R), (160, 2, _O), (70, 3, _Y), (20, 4, _B)), (5, _B), Boundary.ABOVE),  # [M]
    Scheme.E: SchemeTable(((160, 1, _R), (70, 2, _O), (20, 3, _Y)), (4, _B), Boundary.FROM),  # [L]
}
CLASSIC_BANDS = ((320, "极其危险"), (160, "高度危险"), (70, "显著危险"), (20, "一般危险"), (0, "稍有危险"))  # [H]


@dataclass(frozen=True, slots=True)
class LecResult:
    """score D (no unit); band_zh one of the five classic bands; level 1 (worst) to 4, or 5 in scheme D."""

    score: float
    band_zh: str
    level: int
    colour: RiskLevel


def lec(
    likelihood: float,
    exposure: float,
    consequence: float,
    *,
    scheme: Scheme = Scheme.A,
    boundary: Boundary | None = None,
) -> LecResult:
    """Risk of an activity: D = L × E × C, no unit. Order is fixed by the method's name.

    Raises RuleBroken("lec") for a value that is not on its scale; nothing is rounded to a neighbour.
    boundary None takes the scheme's own; the default scheme A reads `>`, so D = 320 is 高度危险 and orange.
    Source: scales and bands 320/160/70/20, Kinney & Wiruth 1976 [H]; colours, the plant's scheme [M/L].
    """
    for name, value, scale in (
        ("L", likelihood, LIKELIHOOD),
        ("E", exposure, EXPOSURE),
        ("C", consequence, CONSEQUENCE),
    ):
        if value not in scale:
            allowed = "、".join(f"{step:g}" for step in scale)
            raise RuleBroken("lec", f"{name}={value:g} 不在取值表内，可选：{allowed}。", facts={name: value})
    score = round(likelihood * exposure * consequence, 6)  # 0.1 × 10 × 7 must be 7, not 7.000000000000001
    return classify(score, scheme=scheme, boundary=boundary)


def classify(score: float, *, scheme: Scheme = Scheme.A, boundary: Boundary | None = None) -> LecResult:
    """Band, level and colour of a score that is already known (an imported table)."""
    table = SCHEMES[scheme]
    rule = boundary or table.boundary

    def reaches(limit: float) -> bool:
        return score >= limit if rule is Boundary.FROM else score > limit

    band = next((zh for limit, zh in CLASSIC_BANDS[:-1] if reaches(limit)), CLASSIC_BANDS[-1][1])
    level, colour = next(((level, colour) for limit, level, colour in table.steps if reaches(limit)), table.floor)
    return LecResult(score=score, band_zh=band, level=level, colour=colour)
