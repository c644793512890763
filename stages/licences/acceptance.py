"""Whether a licence expression is within what somebody accepts: allow-lists and tests, as pure algebra.

A *branch* of an expression is what is left once every OR is settled: licences that all have to be complied with.

- `within(expression, ids)`: some branch holds licences of `ids` alone.
- `Test.passes(expression)`: some branch names nothing beyond the test, and the test is true of that branch, read as a
  formula in which the licences of the branch are true.

    test                               passes                                   does not pass
    MIT OR Apache-2.0 OR BSD-3-Clause  MIT; MIT OR GPL-2.0-only;                MIT AND GPL-2.0-only; ISC
                                       MIT AND BSD-3-Clause
    Apache-2.0 AND MIT                 Apache-2.0 AND MIT                       MIT; Apache-2.0 OR MIT
    permissive OR MPL-2.0              Zlib; MPL-2.0; MIT AND MPL-2.0           LGPL-2.1-only

A licence is taken by anything that it offers (`spdx.offers`): `GPL-2.0-or-later` as `GPL-3.0-only`; `X WITH exception`
as the pair or as plain `X`, unless the exception takes rights away. The converse does not hold: accepting the pair
accepts no plain `X`. Parts of an AND that add no condition ask for nothing. Expressions that are none, unknown ids and
references without a text never pass.

Invariants: an OR is never worse than its best branch; an AND is never better than its worst part, for allow-lists and
for tests without AND; more ids never refuse what passed; every valid expression of known ids passes the test that it
is. Cost: microseconds once parsed; a test's AND may name at most MAX_JOINT licences.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools

from foundation import spdx
from foundation.errors import ConfigError
from foundation.spdx import Compound, Licence
from stages.licences.combine import NOT_READ, UNRECOGNISED

MAX_JOINT = 8
"""Licences under an AND of a test: bounds the work on a stranger's expression to antichains of 2^8 sets."""

PLACEHOLDERS = frozenset(
    {
        NOT_READ,
        UNRECOGNISED,
        "LicenseRef-scancode-unknown-license-reference",
        "LicenseRef-scancode-free-unknown",
        "LicenseRef-scancode-unknown-spdx",
    }
)
"""Ids that say "a licence is meant here, but not known which"; nobody can accept them."""

_HOLDS = ""  # stands in a set of names for "the test is true, whatever else"


def known_licence(text: str) -> str:
    """`text` as one licence id (or `id WITH exception`) in normal form; ConfigError if it is none that is known."""
    node = _parse(text)
    if isinstance(node, Compound):
        raise ConfigError(f"{text!r} is not one licence", hint="give ids; an expression belongs into test")
    if not is_known(node):
        raise ConfigError(f"{node} stands for no licence whose terms are known", hint="give an id of the SPDX list")
    return str(node)


def is_known(leaf: Licence) -> bool:
    """Whether the licence data has this licence, not only a word for an unknown one."""
    return leaf.id.removesuffix("+") in spdx.licence_data().classes and leaf.id not in PLACEHOLDERS


def within(expression: str | None, ids: frozenset[str]) -> bool:
    """Whether the licences `ids` (normal form) suffice to comply with `expression`; see the module."""
    tree = _tree(expression)
    return tree is not None and spdx.satisfied(tree, ids)


@dataclasses.dataclass(frozen=True)
class Test:
    """An SPDX expression test in normal form; made by `read_test`."""

    text: str
    tree: Licence | Compound  # of the masked text
    alone: frozenset[str]  # ids that make the test true by themselves
    joint: frozenset[str]  # the other ids
    permissive: str | None  # the masked id of the class word, if the test has it

    def passes(self, expression: str | None) -> bool:
        """Whether `expression` is within the test; see the module."""
        return _passes(self, expression)

    @property
    def ids(self) -> frozenset[str]:
        """The licence ids that the test names, class words left out."""
        return (self.alone | self.joint) - {self.permissive}


@functools.lru_cache(maxsize=256)
def read_test(text: str) -> Test:
    """The test that `text` writes; ConfigError for what is no expression, names an unknown id or joins too many."""
    tree = _parse(spdx.masked(text))
    names = _leaves(tree)
    words = {name for name in names if spdx.class_named(str(name))}
    for leaf in sorted(names - words, key=str):
        known_licence(str(leaf))
    if wrong := sorted({str(spdx.class_named(str(word))) for word in words} - {spdx.PERMISSIVE}):
        raise ConfigError(f"{wrong[0]} cannot stand in a test", hint="permissive is the only class that can")
    every = frozenset(map(str, names))
    alone = frozenset(name for name in every if _true(tree, frozenset({name})))
    if len(every - alone) > MAX_JOINT:
        raise ConfigError(
            f"the test joins {len(every - alone)} licences by AND, at most {MAX_JOINT} are read",
            hint="write acceptable licences with OR, or use allow",
        )
    return Test(" ".join(text.split()), tree, alone, every - alone, next((str(word) for word in words), None))


@functools.lru_cache(maxsize=65_536)
def _passes(test: Test, expression: str | None) -> bool:
    tree = _tree(expression)
    if tree is None:
        return False
    return any(_HOLDS in names or _true(test.tree, names) for names in _branches(tree, test))


def _branches(node: Licence | Compound, test: Test) -> frozenset[frozenset[str]]:
    """What the branches of `node` that name nothing beyond the test make true of it; the largest sets alone."""
    if isinstance(node, Licence):
        offered = set(spdx.offers(node))
        if test.permissive and is_known(node) and spdx.class_of(node) == spdx.PERMISSIVE:
            offered.add(test.permissive)
        named = frozenset(offered & test.joint) | ({_HOLDS} if offered & test.alone else frozenset())
        return frozenset({named} if named else ())
    if node.operator == "OR":
        return _largest({names for part in node.operands for names in _branches(part, test)})
    asked = [part for part in node.operands if spdx.class_of(part) != spdx.NO_LICENSE]
    found: frozenset[frozenset[str]] = frozenset({frozenset()}) if asked else frozenset()
    for part in asked:
        found = _largest({one | other for one, other in itertools.product(found, _branches(part, test))})
    return found


def _largest(sets: set[frozenset[str]]) -> frozenset[frozenset[str]]:
    return frozenset(one for one in sets if not any(one < other for other in sets))


def _true(node: Licence | Compound, names: frozenset[str]) -> bool:
    if isinstance(node, Licence):
        return str(node) in names
    parts = (_true(part, names) for part in node.operands)
    return any(parts) if node.operator == "OR" else all(parts)


def _leaves(node: Licence | Compound) -> set[Licence]:
    return {node} if isinstance(node, Licence) else {leaf for part in node.operands for leaf in _leaves(part)}


def _parse(text: str) -> Licence | Compound:
    """`spdx.parse` of what people write: an unknown id is answered with the nearest one."""
    try:
        return spdx.parse(text)
    except ConfigError as error:
        wrong = spdx.wrong_id(text)
        raise ConfigError(
            error.message, hint=f"the nearest id is {spdx.nearest(wrong)}" if wrong else error.hint
        ) from error


def _tree(expression: str | None) -> Licence | Compound | None:
    if expression is None:
        return None
    try:
        return spdx.parse(expression)
    except ConfigError:
        return None
