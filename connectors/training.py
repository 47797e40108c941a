"""Training and certificates by REST: the whole list of a training system, page by page (docs/certificates.md).

Pages are asked for with the tag they had last time; when every page is unchanged nothing is read again. The token goes
to the configured host only: a page elsewhere or a redirect is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from connectors.errors import OutsideError

SYSTEM = "training"
PAGES, ROWS = 1000, 50_000  # more than that is an endless answer, not a plant
WITHIN_S = 90.0  # for all pages together
LISTS = ("items", "data", "rows", "records", "list")


@dataclass(frozen=True, slots=True)
class TrainingAccount:
    url: str
    token: str = ""


@dataclass(frozen=True, slots=True)
class Pulled:
    """`rows` None: unchanged since `tags` were taken. `tags`: page address → its entity tag, for the next time."""

    rows: list[Any] | None
    tags: Mapping[str, str] = field(default_factory=dict)
    pages: int = 0


class Training:
    """`http`: a session with time-outs and a bound on the answer."""

    def __init__(self, account: TrainingAccount, http: requests.Session) -> None:
        self.account, self.http = account, http

    def pull(self, tags: Mapping[str, str] | None = None) -> Pulled:
        """Every certificate the system knows. Raises OutsideError; never half a list."""
        end = monotonic() + WITHIN_S
        if tags and self._unchanged(tags, end):
            return Pulled(None, tags, len(tags))
        rows: list[Any] = []
        fresh: dict[str, str] = {}
        tagged, url, number = True, self.account.url, 1
        seen: set[str] = set()
        while url:
            if url in seen or len(seen) >= PAGES:
                raise OutsideError(SYSTEM, "endless_pages", permanent=True)
            seen.add(url)
            answer = self._get(url, "", end)
            body = _json(answer)
            found = _list(body)
            rows += found
            if len(rows) > ROWS:
                raise OutsideError(SYSTEM, "too_many_rows", permanent=True)
            tag = answer.headers.get("ETag", "")
            tagged = tagged and bool(tag)
            fresh[url] = tag
            number += 1
            url = self._next(url, body, answer, got=len(rows), here=len(found), number=number)
        return Pulled(rows, fresh if tagged else {}, len(seen))

    def _unchanged(self, tags: Mapping[str, str], end: float) -> bool:
        return all(self._get(url, tag, end).status_code == 304 for url, tag in tags.items())

    def _get(self, url: str, tag: str, end: float) -> requests.Response:
        if _origin(url) != _origin(self.account.url):
            raise OutsideError(SYSTEM, "page_elsewhere", permanent=True)
        if monotonic() > end:
            raise OutsideError(SYSTEM, "too_slow", permanent=False)
        headers = {"Accept": "application/json"}
        headers |= {"Authorization": f"Bearer {self.account.token}"} if self.account.token else {}
        headers |= {"If-None-Match": tag} if tag else {}
        try:
            answer = self.http.get(url, headers=headers, allow_redirects=False)
        except requests.RequestException as error:
            raise OutsideError(SYSTEM, type(error).__name__, permanent=False) from error
        if answer.status_code not in (200, 304):
            permanent = answer.status_code < 500 and answer.status_code not in (408, 425, 429)
            raise OutsideError(SYSTEM, f"HTTP {answer.status_code}", permanent=permanent)
        return answer

    def _next(self, url: str, body: Any, answer: requests.Response, *, got: int, here: int, number: int) -> str:
        """The next page: `next` in the body, a Link header, or by `total` with the page's number; "" after the last."""
        if isinstance(body, Mapping):
            if body.get("next"):
                return urljoin(url, str(body["next"]))
            if _count(body) > got:
                if here == 0:  # fewer than it says there are: half a list would end certificates
                    raise OutsideError(SYSTEM, "pages_missing", permanent=False)
                sign = "&" if urlsplit(self.account.url).query else "?"
                return f"{self.account.url}{sign}page={number}"
        link = answer.links.get("next", {}).get("url", "")
        return urljoin(url, link) if link else ""


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _json(answer: requests.Response) -> Any:
    try:
        return answer.json()
    except ValueError as error:
        raise OutsideError(SYSTEM, "not_json", permanent=True) from error


def _list(body: Any) -> list[Any]:
    """The rows: the body itself, or its member items, data, rows, records or list; one level deeper too."""
    for _ in range(3):
        if isinstance(body, list):
            return body
        if not isinstance(body, Mapping):
            break
        body = next((body[name] for name in LISTS if isinstance(body.get(name), (list, Mapping))), None)
    raise OutsideError(SYSTEM, "no_list", permanent=True)


def _count(body: Mapping[str, Any]) -> int:
    inner = body.get("data")
    total = body.get("total", inner.get("total") if isinstance(inner, Mapping) else None)
    return total if isinstance(total, int) and not isinstance(total, bool) else 0
