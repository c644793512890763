"""Secrets that their context names: `password = …`, `"apiKey": "…"`, credentials in URLs and on command lines.

A finding is a name that says what it holds, a separator, and a value that could be a real one (`decoys`).
Values stand in quotes, or bare where the file's style is configuration; in code a bare value counts only
when it is no identifier. Lengths are bounded everywhere, so work is linear in the window.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stages.redaction.decoys import (
    entropy,
    is_digest,
    is_plausible_key,
    is_plausible_password,
    is_reference,
    is_template,
)
from stages.redaction.model import Finding, Rule, Window

_PASSWORD_WORDS = (
    r"pass(?:word|wd|phrase|code|wort)|pwd|passwd|kennwort|contrase(?:ñ|n)a|senha|haslo|пароль|密码|"
    r"(?<![a-z])(?:pass|pw|psw|pswd|mdp)(?![a-z])"
)
_KEY_WORDS = (
    r"secret|token|api[_\- ]?key|schlüssel|(?:access|auth|account|admin|app|client|consumer|deploy|encryption|"
    r"integration|license|master|priv|private|service|session|shared|signing|storage|subscription|webhook|write|"
    r"account|database|db|x|n)[_\-. ]?key|credential|bearer|seed|(?<![a-z])(?:_?auth|creds?|apitoken|sig(?:nature)?)(?![a-z])"
)
_WEAK_WORDS = r"(?<![a-z])(?:s?key|sid|api|auth(?:orization|entication)?)(?![a-z])|key|_?oauth"
_NAME = re.compile(rf"(?P<password>{_PASSWORD_WORDS})|(?P<key>{_KEY_WORDS})|(?P<weak>{_WEAK_WORDS})", re.I)
_NAME_CHARS = re.compile(r"[\w.\-]{0,64}")
_NAME_BEFORE = re.compile(r"[\w.\-$]{0,64}$")
_TAIL = re.compile(
    r"""(?P<close>\\?["'`\])}*]|&quot;|&\#3[49];){0,3}
        (?:\s{0,4}:\s{0,2}[A-Za-z][\w<>\[\]|?.]{0,30}(?=\s{0,4}=[^=]))?    # a type: `token: String = …`
        [ \t]{0,16}
        (?P<sep>:{1,3}=|[?+.|]{1,2}=|={1,3}>?|!==?|=>|->|<-|:|,|\(|>|[ \t])
        [ \t]{0,16}(?:@?[A-Za-z]{0,2}(?=[\"'`]))?\(?
        (?P<open>\\?(?P<quote>["'`])(?:(?P=quote){2})?|&quot;|&\#3[49];)?""",
    re.X,
)
_QUOTED = {
    '"': re.compile(r'((?:[^"\\\n]|\\[^\n]){1,4096})"'),
    "'": re.compile(r"((?:[^'\\\n]|\\[^\n]){1,4096})'"),
    "`": re.compile(r"([^`\\\n]{1,4096})`"),
}
_ESCAPED = re.compile(r"([^\"'`\\\n]{1,4096})\\[\"'`]")
_ENTITY = re.compile(r"([^&\"'\n]{1,4096})&(?:quot|#3[49]);")
_BARE = re.compile(r"[^\s\"'`<>]{4,4096}")
_BARE_IN_CODE = re.compile(r"[A-Za-z0-9+/_=.~\-]{16,4096}(?![\w(\[.])")

# Segments of a name that say the value is about a secret, not the secret.
_ABOUT = frozenset(
    "alias algorithm alg align class column count date desc description digest dir directory endpoint error expiry "
    "exp expires field file filename format function generator handler hash header help hint host id identifier ids "
    "index input interval kind label len length level limit link list location manager map max message method min "
    "mode name names namespace node option options page param parameter path pattern policy prefix prompt provider "
    "ref regex region required reset resolver role rule scheme scope size source status store strength style suffix "
    "template text timeout title ttl type uri url usage user username validation validator vault version view chars "
    "fingerprint checksum thumbprint public pub csrf xsrf csrftoken keyid bucket primary foreign cache sort partition "
    "translation i18n".split()
)
_SEGMENTS = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])|[^\W_a-zA-Z]+")

_URL_USER = re.compile(r"\b[a-z][a-z0-9+.\-]{1,30}://([^\s/:@\"'`<>]{0,128}):([^\s/@\"'`<>]{1,256})@([\w.\-\[]{1,253})", re.I)
_LOGIN_PAIR = re.compile(
    r"(?:auth|credentials?|login)\w{0,20}\s{0,4}[=:(]{1,2}\s{0,4}[(\[]?\s{0,4}([\"'])[^\"'\n]{1,128}\1\s{0,4},\s{0,4}([\"'])([^\"'\n]{4,128})\2", re.I
)
_CURL_USER = re.compile(r"(?<![\w-])(?:-u|--user)[ =][\"']?([\w.@+-]{1,64}):([^\s\"'@]{4,128})")
_NETRC = re.compile(r"\b(?:login|user|account)\s+\S{1,128}\s+(?:password|passwd)\s+(\S{4,256})", re.I)
_AWS_SECRET = re.compile(
    r"(?:aws|secret|sk)[\w.\-]{0,40}[\"'`\])]{0,2}\s{0,4}(?:=>|[=:,]|\()\s{0,4}[\"'`]?([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])", re.I
)


def find_assignments(window: Window) -> Iterator[Finding]:
    """Values in `window` that a name calls a password, key, token or secret."""
    text, at = window.text, 0
    while name := _NAME.search(text, at):
        rest = _NAME_CHARS.match(text, name.end())
        end = rest.end() if rest else name.end()
        at = max(end, name.end())
        tail = _TAIL.match(text, end)
        if tail is None:
            continue
        value = _value(text, tail, window.style, name.lastgroup or "weak")
        before = _NAME_BEFORE.search(text, max(0, name.start() - 64), name.start())
        full = (before[0] if before else "") + text[name.start() : end]
        if value and _accepts(full, name.lastgroup or "weak", text[slice(*value)], quoted=tail["open"] is not None):
            kind = "PASSWORD" if name.lastgroup == "password" else "KEY"
            yield window.finding(*value, kind, "assignment")
            at = max(at, value[1])


def find_credentials(window: Window) -> Iterator[Finding]:
    """Passwords in URLs, `("user", "password")` pairs, netrc lines, `curl -u`, and AWS secret keys."""
    text = window.text
    for match in _URL_USER.finditer(text):
        if _is_url_password(match[1], match[2], match[3]):
            yield window.finding(*match.span(2), "PASSWORD", "url")
    for rule, pattern in (("login-pair", _LOGIN_PAIR), ("curl-user", _CURL_USER), ("netrc", _NETRC)):
        for match in pattern.finditer(text):
            group = pattern.groups
            if is_plausible_password(match[group]):
                yield window.finding(*match.span(group), "PASSWORD", rule)
    for match in _AWS_SECRET.finditer(text):
        if "EXAMPLE" not in match[1] and not is_digest(match[1]) and entropy(match[1]) > 3.8:
            yield window.finding(*match.span(1), "KEY", "aws-secret-access-key")


def _value(text: str, tail: re.Match[str], style: str, group: str) -> tuple[int, int] | None:
    """Where the value after `tail` stands, or None."""
    start, opening = tail.end(), tail["open"]
    if opening:
        ending = _ENTITY if opening[0] == "&" else _ESCAPED if opening[0] == "\\" else _QUOTED[opening[-1]]
        match = ending.match(text, start)
        return match.span(1) if match else None
    if tail["sep"] in {"(", ","} or (tail["sep"] in {" ", "\t"} and style != "config"):
        return None
    if style == "code":
        match = _BARE_IN_CODE.match(text, start)
        return match.span() if match and any(char.isdigit() for char in match[0]) else None
    match = _BARE.match(text, start)
    if match is None:
        return None
    value = match[0].rstrip(",;)}]" if group != "password" else ",;")
    return start, start + len(value)


def _accepts(name: str, group: str, value: str, *, quoted: bool) -> bool:
    segments = [segment.lower() for segment in _SEGMENTS.findall(name)]
    if not segments or segments[-1] in _ABOUT or "public" in segments or "pub" in segments:
        return False
    if group == "password":
        return is_plausible_password(value)
    if group == "key":
        return is_plausible_key(value, least=8 if quoted else 12) and not _is_plain_identifier(value, segments)
    return is_plausible_key(value, least=16) and entropy(value) >= 3.3 and not is_digest(value)


def _is_plain_identifier(value: str, segments: list[str]) -> bool:
    """A digest or UUID is no secret where the name only loosely says so."""
    return is_digest(value) and not {"secret", "token", "api", "apikey", "key", "auth"} & set(segments)


def _is_url_password(user: str, password: str, host: str) -> bool:
    if password == user or is_template(password) or is_template(user) or is_reference(password):
        return False
    return is_plausible_password(password) or (len(password) >= 16 and is_plausible_key(password))


_WORDS_TRIGGER = (
    r"(?:pass|pwd|passwd|kennwort|contrase|senha|haslo|\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c|\xe5\xaf\x86\xe7\xa0\x81|"
    r"psw|mdp|secret|token|key|schl\xc3\xbcssel|credential|creds?|bearer|seed|auth|signature|api|sid)"
)
ASSIGNMENTS = Rule(
    name="assignment",
    kinds=("PASSWORD", "KEY"),
    triggers=(
        _WORDS_TRIGGER + r"[\w.\-]{0,64}[^\w\n][^\n]{0,40}[\"'`;][^\s\"'`\n<>$]{4}",
        _WORDS_TRIGGER + r"[\w.\-]{0,64}[\"'`\])]{0,3}[ \t]{0,8}[=:> \t]{1,4}[ \t]{0,8}[^\s\"'`\n<>(){}$,;]{8}",
        r"(?:pass|pwd|passwd|kennwort|\bpw)[\w.\-]{0,64}[ \t]{0,8}[=:][ \t]{0,8}[^\s\"'`\n<>(){}$,;]{4}",
    ),
    find=find_assignments,
    level=1,
    caseless=True,
)
CREDENTIALS = Rule(
    name="credentials",
    kinds=("PASSWORD", "KEY"),
    triggers=(
        r"://[^\s/@\"'`<>]{0,128}:[^\s/@\"'`<>]{1,256}@",
        r"(?:auth|credentials?|login)\w{0,20}\s{0,4}[=:(]{1,2}\s{0,4}[(\[]?\s{0,4}[\"'][^\"'\n]{1,128}[\"']\s{0,4},\s{0,4}[\"']",
        r"(?:-u|--user)[ =][\"']?[\w.@+\-]{1,64}:",
        r"(?:login|user|account)\s+\S{1,128}\s+(?:password|passwd)\s+\S{4}",
        r"(?:aws|secret|sk)[\w.\-]{0,40}[\"'`\])]{0,2}\s{0,4}(?:=>|[=:,]|\()\s{0,4}[\"'`]?[A-Za-z0-9/+]{40}",
    ),
    find=find_credentials,
    caseless=True,
)
