"""What looks like a secret and is none: samples, templates, references, ordinary words, digests.

Everything here judges a value (or its name) alone and never keeps or shows it.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from itertools import pairwise

from stages.redaction.model import words

# How usual a letter pair is in English words: log2 of its probability over that of uniform letters, plus 5,
# clipped to 0-9; row = first letter, column = second. Counted over the 16,815 distinct words of CPython
# 3.11's standard library source (own count; bare frequencies).
_PAIRS = words(
    "25652351503766051767433340 65536422652733641664612152 71436216506533721546521040 64458432712533631554532130 "
    "53674542302557344776243530 63446731800533731655512140 52338346600646530664532022 73338311703443730546412042 "
    "54655450101658640566040304 72537323525433742453723232 63548453712535442574425030 62358322702623630255521060 "
    "75248212702453660253501030 62666572614424531267442020 34552441404667560755645311 72337424602623651756523050 "
    "33533333321433336463933111 73558342703454630566432040 52637335604433553367623040 63437316702433640665523152 "
    "56545441501667460666101100 83329332701333530442242122 73447425712426631664223302 54656524602543471457333542 "
    "44546432601556571576344234 63439423711333631344313133"
)
# Words score above this, random letters below (0.15 lies between the two on hand-made lists).
_WORD_LIKE = 0.15

_TEMPLATE = re.compile(
    r"^(?:<.*>|\$?\{.*\}|\$\(.*\)|\$\w+|\{\{.*|.*\}\}|%\(?\w*\)?[sd]|%\w+%|#\{.*\}|@\w+@|\(\(.*\)\)|\[.*\]|__\w+__|&\w+;?|:\w+|@.*\(.*|(?:[^\w\s]*%[sdr])+[^\w\s]*|\*+\w*)$",
    re.S,
)
_INTERPOLATED = re.compile(r"\$\{|\$\(|\{\{|#\{|<%|%\(\w+\)s|\{[A-Za-z_]\w*\}")
_SAMPLE = re.compile(
    r"example|sample|x{4,}|\*{3,}|\.{3}|…|change[_-]?(?:me|this|it)|your[_\-. ]|placeholder|redacted|"
    r"replace[_-]?(?:me|this|with)|insert[_-]|dummy|<[a-z_ -]+>|0{8,}|censored|masked|todo",
    re.I,
)
_STRICT_SAMPLE = re.compile(
    r"EXAMPLE|x{5,}|X{5,}|\*{3,}|\.{3}|<[A-Za-z_ ]+>|(?i:your[_-]|placeholder|redacted|changeme)"
)
_WORDS = frozenset(
    words(
        "a abc access account admin administrator alice all an and any api app application apikey auth authentication "
        "aws bad bar base basic baz bearer bob bogus cert changed changeme client code conf config correct cred "
        "credential credentials current data database db default demo dev digest dummy email empty encrypted env "
        "error example expected expired fail fake false file first foo foobar four generated get git github google "
        "guest hash hello hidden host http https id in incorrect input invalid is it item jwt key keys local "
        "localhost login long mail master me missing mock my mysql name needed new newpass no none not null number "
        "oauth off ok old on one open openid optional option options or other param pass passcode passphrase passwd "
        "password passwords path plain postgres private prod production public pw pwd query random read real redis "
        "refresh request required reset role root sa sample secret secrets secure server service session set sha "
        "shared short sign simple some something specify string strong super supersecret system temp temporary test "
        "tester testing text the this three tmp token tokens true two type undefined unknown unset update url user "
        "userid username valid value var variable verify very want web welcome with world wrong yes you your zero "
        "qwerty letmein hunter trustno iloveyou passw word pswd wd"
    )
)
_PIECES = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+|[^\W\d_a-zA-Z]+")
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.I)
_CODE = re.compile(
    r"^(?:[A-Za-z_$][\w$]*(?:(?:\.|->|::|\?\.)[A-Za-z_$][\w$]*)+|.*[\w\])]\(.*|[A-Za-z_$][\w$.]*\[.*|"
    r".*(?:=>|&&|\|\|| == ).*|(?:function|lambda|return|await|new|self|this|process|os|env|ENV|nil|null|None|undefined|"
    r"true|false|True|False)\b.*)$",
    re.S,
)
_PATH_OR_URL = re.compile(
    r"^(?:[a-z][a-z0-9+.-]*:)?//|^arn:[\w-]*:|^S-1-\d+-\d+|^(?:~|\.{0,2})/[\w.-]+(?:/|$)|^[A-Za-z]:\\|^[\w-]+(?:/[\w.-]+)+\.\w{1,5}$|"
    r"^[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|io|dev|app|co|edu|gov|cloud|local|internal)$|"
    r"\.(?:pem|key|crt|cer|json|ya?ml|txt|env|js|ts|py|go|rb|java|html?|php|pub|jks|p12|pfx|conf|ini)$",
    re.I,
)
# Twenty characters in a row with three digits among letters: no identifier of a program.
_DENSE = re.compile(r"(?=[A-Za-z]{0,17}\d[A-Za-z]{0,17}\d[A-Za-z]{0,17}\d)[A-Za-z0-9]{20}")
_ALPHABET = re.compile(r"0123456789|abcdefghij|qwertyuiop", re.I)
# Bytes in order, doubled digits in order: the keys of published test vectors.
_COUNTING = re.compile(
    r"0001020304|0102030405|0a0b0c0d0e|0f0e0d0c0b|00112233445566|ffeeddccbb|^(?:0123456789abcdef)+$", re.I
)
# Files of published test vectors: their keys in hex are known to all.
_VECTORS = re.compile(r"vectors?(?![a-z])|wycheproof|(?<![a-z])kat(?![a-z])|(?<![a-z])rfc_?\d{3}")
_HEX = re.compile(r"(?:0x)?[0-9A-Fa-f]{16,}")
_INNER_STRING = re.compile(r"[A-Za-z0-9+/_=\-]{16,512}")
_ADDRESS = re.compile(r"^[\w.+-]+@[\w-]+(?:\.[\w-]+)+$")


def is_sample(value: str) -> bool:
    """Whether a token-shaped value is the sort that documentation prints: EXAMPLE, xxxxx, ***, <your token>."""
    return _STRICT_SAMPLE.search(value) is not None or len(set(value)) <= 5


def is_template(value: str) -> bool:
    """Whether `value` is a slot for a value: <x>, ${X}, $X, {{x}}, %(x)s, %X%, __X__, ****."""
    return _TEMPLATE.match(value) is not None or _INTERPOLATED.search(value) is not None


def is_reference(value: str) -> bool:
    """Whether `value` is program text, a path or an address where a value is kept, not the value itself."""
    if _CODE.match(value) is not None and not _DENSE.search(value):
        return True
    return _PATH_OR_URL.search(value) is not None


def is_alphabet(value: str) -> bool:
    """Whether `value` holds ten characters in the order of the alphabet, the digits or the keyboard."""
    return _ALPHABET.search(value) is not None


def is_counting(value: str) -> bool:
    """Whether `value` holds bytes that count up or down, as keys of published test vectors do."""
    return _COUNTING.search(value) is not None


def is_test_vector(file_name: str, value: str) -> bool:
    """Whether `value` is hex in a file (`file_name` in lower case, without folders) of published test vectors."""
    return _VECTORS.search(file_name) is not None and _HEX.fullmatch(value) is not None


def entropy(value: str) -> float:
    """Shannon entropy of the characters of `value`, in bits a character."""
    size = len(value)
    return -sum(count / size * math.log2(count / size) for count in Counter(value).values()) if size else 0.0


def pronounceable(word: str) -> float:
    """Mean surplus (bits) of the letter pairs of `word` over uniform letters; words are above 0, noise below."""
    places = [ord(char) - 97 for char in word.lower() if "a" <= char.lower() <= "z"]
    pairs = [int(_PAIRS[a][b]) - 5 for a, b in pairwise(places)]
    return sum(pairs) / len(pairs) if pairs else 0.0


def is_wordy(value: str) -> bool:
    """Whether `value` is made of ordinary words (identifier, label, sentence) and at most a short number."""
    pieces = [piece for piece in _PIECES.findall(value) if not piece.isdigit()]
    letters = sum(len(piece) for piece in pieces)
    if not letters:
        return True
    digits = sum(char.isdigit() for char in value)
    symbols = sum(not char.isalnum() and char not in "_-./: ,'" for char in value)
    if symbols > 1 or not (digits <= 3 or digits <= letters / 4):
        return False
    known = sum(len(piece) for piece in pieces if _is_word(piece))
    long = [piece for piece in pieces if len(piece) >= 3]
    readable = sum(pronounceable(piece) * len(piece) for piece in long) > 0
    return known >= 0.8 * letters or (readable and sum(map(len, long)) >= 0.8 * letters)


def is_plausible_password(value: str) -> bool:
    """Whether `value`, found where a password belongs, can be a real one."""
    if not 4 <= len(value) <= 256 or any(char.isspace() for char in value) or len(set(value)) <= 2:
        return False
    if is_template(value) or is_reference(value) or _SAMPLE.search(value):
        return False
    return (not _is_known_words(value) and not is_wordy(value) and not value.isdigit()) or _is_mixed(value)


# NATS nkeys, age, OpenSSH, X.509 SubjectPublicKeyInfo and certificates in base64; checksums that name their kind.
_PUBLIC = re.compile(
    r"[ACNOU][A-Z2-7]{55}$|age1[02-9ac-hj-np-z]{58}$|AAAA[BCE]3NzaC1|AAAAE2VjZHNh|"
    r"MII[BC][CI]jANBgkq|MIGfMA0GC|MFkwEwYH|MCowBQYDK2V|LS0tLS1CRUdJTiB(?:DRVJU|QVUJM)|"
    r"(?:sha(?:1|224|256|384|512)|md5|blake2[bs]?|blake3)[=:\-]"
)
_ASCII_DIGIT = re.compile(r"[0-9]")
_LONG_NUMBER = 24  # digits; longer than any identifier, time or amount that is written as a number
_KEY_CHARS = re.compile(r"[\w+/=.~:%$!@#^&*?,\-]+", re.A)


def is_plausible_key(value: str, *, least: int = 10) -> bool:
    """Whether `value`, found where a key or token belongs, can be a real one (at least `least` characters)."""
    if value.startswith(('{\\"', '{"')):
        return any(is_plausible_key(part, least=16) for part in _INNER_STRING.findall(value))
    if not least <= len(value) <= 4096 or not _KEY_CHARS.fullmatch(value):
        return False
    if is_template(value) or is_reference(value) or _SAMPLE.search(value) or _ADDRESS.search(value):
        return False
    if (
        is_public(value)
        or is_counting(value)
        or is_wordy(value)
        or (value.isdigit() and len(value) < _LONG_NUMBER)
        or entropy(value) < 2.6
    ):
        return False
    return has_digit(value) or pronounceable(value) < _WORD_LIKE or entropy(value) > 4


def has_digit(value: str) -> bool:
    """Whether there is an ASCII digit in `value`."""
    return _ASCII_DIGIT.search(value) is not None


def is_noise(value: str) -> bool:
    """Whether the letters of `value`, upper and lower case mixed, follow each other as in no word."""
    mixed = any(char.islower() for char in value) and any(char.isupper() for char in value)
    return mixed and len(value) >= 20 and pronounceable(value) < 0 and entropy(value) >= 3.5


def is_digest(value: str) -> bool:
    """Whether `value` has the form of a UUID or of an MD5, SHA-1, SHA-2 digest in hex."""
    return _UUID.fullmatch(value) is not None or (len(value) in {32, 40, 56, 64, 96, 128} and _is_hex(value))


def is_public(value: str) -> bool:
    """Whether `value` is the public half of a key pair or a publishable key, by its documented shape."""
    return _PUBLIC.match(value) is not None


def is_opaque(value: str) -> bool:
    """Whether `value` mixes letters and digits as generators do: no word, path, slot, sample or digest."""
    digits = sum(char.isdigit() for char in value)
    letters = sum(char.isalpha() for char in value)
    if digits < 3 or letters < 3 or is_public(value) or is_digest(value) or is_wordy(value) or is_alphabet(value):
        return False
    if is_template(value) or is_reference(value) or _SAMPLE.search(value) or entropy(value) < 3.2:
        return False
    return not _is_dashed_words(value)


def is_opaque_digest(value: str) -> bool:
    """Whether `value` is a digest or UUID of different digits (no 0000…)."""
    return is_digest(value) and entropy(value) > 2.5 and not is_counting(value)


def _is_dashed_words(value: str) -> bool:
    """Whether the pieces between dashes, dots, slashes, underscores are mostly words or short: a slug, a path."""
    pieces = [piece for piece in re.split(r"[-_./=+]+", value) if piece]
    plain = sum(len(piece) for piece in pieces if is_wordy(piece) or len(piece) <= 4)
    return len(pieces) > 1 and plain >= 0.5 * sum(map(len, pieces))


def _is_hex(value: str) -> bool:
    return all(char in "0123456789abcdefABCDEF" for char in value)


def _is_word(piece: str) -> bool:
    return piece.lower() in _WORDS or (len(piece) >= 3 and pronounceable(piece) > _WORD_LIKE)


def _is_known_words(value: str) -> bool:
    """Whether the letters of `value` are nothing but the words people write in samples (P@ssw0rd too)."""
    plain = value.lower().translate(str.maketrans("@$0135!", "asoles!"))
    for text in (value.lower(), plain):
        letters = re.sub(r"[^a-z]", " ", text).split()
        if letters and all(_splits_into_words(word) for word in letters):
            return True
    return False


def _splits_into_words(word: str) -> bool:
    """Whether `word` (32 letters at most) is a chain of the words of samples."""
    if len(word) > 32:
        return False
    reachable = {0}
    for end in range(1, len(word) + 1):
        if any(word[start:end] in _WORDS for start in reachable):
            reachable.add(end)
    return len(word) in reachable


def _is_mixed(value: str) -> bool:
    """Upper, lower, digit and symbol together: no label looks so."""
    symbols = sum(not char.isalnum() and char not in "_-./:" for char in value)
    digits = sum(char.isdigit() for char in value)
    mixed = any(char.islower() for char in value) and any(char.isupper() for char in value)
    return len(value) >= 8 and symbols >= 2 and digits >= 2 and mixed
