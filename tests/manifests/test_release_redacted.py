"""What a manifest states of redaction: counted from the rows, checked, and absent where it never was counted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from foundation.canonical import canonical_json, readable_json, sha256_bytes
from foundation.errors import IntegrityError
from manifests import load_manifest
from manifests.manifest import MANIFEST, parse_manifest


def changed(release: Path, change: Callable[[dict[str, Any]], object]) -> bytes:
    """The release's manifest after `change`, sealed again."""
    document = json.loads((release / MANIFEST).read_bytes())
    change(document)
    del document["self_sha256"]
    return readable_json({**document, "self_sha256": sha256_bytes(canonical_json(document))})


def test_it_is_what_the_rows_hold(published: Path, rows: pl.DataFrame) -> None:
    found = load_manifest(published).redacted
    assert found is not None
    detectors = rows["redactions"].explode().struct.field("detector").drop_nulls().to_list()
    assert found.detectors == {name: detectors.count(name) for name in set(detectors)}
    assert (found.files, found.paths) == (rows.filter(pl.col("redactions").list.len() > 0).height, 0)


def test_a_manifest_from_before_it_was_counted_is_read_as_it_is(published: Path) -> None:
    data = changed(published, lambda document: document.pop("redacted"))
    manifest = parse_manifest(data, where="old")
    assert manifest.redacted is None
    assert manifest.to_bytes() == data


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document["redacted"]["detectors"].update(other=1),
        lambda document: document["redacted"].update(files=10**6),
        lambda document: document["redacted"].update(paths=10**6),
        lambda document: document.update(redactions={"EMAIL": 1}),
    ],
)
def test_counts_that_do_not_add_up_are_refused(published: Path, change: Callable[[dict[str, Any]], object]) -> None:
    with pytest.raises(IntegrityError, match="redacted"):
        parse_manifest(changed(published, change), where="m")
