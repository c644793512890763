"""The only room that talks to storage: local folders and `s3://` buckets.

`open_store(uri)` gives read access by key; `atomic` writes local files so that a reader sees either
nothing or the whole file (temp file beside it, fsync, rename, fsync of the folder).
"""

from foundation.storage.atomic import remove_stale, sync_all, write_atomic, write_atomically
from foundation.storage.store import ObjectInfo, S3Settings, Store, open_store

__all__ = [
    "ObjectInfo",
    "S3Settings",
    "Store",
    "open_store",
    "remove_stale",
    "sync_all",
    "write_atomic",
    "write_atomically",
]
