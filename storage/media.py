"""Media by content: the name of a file is its SHA-256, so saving twice is harmless and a changed file shows.

On a disk (`file:///…`) or in an S3 bucket (`s3://bucket/prefix`); rows about the files are in storage/media_rows.py.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

_SHA = re.compile(r"[0-9a-f]{64}")
_PROBE = b"anshao"
_CONNECT_S, _READ_S, _ATTEMPTS = 3, 15, 3


class MediaUnavailable(OSError):
    """The store cannot be read or written now (disk full, no permission, no network); the text says which and why."""


class MediaMissing(MediaUnavailable):
    """The store works and has no such file."""


class MediaDamaged(MediaUnavailable):
    """The stored bytes are not those that were saved: their SHA-256 differs from their name."""


class MediaUrlError(ValueError):
    """ANSHAO_MEDIA_URL cannot be used; the text says why and what to write."""


class MediaStore(Protocol):
    """Every method raises MediaUnavailable when the store cannot be reached, ValueError for a name that is no SHA-256."""

    def save(self, data: bytes, *, mime: str) -> str:
        """Keep the bytes for good, then return their SHA-256 in hex. Saving the same bytes again changes nothing."""

    def open(self, sha256: str) -> bytes:
        """The bytes. Raises MediaMissing or MediaDamaged."""

    def exists(self, sha256: str) -> bool: ...

    def delete(self, sha256: str) -> None:
        """Forget the bytes; no error when there are none."""

    def check(self) -> None:
        """Write and remove a small file: raises MediaUnavailable when that fails (for /readyz)."""


def open_store(url: str, *, s3_endpoint: str | None = None) -> MediaStore:
    """The store that `file:///absolute/folder` or `s3://bucket/prefix` names. Raises MediaUrlError for anything else.

    s3_endpoint: base URL of an S3-compatible service, AWS itself when empty. Keys come from the AWS names in the
    environment. Nothing is contacted here; `check` does that.
    """
    parts = urlsplit(url)
    if parts.scheme == "file":
        folder = Path(unquote(parts.path))
        if parts.netloc not in ("", "localhost") or not folder.is_absolute() or folder == Path("/"):
            raise MediaUrlError(f"«{url}» names no folder: write file:///absolute/folder with three slashes")
        return FileMedia(folder)
    if parts.scheme == "s3":
        if not parts.netloc:
            raise MediaUrlError(f"«{url}» names no bucket: write s3://bucket/prefix")
        return S3Media(parts.netloc, parts.path.strip("/"), s3_endpoint or None)
    raise MediaUrlError(f"«{url}» is not a media store: write file:///absolute/folder or s3://bucket/prefix")


class FileMedia:
    """Files under `root` in two levels of folders. A file appears whole or not at all, also after a power cut."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def _path(self, sha256: str) -> Path:
        name = _checked(sha256)
        return self.root / name[:2] / name[2:4] / name

    def save(self, data: bytes, *, mime: str) -> str:
        sha256 = hashlib.sha256(data).hexdigest()
        path = self._path(sha256)
        with _explained(f"cannot write media under {self.root}"):
            if path.is_file() and path.stat().st_size == len(data):
                return sha256
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_whole(path, data)
        return sha256

    def open(self, sha256: str) -> bytes:
        path = self._path(sha256)
        with _explained(f"cannot read media under {self.root}"):
            try:
                data = path.read_bytes()
            except FileNotFoundError as error:
                raise MediaMissing(errno.ENOENT, f"no media {sha256} under {self.root}") from error
        return _intact(data, sha256)

    def exists(self, sha256: str) -> bool:
        with _explained(f"cannot read media under {self.root}"):
            return self._path(sha256).is_file()

    def delete(self, sha256: str) -> None:
        with _explained(f"cannot delete media under {self.root}"):
            self._path(sha256).unlink(missing_ok=True)

    def check(self) -> None:
        with _explained(f"cannot write media under {self.root}"):
            self.root.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.root, prefix=".check-") as probe:
                probe.write(_PROBE)
                probe.flush()


