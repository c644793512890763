"""Find: what in a document is a secret or names a person.

One Vectorscan pass over the bytes of a document says which lines could hold what; only those lines are
decoded and looked at. Cost: about 10 ns a byte for a document without hits (Vectorscan twice, kingfisher
once), tens of microseconds for a line with hits.

Bounds, whatever the document: it is worked on in segments of SEGMENT bytes, cut at line ends (a longer line
is cut with SEGMENT_OVERLAP bytes of overlap); a line of more than WINDOW bytes is looked at in windows of WINDOW
bytes and MARGIN bytes on either side; detect-secrets has its own bounds (`plugins`). What costs more than a scan has a
share of each document: telephone numbers are asked of phonenumbers in the first EXACT_BYTES of windows, values are
judged at the first EXACT_HITS places, kingfisher is asked until then or until it has found MOST_TOKENS, and not about
segments with more than MOST_URLS URLs of users or MOST_SECRETS times the word `Secret`. From there on the form alone
decides, which redacts more: windows are looked at in blocks, and neighbours of one kind become one. So work is linear
in the length, and a value longer than MARGIN in a line longer than WINDOW may be found in part only.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from stages.redaction.addresses import IP_ADDRESSES, MAC_ADDRESSES
from stages.redaction.assignments import ASSIGNMENTS, CREDENTIALS, find_assignments, find_credentials
from stages.redaction.crowds import find_by_form
from stages.redaction.emails import EMAILS, OBFUSCATED_EMAILS
from stages.redaction.keyblocks import TRIGGERS as KEY_BLOCK_TRIGGERS
from stages.redaction.keyblocks import find_key_blocks
from stages.redaction.kingfisher import find_known_tokens
from stages.redaction.model import Finding, Rule, Window
from stages.redaction.names import NAMES
from stages.redaction.numbers import CARDS, IBANS, PHONES, find_phones
from stages.redaction.plugins import NOT_INI, Secret, scan_document
from stages.redaction.plugins import expressions as plugin_expressions
from stages.redaction.policy import SUPERSEDED, judge_kingfisher, judge_plugin
from stages.redaction.repeats import find_repeats
from stages.redaction.rewriting import is_rewritten
from stages.redaction.settings import Settings
from stages.redaction.structures import DOCUMENT_TRIGGERS, LINE_TRIGGERS, find_next_line, find_structures
from stages.redaction.tokens import token_rules
from stages.redaction.vectorscan import CASELESS, SINGLE, Expression, Hit, Patterns, in_characters
from stages.redaction.vendors import GLUED, SERVICES

SEGMENT = 1 << 18
SEGMENT_OVERLAP = 8_192
WINDOW = 4_096
MARGIN = 1_024
BLOCK = 16_384
EXACT_BYTES = 65_536
EXACT_HITS = 10_000
MOST_TOKENS = 2_000
MOST_URLS = 2_000
MOST_SECRETS = 1_000
_RULES_FROM = 1_000
_NEW_LINE = 0x0A
_KEY_BLOCK, _STRUCTURE, _NEXT_LINE = 901, 902, 903

_SECRETS = (*token_rules(), CREDENTIALS, ASSIGNMENTS, GLUED, SERVICES)
_PERSONAL = (EMAILS, OBFUSCATED_EMAILS, IP_ADDRESSES, MAC_ADDRESSES, PHONES, CARDS, IBANS, NAMES)
_JUDGES = frozenset({find_assignments, find_credentials, GLUED.find, SERVICES.find})
_WIDE: Mapping[int, Callable[[bytes], Iterable[Finding]]] = {_KEY_BLOCK: find_key_blocks, _STRUCTURE: find_structures}
_BETWEEN = b" \t,;:|/&()[]{}"
_CONFIG_NAMES = re.compile(
    r"\.(?:env|ini|cfg|cnf|conf|config|ya?ml|eyaml|properties|toml|tfvars|netrc|npmrc|pypirc|sh|bash|zsh|bat|ps1|"
    r"dist|local|htpasswd|credentials|envrc|yarnrc|gitconfig|curlrc|pgpass)$|^\.?(?:env|netrc|_netrc|npmrc|pypirc|credentials|"
    r"dockerfile|makefile|procfile|config|kubeconfig)(?:\.|$)|^\.env|^$",
    re.I,
)
# A word of every name that detect-secrets' keyword plugin or NAMES_OF_SECRETS knows.
_NAMES = re.compile(
    rb"(?:api|auth|service|account|db|database|priv|private|client|access|master|shared|session|encrypt\w{0,9}|sign\w{0,9})"
    rb"[_-]?key|key[_-]?pass|pass|pwd|secret|contrase|token|credential|bearer",
    re.I,
)
_PROSE_NAMES = re.compile(r"\.(?:md|rst|txt|adoc|org|log|html?|example|sample|template)$|^[^.]*$", re.I)


_Windows: TypeAlias = dict[tuple[int, int], list[int]]


@dataclasses.dataclass
class _Work:
    """What a document has cost so far: places looked at, bytes of windows with telephones, kingfisher's finds."""

    hits: int = 0
    phone_bytes: int = 0
    tokens: int = 0


