"""The documentation flag: Linguist's path rules, on the file's real path."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.languages import classify, table
from stages.languages.classes import path_text
from stages.languages.linguist import is_documentation

PARTS = st.sampled_from(
    ["docs", "Doc", "src", "inst", "doc", "man", "Man", "Examples", "demo", "samples", "javadoc", "Groovydoc", "a.py",
     "Documentation", "README", "readme.md", "LICENSE", "licence.txt", "COPYING", "CHANGELOG.md", "CHANGES", "INSTALL",
     "CITATION.cff", "CONTRIBUTING.rst", "installer.c", "woman", "\u017fample", "", "..", "\n"]
)  # fmt: skip


def flags(*paths: bytes) -> list[bool]:
    found = classify(pa.array(paths, pa.binary()), pa.array(["x = 1\n"] * len(paths), pa.large_string()))
    return [bool(flag) for flag in found["documentation"].to_pylist()]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (b"docs/conf.py", True),
        (b"pkg/docs/conf.py", False),  # only at the root, says Linguist
        (b"a/Documentation/x.c", True),
        (b"a/b/README", True),
        (b"a/LICENSE.txt", True),
        (b"CHANGELOG.md", True),
        (b"examples/x.py", True),
        (b"src/readme_parser.py", False),
        (b"src/main.py", False),
        (b"docs/\xff.py", True),
        (b"", False),
    ],
)
def test_the_flag_comes_from_the_real_path(path: bytes, expected: bool) -> None:
    assert flags(path) == [expected]


@given(st.lists(PARTS | st.text(max_size=8), max_size=4).map("/".join))
def test_the_short_cut_and_the_library_agree(path: str) -> None:
    import enry

    shown = path_text(path.encode("utf-8", "replace"))
    assert is_documentation(shown) is bool(enry.is_documentation(shown))


def test_every_language_has_its_metadata() -> None:
    python, shell = table()["Python"], table()["Shell"]
    assert (python.id, python.type, python.group) == (303, "programming", None)
    assert {"SConstruct", "wscript"} <= set(python.filenames)
    assert {"python", "python3"} <= set(python.interpreters)
    assert "py" in python.aliases
    assert ".bashrc" in shell.filenames
    assert {language.type for language in table().values()} == {"programming", "markup", "data", "prose"}
    for language in table().values():
        assert language.group is None or language.group in table()
