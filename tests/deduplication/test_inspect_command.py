"""`gristmill inspect duplicates`: clusters and pairs of one's own files, written whole or not at all."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from foundation.errors import StorageError
from pipeline.cli.main import run
from pipeline.inspect import inspect
from tests.deduplication.inputs import jaccard

BODY = " ".join(f"w{at}" for at in range(60))
NEAR = BODY.replace("w30", "changed")
FAR = BODY.replace("w10 ", "one ").replace("w25 ", "two ").replace("w40 ", "three ")
ROWS = {"a": BODY, "b": NEAR, "c": FAR, "d": BODY, "short": "x"}


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "files.parquet"
    contents = pa.array([text.encode() for text in ROWS.values()], pa.binary())
    pq.write_table(pa.table({"id": list(ROWS), "path": [f"{name}.py" for name in ROWS], "content": contents}), path)
    return path


def expected(threshold):
    distinct = [name for name in ROWS if name not in ("d", "short")]
    found = [(a, b, jaccard(ROWS[a], ROWS[b])) for a in distinct for b in distinct if a < b]
    return [row for row in found if row[2] >= threshold]


def pairs_in(path):
    return [tuple(row.values()) for row in pq.read_table(path).to_pylist()]


@pytest.mark.parametrize("threshold", [None, 0.5, 0.85])
def test_pairs_are_those_of_brute_force_at_the_threshold_asked_for(source, tmp_path, capsys, threshold):
    out, pairs = tmp_path / "out.parquet", tmp_path / "deep" / "pairs.parquet"
    options = [] if threshold is None else ["--threshold", str(threshold)]
    assert run(["inspect", "duplicates", str(source), str(out), "--pairs", str(pairs), *options, "--json"]) == 0
    stated = {"stage": "duplicates", "rows": 5, "out": str(out), "pairs": str(pairs)}
    assert json.loads(capsys.readouterr().out) == stated
    assert pairs_in(pairs) == expected(threshold or 0.7)
    assert pq.read_schema(pairs).names == ["a", "b", "jaccard"]
    removed = {row["id"] for row in pq.read_table(out).to_pylist() if row["representative"] != row["id"]}
    assert removed == {"d", *(b for a, b, _ in expected(threshold or 0.7) if a == "a")}


def test_the_rows_are_the_same_with_and_without_pairs(source, tmp_path, capsys):
    with_pairs, without = tmp_path / "one.parquet", tmp_path / "two.parquet"
    assert run(["inspect", "duplicates", str(source), str(with_pairs), "--pairs", str(tmp_path / "p.parquet")]) == 0
    assert run(["inspect", "duplicates", str(source), str(without)]) == 0
    assert with_pairs.read_bytes() == without.read_bytes()
    assert capsys.readouterr().out.splitlines()[1] == f"5 rows → {without}"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["languages", "IN", "OUT", "--pairs", "PAIRS"], "--pairs is not for the stage 'languages'"),
        (["quality", "IN", "OUT", "--threshold", "0.8"], "--threshold is not for the stage 'quality'"),
        (["duplicates", "IN", "OUT", "--threshold", "0"], "--threshold 0: "),
        (["duplicates", "IN", "OUT", "--threshold", "0.01"], "no banding of 256 permutations"),
        (["duplicates", "IN", "OUT", "--threshold", "1.5"], "--threshold 1.5: "),
        (["duplicates", "IN", "OUT", "--threshold", "nan"], "--threshold nan: "),
        (["duplicates", "IN", "OUT", "--pairs", "OUT"], "OUT and --pairs are one file"),
        (["duplicates", "IN", "OUT", "--pairs", "IN"], "IN and --pairs are one file"),
        (["languages", "IN", "IN"], "IN and OUT are one file"),
    ],
)
def test_what_cannot_be_is_a_usage_error_and_nothing_is_written(source, tmp_path, capsys, arguments, said):
    files = {"IN": source, "OUT": tmp_path / "out.parquet", "PAIRS": tmp_path / "pairs.parquet"}
    before = source.read_bytes()
    assert run(["inspect", *(str(files.get(word, word)) for word in arguments)]) == 2
    assert said in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == [source.name]
    assert source.read_bytes() == before


def test_neither_file_is_written_when_one_cannot_be(source, tmp_path):
    (tmp_path / "not_a_folder").write_text("")
    with pytest.raises(StorageError):
        inspect("duplicates", source, tmp_path / "out.parquet", pairs=tmp_path / "not_a_folder" / "pairs.parquet")
    assert sorted(path.name for path in tmp_path.iterdir()) == [source.name, "not_a_folder"]
