"""Signatures equal datasketch's bit for bit, and shingle sets equal plain Python sets."""

import itertools

import numpy as np
import pyarrow as pa
import pytest
from datasketch import MinHash
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.errors import UsageError
from stages.deduplication import Settings, shingle_hash32, shingle_hash64, sign
from stages.deduplication.signing import shingle_numbers
from tests.deduplication.inputs import code, shingles

DEFAULT = Settings()


def oracle(text, chosen):
    sketch = MinHash(chosen.permutations, seed=chosen.seed, hashfunc=shingle_hash32)
    found = shingles(text)
    sketch.update_batch(sorted(found))
    return (sketch.hashvalues.astype("<u4").tobytes() if found else None), len(found)


@settings(max_examples=80, deadline=None)
@given(st.lists(code, max_size=4))
def test_signatures_equal_datasketch(texts):
    table = sign(pa.array(texts, pa.large_string()), DEFAULT)
    assert [tuple(row.values()) for row in table.to_pylist()] == [oracle(text, DEFAULT) for text in texts]


@pytest.mark.parametrize(("permutations", "seed"), [(64, 7), (128, 1), (512, 42)])
def test_other_seeds_and_lengths_equal_datasketch_too(permutations, seed):
    chosen = Settings(permutations=permutations, seed=seed, recall=0.9)
    text = " ".join(f"w{at % 37}" for at in range(500))
    assert tuple(sign(pa.array([text], pa.large_string()), chosen).to_pylist()[0].values()) == oracle(text, chosen)


def test_a_signature_can_be_loaded_into_datasketch_and_estimates_jaccard():
    left = " ".join(f"w{at}" for at in range(1000))
    right = left.replace("w500 ", "other ").replace("w100 ", "x ")
    rows = sign(pa.array([left, right], pa.large_string()), DEFAULT)["signature"].to_pylist()
    a, b = (
        MinHash(seed=1, hashfunc=shingle_hash32, scheme="affine32", hashvalues=np.frombuffer(row, "<u4"))
        for row in rows
    )
    true = len(shingles(left) & shingles(right)) / len(shingles(left) | shingles(right))
    assert a.jaccard(b) == pytest.approx(true, abs=0.05)


def test_slices_and_nulls_keep_their_rows():
    texts = pa.array(
        ["zero one two three four", None, "a b c d", "five six seven eight nine ten", ""], pa.large_string()
    )
    table = sign(texts.slice(1, 3), DEFAULT)
    assert [row["shingles"] for row in table.to_pylist()] == [0, 0, 2]
    assert table["signature"][2].as_py() == oracle(texts[3].as_py(), DEFAULT)[0]


def test_a_large_single_line_with_millions_of_repeated_shingles_is_signed_as_its_set():
    text = "a1 b2 c3 d4 e5 " * 200_000
    row = sign(pa.array([text], pa.large_string()), DEFAULT).to_pylist()[0]
    assert (row["signature"], row["shingles"]) == oracle("a1 b2 c3 d4 e5 " * 3, DEFAULT)


@settings(max_examples=60, deadline=None)
@given(st.lists(code, min_size=1, max_size=6), st.integers(1, 4))
def test_shingles_of_one_run_have_one_number_each(texts, cut):
    ends = sorted({0, min(cut, len(texts)), len(texts)})
    starts, sizes, numbers = shingle_numbers(pa.array(texts, pa.large_string()), np.array(ends))
    for first, last in itertools.pairwise(ends):
        plain = [shingles(text) for text in texts[first:last]]
        found = [
            numbers[start : start + size].tolist()
            for start, size in zip(starts[first:last], sizes[first:last], strict=True)
        ]
        assert [len(some) for some in plain] == [len(some) for some in found] == [len(set(some)) for some in found]
        for left, right in itertools.combinations(range(last - first), 2):
            assert len(plain[left] & plain[right]) == len(set(found[left]) & set(found[right]))


def test_runs_of_very_different_sizes_are_numbered_apart():
    large = " ".join(f"word_{at}" for at in range(60_000))
    texts = ["a b c d e f", large, large + " end", "a b c d e f", "f a b c d e"]
    starts, sizes, numbers = shingle_numbers(pa.array(texts, pa.large_string()), np.array([0, 1, 3, 5]))
    assert sizes.tolist() == [2, 59_996, 59_997, 2, 2]
    sets = [set(numbers[start : start + size].tolist()) for start, size in zip(starts, sizes, strict=True)]
    assert len(sets[1] & sets[2]) == 59_996
    assert len(sets[3] & sets[4]) == 1


@pytest.mark.parametrize("wrong", [b"", b"a b c d", b"a b c d e f", b"a b c d-e", b"a  b c d"])
def test_what_is_not_a_shingle_has_no_hash(wrong):
    with pytest.raises(UsageError, match="not a shingle"):
        shingle_hash64(wrong)


def test_ordinary_strings_are_refused_with_the_type_expected():
    with pytest.raises(UsageError, match="large_string"):
        sign(pa.array(["a b c d e"]), DEFAULT)
