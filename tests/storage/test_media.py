"""The media store on a disk and in S3: the same promises, and clear words when it cannot keep them."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from storage import media
from storage.media import FileMedia, MediaDamaged, MediaMissing, MediaUnavailable, MediaUrlError, S3Media, open_store

KEY_ID = "TESTKEYID"


class Quiet(WSGIRequestHandler):
    def log_request(self, *args: object) -> None:
        """Nothing on the test's output."""


class FakeS3:
    """Enough of S3's REST interface, as a WSGI app: GET, HEAD, PUT, DELETE by path; keeps what it was asked."""

    def __init__(self) -> None:
        self.buckets: dict[str, dict[str, tuple[bytes, str]]] = {"plant": {}}
        self.asked: list[tuple[str, str]] = []
        self.signatures: list[str] = []
        self.failing: tuple[str, str] | None = None

    def __call__(self, environ, start_response):
        method, path = environ["REQUEST_METHOD"], unquote(environ["PATH_INFO"]).lstrip("/")
        self.asked.append((method, path))
        self.signatures.append(environ.get("HTTP_AUTHORIZATION", ""))
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        bucket, _, key = path.partition("/")
        status, answer, kind = self._answer(method, bucket, key, body, environ)
        start_response(status, [("Content-Type", kind), ("Content-Length", str(len(answer)))])
        return [b"" if method == "HEAD" else answer]

    def _answer(self, method, bucket, key, body, environ):
        if self.failing:
            return self._error(*self.failing)
        if not self._signed(self.signatures[-1], environ, body):
            return self._error("403 Forbidden", "SignatureDoesNotMatch")
        if bucket not in self.buckets:
            return self._error("404 Not Found", "NoSuchBucket")
        objects = self.buckets[bucket]
        if method == "PUT":
            objects[key] = (body, environ.get("CONTENT_TYPE", ""))
            return "200 OK", b"", "application/xml"
        if method == "DELETE":
            objects.pop(key, None)
            return "204 No Content", b"", "application/xml"
        if key not in objects:
            return self._error("404 Not Found", "NoSuchKey")
        return "200 OK", objects[key][0], objects[key][1]

    @staticmethod
    def _signed(header: str, environ, body: bytes) -> bool:
        shape = rf"AWS4-HMAC-SHA256 Credential={KEY_ID}/\d{{8}}/[\w-]+/s3/aws4_request, SignedHeaders=[\w;-]+, Signature=[0-9a-f]{{64}}"
        digest = environ.get("HTTP_X_AMZ_CONTENT_SHA256", "")
        return bool(re.fullmatch(shape, header)) and digest in ("UNSIGNED-PAYLOAD", hashlib.sha256(body).hexdigest())

    @staticmethod
    def _error(status: str, code: str):
        return status, f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode(), "application/xml"


@pytest.fixture
def s3(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    monkeypatch.setattr(media, "_ATTEMPTS", 1)
    fake = FakeS3()
    server = make_server("127.0.0.1", 0, fake, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_port}"
    yield fake
    server.shutdown()
    thread.join(10)
    server.server_close()


@pytest.fixture(params=["file", "s3"])
def store(request, tmp_path):
    if request.param == "file":
        return open_store((tmp_path / "media").as_uri())
    return open_store("s3://plant/anshao/media", s3_endpoint=request.getfixturevalue("s3").url)


def test_what_is_saved_comes_back_by_its_content(store):
    data = os.urandom(300_000)
    sha = store.save(data, mime="image/jpeg")
    assert sha == hashlib.sha256(data).hexdigest()
    assert store.exists(sha) and store.open(sha) == data
    assert store.save(data, mime="image/jpeg") == sha and store.open(sha) == data
    store.check()


def test_deleting_and_missing(store):
    sha = store.save(b"photo", mime="image/png")
    store.delete(sha)
    store.delete(sha)
    assert not store.exists(sha)
    with pytest.raises(MediaMissing, match=sha):
        store.open(sha)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "a" * 63, "A" * 64, "a" * 64 + "\n"])
def test_a_name_that_is_no_sha256_is_never_looked_up(store, name):
    for use in (store.open, store.exists, store.delete):
        with pytest.raises(ValueError):
            use(name)


def test_one_photo_saved_by_many_threads_at_once(store):
    data = os.urandom(100_000)
    with ThreadPoolExecutor(8) as pool:
        shas = set(pool.map(lambda _: store.save(data, mime="image/jpeg"), range(16)))
    assert len(shas) == 1 and store.open(shas.pop()) == data


# ---- on a disk


def test_files_lie_two_folders_deep_and_nothing_else_is_left(tmp_path):
    store = FileMedia(tmp_path)
    sha = store.save(b"photo", mime="image/jpeg")
    store.check()
    files = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()]
    assert files == [f"{sha[:2]}/{sha[2:4]}/{sha}"]


