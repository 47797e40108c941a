"""An invented methanol plant: people on both platforms, areas with outlines, equipment, groups.

Coordinates are WGS84. Everything is laid out in metres east (x) and north (y) of one corner of the tank farm.
"""

from __future__ import annotations

import base64
import math
import secrets as random_values
import string
from typing import Any

ORIGIN_LON, ORIGIN_LAT = 118.59, 37.45
M_PER_DEGREE = 111_320.0
SMS_TEMPLATE = "SMS_100001"
SMS_TEXT = "${grade}${number}:${area},${time}上报,请立即处理。"

# code, name, kind, workshop, medium, ignition, zone, outline in metres
AREAS: list[tuple[str, str, str, str, list[str], list[str], str, list[tuple[float, float]]]] = [
    ("JC", "甲醇罐区", "tank_farm", "储运车间", ["甲醇"], [], "hazardous", [(0, 0), (90, 0), (90, 70), (0, 70)]),
    (
        "JR",
        "加热炉区",
        "furnace",
        "合成车间",
        ["导热油", "天然气"],
        ["加热炉"],
        "hazardous",
        [(110, 8), (152, 8), (152, 60), (110, 60)],
    ),
    (
        "HC",
        "合成车间",
        "process_unit",
        "合成车间",
        ["甲醇", "合成气"],
        [],
        "hazardous",
        [(0, 100), (120, 100), (120, 170), (96, 182), (0, 182)],
    ),
    ("BF", "3号泵房", "pump_house", "储运车间", ["甲醇"], [], "hazardous", [(4, -32), (48, -32), (48, -12), (4, -12)]),
    ("ZX", "装卸台", "loading", "储运车间", ["甲醇"], [], "hazardous", [(-86, 2), (-24, 2), (-24, 54), (-86, 54)]),
    (
        "DL",
        "动力站",
        "utility",
        "动力车间",
        ["天然气", "蒸汽"],
        ["锅炉", "配电柜"],
        "none",
        [(190, 104), (262, 104), (262, 166), (190, 166)],
    ),
]

# code, name, kind, area, medium, ignition, x, y
EQUIPMENT: list[tuple[str, str, str, str, str | None, bool, float, float]] = [
    ("V-201", "1号甲醇储罐", "tank", "JC", "甲醇", False, 18, 18),
    ("V-202", "2号甲醇储罐", "tank", "JC", "甲醇", False, 46, 18),
    ("V-203", "3号甲醇储罐", "tank", "JC", "甲醇", False, 74, 18),
    ("V-204", "4号甲醇储罐", "tank", "JC", "甲醇", False, 18, 50),
    ("V-205", "5号甲醇储罐", "tank", "JC", "甲醇", False, 46, 50),
    ("V-206", "事故罐", "tank", "JC", "甲醇", False, 74, 50),
    ("XV-2011", "1号罐根部紧急切断阀", "valve", "JC", "甲醇", False, 26, 10),
    ("XV-2021", "2号罐根部紧急切断阀", "valve", "JC", "甲醇", False, 54, 10),
    ("GT-201", "罐区东侧可燃气体探测器", "detector", "JC", None, False, 86, 35),
    ("GT-202", "罐区西侧可燃气体探测器", "detector", "JC", None, False, 4, 35),
    ("F-301", "1号导热油加热炉", "furnace", "JR", "导热油", True, 122, 24),
    ("F-302", "2号导热油加热炉", "furnace", "JR", "导热油", True, 122, 46),
    ("P-301A", "导热油循环泵A", "pump", "JR", "导热油", False, 138, 22),
    ("P-301B", "导热油循环泵B", "pump", "JR", "导热油", False, 138, 30),
    ("V-301", "导热油膨胀槽", "vessel", "JR", "导热油", False, 145, 48),
    ("XV-3011", "燃料气快速切断阀", "valve", "JR", "天然气", False, 116, 14),
    ("R-101", "甲醇合成塔", "reactor", "HC", "合成气", False, 30, 140),
    ("E-101", "塔进出口换热器", "exchanger", "HC", "合成气", False, 44, 132),
    ("E-102", "甲醇水冷器", "exchanger", "HC", "甲醇", False, 58, 132),
    ("V-101", "甲醇分离器", "vessel", "HC", "甲醇", False, 66, 146),
    ("C-101", "循环气压缩机", "compressor", "HC", "合成气", False, 84, 120),
    ("C-102", "合成气压缩机", "compressor", "HC", "合成气", False, 100, 120),
    ("T-101", "预精馏塔", "column", "HC", "甲醇", False, 20, 168),
    ("T-102", "常压精馏塔", "column", "HC", "甲醇", False, 40, 168),
    ("PSV-1011", "合成塔安全阀", "valve", "HC", "合成气", False, 32, 146),
    ("GT-101", "压缩厂房可燃气体探测器", "detector", "HC", None, False, 92, 112),
    ("P-101A", "甲醇输送泵A", "pump", "BF", "甲醇", False, 12, -22),
    ("P-101B", "甲醇输送泵B", "pump", "BF", "甲醇", False, 20, -22),
    ("P-102A", "装车泵A", "pump", "BF", "甲醇", False, 28, -22),
    ("P-102B", "装车泵B", "pump", "BF", "甲醇", False, 36, -22),
    ("GT-301", "泵房可燃气体探测器", "detector", "BF", None, False, 44, -18),
    ("LA-401", "1号装车鹤管", "loading_arm", "ZX", "甲醇", False, -72, 20),
    ("LA-402", "2号装车鹤管", "loading_arm", "ZX", "甲醇", False, -54, 20),
    ("LA-403", "3号装车鹤管", "loading_arm", "ZX", "甲醇", False, -36, 20),
    ("SG-401", "静电接地报警器", "instrument", "ZX", None, False, -54, 12),
    ("FH-401", "装卸台消防炮", "fire_equipment", "ZX", None, False, -80, 48),
    ("B-501", "1号燃气锅炉", "boiler", "DL", "天然气", True, 204, 122),
    ("B-502", "2号燃气锅炉", "boiler", "DL", "天然气", True, 218, 122),
    ("TR-501", "1号变压器", "electrical", "DL", None, True, 246, 118),
    ("PD-501", "低压配电柜", "electrical", "DL", None, True, 246, 150),
]

