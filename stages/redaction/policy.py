"""Which findings of the outside detectors count, and as what, at each sensitivity.

detect-secrets and kingfisher say what looks like a secret; a corpus builder must also keep what only looks
so. At low and medium sensitivity entropy alone never redacts; a high-entropy string counts if a name on
its line says that it is a secret, and it is neither a digest nor a UUID there.
"""

from __future__ import annotations

import re

from stages.redaction.assignments import names_a_secret
from stages.redaction.decoys import is_digest, is_plausible_key, is_plausible_password, is_sample, is_test_vector
from stages.redaction.plugins import NAMES_OF_SECRETS

_ENTROPY = frozenset({"Base64 High Entropy String", "Hex High Entropy String"})
# Ours know policy and extent better: addresses, whole key blocks, the key without its name, the token's own shape.
SUPERSEDED = frozenset({"Public IP (ipv4)", "Private Key", "Azure Storage Account access key", "Telegram Bot Token"})
# Rules of kingfisher that report what is no secret: the names of accounts.
_NO_SECRETS = re.compile(r"account-name$")
_NAMED = re.compile(NAMES_OF_SECRETS, re.I)
_NOT_NAMED = re.compile(
    r"public|hash|digest|sha\d|md5|checksum|integrity|fingerprint|commit|revision|example|test_?vector|csrf", re.I
)
_NAME_OF = re.compile(r"([\w.$-]{1,80})[\"'`\])}]{0,3}\s{0,8}(?:[:=!]{1,3}>?|\()\s{0,8}[@\"'`]{0,3}$")
_TYPE = re.compile(r"\w::\w{1,80}[\"'`]\s{0,8}:\s{0,8}[\"'`]?$")  # "AWS::IAM::AccessKey": "…"
_PASSWORD_NAME = re.compile(r"pass(?!key)|pwd|contrase", re.I)


def judge_plugin(kind: str, value: str, line: str, *, level: int, name: str = "") -> str | None:
    """The kind that a detect-secrets finding of type `kind` has in the file `name`, or None if it does not count."""
    if kind in SUPERSEDED or (level < 2 and is_test_vector(name.rpartition("/")[2].lower(), value)):
        return None
    if kind in _ENTROPY:
        return "KEY" if level == 2 or (level == 1 and _is_named_secret(value, line)) else None
    if kind == "Secret Keyword":
        return _judge_keyword(value, line, level=level)
    if kind == "Basic Auth Credentials":
        return "PASSWORD" if level == 2 or is_plausible_password(value) else None
    if kind == "Artifactory Credentials" and not re.search(r"\d.*\d.*\d", value):
        return None
    return None if is_sample(value) and level < 2 else "KEY"


def judge_kingfisher(rule: str, value: str, *, level: int) -> bool:
    """Whether a finding of `value` by kingfisher's `rule` counts; its generic rules know no sample passwords.

    Private keys are left to `keyblocks`, which knows where their parts end.
    """
    if "PRIVATE KEY-" in value or _NO_SECRETS.search(rule):
        return False
    if level == 2:
        return True
    if "generic" in rule:
        return is_plausible_password(value) or is_plausible_key(value)
    return not is_sample(value)


def _judge_keyword(value: str, line: str, *, level: int) -> str | None:
    before = line[: max(line.find(value), 0)]
    if level < 2 and _is_named_otherwise(before):
        return None
    password = _PASSWORD_NAME.search(line) is not None
    if level == 2:
        return "PASSWORD" if password else "KEY"
    if level == 0:
        return None
    if password:
        return "PASSWORD" if is_plausible_password(value) else None
    return "KEY" if is_plausible_key(value) and not _NOT_NAMED.search(line) else None


def _is_named_secret(value: str, line: str) -> bool:
    place = line.find(value)
    before = line[max(0, place - 80) : place] if place >= 0 else line[:80]
    named = _NAMED.search(before) is not None and _NOT_NAMED.search(before) is None
    if _is_named_otherwise(before):
        return False
    return named and not is_digest(value) and is_plausible_key(value, least=16)


def _is_named_otherwise(before: str) -> bool:
    """Whether the name at the end of `before` says that the value behind it is no secret."""
    name = _NAME_OF.search(before[-200:])
    return (name is not None and not names_a_secret(name[1])) or _TYPE.search(before[-200:]) is not None
