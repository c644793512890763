"""Licence evidence for people says where, what, by which tool, with which rule and score."""

from __future__ import annotations

from manifests.statements import evidence_lines

TEXT = {
    "expression": "MIT",
    "kind": "text",
    "lines": [1, 17],
    "notice": "a" * 64,
    "path": "LICENSE",
    "rule": "mit_14.RULE",
    "score": 100.0,
    "status": "detected",
    "tool": "scancode-toolkit 32.5.0",
}


def test_a_statement_says_everything() -> None:
    assert evidence_lines(TEXT) == [
        "LICENSE, lines 1-17: MIT (text)",
        f"  notice {'a' * 64}, found by scancode-toolkit 32.5.0, rule mit_14.RULE, score 100",
    ]


def test_others_what_a_header_rests_on_and_the_deciding_copy_are_told() -> None:
    copy = {"origin": "https://o.example/r", "path": "a.py", "policy": "any_copy", "first_seen": "2020-01-01T00:00:00Z"}
    tag = {**TEXT, "path": "a.py", "lines": [3, 3], "kind": "spdx_tag", "status": "invalid_expression", "score": None}
    lines = evidence_lines({**tag, "with": [TEXT], "more": 2, "copy": copy, "path_licence": TEXT})
    assert lines[0] == "a.py, line 3: MIT (spdx_tag)"
    assert lines[1].endswith("rule mit_14.RULE, status invalid_expression")
    assert lines[2] == "LICENSE, lines 1-17: MIT (text)"
    assert lines[4:6] == [
        "and 2 statements more",
        "of its copies https://o.example/r:a.py decided (any_copy, first seen 2020-01-01T00:00:00Z)",
    ]
    assert lines[6:8] == ["rests on the licence of its path:", "  LICENSE, lines 1-17: MIT (text)"]


def test_a_copy_without_a_name_and_metadata_without_a_path() -> None:
    found = {**dict.fromkeys(TEXT), "expression": "MIT", "kind": "metadata", "copy": {"origin": None, "policy": "p"}}
    assert evidence_lines(found) == [
        "repository metadata: MIT (metadata)",
        "of its copies a copy that is not named decided (p)",
    ]


def test_other_evidence_stays_as_it_is() -> None:
    assert evidence_lines(None) == []
    assert evidence_lines("not json") == ["not json"]
    assert evidence_lines({"length": 99}) == ['{"length": 99}']