STOPPED = {"P-101B": "standby", "P-301B": "standby", "P-102B": "maintenance", "V-206": "standby", "B-502": "standby"}

# id, name, title, role, areas, department, team, wecom, dingtalk, further roles
PEOPLE: list[tuple[str, str, str, str, list[str], str, str, str | None, str | None, list[str]]] = [
    ("zhangwei", "张伟", "罐区操作工", "worker", ["JC"], "储运车间", "储运班", "ZhangWei", None, []),
    (
        "liqiang",
        "李强",
        "储运班班组长",
        "team_leader",
        ["JC", "BF", "ZX"],
        "储运车间",
        "储运班",
        None,
        "user001",
        [],
    ),
    ("liuyang", "刘洋", "合成班班组长", "team_leader", ["HC", "JR"], "合成车间", "合成班", "LiuYang", None, []),
    ("wangfang", "王芳", "专职安全员", "safety_officer", [], "安全环保部", "安全组", None, "user002", []),
    ("zhoumin", "周敏", "安全员", "safety_officer", [], "安全环保部", "安全组", "ZhouMin", None, ["admin"]),
    (
        "chengang",
        "陈刚",
        "储运车间主任",
        "workshop_director",
        ["JC", "BF", "ZX"],
        "储运车间",
        "",
        "ChenGang",
        "user003",
        [],
    ),
    ("hejing", "何静", "合成车间主任", "workshop_director", ["HC", "JR"], "合成车间", "", None, "user004", []),
    ("zhaojianguo", "赵建国", "分管安全副总", "executive", [], "公司领导", "", "ZhaoJianGuo", None, []),
    ("sunli", "孙丽", "合成操作工", "worker", ["HC"], "合成车间", "合成班", None, "user005", []),
    ("madeshun", "马德顺", "锅炉房司炉工", "worker", ["DL"], "动力车间", "动力班", "MaDeShun", None, ["veteran"]),
    ("wutao", "吴涛", "设备员", "worker", ["HC", "JR"], "设备部", "设备组", None, "user006", []),
    ("zhengkai", "郑凯", "动火监护人", "worker", ["JC", "JR"], "储运车间", "储运班", "ZhengKai", None, []),
    ("huangmei", "黄梅", "装卸工", "worker", ["ZX"], "储运车间", "储运班", None, "user007", []),
    ("xujun", "徐军", "动力车间主任", "workshop_director", ["DL"], "动力车间", "", "XuJun", "user008", []),
    ("gaofeng", "高峰", "动力班班组长", "team_leader", ["DL"], "动力车间", "动力班", None, "user009", []),
    ("linxue", "林雪", "气体分析工", "worker", ["HC", "JC"], "合成车间", "分析组", "LinXue", None, []),
]

