"""Scope and strength: which statement holds for which path, and what a file's own words change."""

from __future__ import annotations

import json
import random

import polars as pl
import pytest

from stages.licences import LICENCE, STATED, Settings, licence_kind, spread, with_headers
from stages.licences.combine import Statement, combined
from stages.licences.places import glob_pattern

URL = "https://example.org/a"
NO_METADATA = pl.DataFrame(schema={"origin": pl.String, "declared_licence": pl.String})
SCHEMA = {"origin": pl.String, "path": pl.Binary, "scope": pl.List(pl.String)} | {
    "file_kind": pl.String, "kind": pl.String, "start_line": pl.Int32, "end_line": pl.Int32, "notice": pl.String,
    "length": pl.Int64, "expression": pl.String, "status": pl.String, "score": pl.Float64, "rule": pl.String,
    "tool": pl.String, "reviewed": pl.String,
}  # fmt: skip


def statement(
    path: str, expression: str | None, *, scope: list[str] | None = None, status: str = "detected", **more: object
):
    kind = licence_kind(pl.Series([path.encode()], dtype=pl.Binary).to_arrow())[0].as_py()
    row = {
        "origin": URL, "path": path.encode(), "file_kind": kind, "kind": "text", "scope": scope, "start_line": 1,
        "end_line": 9, "notice": f"{path}{expression}", "length": 1000, "expression": expression, "status": status,
        "score": 100.0, "rule": "r", "tool": "t",
    }  # fmt: skip
    return row | more


def spread_over(paths: list[str | bytes], statements: list[dict], **more: object) -> pl.DataFrame:
    raw = [path if isinstance(path, bytes) else path.encode() for path in paths]
    occurrences = pl.DataFrame(
        {"origin": [URL] * len(raw), "path": raw}, schema={"origin": pl.String, "path": pl.Binary}
    )
    return spread(occurrences, pl.DataFrame(statements, schema=SCHEMA), NO_METADATA, **more)


def answer(path: str | bytes, *statements: dict, others: tuple[str, ...] = ("zz",)) -> tuple[str | None, str | None]:
    found = spread_over([path, *others], list(statements))
    return found["licence_expression"][0], found["licence_source"][0]


def test_the_nearest_directory_wins_and_vendored_code_keeps_its_own() -> None:
    said = [statement("LICENSE", "MIT"), statement("vendor/x/COPYING", "GPL-2.0-only")]
    assert answer("src/a.c", *said) == ("MIT", "repository")
    assert answer("vendor/x/deep/er/a.c", *said) == ("GPL-2.0-only", "directory")
    assert answer("vendor/xy/a.c", *said) == ("MIT", "repository")


def test_the_stack_v2_rule_that_licences_add_up_downwards_is_not_repeated() -> None:
    """There every id found above a file is unioned, so an MIT folder below a GPL root is neither."""
    said = [statement("LICENSE", "GPL-3.0-only"), statement("lib/LICENSE", "MIT")]
    assert answer("lib/a.js", *said) == ("MIT", "directory")


def test_a_forges_badge_overrides_nothing() -> None:
    """The Stack v2: get_license_type("MIT", ["GPL-3.0-only"]) is "permissive"."""
    badge = pl.DataFrame({"origin": [URL], "declared_licence": ["MIT"]})
    occurrences = pl.DataFrame({"origin": [URL], "path": [b"a.c"]})
    said = pl.DataFrame([statement("COPYING", "GPL-3.0-only")], schema=SCHEMA)
    for settings in (Settings(), Settings(use_declared=True)):
        assert spread(occurrences, said, badge, settings=settings)["licence_class"][0] == "non_permissive"
    assert spread(occurrences, said.clear(), badge)["licence_class"][0] == "no_license"
    declared = spread(occurrences, said.clear(), badge, settings=Settings(use_declared=True))
    assert declared.select("licence_expression", "licence_source").row(0) == ("MIT", "metadata")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ([("LICENSE-MIT", "MIT"), ("LICENSE-APACHE", "Apache-2.0")], "Apache-2.0 OR MIT"),
        ([("LICENSE-MIT", "MIT"), ("LICENSE-GPL", "GPL-2.0-only")], "GPL-2.0-only AND MIT"),
        (
            [("LICENSE.MIT", "MIT"), ("LICENSE.GPL", "GPL-2.0-only"), ("LICENSE", "GPL-2.0-only OR MIT")],
            "GPL-2.0-only OR MIT",
        ),
        ([("COPYING", "GPL-3.0-only"), ("COPYING.LESSER", "LGPL-3.0-only")], "LGPL-3.0-only"),
        ([("LICENSE", "MIT"), ("LICENSE.txt", "BSD-3-Clause")], "BSD-3-Clause AND MIT"),
        ([("LICENSE", "MIT AND Zlib"), ("Cargo.toml", "MIT OR Zlib")], "MIT OR Zlib"),
        ([("COPYING", "GPL-2.0-only"), ("DESCRIPTION", "GPL-2.0-or-later")], "GPL-2.0-or-later"),
        ([("COPYING", "GPL-3.0-only"), ("package.json", "MIT")], "GPL-3.0-only"),
        ([("LICENSE", "MIT"), ("package.json", "GPL-3.0-only")], "GPL-3.0-only AND MIT"),
        ([("COPYING", "LGPL-2.1-only"), ("setup.cfg", "LGPL-2.0-or-later")], "LGPL-2.1-only"),
        ([("LICENSE", "GPL-2.0-only AND MIT"), ("README.md", "GPL-2.0-only OR MIT")], "GPL-2.0-only OR MIT"),
        ([("LICENSE", "MIT"), ("README.md", "GPL-2.0-only")], "MIT"),
        ([("LICENSE.md", "(GPL-3.0-only OR MIT) AND GPL-3.0-only AND MIT")], "GPL-3.0-only OR MIT"),
        ([("COPYING", "GPL-2.0-only AND GPL-2.0-or-later")], "GPL-2.0-or-later"),
    ],
)
def test_several_statements_of_one_directory(files: list[tuple[str, str]], expected: str) -> None:
    shuffled = random.Random(len(expected)).sample(files, len(files))
    for order in (files, shuffled):
        assert answer("src/a.c", *(statement(*file) for file in order))[0] == expected


