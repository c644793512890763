"""Secrets that their context names: `password = …`, `"apiKey": "…"`, credentials in URLs and on command lines.

A finding is a name that says what it holds, a separator, and a value that could be a real one (`decoys`).
Values stand in quotes, or bare where the file's style is configuration; in code a bare value counts only
when it is no identifier. Lengths are bounded everywhere, so work is linear in the window.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import TypeAlias

from stages.redaction.decoys import (
    entropy,
    has_digit,
    is_alphabet,
    is_counting,
    is_digest,
    is_noise,
    is_plausible_key,
    is_plausible_password,
    is_reference,
    is_template,
    is_test_vector,
)
from stages.redaction.model import Finding, Rule, Window, words

# Words of names, lower case. Each alternative starts with a plain letter, which lets `re` skip quickly.
_PASSWORD_WORDS = (
    "pass(?:word|wd|phrase|code|wort|wrd)",
    "ps{1,2}w(?:o?r)?d",
    "paswo?r?d",
    "pwd",
    "kennwort",
    "contrase(?:ñ|n)a",
    "senha",
    "haslo",
    "пароль",
    "密码",
    *(rf"{word}(?<![a-z]{word})(?![a-z])" for word in ("pass", "pw", "psw", "mdp")),
)
_KEY_OWNERS = words(
    "access account admin api app auth client consumer database db deploy encryption integration license master n "
    "priv private service session shared signing storage subscription webhook write x"
)
_KEY_WORDS = (
    "secret",
    "token",
    "schlüssel",
    *(rf"{owner}[_\-. ]?key" for owner in _KEY_OWNERS),
    "credential",
    "bearer",
    "seed",
    *(rf"{word}(?<![a-z]{word})(?![a-z])" for word in ("auth", "cred", "creds")),
)
_WEAK_WORDS = (
    "key",
    "oauth",
    *(
        rf"{word}(?<![a-z]{word})(?![a-z])"
        for word in (
            "sid",
            "sig",
            "signature",
            "authorization",
            "authentication",
            "access",
            "private",
            "license",
            "licence",
        )
    ),
)
_NAME = re.compile("|".join((*_PASSWORD_WORDS, *_KEY_WORDS, *_WEAK_WORDS)))
_IS_PASSWORD = re.compile("|".join(("pass", "pw", "ps{1,2}w", "pasw", "mdp", *_PASSWORD_WORDS[3:10])))
_IS_WEAK = re.compile("key|oauth|sid|sig|signature|authorization|authentication|access|private|licen[sc]e")
_NAME_CHARS = re.compile(r"[\w.\-]{0,64}")
_NAME_BEFORE = re.compile(r"[\w.\-$]{0,64}$")
_ARN = re.compile(r"arn:[\w\-]{1,16}:[\w:\-]{1,100}$")  # arn:aws:secretsmanager:…:secret:NAME
_TAIL = re.compile(
    r"""(?P<close>\\?["'`\])}*]|&quot;|&\#3[49];){0,3}
        (?:\s{0,4}:\s{0,2}[A-Za-z][\w<>\[\]|?.]{0,30}(?=\s{0,4}=[^=]))?    # a type: `token: String = …`
        [ \t]{0,16}
        (?P<sep>:{1,3}=|[?+.|]{1,2}=|={1,3}>?|!==?|=>|->|<-|:|,|\(|>|[-|](?=[ \t])|\||[ \t])
        [ \t]{0,16}(?:@?[A-Za-z]{0,2}(?=[\"'`]))?\(?
        (?P<open>\\?(?P<quote>["'`])(?:(?P=quote){2})?|&quot;|&\#3[49];)?""",
    re.X,
)
_QUOTED = {
    '"': re.compile(r'((?:[^"\\\n]|\\[^\n]){1,1024})"'),
    "'": re.compile(r"((?:[^'\\\n]|\\[^\n]){1,1024})'"),
    "`": re.compile(r"([^`\\\n]{1,1024})`"),
}
_ESCAPED = re.compile(r"([^\"'`\\\n]{1,1024})\\[\"'`]")
_ENTITY = re.compile(r"([^&\"'\n]{1,1024})&(?:quot|#3[49]);")
_BARE = re.compile(r"[^\s\"'`<>]{4,512}")
_ELEMENT = re.compile(r"([^<>\n]{4,1024})</")
_SPACED = re.compile(r"([A-Za-z0-9+/_=.~\-]{20,512})(?![\w(\[])")
# Values of one window that are judged and refused before the rest of it is let be; bounds the work on hostile lines.
_MOST_REFUSALS, _FEW_REFUSALS = 100, 8
# What may follow a word of a name: its plural, another word, or the words that compounds are made with.
_ENDS = re.compile(r"s?(?:(?![a-z])|(?:key|token|secret|value|string|base|data|code|pass|auth|hash|id|for|of))")
_ENGLISH = re.compile(r"(?:mon|don|tur|hoc|joc|whis|hot|s[lh]i)keys?$")
_LOOSE = frozenset(" \t-|")  # what stands between a name and its value in prose, tables and logs
_DIGIT = re.compile(r"[0-9]")
_FLAG = re.compile(r"(?<!\S)--[\w.\-]*$")
_FLAG_VALUE = re.compile(r"([^\s\"'`<>]{4,512})")
_BARE_IN_CODE = re.compile(r"[A-Za-z0-9+/_=.~\-]{16,512}(?![\w(\[.])")

# Segments of a name that say the value is about a secret, not the secret.
_ABOUT = frozenset(
    words(
        "alias algorithm alg align class column count date desc description digest dir directory endpoint error "
        "expiry exp expires field file filename format function generator handler hash header help hint host id "
        "identifier ids index input interval kind label len length level limit link list location manager map max "
        "message method min mode name names namespace node option options page param parameter path pattern policy "
        "prefix prompt provider ref regex region required reset resolver role rule scheme scope size source status "
        "store strength style suffix template text timeout title ttl type uri url usage user username validation "
        "validator vault version view chars uuid guid fingerprint checksum thumbprint public pub csrf xsrf csrftoken "
        "keyid bucket primary translation i18n pem crt cer der txt json yml yaml arn"
    )
)
_NOT_SECRET = frozenset(words("public pub publishable csrf xsrf csrftoken crumb"))
# Tokens that hold a place in a list or name a request, and keys that name an entry: they open nothing.
_BOOKMARKS = frozenset(
    words(
        "next page continuation request change cursor sync idempotency start starting marker resume pagination lock "
        "scroll"
    )
)
_ENTRIES = frozenset(
    words(
        "s3 object foreign partition cache sort routing row dict group column index map registry hash range shard "
        "lookup json idempotency message event hot tools composite natural unique candidate"
    )
)
# Calls that take something else to pieces or ask for it.
_ASKING = re.compile(
    r"(?:get|split|parse|strip|remove|find|read|load|input|ask|prompt|hide|mask|has|is)(?![a-z]{0,2}$)", re.I
)
_WEAK_LAST = frozenset(
    words("sid sig signature auth authorization authentication access private license licence oauth")
)
_SEGMENTS = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])|[^\W_a-zA-Z]+")

_URL_USER = re.compile(r"\b[a-z][a-z0-9+.\-]{1,30}://([^\s/:@\"'`<>]{0,128}):([^\s/@\"'`<>]{1,256})@[\w.\-\[]", re.I)
_LOGIN_PAIR = re.compile(
    r"(?:auth|credentials?|login)\w{0,20}\s{0,4}[=:(]{1,2}\s{0,4}[(\[]?\s{0,4}([\"'])[^\"'\n]{1,128}\1\s{0,4},\s{0,4}([\"'])([^\"'\n]{4,128})\2"
    r"\s{0,4}[)\]]",
    re.I,
)
_CURL_USER = re.compile(r"(?<![\w-])(?:-u|--user)[ =][\"']?([\w.@+-]{1,64}):([^\s\"'@]{4,128})")
_NETRC = re.compile(r"\b(?:login|user|account)\s+\S{1,128}\s+(?:password|passwd)\s+(\S{4,256})", re.I)
# A setting of a connection string or of an address: `…;Password=…;`, `…&password=…`.
_CONNECTION = re.compile(
    r"=[^;?&\s\"'`]{1,128}[;?&]\s?(?:password|passwd|pwd)\s?=\s?([^\s;&\"'`<>\\]{4,256})(?=[;&\"'`\\\s]|$)|"
    r"[?;&](?:password|passwd|pwd)=([^\s;&\"'`<>\\]{4,256})(?=[;&\"'`\\\s]|$)",
    re.I,
)
_LOGIN_COMMAND = re.compile(
    r"(?<![\w-])(?:(?:docker|podman|helm|oras|crane|skopeo|az|oc|cf)\s[^\n]{0,120}?login\b[^\n]{0,200}?\s-p[ =]|"
    r"(?:mysql|mysqldump|mysqladmin|mariadb)\s[^\n]{0,200}?\s-p|sshpass\s{1,4}-p ?)[\"']?([^\s\"'`<>]{6,256})",
    re.I,
)
_AWS_SECRET = re.compile(
    r"(?:aws|secret|sk)[\w.\-]{0,40}[\"'`\])]{0,2}\s{0,4}(?:=>|[=:,]|\()\s{0,4}[\"'`]?([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])",
    re.I,
)

Place: TypeAlias = "tuple[int, int] | None"


def find_assignments(window: Window) -> Iterator[Finding]:
    """Values in `window` that a name calls a password, key, token or secret."""
    text, at = window.text, 0
    lower = _lower(text)
    left = _FEW_REFUSALS if window.hurried else _MOST_REFUSALS
    while left and (name := _NAME.search(lower, at)):
        rest = _NAME_CHARS.match(text, name.end())
        end = at = max(name.end(), rest.end() if rest else 0)
        tail = _TAIL.match(text, end)
        if tail is None or _is_slot(text, name.start(), end):
            continue
        before = _NAME_BEFORE.search(text, max(0, name.start() - 64), name.start())
        start = before.start() if before else name.start()
        full = text[start:end]
        if _names_other(text, start, full, tail):
            continue
        strength = _strength(full[-256:])
        value = _trimmed(text, _value(text, name, tail, window.style, strength))
        element = tail["sep"] == ">"
        quoted = element or tail["open"] is not None
        kind = judge_value(full, text[slice(*value)], quoted=quoted, spaced=element) if value else None
        if value and kind and not is_test_vector(window.name, text[slice(*value)]):
            yield window.finding(*value, kind, "assignment")
            at = max(at, value[1])
        elif value:
            left -= 1


def _names_other(text: str, start: int, full: str, tail: re.Match[str]) -> bool:
    """Whether the name that begins at `start` is a part of a resource's name, a type, or a call that gives no value."""
    if _ARN.search(text, max(0, start - 128), start) or (tail["close"] and text[max(0, start - 2) : start] == "::"):
        return True
    called = full.rpartition(".")[2]
    return tail["sep"] == "(" and (not _strength(called) or _ASKING.match(called) is not None)


def _trimmed(text: str, place: Place) -> Place:
    """`place` without the white space at its ends; None if nothing is left."""
    if place is None or not (value := text[slice(*place)].strip()):
        return None
    start = text.index(value, place[0])
    return start, start + len(value)


@functools.lru_cache(maxsize=4096)
def _strength(name: str) -> str:
    """What a name promises: a `password`, a `key`, perhaps a key (`weak`), or nothing; its last strong word says.

    A word counts only where it ends: `keyframe`, `tokenizer` and `monkeys` promise nothing.
    """
    strength, lower = "", _lower(name)
    for match in _NAME.finditer(lower):
        if _IS_PASSWORD.match(match[0]):
            strength = "password"
        elif _ENDS.match(name, match.end()) and not _ENGLISH.search(lower, 0, match.end()):
            weak = _IS_WEAK.fullmatch(match[0]) is not None
            strength = (strength or "weak") if weak else "key"
    return strength


def _lower(text: str) -> str:
    """`text` in lower case, character by character, so that places stay."""
    lower = text.lower()
    return lower if len(lower) == len(text) else "".join(char.lower() if char < "\x80" else char for char in text)


def _is_slot(text: str, start: int, end: int) -> bool:
    """Whether the name is a placeholder, <PASSWORD>, ours or another's, and no XML element."""
    return text[start - 1 : start] == "<" and text[end : end + 1] == ">" and "</" not in text[end:]


def find_credentials(window: Window) -> Iterator[Finding]:
    """Passwords in URLs, `("user", "password")` pairs, netrc lines, `curl -u`, `docker login`, AWS secret keys."""
    text = window.text
    for match in _URL_USER.finditer(text):
        if _is_url_password(match[1], match[2]):
            yield window.finding(*match.span(2), "PASSWORD", "url")
    for rule, pattern in (
        ("login-pair", _LOGIN_PAIR),
        ("curl-user", _CURL_USER),
        ("netrc", _NETRC),
        ("login-command", _LOGIN_COMMAND),
    ):
        for match in pattern.finditer(text):
            group = pattern.groups
            if is_plausible_password(match[group]):
                yield window.finding(*match.span(group), "PASSWORD", rule)
    for match in _CONNECTION.finditer(text):
        group = 1 if match[1] else 2
        if is_plausible_password(match[group]) and (has_digit(match[group]) or not match[group].isalpha()):
            yield window.finding(*match.span(group), "PASSWORD", "connection")
    for match in _AWS_SECRET.finditer(text):
        if "EXAMPLE" not in match[1] and not is_digest(match[1]) and entropy(match[1]) > 3.8:
            yield window.finding(*match.span(1), "KEY", "aws-secret-access-key")


def _value(text: str, name: re.Match[str], tail: re.Match[str], style: str, strength: str) -> Place:
    """Where the value after `tail` stands, or None."""
    start, opening, separator = tail.end(), tail["open"], tail["sep"]
    spaced = separator in _LOOSE
    flag = spaced and _FLAG.search(text, max(0, name.start() - 64), name.start()) is not None
    match = None
    if separator == "(" and "." in text[name.end() : tail.start()]:
        pass  # password.encode("utf-8")
    elif opening and (flag or not spaced or strength != "weak"):
        match = _quoted_value(text, start, opening, listed=separator == "," or (spaced and not flag))
    elif separator == ">":
        match = _ELEMENT.match(text, start)
    elif flag:
        match = _FLAG_VALUE.match(text, start)
    elif spaced and strength != "password":
        match = _SPACED.match(text, start)
    elif separator not in {"(", ","} and not spaced:
        return _bare_value(text, start, style, password=strength == "password")
    return match.span(1) if match else None


def _quoted_value(text: str, start: int, opening: str, *, listed: bool) -> re.Match[str] | None:
    """The content of a string literal; in a list, `"password", "user"` are names unless there is a digit."""
    ending = _ENTITY if opening[0] == "&" else _ESCAPED if opening[0] == "\\" else _QUOTED[opening[-1]]
    match = ending.match(text, start)
    return match if match and (not listed or _DIGIT.search(match[1])) else None


def _bare_value(text: str, start: int, style: str, *, password: bool) -> Place:
    if style == "code":
        match = _BARE_IN_CODE.match(text, start)
        return match.span() if match and _DIGIT.search(match[0]) else None
    match = _BARE.match(text, start)
    if match is None:
        return None
    return start, start + len(match[0].rstrip(",;" if password else ",;)}]"))


@functools.lru_cache(maxsize=4096)
def names_a_secret(name: str) -> bool:
    """Whether an identifier says that its value is a secret, and not something about a secret or public."""
    segments = [segment.lower() for segment in _SEGMENTS.findall(name)]
    if segments[-1:] in (["token"], ["tokens"]) and _BOOKMARKS & set(segments[-3:-1]):
        return False
    if segments[-1:] in (["key"], ["keys"]) and segments[-2:-1] and segments[-2] in _ENTRIES:
        return False
    return bool(segments) and segments[-1] not in _ABOUT and not _NOT_SECRET & set(segments)


def judge_value(name: str, value: str, *, quoted: bool, spaced: bool = False) -> str | None:
    """The kind of secret that `value` is if it stands for `name`, or None; `spaced`: words may stand around it."""
    strength = _strength(name[-256:])
    if not strength or not names_a_secret(name) or is_counting(value):
        return None
    if strength == "password":
        return "PASSWORD" if is_plausible_password(value) else None
    if strength == "key":
        pieces = value.strip("{}").split() if spaced else [value]
        return "KEY" if any(is_plausible_key(piece, least=8 if quoted else 12) for piece in pieces[:4]) else None
    return "KEY" if _is_weak_key(name, value) else None


def _is_weak_key(name: str, value: str) -> bool:
    """Whether `value` is a key where a name says no more than `key`, `sid` or `auth`."""
    segments = [segment.lower() for segment in _SEGMENTS.findall(name)]
    if not (segments[-1].endswith("key") or segments[-1] in _WEAK_LAST) or is_alphabet(value):
        return False
    if is_digest(value):
        return len(segments) > 1 and not _is_uuid_like(value)
    return (has_digit(value) or is_noise(value)) and is_plausible_key(value, least=16) and entropy(value) >= 3.3


def _is_uuid_like(value: str) -> bool:
    return "-" in value


def _is_url_password(user: str, password: str) -> bool:
    if password == user or is_template(password) or is_template(user) or is_reference(password):
        return False
    return is_plausible_password(password) or (len(password) >= 16 and is_plausible_key(password))


_PASSWORDS = (
    r"(?:pass|pwd|kennwort|contrase|senha|haslo|\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c|\xe5\xaf\x86\xe7\xa0\x81|pw|"
    r"pss?w|pasw|mdp)"
)
# Names up to their separator; short words count only where they end.
_KEYS = (
    rf"(?:(?:secret|token|schl\xc3\xbcssel|credential|bearer|seed|(?:{'|'.join(_KEY_OWNERS)})[_\-. ]?key)"
    r"[\w.\-]{0,64}|(?:^|[^a-z])(?:creds?|auth)(?:[0-9_.\-][\w.\-]{0,64})?)"
)
_WEAK = (
    r"(?:(?:key|oauth|signature|authorization|authentication|access|private|licen[sc]e)[\w.\-]{0,64}|"
    r"(?:^|[^a-z])si[dg](?:[0-9_.\-][\w.\-]{0,64})?)"
)
ASSIGNMENTS = Rule(
    name="assignment",
    kinds=("PASSWORD", "KEY"),
    triggers=(
        _PASSWORDS + r"[\w.\-]{0,64}[^\w\n][^\n]{0,40}[\"'`;>][^\s\"'`<>]{4}",
        _PASSWORDS + r"[\w.\-]{0,64}[ \t]{0,8}[=:>][=:> \t]{0,8}[^\s\"'`<>]{4}",
        _KEYS + r"[^\w\n][^\n]{0,40}[\"'`;>][^\s\"'`<>]{8}",
        _KEYS + r"[^\w\n][^\n]{0,40}[\"'`;>]\{\\{0,2}[\"']",
        _KEYS + r"[\"'`\])]{0,3}[ \t]{0,8}[=:>][=:> \t]{0,8}[^\s\"'`<>]{12}",
        _KEYS + r">[^<>\n]{8,1024}</",
        _WEAK + r"[^\w\n][^\n]{0,40}[\"'`;>][^\s\"'`<>]{16}",
        _WEAK + r"[\"'`\])]{0,3}[ \t]{0,8}[=:>][=:> \t]{0,8}[^\s\"'`<>]{16}",
        _WEAK + r">[^<>\n]{16,1024}</",
        rf"(?:{_KEYS}|{_WEAK})[ \t]{{1,8}}(?:[\-|][ \t]{{0,8}})?[A-Za-z0-9+/_=.~\-]{{20}}",
        r"--[a-z\-]{0,20}(?:pass|pwd|token|key|secret)[\w.\-]{0,64}[ \t]{1,16}[\"'`]?[^\s\"'`<]{4}",
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
        r"[;?&] ?(?:password|passwd|pwd) ?= ?[^\s;&\"'`<>]{4}",
        r"(?:-u|--user)[ =][\"']?[\w.@+\-]{1,64}:",
        r"(?:login|user|account)\s+\S{1,128}\s+(?:password|passwd)\s+\S{4}",
        r"(?:login[^\n]{0,200}\s-p[ =]|(?:mysql|mysqldump|mysqladmin|mariadb)\s[^\n]{0,200}\s-p|sshpass\s{1,4}-p ?)"
        r"[\"']?[^\s\"'`<>]{6}",
        r"(?:aws|secret|sk)[\w.\-]{0,40}[\"'`\])]{0,2}\s{0,4}(?:=>|[=:,]|\()\s{0,4}[\"'`]?[A-Za-z0-9/+]{40}",
    ),
    find=find_credentials,
    caseless=True,
)
