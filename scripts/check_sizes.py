"""Size limits and completeness of product code, as `file:line: problem` lines.

Limits: a file has at most 500 lines, a function at most 60 (docstring and decorators included); every
parameter and return is annotated; every public module, class, function and method has a docstring.
"""

from __future__ import annotations

import ast
import statistics
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

FILE_LINES = 500
FUNCTION_LINES = 60

_Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


def main(arguments: list[str]) -> int:
    """Check the packages named by `arguments`; 1 when there is a violation."""
    files = sorted(path for name in arguments for path in Path(name).rglob("*.py"))
    violations = [line for path in files for line in check_file(path)]
    for line in violations:
        print(line)
    print(summary(files), file=sys.stderr)
    return 1 if violations else 0


def check_file(path: Path) -> list[str]:
    """The violations in one file, in line order."""
    source = path.read_text("utf-8")
    tree = ast.parse(source, filename=str(path))
    lines = len(source.splitlines())
    found: list[tuple[int, str]] = []
    if lines > FILE_LINES:
        found.append((FILE_LINES + 1, f"file has {lines} lines, at most {FILE_LINES} are allowed"))
    if ast.get_docstring(tree) is None:
        found.append((1, "module has no docstring"))
    found += [problem for function in _functions(tree) for problem in _check_function(function)]
    found += _missing_docstrings(tree, "")
    return [f"{path}:{line}: {problem}" for line, problem in sorted(found)]


def summary(files: Iterable[Path]) -> str:
    """Median and maximum lines of files and functions."""
    trees = {path: ast.parse(path.read_text("utf-8")) for path in files}
    file_lines = [len(path.read_text("utf-8").splitlines()) for path in trees]
    function_lines = [_length(function) for tree in trees.values() for function in _functions(tree)]
    if not function_lines:
        return "sizes: no functions"
    return (
        f"sizes: {len(file_lines)} files, median {statistics.median(file_lines):.0f}, longest {max(file_lines)} lines; "
        f"{len(function_lines)} functions, median {statistics.median(function_lines):.0f}, "
        f"longest {max(function_lines)} lines"
    )


def _functions(tree: ast.AST) -> Iterator[_Function]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _length(function: _Function) -> int:
    first = min([function.lineno, *(decorator.lineno for decorator in function.decorator_list)])
    return (function.end_lineno or first) - first + 1


def _check_function(function: _Function) -> Iterator[tuple[int, str]]:
    if _length(function) > FUNCTION_LINES:
        yield (
            function.lineno,
            f"function {function.name} has {_length(function)} lines, at most {FUNCTION_LINES} are allowed",
        )
    unannotated = [argument.arg for argument in _arguments(function) if argument.annotation is None]
    if unannotated:
        yield function.lineno, f"function {function.name} does not annotate {', '.join(unannotated)}"
    if function.returns is None:
        yield function.lineno, f"function {function.name} does not annotate what it returns"


def _arguments(function: _Function) -> Iterator[ast.arg]:
    named = function.args
    positional = [*named.posonlyargs, *named.args]
    if positional and positional[0].arg in ("self", "cls"):
        positional = positional[1:]
    yield from (*positional, *named.kwonlyargs)
    yield from (extra for extra in (named.vararg, named.kwarg) if extra is not None)


def _missing_docstrings(parent: ast.Module | ast.ClassDef, prefix: str) -> Iterator[tuple[int, str]]:
    for node in parent.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or node.name.startswith("_"):
            continue
        if ast.get_docstring(node) is None and not _is_variant(node):
            yield node.lineno, f"{prefix}{node.name} has no docstring"
        if isinstance(node, ast.ClassDef):
            yield from _missing_docstrings(node, f"{prefix}{node.name}.")


def _is_variant(node: ast.AST) -> bool:
    """Whether `node` is an overload or a property's setter, whose words stand elsewhere."""
    decorators = getattr(node, "decorator_list", [])
    names = {
        decorator.attr if isinstance(decorator, ast.Attribute) else getattr(decorator, "id", "")
        for decorator in decorators
    }
    return bool(names & {"overload", "setter", "deleter", "override"})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
