"""Evidence of a header that rests on its path's licence holds that licence's evidence too."""

from __future__ import annotations

import json

import polars as pl

from foundation.frames import frame
from stages.licences import DETECTIONS, NOTICES, with_headers

EVIDENCE = '{"expression":"MIT","kind":"text","notice":"n","path":"LICENSE"}'


def _evidence(detected: str, *, kind: str = "header", path_evidence: str | None = EVIDENCE) -> dict[str, object]:
    paths = pl.DataFrame(
        {
            "sha1_git": ["c"],
            "path": [b"a.py"],
            "licence_expression": ["MIT" if path_evidence else None],
            "licence_class": ["permissive" if path_evidence else "no_license"],
            "licence_source": ["repository" if path_evidence else None],
            "licence_evidence": pl.Series([path_evidence], dtype=pl.String),
        }
    )
    notice = {"sha1_git": "c", "file_kind": "header", "notice": "h", "kind": kind, "start_line": 1, "end_line": 2}
    found = {"notice": "h", "expression": detected, "status": "detected", "score": 99.0, "rule": "r", "tool": "t"}
    notices = pl.DataFrame([{**notice, "text": "words"}], schema=frame(NOTICES.empty_table()).schema)
    detections = pl.DataFrame([found], schema=frame(DETECTIONS.empty_table()).schema)
    return json.loads(with_headers(paths, notices, detections)["licence_evidence"][0])


def test_a_header_of_its_own_needs_no_other() -> None:
    assert "path_licence" not in _evidence("Apache-2.0")


def test_a_pointer_names_what_it_points_at() -> None:
    found = _evidence("Apache-2.0 AND LicenseRef-scancode-unknown-license-reference")
    assert (found["path"], found["lines"]) == ("a.py", [1, 2])
    assert found["path_licence"] == json.loads(EVIDENCE)


def test_a_part_under_another_licence_names_the_licence_of_the_whole() -> None:
    assert _evidence("GPL-2.0-only", kind="mention")["path_licence"] == json.loads(EVIDENCE)


def test_a_pointer_to_nothing_has_nothing_to_name() -> None:
    found = _evidence("Apache-2.0 AND LicenseRef-scancode-unknown-license-reference", path_evidence=None)
    assert "path_licence" not in found
