"""The body of a text is what is left when the comments at its head are gone, whatever header they held."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.contents.bodies import BODY_TOKENS, body_keys, head_length

CODE = "int main(void) { " + " ".join(f"step_{at}();" for at in range(BODY_TOKENS)) + " }\n"
HEADS = [
    "",
    "\ufeff",
    "/* GPL\n * more */\n",
    "/* unfinished words */ /* two */\n\n",
    "// SPDX-License-Identifier: MIT\n// more\n",
    "#!/usr/bin/env python3\n# -*- coding: utf-8 -*-\n# Copyright\n",
    '"""Licensed under Apache-2.0."""\n',
    "'''Licensed'''\n\n",
    "<!-- MIT -->\r\n<?xml version='1.0'?>\n",
    "<?php\n/** GPL */\n",
    "-- SPDX\n--[[ long\n text ]]\n",
    "{- GPL -}\n",
    "(* LGPL *)\n",
    "%{ BSD %}\n% more\n",
    ";; GPL\n",
    "=begin\nRuby\n=end\n",
    "dnl autoconf\n",
    "@rem batch\r\n",
    "# £ © 版权所有\n",
]


def keys(*texts):
    return body_keys(pa.array(texts, pa.large_string())).to_pylist()


@pytest.mark.parametrize("head", HEADS)
def test_another_head_is_the_same_body(head):
    assert head_length(head + CODE) == len(head.encode())
    plain, headed = keys(CODE, head + CODE)
    assert plain == headed
    assert plain is not None


def test_white_space_is_no_difference_and_a_token_is():
    same, spaced, other, swapped = keys(
        CODE, CODE.replace(" ", "\n\t "), CODE.replace("step_7()", "step_8()"), CODE.replace("step_1();", "", 1)
    )
    assert same == spaced
    assert len({same, other, swapped}) == 3


def test_short_bodies_have_no_key():
    words = [f"word{at}" for at in range(BODY_TOKENS)]
    assert keys(" ".join(words)) != [None]
    assert keys(" ".join(words[:-1]), "", "/* only a comment", "# " + " ".join(words) * 5) == [None] * 4


PIECES = st.sampled_from([*HEADS, "/*", "*/", "#", '"""', "x", " ", "\n", "<?xml", "\x00"]) | st.text()


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=8))
def test_any_text_has_a_head_inside_it_and_one_key_in_any_batch(pieces):
    text = "".join(pieces)
    assert 0 <= head_length(text) <= len(text.encode())
    assert keys(CODE, text, CODE, text) == [*keys(CODE, text)] * 2
    assert keys(text + CODE)[0] is None or head_length(text + CODE) < len((text + CODE).encode())
