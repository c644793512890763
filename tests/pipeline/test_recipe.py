"""Recipes: what is written is what runs, and every mistake is named with its key and the nearest right one."""

from pathlib import Path

import pydantic
import pytest

from foundation.errors import ConfigError
from pipeline.recipe import Recipe
from pipeline.recipe_file import load_recipe, parse_recipe

GOOD = '[release]\nname = "r"\nversion = "1.2.3"\n'


def load(tmp_path: Path, text: str) -> Recipe:
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    return load_recipe(path)


@pytest.mark.parametrize("name", ["quickstart", "stack", "quickstart.toml"])
def test_shipped_recipes_load_by_name(name: str) -> None:
    assert load_recipe(name).release.name == name.removesuffix(".toml")


def test_a_recipe_is_frozen(tmp_path: Path) -> None:
    recipe = load(tmp_path, GOOD)
    with pytest.raises(pydantic.ValidationError):
        recipe.release.name = "x"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD + "[catalogue]\n", "unknown key 'catalogue'; did you mean 'catalog'?"),
        (
            GOOD + "[deduplication]\nthreshhold = 0.7\n",
            "unknown key 'deduplication.threshhold'; did you mean 'threshold'?",
        ),
        (GOOD + "[archive.s3]\nregin = 'x'\n", "unknown key 'archive.s3.regin'; did you mean 'region'?"),
        (GOOD + "[deduplication]\nthreshold = 1.5\n", "deduplication.threshold"),
        (GOOD + "[catalog]\nmax_bytes = 0\n", "catalog.max_bytes"),
        (GOOD + "[catalog]\nmax_bytes = 'many'\n", "catalog.max_bytes"),
        ('[release]\nname = "r"\n', "missing key 'release.version'"),
        ('[release]\nname = "../r"\nversion = "1.0.0"\n', "release.name"),
        ('[release]\nname = "r"\nversion = "1.0"\n', "release.version"),
        (GOOD + '[archive]\nuri = "folder"\n[archive.s3]\nregion = "x"\n', "not s3://"),
        (GOOD + "[catalog]\nmax_bytes = 1\nmax_bytes = 2\n", "not valid TOML"),
        (GOOD + GOOD, "not valid TOML"),
        ("name = \x00", "not valid TOML"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert said in caught.value.message
    assert "recipe.toml" in caught.value.message
    assert caught.value.hint
    assert caught.value.exit_code == 3


def test_a_missing_recipe_names_the_shipped_ones(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file") as caught:
        load_recipe(tmp_path / "nowhere.toml")
    assert "quickstart" in caught.value.hint


def test_places_are_not_identity_but_settings_are() -> None:
    base = {"release": {"name": "r", "version": "1.0.0"}}
    here = parse_recipe({**base, "archive": {"uri": "s3://a", "s3": {"endpoint": "http://x"}}}, name="r")
    there = parse_recipe({**base, "archive": {"uri": "/folder"}}, name="r")
    other = parse_recipe({**base, "deduplication": {"threshold": 0.8}}, name="r")
    assert here.fingerprint() == there.fingerprint() != other.fingerprint()
