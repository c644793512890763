"""The compiled scan finds in a head what reading it line by line finds: on random code, and on installed packages."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import example, given, settings

from stages.licences.headers import cued_lines, passages
from stages.licences.normal import LICENCE_WORDS, undressed
from tests.licences.line_by_line import passages_line_by_line

SCRAPS = [
    "// ", "# ", "/* ", " */", " * ", "<!-- ", " -->", '"""', "'''", "--[[", "]]", "#!", "<?php ", "dnl ", "; ", ".. ",
    "\n", "\n\n", "\r\n", "\x0b", "\x1c", "\x85", "\u2028", "\t", " ", "\xa0", "\u3000", "int x;\n", "class A:\n",
    "SPDX-License-Identifier: MIT", "SPDX-Lıcense-Identifier: MIT", "Licensed under", "the MIT license", "MIT", "_BSD_",
    "commit", "free software", "free\xa0software", "provided\t'as is'", "Apache2", "apache\x1f2", "mpl", "example",
    "Copyright (c) 2020 Ann", "public-domain", "__license__ = 'MIT'", "licenſe", "é", "\U0001f600",
    "following code from",
]  # fmt: skip
code = st.lists(st.one_of(st.sampled_from(SCRAPS), st.text(max_size=6)), max_size=60).map("".join)
FILES_PER_PACKAGE = 50


@given(text=code, prose=st.booleans())
@example(text="\n" * 90 + "/*\n" + "x\n" * 30 + "Licensed under MIT\n*/", prose=False)
@example(text="x = 1\n" * 98 + "# a\n# MIT\n# b\n", prose=False)
@example(text="x = 1\n" * 99 + "# a\n# MIT\n# b\n", prose=False)
@settings(max_examples=400, deadline=None)
def test_random_code_speaks_the_same(text: str, *, prose: bool) -> None:
    assert passages(text, prose=prose) == passages_line_by_line(text, prose=prose)


@given(code)
@settings(max_examples=300, deadline=None)
def test_no_line_with_a_licence_word_is_passed_over(head: str) -> None:
    spoken = {at for at, line in enumerate(head.splitlines(), start=1) if LICENCE_WORDS.search(undressed(line))}
    assert spoken <= set(cued_lines(head))


@pytest.mark.parametrize("package", ["numba", "pyarrow", "licensedcode", "boto3"])
def test_installed_packages_speak_the_same(package: str) -> None:
    spec = importlib.util.find_spec(package)
    assert spec is not None and spec.submodule_search_locations
    folder = Path(spec.submodule_search_locations[0])
    files = [path for path in sorted(folder.rglob("*")) if path.suffix in {".py", ".h", ".c", ".cpp", ".js", ".md"}]
    for path in files[:: max(1, len(files) // FILES_PER_PACKAGE)]:
        text = path.read_text("utf-8", "replace").replace("\n=head", "\n=")
        assert passages(text, prose=False) == passages_line_by_line(text, prose=False), path
