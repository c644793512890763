"""What stands in the place of each span: placeholders, with or without numbers, or documentation addresses.

- `<EMAIL>`: the placeholder of the span's kind (`Settings.placeholders`).
- `<EMAIL_1>`, `<EMAIL_2>` with `Settings.number`: equal values have equal numbers, in order of their first place.
  A value that two detectors call differently bears the kind of its first place. Numbers that the text already
  holds are not given again, so that a text redacted earlier keeps its meaning.
- `192.0.2.1` with `Settings.ip_style = documentation`: addresses of RFC 5737 and 3849 in order of first place, equal
  addresses (however they are spelled) alike, none that the text holds already. When the 762 of version 4 are used
  up, and for a span that is no single address, the placeholder stands.
- `"<PHONE>"`, in quotes: where the span is a bare number or word in a language in which `<PHONE>` is no value
  (QUOTES), so that the document stays valid. `{"phone": 2025550143}` becomes `{"phone": "<PHONE>"}`.

Invariants: a function of text, spans, file name and settings; what is written is recognised by `recogniser` or
kept by the detectors, so that redacting again changes nothing. Cost: linear in the text between spans.
"""

from __future__ import annotations

import dataclasses
import functools
import ipaddress
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from stages.redaction.model import Finding, words
from stages.redaction.settings import Settings

_LINE_END = re.compile(rb"[\r\n]+")
_LITERAL = re.compile(rb"[0-9A-Za-z_][0-9A-Za-z_.]*")
_BEFORE_VALUE = re.compile(rb"(?:[=:,(\[{]|\b(?:return|case))[ \t]*$")
_COMMENT = re.compile(rb"[ \t]*(?:#|//|--|/?\*)")
_QUOTE_OR_ESCAPE = re.compile(rb"\\.|[\"'`]", re.S)
_WORD = re.compile(rb"[\w.\"'`\x80-\xff]")
_ADDRESS = re.compile(rb"[0-9A-Fa-f:.]{6,45}")
_BEFORE = 64  # bytes before a value that say that it is one

QUOTES: Mapping[str, bytes] = MappingProxyType(
    {
        "sql": b"'",
        **dict.fromkeys(
            words(
                "json jsonc json5 jsonl ndjson geojson ipynb har webmanifest toml py pyi pyx rb js mjs cjs jsx ts tsx "
                "mts cts vue go java kt kts scala groovy gradle c h cc cpp cxx hpp hh cs m mm swift dart rs php pl pm "
                "lua r jl ex exs erl hs clj fs"
            ),
            b'"',
        ),
    }
)
"""By file extension: the quote that makes a string of what stands in it."""


def recogniser(settings: Settings) -> re.Pattern[bytes]:
    """Matches every placeholder of `settings`, numbered or not."""
    return _recogniser(frozenset(settings.placeholders.values()))


@functools.cache
def _recogniser(texts: frozenset[str]) -> re.Pattern[bytes]:
    stems = "|".join(sorted(re.escape(text[1:-1]) for text in texts))
    return re.compile(rf"<(?:{stems})(?:_[0-9]{{1,9}})?>".encode())


@dataclasses.dataclass
class Numbers:
    """The numbers of one text, or of several that share them: which are given to which value, by placeholder."""

    settings: Settings
    taken: set[str] = dataclasses.field(default_factory=set)
    given: dict[bytes, tuple[str, str]] = dataclasses.field(default_factory=dict, repr=False)
    counters: dict[str, Iterator[int]] = dataclasses.field(default_factory=dict)

    def reserve(self, text: bytes) -> None:
        """Never give what `text` already holds."""
        self.taken.update(match[0].decode() for match in recogniser(self.settings).finditer(text))

    def name(self, value: bytes, kind: str) -> tuple[str, str]:
        """(kind, placeholder) of `value`, which is called `kind` here."""
        key = _LINE_END.sub(b"\n", value)
        if key not in self.given:
            plain = next(text for of, text in self.settings.placeholders.items() if of == kind)
            counter = self.counters.setdefault(plain, itertools.count(1))
            free = (f"{plain[:-1]}_{number}>" for number in counter)
            self.given[key] = kind, next(text for text in free if text not in self.taken)
        return self.given[key]


