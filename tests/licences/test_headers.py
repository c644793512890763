"""What counts as a file's own licence statement, and what does not."""

from __future__ import annotations

import pyarrow as pa
import pytest

from stages.licences import NOTICES, notices_of_headers
from stages.licences.headers import passages


def read(text: str, *, path: bytes = b"src/a.c", language: str | None = None) -> list[tuple[str, str]]:
    table = pa.table(
        {
            "sha1_git": ["0" * 40],
            "path": pa.array([path], pa.binary()),
            "text": [text],
            "language": pa.array([language], pa.string()),
        }
    )
    found = notices_of_headers(table)
    assert found.schema == NOTICES
    return [(row["kind"], row["text"]) for row in found.to_pylist()]


@pytest.mark.parametrize(
    "line",
    [
        "// SPDX-License-Identifier: MIT OR Apache-2.0",
        "/* SPDX-License-Identifier: (Apache-2.0 OR MIT) */",
        "<!-- SPDX-License-Identifier: MIT OR Apache-2.0 -->",
        "# SPDX-License-Identifier: mit or apache-2.0",
        "{# SPDX-License-Identifier: MIT OR Apache-2.0 #}",
        '" SPDX-License-Identifier: MIT OR Apache-2.0',
        ".. SPDX-License-Identifier: MIT OR Apache-2.0",
        "/* © 2020 Foo. SPDX-License-Identifier: MIT OR Apache-2.0 */ int x;",
    ],
)
def test_tags_are_taken_exactly(line: str) -> None:
    assert read(line + "\nint main;\n") == [("spdx_tag", "Apache-2.0 OR MIT")]


def test_several_tags_are_several_notices() -> None:
    text = "// SPDX-License-Identifier: MIT\n// SPDX-License-Identifier: BSD-2-Clause\n"
    assert [text for _, text in read(text)] == ["MIT", "BSD-2-Clause"]


def test_a_tag_in_a_string_of_a_program_is_no_tag() -> None:
    assert read('TAG = re.compile("SPDX-License-Identifier: (.*)")\n', path=b"scan.py") == []


def test_lines_are_those_of_the_file() -> None:
    text = "#!/bin/sh\n\n# tool: does things\n#\n# Copyright 2020 Ann\n#\n# Licensed under the MIT License.\nls\n"
    (found,) = passages(text, prose=False)
    assert (found.kind, found.start, found.end) == ("header", 7, 7)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("# Copyright 2020 Ann. All rights reserved.\nx = 1\n", b"a.py"),
        ("# Installation\n\nMIT licensed software\n", b"docs/guide.md"),
        ('{"license": "GPL-3.0"}', b"data.json"),
        ("def f():\n    return 'license'\n", b"a.py"),
    ],
)
def test_what_is_no_notice(text: str, path: bytes) -> None:
    assert read(text, path=path, language="JSON" if path.endswith(b"json") else None) == []


def test_a_note_on_borrowed_code_is_a_mention() -> None:
    text = "'use strict';\n/**\n * The following functions come from pako, released under the MIT license.\n */\nf();\n"
    assert [kind for kind, _ in read(text, path=b"a.js")] == ["mention"]


def test_a_comment_below_code_is_a_mention() -> None:
    text = "a();\n" * 12 + "// Licensed under the MIT license.\nb();\n"
    assert [kind for kind, _ in read(text, path=b"a.js")] == ["mention"]


def test_perl_documents_speak_at_their_end() -> None:
    text = "package A;\n" + "my $x;\n" * 300 + "\n=head1 AUTHOR\n\nAnn\n\nLicensed under the GNU GPL.\n\n=cut\n"
    assert [kind for kind, _ in read(text, path=b"A.pm", language="Perl")] == ["header"]


def test_a_python_module_may_declare_its_licence() -> None:
    assert read('"""A module."""\n__license__ = "Apache 2.0"\n', path=b"a.py") == [("declared", "Apache-2.0")]


def test_licence_files_have_no_header_of_their_own() -> None:
    assert read("// Licensed under the MIT license\n", path=b"LICENSE.BSD") == []


def test_a_bundle_on_one_line_gives_its_comment_only() -> None:
    text = "/*! Licensed under the MIT license */" + "x=1;" * 10_000
    ((kind, words),) = read(text, path=b"a.min.js")
    assert (kind, words) == ("header", "Licensed under the MIT license")


def test_null_texts_say_nothing() -> None:
    table = pa.table(
        {"sha1_git": ["0" * 40], "path": pa.array([b"a"], pa.binary()), "text": pa.array([None], pa.large_string()),
         "language": pa.array([None], pa.string())}
    )  # fmt: skip
    assert notices_of_headers(table).num_rows == 0
