"""The recipe's language policy: what it accepts as settings, and what it refuses of a corpus."""

from __future__ import annotations

import json

import polars as pl
import pytest
from pydantic import ValidationError

from stages.languages import REASONS, Settings, refuse

CLASSES = pl.DataFrame(
    {
        "language": ["Python", "C", None, "HTML", "Python"],
        "vendored": [False, False, False, True, True],
        "generated": [False, True, False, False, True],
        "documentation": [True, True, False, False, False],
    }
)


def reasons(**settings: object) -> list[str | None]:
    return refuse(CLASSES, Settings.model_validate(settings))["reason"].to_list()


def test_the_default_keeps_everything() -> None:
    assert reasons() == [None] * 5


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"include": ["Python"]}, [None, "language_not_included", "language_unknown", "language_not_included", None]),
        ({"exclude": ["C", "HTML"]}, [None, "language_excluded", None, "language_excluded", None]),
        ({"drop_unknown": True}, [None, None, "language_unknown", None, None]),
        ({"drop_vendored": True}, [None, None, None, "vendored", "vendored"]),
        ({"drop_generated": True}, [None, "generated", None, None, "generated"]),
        ({"drop_documentation": True}, ["documentation", "documentation", None, None, None]),
        ({"drop_generated": True, "drop_documentation": True}, ["documentation", "generated", None, None, "generated"]),
        ({"drop_generated": True, "drop_vendored": True}, [None, "generated", None, "vendored", "vendored"]),
    ],
)
def test_each_setting_drops_its_rows_with_its_reason(settings: dict[str, object], expected: list[str | None]) -> None:
    assert reasons(**settings) == expected
    assert set(filter(None, expected)) <= set(REASONS)


def test_a_refusal_says_what_and_against_what() -> None:
    rows = refuse(CLASSES, Settings(include=("Python", "Go"))).rows()
    assert rows[1] == ("language_not_included", "C", "Go, Python")
    assert rows[0] == (None, None, None)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"include": ["python"]}, "Python"),
        ({"exclude": ["Pyhton"]}, "Python"),
        ({"include": ["C"], "exclude": ["C"]}, "both name C"),
        ({"min_confidence": 1.5}, "less than or equal to 1"),
        ({"inclde": []}, "Extra inputs"),
    ],
)
def test_wrong_settings_are_refused_with_the_way_out(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Settings.model_validate(settings)


def test_settings_survive_json() -> None:
    settings = Settings(include=("C",), min_confidence=0.7, drop_vendored=True)
    assert Settings.model_validate(json.loads(json.dumps(settings.model_dump(mode="json")))) == settings
