"""Explanations show how a duplicate differs from the kept file: redacted texts only, bounded, safe on a terminal."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from foundation.errors import IntegrityError
from foundation.schema import DECISIONS, OCCURRENCES, REPOSITORIES
from foundation.tables import write_groups, write_table
from manifests import explain
from manifests.differences import COMPARED_LINES, SHOWN_CHARACTERS, SHOWN_LINES, difference
from pipeline.cli import explain as explain_command
from tests.support import mill

KEPT, NEAR, COPY, REFUSED, LONE = (letter * 40 for letter in "abcde")
ORIGIN = "https://host.example/some/one"
BODY = [f"line {number}" for number in range(100)]
TEXTS = {
    KEPT: "\n".join(BODY),
    NEAR: "\n".join([*BODY[:50], "\x1b[2Jhost \u009b31m \u202e<EMAIL>\ttab\r", *BODY[51:]]),
    COPY: "\n".join(BODY),
    REFUSED: None,
    LONE: "\n".join(reversed(BODY)),
}
CONTENTS = pa.schema([("sha1_git", pa.string()), ("language", pa.string()), ("text", pa.large_string())])


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """A finished build, contents in two parts of one row group a text."""
    folder = tmp_path / "out" / "builds" / "demo"
    duplicates = {NEAR: ("near_duplicate", 0.93), COPY: ("exact_duplicate", 1.0), REFUSED: ("near_duplicate", 0.7)}
    decisions = [{"sha1_git": KEPT, "origin": ORIGIN, "path": b"kept.py", "verdict": "kept"}]
    decisions += [
        {"sha1_git": name, "origin": ORIGIN, "path": name.encode(), "verdict": "dropped", "stage": "deduplication"}
        | {"reason": reason, "kept": KEPT, "jaccard": jaccard}
        for name, (reason, jaccard) in duplicates.items()
    ]
    occurrences = [{"origin": ORIGIN, "path": row["path"], "sha1_git": row["sha1_git"]} for row in decisions]
    tables = {
        "repositories": ([{"origin": ORIGIN}], REPOSITORIES),
        "occurrences": (occurrences, OCCURRENCES),
        "decisions": (decisions, DECISIONS),
    }
    for name, (rows, schema) in tables.items():
        write_table(folder / f"{name}.parquet", pa.Table.from_pylist(rows, schema=schema), schema)
    for part, names in enumerate([[LONE, KEPT, COPY], [REFUSED, NEAR]]):
        groups = [pa.Table.from_pylist([{"sha1_git": one, "text": TEXTS[one]}], schema=CONTENTS) for one in names]
        write_groups(folder / f"contents-{part}.parquet", groups, CONTENTS)
    listing = {name: [f"{name}.parquet"] for name in tables}
    listing["contents"] = ["contents-0.parquet", "contents-1.parquet"]
    (folder / "tables.json").write_text(json.dumps(listing))
    return folder


def _run(*arguments: object) -> Result:
    app = typer.Typer()
    explain_command.register(app)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_near_duplicate_shows_the_lines_that_differ(build: Path) -> None:
    for identifier in (f"swh:1:cnt:{NEAR}", f"{ORIGIN}:{NEAR}"):
        found = explain(build, identifier)
        assert found.diff is not None
        assert found.diff.note is None
        changed = str(TEXTS[NEAR]).split("\n")[50]
        assert list(found.diff.lines) == [
            f"--- swh:1:cnt:{KEPT}",
            f"+++ swh:1:cnt:{NEAR}",
            "@@ -48,7 +48,7 @@",
            *(f" {line}" for line in BODY[47:50]),
            "-line 50",
            f"+{changed}",
            *(f" {line}" for line in BODY[51:54]),
        ]


def test_equal_texts_are_called_equal(build: Path) -> None:
    found = explain(build, f"swh:1:cnt:{COPY}")
    assert found.diff is not None
    assert found.diff.lines == ()
    assert "texts are equal" in "\n".join(found.lines())


def test_only_duplicates_have_a_diff_and_only_when_it_is_asked_for(build: Path) -> None:
    assert explain(build, f"swh:1:cnt:{KEPT}").diff is None
    assert explain(build, ORIGIN).diff is None
    assert explain(build, f"swh:1:cnt:{NEAR}", diff=False).diff is None


@pytest.mark.parametrize("gone", [[0], [1], [0, 1]])
def test_contents_that_are_gone_are_said_to_be_gone(build: Path, gone: list[int]) -> None:
    for part in gone:
        (build / f"contents-{part}.parquet").unlink()
    found = explain(build, f"swh:1:cnt:{NEAR}")
    assert found.duplicate_of is not None
    assert found.duplicate_of.jaccard == 0.93
    assert "diff: not shown: the build's contents are gone" in found.lines()


def test_a_part_that_is_gone_is_not_missed_when_others_hold_the_texts(build: Path) -> None:
    (build / "contents-1.parquet").unlink()
    found = explain(build, f"swh:1:cnt:{COPY}")
    assert found.diff is not None
    assert "equal" in str(found.diff.note)


def test_a_build_that_lists_no_contents_still_explains(build: Path) -> None:
    listing = json.loads((build / "tables.json").read_text())
    del listing["contents"]
    (build / "tables.json").write_text(json.dumps(listing))
    assert "diff: not shown: the build's contents are gone" in explain(build, f"swh:1:cnt:{NEAR}").lines()


def test_a_text_that_was_never_kept_is_named(build: Path) -> None:
    identifier = f"swh:1:cnt:{REFUSED}"
    assert f"diff: not shown: the build has no text of {identifier}" in explain(build, identifier).lines()


def test_only_the_row_groups_that_hold_the_texts_are_read(build: Path) -> None:
    """Damage in another row group's texts is not even noticed; in their own it is an error that names the file."""
    _damage_texts(build / "contents-0.parquet", group=0)
    assert explain(build, f"swh:1:cnt:{NEAR}").diff is not None
    _damage_texts(build / "contents-0.parquet", group=1)
    with pytest.raises(IntegrityError, match=r"contents-0\.parquet"):
        explain(build, f"swh:1:cnt:{NEAR}")


