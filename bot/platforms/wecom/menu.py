"""The app's menu: at most three entries with five below each; names of 16 and 40 bytes."""

from __future__ import annotations

from typing import Any

PHOTO, SCAN, PLACE = "hazard.photo", "hazard.scan", "hazard.place"
PERMIT = "permit.start"
EAR = "knowledge.ask"
MINE, TODO, WEEK, HELP = "query.mine", "query.todo", "query.week", "help"


def _entry(kind: str, name: str, key: str) -> dict[str, Any]:
    return {"type": kind, "name": name, "key": key}


MENU: dict[str, Any] = {
    "button": [
        {
            "name": "隐患上报",
            "sub_button": [
                _entry("pic_photo_or_album", "拍照上报", PHOTO),
                _entry("scancode_waitmsg", "扫码上报", SCAN),  # the kind that waits for our answer
                _entry("location_select", "发位置", PLACE),
            ],
        },
        _entry("click", "作业票", PERMIT),
        {
            "name": "我的",
            "sub_button": [
                _entry("click", "我的隐患", MINE),
                _entry("click", "待办", TODO),
                _entry("click", "本周", WEEK),
                _entry("click", "问老师傅", EAR),
                _entry("click", "帮助", HELP),
            ],
        },
    ]
}
