"""E-mail addresses: RFC 5321 dot-atoms with internationalised local parts and domains (RFC 6531).

Kept, because they name nobody: reserved domains (RFC 2606, RFC 6761), no-reply mailboxes, user names of
URLs and of scp-like remotes (`git@host:path`), package scopes and versions (`@types/node`, `core@7.9.6`),
file names (`icon@2x.png`), expressions (`a@b.dot(c)`). At high sensitivity, obfuscated addresses too
(`name at host dot tld`) and quoted local parts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stages.redaction.model import Finding, Rule, Window, words

# Vowel signs of Indic and South-East Asian scripts are no \w for `re`, but parts of words.
_SIGNS = "\u0300-\u036f\u0900-\u0963\u0981-\u0dff\u0e31-\u0e4e\u0eb1-\u0ecd\u102b-\u109d\u17b4-\u17d3"
_LOCAL = rf"[^\W_](?:[\w.+%~{_SIGNS}-]{{0,98}}[\w+%~{_SIGNS}-])?|_[\w.+%~-]{{0,98}}[\w+%~-]"
_LABEL = rf"[^\W_](?:[\w{_SIGNS}-]{{0,98}}[^\W_]|[{_SIGNS}]+)?"
_ADDRESS = re.compile(
    rf"(?<![\w.+%~{_SIGNS}-])(?:{_LOCAL})@((?:{_LABEL}\.){{1,8}}(?:xn--[a-z0-9-]{{2,59}}|[^\W\d_]{{2,24}}))(?![\w-])"
)
_LITERAL = re.compile(r"(?<![\w.+%~-])[\w.+%~-]{1,64}@\[?(?:\d{1,3}\.){3}\d{1,3}\]?(?![\w.])")
_QUOTED = re.compile(rf'"[^"\\\n@]{{1,64}}"@((?:{_LABEL}\.){{1,8}}[^\W\d_]{{2,24}})(?![\w-])')
_AT = r"\s?(?:\(at\)|\[at\]|\{at\}|<at>| at )\s?"
_DOT = r"\s?(?:\(dot\)|\[dot\]|\{dot\}| dot |\.)\s?"
_OBFUSCATED = re.compile(
    rf"(?<!\w)[\w.+-]{{1,64}}{_AT}\w[\w-]{{0,62}}(?:{_DOT}\w[\w-]{{0,62}}){{0,4}}{_DOT}[a-z]{{2,24}}\b", re.I
)
_IN_URL = re.compile(r"://[^\s/@]{0,128}$")
_REMOTE_PATH = re.compile(r":[\w~./-]")
_PORT = re.compile(r":\d{1,5}\b")

_RESERVED = re.compile(
    r"(?:^|\.)(?:example\.(?:com|org|net|edu)|example|test|invalid|localhost|local|localdomain)$", re.I
)
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
        if not _is_decoy(text, match):
            yield window.finding(*match.span(), "EMAIL", "address")
    if window.settings.level == 2:
        for rule, pattern in (("quoted", _QUOTED), ("obfuscated", _OBFUSCATED)):
            for match in pattern.finditer(text):
                yield window.finding(*match.span(), "EMAIL", rule)


def _is_decoy(text: str, match: re.Match[str]) -> bool:
    start, end = match.span()
    local, domain = match[0].rsplit("@", 1)
    top = domain.rpartition(".")[2].lower()
    return (
        local.lower() in _NOBODY
        or top in _FILE_TYPES
        or _RESERVED.search(domain) is not None
        or (domain[0].isdigit() and re.match(r"\d+(?:\.\d+|x\.)", domain) is not None)
        or text[end : end + 1] in {"(", "["}
        or _IN_URL.search(text[max(0, start - 140) : start]) is not None
        or (_REMOTE_PATH.match(text, end) is not None and _PORT.match(text, end) is None)
        or ".." in local
    )


EMAILS = Rule(
    name="email",
    kinds=("EMAIL",),
    triggers=(r'[A-Za-z0-9_.+%~"\x80-\xff\-]@[A-Za-z0-9\x80-\xff]',),
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
