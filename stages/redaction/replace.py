"""Replace: merge findings into spans and put placeholders in their place, touching nothing else.

Findings that overlap become one span over all of them; its kind, detector and rule are those of the widest
finding (ties: earliest, then by KIND_ORDER, detector, rule). Spans that only touch stay apart. Line ends
inside a span are kept after its placeholder, so that line numbers stay true.
"""

from __future__ import annotations

import bisect
import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from stages.redaction.model import Finding

KIND_ORDER = ("KEY", "PASSWORD", "CREDIT_CARD", "IBAN", "EMAIL", "PHONE", "IP_ADDRESS", "MAC_ADDRESS", "NAME")
_LINE_END = re.compile(rb"\r\n?|\n")


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
        start, end = span.start, span.end
        if data[start : start + 1] == b"\n" and data[start - 1 : start] == b"\r":
            start += 1
        last = data.rfind(b"\r", start, end)
        lone = last >= 0 and last + 1 < end and b"\n" not in data[last:end] and data[end : end + 1] == b"\n"
        for left, right in ((start, last), (last + 1, end)) if lone else ((start, end),):
            if left < right:
                yield span._replace(start=left, end=right)


@dataclasses.dataclass(frozen=True)
class Substitution:
    """A text with placeholders, and where each span went: `starts` and `ends` cover placeholder and kept line ends."""

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


def substitute(data: bytes, spans: Sequence[Finding], placeholders: Mapping[str, str]) -> Substitution:
    """`data` with each of the disjoint, ordered `spans` replaced by its kind's placeholder."""
    pieces: list[bytes] = []
    starts, ends, at, length = [], [], 0, 0
    for span in spans:
        new = placeholders[span.kind].encode() + kept_line_ends(data, span)
        starts.append(length + span.start - at)
        length = starts[-1] + len(new)
        ends.append(length)
        pieces += [data[at : span.start], new]
        at = span.end
    pieces.append(data[at:])
    return Substitution(b"".join(pieces), spans, starts, ends)


def kept_line_ends(data: bytes, span: Finding) -> bytes:
    """The line ends inside `span`, which stay."""
    return b"".join(_LINE_END.findall(data, span.start, span.end))
