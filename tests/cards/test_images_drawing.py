"""Before/after sheet, watermark and text: readable, within the limits, no missing glyph."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw, ImageFont

from bench import scenes
from cards.images import PhotoRefused, side_by_side, stamp
from cards.images import sheet as sheets
from cards.images.text import OWN, FontStack, fonts, one_line

AT = datetime(2026, 3, 5, 16, 30, tzinfo=UTC)  # 00:30 on the 6th in the plant
WIDE = scenes.jpeg(scenes.scene(1, width=800, height=600))
TALL = scenes.jpeg(scenes.scene(2, width=600, height=800))
SAMPLE = (
    "隐患整改前后验收甲醇罐区加热炉泵房法兰密封垫老化漏油着火风险氮气受限空间动火作业票监护人钢瓶硫化氢苯氯乙烯"
    "℃㎡㎥①②⑩ⅠⅡⅢⅣⅤ±≤≥×÷°²³μΩ‰→←↑↓■□▲△●○★√·—…「」『』《》【】%‘’“”,。;:!?、()~"
    "ABCXYZabcxyz0123456789@#&*+-=/\\|<>[]{}"
    "喆堃珺玥昇镕翀赟頔祎旸犇龑䶮"
)


def sheet(before, after, **changes) -> Image.Image:
    words = {"number": "YH-20260305-0012", "place": "甲醇罐区", "before_at": AT, "after_at": AT} | changes
    data = side_by_side(before, after, **words)
    assert len(data) <= 1_000_000 and data.startswith(b"\xff\xd8")
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def drawn(monkeypatch, *args, **changes) -> list[str]:
    """Every line of text that was drawn, in order."""
    lines: list[str] = []
    real = FontStack.draw
    monkeypatch.setattr(
        FontStack, "draw", lambda self, on, at, text, **k: (lines.append(text), real(self, on, at, text, **k))[1]
    )
    sheet(*args, **changes)
    return lines


def has_colour(image: Image.Image, colour: str) -> bool:
    flat = Image.new("RGB", image.size, colour)
    diff = ImageChops.difference(image.convert("RGB"), flat).convert("L").point(lambda v: 255 if v < 14 else 0)
    return diff.histogram()[255] > 2000


def test_our_font_lacks_no_sample_character():
    assert [c for c in SAMPLE if not FontStack([OWN]).has(c)] == []


def test_our_font_has_all_of_gb2312_and_says_what_it_lacks():
    stack = FontStack([OWN])
    ideographs = [
        bytes((row, cell)).decode("gb2312", "ignore") for row in range(0xB0, 0xF8) for cell in range(0xA1, 0xFF)
    ]
    ideographs = [c for c in ideographs if c]
    assert len(ideographs) == 6763
    assert [c for c in ideographs if not stack.has(c)] == []
    assert not stack.has("\U00020000") and not stack.has("😀")


def test_a_rare_character_comes_from_the_next_font_and_else_is_a_box(tmp_path):
    latin = tmp_path / "latin.ttf"
    latin.write_bytes(ImageFont.load_default(20).font_bytes)
    stack = FontStack([latin, tmp_path / "absent.ttf", OWN])
    assert stack._runs("A隐B", 20)[1][0].getname()[0] == "AnShao Sans"
    assert [part for _, part in stack._runs("A隐B", 20)] == ["A", "隐", "B"]
    page = Image.new("L", (200, 60))
    FontStack([OWN]).draw(ImageDraw.Draw(page), (0, 0), "😀", size=40, fill=255)
    box = Image.new("L", (200, 60))
    FontStack([OWN]).draw(ImageDraw.Draw(box), (0, 0), "□", size=40, fill=255)
    assert page.tobytes() == box.tobytes() and page.getbbox() is not None


def test_the_licence_lies_beside_the_font():
    assert "SIL OPEN FONT LICENSE" in (Path(OWN).parent / "OFL.txt").read_text()
    assert ImageFont.truetype(str(OWN), 20).getname() == ("AnShao Sans", "Regular")


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="隐患泵房 P-101A漏油,。(「」;:", max_size=80), st.integers(80, 500), st.integers(1, 4))
def test_wrapped_lines_fit_and_lose_nothing_but_blanks(text, width, max_lines):
    stack, size, text = fonts(), 20, one_line(text)
    lines = stack.wrap(text, width=width, size=size, max_lines=max_lines)
    assert len(lines) <= max_lines
    assert all(stack.width(line, size) <= width + size for line in lines)  # one mark may hang over
    if not lines or not lines[-1].endswith("…"):
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    else:
        assert text.replace(" ", "").startswith("".join(lines)[:-1].replace(" ", ""))


def test_lines_keep_words_whole_and_do_not_begin_with_a_mark():
    stack = fonts()
    lines = stack.wrap("检查泵 P-101A 出口法兰,发现漏油。", width=170, size=20, max_lines=9)
    assert any("P-101A" in line for line in lines)
    assert not [line for line in lines if line[0] in ",。"]


def test_one_landscape_pair_is_stacked_and_an_upright_pair_stands_side_by_side():
    stacked, beside = sheet(WIDE, WIDE), sheet([TALL], [TALL])
    assert stacked.width == beside.width == 1080
    assert stacked.height > 1500 > beside.height > 800
    for image in (stacked, beside):
        assert has_colour(image, sheets.BEFORE) and has_colour(image, sheets.AFTER)


def test_what_is_written(monkeypatch):
    lines = drawn(monkeypatch, [TALL, WIDE], [TALL], after_at=None, description="漏油\n已修\t好", note="整改:李强")
    assert lines.count("整改前") == 2 and lines.count("整改后") == 2
    assert lines.count("2026-03-06 00:30") == 2  # plant time, twice before; the time after is unknown
    assert lines.count("时间未知") == 1 and "没有整改后照片" in lines
    assert {"隐患 YH-20260305-0012", "甲醇罐区", "漏油 已修 好", "整改:李强"} <= set(lines)


def test_no_photo_before_leaves_a_place_that_says_so(monkeypatch):
    assert "没有整改前照片" in drawn(monkeypatch, [], [WIDE])
    assert "没有整改后照片" in drawn(monkeypatch, [], [])


def test_only_three_pairs_are_shown(monkeypatch):
    assert drawn(monkeypatch, [TALL] * 5, [TALL] * 4).count("整改前") == 3


def test_long_words_and_noisy_photos_stay_under_one_megabyte():
    noise = Image.merge("RGB", [Image.effect_noise((1280, 1700), 120) for _ in range(3)])
    data = scenes.jpeg(noise, quality=75)
    image = sheet(
        [data] * 3, [data] * 3, description="漏油😀" * 3000, place="区" * 500, number="Y" * 300, note="李" * 500
    )
    assert image.width >= 600


def test_a_time_without_zone_is_a_mistake_and_a_broken_photo_is_refused():
    with pytest.raises(ValueError):
        sheet(WIDE, WIDE, before_at=datetime(2026, 3, 5))  # noqa: DTZ001
    with pytest.raises(PhotoRefused):
        sheet(b"GIF89a", WIDE)


@pytest.mark.parametrize("size", [(800, 600), (600, 800), (120, 90), (2000, 120)])
def test_the_watermark_darkens_the_foot_only(size):
    plain = Image.new("RGB", size, (200, 200, 200))
    marked = Image.open(io.BytesIO(stamp(scenes.jpeg(plain), ["YH-0012 甲醇罐区", "2026-03-05 08:30 " + "长" * 200])))
    assert max(marked.size) <= 1280 and marked.getpixel((marked.width - 2, 1))[0] > 190
    assert marked.getpixel((marked.width - 2, marked.height - 2))[0] < 110


def test_no_lines_no_bar():
    marked = Image.open(io.BytesIO(stamp(scenes.jpeg(Image.new("RGB", (300, 200), "white")), ["", " "])))
    assert marked.getpixel((150, 198)) > (240, 240, 240)
