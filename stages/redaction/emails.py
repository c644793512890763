"""E-mail addresses: RFC 5321 dot-atoms with internationalised local parts and domains (RFC 6531).

Also details with `/` and `=` (`user+box/dept=sales@host.tld`, RFC 5233), names with an apostrophe
(`pat.o'neil@host.tld`), quoted local parts without white space, and address literals
(`user@[78.141.62.146]`, RFC 5321 §4.1.3).

Kept, because they name nobody: the domains of `Settings.keep_domains` (RFC 2606, RFC 6761), no-reply mailboxes, user
names of URLs and of scp-like remotes (`git@host:path`), package scopes and versions (`@types/node`, `core@7.9.6`),
labels (`this@Outer.field`), file names (`icon@2x.png`), expressions (`a@b.dot(c)`). At high sensitivity, obfuscated
addresses too (`name at host dot tld`), and quoted local parts with white space.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

from stages.redaction.addresses import address_class, parse
from stages.redaction.model import Finding, Rule, Window, words

# Vowel signs of Indic and South-East Asian scripts are no \w for `re`, but parts of words.
_SIGNS = "\u0300-\u036f\u0900-\u0963\u0981-\u0dff\u0e31-\u0e4e\u0eb1-\u0ecd\u102b-\u109d\u17b4-\u17d3"
_LOCAL = rf"[^\W_](?:[\w.+%~{_SIGNS}-]{{0,98}}[\w+%~{_SIGNS}-])?|_[\w.+%~-]{{0,98}}[\w+%~-]"
_LABEL = rf"[^\W_](?:[\w{_SIGNS}-]{{0,98}}[^\W_]|[{_SIGNS}]+)?"
_DOMAIN = rf"((?:{_LABEL}\.){{1,8}}(?:xn--[a-z0-9-]{{2,59}}|[^\W\d_](?:[^\W\d_]|[{_SIGNS}]){{1,23}}))(?![\w{_SIGNS}-])"
_DETAIL = r"[^\W_][\w.%~-]{0,60}\+[\w.+%~-]{1,60}(?:[/=][\w.+%~-]{1,60}){1,3}"
_ADDRESS = re.compile(rf"(?<![\w.+%~{_SIGNS}-])(?:{_DETAIL}|{_LOCAL})@{_DOMAIN}")
# b'…, u'…, r'… and f'… begin strings; o', d' and l' begin names.
_APOSTROPHE = re.compile(r"(?<![\w.+%~'-])(?:[\w.+-]{1,40}[._-])?[oOdDlL]'$")
_QUOTED = re.compile(rf'"(?:[^"\\\s]|\\[^\n]){{1,64}}"@{_DOMAIN}')
_QUOTED_SPACES = re.compile(rf'"[^"\\\n@]{{1,64}}"@{_DOMAIN}')
_LITERAL = re.compile(rf"(?<![\w.+%~{_SIGNS}-])(?:{_LOCAL})@\[((?:\d{{1,3}}\.){{3}}\d{{1,3}})\]")
_AT = r"\s?(?:\(at\)|\[at\]|\{at\}|<at>| at )\s?"
_DOT = r"\s?(?:\(dot\)|\[dot\]|\{dot\}| dot |\.)\s?"
_OBFUSCATED = re.compile(
    rf"(?<!\w)[\w.+-]{{1,64}}{_AT}\w[\w-]{{0,62}}(?:{_DOT}\w[\w-]{{0,62}}){{0,4}}{_DOT}[a-z]{{2,24}}\b", re.I
)
_IN_URL = re.compile(r"://[^\s/@]{0,128}$")
_REMOTE_PATH = re.compile(r":[\w~./-]")
_PORT = re.compile(r":\d{1,5}\b")

# Kotlin's labels of receivers and jumps.
_LABELS = frozenset(words("this super return break continue"))
_VERSION = re.compile(r"v?\d+(?:\.\d+|x\.)")
_NOBODY = frozenset(
    words("git hg svn bzr cvs noreply no-reply no_reply donotreply do-not-reply do_not_reply nobody mailer-daemon")
)
_FILE_TYPES = frozenset(
    words(
        "png jpg jpeg gif svg webp bmp ico tiff psd css scss sass less html htm js mjs cjs jsx ts tsx json xml yml "
        "yaml toml txt rst csv tsv zip tar gz tgz whl jar exe dll mp3 mp4 ttf woff woff2 eot vue php cpp hpp java "
        "class prototype length service timer socket target mount"
    )
)


def find_emails(window: Window) -> Iterator[Finding]:
    """Addresses in `window` that can name a person."""
    text = window.text
    for match in _ADDRESS.finditer(text):
        if not _is_decoy(window, match):
            yield window.finding(_start(text, match), match.end(), "EMAIL", "address")
    if '"@' in text:
        yield from _quoted(window)
    if "@[" in text:
        yield from _literals(window)
    if window.settings.level == 2:
        for match in _OBFUSCATED.finditer(text):
            yield window.finding(*match.span(), "EMAIL", "obfuscated")


def _quoted(window: Window) -> Iterator[Finding]:
    for match in (_QUOTED_SPACES if window.settings.level == 2 else _QUOTED).finditer(window.text):
        if not _is_kept(match[1], window.settings.keep_domains):
            yield window.finding(*match.span(), "EMAIL", "quoted")


def _literals(window: Window) -> Iterator[Finding]:
    for match in _LITERAL.finditer(window.text):
        address = parse(match[1])
        if address and address_class(address) not in window.settings.keep_addresses:
            yield window.finding(*match.span(), "EMAIL", "literal")


def _start(text: str, match: re.Match[str]) -> int:
    """Where the address begins: before the apostrophe of a name, if that is what stands before it."""
    start, end = match.span()
    if text[start - 1 : start] != "'" or text[end : end + 1] == "'":
        return start
    name = _APOSTROPHE.search(text, max(0, start - 44), start)
    return name.start() if name else start


def _is_decoy(window: Window, match: re.Match[str]) -> bool:
    text, (start, end) = window.text, match.span()
    local, domain = match[0].rsplit("@", 1)
    folded = local.lower()
    if (
        folded in _NOBODY
        or folded in _LABELS
        or domain.rpartition(".")[2].lower() in _FILE_TYPES
        or _is_kept(domain, window.settings.keep_domains)
    ):
        return True
    return not window.crowded and (
        _VERSION.match(domain) is not None
        or text[end : end + 1] in {"(", "["}
        or ".." in local
        or (_REMOTE_PATH.match(text, end) is not None and _PORT.match(text, end) is None)
        or _IN_URL.search(text, max(0, start - 140), start) is not None
    )


def _is_kept(domain: str, kept: tuple[str, ...]) -> bool:
    """Whether `domain` is one of `kept` or below one."""
    domain = f".{domain.lower()}"
    return domain.endswith(_suffixes(kept))


@functools.cache
def _suffixes(domains: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f".{domain}" for domain in domains)


EMAILS = Rule(
    name="email",
    kinds=("EMAIL",),
    triggers=(r'[A-Za-z0-9_.+%~"\x80-\xff\-]@[A-Za-z0-9\x80-\xff\[]',),
    find=find_emails,
)
OBFUSCATED_EMAILS = Rule(
    name="obfuscated-email",
    kinds=("EMAIL",),
    triggers=(r"[ (\[{<]at[ )\]}>]",),
    find=find_emails,
    level=2,
    caseless=True,
)
