"""Copies of one picture are found, other pictures are not; the margins behind the thresholds."""

from __future__ import annotations

import io
from functools import lru_cache
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageEnhance

from bench import scenes
from cards import images
from cards.images import PictureHashes, hash_distance, prepare, same_picture
from cards.images.hashes import look_of
from tests import pictures

SEEDS = range(24)


@lru_cache(maxsize=64)
def picture(seed: int) -> Image.Image:
    return scenes.scene(seed, width=1200, height=900) if seed % 3 else scenes.scene(seed, width=900, height=1200)


def hashes(image: Image.Image, *, quality: int = 88, exif: Image.Exif | None = None) -> PictureHashes:
    found = prepare(scenes.jpeg(image, quality=quality, exif=exif)).picture_hashes
    assert found is not None
    return found


@lru_cache(maxsize=64)
def original(seed: int) -> PictureHashes:
    return hashes(picture(seed))


def cropped(image: Image.Image, left: float, top: float, right: float, bottom: float) -> Image.Image:
    width, height = image.size
    return image.crop((int(left * width), int(top * height), int((1 - right) * width), int((1 - bottom) * height)))


@settings(max_examples=60, deadline=None)
@given(
    seed=st.sampled_from(SEEDS),
    quality=st.integers(35, 95),
    scale=st.floats(0.3, 1.4),
    bright=st.floats(0.85, 1.15),
    edge=st.floats(0, 0.015),
)
def test_a_recompressed_resized_brightened_and_cropped_copy_is_the_same(seed, quality, scale, bright, edge):
    copy = cropped(picture(seed), edge, edge, edge, edge)
    copy = copy.resize((int(copy.width * scale), int(copy.height * scale)))
    assert same_picture(original(seed), hashes(ImageEnhance.Brightness(copy).enhance(bright), quality=quality))


@pytest.mark.parametrize("side", range(4))
def test_three_percent_off_one_side_is_nearly_always_the_same(side):
    """It moves the whole picture by half of that; a few rich in thin upright lines fall out."""
    cut = [0.03 if edge == side else 0.0 for edge in range(4)]
    found = [same_picture(original(seed), hashes(cropped(picture(seed), *cut))) for seed in SEEDS]
    assert sum(found) >= len(SEEDS) * 0.9


def test_a_copy_turned_by_exif_is_the_same():
    exif = Image.Exif()
    exif[0x0112] = 6
    for seed in SEEDS:
        held = picture(seed).transpose(Image.Transpose.ROTATE_90)
        assert same_picture(original(seed), hashes(held, exif=exif))
        assert not same_picture(original(seed), hashes(held))  # really another picture when not turned back


def test_photos_of_different_places_are_not_the_same_by_a_wide_margin():
    pairs = [(original(a), original(b)) for a, b in combinations(SEEDS, 2)]
    assert not [pair for pair in pairs if same_picture(*pair)]
    assert min(hash_distance(a.phash, b.phash) for a, b in pairs) >= 16


def test_the_same_place_from_two_steps_aside_is_another_photo():
    """An honest after-photo is taken by hand: 10 % to the side and nearer must seldom count as the old picture."""
    again = [same_picture(original(seed), hashes(cropped(picture(seed), 0.10, 0.06, 0.0, 0.02))) for seed in SEEDS]
    assert sum(again) <= 1


def test_a_blank_picture_has_nothing_to_compare():
    photo = prepare(scenes.jpeg(Image.new("RGB", (400, 300), (12, 12, 12))))
    assert photo.hashes == "" and photo.picture_hashes is None and photo.dhash is None


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_distance_is_a_metric_and_hex_comes_back(a, b):
    assert hash_distance(a, a) == 0 and hash_distance(a, b) == hash_distance(b, a)
    assert hash_distance(a, ~a & 2**64 - 1) == 64
    both = PictureHashes(phash=a, dhash=b)
    assert len(both.hex) == 32 and int(both.hex[:16], 16) == a and PictureHashes.from_hex(both.hex) == both


def test_the_limits_of_likeness():
    def apart(phash_bits: int, dhash_bits: int) -> bool:
        return same_picture(PictureHashes(0, 0), PictureHashes(2**phash_bits - 1, 2**dhash_bits - 1))

    assert apart(12, 16) and not apart(13, 16) and not apart(12, 17)
    with pytest.raises(ValueError):
        PictureHashes.from_hex("ab")


def _cropped(picture: Image.Image, part: float) -> Image.Image:
    width, height = picture.size
    return picture.crop((int(width * part), int(height * part), int(width * (1 - part)), int(height * (1 - part))))


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("part", [0.03, 0.05, 0.08])
def test_a_cropped_copy_looks_like_its_original(seed, part):
    whole = Image.open(io.BytesIO(pictures.scene(seed)))
    assert images.alike(look_of(whole), look_of(_cropped(whole, part))) >= images.ALIKE


@pytest.mark.parametrize("seed", [1, 2, 4, 6, 7])
def test_before_and_after_of_one_place_and_other_places_do_not_look_alike(seed):
    before, after, other = (
        look_of(Image.open(io.BytesIO(data)))
        for data in (pictures.scene(seed), pictures.scene(seed, mended=True), pictures.scene(seed + 1))
    )
    assert images.alike(before, after) < images.ALIKE
    assert images.alike(before, other) < images.ALIKE


@pytest.mark.parametrize("look", ["", "%%%", "AAAA"])
def test_what_is_no_look_is_like_nothing(look):
    assert images.alike(look, look) == 0.0
