"""Chinese text on pictures: our own font, then fonts of the system for rare characters, then □; and line breaking."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from PIL import ImageDraw, ImageFont

OWN = Path(__file__).parents[1] / "fonts" / "AnShaoSans-Regular.ttf"
SYSTEM = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-sans-cjk-vf-fonts/NotoSansCJK-VF.ttc",
    "/usr/share/fonts/opentype/source-han-sans/SourceHanSansSC-Regular.otf",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/wqy-microhei/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "/System/Library/Fonts/PingFang.ttc",
    "/System/Library/Fonts/STHeiti Light.ttc",
    "C:/Windows/Fonts/msyh.ttc",
    "C:/Windows/Fonts/simsun.ttc",
)
MISSING = "□"
_NOT_A_CHARACTER = "\uffff"
_PROBE_SIZE = 24
# never first on a line / never last on a line
_CLOSING = set(",.;:!?)]}%,。;:!?、)】》」』”’…·℃㎡°”")
_OPENING = set("([{(【《「『“‘")
_WORD = re.compile(r"[\x21-\x7e]+|\s|.", re.DOTALL)

Colour = str | tuple[int, int, int]


class FontStack:
    """Fonts in order of preference; each character is drawn from the first that has it."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = [path for path in paths if path.is_file()]
        self._sized = lru_cache(maxsize=64)(self._load)
        self._known = lru_cache(maxsize=8192)(self._find)
        self._blank = lru_cache(maxsize=16)(lambda which: self._mask(which, _NOT_A_CHARACTER))

    def _load(self, which: int, size: int) -> ImageFont.FreeTypeFont:
        return ImageFont.truetype(str(self._paths[which]), size, layout_engine=ImageFont.Layout.BASIC)

    def _mask(self, which: int, character: str) -> tuple[tuple[int, int], bytes]:
        mask = self._sized(which, _PROBE_SIZE).getmask(character)
        return mask.size, bytes(mask)

    def _find(self, character: str) -> int | None:
        if character == " ":
            return 0
        return next((w for w in range(len(self._paths)) if self._mask(w, character) != self._blank(w)), None)

    def has(self, character: str) -> bool:
        return self._known(character) is not None

    def _runs(self, text: str, size: int) -> list[tuple[ImageFont.FreeTypeFont, str]]:
        drawable = [(self._known(c), c) for c in text]
        filled = [(which, c) if which is not None else (0, MISSING) for which, c in drawable]
        return [
            (self._sized(which, size), "".join(c for _, c in group)) for which, group in groupby(filled, lambda f: f[0])
        ]

    def width(self, text: str, size: int) -> float:
        return sum(font.getlength(part) for font, part in self._runs(text, size))

    def draw(
        self,
        on: ImageDraw.ImageDraw,
        at: tuple[float, float],
        text: str,
        *,
        size: int,
        fill: Colour,
        bold: bool = False,
    ) -> float:
        """Draw one line whose box begins at `at`; returns the x behind it."""
        x, y = at
        for font, part in self._runs(text, size):
            on.text(
                (x, y + size), part, font=font, fill=fill, anchor="ls", stroke_width=max(1, size // 40) if bold else 0
            )
            x += font.getlength(part)
        return x

    def wrap(self, text: str, *, width: float, size: int, max_lines: int) -> list[str]:
        """Lines no wider than `width`; words and numbers stay whole when they fit, marks do not begin a line.

        What does not fit into `max_lines` is cut and ends in «…».
        """
        lines, line = [], ""
        for piece in self._pieces(text, width, size):
            if not line or self.width(line + piece, size) <= width or (piece in _CLOSING and line[-1] not in _CLOSING):
                line += piece if line or piece != " " else ""
                continue
            carried = ""
            while line[-1] in _OPENING and len(line) > 1:
                line, carried = line[:-1], line[-1] + carried
            lines.append(line.rstrip())
            line = carried + ("" if piece == " " else piece)
        lines += [line] if line else []
        if len(lines) <= max_lines:
            return lines
        last = lines[max_lines - 1]
        while last and self.width(last + "…", size) > width:
            last = last[:-1]
        return [*lines[: max_lines - 1], last + "…"]

    def _pieces(self, text: str, width: float, size: int) -> list[str]:
        pieces: list[str] = []
        for word in _WORD.findall(text):
            pieces += [word] if self.width(word, size) <= width else list(word)
        return pieces


@lru_cache(maxsize=1)
def fonts() -> FontStack:
    return FontStack([OWN, *map(Path, SYSTEM)])


def one_line(text: str) -> str:
    """Text fit for drawing: composed, every run of white space one blank, invisible characters gone."""
    composed = unicodedata.normalize("NFC", text)
    spaced = re.sub(r"\s+", " ", composed).strip()
    return "".join(c for c in spaced if unicodedata.category(c)[0] != "C" and not "\ufe00" <= c <= "\ufe0f")
