"""guesslang 2.2.1's model without TensorFlow: 54 languages from the text alone.

A linear ("wide") and a three-layer ("deep") classifier over hashed byte bigrams; weights from the wheel
(`data/guesslang.npz`, MIT, see its notice). The model, as its source and SavedModel define it:

- features: the first 10,000 bigrams of bytes `x y`, written as the 3-byte string x, space, y, hashed with
  FarmHash Fingerprint64 modulo 5,000 (the closed form for length 3 fills a table of 65,536 entries);
- wide: sum of the bigrams' rows of W[5000, 54] + bias; deep: mean of their rows of E[5000, 70] → 512
  ReLU → 32 ReLU → 54; the two are added and softmaxed;
- reliable: p_max > mean + 2 · standard deviation of the 54 probabilities (`Guess._is_reliable`).

Every sum runs in a fixed order within one document (no BLAS), so a text has the same probabilities in
whatever batch it comes. Cost: about 50 µs a text of 10 kB or more, less for shorter ones.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

BIGRAMS = 10_000
BUCKETS = 5_000
_DATA = Path(__file__).parent / "data" / "guesslang.npz"

# guesslang's name → Linguist's, where they differ.
LINGUIST_NAMES = {"Lisp": "Common Lisp", "Matlab": "MATLAB", "Visual Basic": "VBA"}

# Classes trained on several of Linguist's languages (all Lisps, all Visual Basics) → those that they may mean.
FAMILIES = MappingProxyType(
    {
        "Common Lisp": ("Common Lisp", "Emacs Lisp", "LFE", "NewLisp", "PicoLisp", "Racket", "Scheme"),
        "VBA": ("FreeBASIC", "VBA", "VBScript", "Visual Basic .NET", "Visual Basic 6.0", "Xojo"),
        "Assembly": ("Assembly", "Unix Assembly"),
    }
)


@dataclasses.dataclass(frozen=True)
class Model:
    """The weights as C-contiguous float32, the bigram table, and Linguist's name of each output."""

    languages: tuple[str, ...]
    buckets: npt.NDArray[np.int32]
    layers: tuple[Any, ...]


@functools.cache
def load() -> Model:
    """The model; read once a process (1.3 MB on disk, 2.9 MB in memory)."""
    with np.load(_DATA, allow_pickle=False) as data:
        names = [str(name) for name in data["languages"]]
        order = ("wide", "wide_bias", "embedding", "hidden0", "hidden0_bias", "hidden1", "hidden1_bias")
        layers = tuple(np.ascontiguousarray(data[name], dtype=np.float32) for name in (*order, "logits", "logits_bias"))
    return Model(tuple(LINGUIST_NAMES.get(name, name) for name in names), _bigram_table(), layers)


def _bigram_table() -> npt.NDArray[np.int32]:
    """Bucket of each byte pair `x << 8 | y`: FarmHash Fingerprint64 of (x, 0x20, y), closed form for 3 bytes."""
    k0, k2 = np.uint64(0xC3A5C85C97CB3127), np.uint64(0x9AE16A3B2F90404F)
    first, last = np.divmod(np.arange(65_536, dtype=np.uint64), np.uint64(256))
    low = first + np.uint64(0x20 << 8)
    high = np.uint64(3) + (last << np.uint64(2))
    mixed = low * k2 ^ high * k0
    hashed = (mixed ^ (mixed >> np.uint64(47))) * k2
    return (hashed % np.uint64(BUCKETS)).astype(np.int32)  # type: ignore[no-any-return]


def probabilities(data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> Floats:
    """float32[n, 54]: probability of each of `load().languages` for the texts data[offsets[i]:offsets[i+1]].

    A text of fewer than two bytes gets the model's prior.
    """
    model = load()
    return _probabilities(data, offsets, model.buckets, model.layers)  # type: ignore[no-any-return]


def reliable(probability: Floats) -> npt.NDArray[np.bool_]:
    """bool[n]: guesslang's own rule, p_max > mean + 2 · (sample) standard deviation over the 54 classes."""
    wide = probability.astype(np.float64)
    return wide.max(axis=1) > wide.mean(axis=1) + 2 * wide.std(axis=1, ddof=1)  # type: ignore[no-any-return]


@numba.njit(cache=True, nogil=True)
def _probabilities(data: Any, offsets: Any, buckets: Any, layers: Any) -> Any:
    wide, wide_bias, embedding, hidden0, hidden0_bias, hidden1, hidden1_bias, logits, logits_bias = layers
    documents, classes = len(offsets) - 1, len(logits_bias)
    result = np.empty((documents, classes), dtype=np.float32)
    counts = np.zeros(len(wide), dtype=np.int32)
    seen = np.empty(len(wide), dtype=np.int32)
    for document in range(documents):
        start = offsets[document]
        total = max(0, min(BIGRAMS, offsets[document + 1] - start - 1))
        used = _count(data[start : start + total + 1], buckets, counts, seen)
        scores = wide_bias.copy()
        mean = np.zeros(embedding.shape[1], dtype=np.float32)
        for at in range(used):
            count = np.float32(counts[seen[at]])
            counts[seen[at]] = 0
            _add(scores, count, wide[seen[at]])
            _add(mean, count, embedding[seen[at]])
        if total:
            mean /= np.float32(total)
        first = _dense(mean, hidden0, hidden0_bias)
        second = _dense(np.maximum(first, np.float32(0)), hidden1, hidden1_bias)
        scores += _dense(np.maximum(second, np.float32(0)), logits, logits_bias)
        _softmax(scores, result[document])
    return result


@numba.njit(cache=True, nogil=True)
def _count(text: Any, buckets: Any, counts: Any, seen: Any) -> int:
    """Count the bigrams of `text` into `counts`; `seen` lists the buckets used, in order of first use."""
    used = 0
    for at in range(len(text) - 1):
        bucket = buckets[(np.int32(text[at]) << 8) | np.int32(text[at + 1])]
        if counts[bucket] == 0:
            seen[used] = bucket
            used += 1
        counts[bucket] += 1
    return used


@numba.njit(cache=True, nogil=True)
def _add(target: Any, factor: Any, row: Any) -> None:
    for column in range(len(target)):
        target[column] += factor * row[column]


@numba.njit(cache=True, nogil=True)
def _dense(values: Any, kernel: Any, bias: Any) -> Any:
    result = bias.copy()
    for row in range(len(values)):
        if values[row] != 0:
            _add(result, values[row], kernel[row])
    return result


@numba.njit(cache=True, nogil=True)
def _softmax(scores: Any, result: Any) -> None:
    top = scores.max()
    total = 0.0
    for column in range(len(scores)):
        total += math.exp(scores[column] - top)
    for column in range(len(scores)):
        result[column] = math.exp(scores[column] - top) / total
