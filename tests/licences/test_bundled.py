"""A licence file's own licence, and those of the software that it also prints the licences of."""

from __future__ import annotations

from pathlib import Path

import licensedcode
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.frames import frame
from stages.licences import STATED, MemoResolver, licence_kind, notices_of_files, spread, stated
from stages.licences.bundled import APPENDED, BUNDLED, TEXT, parts
from stages.licences.combine import Statement, combined
from tests.licences.texts import licence_text

MIT, BSD, GPL, APACHE = (licence_text(key) for key in ("mit", "bsd-new", "gpl-2.0", "apache-2.0"))
DASHES = "\n\n" + "-" * 60 + "\n\n"
HOLDER = "Copyright (c) 2020 Somebody Else\n\n"


def kinds(text: str) -> list[str]:
    return [part.kind for part in parts(text)]


BOUNDARIES = [
    "This binary distribution of Mill also bundles the following software:",
    "This product includes third-party components under other licences:",
    "The wheels of this project include bundled versions of the libraries named below.",
    "This project includes code from the Grist project.",
    "## Third-party licenses",
    "THIRD PARTY SOFTWARE NOTICES\n----------------------------",
    "Licenses for bundled components:",
    "3rdparty dependency grist is statically linked in certain binary distributions.",
]


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_what_the_file_says_of_other_software_is_bundled(boundary: str) -> None:
    assert kinds(f"{MIT}\n\n{boundary}\n\n{HOLDER}{GPL}") == [TEXT, BUNDLED]


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_nothing_is_cut_off_before_the_file_has_licensed_its_own_work(boundary: str) -> None:
    assert kinds(f"Mill\n\n{boundary}\n\n{HOLDER}{GPL}")[0] == TEXT
    assert all(part.start == 0 or part.start > 400 for part in parts(f"Mill\n\n{boundary}\n\n{HOLDER}{GPL}"))


def test_the_acknowledgement_of_a_bsd_licence_is_no_boundary() -> None:
    thanks = "This product includes software developed by the University of Somewhere\nand its contributors."
    text = f"{BSD}\n\n{thanks}\n\n{MIT}"
    assert kinds(text) == [TEXT]


def test_below_a_line_of_dashes_stands_what_is_appended_unless_a_choice_is_offered() -> None:
    assert kinds(f"{APACHE}{DASHES}BSD 3-Clause License\n\n{HOLDER}{BSD}{DASHES}MIT\n\n{MIT}") == [
        TEXT,
        APPENDED,
        APPENDED,
    ]
    offered = "Dual licensed: take either of the licences below.\n\n"
    assert kinds(f"{offered}{MIT}{DASHES}{HOLDER}{GPL}") == [TEXT]


def test_stanzas_and_lists_name_their_files() -> None:
    text = (
        f"{BSD}\n\nThis distribution also bundles the following software:\n\n"
        f"Name: grist\nFiles: mill.libs/grist*.so\nDescription: a library\nLicense: GPL-2.0\n\n{GPL}\n\n"
        f"Name: chaff\nDescription: another\nLicense: MIT\n\n* src/chaff/chaff.c contains code of chaff\n"
        f"* and/or more\n\n{MIT}"
    )
    assert [(part.kind, part.globs) for part in parts(text)] == [
        (TEXT, ()), (BUNDLED, ()), (BUNDLED, ("mill.libs/grist*.so",)), (BUNDLED, ("src/chaff/chaff.c",)),
    ]  # fmt: skip


@pytest.mark.parametrize("path", ["/etc/passwd", "../../x/", "https://example.org/a/b.c"])
def test_paths_that_leave_the_folder_are_not_named(path: str) -> None:
    text = f"{MIT}\n\nBundled software:\n\nName: x\nFiles: {path}\nLicense: MIT\n\n* {path} has it\n"
    assert all(part.globs in ((), ("https",)) for part in parts(text))


PIECES = st.sampled_from(
    [
        *BOUNDARIES,
        MIT,
        BSD[:300],
        DASHES,
        HOLDER,
        "Name: x\nFiles: a/b.c\nLicense: MIT\n",
        "a/b/c.h: x\n",
        "dual",
        "\n\n",
        "-" * 30,
    ]
)


@given(st.lists(PIECES, max_size=12))
def test_parts_cover_the_text_in_order(pieces: list[str]) -> None:
    text = "\n\n".join(pieces)
    found = parts(text)
    assert [part.start for part in found[1:]] == [part.end for part in found[:-1]]
    assert found[0].start == 0
    assert found[-1].end == len(text)
    assert found[0].kind == TEXT
    assert all(part.start < part.end for part in found[1:])


def test_the_texts_of_licences_are_left_whole() -> None:
    texts = sorted((Path(licensedcode.__file__).parent / "data" / "licenses").glob("*.LICENSE"))
    cut = [path.stem for path in texts if len(parts(path.read_text("utf-8").split("\n---\n", 1)[-1])) > 1]
    # what is left prints the licences of other software itself (Node.js, ICU) or is somebody's terms of service
    assert len(cut) <= 0.003 * len(texts), cut


