"""The rules of kingfisher-secret-scanner 1.5: some 490 issuers, offline, no validation, no base64 decoding.

Compiling its rules takes some 5 s of processor time once for a machine, then 0.5 s a process from the cache,
which is Gristmill's own folder. Scanning costs about 5 ns a byte. Only the places and rule names of findings
leave this module.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from foundation.errors import ConfigError
from stages.redaction.model import Finding


def find_known_tokens(data: bytes) -> Iterator[Finding]:
    """Places in `data` (UTF-8) where a kingfisher rule finds a credential."""
    if not data:
        return
    for found in _scanner().scan(data):
        place = found.location
        secret = found.secret.encode()
        start = data.find(secret, place["start_offset"], max(place["end_offset"], place["start_offset"]) + len(secret))
        if start < 0:
            start = data.find(secret)
        if secret and start >= 0:
            yield Finding(start, start + len(secret), "KEY", "kingfisher", found.rule_id)


def cache_folder() -> Path:
    """Where compiled rules are kept: $GRISTMILL_CACHE_DIR, else $XDG_CACHE_HOME/gristmill, else ~/.cache/gristmill."""
    chosen = os.environ.get("GRISTMILL_CACHE_DIR")
    if chosen:
        return Path(chosen, "kingfisher")
    base = os.environ.get("XDG_CACHE_HOME")
    return Path(base or Path.home() / ".cache", "gristmill", "kingfisher")


@functools.cache
def _scanner() -> Any:
    try:
        from kingfisher_sdk import Rules, Scanner
    except ImportError as error:
        raise ConfigError(
            "redaction.kingfisher is on, but kingfisher-secret-scanner is not installed",
            hint="install kingfisher-secret-scanner, or set redaction.kingfisher = false in the recipe",
        ) from error
    return Scanner(Rules(confidence="medium", cache_dir=str(cache_folder())), base64=False)
