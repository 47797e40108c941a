"""The field's words as enums: the same term in code, database, API and on screen."""

from __future__ import annotations

from enum import StrEnum


class Grade(StrEnum):
    """Grade of a hazard (隐患分级). An enterprise rule, not the legal class: see docs/hazard-rules.md."""

    RED = "red"
    ORANGE = "orange"
    YELLOW = "yellow"

    @property
    def zh(self) -> str:
        return {"red": "一级(红)", "orange": "二级(橙)", "yellow": "三级(黄)"}[self.value]

    @property
    def rank(self) -> int:
        """1 is the most serious."""
        return {"red": 1, "orange": 2, "yellow": 3}[self.value]


class HazardState(StrEnum):
    DRAFT = "draft"
    REPORTED = "reported"
    ASSIGNED = "assigned"
    RECTIFYING = "rectifying"
    TO_ACCEPT = "to_accept"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"
    MERGED = "merged"

    @property
    def zh(self) -> str:
        return {
            "draft": "填报中",
            "reported": "已上报",
            "assigned": "待整改",
            "rectifying": "整改中",
            "to_accept": "待验收",
            "closed": "已闭环",
            "withdrawn": "已撤回",
            "merged": "已合并",
        }[self.value]


OPEN_STATES = frozenset({HazardState.REPORTED, HazardState.ASSIGNED, HazardState.RECTIFYING, HazardState.TO_ACCEPT})


class Role(StrEnum):
    """What a person is to the plant; a role may be limited to one area."""

    WORKER = "worker"
    TEAM_LEADER = "team_leader"
    WORKSHOP_DIRECTOR = "workshop_director"
    SAFETY_OFFICER = "safety_officer"
    EXECUTIVE = "executive"
    VETERAN = "veteran"
    ADMIN = "admin"

    @property
    def zh(self) -> str:
        return {
            "worker": "员工",
            "team_leader": "班组长",
            "workshop_director": "车间主任",
            "safety_officer": "安全员",
            "executive": "分管领导",
            "veteran": "老师傅",
            "admin": "管理员",
        }[self.value]


class PlaceSource(StrEnum):
    """Where a position came from; the order is the order of trust when sources disagree."""

    EQUIPMENT = "equipment"
    H5 = "h5"
    LOCATION_EVENT = "location_event"
    LOCATION_MESSAGE = "location_message"
    EXIF = "exif"
    AREA_CHOICE = "area_choice"

    @property
    def zh(self) -> str:
        return {
            "equipment": "设备台账",
            "h5": "手机定位",
            "location_event": "企业微信定位",
            "location_message": "位置消息",
            "exif": "照片定位",
            "area_choice": "手选区域",
        }[self.value]


class PhotoKind(StrEnum):
    BEFORE = "before"
    AFTER = "after"
