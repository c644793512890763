"""Compiled search for similar contents within a run (a band bucket, or a component of candidates).

`link_runs` compares sketches only and gives a spanning forest; the others compare exactly. A *run* is the
rows bounds[i] to bounds[i + 1]. Cost: a sketch comparison is about 3 ns, an exact one about 1 ns a
shingle of one of the two. Contents that hang together cost one pass over those still unvisited for each visited:
n for a run of near copies, n²/2 for a run in which nothing is similar.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray


class Comparable(NamedTuple):
    """Contents that can be compared, and when two of them are similar.

    `words` (rows, permutations / 64) uint64 are sketches; row i's distinct shingles are
    numbers[starts[i]:][:sizes[i]], comparable within a run. Similar: sketches at most `worst` bits apart and
    Jaccard ≥ `threshold`.
    """

    words: NDArray[np.uint64]
    starts: NDArray[np.int64]
    sizes: NDArray[np.int64]
    numbers: NDArray[np.int32]
    worst: int
    threshold: float


@intrinsic
def popcount(typingctx: Any, value: Any) -> Any:  # noqa: ARG001
    """Set bits of a uint64, as one machine instruction."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:  # noqa: ARG001
        return builder.ctpop(args[0])

    return types.uint64(types.uint64), generate


@njit(cache=True, nogil=True, inline="always")
def differing_bits(words: NDArray[np.uint64], left: int, right: int) -> Any:
    """How many bits of two sketches differ."""
    total = np.uint64(0)
    for at in range(words.shape[1]):
        total += popcount(words[left, at] ^ words[right, at])  # type: ignore[call-arg]
    return np.int64(total)


