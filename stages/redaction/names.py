"""Names of people where a tag says that one follows: author tags, commit trailers, package metadata.

Looks only at high sensitivity, because nothing but the tag tells a person from a company. Tags: `@author`,
`\\author{}`, `__author__ =`, `Author:`, `"author": "…"`, `authors = ["…"]`, `Maintainer:`, `Written by`, `Created by`,
and the trailers of commit messages (`Signed-off-by:`, `Co-authored-by:`, …). A name is two to five capitalised words
(initials, `van`, `de la` and the like between them), or one word or letters without case (as Chinese has them) before
an e-mail address.
Kept: copyright holders (a licence must go on naming them), and names with a word for an organisation or a crowd.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stages.redaction.model import Finding, Rule, Window, words

_TRAILERS = (
    r"(?:signed-off|co-authored|co-developed|reviewed|acked|tested|reported|suggested|helped|debugged|diagnosed|"
    r"requested|approved|submitted|contributed|committed|mentored)-by|cc|author|committer|from"
)
_TAG = re.compile(
    rf"(?:^[ \t#*;/%\"'>|!-]{{0,24}}(?:{_TRAILERS})[ \t]{{0,8}}:[ \t]{{0,8}}"
    r"|[@\\]authors?[ \t]{0,8}[:{]?[ \t]{0,8}"
    r"|(?<![A-Za-z])__author__[ \t]{0,8}=[ \t]{0,8}[\[(]?[\"']"
    r"|(?<![\w.-])(?:original |main |lead )?(?:authors?|maintainers?|programmers?|contributors?)[\"']?[ \t]{0,8}[:=]"
    r"[ \t]{0,8}[\[{(]{0,2}[ \t]{0,4}(?:[\"']?name[\"']?[ \t]{0,4}[:=][ \t]{0,4})?[\"']?"
    r"|(?<![A-Za-z])(?:written|created|maintained|authored|developed|ported|modified) by:?[ \t]{1,8}"
    r")",
    re.I | re.M,
)
_UPPER = r"[^\W\d_a-zß-öø-ÿ]"
_WORD = rf"{_UPPER}(?:[^\W\d_]|['’-](?=[^\W\d_])){{1,30}}"
_INITIAL = rf"{_UPPER}\."
_PARTICLE = r"(?:van|von|der|den|de|del|della|di|da|dos|du|la|le|el|al|bin|ibn|ter|ten|zu|y|e)"
_NAME = re.compile(
    rf"(?:{_WORD}|{_INITIAL})(?:[ \t](?:{_PARTICLE}[ \t]){{0,2}}(?:{_WORD}|{_INITIAL})){{1,4}}(?![\w@])"
    r"|[^\W\d_][^\W\d_'’.-]{1,40}(?=[ \t]{1,4}<[^<>\n]{1,80}>)"
)
_NEXT = re.compile(r"(?:[ \t]*<[^<>\n]{0,128}>)?(?:\"?[ \t]*,[ \t]*\"?|[ \t]+(?:and|&)[ \t]+)", re.I)
_NOBODY = frozenset(
    words(
        "the team teams inc ltd llc gmbh corp corporation company foundation project projects authors author "
        "contributors developers maintainers community group university institute laboratory labs software systems "
        "technologies google microsoft apache mozilla facebook amazon oracle intel ibm redhat github gitlab bot robot "
        "anonymous unknown nobody your name first last john jane doe example copyright all rights reserved license "
        "licensed version see this visual studio android xcode eclipse"
    )
)
_MOST_NAMES = 16  # of one list after one tag


def find_names(window: Window) -> Iterator[Finding]:
    """Names in `window` after a tag that announces people, each by itself."""
    for tag in _TAG.finditer(window.text):
        at = tag.end()
        for _ in range(_MOST_NAMES):
            name = _NAME.match(window.text, at)
            if name is None:
                break
            if not _NOBODY.intersection(re.split(r"[ \t.]+", name[0].lower())):
                yield window.finding(*name.span(), "NAME", "author")
            following = _NEXT.match(window.text, name.end())
            if following is None:
                break
            at = following.end()


NAMES = Rule(
    name="name",
    kinds=("NAME",),
    triggers=(
        rf"^[ \t#*;/%\"'>|!\-]{{0,24}}(?:{_TRAILERS})[ \t]{{0,8}}:[ \t]{{0,8}}[A-Za-z\x80-\xff]",
        r"(?:authors?|maintainers?|programmers?|contributors?|author__)[\"']?[ \t]{0,8}[:={ \t]",
        r"(?:written|created|maintained|authored|developed|ported|modified) by",
    ),
    find=find_names,
    level=2,
    caseless=True,
)
