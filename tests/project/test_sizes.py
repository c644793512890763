"""The size check finds what it must find, and says where."""

import subprocess
import sys

import pytest

from scripts.check_sizes import check_file


def _check(tmp_path, source):
    path = tmp_path / "sample.py"
    path.write_text(source)
    return [line.removeprefix(f"{path}:") for line in check_file(path)]


def test_complete_code_passes(tmp_path):
    source = '''"""Module."""

class Noun:
    """Noun."""

    def verb(self, *, what: int, **more: str) -> None:
        """Do."""

        def inner(x: int) -> int:
            return x

    def _own(self) -> None: ...
'''
    assert _check(tmp_path, source) == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = 1\n", "1: module has no docstring"),
        ('"""M."""\nclass Noun:\n    pass\n', "2: Noun has no docstring"),
        ('"""M."""\nclass Noun:\n    """N."""\n    def verb(self) -> None: ...\n', "4: Noun.verb has no docstring"),
        ('"""M."""\ndef _f(a, *, b) -> None: ...\n', "2: function _f does not annotate a, b"),
        ('"""M."""\ndef _f(*a, **b) -> None: ...\n', "2: function _f does not annotate a, b"),
        ('"""M."""\nasync def _f(): ...\n', "2: function _f does not annotate what it returns"),
        ('"""M."""\ndef _f() -> None:\n    def g(x): ...\n', "3: function g does not annotate x"),
    ],
)
def test_each_gap_is_named_with_its_line(tmp_path, source, expected):
    assert expected in _check(tmp_path, source)


def test_limits_are_exact(tmp_path):
    body = "    x = 0\n"
    assert _check(tmp_path, '"""M."""\ndef _f() -> None:\n' + body * 59) == []
    assert "60 are allowed" in _check(tmp_path, '"""M."""\ndef _f() -> None:\n' + body * 60)[0]
    assert "60 are allowed" in _check(tmp_path, '"""M."""\n@cache\ndef _f() -> None:\n' + body * 59)[0]
    assert _check(tmp_path, '"""M."""\n' + "x = 0\n" * 499) == []
    assert "at most 500" in _check(tmp_path, '"""M."""\n' + "x = 0\n" * 500)[0]


def test_the_command_fails_when_there_is_a_violation(tmp_path):
    (tmp_path / "bad.py").write_text("x = 1\n")
    command = [sys.executable, "-m", "scripts.check_sizes", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "bad.py:1: module has no docstring" in done.stdout