# person → [(kind, number, issued on, valid until)]
CERTIFICATES: dict[str, list[tuple[str, str, str, str]]] = {
    "zhengkai": [("hot_work_guardian", "JH-2026-017", "2026-01-12", "2027-12-31")],
    "gaofeng": [("guardian", "JH-2026-021", "2026-03-02", "2027-06-30")],
    "huangmei": [("hot_work_guardian", "JH-2024-005", "2024-11-25", "2026-11-24")],  # ends in the middle of a demo day
    "liuyang": [("guardian", "JH-2023-011", "2023-05-08", "2026-05-31")],  # has run out
    "wutao": [("welding", "T6105-2025-031", "2025-04-01", "2028-03-31")],
    "madeshun": [
        ("boiler_operator", "GL-2024-008", "2024-06-01", "2027-05-31"),
        ("electrician", "T6105-2024-077", "2024-09-10", "2027-09-09"),
    ],
    "sunli": [("height", "T6105-2025-102", "2025-07-15", "2028-07-14")],
    "linxue": [("gas_analyst", "FX-2025-042", "2025-07-01", "2028-06-30")],
    "wangfang": [("safety_manager", "AQ-2025-003", "2025-04-01", "2028-03-31")],
}

# code of the equipment, or a number of its own: name, kind, unit, medium, calibrated until, seconds between values
DETECTORS: list[tuple[str, str, str, str, str, str, int]] = [
    ("GT-101", "压缩厂房可燃气体探测器", "combustible", "%LEL", "甲醇", "2027-06-30", 300),
    ("GT-201", "罐区东侧可燃气体探测器", "combustible", "%LEL", "甲醇", "2027-06-30", 300),
    ("GT-202", "罐区西侧可燃气体探测器", "combustible", "%LEL", "甲醇", "2027-06-30", 300),
    ("GT-301", "泵房可燃气体探测器", "combustible", "%LEL", "甲醇", "2027-06-30", 300),
    ("FS-01", "厂区风速仪", "wind", "m/s", "", "2027-03-31", 600),
    ("BX-01", "便携式四合一检测仪1号", "portable", "%LEL", "", "2027-02-28", 300),
    ("BX-02", "便携式四合一检测仪2号", "portable", "%LEL", "", "2026-10-31", 300),  # calibration has run out
]

# place, activity, hazard, accident, L, E, C, level, measures (engineering, management), unit, owner
RISK_NAMES = (
    "place",
    "activity",
    "hazard",
    "accident",
    "l",
    "e",
    "c",
    "level",
    "engineering",
    "management",
    "unit",
    "owner",
)
RISKS: list[tuple[str, str, str, str, float, float, float, str, str, str, str, str]] = [
    ("甲醇罐区", "卸车", "静电未释放", "火灾", 3, 6, 15, "较大", "静电接地报警器", "双人确认接地", "储运车间", "陈刚"),
    ("甲醇罐区", "卸车", "软管脱落", "泄漏", 3, 3, 7, "低", "拉断阀", "每次检查接头", "储运车间", "李强"),
    ("甲醇罐区", "巡检", "平台护栏松动", "高处坠落", 1, 6, 15, "一般", "护栏", "每班巡检", "储运车间", "李强"),
    ("3号泵房", "检修机泵", "能量未隔离", "机械致害", 3, 3, 15, "一般", "上锁挂牌", "检修作业票", "储运车间", "李强"),
    ("装卸台", "装车", "鹤管碰撞", "泄漏", 3, 6, 7, "一般", "限位", "专人指挥", "储运车间", "李强"),
    ("加热炉区", "点炉", "炉膛存留可燃气", "可燃气体爆炸", 3, 2, 40, "较大", "联锁吹扫", "点炉确认单", "合成车间", "陈刚"),
    ("合成车间", "进塔检修", "氮气窒息", "窒息", 3, 2, 40, "较大", "盲板隔离", "气体分析、专人监护", "合成车间", "陈刚"),
    ("动力站", "配电操作", "误送电", "触电", 1, 6, 15, "一般", "五防联锁", "操作票", "动力车间", "周敏"),
]  # fmt: skip

