"""Replace: merge findings into spans and put placeholders in their place, touching nothing else.

Findings that overlap become one span over all of them; its kind, detector and rule are those of the widest
finding (ties: earliest, then by KIND_ORDER, detector, rule). Spans that only touch stay apart. Line ends
inside a span are kept after its placeholder, so that line numbers stay true, with the indentation of what
follows. No span cuts an escape sequence or a pair of brackets (`fitted`), so that a document stays one. What stands
for a span says `placeholders`.
"""

from __future__ import annotations

import bisect
import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from stages.redaction.model import Finding

KIND_ORDER = ("KEY", "PASSWORD", "CREDIT_CARD", "IBAN", "EMAIL", "PHONE", "IP_ADDRESS", "MAC_ADDRESS", "NAME")
_LINE_END = re.compile(rb"\r\n?|\n")
_RETURN_BEFORE_FEED = re.compile(rb"\r(?=[^\r\n]+\n)")  # two line ends, of which nothing may make one
_INDENTATION = re.compile(rb"[ \t]*")
_NOTHING = (b"", b"\r", b"\n")
_BACKSLASH = 0x5C
_BRACKETS = 8  # at most so many are taken off an end
_AROUND = 1_024  # bytes before a span in which a bracket's partner is looked for
_PAIRS = {ord("("): b")", ord("["): b"]", ord("{"): b"}"}
_CLOSING = {ord(")"): b"(", ord("]"): b"[", ord("}"): b"{"}
_ESCAPABLE = frozenset(bytes([byte]) for byte in b"abefnrtvuUxN01234567")  # begins an escape in some language


def merge(findings: Iterable[Finding]) -> list[Finding]:
    """Disjoint spans, in order, that cover exactly what `findings` cover."""
    merged: list[list[Finding]] = []
    end = -1
    for finding in sorted(findings):
        if merged and finding.start < end:
            merged[-1].append(finding)
            end = max(end, finding.end)
        else:
            merged.append([finding])
            end = finding.end
    return [_union(group) for group in merged]


def _union(group: Sequence[Finding]) -> Finding:
    if len(group) == 1:
        return group[0]
    best = min(group, key=_strength)
    return best._replace(start=group[0].start, end=max(finding.end for finding in group))


def _strength(finding: Finding) -> tuple[int, int, int, str, str]:
    return (
        finding.start - finding.end,
        finding.start,
        KIND_ORDER.index(finding.kind),
        finding.detector,
        finding.rule,
    )


def clear_of_returns(data: bytes, spans: Iterable[Finding]) -> Iterator[Finding]:
    r"""The disjoint `spans`, cut so that no kept `\r` comes to stand before a `\n`, and no `\r\n` is torn apart."""
    if b"\r" not in data:
        yield from spans
        return
    for span in spans:
        start = span.start
        if data[start : start + 1] == b"\n" and data[start - 1 : start] == b"\r":
            start += 1
        for lone in _RETURN_BEFORE_FEED.finditer(data, start, span.end + 1):
            if start < lone.start():
                yield span._replace(start=start, end=lone.start())
            start = lone.end()
        if start < span.end:
            yield span._replace(start=start)


@dataclasses.dataclass(frozen=True)
class Substitution:
    """A text with placeholders, and where each span went: `starts` and `ends` cover placeholder and kept layout."""

    data: bytes = dataclasses.field(repr=False)
    spans: Sequence[Finding]
    starts: Sequence[int]
    ends: Sequence[int]

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The stretch of the original that [start, end) of `data` stands for; a placeholder counts whole."""
        return self._original(start, at_end=False), self._original(end, at_end=True)

    def _original(self, at: int, *, at_end: bool) -> int:
        before = bisect.bisect_left(self.starts, at) - 1  # the last replacement that starts before `at`
        if before < 0:
            return at
        span = self.spans[before]
        if at < self.ends[before]:
            return span.end if at_end else span.start
        return at - self.ends[before] + span.end


def fitted(data: bytes, spans: Sequence[Finding]) -> list[Finding]:
    """The disjoint, ordered `spans`, none of which cuts an escape sequence or a pair of brackets.

    `\\nina@…` in a literal loses its backslash too (else `\\<` would be no escape of any language); a backslash
    that ends a span is left to the quote or line end that it escapes. `[2025550143` is a list and a number.
    """
    whole: list[Finding] = []
    for span in spans:
        floor, start, end = whole[-1].end if whole else 0, span.start, span.end
        start, end = _without_brackets(data, start, end)
        start -= data[start : start + 1] in _ESCAPABLE and _backslashes(data, floor, start) % 2
        end -= end < len(data) and end - start > 1 and _backslashes(data, start, end) % 2
        whole.append(span._replace(start=start, end=end))
    return whole


def _without_brackets(data: bytes, start: int, end: int) -> tuple[int, int]:
    """[start, end) without brackets at its ends that belong to what is around it.

    An opening one whose partner is not inside; a closing one whose partner stands before, on the same line.
    """
    for _ in range(_BRACKETS):
        if end - start < 2 or data[start] not in _PAIRS or data.find(_PAIRS[data[start]], start, end) >= 0:
            break
        start += 1
    far = max(0, start - _AROUND)
    line = max(data.rfind(b"\n", far, start) + 1, far)
    for _ in range(_BRACKETS):
        if end - start < 2 or data[end - 1] not in _CLOSING:
            break
        opening, closing = _CLOSING[data[end - 1]], data[end - 1 : end]
        inside = data.count(opening, start, end) - data.count(closing, start, end)
        if inside >= 0 or data.count(opening, line, start) <= data.count(closing, line, start):
            break
        end -= 1
    return start, end


def _backslashes(data: bytes, floor: int, at: int) -> int:
    """How many backslashes stand directly before `at`, not looking before `floor`."""
    first = at
    while first > floor and data[first - 1] == _BACKSLASH:
        first -= 1
    return at - first


def substitute(
    data: bytes, spans: Sequence[Finding], placeholders: Mapping[str, str] | Sequence[bytes]
) -> Substitution:
    """`data` with each of the disjoint, ordered `spans` replaced: by its kind's placeholder, or by the one given."""
    if isinstance(placeholders, Mapping):
        placeholders = [placeholders[span.kind].encode() for span in spans]
    pieces: list[bytes] = []
    starts, ends, at, length = [], [], 0, 0
    for span, text in zip(spans, placeholders, strict=True):
        new = text + kept_layout(data, span)
        starts.append(length + span.start - at)
        length = starts[-1] + len(new)
        ends.append(length)
        pieces += [data[at : span.start], new]
        at = span.end
    pieces.append(data[at:])
    return Substitution(b"".join(pieces), spans, starts, ends)


def kept_layout(data: bytes, span: Finding) -> bytes:
    """What stays of `span`: its line ends, and the indentation of its last line if more text follows there."""
    ends = list(_LINE_END.finditer(data, span.start, span.end))
    if not ends:
        return b""
    follows = data[span.end : span.end + 1] not in _NOTHING
    indented = _INDENTATION.match(data, ends[-1].end(), span.end) if follows else None
    return b"".join(end[0] for end in ends) + (indented[0] if indented else b"")
