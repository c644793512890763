"""Secrets that stand on other lines than their names: Kubernetes Secrets, netrc entries, values on the next line.

Looks at whole documents, because a window is one line. Three structures:
- a YAML document of `kind: Secret`: every value under `data:` and `stringData:` (certificates, which are public, and
  templates stay);
- a netrc `machine … login … password …` entry, written over several lines;
- a name that promises a secret, its separator, and the value alone on the next line (string or block scalar).
Bounds: a Secret is read for 64 KiB behind its `data:`, a value of the next line for 1,200 bytes; work is linear.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from stages.redaction.assignments import judge_value
from stages.redaction.decoys import is_plausible_password, is_template
from stages.redaction.model import Finding

DOCUMENT_TRIGGERS = (
    r"^[ \t]*[\"']?kind[\"']?:[ \t]*[\"']?[sS]ecret[\"']?[ \t]*\r?$",
    r"machine\s{1,8}\S{1,128}\s{1,32}(?:login|account)\s{1,8}\S{1,128}\s{1,32}password\s",
)
# These end inside the line of the value; the name is on the line before.
LINE_TRIGGERS = (
    r"(?i)(?:key|token|secret|passw(?:or)?d|pwd)[\"'\])]{0,3}[ \t]{0,8}[=:(][=:( \t\\]{0,6}\r?\n[ \t]{0,80}"
    r"[\"'`][^\s\"'`<>]{8}",
    r"(?i)(?:key|token|secret|passw(?:or)?d|pwd)[\"']?:[ \t]{0,8}[|>]?[+\-]?[ \t]{0,8}\r?\n[ \t]{0,80}[^\s\"'`<>]{8}",
)

_SECRET = re.compile(rb"^[ \t]*[\"']?kind[\"']?:[ \t]*[\"']?secret[\"']?[ \t]*\r?$", re.M | re.I)
_END = re.compile(rb"^---", re.M)
_DATA = re.compile(rb"^(?P<indent>[ \t]*)[\"']?(?:data|stringData)[\"']?:[ \t]*\r?\n", re.M)
_LINE = re.compile(rb"(?P<indent>[ \t]*)(?P<text>[^\r\n]*)\r?\n?")
_ENTRY = re.compile(rb"[\"']?[\w.\-/]{1,253}[\"']?:[ \t]*(?P<value>[^\r\n]*)")
_BLOCK = re.compile(rb"[|>][+\-0-9]*[ \t]*(?:#.*)?$")
_CERTIFICATE = (b"LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t", b"-----BEGIN CERTIFICATE")
_LONGEST = 65_536
_MOST_JUDGED = 5_000  # netrc entries; all that stands in further ones goes
_LONGEST_LINE = 1_200
_NETRC = re.compile(
    rb"\bmachine\s{1,8}\S{1,128}\s{1,32}(?:login|account)\s{1,8}\S{1,128}\s{1,32}password\s{1,8}(\S{4,256})"
)
_NAME = rb"(?:key|token|secret|passw(?:or)?d|pwd)"
_NEXT_LINES = (
    re.compile(
        _NAME + rb"[\"'\])]{0,3}[ \t]{0,8}[=:(][=:( \t\\]{0,6}\r?\n[ \t]{0,80}"
        rb"(?P<quote>[\"'`])(?P<value>[^\s\"'`<>]{8,1024})(?P=quote)[ \t;,)]{0,4}\r?$",
        re.I | re.M,
    ),
    re.compile(
        _NAME + rb"[\"']?:[ \t]{0,8}[|>]?[+\-]?[ \t]{0,8}\r?\n[ \t]{0,80}"
        rb"(?P<value>(?=(?:[^\s\d]{0,200}\d){2})[^\s\"'`<>{}()\[\]]{8,1024})[ \t]{0,8}\r?$",
        re.I | re.M,
    ),
)
_NAME_BEFORE = re.compile(rb"[\w.\-]{0,64}" + _NAME, re.I)


def find_structures(data: bytes) -> Iterator[Finding]:
    """Every value in the document `data` (UTF-8) of a Kubernetes Secret, and every password of a netrc entry."""
    for start, end in _secret_values(data):
        yield Finding(start, end, "KEY", "gristmill", "kubernetes-secret")
    for number, match in enumerate(_NETRC.finditer(data)):
        value = match[1]
        if number >= _MOST_JUDGED or is_plausible_password(value.decode("utf-8", "replace")):
            yield Finding(*match.span(1), "PASSWORD", "gristmill", "netrc")


def find_next_line(data: bytes, place: int) -> Iterator[Finding]:
    """The value on the line of `place` (where a match of LINE_TRIGGERS ends) that the line before names."""
    line = data.rfind(b"\n", 0, place)
    start = max(data.rfind(b"\n", 0, max(line, 0)) + 1, line - _LONGEST_LINE)
    end = data.find(b"\n", place, place + _LONGEST_LINE)
    stop = min(len(data), place + _LONGEST_LINE) if end < 0 else end
    for match in chain.from_iterable(pattern.finditer(data, start, stop) for pattern in _NEXT_LINES):
        name, value = _name_at(data, match.start()), match["value"].decode("utf-8", "replace")
        kind = judge_value(name, value, quoted=True)
        if kind:
            yield Finding(*match.span("value"), kind, "gristmill", "next-line")


def _name_at(data: bytes, at: int) -> str:
    """The name whose last word begins at `at`."""
    start = at
    while at - start < 64 and start and (data[start - 1 : start].isalnum() or data[start - 1 : start] in b"_.-"):
        start -= 1
    name = _NAME_BEFORE.match(data, start)
    return name[0].decode("utf-8", "replace") if name else ""


def _secret_values(data: bytes) -> Iterator[tuple[int, int]]:
    """Values of the mappings `data` and `stringData` of every YAML document that is a Secret."""
    start = 0
    while start < len(data):
        end = _END.search(data, start + 3)
        stop = end.start() if end else len(data)
        if _SECRET.search(data, start, stop):
            for match in _DATA.finditer(data, start, stop):
                yield from _values(data, match.end(), min(stop, match.end() + _LONGEST), len(match["indent"]))
        start = stop


def _values(data: bytes, start: int, stop: int, indent: int) -> Iterator[tuple[int, int]]:
    """The values of the block mapping that begins at `start`, indented by more than `indent`."""
    at, block = start, -1
    while at < stop and (line := _LINE.match(data, at, stop)) and line.end() > at:
        at, depth, text = line.end(), len(line["indent"]), line["text"].rstrip()
        if not text or text.startswith(b"#"):
            continue
        if depth <= indent:
            return
        if 0 <= block < depth:
            yield from _value(line.start("text"), text)
            continue
        entry = _ENTRY.match(data, line.start("text"), line.end("text"))
        is_block = entry is not None and _BLOCK.match(entry["value"]) is not None
        block = depth if is_block else -1
        if entry and not is_block:
            yield from _value(entry.start("value"), entry["value"])


def _value(start: int, text: bytes) -> Iterator[tuple[int, int]]:
    value = re.sub(rb"[ \t]+#.*$", b"", text).rstrip()
    if len(value) >= 2 and value[:1] in b"\"'" and value[-1:] == value[:1]:
        start, value = start + 1, value[1:-1]
    plain = value.decode("utf-8", "replace")
    if len(value) >= 4 and not value.startswith(_CERTIFICATE) and not is_template(plain) and plain[:1] not in "[{&*!":
        yield start, start + len(value)
