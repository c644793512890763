"""SPDX licence expressions as an algebra: normal form, class, identifiers, families, conjunction, query.

Normal form: SPDX's spelling of every id, nested operators of one kind flattened, operands distinct and
sorted, every nested compound in parentheses. AND, OR, WITH and `+` keep their meaning; nothing is
absorbed, so each licence that was stated stays visible. `LicenseRef-*` ids are kept as they are.

Classes are derived from `foundation/data/licence_classes.json` (sources and date inside the file; made by
`scripts/make_licence_classes.py`), whose checksum is pinned here. Cost: parsing takes about 0.25 ms, once per
distinct expression and process (memoised).
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import hashlib
import importlib.resources
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from foundation.errors import ConfigError, UsageError

PERMISSIVE, NON_PERMISSIVE, NO_LICENSE = "permissive", "non_permissive", "no_license"
CLASSES = (PERMISSIVE, NON_PERMISSIVE, NO_LICENSE)
"""The three licence classes, best first."""

DATA_SHA256 = "d961be3bbfa9cbc3ae8ddf761b1abe887583706f2066587f172024fbd656eb44"
_DATA_NAME = "licence_classes.json"
_MAX_LENGTH, _MAX_DEPTH = 4096, 50  # strangers' text: bounds the parser's work and the recursion
_TOKEN = re.compile(r"[()]|[^\s()]+")
_REFERENCE = re.compile(r"(?:DocumentRef-[A-Za-z0-9.-]+:)?(?:LicenseRef|AdditionRef)-[A-Za-z0-9.-]+")
_OPERATORS = {"and": "AND", "or": "OR", "with": "WITH"}
_ABSENT = frozenset({"NONE"})
# ScanCode categories whose "exceptions" take rights away instead of adding them.
_RESTRICTING = frozenset({"Commercial", "Proprietary Free", "Free Restricted", "Source-available", "Patent License"})


@dataclasses.dataclass(frozen=True)
class LicenceData:
    """The pinned licence data: class and sources by SPDX id; lookups are by lower-cased id."""

    classes: Mapping[str, str]
    ratings: Mapping[str, str]  # Blue Oak's rating, where there is one
    restricting: frozenset[str]  # exceptions that take rights away
    names: Mapping[str, str]  # lower-cased id → canonical id or expression
    ignorable: frozenset[str]
    disputed: frozenset[str]  # ids whose two sources disagree; non_permissive
    sha256: str


@functools.cache
def licence_data() -> LicenceData:
    """The licence data shipped with the package; ConfigError when its bytes are not the pinned ones."""
    data = importlib.resources.files("foundation").joinpath("data", _DATA_NAME).read_bytes()
    return read_licence_data(data, expected=DATA_SHA256)


def read_licence_data(data: bytes, *, expected: str) -> LicenceData:
    """Parse the data file's bytes; ConfigError when their SHA-256 is not `expected`."""
    found = hashlib.sha256(data).hexdigest()
    if found != expected:
        raise ConfigError(
            f"foundation/data/{_DATA_NAME} has SHA-256 {found}, expected {expected}",
            hint="reinstall, or make the file again with scripts/make_licence_classes.py and pin its checksum",
        )
    raw: dict[str, Any] = json.loads(data)
    licences, exceptions = raw["licences"], raw["exceptions"]
    names = {name.lower(): name for name in (*licences, *exceptions)}
    return LicenceData(
        classes={name: entry[0] for name, entry in licences.items()},
        ratings={name: entry[2] for name, entry in licences.items() if entry[2]},
        restricting=frozenset(name for name, category in exceptions.items() if category in _RESTRICTING),
        names={**raw["aliases"], **names},
        ignorable=frozenset(raw["ignorable"]),
        disputed=frozenset(raw["disputed"]),
        sha256=found,
    )


@dataclasses.dataclass(frozen=True)
class Licence:
    """A leaf of an expression: a licence, with its exception if any."""

    id: str
    exception: str | None = None

    def __str__(self) -> str:
        return f"{self.id} WITH {self.exception}" if self.exception else self.id


@dataclasses.dataclass(frozen=True)
class Compound:
    """An inner node: `AND` or `OR` over at least two distinct operands in order."""

    operator: str
    operands: tuple[Licence | Compound, ...]

    def __str__(self) -> str:
        inner = (f"({part})" if isinstance(part, Compound) else str(part) for part in self.operands)
        return f" {self.operator} ".join(inner)


def normalise(expression: str) -> str:
    """`expression` in normal form; ConfigError for what is not a whole, valid SPDX expression.

    Ids match in any case; retired ids take their successor's name (`GPL-2.0+` → `GPL-2.0-or-later`).
    An id that is neither on the list nor a LicenseRef is refused (`nearest` says what may have been meant).
    """
    return str(parse(expression))


