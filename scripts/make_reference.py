"""Writes docs/reference/ from the code: the command line, the recipe's keys, the reason codes.

With --check nothing is written; exit 1 names the pages that are not what the code says.
"""

from __future__ import annotations

import ast
import datetime as dt
import inspect
import io
import json
import re
import sys
import textwrap
import tokenize
import types
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pydantic
import typer
from pydantic.fields import FieldInfo

from foundation.storage import write_atomic
from pipeline.cli.main import application
from pipeline.cli.output import Output
from pipeline.policies import STAGES
from pipeline.recipe import Recipe

FOLDER = Path("docs/reference")
MADE_BY = "<!-- Made by `make docs` from the code; edit the code, not this page. -->"
WIDTH = 100


def main(arguments: list[str]) -> int:
    """Write the pages, or check them with --check."""
    output = Output()
    stale = []
    for name, make in PAGES.items():
        path, text = FOLDER / name, make().encode()
        if path.is_file() and path.read_bytes() == text:
            continue
        stale.append(str(path))
        if "--check" not in arguments:
            write_atomic(path, text)
            output.note(f"wrote {path}")
    if stale and "--check" in arguments:
        output.warn(f"not what the code says: {', '.join(stale)}; run `make docs` and commit the result")
        return 1
    return 0


def cli_page() -> str:
    """docs/reference/cli.md: every command's own help."""
    parts = [
        "# Command line",
        MADE_BY,
        "Data goes to stdout, everything else to stderr. `NO_COLOR` is honoured; `GRISTMILL_DEBUG=1` shows tracebacks.",
        "| exit code | meaning |\n|---|---|\n" + "\n".join(f"| {code} | {meaning} |" for code, meaning in EXIT_CODES),
    ]
    for path, text in commands():
        parts.append(f"## {' '.join(path)}\n\n```text\n{text}\n```")
    return "\n\n".join(parts) + "\n"


EXIT_CODES = (
    (0, "success"),
    (1, "the question was understood and the answer is no"),
    (2, "wrong usage"),
    (3, "configuration or credentials"),
    (4, "partial failure: finished work is kept, the same command resumes"),
    (5, "conflict: a lock is held, a version exists, an input drifted"),
    (6, "integrity: bytes are not what they should be"),
    (70, "a bug of ours"),
    (130, "interrupted"),
    (141, "the reader of stdout went away"),
)


def commands() -> Iterator[tuple[tuple[str, ...], str]]:
    """(words of the command, its help) for every group and command, in the order they are declared."""
    yield from _walk(typer.main.get_command(application()), ("gristmill",), None)


def _walk(command: Any, words: tuple[str, ...], parent: Any) -> Iterator[tuple[tuple[str, ...], str]]:
    context = command.context_class(
        command,
        info_name=words[-1],
        parent=parent,
        **{**command.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH, "color": False},
    )
    yield words, "\n".join(line.rstrip() for line in command.get_help(context).strip().splitlines())
    for name, inner in getattr(command, "commands", {}).items():
        if not inner.hidden:
            yield from _walk(inner, (*words, name), context)


def recipe_page() -> str:
    """docs/reference/recipe.md: every key of a recipe, its type, default and meaning."""
    parts = [
        "# Recipe",
        MADE_BY,
        "A recipe is a TOML file; unknown, misspelt and duplicate keys are refused. What has no default must be given. "
        "Shipped recipes are in `recipes/`.",
    ]
    for table, model in tables_of(Recipe):
        rows = [
            f"| `{key}` | {kind} | {_cell(default)} | {_cell(meaning)} |"
            for key, kind, default, meaning in keys_of(model)
        ]
        about, _ = described(model)
        if rows:
            parts.append(
                f"## [{table}]\n\n{about}\n\n| key | type | default | meaning |\n|---|---|---|---|\n" + "\n".join(rows)
            )
    return "\n\n".join(parts) + "\n"


def tables_of(model: type[pydantic.BaseModel], prefix: str = "") -> Iterator[tuple[str, type[pydantic.BaseModel]]]:
    """(TOML table, its model) below `model`, depth first in declared order."""
    for name, field in model.model_fields.items():
        inner = _model_in(field.annotation)
        if inner is not None:
            yield f"{prefix}{name}", inner
            yield from tables_of(inner, f"{prefix}{name}.")


def keys_of(model: type[pydantic.BaseModel]) -> Iterator[tuple[str, str, str, str]]:
    """(key, type with bounds, default, meaning) of one table's own keys."""
    comments, (about, said) = field_comments(model), described(model)
    for name, field in model.model_fields.items():
        if _model_in(field.annotation) is None:
            meaning = field.description or said.get(name) or comments.get(name, "")
            if not meaning and f"`{name}`" in about:
                meaning = "see above"
            yield name, _kind(field), _default(field), meaning


