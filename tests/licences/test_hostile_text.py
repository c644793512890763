"""Texts made to waste time cost little: every reader is bounded, whatever a stranger writes."""

from __future__ import annotations

import time

import pyarrow as pa
import pytest

from stages.licences import notices_of_files, notices_of_headers
from stages.licences.declared import declarations
from stages.licences.normal import normal_form, without_markup

BUDGET = 8.0  # CPU seconds; each takes well under one on an idle machine
MANIFESTS = (
    b"pom.xml", b"a.gemspec", b"setup.py", b"a.podspec", b"a.opam", b"DESCRIPTION", b"PKG-INFO", b"setup.cfg",
    b"a.cabal", b"META.yml", b"Makefile.PL", b"a.nuspec", b"a.rockspec", b"debian/copyright",
    b"package.json", b"pyproject.toml",
)  # fmt: skip
JUNK = (
    "<license>" * 60_000, "license = " * 60_000, "license: " * 60_000, "License:\n x" * 60_000,
    ".license = { " * 60_000, "LICENSE => " * 60_000, "\n" * 300_000,
    "license:\t" * 60_000, "Format: x\n" + "Files:\n a\n\n" * 30_000,
    " " * 300_000,
)  # fmt: skip


@pytest.mark.parametrize("name", MANIFESTS)
def test_manifests(name: bytes) -> None:
    start = time.process_time()
    for junk in JUNK:
        declarations(name, junk)
    assert time.process_time() - start < BUDGET


@pytest.mark.parametrize(
    "text",
    [" " * 300_000 + "x", "copyright " * 30_000, "copyright " + "2020, " * 30_000, "(c) " * 50_000, "rem " * 40_000,
     "<div>" + "<a " * 60_000, "<p>" + "<style " * 40_000, "<div>" + "<!-- " * 60_000],
)  # fmt: skip
def test_licence_texts(text: str) -> None:
    start = time.process_time()
    normal_form(without_markup(text))
    assert time.process_time() - start < BUDGET


@pytest.mark.parametrize(
    "text",
    ["license\n" + "{# \n" * 5_000, "// license " + "x " * 1_000_000, "// SPDX-License-Identifier: " * 600,
     "\n=head1 LICENSE\nMIT License\n" * 20_000, "license\n" + ("'" * 200 + "\n") * 80, "/*" * 8_000 + " MIT license"],
)  # fmt: skip
def test_source_files(text: str) -> None:
    table = pa.table(
        {"sha1_git": ["0"], "path": pa.array([b"a.pm"]), "text": [text], "language": pa.array([None], pa.string())}
    )
    start = time.process_time()
    notices_of_headers(table)
    assert time.process_time() - start < BUDGET


@pytest.mark.parametrize(
    "text", ["# " * 100_000 + "\n" + "license: " * 50_000, "   # license " + " " * 100_000 + "x", "=\n" * 50_000]
)
def test_readmes(text: str) -> None:
    table = pa.table({"sha1_git": ["0"], "path": pa.array([b"README.md"]), "kind": ["readme"], "text": [text]})
    start = time.process_time()
    notices_of_files(table)
    assert time.process_time() - start < BUDGET
