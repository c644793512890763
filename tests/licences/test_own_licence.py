"""Whether what a file says of its licence stands alone, or would be something else below another directory."""

from __future__ import annotations

import polars as pl
import pyarrow as pa
import pytest

from foundation import spdx
from stages.licences import DETECTIONS, notices_of_headers, with_headers

REFERENCE = "LicenseRef-scancode-unknown-license-reference"
HEADER = "# Copyright 2020 Ann\n# Licensed under the terms in the LICENSE file.\n\nimport os\n"
MENTION = "x = 1\n" * 30 + "\n\n# The function below is licensed under the BSD license.\ndef y():\n    return 1\n"


def overlaid(text: str, detected: str, *, path_licence: str) -> dict[str, object]:
    """The content's row where the notice in `text` is detected as `detected`, below a directory of `path_licence`."""
    found = notices_of_headers(
        pa.table({"sha1_git": ["0" * 40], "path": pa.array([b"a.py"]), "text": [text], "language": ["Python"]})
    )
    assert found.num_rows
    row = dict.fromkeys(DETECTIONS.names)
    row |= {"expression": detected, "status": "detected", "score": 100.0, "tool": "test"}
    detections = pa.Table.from_pylist([row | {"notice": each} for each in found["notice"].to_pylist()], DETECTIONS)
    base = pl.DataFrame(
        {
            "sha1_git": ["0" * 40],
            "path": [b"a.py"],
            "licence_expression": [path_licence],
            "licence_class": [spdx.licence_class(path_licence)],
            "licence_source": ["repository"],
            "licence_evidence": ["{}"],
            "own_licence": [False],
        }
    )
    return with_headers(base, pl.DataFrame(found), pl.DataFrame(detections)).row(0, named=True)


@pytest.mark.parametrize(
    ("text", "detected", "alone"),
    [
        ("# SPDX-License-Identifier: MIT\nimport os\n", "MIT", True),
        (HEADER, f"MIT AND {REFERENCE}", False),
        (MENTION, "BSD-3-Clause", False),
    ],
)
def test_own_licence_is_one_that_no_other_directory_would_change(text: str, detected: str, alone: bool) -> None:
    below = [overlaid(text, detected, path_licence=licence) for licence in ("Apache-2.0", "GPL-2.0-only")]
    assert [row["licence_source"] for row in below] == ["header", "header"]
    assert [row["own_licence"] for row in below] == [alone, alone]
    assert (below[0]["licence_expression"] == below[1]["licence_expression"]) is alone