def test_a_full_disk_is_named_and_leaves_no_half_file(tmp_path, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(media.os, "fsync", full)
    store = FileMedia(tmp_path)
    with pytest.raises(MediaUnavailable, match="the disk is full") as problem:
        store.save(b"photo", mime="image/jpeg")
    assert problem.value.errno == errno.ENOSPC and isinstance(problem.value, OSError)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_the_file_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    order = []
    real_fsync, real_replace = os.fsync, os.replace
    monkeypatch.setattr(media.os, "fsync", lambda handle: (order.append("fsync"), real_fsync(handle))[1])
    monkeypatch.setattr(media.os, "replace", lambda a, b: (order.append("rename"), real_replace(a, b))[1])
    FileMedia(tmp_path).save(b"photo", mime="image/jpeg")
    assert order == ["fsync", "rename", "fsync"]


def test_a_changed_file_is_noticed_and_a_shortened_one_is_written_again(tmp_path):
    store = FileMedia(tmp_path)
    sha = store.save(b"photo", mime="image/jpeg")
    path = tmp_path / sha[:2] / sha[2:4] / sha
    path.write_bytes(b"phota")
    with pytest.raises(MediaDamaged):
        store.open(sha)
    path.write_bytes(b"ph")
    store.save(b"photo", mime="image/jpeg")
    assert store.open(sha) == b"photo"


def test_a_root_that_is_a_file_cannot_be_used(tmp_path):
    (tmp_path / "media").write_text("")
    store = FileMedia(tmp_path / "media")
    for use in (store.check, lambda: store.save(b"photo", mime="image/jpeg")):
        with pytest.raises(MediaUnavailable, match="cannot write media"):
            use()


# ---- in S3


def test_requests_are_signed_addressed_by_path_and_typed(s3):
    sha = open_store("s3://plant/anshao/media/", s3_endpoint=s3.url).save(b"photo", mime="image/jpeg")
    assert s3.asked == [("HEAD", f"plant/anshao/media/{sha}"), ("PUT", f"plant/anshao/media/{sha}")]
    assert all(header.startswith(f"AWS4-HMAC-SHA256 Credential={KEY_ID}/") for header in s3.signatures)
    assert s3.buckets["plant"][f"anshao/media/{sha}"] == (b"photo", "image/jpeg")


def test_saving_again_sends_no_bytes(s3):
    store = open_store("s3://plant", s3_endpoint=s3.url)
    sha = store.save(b"photo", mime="image/jpeg")
    s3.asked.clear()
    store.save(b"photo", mime="image/jpeg")
    assert s3.asked == [("HEAD", f"plant/{sha}")]


@pytest.mark.parametrize("failure", [("503 Slow Down", "SlowDown"), ("403 Forbidden", "AccessDenied")])
def test_a_failing_service_is_unavailable_not_missing(s3, failure):
    store = open_store("s3://plant/x", s3_endpoint=s3.url)
    s3.failing = failure
    sha = "a" * 64
    for use in (store.check, lambda: store.open(sha), lambda: store.exists(sha), lambda: store.delete(sha)):
        with pytest.raises(MediaUnavailable) as problem:
            use()
        assert not isinstance(problem.value, MediaMissing) and "plant" in str(problem.value)


def test_a_missing_bucket_is_a_problem_not_an_empty_store(s3):
    store = open_store("s3://elsewhere/x", s3_endpoint=s3.url)
    with pytest.raises(MediaUnavailable, match="NoSuchBucket"):
        store.check()
    with pytest.raises(MediaUnavailable, match="NoSuchBucket") as problem:
        store.open("a" * 64)
    assert not isinstance(problem.value, MediaMissing)


def test_no_service_at_all(s3):
    with pytest.raises(MediaUnavailable, match="cannot write media in bucket plant"):
        open_store("s3://plant/x", s3_endpoint="http://127.0.0.1:9").check()


def test_no_keys_is_said(s3, monkeypatch, tmp_path):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(MediaUnavailable, match="NoCredentials"):
        open_store("s3://plant/x", s3_endpoint=s3.url).check()


# ---- the setting


@pytest.mark.parametrize(
    "url",
    [
        "",
        "data/media",
        "file://data/media",
        "file:///",
        "s3:///prefix",
        "s3:bucket",
        "https://plant.example/media",
        "ftp://x/y",
    ],
)
def test_any_other_address_is_refused_with_the_remedy(url):
    with pytest.raises(MediaUrlError, match=r"write (file:///absolute/folder|s3://bucket/prefix)"):
        open_store(url)


def test_addresses(tmp_path):
    assert open_store("file:///srv/%E5%AA%92%E4%BD%93").root == Path("/srv/媒体")
    store = open_store("s3://plant/a/b/", s3_endpoint="")
    assert isinstance(store, S3Media) and (store.bucket, store.prefix, store.endpoint) == ("plant", "a/b", None)


def test_without_the_extra_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(MediaUrlError, match=r"anshao\[s3\]"):
        open_store("s3://plant/x")
