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
decides, which redacts more: the text is looked at in blocks, and neighbours of one kind become one; after MOST_VALUES
values (no file of a megabyte has as many, unless it is a bare list of them) all that are within FLOOD_GAP bytes of each
other. So work is linear in the length, and a value longer than MARGIN in a line longer than WINDOW may be found in
part only.
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
MOST_VALUES = 50_000
FLOOD_GAP = 64
MOST_PLUGIN_HITS = 200_000
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
_NAMES = Patterns(
    (
        Expression(
            r"(?:api|auth|service|account|db|database|priv|private|client|access|master|shared|session|"
            r"encrypt[0-9A-Za-z_]{0,9}|sign[0-9A-Za-z_]{0,9})[_-]?key|key[_-]?pass|pass|pwd|secret|contrase|token|"
            r"credential|bearer",
            0,
            CASELESS | SINGLE,
        ),
    )
)
_PROSE_NAMES = re.compile(r"\.(?:md|rst|txt|adoc|org|log|html?|example|sample|template)$|^[^.]*$", re.I)


_Windows: TypeAlias = dict[tuple[int, int], list[int]]


@dataclasses.dataclass
class _Work:
    """What a document has cost so far: places looked at, values found there, bytes with telephones, kingfisher's finds.

    `wide` are the detectors of whole documents that it needs.
    """

    hits: int = 0
    values: int = 0
    phone_bytes: int = 0
    tokens: int = 0
    wide: set[int] = dataclasses.field(default_factory=set)

    @property
    def crowded(self) -> bool:
        return self.hits > EXACT_HITS

    @property
    def flooded(self) -> bool:
        return self.values > MOST_VALUES


def find_in_document(data: bytes, path: bytes, settings: Settings) -> list[Finding]:
    """All findings in `data` (UTF-8), byte offsets, sorted; overlaps stay."""
    name = path.decode("utf-8", "replace")
    found: set[Finding] = set()
    secrets = {"KEY", "PASSWORD"} & set(settings.kinds)
    plugins, *databases = _databases(settings.kinds, settings.level)
    plugin_hits: list[Hit] = []
    work = _Work()
    for start, end in _segments(data, SEGMENT, SEGMENT_OVERLAP):
        piece = data if end - start == len(data) else data[start:end]
        if len(plugin_hits) < MOST_PLUGIN_HITS:
            plugin_hits += [(start + place, number) for place, number in plugins.scan(piece)]
        if work.crowded:
            found.update(_apply_to_blocks(data, (start, end), name, settings, work))
            continue
        hits = [hit for database in databases for hit in database.scan(piece)]
        work.wide |= {number for _, number in hits if number in _WIDE}
        found.update(_shift(_apply_rules(piece, hits, name, settings, work), start))
        found.update(_after_names(data, start, hits, work))
        if secrets and settings.kingfisher and _may_ask(piece, work):
            found.update(_shift(_known_tokens(piece, settings.level, work), start))
    for number in sorted(work.wide):
        found.update(_WIDE[number](data))
    if secrets and (
        any(number != NOT_INI for _, number in plugin_hits) or _must_parse(data, name, plugin_hits, settings.level)
    ):
        found.update(_plugin_findings(data, name, plugin_hits, settings))
    found.update(tuple(find_repeats(data, found)))
    ordered = sorted(finding for finding in found if finding.kind in settings.kinds)
    return [*ordered[:MOST_VALUES], *_joined(data, ordered[MOST_VALUES:], flooded=True)]


@functools.cache
def _rules(kinds: tuple[str, ...], level: int) -> dict[int, Rule]:
    """Rules that can report one of `kinds` at `level`, by expression number."""
    rules = (rule for rule in (*_SECRETS, *_PERSONAL) if rule.level <= level and set(rule.kinds) & set(kinds))
    return dict(enumerate(rules, start=_RULES_FROM))


@functools.cache
def _single_databases(kinds: tuple[str, ...], level: int) -> tuple[Patterns, ...]:
    """`_databases` but the first, which say once for a text that an expression matches it."""
    return tuple(
        Patterns(tuple(one._replace(flags=one.flags | SINGLE) for one in patterns.expressions))
        for patterns in _databases(kinds, level)[1:]
    )


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