def described(model: type[pydantic.BaseModel]) -> tuple[str, dict[str, str]]:
    """The docstring of `model` in two: what it says of the whole, and of each key.

    What is said of a key starts with `key: …` or is a sentence that starts with the key in backticks.
    """
    text = inspect.cleandoc(model.__doc__ or "")
    keys = "|".join(sorted(model.model_fields, key=lambda name: (-len(name), name)))
    starts = list(re.finditer(rf"(?:(?<=[.;][ \n])|(?<=\n\n)|^)(?:`?({keys})`?: |`({keys})` )", text)) if keys else []
    said: dict[str, str] = {}
    for match, following in zip(starts, [*starts, None][1:], strict=True):
        begin = match.end() if match[1] else match.start()
        segment = " ".join(text[begin : following.start() if following else len(text)].split())
        said[match[1] or match[2]] = segment.rstrip(".;")
    for key in model.model_fields:
        elsewhere = [other for other, segment in said.items() if f"`{key}`" in segment]
        if key not in said and elsewhere:
            said[key] = f"see `{elsewhere[0]}`"
    return (text[: starts[0].start()] if starts else text).strip(), said


def field_comments(model: type[pydantic.BaseModel]) -> dict[str, str]:
    """The comment beside (or else right above) each field of `model`, bases included."""
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if issubclass(base, pydantic.BaseModel) and base is not pydantic.BaseModel:
            found |= _own_comments(base)
    return found


def _own_comments(model: type[pydantic.BaseModel]) -> dict[str, str]:
    source = textwrap.dedent(inspect.getsource(model))
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = {token.start[0]: token.string.lstrip("# ") for token in tokens if token.type == tokenize.COMMENT}
    lines = source.splitlines()
    (definition,) = ast.parse(source).body
    found = {}
    for node in getattr(definition, "body", []):
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
            continue
        said = [comments[line] for line in range(node.lineno, (node.end_lineno or node.lineno) + 1) if line in comments]
        above = node.lineno - 1
        while not said and above in comments and lines[above - 1].lstrip().startswith("#"):
            said, above = [comments[above], *said], above - 1
        found[node.target.id] = " ".join(said)
    return found


def _model_in(annotation: Any) -> type[pydantic.BaseModel] | None:
    for candidate in (annotation, *get_args(annotation)):
        if inspect.isclass(candidate) and issubclass(candidate, pydantic.BaseModel):
            return candidate
    return None


def _kind(field: FieldInfo) -> str:
    bounds = [f"{sign} {value}" for item in field.metadata for sign, value in _bounds(item)]
    return ", ".join([_type(field.annotation), *bounds])


def _type(annotation: Any) -> str:
    """An annotation in TOML's words."""
    origin, inner = get_origin(annotation), [item for item in get_args(annotation) if item is not types.NoneType]
    if origin is Annotated:
        return _type(inner[0])
    if origin is Literal:
        return " \\| ".join(f"`{json.dumps(value)}`" for value in inner)
    if origin in (types.UnionType, Union):
        return " or ".join(_type(item) for item in inner)
    if origin is not None and issubclass(origin, Mapping):
        return f"table of {_type(inner[0])} → {_type(inner[1])}"
    if origin is not None and issubclass(origin, Collection):
        return f"array of {_type(inner[0])}"
    return _TOML_TYPES.get(annotation, str(annotation))


_TOML_TYPES: Mapping[Any, str] = types.MappingProxyType(
    {str: "string", int: "integer", float: "number", bool: "boolean", dt.date: "date"}
)


def _bounds(constraint: object) -> Iterator[tuple[str, object]]:
    for attribute, sign in (("gt", ">"), ("ge", "≥"), ("lt", "<"), ("le", "≤"), ("pattern", "matches")):
        value = getattr(constraint, attribute, None)
        if value is not None:
            yield sign, f"`{_cell(value)}`" if attribute == "pattern" else value


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "(must be given)"
    value = field.get_default(call_default_factory=True)
    text = "(none)" if value is None else json.dumps(_plain(value), ensure_ascii=False)
    return text if text == "(none)" else f"`{text}`"


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(_plain(item) for item in value)  # type: ignore[type-var]
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | types.NoneType) else str(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def reasons_page() -> str:
    """docs/reference/reasons.md: every stage's policy version and reason codes."""
    parts = [
        "# Stages and reason codes",
        MADE_BY,
        "Every content of the catalog has exactly one decision. A dropped one names the stage and one of these codes; "
        "`gristmill explain` shows it with the value, the threshold and the evidence.",
    ]
    for stage in STAGES:
        rows = "\n".join(f"| `{code}` | {_cell(meaning)} |" for code, meaning in stage.REASONS.items())
        body = f"| code | meaning |\n|---|---|\n{rows}" if rows else "It drops nothing."
        parts.append(f"## {stage.NAME}\n\nPolicy version {stage.VERSION}.\n\n{body}")
    return "\n\n".join(parts) + "\n"


PAGES: Mapping[str, Callable[[], str]] = types.MappingProxyType(
    {"cli.md": cli_page, "recipe.md": recipe_page, "reasons.md": reasons_page}
)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