# code, name, kind, medium, outline in metres
ZONES: list[tuple[str, str, str, str, list[tuple[float, float]]]] = [
    ("GD-01", "动力站固定动火区", "fixed_hot_work", "", [(222, 130), (240, 130), (240, 150), (222, 150)]),
    ("FD-01", "甲醇罐区防火堤", "dike", "甲醇", [(8, 6), (82, 6), (82, 62), (8, 62)]),
    ("JH-01", "鹤管绝对禁火区", "ban", "甲醇", [(-78, 14), (-30, 14), (-30, 26), (-78, 26)]),
]


# the 智能机器人 and the groups it sits in; token and key come with the secrets
BOT: dict[str, Any] = {
    "name": "安哨",
    "aibotid": "aib-anshao",
    "groups": [
        {"id": "wrRepair0001", "title": "设备检修群", "members": ["ZhangWei", "LiuYang", "ChenGang", "ZhouMin"]}
    ],
}


def lon_lat(x: float, y: float) -> list[float]:
    """[lon, lat] of a point x metres east and y metres north of the corner; seven decimals (about a centimetre)."""
    lon = ORIGIN_LON + x / (M_PER_DEGREE * math.cos(math.radians(ORIGIN_LAT)))
    return [round(lon, 7), round(ORIGIN_LAT + y / M_PER_DEGREE, 7)]


def demo_secrets() -> dict[str, Any]:
    """Fresh arbitrary values in the shapes the platforms use, for `demo_plant(secrets=…)`."""
    return {
        "wecom": {
            "corp_id": "ww" + _hex(16),
            "agent_id": 1000002,
            "secret": _letters(43),
            "token": _letters(24),
            "aes_key": _aes_key(),
            "webhook_key": f"{_hex(8)}-{_hex(4)}-{_hex(4)}-{_hex(4)}-{_hex(12)}",
            "bot": {"token": _letters(24), "aes_key": _aes_key()},
        },
        "dingtalk": {
            "corp_id": "ding" + _hex(32),
            "client_id": "ding" + _letters(16).lower(),
            "client_secret": _letters(64),
            "agent_id": 2000000001,
            "robot_code": "ding" + _letters(16).lower(),
            "event_token": _letters(24),
            "event_aes_key": _aes_key(),
            "card_template_id": f"{_hex(8)}-{_hex(4)}-{_hex(4)}.schema",
            "card_route_key": "anshao",
        },
        "sms": {"access_key_id": "LTAI" + _letters(20), "access_key_secret": _letters(30)},
        "training": {"token": _letters(32)},
    }


def _letters(size: int) -> str:
    return "".join(random_values.choice(string.ascii_letters + string.digits) for _ in range(size))


def _hex(size: int) -> str:
    return random_values.token_hex(size)[:size]


def _aes_key() -> str:
    """43 letters and digits that decode to 32 bytes."""
    while True:
        key = base64.b64encode(random_values.token_bytes(32)).decode().rstrip("=")
        if key.isalnum():
            return key


def demo_plant(*, public_url: str, secrets: dict[str, Any]) -> dict[str, Any]:
    """The plant the emulators serve.

    `public_url` is where the product is reached; `secrets` has the parts wecom, dingtalk and sms, each with the
    credentials of EMULATORS and anything that should differ from the defaults.
    """
    base = public_url.rstrip("/")
    wecom, dingtalk, sms = dict(secrets["wecom"]), dict(secrets["dingtalk"]), dict(secrets["sms"])
    wecom.setdefault("agent_id", 1000002)
    wecom.setdefault("callback_url", f"{base}/wecom/callback")
    if wecom.get("bot"):
        wecom["bot"] = {"callback_url": f"{base}/wecom/bot", **BOT, **wecom["bot"]}
    dingtalk.setdefault("robot_url", f"{base}/dingtalk/robot")
    dingtalk.setdefault("event_url", f"{base}/dingtalk/events")
    dingtalk.setdefault("card_url", f"{base}/dingtalk/cards")
    sms.setdefault("sign_names", ["安哨"])
    sms.setdefault("templates", {SMS_TEMPLATE: SMS_TEXT})
    return {
        "name": "滨海甲醇有限公司",
        "people": [_person(index, row) for index, row in enumerate(PEOPLE, start=1)],
        "areas": [_area(row) for row in AREAS],
        "equipment": [_equipment(row) for row in EQUIPMENT],
        "detectors": [_detector(row) for row in DETECTORS],
        "zones": [_zone(row) for row in ZONES],
        "certificates": [_certificate(who, row) for who, rows in CERTIFICATES.items() for row in rows],
        "risks": [dict(zip(RISK_NAMES, row, strict=True)) for row in RISKS],
        "groups": _groups(wecom.get("webhook_key")),
        "wecom": wecom,
        "dingtalk": dingtalk,
        "sms": sms,
        "training": dict(secrets.get("training") or {"token": _letters(32)}),
    }


