"""The policy in force until the plant publishes its own.

Source: grade → receiver as the plant's procedure has it (一级红→分管领导, 二级橙→车间主任, 三级黄→班组长). The times are
proposals and no legal limits (docs/hazard-rules.md); Order 16 art. 15 only asks for «at once» or a plan. Gas alarm: the
second alarm level of GB/T 50493-2019 (combustible 50 %LEL, toxic 200 % of the occupational limit).
"""

from __future__ import annotations

from typing import Any


def _notice(to: str, *channels: str) -> dict[str, Any]:
    return {"to": to, "channels": list(channels)}


_LEFT_BEHIND: list[dict[str, Any]] = [  # who has not confirmed is asked again, then others look for them
    {"after_minutes": 2, "notices": [_notice("missing", "app", "sms")]},
    {
        "after_minutes": 5,
        "notices": [
            _notice("missing", "sms"),
            _notice("team_leader", "app", "sms"),
            _notice("safety_officer", "app", "sms"),
        ],
    },
    {
        "after_minutes": 10,
        "notices": [_notice("workshop_director", "app", "sms"), _notice("executive", "app", "sms")],
    },
]

DEFAULT: dict[str, Any] = {
    "plans": [
        {
            "when": {"grade": "red"},
            "owner": "workshop_director",
            "acceptor": "safety_officer",
            "first": [
                _notice("executive", "wecom", "sms"),
                _notice("owner", "app"),
                _notice("safety_officer", "app"),
            ],
            "confirm_minutes": 15,
            "rectify_hours": 4,
            "accept_hours": 4,
            "stale_minutes": 30,
            "ladders": {
                "stale": [
                    {"after_minutes": 0, "notices": [_notice("owner", "app", "sms")]},
                    {"after_minutes": 30, "notices": [_notice("executive", "app"), _notice("safety_officer", "app")]},
                ],
                "confirm": [
                    {"after_minutes": 5, "notices": [_notice("owner", "app", "sms")]},
                    {
                        "after_minutes": 15,
                        "notices": [_notice("executive", "app", "sms"), _notice("safety_officer", "app", "sms")],
                    },
                    {"after_minutes": 30, "notices": [_notice("executive", "sms"), _notice("admin", "app")]},
                ],
                "rectify": [
                    {"after_minutes": -60, "notices": [_notice("owner", "app")]},
                    {"after_minutes": 0, "notices": [_notice("owner", "app", "sms"), _notice("executive", "app")]},
                    {
                        "after_minutes": 240,
                        "notices": [_notice("executive", "app", "sms"), _notice("safety_officer", "app")],
                    },
                ],
                "accept": [
                    {"after_minutes": 0, "notices": [_notice("acceptor", "app")]},
                    {"after_minutes": 240, "notices": [_notice("executive", "app")]},
                ],
            },
        },
        {
            "when": {"grade": "orange"},
            "owner": "workshop_director",
            "acceptor": "safety_officer",
            "first": [_notice("owner", "dingtalk_group", "dingtalk_todo")],
            "confirm_minutes": 120,
            "rectify_hours": 72,
            "accept_hours": 24,
            "stale_minutes": 1440,
            "ladders": {
                "stale": [
                    {"after_minutes": 0, "notices": [_notice("owner", "app")]},
                    {"after_minutes": 480, "notices": [_notice("safety_officer", "app")]},
                ],
                "confirm": [
                    {"after_minutes": 120, "notices": [_notice("owner", "app")]},
                    {
                        "after_minutes": 240,
                        "notices": [_notice("safety_officer", "app"), _notice("owner", "app", "sms")],
                    },
                    {"after_minutes": 480, "notices": [_notice("executive", "app", "sms")]},
                ],
                "rectify": [
                    {"after_minutes": -1440, "notices": [_notice("owner", "app")]},
                    {"after_minutes": 0, "notices": [_notice("owner", "app"), _notice("safety_officer", "app")]},
                    {"after_minutes": 1440, "notices": [_notice("executive", "app")]},
                ],
                "accept": [
                    {"after_minutes": 0, "notices": [_notice("acceptor", "app")]},
                    {"after_minutes": 1440, "notices": [_notice("executive", "app")]},
                ],
            },
        },
        {
            "when": {"grade": "yellow"},
            "owner": "team_leader",
            "acceptor": "safety_officer",
            "first": [_notice("owner", "app")],
            "confirm_minutes": 480,
            "rectify_hours": 168,
            "accept_hours": 48,
            "stale_minutes": 4320,
            "waits_for_working_hours": True,
            "ladders": {
                "stale": [{"after_minutes": 0, "notices": [_notice("owner", "app")]}],
                "confirm": [
                    {"after_minutes": 480, "notices": [_notice("owner", "app")]},
                    {"after_minutes": 960, "notices": [_notice("workshop_director", "app")]},
                    {"after_minutes": 1440, "notices": [_notice("safety_officer", "app")]},
                ],
                "rectify": [
                    {"after_minutes": -1440, "notices": [_notice("owner", "app")]},
                    {"after_minutes": 0, "notices": [_notice("owner", "app"), _notice("workshop_director", "app")]},
                    {"after_minutes": 2880, "notices": [_notice("safety_officer", "app")]},
                ],
                "accept": [
                    {"after_minutes": 0, "notices": [_notice("acceptor", "app")]},
                    {"after_minutes": 2880, "notices": [_notice("workshop_director", "app")]},
                ],
            },
        },
    ],
    "evacuate": ["fire", "explosion", "toxic_leak"],
    "gas_alarm": {"lel_percent": 50, "oel_ratio": 2},
    "roll_calls": {
        "gas_alarm": _LEFT_BEHIND,
        "evacuation": _LEFT_BEHIND,
        "permit_recall": [
            {"after_minutes": 3, "notices": [_notice("missing", "app", "sms")]},
            {
                "after_minutes": 5,
                "notices": [
                    _notice("missing", "sms"),
                    _notice("team_leader", "app"),
                    _notice("safety_officer", "app"),
                ],
            },
            {"after_minutes": 10, "notices": [_notice("workshop_director", "app", "sms"), _notice("executive", "app")]},
        ],
    },
}
