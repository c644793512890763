"""Secrets in context, told by their form alone: what a document gets after its share of exact work.

A document that names secrets tens of thousands of times is a dump, a list or an attack; judging each value would cost
seconds a megabyte. From there on every value with a digit or a symbol after a name of a secret goes, sample or not.
Names are those of `assignments`, shorter; each byte belongs to one match at most, and all lengths are bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stages.redaction.model import Finding, Window, without_placeholders

_NAMED = re.compile(
    r"(?:(?P<password>pass|pwd|pw|psw|mdp|kennwort|contrase|senha|haslo|пароль|密码)|secret|token|key|cred|bearer|seed|auth|"
    r"sig|sid|access|private|licen[sc]e|schlüssel)[\w.\-]{0,64}+[\"'`\])}\\]{0,3}+"
    r"(?:[ \t]{0,8}+[=:>(,]{1,3}+[ \t]{0,8}+|[ \t]{1,8}+)\\?[\"'`]?"
    r"(?=[^\s\"'`<>]{0,64}?[\d!#$%^&*+/~])([^\s\"'`<>]{6,512})"
)
_IN_URL = re.compile(r"://[^\s/:@\"'`<>]{0,128}+:([^\s/@\"'`<>]{1,256})@")


def find_by_form(window: Window) -> Iterator[Finding]:
    """Every value that stands after a name of a secret, and every password of a URL."""
    text = without_placeholders(window.text)
    lower = text.lower()
    if len(lower) != len(text):  # "İ" becomes two characters
        lower = text
    for match in _NAMED.finditer(lower):
        kind = "PASSWORD" if match["password"] else "KEY"
        yield window.finding(*match.span(2), kind, "named")
    if "://" in lower:
        for match in _IN_URL.finditer(lower):
            yield window.finding(*match.span(1), "PASSWORD", "url")