def _damage_texts(path: Path, *, group: int) -> None:
    chunk = pq.read_metadata(path).row_group(group).column(CONTENTS.get_field_index("text"))
    data = bytearray(path.read_bytes())
    start = chunk.dictionary_page_offset or chunk.data_page_offset
    for at in range(start + 40, start + chunk.total_compressed_size):
        data[at] ^= 0x55
    path.write_bytes(data)


def test_strangers_text_is_escaped_on_a_terminal_and_a_list_of_lines_in_json(build: Path) -> None:
    shown = _run(build, f"swh:1:cnt:{NEAR}")
    assert shown.exit_code == 0
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", shown.stdout)
    assert "  +\\x1b[2Jhost \\x9b31m \\u202e<EMAIL>\\ttab\\r" in shown.stdout
    document = json.loads(_run(build, f"swh:1:cnt:{NEAR}", "--json").stdout)
    assert "+" + str(TEXTS[NEAR]).split("\n")[50] in document["diff"]["lines"]
    without = _run(build, f"swh:1:cnt:{NEAR}", "--no-diff")
    assert "Jaccard 0.93" in without.stdout
    assert "line 50" not in without.stdout
    assert json.loads(_run(build, f"swh:1:cnt:{NEAR}", "--no-diff", "--json").stdout)["diff"] is None


line = st.sampled_from(["", "a", "b", "  x = 1", "@@ -1 +1 @@", "--- y", "+++ z", "é\r", "\u2028"])
edited = st.lists(st.tuples(st.integers(0, 60), st.sampled_from(["drop", "add", "change"]), line), max_size=4)