@njit(cache=True, nogil=True)
def link_runs(
    bounds: NDArray[np.int64], words: NDArray[np.uint64], worst: int, reach: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """(left, right, missed): edges of a spanning forest of each run's graph of sketches at most `worst` bits apart.

    A visited row looks at the next `reach` unvisited rows of its run (a linked list, so that a cut run
    costs rows × reach); `missed` counts the looks that were left out.
    """
    rows = bounds[-1]
    left, right = np.empty(rows, np.int64), np.empty(rows, np.int64)
    following, queue = np.empty(rows + 1, np.int64), np.empty(rows, np.int64)
    edges, missed = 0, 0
    for run in range(len(bounds) - 1):
        for at in range(bounds[run], bounds[run + 1]):
            following[at] = at + 1
        first, unvisited = bounds[run], bounds[run + 1] - bounds[run]
        while unvisited > 1:
            head, tail = 0, 1
            queue[0] = first
            first = following[first]
            unvisited -= 1
            while head < tail and unvisited:
                node = queue[head]
                head += 1
                before, at, limit = -1, first, min(reach, unvisited)
                missed += unvisited - limit
                for _ in range(limit):
                    after = following[at]
                    if differing_bits(words, node, at) <= worst:
                        left[edges], right[edges] = node, at
                        edges += 1
                        queue[tail] = at
                        tail += 1
                        unvisited -= 1
                        if before < 0:
                            first = after
                        else:
                            following[before] = after
                    else:
                        before = at
                    at = after
    return left[:edges], right[:edges], missed


@njit(cache=True, nogil=True)
def similarity_of(contents: Comparable, marks: NDArray[np.int64], marked: int, other: int) -> float:
    """Exact Jaccard of `marked`, whose shingles bear its row in `marks`, and `other` if they are similar, else -1."""
    if differing_bits(contents.words, marked, other) > contents.worst:
        return -1.0
    sizes = contents.sizes
    smaller, larger = min(sizes[marked], sizes[other]), max(sizes[marked], sizes[other])
    if larger == 0 or smaller / larger < contents.threshold:
        return -1.0
    start, common = contents.starts[other], 0
    for at in range(start, start + sizes[other]):
        common += int(marks[contents.numbers[at]] == marked)
    found = common / (smaller + larger - common)
    return found if found >= contents.threshold else -1.0


@njit(cache=True, nogil=True)
def marks_for(contents: Comparable) -> NDArray[np.int64]:
    """Room for one mark a shingle number; nothing marked."""
    most = 0
    for row in range(len(contents.starts)):
        for at in range(contents.starts[row], contents.starts[row] + contents.sizes[row]):
            most = max(most, contents.numbers[at] + 1)
    return np.full(most, -1, np.int64)


@njit(cache=True, nogil=True)
def mark(contents: Comparable, marks: NDArray[np.int64], row: int) -> None:
    """Write `row` on each of its shingles."""
    for at in range(contents.starts[row], contents.starts[row] + contents.sizes[row]):
        marks[contents.numbers[at]] = row


@njit(cache=True, nogil=True)
def select_runs(
    bounds: NDArray[np.int64], contents: Comparable, kept: NDArray[np.int64], similarity: NDArray[np.float64]
) -> None:
    """Rows of each run in their order: kept[row] = first row that stays and is similar, similarity[row] with it.

    Rows whose kept[row] is not -1 beforehand are taken as removed already. Left at -1, a row stays.
    """
    staying, marks = np.empty(bounds[-1], np.int64), marks_for(contents)
    for run in range(len(bounds) - 1):
        count = 0
        for row in range(bounds[run], bounds[run + 1]):
            if kept[row] >= 0:
                continue
            mark(contents, marks, row)
            for at in range(count):
                found = similarity_of(contents, marks, row, staying[at])
                if found >= 0:
                    kept[row], similarity[row] = staying[at], found
                    break
            if kept[row] < 0:
                staying[count] = row
                count += 1


@njit(cache=True, nogil=True)
def match_earlier(earlier: int, contents: Comparable, kept: NDArray[np.int64], similarity: NDArray[np.float64]) -> None:
    """For each row after the first `earlier` rows that has kept[row] = -1: the first earlier row similar to it."""
    marks = marks_for(contents)
    for row in range(len(kept)):
        if kept[row] >= 0:
            continue
        mark(contents, marks, earlier + row)
        for at in range(earlier):
            found = similarity_of(contents, marks, earlier + row, at)
            if found >= 0:
                kept[row], similarity[row] = at, found
                break


@njit(cache=True, nogil=True)
def cluster_runs(bounds: NDArray[np.int64], contents: Comparable, root: NDArray[np.int64]) -> None:
    """root[row] = first row of its connected component of similar rows, within each run."""
    queue, unvisited = np.empty(bounds[-1], np.int64), np.empty(bounds[-1], np.int64)
    marks = marks_for(contents)
    for run in range(len(bounds) - 1):
        begin, waiting = bounds[run], bounds[run + 1] - bounds[run]
        for at in range(waiting):
            unvisited[at] = bounds[run + 1] - 1 - at  # descending, so that the first row is taken from the end
        for source in range(begin, bounds[run + 1]):
            if waiting == 0:
                break
            if unvisited[waiting - 1] != source:
                continue
            waiting -= 1
            root[source], queue[0] = source, source
            head, tail = 0, 1
            while head < tail and waiting:
                node, left = queue[head], 0
                head += 1
                mark(contents, marks, node)
                for at in range(waiting):
                    row = unvisited[at]
                    if similarity_of(contents, marks, node, row) >= 0:
                        root[row], queue[tail] = source, row
                        tail += 1
                    else:
                        unvisited[left] = row
                        left += 1
                waiting = left


@njit(cache=True, nogil=True)
def pairs_in_runs(
    bounds: NDArray[np.int64],
    contents: Comparable,
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    similarity: NDArray[np.float64],
) -> int:
    """Every similar pair of each run, up to the room in the three arrays; returns how many there are."""
    found, marks = 0, marks_for(contents)
    for run in range(len(bounds) - 1):
        for i in range(bounds[run], bounds[run + 1]):
            mark(contents, marks, i)
            for j in range(i + 1, bounds[run + 1]):
                value = similarity_of(contents, marks, i, j)
                if value >= 0:
                    if found < len(left):
                        left[found], right[found], similarity[found] = i, j, value
                    found += 1
    return found