def parse(expression: str) -> Licence | Compound:
    """The tree of `expression` in normal form; see `normalise`."""
    found = _parsed(expression)
    if isinstance(found, str):
        raise ConfigError(found, hint="an SPDX expression joins ids of spdx.org/licenses with AND, OR and WITH")
    return found


@functools.lru_cache(maxsize=65_536)
def _parsed(expression: str) -> Licence | Compound | str:
    """The tree, or what is wrong: strangers' words fail often, so failures are remembered too."""
    try:
        return _tree(expression)
    except ConfigError as error:
        return error.message


def _tree(expression: str) -> Licence | Compound:
    from license_expression import ExpressionError, Licensing

    tokens = [_canonical(token) for token in _tokens(expression)]
    try:
        tree = Licensing().parse(" ".join(tokens), simple=True)
    except (ExpressionError, ValueError, IndexError, AttributeError, TypeError) as error:
        raise ConfigError(f"not an SPDX expression: {_shown(expression)} ({error})") from error
    if tree is None:
        raise ConfigError("not an SPDX expression: it is empty")
    return _simple(tree, expression)


def _tokens(expression: str) -> list[str]:
    if len(expression) > _MAX_LENGTH:
        raise ConfigError(f"not an SPDX expression: {len(expression)} characters, at most {_MAX_LENGTH} are read")
    tokens = _TOKEN.findall(expression)
    if tokens.count("(") > _MAX_DEPTH:
        raise ConfigError(f"not an SPDX expression: more than {_MAX_DEPTH} parentheses in {_shown(expression)}")
    return tokens


def _canonical(token: str) -> str:
    if token in ("(", ")"):
        return token
    lower = token.lower()
    if lower in _OPERATORS:
        return _OPERATORS[lower]
    names = licence_data().names
    if lower in names:
        found = names[lower]
        return f"({found})" if " " in found else found
    if lower.endswith("+"):
        return _or_later(token, names)
    if _REFERENCE.fullmatch(token):
        return token
    raise _unknown(token)


def _or_later(token: str, names: Mapping[str, str]) -> str:
    base = names.get(token[:-1].lower())
    if base is None or " " in base:
        raise _unknown(token)
    return base if base.endswith("-or-later") else f"{base}+"


def _unknown(token: str) -> ConfigError:
    return ConfigError(f"unknown licence id {_shown(token)}")


def nearest(name: str) -> str:
    """The known licence id that is spelled most like `name`; takes about 50 ms, for people's mistakes only."""
    names = {key: shown for key, shown in licence_data().names.items() if not key.startswith("licenseref-")}
    return names[difflib.get_close_matches(name.lower()[:80], names, n=1, cutoff=0.0)[0]]


def wrong_id(text: str) -> str | None:
    """The first word of `text` that is neither an operator nor a licence id."""
    for token in _TOKEN.findall(text[:_MAX_LENGTH]):
        try:
            _canonical(token)
        except ConfigError:
            return str(token)
    return None


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:77] + "…")


def _simple(node: Any, expression: str) -> Licence | Compound:
    """license-expression's tree as ours: flattened, distinct, sorted."""
    parts = getattr(node, "args", ())
    if not parts:
        return _leaf(node, expression)
    operator = str(node.operator).strip()
    flat: list[Licence | Compound] = []
    for part in (_simple(part, expression) for part in parts):
        flat.extend(part.operands if isinstance(part, Compound) and part.operator == operator else [part])
    return _compound(operator, flat)


def _leaf(node: Any, expression: str) -> Licence:
    if hasattr(node, "exception_symbol"):
        base, extra = str(node.license_symbol.key), str(node.exception_symbol.key)
    else:
        base, extra = str(node.key), None
    data = licence_data()
    if extra is not None and (extra in data.classes or is_exception(base)):
        raise ConfigError(f"not an SPDX expression: {_shown(expression)} has a WITH between two licences")
    return Licence(base, extra)


def is_exception(name: str) -> bool:
    """Whether `name`, in SPDX's spelling, is an exception, which is no licence of its own."""
    data = licence_data()
    return name not in data.classes and data.names.get(name.lower()) == name


def _compound(operator: str, parts: Iterable[Licence | Compound]) -> Licence | Compound:
    by_text = {str(part): part for part in parts}
    ordered = tuple(by_text[text] for text in sorted(by_text, key=lambda text: (text.casefold(), text)))
    return ordered[0] if len(ordered) == 1 else Compound(operator, ordered)


def conjunction(expressions: Iterable[str]) -> str | None:
    """AND of the distinct expressions, in normal form; None when there are none."""
    return _joined("AND", expressions)


def disjunction(expressions: Iterable[str]) -> str | None:
    """OR of the distinct expressions, in normal form; None when there are none."""
    return _joined("OR", expressions)


