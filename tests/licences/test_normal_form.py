"""One notice, however it is dressed, has one normal form; and the normal form is its own."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from stages.licences.headers import passages
from stages.licences.normal import normal_form, without_markup
from stages.licences.notices import name_of

GRANT = (
    "Permission is hereby granted, free of charge, to any person obtaining a copy",
    "of this software, to deal in the Software without restriction.",
    "",
    'THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND.',
)
PIECES = [
    "Copyright (c) 2020 Ann", "(c)", "*", "//", "#", "/*", "*/", "dnl ", "rem", "SPDX-License-Identifier: MIT", "\n",
    "\n\n", "MIT License", "All rights reserved.", "Free Software Foundation", "Everyone is permitted to copy",
    "Author: x", "2019-2021", " ", "\t", "<!--", "-->", "---", "=====", "@file x", "licensed",
    "©", "\x0b", "\u2028", "by",
]  # fmt: skip
scraps = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5)), max_size=25).map("".join)


@given(scraps)
@settings(max_examples=300, deadline=None)
def test_the_normal_form_is_its_own_normal_form(text: str) -> None:
    once = normal_form(text)
    assert normal_form(once) == once


def header(lines: tuple[str, ...], style: str, holder: str) -> str:
    body = (f"Copyright (c) {holder}", "", *lines)
    if style == "c":
        return "/*\n" + "\n".join(f" * {line}" for line in body) + "\n */\nint x;\n"
    if style == "html":
        return "<!--\n" + "\n".join(body) + "\n-->\n<p>x</p>\n"
    if style == "docstring":
        return '#!/usr/bin/env python\n"""\n' + "\n".join(body) + '\n"""\nimport os\n'
    return "\n".join(f"{style} {line}".rstrip() for line in body) + "\ncode = 1\n"


@given(
    st.sampled_from(["c", "html", "docstring", "//", "#", ";;", "--", "%", "!", "dnl", "REM", '.\\"']),
    st.sampled_from(["2020 Ann Example", "1999-2024 The Foo Project <foo@example.org>", "2001, 2003 by Bär & Søn"]),
    st.integers(min_value=0, max_value=3),
)
@settings(max_examples=100, deadline=None)
def test_other_years_holders_and_comment_markers_make_no_other_notice(style: str, holder: str, wrap: int) -> None:
    words = " ".join(GRANT[:2]).split()
    cut = len(words) - 3 * wrap
    wrapped = (" ".join(words[:cut]), " ".join(words[cut:]), *GRANT[2:]) if wrap else GRANT
    found = passages(header(wrapped, style, holder), prose=False)
    plain = passages(header(GRANT, "#", "2011 Somebody"), prose=False)
    assert [name_of(normal_form(p.text)) for p in found] == [name_of(normal_form(p.text)) for p in plain]


@pytest.mark.parametrize(
    "text", ["Copyright (c) 2020 Ann Example\nAll rights reserved.", "# © 2019 Foo Inc.", "(C) 1998-2003 Bär"]
)
def test_a_copyright_line_alone_leaves_nothing(text: str) -> None:
    assert normal_form(text) == ""


@pytest.mark.parametrize(
    "line",
    [
        "copyright notice, this list of conditions and the following disclaimer.",
        "COPYRIGHT HOLDERS OR CONTRIBUTORS BE LIABLE FOR ANY DIRECT, INDIRECT",
        "CONTRIBUTORS BE LIABLE FOR ANY DIRECT",
        "Copyright (C) <year> <name of author>",
        "COPYRIGHT (C) 1986 Ada Mill. You may use this program, or tables extracted from it, as desired.",
        "(c) 1994-1998, Ada Mill. This software is based in part on the work of others.",
    ],
)
def test_words_of_the_licence_itself_stay(line: str) -> None:
    assert normal_form(line)


def test_markup_goes_where_there_is_markup() -> None:
    assert normal_form(without_markup("<html><body><p>MIT &amp; more</p></body></html>")) == "MIT & more"
    assert normal_form(without_markup("{\\rtf1\\ansi{\\f0 Arial;}\\fs20 MIT\\par\nLicense\\par}")).endswith(
        "MIT License"
    )
    assert without_markup("a < b and c > d") == "a < b and c > d"