@settings(max_examples=200, deadline=None)
@given(st.lists(line, max_size=60), edited)
def test_the_diff_leads_from_one_text_to_the_other(old: list[str], edits: list[tuple[int, str, str]]) -> None:
    new = list(old)
    for at, kind, text in edits:
        here = min(at, len(new))
        new[here : here + (kind != "add")] = [] if kind == "drop" else [text]
    found = difference("\n".join(old), "\n".join(new), old_name="a", new_name="b")
    if "\n".join(old) == "\n".join(new):
        assert (found.lines, found.note is None) == ((), False)
    elif len(found.lines) < SHOWN_LINES:
        assert _applied("\n".join(old).split("\n"), found.lines[2:]) == "\n".join(new).split("\n")


def _applied(old: list[str], diff: tuple[str, ...]) -> list[str]:
    """`old` changed as the hunks say, every line number and every context line checked."""
    out: list[str] = []
    taken = 0
    for text in diff:
        if header := re.fullmatch(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", text):
            start, count = int(header[1]), header[2]
            begin = start if count == "0" else start - 1
            out += old[taken:begin]
            taken = begin
            assert len(out) == (int(header[3]) if header[4] == "0" else int(header[3]) - 1)
        elif text[0] == "+":
            out.append(text[1:])
        else:
            assert old[taken] == text[1:]
            taken += 1
            out += [text[1:]] * (text[0] == " ")
    return out + old[taken:]


def test_long_diffs_and_long_lines_are_cut_and_say_so() -> None:
    many = difference(
        "\n".join(map(str, range(500))), "\n".join(map(str, range(1000, 1500))), old_name="a", new_name="b"
    )
    assert len(many.lines) == SHOWN_LINES
    assert re.fullmatch(r"… \d+ more lines", many.lines[-1])
    wide = difference("x" * 5_000_000, "y" + "x" * 999, old_name="a", new_name="b")
    assert max(map(len, wide.lines)) < SHOWN_CHARACTERS + 40
    assert wide.lines[-2].endswith(f"x… {5_000_001 - SHOWN_CHARACTERS} more characters")


def test_work_is_bounded_and_a_comparison_in_part_says_so() -> None:
    old = [f"{at % 60}" for at in range(200_000)]
    found = difference("\n".join(["same", *old]), "\n".join(["same", *old[::-1]]), old_name="a", new_name="b")
    assert f"first {COMPARED_LINES} lines" in str(found.note)
    far = difference("\n".join(old), "\n".join([*old[:150_000], "new", *old[150_000:]]), old_name="a", new_name="b")
    assert (far.note, far.lines[2], far.lines[6]) == (None, "@@ -149998,6 +149998,7 @@", "+new")


def test_a_real_build_shows_redacted_text_alone(tmp_path: Path) -> None:
    values = (*mill.SECRETS, "karl.brandt@solarwerk-nord.de")
    code = mill.program(5, header="# SPDX-License-Identifier: MIT\n")
    first, second = (f'{code}\n\nTOKEN = "{values[0]}"\nCONTACT = "{contact}"\n' for contact in values[1:])
    files = {"a.py": first, "b.py": second, "c.py": f"{second}LAST = 1\n"}
    trees = {"one": {path: text.encode() for path, text in files.items()}}
    made = mill.build_in(tmp_path / "out", mill.make(tmp_path / "archive", trees))
    near = explain(made.out, "https://example.org/team/one:c.py")
    assert (near.verdict.reason, near.duplicate_of and near.duplicate_of.path) == ("near_duplicate", "a.py")
    assert "  +LAST = 1" in near.lines()
    assert "CONTACT" in "\n".join(near.lines())
    assert not any(value in "\n".join(near.lines()) for value in values)
    equal = explain(made.out, "https://example.org/team/one:b.py")
    assert equal.verdict.reason == "exact_duplicate"
    assert "redacted texts are equal" in "\n".join(equal.lines())
