"""XML as the callbacks write it (CDATA) and as passive replies are read (CamelCase, repeated elements are lists)."""

from __future__ import annotations

import re
from typing import Any
from xml.etree.ElementTree import Element

LISTS = {
    "ActionList",
    "HorizontalContentList",
    "VerticalContentList",
    "JumpList",
    "ButtonList",
    "OptionList",
    "SelectList",
}
NAMES = {
    "KeyName": "keyname",
    "AppId": "appid",
    "PagePath": "pagepath",
    "UserId": "userid",
    "CheckBox": "checkbox",
    "Checkbox": "checkbox",
}
INTEGERS = {"Type", "Style", "DescColor", "Mode"}
BOOLEANS = {"IsChecked", "Disable"}


class Raw(str):
    """Text that is already XML."""


def cdata(text: str) -> str:
    """A CDATA section; `]]>` inside is split over two."""
    return "<![CDATA[" + text.replace("]]>", "]]]]><![CDATA[>") + "]]>"


def element(name: str, value: Any) -> str:
    """Numbers bare, text in CDATA, dicts and lists (repeated under `item` style names) nested."""
    if isinstance(value, Raw):
        inner = str(value)
    elif isinstance(value, dict):
        inner = "".join(element(key, part) for key, part in value.items())
    elif isinstance(value, list):
        return "".join(element(name, part) for part in value)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        inner = repr(value)
    else:
        inner = cdata(str(value))
    return f"<{name}>{inner}</{name}>"


def document(fields: dict[str, Any]) -> str:
    """`<xml>…</xml>`."""
    return element("xml", fields)


def snake(name: str) -> str:
    """`HorizontalContentList` → `horizontal_content_list`, with the names WeCom writes together."""
    return NAMES.get(name) or re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def read_card(node: Element) -> dict[str, Any]:
    """A `TemplateCard` element as the JSON of message/send has it."""
    found: dict[str, Any] = {}
    for child in node:
        value = _value(child)
        key = snake(child.tag)
        if child.tag in LISTS:
            found.setdefault(key, []).append(value)
        else:
            found[key] = value
    return found


def _value(node: Element) -> Any:
    if len(node):
        return read_card(node)
    text = node.text or ""
    if node.tag in INTEGERS:
        return int(text)
    if node.tag in BOOLEANS:
        return text.strip().lower() in ("true", "1")
    if node.tag == "AspectRatio":
        return float(text)
    return text
