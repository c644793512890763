"""What product code imports is declared, so that an installation has it."""

import ast
import importlib.metadata
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("archive", "foundation", "manifests", "pipeline", "registry", "stages")


def _imported(paths):
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((alias.name.partition(".")[0], path) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0], path


def _normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_third_party_import_is_a_declared_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {_normal(re.match(r"[A-Za-z0-9._-]+", line)[0]) for line in project["dependencies"]}
    providers = importlib.metadata.packages_distributions()
    undeclared = set()
    for module, path in _imported(path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        if module in sys.stdlib_module_names or module in ROOMS:
            continue
        if not declared & {_normal(name) for name in providers.get(module, [module])}:
            undeclared.add(f"{path.relative_to(ROOT)} imports {module}")
    assert sorted(undeclared) == []
