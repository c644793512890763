"""The card is rendered from the manifest alone; the recipe's title heads it."""

from pathlib import Path

from tests.support import mill


def test_the_card_bears_the_recipes_title(tmp_path: Path) -> None:
    from pipeline.recipe_file import parse_recipe

    release = {**mill.RECIPE["release"], "title": "Ada's\n corpus: <b>"}
    recipe = parse_recipe({**mill.RECIPE, "release": release}, name="titled")
    trees = {"one": {"a.py": b"# SPDX-License-Identifier: MIT\n" + mill.program(1).encode()}}
    built = mill.build_in(tmp_path / "out", mill.make(tmp_path, trees), recipe=recipe)
    card = (built.result.release / "README.md").read_text()
    assert "\n# Ada's corpus: <b> 1.0.0\n" in card
    assert 'pretty_name: "Ada\'s corpus: <b>"' in card