def _joined(operator: str, expressions: Iterable[str]) -> str | None:
    flat: list[Licence | Compound] = []
    for node in map(parse, sorted(set(expressions))):
        flat.extend(node.operands if isinstance(node, Compound) and node.operator == operator else [node])
    return str(_compound(operator, flat)) if flat else None


@functools.lru_cache(maxsize=65_536)
def conditions(expression: str) -> tuple[str, ...]:
    """The parts of `expression` that must all be kept: the operands of its outermost AND, or itself alone."""
    tree = parse(expression)
    whole = not isinstance(tree, Compound) or tree.operator != "AND"
    return (str(tree),) if whole else tuple(str(part) for part in tree.operands)  # type: ignore[union-attr]


def _leaves(node: Licence | Compound) -> list[Licence]:
    if isinstance(node, Licence):
        return [node]
    return [leaf for part in node.operands for leaf in _leaves(part)]


@functools.lru_cache(maxsize=65_536)
def identifiers(expression: str | None) -> tuple[str, ...]:
    """The licence ids of `expression`, distinct and sorted; exceptions are not licences and are left out."""
    return tuple(sorted({leaf.id for leaf in _leaves(parse(expression))})) if expression else ()


@functools.lru_cache(maxsize=65_536)
def names(expression: str | None) -> tuple[str, ...]:
    """Whatever `expression` names that has a text: licence ids without a `+`, and exceptions; distinct and sorted."""
    leaves = _leaves(parse(expression)) if expression else []
    named = {leaf.id.removesuffix("+") for leaf in leaves} | {leaf.exception for leaf in leaves if leaf.exception}
    return tuple(sorted(named))


@functools.lru_cache(maxsize=65_536)
def families(expression: str | None) -> frozenset[str]:
    """The licence ids with `-only`, `-or-later` and `+` folded away, e.g. `{"GPL-2.0"}`."""
    return frozenset(family(name) for name in identifiers(expression))


def family(name: str) -> str:
    """`name` without `-only`, `-or-later` or `+`."""
    return re.sub(r"(-only|-or-later|\+)$", "", name)


@functools.lru_cache(maxsize=65_536)
def licence_class(expression: str | None) -> str:
    """`permissive`, `non_permissive` or `no_license` of an expression; None and `NONE` are `no_license`.

    A WITH takes its licence's class, unless the exception takes rights away; an OR the best of its branches;
    an AND the worst of its parts, not counting what adds no condition: references that are no licence and
    exceptions that stand alone (an expression of nothing else is `no_license`). Unknown ids, `LicenseRef-*`
    without data, `NOASSERTION` and text that is no expression are `non_permissive`.
    """
    if expression is None or expression.strip() in _ABSENT | {""}:
        return NO_LICENSE
    try:
        return class_of(parse(expression))
    except ConfigError:
        return NON_PERMISSIVE


def class_of(node: Licence | Compound) -> str:
    """The class of a tree; see `licence_class`."""
    if isinstance(node, Licence):
        return _leaf_class(node)
    parts = [class_of(part) for part in node.operands]
    if node.operator == "OR":
        return min(parts, key=CLASSES.index)
    stated = [part for part in parts if part != NO_LICENSE]
    return NON_PERMISSIVE if NON_PERMISSIVE in stated else PERMISSIVE if stated else NO_LICENSE


def _leaf_class(leaf: Licence) -> str:
    data = licence_data()
    if leaf.id in data.ignorable or (is_exception(leaf.id) and leaf.id not in data.restricting):
        return NO_LICENSE
    if leaf.exception is not None and leaf.exception in data.restricting:
        return NON_PERMISSIVE
    return data.classes.get(leaf.id.removesuffix("+"), NON_PERMISSIVE)


@dataclasses.dataclass(frozen=True)
class Query:
    """A question about licences; made by `query`, whose docstring defines it."""

    text: str
    ids: frozenset[str]
    classes: frozenset[str]
    needed: tuple[tuple[frozenset[str], frozenset[str]], ...] = ()  # what is left without each side of an AND

    def matches(self, expression: str | None, licence_class: str) -> bool:
        """Whether a row with this expression and class answers the query."""
        if not self.ids:
            return licence_class in self.classes
        return _matches(self, expression, licence_class)


@functools.lru_cache(maxsize=65_536)
def _matches(asked: Query, expression: str | None, licence_class: str) -> bool:
    if expression is None:
        return licence_class in asked.classes
    try:
        tree = parse(expression)
    except ConfigError:
        return False
    if not satisfied(tree, asked.ids, asked.classes):
        return False
    return not any(satisfied(tree, ids, classes) for ids, classes in asked.needed)


