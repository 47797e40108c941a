"""Where the numbers in the rules come from, and how sure we are of each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Mark(StrEnum):
    """How well a number is established. Anything below H is shown as 「待确认」 where a decision rests on it."""

    HIGH = "H"  # read in the text, or the same in several independent places
    MEDIUM = "M"  # usual value; sources differ slightly, or one source only
    LOW = "L"  # our proposal, to be confirmed by the plant

    @property
    def zh(self) -> str:
        return {"H": "已核实", "M": "常用值，待确认", "L": "建议值，待本厂确认"}[self.value]


@dataclass(frozen=True, slots=True)
class Source:
    text_zh: str
    mark: Mark


ORDER_16 = Source("安全生产事故隐患排查治理暂行规定(总局令第16号)第三条", Mark.HIGH)
ENTERPRISE_GRADING = Source("企业隐患分级(一级红/二级橙/三级黄)，法规无此分级", Mark.LOW)
CONFIRM_TIMES = Source("隐患确认时限，企业默认值", Mark.LOW)
FIX_TIMES = Source("隐患整改时限，企业默认值", Mark.LOW)
LEC_SCALES = Source("作业条件危险性评价法(LEC)，Kinney & Wiruth 1976", Mark.HIGH)
CHEMICAL_MAJOR = Source("化工和危险化学品重大隐患判定标准(安监总管三〔2017〕121号)", Mark.HIGH)
GENERAL_MAJOR = Source("工贸企业重大事故隐患判定标准(应急管理部令第10号)", Mark.MEDIUM)
HOT_WORK_GAS = Source("GB 30871-2022 5.3.2 a/b", Mark.HIGH)
OCCUPATIONAL_LIMITS = Source("GBZ 2.1-2019", Mark.MEDIUM)
