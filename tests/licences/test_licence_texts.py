"""The texts that a release hands on: canonical ones by SPDX id, and the copyright lines of those that were found."""

from __future__ import annotations

import importlib.resources
import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation import spdx
from stages.contents.statements import SECRETS, licence_texts
from stages.licences import canonical_text, copyright_lines
from stages.redaction import Settings
from tests.support.mill import MIT
from tests.support.mill import SECRETS as VALUES


@pytest.mark.parametrize(
    ("identifier", "words"),
    [
        ("MIT", "Permission is hereby granted, free of charge"),
        ("mit", "Permission is hereby granted, free of charge"),
        ("Apache-2.0+", "Apache License"),
        ("GPL-2.0-or-later", "GNU GENERAL PUBLIC LICENSE"),
        ("Classpath-exception-2.0", "Linking this library statically or dynamically"),
        ("BSD-2-Clause-FreeBSD", "Redistribution and use in source and binary forms"),  # retired
    ],
)
def test_each_licence_and_exception_has_its_text(identifier: str, words: str) -> None:
    text = canonical_text(identifier)
    assert text is not None
    assert words in text
    assert "spdx_license_key" not in text
    assert text.endswith("\n")


@pytest.mark.parametrize("identifier", ["LicenseRef-scancode-unknown", "no-such-licence", "../../etc/passwd", ""])
def test_what_has_no_text_has_none(identifier: str) -> None:
    assert canonical_text(identifier) is None


def test_every_licence_has_a_text_but_those_newer_than_the_database_of_texts() -> None:
    data = json.loads(importlib.resources.files("foundation").joinpath("data", "licence_classes.json").read_bytes())
    known = [name for name in spdx.licence_data().classes if not name.startswith("LicenseRef-")]
    assert sorted(name for name in known if canonical_text(name) is None) == sorted(
        name for name in data["newer"] if name in data["licences"]
    )
    assert 0 < len(data["newer"]) < 50


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("MIT", ("MIT",)),
        ("GPL-2.0-only WITH Classpath-exception-2.0 OR (MIT AND Apache-2.0+)",
         ("Apache-2.0", "Classpath-exception-2.0", "GPL-2.0-only", "MIT")),
        (None, ()),
    ],
)  # fmt: skip
def test_an_expression_names_licences_and_exceptions(expression: str | None, expected: tuple[str, ...]) -> None:
    assert spdx.names(expression) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (MIT.format(year=2020, holder="Ada <ada@mill.example>"), ("Copyright (c) 2020 Ada <ada@mill.example>",)),
        (" * Copyright © 1999-2004 A. B. */\n * Copyright © 1999-2004 A. B. */\n", ("Copyright © 1999-2004 A. B.",)),
        ("Copyright (c) <year> <copyright holders>\n", ()),
        ("The above copyright notice shall be included in all copies.\n", ()),
        ("(a) this\n(b) that\n(c) under Patent Claims infringed\n", ()),
        ("", ()),
    ],
)  # fmt: skip
def test_copyright_lines_name_the_holders_and_nothing_else(text: str, expected: tuple[str, ...]) -> None:
    assert copyright_lines(text) == expected


def test_the_foundations_own_line_names_no_holder() -> None:
    for identifier in ("GPL-2.0-only", "LGPL-3.0-only", "MIT", "BSD-3-Clause", "Apache-2.0"):
        assert copyright_lines(str(canonical_text(identifier))) == ()


@given(st.text(alphabet="Copyright (c)©2020 \n*/#ab<>@.", max_size=200))
def test_copyright_lines_are_bounded_and_distinct_words_of_the_text(text: str) -> None:
    found = copyright_lines(text)
    assert len(set(found)) == len(found)
    words = set(text.split())
    assert all(any(part in word for word in words) for line in found for part in line.split())


def _files(text: str, kind: str = "licence_file", path: bytes = b"LICENSE") -> pl.DataFrame:
    return pl.DataFrame({"sha1_git": ["1" * 40], "path": [path], "kind": [kind], "text": [text]})


def test_names_and_addresses_stay_and_secrets_never_do() -> None:
    text = MIT.format(year=2020, holder=f"Ada <{VALUES[1]}>") + f'TOKEN = "{VALUES[0]}"\n'
    kept = licence_texts(_files(text), Settings(kinds=SECRETS)).row(0, named=True)
    assert VALUES[1] in kept["text"]
    assert VALUES[0] not in kept["text"]
    assert kept["copyrights"] == [f"Copyright (c) 2020 Ada <{VALUES[1]}>"]
    redacted = licence_texts(_files(text), Settings(kinds=("EMAIL", *SECRETS))).row(0, named=True)
    assert VALUES[1] not in redacted["text"]
    assert kept["text_sha256"] != redacted["text_sha256"]


@pytest.mark.parametrize(
    ("kind", "path", "handed_on"),
    [
        ("licence_file", b"COPYING", True),
        ("licenses_folder", b"LICENSES/MIT.txt", True),
        ("dot_license", b"a.png.license", True),
        ("manifest", b"x/debian/copyright", True),
        ("manifest", b"REUSE.toml", True),
        ("manifest", b"package.json", False),
        ("readme", b"README.md", False),
    ],
)
def test_only_licence_files_are_handed_on(kind: str, path: bytes, handed_on: bool) -> None:
    assert licence_texts(_files("MIT License\n", kind, path), Settings(kinds=SECRETS)).height == handed_on