class S3Media:
    """Objects `prefix/sha256` in a bucket of S3 or of a service that speaks it; addressed by path, not by host name."""

    def __init__(self, bucket: str, prefix: str, endpoint: str | None) -> None:
        self.bucket, self.prefix, self.endpoint = bucket, prefix.strip("/"), endpoint
        self._lock = threading.Lock()
        self._client: Any = None
        _boto3()

    def _key(self, name: str) -> str:
        return f"{self.prefix}/{name}" if self.prefix else name

    def _s3(self) -> Any:
        """The client, made once: making one is slow and not safe in two threads, using one is."""
        with self._lock:
            if self._client is None:
                boto3, config = _boto3()
                settings = config(
                    s3={"addressing_style": "path"},
                    signature_version="s3v4",
                    connect_timeout=_CONNECT_S,
                    read_timeout=_READ_S,
                    retries={"max_attempts": _ATTEMPTS, "mode": "standard"},
                    # other services than AWS refuse the newer chunked checksums
                    request_checksum_calculation="when_required",
                    response_checksum_validation="when_required",
                )
                session = boto3.session.Session()
                region = session.region_name or "us-east-1"
                self._client = session.client("s3", region_name=region, endpoint_url=self.endpoint, config=settings)
            return self._client

    def save(self, data: bytes, *, mime: str) -> str:
        sha256 = hashlib.sha256(data).hexdigest()
        if self.exists(sha256):
            return sha256
        with self._explained("write"):
            self._s3().put_object(Bucket=self.bucket, Key=self._key(sha256), Body=data, ContentType=mime)
        return sha256

    def open(self, sha256: str) -> bytes:
        key = self._key(_checked(sha256))
        with self._explained("read"):
            try:
                data: bytes = self._s3().get_object(Bucket=self.bucket, Key=key)["Body"].read()
            except Exception as error:
                if _is_missing(error):
                    raise MediaMissing(errno.ENOENT, f"no media {sha256} in bucket {self.bucket}") from error
                raise
        return _intact(data, sha256)

    def exists(self, sha256: str) -> bool:
        key = self._key(_checked(sha256))
        with self._explained("read"):
            try:
                self._s3().head_object(Bucket=self.bucket, Key=key)
            except Exception as error:
                if _is_missing(error):
                    return False
                raise
        return True

    def delete(self, sha256: str) -> None:
        key = self._key(_checked(sha256))
        with self._explained("delete"):
            self._s3().delete_object(Bucket=self.bucket, Key=key)

    def check(self) -> None:
        key = self._key(".check")
        with self._explained("write"):
            self._s3().put_object(Bucket=self.bucket, Key=key, Body=_PROBE)
            self._s3().delete_object(Bucket=self.bucket, Key=key)

    @contextlib.contextmanager
    def _explained(self, doing: str) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

        try:
            yield
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "?")
            raise MediaUnavailable(errno.EIO, f"cannot {doing} media in bucket {self.bucket}: {code}") from error
        except (BotoCoreError, HTTPClientError, ValueError) as error:
            why = type(error).__name__
            raise MediaUnavailable(errno.EIO, f"cannot {doing} media in bucket {self.bucket}: {why}") from error


def _boto3() -> tuple[Any, Any]:
    try:
        import boto3
        from botocore.config import Config
    except ImportError as error:
        raise MediaUrlError("s3:// needs the extra package: pip install 'anshao[s3]', or use file:///…") from error
    return boto3, Config


def _is_missing(error: Exception) -> bool:
    """No such object; a missing bucket is not that, it is a wrong setting."""
    answer = getattr(error, "response", {})
    return answer.get("Error", {}).get("Code") in ("404", "NoSuchKey", "NotFound")


def _checked(sha256: str) -> str:
    if not _SHA.fullmatch(sha256):
        raise ValueError("a media name is 64 lower-case hex digits")
    return sha256


def _intact(data: bytes, sha256: str) -> bytes:
    if hashlib.sha256(data).hexdigest() != sha256:
        raise MediaDamaged(errno.EIO, f"media {sha256} is damaged: its content does not match its name")
    return data


def _write_whole(path: Path, data: bytes) -> None:
    """Write beside the target, force it to the disk, then rename: readers and a power cut see all of it or nothing."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextlib.contextmanager
def _explained(doing: str) -> Iterator[None]:
    try:
        yield
    except MediaUnavailable:
        raise
    except OSError as error:
        why = "the disk is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else error.strerror or str(error)
        raise MediaUnavailable(error.errno or errno.EIO, f"{doing}: {why}") from error
