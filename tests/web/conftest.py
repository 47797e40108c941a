"""A whole plant and its people's browsers: pages are opened through the emulated platforms' own sign-in."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from werkzeug.test import TestResponse

from tests.plant import APP, Plant


@pytest.fixture
def plant(database_url: str, redis_client: Any, tmp_path: Path) -> Iterator[Plant]:
    made = Plant(database_url, redis_client, tmp_path)
    yield made
    made.services.engine.dispose()


@pytest.fixture
def quick_plant(sqlite_url: str, redis_client: Any, tmp_path: Path) -> Iterator[Plant]:
    """Where the database makes no difference."""
    made = Plant(sqlite_url, redis_client, tmp_path)
    yield made
    made.services.engine.dispose()


class Browser:
    """The browser inside one person's WeCom or DingTalk. Paths are ours; answers are followed by hand."""

    def __init__(self, plant: Plant, name: str = "", platform: str = "") -> None:
        self.plant, self.name = plant, name
        self.client = plant.app.test_client()
        self.person = next((p for p in plant.data["people"] if p["name"] == name), None)
        self.platform = platform or ("wecom" if self.person and self.person["wecom"] else "dingtalk")
        if self.person:
            self.sign_in()

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        return self.client.get(path if path.startswith("http") else APP + path, **kwargs)

    def post(self, path: str, **kwargs: Any) -> TestResponse:
        answer = self.client.post(APP + path, **kwargs)
        self.plant.settle()
        return answer

    def sign_in(self, follow: str = "/h5/todo") -> TestResponse:
        assert self.person is not None
        answer = self.get(f"/h5/sign-in?platform={self.platform}&next={follow}")
        user = self.person[self.platform]
        if self.platform == "wecom":
            return self.get(self.wecom_answers(answer.location, user))
        state = re.search(r'data-state="([^"]+)"', answer.text)[1]  # type: ignore[index]
        code = self.plant.dingtalk.app.test_client().post(f"/_phone/{user}/auth_code", json={}).json["code"]
        return self.client.post(f"{APP}/h5/sign-in/code", json={"state": state, "code": code})

    def wecom_answers(self, url: str, user: str) -> str:
        """Where WeCom sends the phone that opened its authorize address."""
        parts = urlsplit(url)
        answer = self.plant.wecom.app.test_client().get(f"{parts.path}?{parts.query}&_user={user}")
        assert answer.status_code == 302, answer.text
        return str(answer.location)

    def csrf(self, path: str) -> str:
        page = self.get(path, follow_redirects=True).text
        found = re.search(r'name="csrf" value="([^"]+)"', page)
        assert found, page
        return found[1]

    def does(self, number: str, verb: str, *, photos: list[bytes] | None = None, **form: Any) -> str:
        """Press or fill in on the case page; returns the sentences the page then says."""
        path = f"/h5/hazards/{number}"
        data: dict[str, Any] = {"csrf": self.csrf("/h5/place"), **form}
        kwargs: dict[str, Any] = {}
        if photos is not None:
            data["photos"] = [(io.BytesIO(photo), f"{n}.jpg") for n, photo in enumerate(photos)]
            kwargs["content_type"] = "multipart/form-data"
        answer = self.post(f"{path}/{verb}", data=data, **kwargs)
        assert answer.status_code == 303, (answer.status_code, answer.text)
        page = self.get(answer.location).text
        return "\n".join(re.findall(r'class="said [a-z]+" role="status">([^<]*)<', page))

    def buttons(self, number: str) -> list[str]:
        """Verbs the case page offers."""
        page = self.get(f"/h5/hazards/{number}").text
        return re.findall(rf'action="/h5/hazards/{number}/([a-z]+)"', page)

    def places(self, draft: int, **body: Any) -> TestResponse:
        headers = {"X-CSRF-Token": self.csrf("/h5/place")}
        return self.post(f"/h5/place/{draft}", json={"key": "k1", **body}, headers=headers)


@pytest.fixture
def browse(request: pytest.FixtureRequest) -> Any:
    """browse("张伟") → that person's browser, signed in; browse() → a stranger's."""
    name = "plant" if "plant" in request.fixturenames else "quick_plant"
    made = request.getfixturevalue(name)
    return lambda who="", platform="": Browser(made, who, platform)


def draft_of(plant: Plant, name: str) -> int:
    """The id of the report this person is telling."""
    with plant.work(read_only=True) as work:
        person = work.people.by_name(name)[0]
        draft = work.hazards.draft_of(person.id, since=plant.now.replace(year=2000))
        assert draft is not None
        return draft.id