def _person(index: int, row: tuple[Any, ...]) -> dict[str, Any]:
    key, name, title, role, areas, department, team, wecom, dingtalk, further = row
    rows = [{"role": role, "area": area} for area in areas] or [{"role": role, "area": None}]
    return {
        "id": key,
        "name": name,
        "mobile": f"138000000{index:02d}",
        "title": title,
        "role": role,
        "roles": rows + [{"role": other, "area": None} for other in further],
        "areas": list(areas),
        "department": department,
        "team": team,
        "wecom": wecom,
        "dingtalk": dingtalk,
        "unionid": f"union-{key}",
        "certificates": [_certificate(key, row) for row in CERTIFICATES.get(key, [])],
    }


def _area(row: tuple[Any, ...]) -> dict[str, Any]:
    code, name, kind, workshop, medium, ignition, zone, outline = row
    return {
        "code": code,
        "name": name,
        "kind": kind,
        "workshop": workshop,
        "medium": list(medium),
        "ignition": list(ignition),
        "zone": zone,
        "polygon": [lon_lat(x, y) for x, y in outline],
    }


def _equipment(row: tuple[Any, ...]) -> dict[str, Any]:
    code, name, kind, area, medium, ignition, x, y = row
    lon, lat = lon_lat(x, y)
    return {
        "code": code,
        "name": name,
        "kind": kind,
        "area": area,
        "medium": medium,
        "lat": lat,
        "lon": lon,
        "state": STOPPED.get(code, "running"),
        "ignition": ignition,
    }


def _certificate(person: str, row: tuple[str, str, str, str]) -> dict[str, str]:
    kind, number, issued_on, valid_until = row
    return {"person": person, "kind": kind, "number": number, "issued_on": issued_on, "valid_until": valid_until}


def _detector(row: tuple[str, str, str, str, str, str, int]) -> dict[str, Any]:
    code, name, kind, unit, medium, calibrated_until, max_age_s = row
    mounted = next((item for item in EQUIPMENT if item[0] == code), None)
    lon, lat = lon_lat(mounted[6], mounted[7]) if mounted else (None, None)
    return {
        "code": code,
        "name": name,
        "kind": kind,
        "unit": unit,
        "medium": medium,
        "area": mounted[3] if mounted else None,
        "lat": lat,
        "lon": lon,
        "max_age_s": max_age_s,
        "calibrated_until": calibrated_until,
    }


def _zone(row: tuple[str, str, str, str, list[tuple[float, float]]]) -> dict[str, Any]:
    code, name, kind, medium, ring = row
    return {"code": code, "name": name, "kind": kind, "medium": medium, "polygon": [lon_lat(x, y) for x, y in ring]}


def _groups(webhook_key: str | None) -> list[dict[str, Any]]:
    groups: list[dict[str, Any]] = [
        {
            "id": "cidStorage0001==",
            "platform": "dingtalk",
            "title": "储运车间安全群",
            "members": ["user003", "user001", "user002", "user007"],
        },
        {
            "id": "cidSynthesis0001==",
            "platform": "dingtalk",
            "title": "合成车间安全群",
            "members": ["user004", "user002", "user005", "user006"],
        },
    ]
    if webhook_key:
        members = ["ZhaoJianGuo", "ZhouMin", "ChenGang", "XuJun", "LiuYang"]
        title = "全厂安全通报群"
        groups.append(
            {"id": "wrSafety0001", "platform": "wecom", "title": title, "members": members, "webhook_key": webhook_key}
        )
    return groups