def replacements(
    data: bytes, spans: Sequence[Finding], name: str, settings: Settings
) -> tuple[list[Finding], list[bytes]]:
    """(`spans` with the kinds they bear, what stands for each) in the file `name`; disjoint spans in order."""
    named, texts = _named(data, spans, settings)
    if settings.ip_style == "documentation":
        texts = _documentation(data, named, texts)
    quote = QUOTES.get(name.rpartition(".")[2].lower())
    return named, texts if quote is None else list(_quoted(data, named, texts, quote))


def _named(data: bytes, spans: Sequence[Finding], settings: Settings) -> tuple[list[Finding], list[bytes]]:
    if not settings.number:
        plain: dict[str, bytes] = {str(kind): text.encode() for kind, text in settings.placeholders.items()}
        return list(spans), [plain[span.kind] for span in spans]
    numbers = Numbers(settings)
    numbers.reserve(data)
    given = [numbers.name(data[span.start : span.end], span.kind) for span in spans]
    named = [span._replace(kind=kind) for span, (kind, _) in zip(spans, given, strict=True)]
    return named, [text.encode() for _, text in given]


def _documentation(data: bytes, spans: Sequence[Finding], texts: Sequence[bytes]) -> list[bytes]:
    """`texts` with documentation addresses for the spans that are addresses."""
    held = {match[0].rstrip(b".:").lower() for match in _ADDRESS.finditer(data)}
    free = {4: _unheld(_version_4(), held), 6: _unheld((f"2001:db8::{n:x}" for n in itertools.count(1)), held)}
    given: dict[ipaddress.IPv4Address | ipaddress.IPv6Address, bytes | None] = {}
    chosen = []
    for span, text in zip(spans, texts, strict=True):
        address = _address(data[span.start : span.end]) if span.kind == "IP_ADDRESS" else None
        if address is not None and address not in given:
            given[address] = next(free[address.version], None)
        chosen.append((given[address] if address is not None else None) or text)
    return chosen


def _version_4() -> Iterator[str]:
    """The hosts of TEST-NET-1, -2 and -3 (RFC 5737)."""
    return (f"{net}.{host}" for net in ("192.0.2", "198.51.100", "203.0.113") for host in range(1, 255))


def _unheld(addresses: Iterable[str], held: set[bytes]) -> Iterator[bytes]:
    return (text for text in (address.encode() for address in addresses) if text not in held)


def _address(value: bytes) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that `value` spells, its zone left out; None if it is none."""
    try:
        return ipaddress.ip_address(value.decode("ascii").partition("%")[0])
    except ValueError:
        return None


def _quoted(data: bytes, spans: Sequence[Finding], texts: Sequence[bytes], quote: bytes) -> Iterator[bytes]:
    """`texts`, in quotes where the span is a bare value."""
    strings = _Strings(data)
    for span, text in zip(spans, texts, strict=True):
        bare = _is_bare(data, span) and not strings.inside(span.start)
        yield quote + text + quote if bare else text


def _is_bare(data: bytes, span: Finding) -> bool:
    """Whether `span` is a whole literal or word in a place where a value is expected."""
    if not _LITERAL.fullmatch(data, span.start, span.end) or _WORD.match(data, span.end):
        return False
    far = max(0, span.start - _BEFORE)
    line = max(data.rfind(b"\n", far, span.start) + 1, far)
    before = data[line : span.start]
    if _COMMENT.match(before):
        return False
    return _BEFORE_VALUE.search(before) is not None or (not before.strip() and _ends_expecting(data, line))


def _ends_expecting(data: bytes, line: int) -> bool:
    """Whether the text before `line` ends with what a value follows: a list over several lines."""
    return data[max(0, line - _BEFORE) : line].rstrip()[-1:] in {b"=", b":", b",", b"(", b"[", b"{"}


@dataclasses.dataclass
class _Strings:
    """Whether a place lies in a string literal that began on its line; asked for ascending places."""

    data: bytes = dataclasses.field(repr=False)
    at: int = 0
    opened: bytes = b""

    def inside(self, place: int) -> bool:
        line = self.data.rfind(b"\n", self.at, place) + 1
        if line:
            self.at, self.opened = line, b""
        for match in _QUOTE_OR_ESCAPE.finditer(self.data, self.at, place):
            if match[0] in (b'"', b"'", b"`"):
                self.opened = b"" if self.opened == match[0] else self.opened or match[0]
        self.at = place
        return bool(self.opened)
