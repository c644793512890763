"""Read access to a tree of objects by key, local or on S3, behind one small interface.

Keys are `/`-separated and relative to the store's root. Missing objects raise FileNotFoundError, so
that callers can tell "not there" from "storage failed" (StorageError) and "refused" (CredentialsError).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol


@dataclasses.dataclass(frozen=True)
class ObjectInfo:
    """One stored object: key relative to the store's root, size in bytes, and a change tag.

    `tag` names the bytes as cheaply as the store can (S3: ETag; local: empty).
    """

    key: str
    size: int
    tag: str = ""


@dataclasses.dataclass(frozen=True)
class S3Settings:
    """How to reach an S3 service; every field has a working default. Seconds for times.

    An operation fails for good when it has been tried `attempts` times and `patience` seconds have passed.
    """

    endpoint: str = ""
    region: str = ""
    anonymous: bool = False
    connect_timeout: float = 5.0
    read_timeout: float = 20.0
    attempts: int = 8
    patience: float = 30.0


class Store(Protocol):
    """What the rest of Gristmill may ask of storage."""

    @property
    def uri(self) -> str:
        """The root as the user would write it."""

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Objects below `prefix` (a folder-like key), in key order."""

    def folders(self, prefix: str = "") -> tuple[str, ...]:
        """Names of the folders directly below `prefix`, sorted; empty when there are none."""

    def exists(self, key: str) -> bool:
        """Whether `key` names an object."""

    def read(self, key: str) -> bytes:
        """The whole object; FileNotFoundError if there is none."""

    def read_many(self, keys: Sequence[str], workers: int = 8) -> Iterator[bytes | FileNotFoundError]:
        """Each object of `keys`, in their order; a missing one is yielded as its FileNotFoundError.

        Reads on `workers` threads; at most a small multiple of `workers` objects wait in memory.
        """

    def open(self, key: str) -> BinaryIO:
        """The object for random access (seek/read/close); FileNotFoundError if there is none."""

    def path(self, key: str) -> Path | None:
        """Local file of `key` for readers that want one (it need not exist); None for a remote store."""


def open_store(uri: str, *, s3: S3Settings | None = None) -> Store:
    """The store at `uri`: a local folder (path or `file://`) or `s3://bucket[/prefix]`.

    Raises UsageError for another scheme, CredentialsError for a bucket that is missing or refused.
    """
    if uri.startswith("s3://"):
        from foundation.storage.s3 import S3Store

        return S3Store.connect(uri, s3 or S3Settings())
    from foundation.storage.local import LocalStore

    return LocalStore.at(uri)
