"""Which language a text is in, by the text alone: 758 of Linguist's languages, each with a score.

`read(data, offsets)` gives `scores`, float32[n, L], natural-log odds up to a constant of the text (the higher the
likelier), and `prose`, float32[n], the share of English function words among the tokens. A score is the sum of

- for each distinct token of the first HEAD bytes (`stages/languages/tokens.py`) how much likelier it is in the
  language than in general, smoothed (`scripts/make_language_tokens.py` states formula, sources, constants),
  the sum times (MANY / tokens)^DAMPING where there are more than MANY: tokens are not independent;
- for and against, by the comment marks that lines begin with and those that the language has;
- the language's prior;
- TOLD · log((p + FLOOR) / FLOOR) with p guesslang's probability of the class that stands for the language, or
  KIN of that for a language that guesslang has no class for and takes for its relative.

`ranked` picks the best language, over all or among candidates, with the lead over the second best, which
`confidence` turns into a probability. Invariants: a text's row depends on the text alone, in whatever batch
(whole-number sums, or sums in a fixed order); ties go to the first name. Data: `data/tokens.npz` (1.2 MB, see its
notice). Cost: about 0.1 ms a text of 4 kB; memory 3 kB a text.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from stages.languages import guesslang
from stages.languages.tokens import MARKS, scan, token_hash

Floats = npt.NDArray[np.float32]

HEAD = 16_384  # bytes of a text that are read

# Fitted on half of a labelled set of files with the constants of the tokens, checked on its other half.
TOLD, FLOOR, KIN = 3.0, 0.01, 0.3
MANY, DAMPING = 30.0, 0.3

# English words that hardly any language has for keywords; in prose every tenth word or more is one of them.
FUNCTION_WORDS = tuple(
    b"the of and that this are be any which may it you such other will can your a has have".split(b" ")
)

# guesslang's classes → languages without a class of their own that look much like them.
RELATIVES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "C": ("Cuda", "HolyC", "OpenCL"),
        "C#": ("Boo", "Nemerle", "Vala"),
        "C++": ("AngelScript", "Cuda", "GLSL", "HLSL", "Metal"),
        "CSS": ("Less", "SCSS", "Sass", "Stylus"),
        "Clojure": ("Arc", "Hy", "LFE", "Racket", "Shen", "wisp"),
        "Fortran": ("Fortran Free Form",),
        "Go": ("Odin", "V"),
        "HTML": ("Handlebars", "Svelte", "Vue"),
        "Haskell": ("Agda", "Clean", "Curry", "Dhall", "Elm", "Frege", "Futhark", "Idris", "PureScript"),
        "Java": ("Apex", "AspectJ", "Ceylon", "Golo", "Gosu", "Pike", "Processing", "Vala", "X10", "Xtend"),
        "JavaScript": ("ActionScript", "Haxe", "LiveScript", "QML", "Squirrel", "SuperCollider"),
        "Lua": ("MoonScript", "Terra"),
        "MATLAB": ("GAP", "M", "Scilab"),
        "OCaml": ("F#", "Reason", "Standard ML"),
        "Pascal": ("Ada", "Component Pascal", "Modula-2", "Modula-3", "Oberon", "Oxygene", "PLSQL"),
        "Perl": ("Raku",),
        "Prolog": ("Logtalk", "Mercury"),
        "Python": ("Boo", "Cython", "GDScript", "Mojo", "Nim", "Starlark"),
        "Ruby": ("Crystal", "Mirah"),
        "Rust": ("Cairo", "Move"),
        "SQL": ("PLSQL", "PLpgSQL", "SQLPL", "TSQL"),
        "Scala": ("Golo",),
        "Shell": ("Awk", "Tcsh", "fish", "sed"),
        "TypeScript": ("ActionScript", "Haxe", "TSX"),
        "Verilog": ("SystemVerilog",),
        "XML": ("SVG", "XSLT"),
    }
)

_SLOTS = 1 << 19  # hash table, a power of two above twice the number of tokens
_DATA = Path(__file__).parent / "data" / "tokens.npz"


@dataclasses.dataclass(frozen=True)
class Model:
    """The languages in name order, their column by name, the arrays of the kernel, and (class of guesslang,
    column, share) of what guesslang tells."""

    languages: tuple[str, ...]
    columns: dict[str, int]
    arrays: tuple[Any, ...]
    told: tuple[tuple[int, int, float], ...]


@dataclasses.dataclass(frozen=True)
class Reading:
    """Scores, float32[n, L], and the share of English function words, float32[n], of n texts."""

    scores: Floats
    prose: Floats


@functools.cache
def load() -> Model:
    """The model; read once a process (1.2 MB on disk, 6 MB in memory)."""
    with np.load(_DATA, allow_pickle=False) as data:
        languages = tuple(str(name) for name in data["languages"])
        ends = np.concatenate([[0], np.cumsum(data["spread"], dtype=np.int64)])
        arrays: tuple[Any, ...] = (
            data["tokens"],
            data["rarity"],
            ends,
            data["posted"],
            data["weights"],
            data["penalty"],
        )
        arrays += (np.ascontiguousarray(data["marks"].T), data["prior"], np.float32(data["scale"][0]))
        arrays += (np.isin(data["tokens"], [token_hash(word) for word in FUNCTION_WORDS]),)
    columns = {name: at for at, name in enumerate(languages)}
    return Model(languages, columns, (_slots(arrays[0], _SLOTS), *arrays), tuple(_told(columns)))


def _told(columns: Mapping[str, int]) -> Iterator[tuple[int, int, float]]:
    for at, name in enumerate(guesslang.load().languages):
        for member in guesslang.FAMILIES.get(name, (name,)):
            if member in columns:
                yield at, columns[member], 1.0
        for relative in RELATIVES.get(name, ()):
            if relative in columns:
                yield at, columns[relative], KIN


def read(data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> Reading:
    """What the texts data[offsets[i]:offsets[i+1]] say, row by row; columns as in `load().languages`."""
    model = load()
    found, prose = _scores(data, offsets, len(model.languages), model.arrays)
    probability = guesslang.probabilities(data, offsets).astype(np.float64)
    odds = (TOLD * np.log((probability + FLOOR) / FLOOR)).astype(np.float32)
    told = np.zeros_like(found)
    for kind, column, share in model.told:
        np.maximum(told[:, column], np.float32(share) * odds[:, kind], out=told[:, column])
    found += told
    return Reading(found, prose)


def ranked(row: Floats, favours: Mapping[str, float] | None = None) -> tuple[str, float] | None:
    """The best language of one row of scores and its lead over the second best.

    With `favours`, only among its languages, each with that much added. None without one that the model knows.
    """
    model = load()
    names: Sequence[str] = model.languages
    if favours is not None:
        names = sorted(name for name in favours if name in model.columns)
        row = row[[model.columns[name] for name in names]] + np.array([favours[name] for name in names], np.float32)
    if len(row) == 0:
        return None
    best = int(row.argmax())
    second = float(np.delete(row, best).max()) if len(row) > 1 else float("-inf")
    return names[best], float(row[best]) - second


@numba.njit(cache=True, nogil=True)
def _slots(tokens: Any, size: int) -> Any:
    """Open addressing: position + 1 of each token at its hash modulo `size`, or the next free slot."""
    slots = np.zeros(size, dtype=np.int32)
    for at in range(len(tokens)):
        slot = tokens[at] & (size - 1)
        while slots[slot]:
            slot = (slot + 1) & (size - 1)
        slots[slot] = at + 1
    return slots


@numba.njit(cache=True, nogil=True)
def _scores(data: Any, offsets: Any, languages: int, arrays: Any) -> Any:
    slots, tokens, rarity, ends, posted, weights, penalty, marked, prior, scale, function = arrays
    result = np.empty((len(offsets) - 1, languages), dtype=np.float32)
    prose = np.zeros(len(offsets) - 1, dtype=np.float32)
    seen = np.full(len(tokens), -1, dtype=np.int32)
    found = np.empty(HEAD, dtype=np.uint32)
    marks = np.empty(len(MARKS), dtype=np.uint8)
    sums = np.empty(languages, dtype=np.int32)
    for row in range(len(offsets) - 1):
        marks[:] = 0
        sums[:] = 0
        weight = distinct = 0
        total = scan(data[offsets[row] : min(offsets[row + 1], offsets[row] + HEAD)], found, marks)
        for at in range(total):
            token = _position(found[at], slots, tokens)
            if token >= 0 and function[token]:
                prose[row] += np.float32(1) / np.float32(total)
            if token >= 0 and seen[token] != row:
                seen[token] = row
                distinct += 1
                weight += rarity[token]
                for post in range(ends[token], ends[token + 1]):
                    sums[posted[post]] += weights[post]
        share = np.float32(weight) / np.float32(255)
        damped = np.float32((MANY / max(MANY, distinct)) ** DAMPING)
        for language in range(languages):
            score = (np.float32(sums[language]) * scale - share * penalty[language]) * damped + prior[language]
            for mark in range(len(MARKS)):
                if marks[mark]:
                    score += marked[mark, language]
            result[row, language] = score
    return result, prose


@numba.njit(cache=True, nogil=True)
def _position(token: Any, slots: Any, tokens: Any) -> int:
    """The position of a token's hash among `tokens`; -1 if it is unknown."""
    slot = token & (len(slots) - 1)
    while slots[slot]:
        if tokens[slots[slot] - 1] == token:
            return int(slots[slot] - 1)
        slot = (slot + 1) & (len(slots) - 1)
    return -1
