"""Find: what in a document is a secret or names a person.

One Vectorscan pass over the bytes of a document says which lines could hold what; only those lines are
decoded and looked at. Cost: about 10 ns a byte for a document without hits (Vectorscan twice, kingfisher
once), tens of microseconds for a line with hits.

Bounds, whatever the document: it is worked on in segments of SEGMENT bytes, cut at line ends (a longer line
is cut with SEGMENT_OVERLAP bytes of overlap); a line of more than WINDOW bytes is looked at in windows of
about that length that overlap by half; detect-secrets has its own bounds (`plugins`); after EXACT_BYTES
of windows in a segment telephone numbers are told by their form alone, which redacts more. So work is linear
in the length, and a value longer than WINDOW / 2 in a line longer than WINDOW may be found in part only.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Sequence

from stages.redaction.addresses import IP_ADDRESSES, MAC_ADDRESSES
from stages.redaction.assignments import ASSIGNMENTS, CREDENTIALS
from stages.redaction.emails import EMAILS, OBFUSCATED_EMAILS
from stages.redaction.keyblocks import TRIGGERS as KEY_BLOCK_TRIGGERS
from stages.redaction.keyblocks import find_key_blocks
from stages.redaction.kingfisher import find_known_tokens
from stages.redaction.model import Finding, Rule, Window
from stages.redaction.numbers import CARDS, IBANS, PHONES
from stages.redaction.plugins import NOT_INI, Secret, scan_document
from stages.redaction.plugins import expressions as plugin_expressions
from stages.redaction.policy import judge_kingfisher, judge_plugin
from stages.redaction.repeats import find_repeats
from stages.redaction.rewriting import is_rewritten
from stages.redaction.settings import Settings
from stages.redaction.structures import DOCUMENT_TRIGGERS, LINE_TRIGGERS, find_next_line, find_structures
from stages.redaction.tokens import token_rules
from stages.redaction.vectorscan import CASELESS, SINGLE, Expression, Hit, Patterns, in_characters
from stages.redaction.vendors import GLUED, SERVICES

SEGMENT = 1 << 20
SEGMENT_OVERLAP = 8_192
WINDOW = 4_096
EXACT_BYTES = 131_072
_RULES_FROM = 1_000
_KEY_BLOCK, _STRUCTURE, _NEXT_LINE = 901, 902, 903

_SECRETS = (*token_rules(), CREDENTIALS, ASSIGNMENTS, GLUED, SERVICES)
_PERSONAL = (EMAILS, OBFUSCATED_EMAILS, IP_ADDRESSES, MAC_ADDRESSES, PHONES, CARDS, IBANS)
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


def find_in_document(data: bytes, path: bytes, settings: Settings) -> list[Finding]:
    """All findings in `data` (UTF-8), byte offsets, sorted; overlaps stay."""
    name = path.decode("utf-8", "replace")
    found: set[Finding] = set()
    secrets = {"KEY", "PASSWORD"} & set(settings.kinds)
    databases = _databases(settings.kinds, settings.level)
    plugin_hits: list[Hit] = []
    structured = False
    for start, end in _segments(data):
        piece = data if end - start == len(data) else data[start:end]
        hits = [hit for database in databases for hit in database.scan(piece)]
        plugin_hits += [Hit(start + hit.end, hit.number) for hit in hits if hit.number <= NOT_INI]
        found.update(_shift(_apply_rules(piece, hits, name, settings), start))
        if any(hit.number == _KEY_BLOCK for hit in hits):
            found.update(find_key_blocks(data))
        structured = structured or any(hit.number == _STRUCTURE for hit in hits)
        for place in {hit.end for hit in hits if hit.number == _NEXT_LINE}:
            found.update(find_next_line(data, start + place))
        if secrets and settings.kingfisher:
            found.update(_shift(_known_tokens(piece, settings.level), start))
    if structured:
        found.update(find_structures(data))
    if secrets and (
        any(hit.number != NOT_INI for hit in plugin_hits) or _must_parse(data, name, plugin_hits, settings.level)
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
        plugins = plugin_expressions(("none", "named", "all")[level])
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
    return (finding._replace(start=finding.start + by, end=finding.end + by) for finding in findings)


def _apply_rules(data: bytes, hits: Sequence[Hit], name: str, settings: Settings) -> Iterator[Finding]:
    rules = _rules(settings.kinds, settings.level)
    file_name = name.rpartition("/")[2].lower()
    style = "config" if _CONFIG_NAMES.search(file_name) else "prose" if _PROSE_NAMES.search(file_name) else "code"
    done = 0
    for (start, end), numbers in _windows(data, hits).items():
        done += end - start
        text = data[start:end].decode("utf-8", "replace")
        window = Window(text, start, style, file_name, settings, hurried=done > EXACT_BYTES)
        for number in sorted(numbers):
            yield from rules[number].find(window)


def _windows(data: bytes, hits: Iterable[Hit]) -> dict[tuple[int, int], set[int]]:
    """Stretches of text to look at, each with the rules that were hit there."""
    slots: dict[tuple[int, int, int], set[int]] = {}
    start = end = -1
    for place, number in sorted(hits):
        if number < _RULES_FROM:
            continue
        last = place - 1
        if last >= end or last < start:
            start = data.rfind(b"\n", 0, last) + 1
            end = data.find(b"\n", last)
            end = len(data) if end < 0 else max(end, last + 1)
        slot = (last - start) // (WINDOW // 2) if end - start > WINDOW else -1
        slots.setdefault((start, end, slot), set()).add(number)
    return {_bounds(data, *key): numbers for key, numbers in slots.items()}


def _bounds(data: bytes, start: int, end: int, slot: int) -> tuple[int, int]:
    """The whole line [start, end) for slot -1, else the slot-th half WINDOW of it with a quarter on either side."""
    if slot < 0:
        return start, end
    middle, quarter = start + slot * (WINDOW // 2), WINDOW // 4
    left = max(start, middle - quarter)
    return _boundary(data, left), _boundary(data, min(end, middle + 3 * quarter))


def _known_tokens(data: bytes, level: int) -> Iterator[Finding]:
    for finding in find_known_tokens(data):
        value = data[finding.start : finding.end].decode("utf-8", "replace")
        if judge_kingfisher(finding.rule, value, level=level):
            yield finding


def _must_parse(data: bytes, name: str, hits: Sequence[Hit], level: int) -> bool:
    """Whether a file without hits must be rewritten: only a name brings values to light that its lines do not show.

    At high sensitivity bare entropy counts, so every such file is rewritten.
    """
    rewritten = is_rewritten(data, name, not_ini=any(hit.number == NOT_INI for hit in hits))
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
    begin = lines[min(secret.line, len(lines)) - 1]
    if secret.start >= 0:
        yield begin + secret.start, begin + secret.end
        return
    until = lines[secret.line + 1] if secret.line + 1 < len(lines) else len(text)
    after = lines[max(secret.line - 2, 0)]
    for value in (secret.value, secret.value.replace('\\"', '"')):
        pattern = re.compile(r"\s+".join(re.escape(part) for part in value.split()))
        spans = [match.span() for match in pattern.finditer(text, after, until)] or (
            [match.span() for match in pattern.finditer(text)] if len(value) >= 6 else []
        )
        if spans and value.strip():
            yield from spans
            return
