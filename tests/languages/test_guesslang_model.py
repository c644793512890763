"""guesslang's model in numpy: its features, its determinism, and that it tells languages apart."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.languages import guesslang, vocabulary

SAMPLES = {
    "C": """\
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    struct node *p = malloc(sizeof(*p));
    if (!p) {
        fprintf(stderr, "out of memory\\n");
        return 1;
    }
    free(p);
    return 0;
}
""",
    "Python": """\
import sys
from pathlib import Path


class Reader:
    def __init__(self, path):
        self.path = Path(path)

    def lines(self):
        with self.path.open() as stream:
            for line in stream:
                yield line.strip()
""",
    "Rust": """\
use std::collections::HashMap;

pub fn count(words: &[&str]) -> HashMap<String, usize> {
    let mut map = HashMap::new();
    for word in words.iter() {
        *map.entry(word.to_string()).or_insert(0) += 1;
    }
    map
}
""",
    "Haskell": """\
module Main where

import qualified Data.Map as Map

foldCount :: Ord a => [a] -> Map.Map a Int
foldCount = foldr (\\x acc -> Map.insertWith (+) x 1 acc) Map.empty

main :: IO ()
main = getLine >>= print . foldCount
""",
    "Ruby": """\
require 'set'

module Tools
  class Reader
    attr_reader :path

    def each_line
      File.foreach(@path) do |line|
        yield line.chomp unless line.empty?
      end
    end
  end
end
""",
}


def probabilities(*texts: bytes) -> np.ndarray:
    offsets = np.concatenate([[0], np.cumsum([len(text) for text in texts])]).astype(np.int64)
    return guesslang.probabilities(np.frombuffer(b"".join(texts), dtype=np.uint8), offsets)


@pytest.mark.parametrize("language", sorted(SAMPLES))
def test_plain_samples_are_told_apart(language: str) -> None:
    found = probabilities(SAMPLES[language].encode())
    assert guesslang.load().languages[int(found[0].argmax())] == language
    assert found[0].max() > 0.3 and guesslang.reliable(found)[0]


def test_every_class_has_a_linguist_name() -> None:
    assert len(guesslang.load().languages) == 54
    assert set(guesslang.load().languages) <= set(vocabulary())


def test_bigrams_hash_as_farmhash_does() -> None:
    """Fingerprint64 of three bytes written out in Python's integers (FarmHash, HashLen0to16)."""
    k0, k2, mask = 0xC3A5C85C97CB3127, 0x9AE16A3B2F90404F, (1 << 64) - 1
    table = guesslang.load().buckets
    for first in range(0, 256, 17):
        for last in range(0, 256, 13):
            mixed = ((first + (0x20 << 8)) * k2 & mask) ^ ((3 + (last << 2)) * k0 & mask)
            assert table[first << 8 | last] == ((mixed ^ mixed >> 47) * k2 & mask) % guesslang.BUCKETS


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=5))
def test_a_text_has_the_same_bits_in_every_batch(texts: list[bytes]) -> None:
    together = probabilities(*texts)
    assert np.allclose(together.sum(axis=1), 1, atol=1e-4)
    for row, text in zip(together, texts, strict=True):
        assert row.tobytes() == probabilities(text)[0].tobytes()


def test_only_the_first_bigrams_count() -> None:
    head = b"x = 1\n" * 2000
    assert np.array_equal(probabilities(head), probabilities(head[: guesslang.BIGRAMS + 1] + b"<html>" * 900))


def test_the_weights_are_those_of_the_notice() -> None:
    data = Path(guesslang.__file__).parent / "data"
    digest = hashlib.sha256((data / "guesslang.npz").read_bytes()).hexdigest()
    notice = (data / "guesslang.notice.txt").read_text()
    assert digest in notice and "MIT License" in notice and "2.2.1" in notice
