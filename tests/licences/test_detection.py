"""Notices become expressions: whole, with status, within a real time limit, whatever the order."""

from __future__ import annotations

import random

import pyarrow as pa
import pytest

from foundation.errors import IntegrityError
from stages.licences import DETECTIONS, MemoResolver, Settings, detect, memo_key
from stages.licences.detection import _tidy
from stages.licences.notices import name_of, whole_text
from tests.licences.texts import GPL_HEADER, licence_text


def asked(*texts: str) -> pa.Table:
    return pa.table({"notice": [name_of(text) for text in texts], "text": list(texts)})


def one(resolver: MemoResolver, text: str) -> dict[str, object]:
    return resolver(asked(whole_text(text, limit=1 << 20))).to_pylist()[0]


@pytest.mark.parametrize(
    ("text", "expression", "status"),
    [
        ("MIT or Apache-2.0", "Apache-2.0 OR MIT", "detected"),
        ("License: BSD", "BSD-3-Clause", "detected"),
        ("Dual licensed under the MIT or GPL Version 2 licenses.", "GPL-2.0-only OR MIT", "detected"),
        ("SPDX-License-Identifier: Zwiebel-9", "LicenseRef-scancode-unknown-spdx", "invalid_expression"),
        ("NOASSERTION", None, "none"),
        ("It walks the tree and counts its leaves.", None, "none"),
        ("Written by Ann <ann@example.org> Public domain.", "LicenseRef-scancode-public-domain", "detected"),
    ],
)
def test_short_notices(resolver: MemoResolver, text: str, expression: str | None, status: str) -> None:
    found = one(resolver, text)
    assert (found["expression"], found["status"]) == (expression, status)


def test_pointers_are_no_licence(resolver: MemoResolver) -> None:
    assert one(resolver, "See the LICENSE file for licensing information.")["status"] == "unknown_reference"


def test_headers_keep_or_later(resolver: MemoResolver) -> None:
    found = one(resolver, GPL_HEADER)
    assert (found["expression"], found["status"]) == ("GPL-3.0-or-later", "detected")


def damaged(text: str, share: float) -> str:
    """`text` with `share` of its words replaced, the same ones every time."""
    words, dice = text.split(" "), random.Random(7)
    return " ".join("gristle" if dice.random() < share else word for word in words)


@pytest.mark.parametrize(
    ("key", "expression"), [("mit", "MIT"), ("bsd-new", "BSD-3-Clause"), ("apache-2.0", "Apache-2.0")]
)
def test_altered_texts_are_still_known(resolver: MemoResolver, key: str, expression: str) -> None:
    """The Stack v2 passed deadline=100, which switches approximate matching off: 36 of 96 such texts were lost."""
    assert one(resolver, licence_text(key))["expression"] == expression
    assert one(resolver, damaged(licence_text(key), 0.01))["expression"] == expression


def test_holders_make_no_new_notice(resolver: MemoResolver) -> None:
    text = licence_text("mit")
    first = whole_text(f"The MIT License (MIT)\n\nCopyright (c) 2014 Ann\n\n{text}", limit=1 << 20)
    second = whole_text(f"The MIT License (MIT)\n\nCopyright (c) 1999-2021 Bob <b@x.org>\n\n{text}", limit=1 << 20)
    assert name_of(first) == name_of(second)
    assert one(resolver, first)["expression"] == "MIT"


def test_a_time_limit_is_reported_not_hidden() -> None:
    text = damaged(whole_text(licence_text("gpl-3.0"), limit=1 << 20), 0.02)
    (found,) = detect(asked(text), settings=Settings(detection_timeout=0.001)).to_pylist()
    assert found["status"] == "timed_out"


def test_the_memo_answers_for_other_processes_and_orders(tmp_path) -> None:
    texts = ["License: MIT", GPL_HEADER, "License: BSD", "nothing to see"]
    first = MemoResolver(tmp_path)(asked(*texts))
    files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")}
    again = MemoResolver(tmp_path)(asked(*reversed(texts), *texts))
    assert again.equals(first)
    assert first.schema == DETECTIONS
    assert first["notice"].to_pylist() == sorted(first["notice"].to_pylist())
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")} == files


def test_two_resolvers_on_one_folder_learn_from_each_other(tmp_path) -> None:
    left, right = MemoResolver(tmp_path), MemoResolver(tmp_path)
    left(asked("License: MIT"))
    assert right(asked("License: MIT", "License: BSD")).num_rows == 2
    assert len(list(tmp_path.rglob("*.parquet"))) == 2


def test_a_damaged_memo_is_named(tmp_path) -> None:
    MemoResolver(tmp_path)(asked("License: MIT"))
    (path,) = tmp_path.rglob("*.parquet")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(IntegrityError, match=path.name):
        MemoResolver(tmp_path)(asked("License: MIT"))


def test_another_time_limit_is_another_memo() -> None:
    assert memo_key(Settings()) != memo_key(Settings(detection_timeout=5))


def test_no_notices_need_no_index(tmp_path) -> None:
    assert MemoResolver(tmp_path)(asked()[:0]).schema == DETECTIONS


@pytest.mark.parametrize(
    ("whole", "tidy"),
    [
        ("OpenSSL AND OpenSSL-standalone AND SSLeay-standalone", "OpenSSL"),
        ("OpenSSL-standalone AND SSLeay-standalone", "OpenSSL-standalone AND SSLeay-standalone"),
        ("fmt-exception AND MIT", "MIT WITH fmt-exception"),
        ("Apache-2.0 AND fmt-exception AND MIT", "Apache-2.0 AND fmt-exception AND MIT"),
        ("MIT OR Apache-2.0", "MIT OR Apache-2.0"),
        (None, None),
    ],
)
def test_parts_that_are_one_thing_get_one_name(whole: str | None, tidy: str | None) -> None:
    assert _tidy(whole) == tidy