def test_texts_with_unknown_terms_are_not_passed_over() -> None:
    strange = statement("lib/LICENSE", None, status="none")
    assert answer("lib/a.c", statement("LICENSE", "MIT"), strange) == ("LicenseRef-scancode-unknown", "directory")
    pointer = statement("docs/license.rst", None, status="none", length=20)
    assert answer("docs/a.py", statement("LICENSE", "MIT"), pointer) == ("MIT", "repository")


def test_a_text_that_ran_out_of_time_licenses_nothing() -> None:
    late = statement("LICENSE", "MIT", status="timed_out")
    found = spread_over(["a.c"], [late])
    assert found["licence_class"][0] == "non_permissive"
    assert json.loads(found["licence_evidence"][0])["status"] == "timed_out"


def test_a_readme_speaks_last_and_only_at_the_root() -> None:
    said = statement("README.md", "MIT")
    assert answer("src/a.c", said) == ("MIT", "readme")
    assert answer("src/a.c", said, statement("COPYING", "GPL-2.0-only"))[0] == "GPL-2.0-only"
    assert answer("sub/a.c", statement("sub/README.md", "MIT")) == (None, None)
    assert answer("pkg-1.0/src/a.c", statement("pkg-1.0/README.md", "MIT"), others=()) == ("MIT", "readme")


def test_a_shelf_of_texts_states_something_only_where_nothing_else_does() -> None:
    shelf = [statement("LICENSES/LGPL-2.1-or-later.txt", "LGPL-2.1-only"), statement("LICENSES/MIT.txt", "MIT")]
    assert answer("src/a.c", *shelf) == ("LGPL-2.1-or-later AND MIT", "directory")
    assert answer("src/a.c", *shelf, statement("package.json", "ISC"))[0] == "ISC"


def test_sidecars_and_globs_speak_of_their_files() -> None:
    root = statement("LICENSE", "MIT")
    assert answer("img/a.svg", root, statement("img/a.svg.license", "CC0-1.0")) == ("CC0-1.0", "dot_license")
    dep5 = statement("debian/copyright", "BSD-2-Clause", scope=["is_utf8/*", "*.pl"])
    assert answer("is_utf8/deep/a.c", root, dep5)[0] == "BSD-2-Clause"
    assert answer("src/a.c", root, dep5)[0] == "MIT"
    reuse = statement("REUSE.toml", "CC0-1.0", scope=["img/*.png"])
    assert answer("img/a.png", root, reuse)[0] == "CC0-1.0"
    assert answer("img/old/a.png", root, reuse)[0] == "MIT"


def test_a_hostile_glob_is_only_text() -> None:
    assert answer("a.c", statement("debian/copyright", "MIT", scope=["(((", "[z-a]", "a{9999}", "\\"])) == (None, None)
    assert glob_pattern("a+b?*", crosses=True) == "(?s)^a\\+b..*$"


def test_wheels_keep_their_papers_in_a_folder_beside_the_code() -> None:
    papers = statement("six-1.0.dist-info/licenses/LICENSE", "MIT")
    assert answer("six/core.py", papers, others=("six-1.0.dist-info/RECORD",)) == ("MIT", "repository")


def test_names_that_are_not_utf8_take_part() -> None:
    assert answer(b"lib\xff/a.c", statement("LICENSE", "MIT")) == ("MIT", "repository")


