"""The stage's functions over tables: find, redact, inspect.

redact: table of
    text        large_string   the text with every span replaced by a placeholder; null where the input is null
    redactions  list<SPAN>     in order, disjoint; `start`, `end` delimit the placeholder in characters of `text`,
                               `original_length` is the number of characters it replaced. Line ends inside a
                               redacted stretch are kept after the placeholder, with the indentation of text that
                               follows on its last line, and belong to neither, so
                               len(text) = len(original) + Σ (end - start - original_length).
find: FINDINGS, one row a finding of any detector, overlaps included, in characters of the original.
inspect: INSPECTION, one row a span (merged), in characters of the original decoded text.

Invariants: text outside spans is unchanged; the number of lines is unchanged; redacting again finds nothing;
the result depends on the text, the path and the settings alone. No value leaves these functions but inside
the text of the caller, and none appears in a message, a repr or a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from foundation.schema import SPAN
from stages.redaction.detection import find_in_document
from stages.redaction.model import Finding
from stages.redaction.placeholders import recogniser, replacements
from stages.redaction.replace import Substitution, clear_of_returns, fitted, kept_layout, merge, substitute
from stages.redaction.settings import Settings
from stages.redaction.vectorscan import character_offsets

FINDINGS = pa.schema(
    [
        ("row", pa.int64()),  # index into the texts given
        ("start", pa.int64()),  # characters of the original text
        ("end", pa.int64()),  # exclusive
        ("kind", pa.string()),
        ("detector", pa.string()),  # gristmill | detect-secrets | kingfisher
        ("rule", pa.string()),
    ]
)
INSPECTION = pa.schema(
    [
        ("id", pa.string()),
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("label", pa.string()),  # the kind
        ("detector", pa.string()),
    ]
)
REDACTED = pa.schema([("text", pa.large_string()), ("redactions", pa.list_(SPAN))])

# Redacting can bring new findings to light (a filter no longer sees what kept a line quiet); after this many
# rounds the whole line of whatever is still found goes, which ends it.
_ROUNDS = 6
_LONGEST_PLACEHOLDER = 52  # `settings` allows 40 characters, and a number
_MANY, _ROUNDS_OF_MANY = 10_000, 2
_LETTER_OR_DIGIT = re.compile(rb"[0-9A-Za-z\x80-\xff]")

Spans = list[dict[str, str | int]]


def redact(texts: pa.LargeStringArray, paths: pa.BinaryArray, *, settings: Settings) -> pa.Table:
    """Redacted texts and their spans, row by row; see the module's docstring for the columns."""
    new_texts: list[bytes | None] = []
    spans: list[Spans] = []
    changed = False
    for data, path in _documents(texts, paths):
        result = None if data is None else redact_document(data, path, settings)
        changed = changed or result is not None
        new_texts.append(result.data if result else data)
        spans.append(_describe(data, result) if data is not None and result else [])
    text = _strings(new_texts) if changed else _flat(texts)
    return pa.table([text, pa.array(spans, pa.list_(SPAN))], schema=REDACTED)


def find(texts: pa.LargeStringArray, paths: pa.BinaryArray, settings: Settings) -> pa.Table:
    """Every finding of every detector in `texts`, as FINDINGS, in order of row and place."""
    columns: dict[str, list[object]] = {name: [] for name in FINDINGS.names}
    for row, (data, path) in enumerate(_documents(texts, paths)):
        findings = [] if data is None else sorted(set(_all_findings(data, path, settings)))
        places = _characters(data or b"", [at for finding in findings for at in (finding.start, finding.end)])
        for finding in findings:
            columns["row"].append(row)
            columns["start"].append(places[finding.start])
            columns["end"].append(places[finding.end])
            columns["kind"].append(finding.kind)
            columns["detector"].append(finding.detector)
            columns["rule"].append(finding.rule)
    return pa.table(columns, schema=FINDINGS)


def inspect(table: pa.Table, settings: Settings | None = None) -> pa.Table:
    """What would be redacted in `table` (columns id, path, content: UTF-8 bytes or text), as INSPECTION."""
    chosen = settings or Settings()
    columns: dict[str, list[object]] = {name: [] for name in INSPECTION.names}
    texts = table["content"].cast(pa.large_binary())
    paths = table["path"].cast(pa.binary()) if "path" in table.column_names else pa.nulls(table.num_rows, pa.binary())
    for name, content, path in zip(table["id"].to_pylist(), texts.to_pylist(), paths.to_pylist(), strict=True):
        data = (content or b"").decode("utf-8", "replace").encode()
        result = redact_document(data, path or b"", chosen)
        spans = result.spans if result else []
        places = _characters(data, [at for span in spans for at in (span.start, span.end)])
        for span in spans:
            columns["id"].append(str(name))
            columns["start"].append(places[span.start])
            columns["end"].append(places[span.end])
            columns["label"].append(span.kind)
            columns["detector"].append(span.detector)
    return pa.table(columns, schema=INSPECTION)


