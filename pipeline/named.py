"""How a build shows the paths that people ask for: redacted with the settings that it was made with."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from manifests import load_manifest
from manifests.flow_tables import find_tables
from manifests.release import find_release
from stages.redaction import Settings, redact_name


def name_redaction(directory: str | Path) -> Callable[[bytes], bytes]:
    """A path as the build (or release) `directory` shows it, but for the numbers of its placeholders.

    Raises what `manifests.explain` raises for a folder that is none; a build of other settings than this version knows
    is asked with the defaults.
    """
    tables = find_tables(directory)
    if tables is not None and (tables.build / "build.json").is_file():
        recipe = json.loads((tables.build / "build.json").read_bytes()).get("recipe")
    else:
        recipe = load_manifest(find_release(directory)).created_from.recipe if tables is None else None
    return functools.partial(redact_name, settings=_settings(recipe))


def _settings(recipe: object) -> Settings:
    section = recipe.get("redaction") if isinstance(recipe, dict) else None
    try:
        return Settings.model_validate_json(json.dumps(section)) if section else Settings()
    except ValidationError:
        return Settings()