def find_in_document(data: bytes, path: bytes, settings: Settings) -> list[Finding]:
    """All findings in `data` (UTF-8), byte offsets, sorted; overlaps stay."""
    name = path.decode("utf-8", "replace")
    found: set[Finding] = set()
    secrets = {"KEY", "PASSWORD"} & set(settings.kinds)
    databases = _databases(settings.kinds, settings.level)
    plugin_hits: list[Hit] = []
    work = _Work()
    wide: set[int] = set()
    for start, end in _segments(data):
        piece = data if end - start == len(data) else data[start:end]
        hits = [hit for database in databases for hit in database.scan(piece)]
        plugin_hits += [(start + end, number) for end, number in hits if number <= NOT_INI]
        found.update(_shift(_apply_rules(piece, hits, name, settings, work), start))
        found.update(_after_names(data, start, hits, work))
        wide |= {number for _, number in hits if number in _WIDE}
        if secrets and settings.kingfisher and _may_ask(piece, work):
            found.update(_shift(_known_tokens(piece, settings.level, work), start))
    for number in sorted(wide):
        found.update(_WIDE[number](data))
    if secrets and (
        any(number != NOT_INI for _, number in plugin_hits) or _must_parse(data, name, plugin_hits, settings.level)
    ):
        found.update(_plugin_findings(data, name, plugin_hits, settings))
    found.update(tuple(find_repeats(data, found)))
    return sorted(finding for finding in found if finding.kind in settings.kinds)


@functools.cache
def _rules(kinds: tuple[str, ...], level: int) -> dict[int, Rule]:
    """Rules that can report one of `kinds` at `level`, by expression number."""
    rules = (rule for rule in (*_SECRETS, *_PERSONAL) if rule.level <= level and set(rule.kinds) & set(kinds))
    return dict(enumerate(rules, start=_RULES_FROM))


@functools.cache
def _databases(kinds: tuple[str, ...], level: int) -> tuple[Patterns, ...]:
    """Databases for detect-secrets, our secrets, personal data: small ones in sequence beat one large one."""
    secrets: list[Expression] = []
    personal: list[Expression] = []
    for number, rule in _rules(kinds, level).items():
        group = secrets if rule in _SECRETS else personal
        group += [Expression(trigger, number, CASELESS if rule.caseless else 0) for trigger in rule.triggers]
    if {"KEY", "PASSWORD"} & set(kinds):
        secrets += [Expression(trigger, _KEY_BLOCK, SINGLE) for trigger in KEY_BLOCK_TRIGGERS]
        if level:
            secrets += [Expression(trigger, _STRUCTURE, SINGLE) for trigger in DOCUMENT_TRIGGERS]
            secrets += [Expression(trigger, _NEXT_LINE) for trigger in LINE_TRIGGERS]
        plugins = plugin_expressions(("none", "named", "all")[level], SUPERSEDED)
    else:
        plugins = ()
    return Patterns(plugins), Patterns(tuple(secrets)), Patterns(tuple(personal))


