"""Numbers that name a person or an account: payment cards, IBANs, telephone numbers.

Cards: Luhn check (ISO/IEC 7812-1 annex B) and issuer ranges; ranges that random numbers fall into often
(Maestro, 13 digits) need a word for a card on the line. IBANs: ISO 13616 mod-97. Telephone numbers: the
phonenumbers library; international form anywhere, national forms beside a word for a telephone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import phonenumbers
from phonenumbers import Leniency, PhoneNumberMatcher

from stages.redaction.model import Finding, Rule, Window, without_placeholders

_CARD = re.compile(r"(?<![\w.\-/+])\d(?:[ \-]?\d){11,18}(?![\w\-]|\.\d)")
_CARD_CUE = re.compile(r"card|credit|debit|visa|master|maestro|amex|payment|(?<![a-z])(?:cc|pan)(?![a-z])", re.I)
_GROUPS = re.compile(r"\d+(?:([ \-])\d+)?(?:\1\d+)*")
# Issuer identification ranges: prefix pattern, lengths.
_ISSUERS = (
    (r"4", (16,)),
    (r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720", (16,)),
    (r"3[47]", (15,)),
    (r"6011|64[4-9]|65", (16, 19)),
    (r"352[89]|35[3-8]", (16,)),
    (r"62|81", (16, 17, 18, 19)),
    (r"5019|6759|676[1-3]", (16,)),
)
_WEAK_ISSUERS = (
    (r"4", (13, 19)),
    (r"30[0-5]|3[689]", (14,)),
    (r"35", (16,)),
    (r"2131|1800", (15,)),
    (r"50|5[678]|6[0-9]", tuple(range(12, 20))),
)


def _by_length(ranges: Sequence[tuple[str, Sequence[int]]]) -> dict[int, re.Pattern[str]]:
    """One expression of all prefixes for each length."""
    lengths = {length for _, each in ranges for length in each}
    return {length: re.compile("|".join(prefix for prefix, each in ranges if length in each)) for length in lengths}


_ISSUED = _by_length(_ISSUERS)
_ISSUED_OR_WEAK = _by_length(_ISSUERS + _WEAK_ISSUERS)
_SEPARATOR = re.compile(r"[ \-]")
_VALUES = bytes.maketrans(b"0123456789", bytes(range(10)))
_DOUBLED = bytes.maketrans(bytes(range(10)), bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))

_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?(?!\w)")

_PHONE_CUE = re.compile(
    r"(?<![a-z])(?:phone|tele?phone|tel|telefon[eo]?|mobile?|mob|cell(?:ular)?|handy|fax|"
    r"whats ?app|sms|hotline|телефон)|phone",
    re.I,
)
_NAMED_PHONE = re.compile(
    r"(?:phone|tel|telefon[eo]?|mobile?|fax|whats ?app|телефон)(?:_?(?:number|no|num|nr))?"
    r"[\"'`\])]{0,3}\s{0,4}(?:[:=,>.|?]{1,4}|is\b)[=>]?\s{0,4}[\"'`]{0,3}"
    r"(\+?\(?\d[\d ().\-/]{4,18}\d)(?![\w.\-])",
    re.I,
)
_ANY_PHONE = re.compile(r"(?<![\w+.)\]])\+[1-9][\d ().\-]{6,18}\d(?![\w.])")
_INTERNATIONAL = re.compile(r"(?<![\w+.)\]])(?:\+|00)[1-9(]")
_NORTH_AMERICAN = re.compile(
    r"(?<![\w.\-/+(])(?:1[ .\-])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[ .\-])[2-9]\d\d[ .\-]\d{4}(?![\w\-]|\.\d)"
)
_LONGEST_PHONE_TEXT = 6_144  # a window with its overlap
_MOST_TRIES = 64  # candidates that phonenumbers refuses before it gives a line up


def find_cards(window: Window) -> Iterator[Finding]:
    """Payment card numbers."""
    cued = _CARD_CUE.search(without_placeholders(window.text)) is not None
    for match in _CARD.finditer(window.text):
        digits = match[0].replace(" ", "").replace("-", "")
        if _issued(digits, cued=cued) and luhn(digits) and _grouped_like_card(match[0]):
            yield window.finding(*match.span(), "CREDIT_CARD", "luhn")


def find_ibans(window: Window) -> Iterator[Finding]:
    """International bank account numbers."""
    for match in _IBAN.finditer(window.text):
        if mod97(match[0].replace(" ", "")):
            yield window.finding(*match.span(), "IBAN", "mod97")


def find_phones(window: Window) -> Iterator[Finding]:
    """Telephone numbers: international ones, and national ones where the line says `phone`."""
    if window.hurried:
        yield from _by_form(window, window.text)
        return
    text = window.text[:_LONGEST_PHONE_TEXT]
    cue = _PHONE_CUE.search(without_placeholders(text))
    cued = cue is not None
    if _INTERNATIONAL.search(text):
        for found in PhoneNumberMatcher(text, None, leniency=Leniency.POSSIBLE, max_tries=_MOST_TRIES):
            if _INTERNATIONAL.match(text, found.start) and _written_as_phone(text, found, cued=cued):
                yield window.finding(found.start, found.end, "PHONE", "international")
    if cue:
        yield from _national(window, text, cue.start())
        yield from _named(window, text)
    else:
        for match in _NORTH_AMERICAN.finditer(text):
            if _valid_in("US", match[0]):
                yield window.finding(*match.span(), "PHONE", "national")


def luhn(digits: str) -> bool:
    """The Luhn check: doubled every second digit from the right, digit sums add up to a multiple of ten."""
    if not digits.isascii():
        return False
    values = digits.encode().translate(_VALUES)
    return (sum(values[-1::-2]) + sum(values[-2::-2].translate(_DOUBLED))) % 10 == 0


def mod97(iban: str) -> bool:
    """ISO 13616: country and check digits moved to the end, letters as 10-35, the number is 1 modulo 97."""
    return int("".join(str(int(char, 36)) for char in iban[4:] + iban[:4])) % 97 == 1


def _issued(digits: str, *, cued: bool) -> bool:
    prefixes = (_ISSUED if not cued else _ISSUED_OR_WEAK).get(len(digits))
    return prefixes is not None and prefixes.match(digits) is not None and len(set(digits)) > 2


def _grouped_like_card(text: str) -> bool:
    """No separators, or groups of at least four digits (the last may be shorter), as cards are printed."""
    if text.isdigit():
        return True
    return _GROUPS.fullmatch(text) is not None and all(4 <= len(group) <= 7 for group in _SEPARATOR.split(text)[:-1])


def _by_form(window: Window, text: str) -> Iterator[Finding]:
    """Everything that looks like a telephone number, without asking phonenumbers."""
    for match in _ANY_PHONE.finditer(text):
        yield window.finding(*match.span(), "PHONE", "form")
    yield from _named(window, text)


def _named(window: Window, text: str) -> Iterator[Finding]:
    """Whatever digits stand where a name says `phone`, six to fifteen of them (ITU-T E.164's limit)."""
    for match in _NAMED_PHONE.finditer(text):
        digits = re.sub(r"\D", "", match[1])
        if 6 <= len(digits) <= 15 and len(set(digits)) > 2:
            yield window.finding(*match.span(1), "PHONE", "named")


def _national(window: Window, text: str, after: int) -> Iterator[Finding]:
    """Numbers in the national form of a region of the settings, within 40 characters of a telephone word."""
    for region in window.settings.phone_regions:
        for found in PhoneNumberMatcher(text, region, leniency=Leniency.VALID, max_tries=_MOST_TRIES):
            cue = _PHONE_CUE.search(without_placeholders(text), max(after, found.start - 60), found.start)
            near = cue is not None and found.start - cue.end() <= 40
            if near and text[max(0, found.start - 1) : found.start] not in {".", "-", "_", "/"}:
                yield window.finding(found.start, found.end, "PHONE", "national")


def _written_as_phone(text: str, found: phonenumbers.PhoneNumberMatch, *, cued: bool) -> bool:
    """Without a telephone word, a number must be valid and stand by itself, or be grouped as telephone numbers are."""
    if cued:
        return True
    if not found.raw_string.startswith("+"):
        return False
    if re.search(r"\d[ .()/\-]+\d+[ .()/\-]+\d", found.raw_string):
        return True
    around = text[max(0, found.start - 1) : found.start] + text[found.end : found.end + 1]
    return phonenumbers.is_valid_number(found.number) and not around.strip(" \t\r\n\"'`<>|,;:")


def _valid_in(region: str, text: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(text, region))
    except phonenumbers.NumberParseException:
        return False


CARDS = Rule(
    name="card",
    kinds=("CREDIT_CARD",),
    triggers=(r"(?:^|[^0-9A-Za-z_.\-/+])[1-68][0-9]{3}[ \-]?[0-9]{2}(?:[ \-]?[0-9]){6,13}(?:$|[^0-9A-Za-z_])",),
    find=find_cards,
)
IBANS = Rule(name="iban", kinds=("IBAN",), triggers=(r"[A-Z]{2}[0-9]{2} ?[A-Z0-9]{4} ?[A-Z0-9]{4}",), find=find_ibans)
PHONES = Rule(
    name="phone",
    kinds=("PHONE",),
    triggers=(
        r"(?:^|[^0-9A-Za-z_+.)\]])\+[1-9(][0-9 ().\-/]{6}",
        r"(?:phone|fax|(?:^|[^a-z])(?:tel|mob|cell|handy|whats ?app|sms|hotline)|"
        r"\xd1\x82\xd0\xb5\xd0\xbb\xd0\xb5\xd1\x84)[^\n]{0,60}[0-9(][0-9 ().\-/]{5}",
        r"(?:^|[^0-9A-Za-z_.\-/+])\(?[2-9][0-9]{2}[) .\-]{1,2}[2-9][0-9]{2}[ .\-][0-9]{4}",
    ),
    find=find_phones,
    caseless=True,
)