def test_order_of_rows_changes_nothing() -> None:
    paths = ["a.c", "lib/b.c", "lib/x/c.c", "img/d.png", "vendor/v/e.js", "LICENSE"]
    said = [
        statement("LICENSE", "MIT"), statement("lib/LICENSE", "GPL-2.0-only"),
        statement("lib/package.json", "GPL-2.0-or-later"),
        statement("vendor/v/LICENSE-MIT", "MIT"), statement("vendor/v/LICENSE-APACHE", "Apache-2.0"),
        statement("REUSE.toml", "CC0-1.0", scope=["img/**"]), statement("README.md", "BSD-3-Clause"),
    ]  # fmt: skip
    first = spread_over(paths, said).sort("path")
    dice = random.Random(1)
    for _ in range(5):
        again = spread_over(dice.sample(paths, len(paths)), dice.sample(said, len(said)))
        assert again.sort("path").equals(first)


def test_combining_nothing_is_nothing() -> None:
    assert combined(()) is None
    assert combined((Statement("readme", "README", "MIT"),)) is None


def header(content: str, expression: str | None, *, kind: str = "header", status: str = "detected", line: int = 1):
    notice = f"{content}{expression}{kind}{line}"
    told = {"sha1_git": content, "file_kind": "header", "notice": notice, "kind": kind, "scope": None,
            "start_line": line, "end_line": line, "text": "x"}  # fmt: skip
    found = {"notice": notice, "expression": expression, "status": status, "score": 99.0, "rule": "r", "tool": "t",
             "matched_start": 1, "matched_end": 1}  # fmt: skip
    return told, found


def decided(path_expression: str | None, *headers) -> tuple[str | None, str | None, str | None]:
    rows = pl.DataFrame(
        {"sha1_git": ["f" * 40], "licence_expression": [path_expression], "licence_class": ["c"],
         "licence_source": ["directory"], "licence_evidence": ["{}"]},
        schema=dict.fromkeys(["sha1_git", *LICENCE], pl.String),
    )  # fmt: skip
    notices = pl.DataFrame([told for told, _ in headers], schema_overrides={"scope": pl.List(pl.String)})
    found = with_headers(rows, notices, pl.DataFrame([found for _, found in headers]))
    assert found.columns == rows.columns
    return found.select("licence_expression", "licence_class", "licence_source").row(0)


FILE = "f" * 40


def test_a_file_speaks_for_itself() -> None:
    assert decided("MIT", header(FILE, "GPL-2.0-only")) == ("GPL-2.0-only", "non_permissive", "header")
    assert decided("GPL-2.0-only", header(FILE, "MIT")) == ("MIT", "permissive", "header")
    two = (header(FILE, "MIT"), header(FILE, "BSD-2-Clause", line=3))
    assert decided(None, *two) == ("BSD-2-Clause AND MIT", "permissive", "header")


@pytest.mark.parametrize("status", ["none", "unknown_reference"])
def test_what_was_not_understood_changes_nothing(status: str) -> None:
    assert decided("MIT", header(FILE, None, status=status)) == ("MIT", "c", "directory")


def test_a_pointer_beside_a_name_means_the_paths_licence() -> None:
    pointer = "BSD-3-Clause AND LicenseRef-scancode-unknown-license-reference"
    assert decided("MIT", header(FILE, pointer))[0] == "BSD-3-Clause AND MIT"
    assert decided(None, header(FILE, pointer))[1] == "non_permissive"


def test_a_mention_can_bind_but_never_free() -> None:
    assert decided("GPL-2.0-only", header(FILE, "MIT", kind="mention"))[:2] == (
        "GPL-2.0-only AND MIT",
        "non_permissive",
    )
    assert decided("MIT", header(FILE, "GPL-2.0-only", kind="mention"))[1] == "non_permissive"
    assert decided(None, header(FILE, "MIT", kind="mention")) == (None, "c", "directory")
    assert decided("GPL-2.0-or-later", header(FILE, "GPL-1.0-or-later", kind="mention"))[0] == "GPL-2.0-or-later"


def test_a_tag_that_nobody_knows_does_not_inherit_a_free_licence() -> None:
    unknown = header(FILE, "LicenseRef-scancode-unknown-spdx", kind="spdx_tag", status="invalid_expression")
    assert decided("MIT", unknown)[1] == "non_permissive"


def test_a_header_that_ran_out_of_time_is_visible() -> None:
    expression, licence_class, _ = decided("MIT", header(FILE, "MIT", status="timed_out"))
    assert (expression, licence_class) == ("LicenseRef-gristmill-not-read", "non_permissive")


def test_stated_fields_are_those_of_the_schema() -> None:
    assert {name for name, _ in STATED} <= set(SCHEMA)


def test_a_web_page_at_the_root_speaks_after_any_readme() -> None:
    page, readme = statement("mill.html", "MIT", kind="mention"), statement("readme.md", "ISC", kind="mention")
    assert answer("src/a.c", page) == ("MIT", "readme")
    assert answer("src/a.c", page, readme) == ("ISC", "readme")
    assert answer("src/a.c", page, statement("COPYING", "GPL-2.0-only")) == ("GPL-2.0-only", "repository")
    assert statement("doc/mill.html", "MIT")["file_kind"] is None