def _segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Stretches of about SEGMENT bytes that together cover `data`, cut at line ends where there are any."""
    start, size = 0, len(data)
    while size - start > SEGMENT:
        end = data.rfind(b"\n", start + SEGMENT_OVERLAP, start + SEGMENT) + 1
        if end:
            yield start, end
            start = end
        else:
            end = _boundary(data, start + SEGMENT)
            yield start, end
            start = _boundary(data, end - SEGMENT_OVERLAP)
    yield start, size


def _boundary(data: bytes, at: int) -> int:
    """`at`, moved back to the first byte of a character."""
    while 0 < at < len(data) and data[at] & 0xC0 == 0x80:
        at -= 1
    return at


def _shift(findings: Iterable[Finding], by: int) -> Iterator[Finding]:
    if by == 0:
        yield from findings
        return
    for start, end, kind, detector, rule in findings:
        yield Finding(start + by, end + by, kind, detector, rule)


def _apply_rules(data: bytes, hits: Sequence[Hit], name: str, settings: Settings, work: _Work) -> Iterator[Finding]:
    rules = _rules(settings.kinds, settings.level)
    file_name = name.rpartition("/")[2].lower()
    style = "config" if _CONFIG_NAMES.search(file_name) else "prose" if _PROSE_NAMES.search(file_name) else "code"
    for start, end, places, crowded in _blocks(_windows(data, hits), work):
        finds = {rules[number].find for number in places}
        if find_phones in finds:
            work.phone_bytes += end - start
        hurried = crowded or work.phone_bytes > EXACT_BYTES
        text = data[start:end].decode("utf-8", "replace")
        window = Window(text, start, style, file_name, settings, hurried, crowded)
        if not crowded:
            for find in finds:
                yield from (one for one in find(window) if not _is_cut(data, one, start, end))
            continue
        if finds & _JUDGES:
            finds = finds - _JUDGES | {find_by_form}
        yield from _joined(data, sorted(one for find in finds for one in find(window)))


def _is_cut(data: bytes, finding: Finding, start: int, end: int) -> bool:
    """Whether a short finding ends where the window [start, end) cuts its line: `27.0.0.1` of 127.0.0.1.

    The next window holds the whole of it, far from its ends.
    """
    left = finding.start == start and start > 0 and data[start - 1] != _NEW_LINE
    right = finding.end == end and end < len(data) and data[end] != _NEW_LINE
    return (left or right) and finding.end - finding.start < MARGIN


def _blocks(windows: _Windows, work: _Work) -> Iterator[tuple[int, int, set[int], bool]]:
    """Each window with its rules; once the document is crowded, windows that are close together as one."""
    block: tuple[int, int, set[int], bool] | None = None
    for (start, end), places in windows.items():
        crowded = work.hits > EXACT_HITS
        work.hits += len(places)
        if not crowded:
            yield start, end, set(places), False
        elif block and end - block[0] <= BLOCK and start <= block[1] + WINDOW:
            block = (block[0], max(end, block[1]), block[2].union(places), True)
        else:
            if block:
                yield block
            block = (start, end, set(places), True)
    if block:
        yield block


def _joined(data: bytes, findings: Iterable[Finding]) -> Iterator[Finding]:
    """`findings` (sorted), those of one kind joined that at most three bytes of punctuation or white space part."""
    last: Finding | None = None
    for one in findings:
        if (
            last
            and last.kind == one.kind
            and one.start <= last.end + 3
            and not data[last.end : one.start].strip(_BETWEEN)
        ):
            last = last._replace(end=max(last.end, one.end))
            continue
        if last:
            yield last
        last = one
    if last:
        yield last


def _windows(data: bytes, hits: Iterable[Hit]) -> _Windows:
    """Stretches of text to look at, each with the rules that were hit there, once for every hit."""
    slots: dict[tuple[int, int, int], list[int]] = {}
    start = end = at = -1
    numbers: list[int] = []
    for place, number in sorted(hits):
        if number < _RULES_FROM:
            continue
        last = place - 1
        if last >= at or last < start:
            if last >= end or last < start:
                start = data.rfind(b"\n", 0, last) + 1
                end = data.find(b"\n", last)
                end = len(data) if end < 0 else max(end, last + 1)
            slot = (last - start) // WINDOW if end - start > WINDOW else -1
            at = end if slot < 0 else min(end, start + (slot + 1) * WINDOW)
            numbers = slots.setdefault((start, end, slot), [])
        numbers.append(number)
    return {_bounds(data, *key): numbers for key, numbers in slots.items()}


def _bounds(data: bytes, start: int, end: int, slot: int) -> tuple[int, int]:
    """The whole line [start, end) for slot -1, else the slot-th WINDOW of it with a MARGIN on either side."""
    if slot < 0:
        return start, end
    middle = start + slot * WINDOW
    return _boundary(data, max(start, middle - MARGIN)), _boundary(data, min(end, middle + WINDOW + MARGIN))


def _after_names(data: bytes, start: int, hits: Iterable[Hit], work: _Work) -> Iterator[Finding]:
    """Values that the line before names, in the segment at `start`, as long as the document is not crowded."""
    for place in sorted({end for end, number in hits if number == _NEXT_LINE}):
        work.hits += 1
        if work.hits > EXACT_HITS:
            return
        yield from find_next_line(data, start + place)


def _may_ask(piece: bytes, work: _Work) -> bool:
    """Whether kingfisher is still asked in this document; see the bounds of the module."""
    return work.tokens < MOST_TOKENS and work.hits <= EXACT_HITS and _few_traps(piece)


def _few_traps(piece: bytes) -> bool:
    """Whether `piece` holds few enough URLs with users and Kubernetes Secrets; kingfisher takes long over each."""
    return min(piece.count(b"://"), piece.count(b"@")) <= MOST_URLS and piece.count(b"Secret") <= MOST_SECRETS


def _known_tokens(data: bytes, level: int, work: _Work) -> Iterator[Finding]:
    for finding in find_known_tokens(data):
        work.tokens += 1
        value = data[finding.start : finding.end].decode("utf-8", "replace")
        if judge_kingfisher(finding.rule, value, level=level):
            yield finding


def _must_parse(data: bytes, name: str, hits: Sequence[Hit], level: int) -> bool:
    """Whether a file without hits must be rewritten: only a name brings values to light that its lines do not show.

    At high sensitivity bare entropy counts, so every such file is rewritten.
    """
    rewritten = is_rewritten(data, name, not_ini=any(number == NOT_INI for _, number in hits))
    return rewritten and (level == 2 or _NAMES.search(data) is not None)


def _plugin_findings(data: bytes, name: str, hits: Sequence[Hit], settings: Settings) -> Iterator[Finding]:
    text = data.decode()
    to_bytes = _same if len(text) == len(data) else functools.partial(_byte_offset, text)
    lines = None
    for secret in scan_document(text, name, in_characters(data, sorted(hits))):
        lines = _line_starts(text) if lines is None else lines
        for start, end in _locate(text, lines, secret):
            line = _line_at(text, start, end)
            kind = judge_plugin(secret.type, text[start:end], line, level=settings.level, name=name)
            if kind:
                rule = secret.type.lower().replace(" ", "-")
                yield Finding(to_bytes(start), to_bytes(end), kind, "detect-secrets", rule)


def _same(offset: int) -> int:
    return offset


def _byte_offset(text: str, offset: int) -> int:
    return len(text[:offset].encode())


_NEWLINE = re.compile(r"\r\n?|\n")


def _line_starts(text: str) -> list[int]:
    return [0, *(match.end() for match in _NEWLINE.finditer(text))]


def _line_at(text: str, start: int, end: int) -> str:
    left = max(text.rfind("\n", 0, start) + 1, start - WINDOW)
    right = text.find("\n", end)
    return text[left : min(len(text) if right < 0 else right, end + WINDOW)]


def _locate(text: str, lines: Sequence[int], secret: Secret) -> Iterator[tuple[int, int]]:
    """Where the value of `secret` stands in `text`: at its columns, else near its line, else anywhere."""
    number = min(secret.line, len(lines))  # a YAML file that is rewritten may gain lines
    begin = lines[number - 1]
    if secret.start >= 0:
        yield begin + secret.start, begin + secret.end
        return
    until = lines[number + 1] if number + 1 < len(lines) else len(text)
    after = lines[max(number - 2, 0)]
    for value in (secret.value, secret.value.replace('\\"', '"')):
        pattern = re.compile(r"\s+".join(re.escape(part) for part in value.split()))
        spans = [match.span() for match in pattern.finditer(text, after, until)] or (
            [match.span() for match in pattern.finditer(text)] if len(value) >= 6 else []
        )
        if spans and value.strip():
            yield from spans
            return
