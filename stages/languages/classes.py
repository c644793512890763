"""Language, vendored, generated and documentation flags of a batch of files.

Output of `classify` (CLASSES), one row a file in the order given:

    language             string   Linguist's name; null when nothing is certain enough
    language_confidence  float32  in [0, 1], below; null with the language
    language_source      string   who decided; null with the language
    vendored             bool     Linguist's path rules on the full path
    generated            bool     Linguist's rules on full path and text; false without a text
    documentation        bool     Linguist's path rules on the full path

Invariants: a row depends on its own path and text alone; a null text has no language; no language is
reported below the threshold. Sources and the confidence they carry (share right on files of six
projects that are not Linguist's, measured with the dev half of our evaluation set):

    linguist_name        0.95  the name alone is certain
    linguist_content     0.85  one answer after modeline, shebang, XML header or heuristics
    linguist_classifier  0.72  Linguist's naive Bayes ranks several candidates, guesslang ranks them alike
                         0.55  it ranks them, and guesslang knows them not or otherwise
    guesslang            its own probability: Linguist has no candidate, or candidates without a ranking

guesslang must also be reliable by its own rule, at least GUESS_CONFIDENCE, and answer a language that it
can tell alone (`_stands_alone`). Cost: about 40 µs a file,
3 ms where Linguist's classifier has to decide; memory: the batch and one copy of its text.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from stages.languages import guesslang
from stages.languages.linguist import Verdict, detect, is_documentation, is_generated, is_vendored, shown
from stages.languages.vocabulary import table

CLASSES = pa.schema(
    [
        ("language", pa.string()),
        ("language_confidence", pa.float32()),
        ("language_source", pa.string()),
        ("vendored", pa.bool_()),
        ("generated", pa.bool_()),
        ("documentation", pa.bool_()),
    ]
)

NAME_CONFIDENCE = 0.95
CONTENT_CONFIDENCE = 0.85
AGREED_CONFIDENCE = 0.72
RANKED_CONFIDENCE = 0.55
GUESS_CONFIDENCE = 0.8  # least probability at which guesslang decides alone

_Answer = tuple[str, float, str] | None


def classify(paths: pa.Array, texts: pa.LargeStringArray, *, min_confidence: float = 0.5) -> pa.Table:
    """CLASSES for files at `paths` (binary, as git stores them) with decoded `texts` (null: binary content)."""
    names = [path_text(path) for path in pc.cast(paths, pa.large_binary()).to_pylist()]
    bodies = [None if text is None else shown(text) for text in pc.cast(texts, pa.large_binary()).to_pylist()]
    verdicts = [
        None if body is None else detect(name.rpartition("/")[2], body)
        for name, body in zip(names, bodies, strict=True)
    ]
    answers: list[_Answer] = [_sure(verdict) for verdict in verdicts]
    open_rows = [at for at, verdict in enumerate(verdicts) if verdict is not None and answers[at] is None]
    for at, answer in zip(open_rows, _second_opinions(open_rows, verdicts, texts), strict=True):
        answers[at] = answer
    known = [answer if answer is not None and answer[1] >= min_confidence else (None, None, None) for answer in answers]
    columns: list[Sequence[object]] = [*zip(*known, strict=True)] or [(), (), ()]
    columns.append([is_vendored(name) for name in names])
    columns.append([body is not None and is_generated(name, body) for name, body in zip(names, bodies, strict=True)])
    columns.append([is_documentation(name) for name in names])
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, CLASSES, strict=True)], schema=CLASSES
    )


def path_text(path: bytes) -> str:
    """A path as text that every library takes: bytes that are not UTF-8, and NUL, as U+FFFD."""
    return path.decode("utf-8", "replace").replace("\0", "�")


def _sure(verdict: Verdict | None) -> _Answer:
    if verdict is None or len(verdict.candidates) != 1:
        return None
    source, confidence = (
        ("linguist_name", NAME_CONFIDENCE) if verdict.named else ("linguist_content", CONTENT_CONFIDENCE)
    )
    return verdict.candidates[0], confidence, source


def _second_opinions(
    rows: Sequence[int], verdicts: Sequence[Verdict | None], texts: pa.LargeStringArray
) -> list[_Answer]:
    """Answers for the rows that Linguist left open, with guesslang's probabilities at hand."""
    if not rows:
        return []
    chosen = texts.take(pa.array(rows, pa.int64()))
    data, offsets = _buffers(chosen)
    probability = guesslang.probabilities(data, offsets)
    reliable = guesslang.reliable(probability)
    blank = np.asarray(pc.equal(pc.utf8_trim_whitespace(pc.utf8_slice_codeunits(chosen, 0, 4096)), ""))
    return [
        _settle(verdicts[row], probability[at], bool(reliable[at]) and not blank[at]) for at, row in enumerate(rows)
    ]


def _buffers(texts: pa.LargeStringArray) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    _, offsets, data = texts.buffers()
    ends = np.frombuffer(offsets, dtype=np.int64)[texts.offset : texts.offset + len(texts) + 1]
    return np.frombuffer(data if data is not None else b"", dtype=np.uint8), ends


def _settle(verdict: Verdict | None, probability: npt.NDArray[np.float32], reliable: bool) -> _Answer:
    """The answer for one open row; `reliable` says whether guesslang's opinion counts."""
    languages = guesslang.load().languages
    candidates = verdict.candidates if verdict is not None else ()
    if not candidates:
        best = int(probability.argmax())
        return _guess(languages[best], probability[best]) if reliable and _stands_alone(languages[best]) else None
    opinions = [(float(probability[languages.index(name)]), name) for name in candidates if name in languages]
    favourite = max(opinions) if opinions else (0.0, "")
    if verdict is not None and verdict.ranked:
        agreed = reliable and favourite[1] == candidates[0]
        return candidates[0], AGREED_CONFIDENCE if agreed else RANKED_CONFIDENCE, "linguist_classifier"
    return _guess(favourite[1], favourite[0]) if reliable else None


def _stands_alone(language: str) -> bool:
    """Whether guesslang's word suffices without a candidate of Linguist's.

    Its data and prose classes take in every plain text (it knows no such class), and two of its classes are
    families, of which Linguist's name would be a guess.
    """
    return table()[language].type in ("programming", "markup") and language not in guesslang.FAMILIES


def _guess(language: str, probability: float) -> _Answer:
    """guesslang's answer, its probability rounded so that no library's last bit shows."""
    confidence = round(float(probability), 2)
    return (language, confidence, "guesslang") if confidence >= GUESS_CONFIDENCE else None
