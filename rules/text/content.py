"""Does a text say anything, and how alike are two of them?"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from enum import StrEnum

from rules.text.normal import normalise, same_negation

MAX_CHARS = 2000  # a description; longer is asked to be shortened (ours)
TEMPLATE_MIN_CHARS = 6  # FC-10: shorter than this says nothing about what was done


class ContentProblem(StrEnum):
    EMPTY = "empty"
    NO_WORDS = "no_words"
    TOO_LONG = "too_long"

    @property
    def message_zh(self) -> str:
        return {
            "empty": "没有收到文字，请用一句话说明问题，例如「2号泵法兰滴漏」。",
            "no_words": "只看到表情或符号，请用一句话说明问题，例如「2号泵法兰滴漏」。",
            "too_long": f"文字超过{MAX_CHARS}字，请缩短后重发，要点写在前面；照片可以另外发。",
        }[self.value]


def _words_only(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c)[0] in "LN")


def content_problem(text: str, *, max_chars: int = MAX_CHARS) -> ContentProblem | None:
    """Why a text cannot be a description; None when it can. One Chinese character is enough, one digit is not."""
    if not text.strip():
        return ContentProblem.EMPTY
    if len(text) > max_chars:
        return ContentProblem.TOO_LONG
    words = _words_only(text)
    chinese = any("\u3400" <= c <= "\u9fff" for c in words)
    letters = sum(c.isalpha() for c in words)
    return None if chinese or letters >= 2 else ContentProblem.NO_WORDS


class TemplateReason(StrEnum):
    SHORT = "short"
    STOCK = "stock"


_STOCK = re.compile(
    r"已按(?:要求|规定)|按(?:要求|规定)|已经|已|现场|隐患|问题|该|此|项|均|全部|都|立即|及时|整改|处理|处置|解决|落实|消除|修复|修好|维修"
    r"|完成|完毕|到位|结束|闭环|销号|好了|没问题了|没问题|正常|合格|符合|要求|规定|请|验收|领导|收到|知道|搞定|ok|done|了|的|好|完|"
    r"谢谢|辛苦"
)


def template_reason(text: str, *, min_chars: int = TEMPLATE_MIN_CHARS) -> TemplateReason | None:
    """FC-10: why a rectification text says nothing («已整改», «好了», under 6 characters); None when it says something."""
    words = _words_only(text).lower()
    if not _STOCK.sub("", words):
        return TemplateReason.STOCK
    return TemplateReason.SHORT if len(words) < min_chars else None


_FILLERS = re.compile("[了的在有个一很也就啊吧呢呀嘛这那里是]")


def bigram_similarity(a: str, b: str) -> float:
    """How alike two sentences are, 0 to 1: shared pairs of characters (Dice) after normalising and dropping fillers."""
    x, y = (_FILLERS.sub("", _words_only(same_negation(normalise(text)))) for text in (a, b))
    if not x or not y:
        return 0.0
    if len(x) == 1 or len(y) == 1:
        return 1.0 if x == y else 0.0
    pairs_x, pairs_y = (Counter(t[i : i + 2] for i in range(len(t) - 1)) for t in (x, y))
    return 2 * (pairs_x & pairs_y).total() / (pairs_x.total() + pairs_y.total())