def _segments(data: bytes, most: int, overlap: int, within: tuple[int, int] | None = None) -> Iterator[tuple[int, int]]:
    """Stretches of about `most` bytes that together cover `data` (or what is `within`), cut at line ends if any."""
    start, size = within or (0, len(data))
    while size - start > most:
        end = data.rfind(b"\n", start + overlap, start + most) + 1
        if end:
            yield start, end
            start = end
        else:
            end = _boundary(data, start + most)
            yield start, end
            start = _boundary(data, end - overlap)
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
    """What the rules find in the windows of their `hits`; by blocks from where the document is crowded."""
    rules = _rules(settings.kinds, settings.level)
    file_name, style = _style(name)
    for (start, end), places in _windows(data, hits).items():
        if work.crowded:
            yield from _apply_to_blocks(data, (start, len(data)), name, settings, work)
            return
        work.hits += len(places)
        finds = {rules[number].find for number in places}
        if find_phones in finds:
            work.phone_bytes += end - start
        text = data[start:end].decode("utf-8", "replace")
        window = Window(text, start, style, file_name, settings, hurried=work.phone_bytes > EXACT_BYTES)
        for find in finds:
            for one in find(window):
                if not _is_cut(data, one, start, end):
                    work.values += 1
                    yield one


def _apply_to_blocks(
    data: bytes, within: tuple[int, int], name: str, settings: Settings, work: _Work
) -> Iterator[Finding]:
    """What the form alone tells in blocks of a stretch of a crowded document; neighbours become one."""
    rules = _rules(settings.kinds, settings.level)
    file_name, style = _style(name)
    for start, end in _segments(data, BLOCK, MARGIN, within):
        block = data[start:end]
        databases = _single_databases(settings.kinds, settings.level)
        numbers = {number for database in databases for _, number in database.scan(block)}
        work.wide |= numbers & _WIDE.keys()
        finds = {rules[number].find for number in numbers & rules.keys()}
        finds = finds - _JUDGES | {find_by_form} if finds & _JUDGES else finds
        text = block.decode("utf-8", "replace")
        window = Window(text, start, style, file_name, settings, hurried=True, crowded=True)
        found = list(_joined(data, sorted(one for find in finds for one in find(window)), flooded=work.flooded))
        work.values += len(found)
        yield from found


def _style(path: str) -> tuple[str, str]:
    """The file's name in lower case, and how values stand in such a file: see `Window`."""
    name = path.rpartition("/")[2].lower()
    return name, "config" if _CONFIG_NAMES.search(name) else "prose" if _PROSE_NAMES.search(name) else "code"


def _is_cut(data: bytes, finding: Finding, start: int, end: int) -> bool:
    """Whether a short finding ends where the window [start, end) cuts its line: `27.0.0.1` of 127.0.0.1.

    The next window holds the whole of it, far from its ends.
    """
    left = finding.start == start and start > 0 and data[start - 1] != _NEW_LINE
    right = finding.end == end and end < len(data) and data[end] != _NEW_LINE
    return (left or right) and finding.end - finding.start < MARGIN


def _joined(data: bytes, findings: Iterable[Finding], *, flooded: bool) -> Iterator[Finding]:
    """`findings` (sorted), joined where at most three bytes of punctuation or white space part two of one kind.

    In a flooded document any that are at most FLOOD_GAP bytes apart are joined.
    """
    group: Finding | None = None
    until = -1
    for one in findings:
        if group and (one.start <= until + FLOOD_GAP if flooded else _touch(data, group.kind, until, one)):
            until = max(until, one.end)
            continue
        if group:
            yield group if group.end == until else group._replace(end=until)
        group, until = one, one.end
    if group:
        yield group if group.end == until else group._replace(end=until)


def _touch(data: bytes, kind: str, end: int, one: Finding) -> bool:
    return one.kind == kind and one.start <= end + 3 and not data[end : one.start].strip(_BETWEEN)


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
        if work.crowded:
            return
        yield from find_next_line(data, start + place)


def _may_ask(piece: bytes, work: _Work) -> bool:
    """Whether kingfisher is still asked in this document; see the bounds of the module."""
    return work.tokens < MOST_TOKENS and not work.crowded and _few_traps(piece)


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
    return rewritten and (level == 2 or bool(_NAMES.scan(data)))


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
    right = text.find("\n", end, end + WINDOW)
    return text[left : end + WINDOW if right < 0 else right]


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