def query(text: str) -> Query:
    """The meaning of `--license TEXT`; UsageError, with the nearest name, for an unknown id.

    - `permissive`, `non_permissive`, `no_license`: rows of that class (`unlicensed` rows have no expression).
    - An id, or ids joined by OR: rows whose expression can be complied with by these licences alone. `MIT`
      answers for `MIT` and `MIT OR GPL-2.0-only`, not for `MIT AND BSD-3-Clause`; `MIT OR BSD-3-Clause`
      answers for all three.
    - `A AND B`: rows that A and B together satisfy, but neither side does without the other.
    - A row's `X-or-later` offers `X-only`, every later version of the family and their `-or-later`; a row's
      `X WITH exception` offers plain `X`, unless the exception takes rights away. References that are no
      licence ask for nothing. A class may stand among the ids: `permissive OR MPL-2.0`.
    """
    words = [word for word in _TOKEN.findall(text) if word.lower() not in _OPERATORS and word not in ("(", ")")]
    classes = frozenset(word.lower() for word in words if word.lower() in CLASSES)
    if classes and len(words) == 1:
        return Query(text=words[0].lower(), ids=frozenset(), classes=classes)
    try:
        tree = parse(masked(text))
    except ConfigError as error:
        wrong = wrong_id(masked(text))
        hint = f"the nearest valid name is {nearest(wrong)}" if wrong else _QUERY_HINT
        raise UsageError(f"cannot read --license {_shown(text)}: {error.message}", hint=hint) from error
    ids, chosen = _named(tree)
    needed: tuple[tuple[frozenset[str], frozenset[str]], ...] = ()
    if isinstance(tree, Compound) and tree.operator == "AND":
        sides = [_named(side) for side in tree.operands]
        needed = tuple((ids - side_ids, chosen - side_classes) for side_ids, side_classes in sides)
    if not ids:
        return Query(text=text, ids=frozenset(), classes=chosen)
    return Query(text=text, ids=ids, classes=chosen, needed=needed)


_QUERY_HINT = "give a class (permissive, non_permissive, no_license) or an SPDX expression such as 'Apache-2.0 OR MIT'"
_MASK = "LicenseRef-gristmill-class-"


def masked(text: str) -> str:
    """`text` with the names of classes turned into ids that `parse` reads and `class_named` knows again."""

    def mask(found: re.Match[str]) -> str:
        word = found.group(0)
        return _MASK + word.lower().replace("_", "-") if word.lower() in CLASSES else word

    return _TOKEN.sub(mask, text)


def class_named(leaf: str) -> str | None:
    """The class that an id of `masked` text stands for, or None."""
    return leaf.removeprefix(_MASK).replace("-", "_") if leaf.startswith(_MASK) else None


def _named(tree: Licence | Compound) -> tuple[frozenset[str], frozenset[str]]:
    leaves = [str(leaf) for leaf in _leaves(tree)]
    classes = frozenset(name.removeprefix(_MASK).replace("-", "_") for name in leaves if name.startswith(_MASK))
    return frozenset(name for name in leaves if not name.startswith(_MASK)), classes


def satisfied(node: Licence | Compound, ids: frozenset[str], classes: frozenset[str] = frozenset()) -> bool:
    """Whether one can comply with `node` by licences of `ids`, or of `classes`, alone.

    A leaf by anything that it `offers`, an OR by one branch, an AND by all of its parts but those that add no
    condition. Monotone in `ids` and `classes`.
    """
    if isinstance(node, Licence):
        return _leaf_class(node) in classes or not ids.isdisjoint(offers(node))
    if node.operator == "OR":
        return any(satisfied(part, ids, classes) for part in node.operands)
    asked = [part for part in node.operands if class_of(part) != NO_LICENSE]
    return bool(asked) and all(satisfied(part, ids, classes) for part in asked)


@functools.lru_cache(maxsize=4096)
def offers(leaf: Licence) -> frozenset[str]:
    """Every id (or `id WITH exception`) under which a licensee may take `leaf`; see `query`."""
    data = licence_data()
    offered = {str(leaf)}
    if leaf.exception not in data.restricting:
        offered.add(leaf.id)
    stem, later = _version(leaf.id)
    if stem is not None and later and leaf.exception not in data.restricting:
        for other in data.classes:
            found, _ = _version(other)
            if found is not None and found[0] == stem[0] and found[1] >= stem[1]:
                offered.add(other)
    return frozenset(offered)


def _version(name: str) -> tuple[tuple[str, tuple[int, ...]] | None, bool]:
    """((stem, version), whether "or later"), e.g. `GPL-2.0-or-later` → (("GPL", (2, 0)), True)."""
    found = re.fullmatch(r"(.*?)-(\d+(?:\.\d+)*)(-only|-or-later|\+)?", name)
    if not found:
        return None, False
    return (found[1], tuple(int(part) for part in found[2].split("."))), found[3] in ("-or-later", "+")
