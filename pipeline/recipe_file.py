"""From a TOML file to a Recipe, with errors that say which file, which key, what was expected and the nearest name."""

from __future__ import annotations

import difflib
import sys
import tomllib
import types
import typing
from collections.abc import Sequence
from pathlib import Path

import pydantic

from foundation.errors import ConfigError
from pipeline.recipe import Recipe
from stages.licences import read_overrides


def load_recipe(source: str | Path) -> Recipe:
    """The recipe in the file `source`, or the one shipped under that name (`quickstart`, `stack`).

    Raises ConfigError: file missing or not TOML, key unknown or given twice, value impossible.
    """
    path = Path(source)
    if not path.is_file():
        path = shipped(str(source))
    try:
        document = tomllib.loads(path.read_bytes().decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 (byte {error.start})", hint="save the recipe as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}", hint=_toml_hint(str(error))) from error
    return parse_recipe(_with_overrides(document, path), name=str(path))


def parse_recipe(document: dict[str, object], *, name: str) -> Recipe:
    """The recipe in a parsed TOML document; `name` is the file that errors speak of."""
    try:
        return Recipe.model_validate(document)
    except pydantic.ValidationError as error:
        lines = [_problem(problem) for problem in error.errors(include_url=False)]
        raise ConfigError(f"{name}: " + f"\n{name}: ".join(lines), hint="see docs/reference/recipe.md") from error


def _with_overrides(document: dict[str, object], recipe: Path) -> dict[str, object]:
    """`document` with the entries of the file that `[licences] overrides` names, which lies relative to the recipe."""
    section = document.get("licences")
    if not isinstance(section, dict) or not isinstance(section.get("overrides"), str):
        return document
    named = section["overrides"]
    entries = read_overrides(recipe.parent / named) if named else ()
    return {**document, "licences": {**section, "overrides": entries}}


def shipped(name: str) -> Path:
    """The recipe file shipped with Gristmill under `name`; ConfigError names the ones there are."""
    stem = Path(name).stem
    for folder in _folders():
        candidate = folder / f"{stem}.toml"
        if candidate.is_file() and name in (stem, f"{stem}.toml"):
            return candidate
    known = sorted({path.stem for folder in _folders() for path in folder.glob("*.toml")})
    raise ConfigError(f"no recipe {name!r}: no such file", hint=f"give a TOML file, or one of: {', '.join(known)}")


def _folders() -> list[Path]:
    installed = Path(sys.prefix, "share", "gristmill", "recipes")
    checkout = Path(__file__).resolve().parent.parent / "recipes"
    return [folder for folder in (checkout, installed) if folder.is_dir()]


def _toml_hint(message: str) -> str:
    if "overwrite" in message or "twice" in message or "already" in message:
        return "a key or table is given twice; keep one of them"
    return "correct the line named above"


def _problem(problem: typing.Mapping[str, typing.Any]) -> str:
    location = [str(piece) for piece in problem["loc"]]
    key = ".".join(location)
    if problem["type"] == "extra_forbidden":
        names = _names_at(location[:-1])
        near = difflib.get_close_matches(location[-1], names, n=1, cutoff=0.5)
        meant = f"; did you mean {near[0]!r}?" if near else f"; known keys: {', '.join(sorted(names))}"
        return f"unknown key {key!r}{meant}"
    if problem["type"] == "missing":
        return f"missing key {key!r}"
    given = problem.get("input")
    shown = f" (given: {given!r})" if isinstance(given, str | int | float | bool) else ""
    return f"{key or 'recipe'}: {problem['msg'].removeprefix('Value error, ')}{shown}"


def _names_at(location: Sequence[str]) -> list[str]:
    """The keys that the model at `location` knows."""
    model: typing.Any = Recipe
    for piece in location:
        field = getattr(model, "model_fields", {}).get(piece)
        model = _model_in(field.annotation) if field is not None else None
        if model is None:
            return []
    return list(getattr(model, "model_fields", {}))


def _model_in(annotation: typing.Any) -> typing.Any:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return next((arg for arg in typing.get_args(annotation) if hasattr(arg, "model_fields")), None)
    return annotation if hasattr(annotation, "model_fields") else None
