"""Manifests are read as data, and only certain names become SPDX."""

from __future__ import annotations

import pytest

from stages.licences.declared import declarations
from stages.licences.names import classifier_expression, declared_expression


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("MIT/Apache-2.0", "Apache-2.0 OR MIT"),
        ("The MIT License (MIT)", "MIT"),
        ("Apache License, Version 2.0", "Apache-2.0"),
        ("GPL (>= 2)", "GPL-2.0-or-later"),
        ("GPL-2 | GPL-3", "GPL-2.0-only OR GPL-3.0-only"),
        ("MIT + file LICENSE", "MIT"),
        ("GPLv2+", "GPL-2.0-or-later"),
        ("GNU Lesser General Public License v2.1 or later", "LGPL-2.1-or-later"),
        ("perl_5", "Artistic-1.0-Perl OR GPL-1.0-or-later"),
        ("MIT, BSD-3-Clause", "BSD-3-Clause AND MIT"),
        ("UNLICENSED", "LicenseRef-scancode-proprietary-license"),
        ("SEE LICENSE IN eula.txt", None),
        ("BSD", None),
        ("whatever I like", None),
    ],
)
def test_names(value: str, expected: str | None) -> None:
    assert declared_expression(value) == expected


def test_classifiers() -> None:
    assert classifier_expression("License :: OSI Approved :: MIT License") == "MIT"
    later = "License :: OSI Approved :: GNU General Public License v3 or later (GPLv3+)"
    assert classifier_expression(later) == "GPL-3.0-or-later"
    assert classifier_expression("License :: OSI Approved :: BSD License") is None


MANIFESTS = {
    b"package.json": ('{"name": "a", "licenses": [{"type": "MIT"}, {"type": "GPL-2.0"}]}', ["GPL-2.0-only OR MIT"]),
    b"Cargo.toml": ('[package]\nlicense = "MIT/Apache-2.0"\n', ["Apache-2.0 OR MIT"]),
    b"pyproject.toml": ('[project]\nlicense = {text = "BSD-3-Clause"}\n', ["BSD-3-Clause"]),
    b"setup.py": ("import os; os._exit(1)\nsetup(license='MIT')\n", ["MIT"]),
    b"setup.cfg": ("[metadata]\nlicense = Apache 2.0\n", ["Apache-2.0"]),
    b"a-1.dist-info/METADATA": (
        "Name: a\nLicense-Expression: MIT AND Zlib\nLicense: x\n\nLicense: GPL\n",
        ["MIT AND Zlib"],
    ),
    b"PKG-INFO": (
        "Name: a\nClassifier: License :: OSI Approved :: BSD License\n",
        ["License :: OSI Approved :: BSD License"],
    ),
    b"DESCRIPTION": ("Package: a\nLicense: GPL (>= 2) |\n  file LICENCE\n", ["GPL-2.0-or-later"]),
    b"pom.xml": (
        "<project><licenses><license><name>Apache License, Version 2.0</name></license></licenses></project>",
        ["Apache-2.0"],
    ),
    b"a.gemspec": ("s.licenses = ['Ruby', 'BSD-2-Clause']\n", ["BSD-2-Clause AND Ruby"]),
    b"a.cabal": ("name: a\nlicense: BSD3\n", ["BSD-3-Clause"]),
    b"META.json": ('{"license": ["perl_5"]}', ["Artistic-1.0-Perl OR GPL-1.0-or-later"]),
    b"composer.json": ('{"license": ["MIT", "LGPL-2.1-or-later"]}', ["LGPL-2.1-or-later OR MIT"]),
}


@pytest.mark.parametrize("name", sorted(MANIFESTS))
def test_manifests(name: bytes) -> None:
    text, expected = MANIFESTS[name]
    assert [found.text for found in declarations(b"sub/" + name, text)] == expected


@pytest.mark.parametrize("name", sorted(MANIFESTS))
@pytest.mark.parametrize("junk", ["", "{", "[" * 50_000, "\x00", "license", '{"license": 3}'])
def test_a_damaged_manifest_declares_nothing(name: bytes, junk: str) -> None:
    assert declarations(name, junk) == []


@pytest.mark.parametrize("name", [b"pyproject.toml", b"Cargo.toml"])
@pytest.mark.parametrize("junk", ["[project]\nlicense = 3", "[package]\nlicense = []", "project = 1\npackage = 2"])
def test_values_of_another_type_declare_nothing(name: bytes, junk: str) -> None:
    assert declarations(name, junk) == []


def test_dep5_and_reuse_speak_of_globs() -> None:
    dep5 = (
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n"
        "Files: *\nCopyright: 2020 Ann\nLicense: GPL-2+\n\n"
        "Files: lib/* doc/x.c\nCopyright: Bob\nLicense: Expat\n Text.\n"
    )
    assert [(d.text, d.scope) for d in declarations(b"debian/copyright", dep5)] == [
        ("GPL-2.0-or-later", ()),
        ("MIT", ("lib/*", "doc/x.c")),
    ]
    reuse = 'version = 1\n[[annotations]]\npath = ["img/**"]\nSPDX-License-Identifier = "CC0-1.0"\n'
    assert [(d.text, d.scope) for d in declarations(b"REUSE.toml", reuse)] == [("CC0-1.0", ("img/**",))]
