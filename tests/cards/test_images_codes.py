"""Codes in photos: turned, small, several, Chinese; and none where there is none."""

from __future__ import annotations

import io

import pytest
import segno
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bench import scenes
from cards.images import Code, PhotoRefused, clean_code, codes, decode_codes, qr_png


def placed(*stickers: Image.Image, width: int = 1600, height: int = 1200, turn: float = 0) -> bytes:
    photo = scenes.scene(5, width=width, height=height)
    for number, sticker in enumerate(stickers):
        turned = sticker.convert("RGB").rotate(turn, expand=True, fillcolor=(235, 235, 235))
        photo.paste(turned, (width // 8 + number * width // 3, height // 3))
    return scenes.jpeg(photo, quality=80)


def qr(text: str, side: int = 300) -> Image.Image:
    return Image.open(io.BytesIO(qr_png(text))).resize((side, side))


@pytest.mark.parametrize("turn", [0, 17, 45, 90, 180, 271])
def test_a_turned_chinese_code_is_read(turn):
    assert decode_codes(placed(qr("设备:甲醇泵 P-101A"), turn=turn)) == [Code("设备:甲醇泵 P-101A", "QRCode")]


def test_a_bar_code_and_two_qr_codes_each_text_once():
    bars = zxingcpp.create_barcode("P-101A", zxingcpp.BarcodeFormat.Code128)
    sticker = Image.fromarray(bars.to_image(scale=3))
    data = placed(sticker, qr("V-201"), qr("V-201", 220), width=2000)
    assert {code.text for code in decode_codes(data)} == {"P-101A", "V-201"}


def test_a_small_code_is_found_in_the_larger_copy_only_when_the_first_shows_none(monkeypatch):
    asked: list[int] = []
    real = codes._grey
    monkeypatch.setattr(codes, "_grey", lambda data, side: (asked.append(side), real(data, side))[1])
    assert decode_codes(placed(qr("P-101A", 110), width=4000, height=3000)) == [Code("P-101A", "QRCode")]
    assert asked == [1600, 4000]
    asked.clear()
    assert decode_codes(placed(qr("P-101A", 600), width=4000, height=3000)) and asked == [1600]
    asked.clear()
    assert decode_codes(placed(width=1600)) == [] and asked == [1600]


def test_no_code_is_seen_where_there_is_none():
    assert [seed for seed in range(20) if decode_codes(scenes.jpeg(scenes.scene(seed, width=1000, height=750)))] == []


@pytest.mark.parametrize(
    ("said", "text"),
    [("CODE_128,P-101A", "P-101A"), ("qr_code,甲醇泵", "甲醇泵"), ("EAN_13,6901234567892", "6901234567892"),
     ("P-101A,B", "P-101A,B"), (" P-101A\n", "P-101A"), ("CODE_128", "CODE_128")],
)  # fmt: skip
def test_the_type_before_a_scanned_text_is_dropped(said, text):
    assert clean_code(said) == text
    assert decode_codes(qr_png(said))[0].text == text


@settings(max_examples=40, deadline=None)
@given(st.text(alphabet=st.characters(codec="gb2312", exclude_categories=["C", "Z"]), min_size=1, max_size=120))
def test_every_text_comes_back_from_its_code(text):
    assert [code.text for code in decode_codes(qr_png(text))] == [clean_code(text)]


@pytest.mark.parametrize("charset", ["utf-8", "gb18030"])
@pytest.mark.parametrize("text", ["甲醇泵", "P-101A 甲醇泵", "消防栓03", "泵"])
def test_labels_in_either_chinese_character_set(text, charset):
    out = io.BytesIO()
    segno.make_qr(text, encoding=charset, mode="byte").save(out, kind="png", scale=6)
    assert decode_codes(out.getvalue()) == [Code(text, "QRCode")]


def test_bad_input():
    with pytest.raises(ValueError, match="too long"):
        qr_png("长" * 3000)
    with pytest.raises(PhotoRefused):
        decode_codes(b"GIF89a")