def redact_document(data: bytes, path: bytes, settings: Settings) -> Substitution | None:
    """`data` (UTF-8) redacted until nothing more is found; None if there is nothing to redact."""
    results = list(_rounds(data, path, settings))
    return results[-1] if results else None


def _all_findings(data: bytes, path: bytes, settings: Settings) -> Iterator[Finding]:
    """Findings of the first look, then the spans that later rounds added."""
    yield from find_in_document(data, path, settings)
    results = list(_rounds(data, path, settings))
    if len(results) > 1:
        yield from (span for span in results[-1].spans if span not in results[0].spans)


def _rounds(data: bytes, path: bytes, settings: Settings) -> Iterator[Substitution]:
    known, name = recogniser(settings), path.decode("utf-8", "replace")
    findings = [one for one in find_in_document(data, path, settings) if not _is_placeholder(data, one, known)]
    rounds = 0
    most = _ROUNDS if len(findings) < _MANY else _ROUNDS_OF_MANY
    while findings:
        whole = list(clear_of_returns(data, merge(findings)))
        spans, texts = replacements(data, fitted(data, whole), name, settings)
        result = substitute(data, spans, texts)
        yield result
        rounds += 1
        fresh = [
            one for one in find_in_document(result.data, path, settings) if not _is_placeholder(result.data, one, known)
        ]
        if not fresh:
            return
        for one in fresh:
            wide = one if rounds < most else _whole_line(result.data, one)
            start, end = result.original(wide.start, wide.end)
            findings.append(wide._replace(start=start, end=end))


def _is_placeholder(data: bytes, finding: Finding, known: re.Pattern[bytes]) -> bool:
    """Whether a finding holds (or lies in) nothing but placeholders and punctuation."""
    left = data.rfind(b"<", max(0, finding.start - _LONGEST_PLACEHOLDER), finding.start + 1)
    around = known.match(data, left) if left >= 0 else None
    if around is not None and finding.end <= around.end():
        return True
    rest = data[finding.start : finding.end]
    return _LETTER_OR_DIGIT.search(known.sub(b"", rest) if b"<" in rest else rest, 0, 64) is None


def _whole_line(data: bytes, finding: Finding) -> Finding:
    start = data.rfind(b"\n", 0, finding.start) + 1
    end = data.find(b"\n", finding.end)
    return finding._replace(start=start, end=len(data) if end < 0 else end)


def _documents(texts: pa.Array, paths: pa.Array) -> Iterator[tuple[bytes | None, bytes]]:
    for text, path in zip(_flat(texts).cast(pa.large_binary()), _flat(paths), strict=True):
        yield text.as_py(), path.as_py() or b""


def _strings(texts: Sequence[bytes | None]) -> pa.LargeStringArray:
    """UTF-8 texts as one array, without converting each to Python text."""
    offsets = np.zeros(len(texts) + 1, np.int64)
    np.cumsum([len(text or b"") for text in texts], out=offsets[1:])
    valid = pa.array([text is not None for text in texts]).buffers()[1] if None in texts else None
    data = pa.py_buffer(b"".join(text or b"" for text in texts))
    return pa.LargeStringArray.from_buffers(len(texts), pa.py_buffer(offsets), data, valid)


def _flat(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _describe(data: bytes, result: Substitution) -> Spans:
    """SPAN rows of one document."""
    new = _characters(result.data, [*result.starts, *result.ends])
    rows: Spans = []
    for span, start, end in zip(result.spans, result.starts, result.ends, strict=True):
        kept = len(kept_layout(data, span))
        replaced = len(data[span.start : span.end].decode("utf-8", "replace")) - kept
        rows.append(
            {
                "kind": span.kind,
                "detector": span.detector,
                "rule": span.rule,
                "start": new[start],
                "end": new[end] - kept,
                "original_length": replaced,
            }
        )
    return rows


def _characters(data: bytes, offsets: Sequence[int]) -> dict[int, int]:
    """Character offset of each byte offset, in one pass over `data`."""
    return character_offsets(data, offsets)
