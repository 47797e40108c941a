"""Kinds of certificates and what they let a person do.

The guardian certificate (监护人培训合格证) is the plant's or the industry's own (GB 30871-2022 cl. 4.10); cards of special
operations (特种作业操作证) and special equipment follow cl. 4.9. Which card a job asks for is the plant's to decide; the
table below is the common reading and is marked so in docs/permits.md (G-011).
"""

from __future__ import annotations

from collections.abc import Mapping

GUARDIAN = "guardian"  # good for every work

KIND_ZH: Mapping[str, str] = {
    GUARDIAN: "监护人",
    "hot_work_guardian": "动火监护人",
    "confined_space_guardian": "受限空间监护人",
    "blind_plate_guardian": "盲板抽堵监护人",
    "work_at_height_guardian": "高处作业监护人",
    "lifting_guardian": "吊装监护人",
    "temp_power_guardian": "临时用电监护人",
    "digging_guardian": "动土监护人",
    "road_closing_guardian": "断路监护人",
    "welding": "焊接与热切割作业",
    "electrician": "电工作业",
    "height": "高处作业",
    "crane_operator": "起重机司机",
    "crane_signaller": "起重机指挥",
    "gas_analyst": "气体分析",
    "boiler_operator": "锅炉作业",
    "safety_manager": "安全管理人员",
}

OPERATOR: Mapping[str, tuple[str, ...]] = {
    "work_at_height": ("height",),
    "lifting": ("crane_operator", "crane_signaller"),
    "temp_power": ("electrician",),
}
"""Work → cards of which every worker needs one."""

WELDING_WORDS = ("焊", "气割", "切割", "热切")
COLD_SPARK_WORDS = ("打磨", "砂轮", "磨光", "电钻", "钻孔", "喷砂", "喷灯")


def guardian_kinds(work: str) -> tuple[str, ...]:
    """The certificates that let somebody guard this work."""
    return (f"{work}_guardian", GUARDIAN)


def operator_kinds(work: str, content: str) -> tuple[str, ...] | None:
    """The cards of which a worker needs one; () when none is asked for, None when the words do not tell.

    Hot work asks for the welder's card when something is welded or cut (4.9); grinding and drilling do not.
    """
    if work != "hot_work":
        return OPERATOR.get(work, ())
    if any(word in content for word in WELDING_WORDS):
        return ("welding",)
    return () if any(word in content for word in COLD_SPARK_WORDS) else None


def kind_of(text: str) -> str:
    """The kind by its id or Chinese name; an unknown kind is kept as it stands."""
    text = text.strip()
    by_name = {name: kind for kind, name in KIND_ZH.items()}
    plain = text.removesuffix("证").removesuffix("合格").removesuffix("培训")
    return by_name.get(text) or by_name.get(plain) or text
