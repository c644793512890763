"""Queries: the same rows as a plain filter, in one order, with honest counts."""

from __future__ import annotations

import csv
import fnmatch
import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from foundation import spdx
from foundation.errors import AnswerIsNo, IntegrityError, UsageError
from manifests import ask, flat_rows, json_rows, open_release, query, write_answer

LANGUAGES = ["python", "C#", "f*", "C++", "COMMON LISP", "none", "../../ETC"]
LICENCES = ["MIT", "permissive", "no_license", "Apache-2.0 OR MIT", "GPL-2.0-only", "BSD-3-Clause AND Apache-2.0"]
GLOBS = ["*", "numpy/*", "*LINUX*", "?umpy/numpy", "a+b/[c].d", "evil/*", "[a-z]*", ".*", "group/*", "nothing", "*]*"]


def _glob(name: str, glob: str) -> bool:
    return fnmatch.fnmatchcase(name.lower(), glob.lower().replace("[", "[[]"))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    languages=st.none() | st.lists(st.sampled_from(LANGUAGES), max_size=3),
    licences=st.none() | st.lists(st.sampled_from(LICENCES), max_size=2),
    globs=st.none() | st.lists(st.sampled_from(GLOBS), max_size=2),
    limit=st.none() | st.integers(0, 30),
)
def test_a_query_is_a_filter(published: Path, rows: pl.DataFrame, languages, licences, globs, limit) -> None:
    def wanted(row: dict[str, object]) -> bool:
        language = str(row["language"] or "none").lower()
        asked = [spdx.query(text) for text in licences or ()]
        return (
            (languages is None or language in {name.lower() for name in languages})
            and (licences is None or any(q.matches(row["licence_expression"], row["license_type"]) for q in asked))
            and (globs is None or any(_glob(str(row["repo_name"]), glob) for glob in globs))
        )

    expected = [row for row in rows.to_dicts() if wanted(row)]
    found = query(published, language=languages, licence=licences, repository=globs, columns=["swhid"], limit=limit)
    cut = len(expected) if limit is None else limit
    assert found.rows["swhid"].to_list() == [row["swhid"] for row in expected][:cut]
    assert found.matched == len(expected)
    assert found.truncated == (len(expected) > cut)
    assert len(expected) <= found.scanned <= rows.height
    scanned = open_release(published).scan(languages=languages, licences=licences, repositories=globs)
    assert scanned.select("swhid").collect()["swhid"].to_list() == [row["swhid"] for row in expected]


def test_only_shards_that_can_answer_are_scanned(published: Path, rows: pl.DataFrame) -> None:
    found = query(published, language="Python", licence="GPL-2.0-only")
    held = rows.filter((pl.col("language") == "Python") & (pl.col("license_type") == "non_permissive"))
    assert found.scanned == held.height < found.coverage.of_rows
    assert found.coverage.shards < found.coverage.of_shards


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ({"language": "Pyton"}, "'Python'"),
        ({"language": "Rust"}, "known: "),
        ({"licence": "MITT"}, "MIT"),
        ({"columns": ["pathh"]}, "'path'"),
        ({"columns": []}, "choose from"),
        ({"repository": ""}, "for example"),
        ({"repository": "x" * 2000}, "for example"),
        ({"limit": -1}, "leave it out"),
    ],
)
def test_unknown_names_come_with_the_nearest(published: Path, asked: dict[str, object], hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        query(published, **asked)
    assert hint in caught.value.hint


@given(st.text(alphabet="ab*?[]().+\\^$|{}/ \n-", min_size=1, max_size=8))
@settings(max_examples=150, deadline=None)
def test_globs_are_never_regular_expressions(glob: str) -> None:
    from manifests.names import glob_matches

    names = ["ab", "a.b", "a/b", "A B", "(a)", "a\nb", "[a]", "a\\b", "^a$", "a+", "{a}|", glob]
    found = pl.DataFrame({"repo_name": [*names, None]}).select(glob_matches("repo_name", glob)).to_series().to_list()
    assert found == [*(_glob(name, glob) for name in names), False]


def test_rows_for_json_and_csv(published: Path, rows: pl.DataFrame) -> None:
    columns = ["path_raw", "visit_date", "avg_line_length", "redactions", "detected_licenses"]
    plain = json_rows(query(published, columns=columns).rows)
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    for row, source in zip(plain, rows.to_dicts(), strict=True):
        assert row["path_raw"] == ("/wA=" if source["path_raw"] else None)
        assert row["visit_date"] == source["visit_date"].strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        assert row["redactions"] == source["redactions"]
    flat = flat_rows(query(published, columns=columns).rows)
    assert json.loads(flat[0]["redactions"]) == plain[0]["redactions"]


def test_answers_written_to_files_hold_the_same_rows(published: Path, rows: pl.DataFrame, tmp_path: Path) -> None:
    columns = ["path", "content", "path_raw", "language", "redactions"]
    question = ask(published, licence="permissive", columns=columns)
    expected = rows.filter(pl.col("license_type") == "permissive").select(columns)
    for kind in ("parquet", "json", "csv"):
        assert write_answer(question, tmp_path / f"a.{kind}", format=kind) == expected.height
        first = (tmp_path / f"a.{kind}").read_bytes()
        write_answer(question, tmp_path / f"a.{kind}", format=kind)
        assert (tmp_path / f"a.{kind}").read_bytes() == first
    assert_frame_equal(pl.read_parquet(tmp_path / "a.parquet"), expected)
    assert json.loads((tmp_path / "a.json").read_bytes()) == json_rows(expected)
    with (tmp_path / "a.csv").open(newline="") as stream:
        assert [row["content"] for row in csv.DictReader(stream)] == expected["content"].to_list()


def test_a_failed_answer_leaves_the_old_file(copied: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.json"
    out.write_text("old")
    question = ask(copied)
    last = copied / question.selection.shards[-1].path
    last.write_bytes(last.read_bytes()[:-1] + b"\0")
    with pytest.raises(IntegrityError):
        write_answer(question, out, format="json")
    assert out.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir() if item.name.startswith(".tmp")] == []
    with pytest.raises(UsageError, match="inside the release"):
        write_answer(question, copied / "answer.json", format="json")


def test_a_row_by_its_name(published: Path, rows: pl.DataFrame) -> None:
    release = open_release(published)
    for row in rows.sample(5, seed=1).to_dicts():
        assert release.row(row["swhid"])["content"] == row["content"]
        assert release.row(f"swh:1:cnt:{row['content_id']}")["swhid"] == row["swhid"]
        with pytest.raises(AnswerIsNo):
            release.row(row["swhid"] + "x")
    with pytest.raises(AnswerIsNo):
        release.row(f"swh:1:cnt:{'0' * 40}")
    with pytest.raises(UsageError):
        release.row(f"swh:1:rev:{'0' * 40}")
