"""Every documented shape of a token is found whole: between quotes, in prose and in an address."""

import random
import re._constants as op
import re._parser as parser

import pytest

from stages.redaction.prefixes import PREFIXES
from stages.redaction.tokens import token_rules
from tests.redaction.samples import run

ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789-_+/.@"


def made_up(parsed, rng: random.Random) -> str:
    """A random string of the language of a parsed expression, repetitions as short as they may be."""
    text = ""
    for code, argument in parsed:
        if code is op.LITERAL:
            text += chr(argument)
        elif code is op.IN:
            text += rng.choice(allowed(argument))
        elif code is op.MAX_REPEAT:
            text += "".join(made_up(argument[2], rng) for _ in range(argument[0]))
        elif code is op.SUBPATTERN:
            text += made_up(argument[3], rng)
        elif code is op.BRANCH:
            text += made_up(rng.choice(argument[1]), rng)
        else:
            raise AssertionError(code)
    return text


def allowed(items) -> str:
    """The characters of a class, those of ALPHABET first."""
    negated = items[0][0] is op.NEGATE
    chars = ""
    for code, argument in items[1:] if negated else items:
        if code is op.LITERAL:
            chars += chr(argument)
        elif code is op.RANGE:
            chars += "".join(map(chr, range(argument[0], argument[1] + 1)))
    return "".join(char for char in ALPHABET if char not in chars) if negated else chars


@pytest.mark.parametrize("name", PREFIXES)
def test_a_shape_is_found_whole(name):
    rng = random.Random(name)
    for _ in range(3):
        value = made_up(parser.parse(PREFIXES[name]), rng)
        for text in (f"v = '{value}'", f"use {value} here", f"https://api.acme.io/?q={value}"):
            redacted, spans = run(text, "a.txt")
            assert value not in redacted, name
            assert sum(span["original_length"] for span in spans) >= len(value) - 3, name


def test_names_of_rules_are_distinct():
    names = [rule.name for rule in token_rules()]
    assert len(names) == len(set(names))
