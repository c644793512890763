"""Texts of the SPDX list are known word for word, whatever their dress, and one text of two licences is not decided."""

from __future__ import annotations

import importlib.resources

import pytest

from foundation import spdx
from foundation.errors import ConfigError
from stages.licences import texts
from stages.licences.detection import TEXTS_TOOL, recognise
from stages.licences.notices import whole_text
from stages.licences.texts import known_text, read_texts, text_key
from tests.licences.texts import licence_text


def normal(text: str) -> str:
    return whole_text(text, limit=1 << 20)


@pytest.mark.parametrize(("key", "expression"), [("apache-2.0", "Apache-2.0"), ("mit", "MIT")])
def test_a_listed_text_is_known_in_every_dress(key: str, expression: str) -> None:
    text = licence_text(key)
    commented = "/*\n" + "\n".join(f" * {line}" for line in text.splitlines()) + "\n */\n"
    shouted = text.upper().replace("(", "[").replace(")", "]")
    assert [known_text(normal(dress)) for dress in (text, commented, shouted)] == [expression] * 3


def test_another_word_is_another_text() -> None:
    assert known_text(normal(licence_text("mit").replace("free of charge", "for a charge"))) is None


@pytest.mark.parametrize("key", ["gpl-3.0", "lgpl-2.1", "agpl-3.0", "gfdl-1.3"])
def test_a_text_with_and_without_later_versions_is_left_to_the_matcher(key: str) -> None:
    assert known_text(normal(licence_text(key))) is None


def test_what_is_known_needs_no_index() -> None:
    found = recognise(normal(licence_text("mit")), timeout=1.0)
    assert (found.expression, found.status, found.score, found.tool) == ("MIT", "detected", 100.0, TEXTS_TOOL)


def test_every_id_of_the_table_is_a_licence_in_its_own_spelling() -> None:
    data = importlib.resources.files("stages.licences").joinpath("data", "spdx_texts.json").read_bytes()
    names = set(read_texts(data, expected=texts.TEXTS_SHA256).values())
    assert len(names) > 600
    assert {name for name in names if spdx.normalise(name) != name} == set()


def test_ids_newer_than_the_database_have_a_class() -> None:
    assert spdx.licence_class("WordNet") == "permissive"
    assert spdx.licence_class("UnRAR") == "non_permissive"


def test_an_altered_table_is_refused() -> None:
    with pytest.raises(ConfigError, match="SHA-256"):
        read_texts(b"{}", expected=texts.TEXTS_SHA256)


def test_punctuation_and_case_name_no_other_text() -> None:
    assert text_key("The Software, as-is.") == text_key("the software as is") != text_key("software the as is")
