"""What holds of the repository as a whole: nothing of one machine in it, packages export what they say."""

import importlib
import pkgutil
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("archive", "foundation", "manifests", "pipeline", "registry", "stages")

# Spelt apart, so that this file does not hold what it forbids.
_HOSTS = [".".join(words) for words in (("pypi", "org"), ("pythonhosted", "org"), ("registry", "npmjs", "org"))]
_MACHINE = [
    re.escape("/" + "/".join(words)) for words in (("work", "main"), ("work", "shared"), ("root", ""), ("tmp", "w"))
]
_FORBIDDEN = re.compile("|".join([*map(re.escape, _HOSTS), *_MACHINE]))


def _own_files():
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name.decode() for name in listed.stdout.split(b"\0") if name and (ROOT / name.decode()).is_file()]


def test_no_file_names_a_package_index_or_a_path_of_one_machine():
    found = []
    for path in _own_files():
        data = path.read_bytes()
        if b"\0" not in data:
            for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
                found += [f"{path.relative_to(ROOT)}:{number}: {match[0]}" for match in _FORBIDDEN.finditer(line)]
    assert found == []


def _packages():
    for room in ROOMS:
        yield room
        package = importlib.import_module(room)
        yield from (item.name for item in pkgutil.walk_packages(package.__path__, f"{room}.") if item.ispkg)


@pytest.mark.parametrize("name", list(_packages()))
def test_a_package_exports_exactly_what_it_says(name):
    package = importlib.import_module(name)
    assert package.__doc__, f"{name} has no docstring"
    said = getattr(package, "__all__", [])
    assert len(said) == len(set(said))
    missing = [word for word in said if not hasattr(package, word)]
    assert missing == []
    homes = {word: str(getattr(value, "__module__", "")) for word, value in vars(package).items() if word[0] != "_"}
    own = {word for word, home in homes.items() if home == name or home.startswith(f"{name}.")}
    assert own - set(said) == set()


def test_the_lock_pins_every_declared_dependency_by_hash():
    lock = (ROOT / "requirements" / "lock.txt").read_text()
    pins = re.findall(r"^([a-z0-9.-]+)==[^ ;\\]+.*\\\n    --hash=sha256:[0-9a-f]{64}", lock, re.MULTILINE)
    assert len(pins) == len(re.findall(r"^[a-z0-9]", lock, re.MULTILINE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = project["dependencies"] + [item for extra in project["optional-dependencies"].values() for item in extra]
    names = {re.sub(r"[-_.]+", "-", re.match(r"[A-Za-z0-9._-]+", line)[0]).lower() for line in declared}
    assert names - set(pins) == set()


def test_the_lock_names_no_index():
    lock = (ROOT / "requirements" / "lock.txt").read_text()
    assert re.findall(r"https?:|file:|index-url|find-links", lock) == []
