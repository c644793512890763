"""A bucket (or a prefix of one) on any S3 service as a Store.

Every operation, the reading of its body included, is retried with full jitter (`retry.py`): refused
and cut connections, stalls, short bodies, 5xx, 429 and SlowDown. What no retry can mend is told apart:
a missing key is FileNotFoundError, a missing bucket or a refusal is CredentialsError. Credentials come
from the usual AWS places; without any, requests are anonymous.
"""

from __future__ import annotations

import dataclasses
import http.client
import io
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, TypeVar, cast
from urllib.parse import urlsplit

import boto3
import urllib3.exceptions
from botocore import UNSIGNED
from botocore import exceptions as boto_errors
from botocore.config import Config
from botocore.parsers import ResponseParserError

from foundation.errors import CredentialsError, StorageError, UsageError
from foundation.storage.retry import Transient, with_retries
from foundation.storage.store import ObjectInfo, S3Settings
from foundation.storage.threads import ordered_map

Result = TypeVar("Result")

CONNECTIONS = 64
# Below this many bytes a range read costs its round trip, so neighbours are fetched with it.
READ_AHEAD = 256 << 10

_REFUSED = {
    "403": "access denied",
    "401": "not authenticated",
    "AccessDenied": "access denied",
    "AllAccessDisabled": "access denied",
    "InvalidAccessKeyId": "unknown access key",
    "SignatureDoesNotMatch": "wrong secret key",
    "ExpiredToken": "expired session token",
    "InvalidToken": "invalid session token",
    "TokenRefreshRequired": "expired session token",
}
_MISSING_KEY = {"NoSuchKey", "404", "NotFound"}
_WRONG_REGION = {"301", "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}
_BUSY = {"SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable", "Throttling", "ThrottlingException"}
_NO_CREDENTIALS = (
    boto_errors.NoCredentialsError,
    boto_errors.PartialCredentialsError,
    boto_errors.CredentialRetrievalError,
    boto_errors.ProfileNotFound,
)
_BROKEN = (
    boto_errors.HTTPClientError,
    boto_errors.ConnectionError,
    boto_errors.IncompleteReadError,
    boto_errors.ResponseStreamingError,
    boto_errors.FlexibleChecksumError,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
)


@dataclasses.dataclass(frozen=True)
class S3Store:
    """Read access to the objects of `bucket` below `prefix` (empty, or ending in `/`)."""

    bucket: str
    prefix: str
    settings: S3Settings
    anonymous: bool
    client: Any = dataclasses.field(repr=False, compare=False)

    @classmethod
    def connect(cls, uri: str, settings: S3Settings) -> S3Store:
        """The store at `s3://bucket[/prefix]`, after one listing request has proved that it answers.

        Endpoint: `settings.endpoint`, else AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL, else AWS. Raises UsageError for a
        malformed URI, CredentialsError for a missing bucket or a refusal, StorageError when nothing answers.
        """
        parts = urlsplit(uri)
        if parts.scheme != "s3" or not parts.netloc or parts.username or parts.query or parts.fragment:
            raise UsageError(f"not an S3 address: {uri!r}", hint="expected s3://bucket or s3://bucket/prefix")
        path = parts.path.strip("/")
        try:
            client, anonymous = _client(settings)
        except (*_NO_CREDENTIALS, boto_errors.BotoCoreError, ValueError) as error:
            raise CredentialsError(
                f"cannot set up access to {uri}: {error}",
                hint="check AWS_PROFILE, AWS_ENDPOINT_URL and the credentials file",
            ) from error
        store = cls(parts.netloc, f"{path}/" if path else "", settings, anonymous, client)
        store._page(store.prefix, limit=1)
        return store

    @property
    def uri(self) -> str:
        """`s3://bucket[/prefix]`."""
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Objects below `prefix`, in key order, a page of up to 1,000 at a time; the tag is the ETag."""
        token = ""
        while True:
            page = self._page(self._folder(prefix), token=token)
            for entry in page.get("Contents", ()):
                key = entry["Key"].removeprefix(self.prefix)
                if not key.endswith("/"):  # some services list folders as empty objects
                    yield ObjectInfo(key=key, size=int(entry["Size"]), tag=str(entry.get("ETag", "")).strip('"'))
            token = page.get("NextContinuationToken", "") if page.get("IsTruncated") else ""
            if not token:
                return

    def folders(self, prefix: str = "") -> tuple[str, ...]:
        """Names of the folders directly below `prefix`, sorted."""
        root, token = self._folder(prefix), ""
        found: set[str] = set()
        while True:
            page = self._page(root, token=token, delimiter="/")
            found.update(entry["Prefix"].removeprefix(root).strip("/") for entry in page.get("CommonPrefixes", ()))
            token = page.get("NextContinuationToken", "") if page.get("IsTruncated") else ""
            if not token:
                return tuple(sorted(found))

    def exists(self, key: str) -> bool:
        """Whether `key` names an object."""
        try:
            self._head(key)
        except FileNotFoundError:
            return False
        return True

    def read(self, key: str) -> bytes:
        """The whole object; FileNotFoundError if there is none."""
        return self._get(key)

    def read_many(self, keys: Sequence[str], workers: int = 8) -> Iterator[bytes | FileNotFoundError]:
        """Each object of `keys`, in their order, one request each on `workers` threads."""
        return ordered_map(self._read_or_missing, keys, workers=min(workers, CONNECTIONS))

    def open(self, key: str) -> BinaryIO:
        """The object for random access by range requests; FileNotFoundError if there is none.

        A large `read` is one request; an object that changes under the reader raises StorageError.
        """
        head = self._head(key)
        raw = _RangeReader(self, key, size=int(head["ContentLength"]), etag=str(head.get("ETag", "")))
        return cast("BinaryIO", io.BufferedReader(raw, READ_AHEAD))

    def path(self, key: str) -> None:
        """None: nothing here is a local file."""

    def _folder(self, prefix: str) -> str:
        inner = prefix.strip("/")
        return f"{self.prefix}{inner}/" if inner else self.prefix

    def _read_or_missing(self, key: str) -> bytes | FileNotFoundError:
        try:
            return self._get(key)
        except FileNotFoundError as error:
            return error

    def _page(self, prefix: str, *, token: str = "", delimiter: str = "", limit: int = 1000) -> Mapping[str, Any]:
        options: dict[str, Any] = {"Bucket": self.bucket, "Prefix": prefix, "MaxKeys": limit}
        if token:
            options["ContinuationToken"] = token
        if delimiter:
            options["Delimiter"] = delimiter
        return self._call(prefix, "listing", lambda: self.client.list_objects_v2(**options))

    def _head(self, key: str) -> Mapping[str, Any]:
        return self._call(key, "looking up", lambda: self.client.head_object(Bucket=self.bucket, Key=self.prefix + key))

    def _get(self, key: str, *, start: int = 0, length: int | None = None, etag: str = "") -> bytes:
        options: dict[str, Any] = {"Bucket": self.bucket, "Key": self.prefix + key}
        if length is not None:
            options["Range"] = f"bytes={start}-{start + length - 1}"
        if etag:
            options["IfMatch"] = etag

        def fetch() -> bytes:
            answer = self.client.get_object(**options)
            with answer["Body"] as body:
                data: bytes = body.read()
            expected = int(answer.get("ContentLength", len(data))) if length is None else length
            if len(data) != expected:
                raise Transient(f"got {len(data)} of {expected} bytes")
            return data

        return self._call(key, "reading", fetch)

    def _call(self, key: str, verb: str, action: Callable[[], Result]) -> Result:
        name = f"s3://{self.bucket}/{key if verb == 'listing' else self.prefix + key}"

        def guarded() -> Result:
            try:
                return action()
            except boto_errors.ClientError as error:
                raise self._refusal(error, name) from error
            except _NO_CREDENTIALS as error:
                raise self._denied(f"no usable credentials: {error}", name) from error
            except ResponseParserError as error:
                raise Transient("the answer was cut short or is not S3's") from error
            except _BROKEN as error:
                raise Transient(_brief(error)) from error

        return with_retries(guarded, what=f"{verb} {name}{_at(self.client)}", settings=self.settings)

    def _refusal(self, error: boto_errors.ClientError, name: str) -> Exception:
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        if code in _MISSING_KEY:
            return FileNotFoundError(f"no object {name}")
        if code in _BUSY or status == 429 or status >= 500:
            return Transient(f"the service answered {code or status}")
        # some services answer an unsigned request with 400
        if code in _REFUSED or status in (401, 403) or (self.anonymous and status == 400):
            return self._denied(_REFUSED.get(code, code), name)
        return self._unmendable(code, status, name)

    def _unmendable(self, code: str, status: int, name: str) -> Exception:
        message, hint = {
            "NoSuchBucket": (
                f"there is no bucket {self.bucket!r}{_at(self.client)}",
                "check the name, and AWS_ENDPOINT_URL if it is not on AWS",
            ),
            **dict.fromkeys(
                _WRONG_REGION, (f"bucket {self.bucket!r} lies in another region", "set AWS_REGION to its region")
            ),
        }.get(code, ("", ""))
        if message:
            return CredentialsError(message, hint=hint)
        if status == 412:
            return StorageError(
                f"{name} changed while it was read", hint="run again when nothing writes to the archive"
            )
        return StorageError(f"{name}: the service answered {code or status}", hint="check the address and the endpoint")

    def _denied(self, why: str, name: str) -> CredentialsError:
        how = "the request was anonymous, as no credentials were found" if self.anonymous else "credentials were sent"
        return CredentialsError(
            f"bucket {self.bucket!r} refused {name}: {why} ({how})",
            hint="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; the account must list and read",
        )


class _RangeReader(io.RawIOBase):
    """Raw random access to one object; each `readinto` is one range request."""

    def __init__(self, store: S3Store, key: str, *, size: int, etag: str) -> None:
        super().__init__()
        self._store, self._key, self._size, self._etag = store, key, size, etag
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        length = min(len(view), self._size - self._at)
        if length <= 0:
            return 0
        view[:length] = self._store._get(self._key, start=self._at, length=length, etag=self._etag)
        self._at += length
        return length


def _client(settings: S3Settings) -> tuple[Any, bool]:
    """A boto3 client and whether its requests are anonymous; our own loop does all retries."""
    session = boto3.session.Session()
    anonymous = settings.anonymous or session.get_credentials() is None
    endpoint = settings.endpoint or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or None
    config = Config(
        signature_version=UNSIGNED if anonymous else None,
        connect_timeout=settings.connect_timeout,
        read_timeout=settings.read_timeout,
        retries={"total_max_attempts": 1},
        max_pool_connections=CONNECTIONS,
        # other services seldom have a host name for each bucket
        s3={"addressing_style": "path" if endpoint else "auto"},
        # contents carry their own hashes; older services refuse the checksum headers
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    region = settings.region or session.region_name or "us-east-1"
    return session.client("s3", endpoint_url=endpoint, region_name=region, config=config), anonymous


def _at(client: Any) -> str:
    parts = urlsplit(str(client.meta.endpoint_url))
    return f" at {parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")


def _brief(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error)[:200]}"
