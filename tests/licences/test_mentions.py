"""What a notice only mentions is not what it states."""

from __future__ import annotations

from pathlib import Path

import licensedcode
import pytest

from stages.licences.detection import recognise
from stages.licences.notices import whole_text
from tests.licences.texts import licence_text


def rule_text(name: str) -> str:
    path = Path(licensedcode.__file__).parent / "data" / "rules" / f"{name}.RULE"
    return path.read_text("utf-8").split("\n---\n", 1)[-1]


def found_in(text: str) -> str | None:
    return recognise(whole_text(text, limit=1 << 18), timeout=120).expression


@pytest.mark.parametrize(
    "sentence",
    [
        "This licence is GPL-compatible, according to its author.",
        "The choice of law makes it incompatible with the GPL.",
        "This licence, unlike the GPL, lets you keep your changes to yourself.",
    ],
)
def test_a_licence_that_is_only_compared_with_is_not_stated(sentence: str) -> None:
    assert found_in(f"{licence_text('mit')}\n\n{sentence}\n") == "MIT"


def test_a_statement_beside_a_comparison_still_counts() -> None:
    said = "Parts of this are distributed under the GPL. The rest is compatible with the GPL."
    assert "GPL" in (found_in(f"{licence_text('mit')}\n\n{said}\n") or "")


def test_the_text_of_pythons_licence_is_not_gpl() -> None:
    history = (
        "(1) GPL-compatible doesn't mean that we're distributing Python under the GPL. All Python licenses, unlike "
        "the GPL, let you distribute a modified version without making your changes open source."
    )
    assert found_in(f"{history}\n\n{licence_text('python')}") == "Python-2.0"


def test_a_notice_recognised_by_likeness_is_of_the_version_that_it_names() -> None:
    text = rule_text("sgi-freeb-1.1_3")
    assert found_in(text) == "SGI-B-1.1"
    assert found_in(text.replace("Version 1.1", "Version 1.0").replace("version 1.1", "version 1.0")) == "SGI-B-1.0"


def test_a_pointer_beside_a_licence_is_looked_at_twice() -> None:
    text = rule_text("mit_or_commercial-option").replace("IN NO EVENT", "IN NO CASE")
    assert found_in(text) == "LicenseRef-scancode-commercial-license OR MIT"