def test_a_hostile_file_costs_linear_time() -> None:
    for unit in (
        f"{MIT[:120]}\n\nThis product also bundles x:\n\n",
        "Name: x\nA: b\n",
        DASHES,
        "* a/b/c.d e\n",
        "the " * 30 + "\n\n",
    ):
        assert len(parts(unit * (200_000 // len(unit)))) <= 402


def text(expression: str, leading: str | None = None) -> Statement:
    return Statement("text", "LICENSE", expression, leading)


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        ("Apache-2.0", "Apache-2.0"),
        (None, "Apache-2.0 AND BSD-3-Clause AND MPL-2.0"),
        ("MIT", "Apache-2.0 AND BSD-3-Clause AND MPL-2.0"),
        ("Apache-2.0 AND MPL-2.0", "Apache-2.0 AND BSD-3-Clause AND MPL-2.0"),
    ],
)
def test_only_the_manifest_can_say_that_what_is_appended_is_anothers(manifest: str | None, expected: str) -> None:
    said = [text("Apache-2.0 AND BSD-3-Clause AND MPL-2.0", "Apache-2.0")]
    said += [Statement("manifest", "setup.py", manifest)] if manifest else []
    found = combined(tuple(said))
    assert found == expected


def test_a_readme_can_say_of_a_bare_gnu_text_that_later_versions_do_too() -> None:
    readme = Statement("readme", "README", "GPL-2.0-or-later")
    assert combined((text("GPL-2.0-only"), readme)) == "GPL-2.0-or-later"
    assert combined((text("GPL-3.0-only"), readme)) == "GPL-3.0-only"
    assert combined((text("MIT"), readme)) == "MIT"


def licences_of(files: dict[str, str], resolver: MemoResolver) -> dict[str, tuple[str | None, str]]:
    """path → (expression, class) of each of `files`, by the statements among them."""
    table = pl.DataFrame(
        {"origin": "o", "path": [path.encode() for path in files], "text": list(files.values())},
        schema={"origin": pl.String, "path": pl.Binary, "text": pl.String},
    ).with_row_index("sha1_git").with_columns(pl.col("sha1_git").cast(pl.String))  # fmt: skip
    kind = pl.from_arrow(licence_kind(table["path"].to_arrow().cast(pa.binary())))
    named = table.with_columns(kind=pl.Series(kind)).filter(pl.col("kind").is_not_null())
    notices = notices_of_files(
        named.select("sha1_git", "path", "kind", "text").to_arrow(compat_level=pl.CompatLevel.oldest())
    )
    said = named.select("sha1_git", "origin", "path", file_kind="kind").join(
        stated(frame(notices), frame(resolver(notices))), on=["sha1_git", "file_kind"]
    )
    empty = pl.DataFrame(schema={"origin": pl.String, "declared_licence": pl.String})
    found = spread(table.select("origin", "path"), said.select("origin", "path", *(name for name, _ in STATED)), empty)
    return {row["path"].decode(): (row["licence_expression"], row["licence_class"]) for row in found.to_dicts()}


def test_bundled_copyleft_binds_the_files_it_names_and_no_others(resolver: MemoResolver) -> None:
    licence = (
        f"{BSD}\n\nThis distribution of Mill also bundles the following software:\n\n"
        f"Name: grist\nFiles: vendor/grist/*\nLicense: GPL-2.0-only\n\n{GPL}"
    )
    found = licences_of({"LICENSE": licence, "mill/a.py": "x", "vendor/grist/b.c": "y"}, resolver)
    assert found["mill/a.py"] == ("BSD-3-Clause", "permissive")
    assert found["vendor/grist/b.c"] == ("BSD-3-Clause AND GPL-2.0-only", "non_permissive")


def test_terms_of_its_own_that_nobody_knows_are_not_passed_over_for_what_is_bundled(resolver: MemoResolver) -> None:
    terms = "You are hereby granted leave to grind with this mill on Tuesdays, redistribution and use in inns not. "
    found = licences_of({"LICENSE": f"{terms * 8}\n\nThird-party licenses\n\n{MIT}", "a.py": "x"}, resolver)
    assert found["a.py"][1] == "non_permissive"


def test_a_licence_file_pasted_into_a_manifest_is_read_like_one(resolver: MemoResolver) -> None:
    pasted = (
        f"{BSD}\n\nThis distribution of Mill also bundles the following software:\n\nName: grist\nLicense: GPL\n\n{GPL}"
    )
    folded = "\n        ".join(pasted.splitlines())
    metadata = f"Metadata-Version: 2.1\nName: mill\nLicense: {folded}\n\nMill grinds.\n"
    assert licences_of({"mill-1.0.dist-info/METADATA": metadata, "mill/a.py": "x"}, resolver)["mill/a.py"] == (
        "BSD-3-Clause",
        "permissive",
    )


def test_licences_of_third_parties_beside_a_wheels_own_are_for_reference(resolver: MemoResolver) -> None:
    files = {
        "mill-1.0.dist-info/licenses/LICENSE": MIT,
        "mill-1.0.dist-info/licenses/LICENSES.third-party": GPL,
        "mill-1.0.dist-info/licenses/third-party/grist/COPYING": GPL,
        "mill/a.py": "x",
    }
    assert licences_of(files, resolver)["mill/a.py"] == ("MIT", "permissive")


def test_the_licence_section_of_a_web_page_at_the_root(resolver: MemoResolver) -> None:
    nav = '<ul><li><a href="#license">License</a></li></ul><p>jQuery, which this page uses, is under the GPL.</p>'
    section = f'<h2><a name="license">License</a></h2>\n<p>\n{MIT}\n</p>\n<h2>History</h2><p>Once under the GPL.</p>'
    page = f"<html><body>{nav}<h2>Use</h2><p>text</p>{section}</body></html>"
    assert licences_of({"mill.html": page, "a.lua": "x"}, resolver)["a.lua"] == ("MIT", "permissive")
    assert licences_of({"mill.html": page.replace("<h2>", "<p>"), "a.lua": "x"}, resolver)["a.lua"][0] is None
