"""Links to pictures: signed, for a week, one picture each."""

from __future__ import annotations

from datetime import timedelta

import pytest
from itsdangerous import URLSafeSerializer

from tests.pictures import scene
from tests.plant import APP
from tests.web.test_case_page import filed
from web.media import LIVES_S, SALT, picture_url

SECRET = "s" * 40


def sha_of(plant):
    return plant.hazard(filed(plant)).photos[0].sha256


def link(plant, sha, kind="small", **kwargs):
    return picture_url(SECRET, APP, sha, kind, clock=lambda: plant.now, **kwargs)


def test_the_three_sizes(quick_plant):
    sha, client = sha_of(quick_plant), quick_plant.app.test_client()
    sizes = {kind: client.get(link(quick_plant, sha, kind)) for kind in ("original", "small", "thumb")}
    assert all(answer.status_code == 200 for answer in sizes.values())
    assert all(answer.mimetype == "image/jpeg" for answer in sizes.values())
    assert sizes["original"].data == scene(1)
    assert len(sizes["thumb"].data) < len(sizes["small"].data)
    assert "private" in sizes["thumb"].headers["Cache-Control"]
    assert "sandbox" in sizes["thumb"].headers["Content-Security-Policy"]


def test_a_link_lives_at_least_a_week_and_then_dies(quick_plant):
    sha, client = sha_of(quick_plant), quick_plant.app.test_client()
    url, began = link(quick_plant, sha), quick_plant.now
    midnight = began.replace(hour=0, minute=0) + timedelta(days=1)
    quick_plant.now = began + timedelta(seconds=LIVES_S)
    assert client.get(url).status_code == 200
    quick_plant.now = midnight + timedelta(seconds=LIVES_S - 1)
    assert client.get(url).status_code == 200
    quick_plant.now = midnight + timedelta(seconds=LIVES_S)
    assert client.get(url).status_code == 404


def test_links_of_one_day_are_equal(quick_plant):
    sha = "a" * 64
    first = link(quick_plant, sha)
    quick_plant.now = quick_plant.now.replace(hour=23)
    assert link(quick_plant, sha) == first
    quick_plant.now += timedelta(hours=1)
    assert link(quick_plant, sha) != first


@pytest.mark.parametrize(
    "change", [lambda t: t[:-5] + ("A" if t[-5] != "A" else "B") + t[-4:], lambda t: t[1:], lambda t: "x"]
)
def test_a_changed_link_shows_nothing(quick_plant, change):
    url = link(quick_plant, sha_of(quick_plant))
    token = url.rsplit("/", 1)[1]
    assert quick_plant.app.test_client().get(f"{APP}/m/{change(token)}").status_code == 404


@pytest.mark.parametrize(
    "inside", [["0" * 64, "small", 9e9], ["0" * 64, "huge", 9e9], ["x"], {"a": 1}, "text", [None, "small", 9e9]]
)
def test_even_a_signed_link_to_nothing_shows_nothing(quick_plant, inside):
    token = URLSafeSerializer(SECRET, salt=SALT).dumps(inside)
    assert quick_plant.app.test_client().get(f"{APP}/m/{token}").status_code == 404


def test_another_secret_or_purpose_is_refused(quick_plant):
    sha, ends = sha_of(quick_plant), 9e9
    for token in (
        URLSafeSerializer("other" * 10, salt=SALT).dumps([sha, "small", ends]),
        URLSafeSerializer(SECRET, salt="other").dumps([sha, "small", ends]),
    ):
        assert quick_plant.app.test_client().get(f"{APP}/m/{token}").status_code == 404


def test_a_voice_is_not_shown_as_a_picture(quick_plant):
    quick_plant.phone("张伟").sends_voice()
    from storage.models import Media

    with quick_plant.work(read_only=True) as work:
        voice = work.db.query(Media).filter(Media.mime.startswith("audio/")).first()
    assert voice is not None
    assert quick_plant.app.test_client().get(link(quick_plant, voice.sha256, "original")).status_code == 404
