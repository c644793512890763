"""Language, vendored, generated and documentation flags of a batch of files.

Output of `classify` (CLASSES), one row a file in the order given:

    language             string   Linguist's name; null when nothing is certain enough
    language_confidence  float32  in [0, 1], below; null with the language
    language_source      string   who decided; null with the language
    vendored             bool     Linguist's path rules on the full path
    generated            bool     Linguist's rules on full path and text; false without a text
    documentation        bool     Linguist's path rules on the full path

Invariants: a row depends on its own path and text alone; a null text has no language; no language is
reported below the threshold. Sources and the confidence they carry (share right, measured on files of seven
projects that are not Linguist's, the dev half of our evaluation set; docs/benchmarks.md has the figures):

    linguist_name        0.95  the name alone is certain
    linguist_content     0.85  one answer after modeline, shebang, XML header or heuristics
    own_name             0.9   Linguist knows nothing by the name, but its extension is a language's own name
                               or alias (`sort.kotlin`)
    content_candidates   by lead  several languages share the extension: the text decides among them
    content              by lead  the name says nothing: the text decides among all languages

The lead is that of the best language's score over the second best's (`stages/languages/content.py`). A text decides
alone only for languages with a grammar (`_stands_alone`), and not where it reads like prose (PROSE). A name that is
certain stands against any text: where the text was 20 or more in the lead for another language, the name was
right in 64 % and the text in 31 % of 42 files. Cost: about 40 µs a file, 0.2 ms where the text is asked;
memory: the batch, one copy of its text, and 3 kB for each text that is asked.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from stages.languages import content, guesslang
from stages.languages.linguist import Verdict, by_own_name, detect, is_documentation, is_generated, is_vendored, shown
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

MIN_CONFIDENCE = 0.25
NAME_CONFIDENCE = 0.95
CONTENT_CONFIDENCE = 0.85
OWN_NAME_CONFIDENCE = 0.9
OWN_NAME_FAVOUR = 4.0  # added to the candidate whose own name the shared extension is (`.jq`, `.bf`)
PROSE = (
    0.08  # least share of English function words in prose: 83 % of README, copyright and licence files, 4 % of programs
)

# Lead → share right on one half of the dev files, within 0.04 of the other half's; linear in between.
CONTENT_LEADS = (
    (0.0, 0.5, 1.5, 2.5, 3.5, 5.0, 7.0, 9.5, 13.0, 20.0, 40.0),
    (0.12, 0.18, 0.3, 0.41, 0.5, 0.62, 0.73, 0.79, 0.82, 0.88, 0.92),
)
CANDIDATE_LEADS = ((0.0, 1.5, 3.0, 5.5, 9.5, 15.0), (0.45, 0.5, 0.72, 0.84, 0.93, 0.97))

# Data languages that a text without a name may be said to be in as easily as a programming language, and the lead
# that any other needs.
STRUCTURED = frozenset({"JSON", "SQL", "XML"})
DATA_LEAD = 12.0

_Answer = tuple[str, float, str] | None


def classify(paths: pa.Array, texts: pa.LargeStringArray, *, min_confidence: float = MIN_CONFIDENCE) -> pa.Table:
    """CLASSES for files at `paths` (binary, as git stores them) with decoded `texts` (null: binary content)."""
    names = [path_text(path) for path in pc.cast(paths, pa.large_binary()).to_pylist()]
    bodies = [None if text is None else shown(text) for text in pc.cast(texts, pa.large_binary()).to_pylist()]
    bases = [name.rpartition("/")[2] for name in names]
    verdicts = [None if body is None else detect(base, body) for base, body in zip(bases, bodies, strict=True)]
    answers: list[_Answer] = [
        None if verdict is None else _sure(verdict, base) for verdict, base in zip(verdicts, bases, strict=True)
    ]
    open_rows = [at for at, verdict in enumerate(verdicts) if verdict is not None and answers[at] is None]
    for at, answer in zip(open_rows, _by_text(open_rows, verdicts, bases, texts), strict=True):
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


def _sure(verdict: Verdict, base: str) -> _Answer:
    """The answer that needs no model."""
    if len(verdict.candidates) == 1:
        source = ("linguist_name", NAME_CONFIDENCE) if verdict.named else ("linguist_content", CONTENT_CONFIDENCE)
        return verdict.candidates[0], source[1], source[0]
    own = by_own_name(base) if not verdict.candidates else None
    return (own, OWN_NAME_CONFIDENCE, "own_name") if own is not None else None


def _by_text(
    rows: Sequence[int], verdicts: Sequence[Verdict | None], bases: Sequence[str], texts: pa.LargeStringArray
) -> list[_Answer]:
    """Answers of the model of texts for `rows`: among the candidates of the name, or among all languages."""
    if not rows:
        return []
    reading = content.read(*_buffers(texts.take(pa.array(rows, pa.int64()))))
    answers: list[_Answer] = []
    for row, scores, prose in zip(rows, reading.scores, reading.prose, strict=True):
        verdict = verdicts[row]
        if verdict is not None and verdict.candidates:
            answers.append(_among(scores, verdict.candidates, by_own_name(bases[row])))
        else:
            answers.append(_among_all(scores, float(prose)))
    return answers


def _buffers(texts: pa.LargeStringArray) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    _, offsets, data = texts.buffers()
    ends = np.frombuffer(offsets, dtype=np.int64)[texts.offset : texts.offset + len(texts) + 1]
    return np.frombuffer(data if data is not None else b"", dtype=np.uint8), ends


def _among(scores: content.Floats, candidates: Sequence[str], own: str | None) -> _Answer:
    """The likeliest of the languages that share an extension."""
    favours = dict.fromkeys(candidates, 0.0) | ({own: OWN_NAME_FAVOUR} if own is not None else {})
    best = content.ranked(scores, favours)
    return None if best is None else (best[0], _confidence(best[1], CANDIDATE_LEADS), "content_candidates")


def _among_all(scores: content.Floats, prose: float) -> _Answer:
    """The likeliest of all languages, where a text alone can tell it."""
    best = content.ranked(scores)
    if best is None or prose >= PROSE or not _stands_alone(*best):
        return None
    return best[0], _confidence(best[1], CONTENT_LEADS), "content"


def _stands_alone(language: str, lead: float) -> bool:
    """Whether the text of a file without a name can be said to be in `language`.

    Programming languages, the markup that guesslang was trained to tell, STRUCTURED, and with DATA_LEAD other data
    languages (84 % right). Other markup and prose classes take in every plain text: one in four was right.
    """
    kind = table()[language].type
    trained = kind == "markup" and language in guesslang.load().languages
    return kind == "programming" or trained or language in STRUCTURED or (kind == "data" and lead >= DATA_LEAD)


def _confidence(lead: float, knots: tuple[Sequence[float], Sequence[float]]) -> float:
    """The share right at `lead`, rounded so that no library's last bit shows."""
    return round(float(np.interp(lead, *knots)), 2)
