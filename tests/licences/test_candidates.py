"""Names alone decide which paths may speak of licences."""

from __future__ import annotations

import pyarrow as pa
import pytest

from stages.licences import licence_kind


def kind(path: bytes) -> str | None:
    return licence_kind(pa.array([path], pa.binary()))[0].as_py()


@pytest.mark.parametrize(
    "path",
    [b"LICENSE", b"sub/LICENCE.md", b"COPYING.LESSER", b"COPYING3", b"LICENSE-APACHE", b"MIT-LICENSE.txt",
     b"gpl-3.0.txt", b"UNLICENSE", b"LICENSE_1_0.txt", b"license.html", b"LICENSE.GPL-2",
     b"x-1.0.dist-info/licenses/LICENSE.txt",
     b"a\nb/COPYING", b"\xff\xfe/LICENSE"],
)  # fmt: skip
def test_licence_files(path: bytes) -> None:
    assert kind(path) == "licence_file"


@pytest.mark.parametrize(
    "path",
    [b"license.py", b"src/copying.c", b"mit-scheme.scm", b"bsd.h", b"src/licenses/__init__.py", b"license-checker.js",
     b"NOTICE", b"ABOUT.md", b"PATENTS", b"mylicense", b"libs/mpl/CMakeLists.txt", b"apache.conf", b"a/b/README.md",
     b"LICENSE.header", b"", b"licensee.json"],
)  # fmt: skip
def test_false_friends(path: bytes) -> None:
    assert kind(path) is None


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (b"LICENSES/MIT.txt", "licenses_folder"),
        (b"THIRD-PARTY-LICENSES.txt", "licenses_folder"),
        (b"img/logo.svg.license", "dot_license"),
        (b"crates/a/Cargo.toml", "manifest"),
        (b"six-1.16.dist-info/METADATA", "manifest"),
        (b"debian/copyright", "manifest"),
        (b".reuse/dep5", "manifest"),
        (b"package/README.md", "readme"),
        (b"README", "readme"),
    ],
)
def test_other_kinds(path: bytes, expected: str) -> None:
    assert kind(path) == expected
