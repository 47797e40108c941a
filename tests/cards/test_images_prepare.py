"""The kept copies: upright, small, without EXIF; and the facts the file told."""

from __future__ import annotations

import hashlib
import io
import struct
from datetime import UTC, datetime

import pytest
from PIL import Image

from bench import scenes
from cards.images import THUMBNAIL_SIDE, WORKING_SIDE, prepare

GPS = {1: "N", 2: (37.0, 26.0, 30.0), 3: "E", 4: (118.0, 30.0, 12.0)}


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def told(
    *, gps: dict[int, object] | None = None, times: dict[int, object] | None = None, orientation: int = 1
) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F], exif[0x0110] = "PhoneMaker", "Phone 9"
    exif.get_ifd(0x8769).update(times or {})
    exif.get_ifd(0x8825).update(gps or {})
    return scenes.jpeg(scenes.scene(1, width=320, height=240), exif=exif)


@pytest.mark.parametrize(
    ("size", "working"),
    [
        ((4000, 3000), (1000, 750)),  # a decoder step is near enough
        ((3000, 4000), (750, 1000)),
        ((2000, 1500), (1000, 750)),
        ((1900, 1425), (1280, 960)),  # half would be 950: resampled
        ((1281, 600), (1280, 600)),
        ((1280, 900), (1280, 900)),
        ((300, 200), (300, 200)),
    ],
)
def test_sizes_of_the_copies(size, working):
    data = scenes.jpeg(scenes.scene(1, width=400, height=300).resize(size))
    photo = prepare(data)
    assert (photo.width, photo.height) == size
    assert opened(photo.working).size == pytest.approx(working, abs=1)
    assert max(opened(photo.working).size) <= WORKING_SIDE
    assert max(opened(photo.thumbnail).size) == min(THUMBNAIL_SIDE, max(size))
    assert photo.sha256 == hashlib.sha256(data).hexdigest()
    assert photo.mime == "image/jpeg"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_eight_orientations_come_out_upright(orientation):
    """One corner is red: it must be at the upper left after turning, wherever the sensor had it."""
    upright = Image.new("RGB", (400, 300), "grey")
    upright.paste("red", (0, 0, 100, 100))
    turn_back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # the inverse transposition
    held = upright.transpose(Image.Transpose(turn_back[orientation])) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = prepare(scenes.jpeg(held, exif=exif))
    assert (photo.width, photo.height) == (400, 300)
    for copy in (photo.working, photo.thumbnail):
        image = opened(copy)
        red, green, _ = image.getpixel((20, 20))
        assert red > 200 and green < 60
        assert image.getpixel((image.width - 20, 20))[1] > 100


def test_nothing_of_the_metadata_is_in_the_copies():
    data = told(gps=GPS, times={0x9003: "2026:03:05 08:30:00"}, orientation=6)
    photo = prepare(data)
    assert b"PhoneMaker" in data
    for copy in (photo.working, photo.thumbnail):
        assert not opened(copy).getexif()
        assert b"Exif" not in copy and b"Phone" not in copy
    assert "Phone" not in repr(photo.exif)


def test_time_with_offset_is_utc_and_without_is_flagged():
    with_offset = prepare(told(times={0x9003: "2026:03:05 08:30:00", 0x9011: "+08:00"})).exif
    assert with_offset.taken_at == datetime(2026, 3, 5, 0, 30, tzinfo=UTC) and not with_offset.taken_at_is_naive
    without = prepare(told(times={0x9003: "2026:03:05 08:30:00"})).exif
    assert without.taken_at == datetime(2026, 3, 5, 8, 30) and without.taken_at_is_naive  # noqa: DTZ001
    assert prepare(told()).exif.taken_at is None


@pytest.mark.parametrize("text", ["0000:00:00 00:00:00", "1970:01:01 00:00:00", "2026:13:05 08:30:00", "yesterday"])
def test_absurd_times_are_dropped_and_flagged(text):
    facts = prepare(told(times={0x9003: text})).exif
    assert facts.taken_at is None and facts.flags == ("time_absurd",)


def test_position_with_accuracy():
    facts = prepare(told(gps={**GPS, 31: 8.0})).exif
    assert facts.lat == pytest.approx(37.441667, abs=1e-6) and facts.lon == pytest.approx(118.503333, abs=1e-6)
    assert facts.accuracy_m == 8.0 and facts.flags == ()
    assert prepare(told(gps=GPS)).exif.accuracy_m is None
    assert prepare(told(gps={**GPS, 1: "S", 3: "W"})).exif.lat == pytest.approx(-37.441667, abs=1e-6)


@pytest.mark.parametrize(
    "wrong",
    [
        {2: (91.0, 0.0, 0.0)},
        {4: (181.0, 0.0, 0.0)},
        {2: (0.0, 0.0, 0.0), 4: (0.0, 0.0, 0.0)},
        {2: (37.0, 75.0, 0.0)},
        {2: (37.0, 26.0)},
        {1: "X"},
        {1: ""},
    ],
)
def test_absurd_positions_are_dropped_and_flagged(wrong):
    facts = prepare(told(gps={**GPS, **wrong})).exif
    assert facts.lat is None and facts.lon is None and facts.flags == ("gps_absurd",)


def test_a_position_without_hemisphere_is_not_guessed():
    facts = prepare(told(gps={2: GPS[2], 4: GPS[4]})).exif
    assert facts.lat is None and facts.flags == ("gps_absurd",)


def test_a_rational_over_zero_is_no_position():
    data = told(gps=GPS)
    degrees = struct.pack(">LL", 37, 1) if b"MM\0*" in data else struct.pack("<LL", 37, 1)
    assert data.count(degrees) == 1
    facts = prepare(data.replace(degrees, degrees[:4] + b"\0\0\0\0")).exif
    assert facts.lat is None and facts.flags == ("gps_absurd",)


def test_broken_exif_does_not_lose_the_photo():
    data = told(gps=GPS)
    at = data.index(b"Exif\0\0") + 6
    photo = prepare(data[:at] + b"XX\xff\xff\xff\xff\xff\xff" + data[at + 8 :])
    assert photo.width == 320 and photo.exif.lat is None and photo.exif.flags == ("exif_unreadable",)


def test_png_with_exif():
    exif = Image.Exif()
    exif[0x0112] = 6
    out = io.BytesIO()
    scenes.scene(1, width=320, height=240).save(out, "PNG", exif=exif)
    photo = prepare(out.getvalue())
    assert photo.mime == "image/png" and (photo.width, photo.height) == (240, 320)


def test_two_pictures_in_one_file_as_some_phones_write_them():
    out = io.BytesIO()
    first = scenes.scene(1, width=2400, height=1800, noise=0)
    first.save(out, "MPO", save_all=True, append_images=[scenes.scene(2, width=320, height=240)])
    photo = prepare(out.getvalue())
    assert (photo.width, photo.height, photo.mime) == (2400, 1800, "image/jpeg")
    assert max(opened(photo.working).size) == 1200


def test_a_twelve_megapixel_photo_of_a_phone():
    photo = prepare(scenes.photo_12mp(), stamp_lines=["YH-0001 甲醇罐区"])
    assert (photo.width, photo.height) == (3000, 4000)
    assert opened(photo.working).size == (750, 1000)
    assert photo.exif.taken_at == datetime(2026, 3, 5, 0, 30, tzinfo=UTC) and photo.exif.accuracy_m == 8.0
    assert prepare(scenes.photo_12mp()).hashes == photo.hashes  # the stamp is not hashed
