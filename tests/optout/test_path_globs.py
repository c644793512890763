"""Path globs mean what they mean in .gitignore, and no glob or path makes them slow."""

import subprocess
import time

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.errors import UsageError
from foundation.globs import MAX_WILDCARDS, glob_regex, matches, path_matches

GLOBS = [
    "a", "a/", "/a", "a/b", "a/**", "**/a", "a/**/b", "**", "*", "*.py", "?.py", "/*.py", "a*", "*a*", "[ab]", "[!a]b",
    "[a-c]/x", "a/*", "a/?/b", "**/b/", "a/**/", "a**b", "docs/*.md", "a.b", "a+b", "(a)", "a$", "^a", r"\*", r"\[a",
    "[a.]b",
]  # fmt: skip
PATHS = [
    "a", "b", "ab", "a.py", "x/a", "a/b", "a/b/c", "a/x/b", "a/x/y/b", "x/a/b", "b/a/x", "docs/i.md", "docs/x/i.md",
    "a.b", "axb", "a+b", "(a)", "a$", "^a", "*", "[a", ".b", "cb", "c/x", "x/b/y", "ba/b", "x.py", "x/y.py", "a/a",
    "aab",
]  # fmt: skip


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ignore")
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    return folder


@pytest.mark.parametrize("glob", GLOBS)
def test_globs_cover_what_git_ignores(checkout, glob):
    (checkout / ".gitignore").write_text(glob + "\n")
    done = subprocess.run(
        ["git", "check-ignore", "--no-index", "--stdin", "-z"],
        cwd=checkout,
        input="\0".join(PATHS).encode() + b"\0",
        capture_output=True,
        check=False,
    )
    # For git a path that is not on disk is a file, so `a/` does not match the file `a` itself: so it is for us.
    ignored = {path.decode() for path in done.stdout.split(b"\0") if path}
    covered = matches(glob_regex(glob), pa.array([path.encode() for path in PATHS], pa.binary()))
    assert {path for path, hit in zip(PATHS, covered.to_pylist(), strict=True) if hit} == ignored


def _reference(glob, path):
    """Straight from the definition: any folder of the path, or the path, matches segment by segment."""
    folder_only = glob.endswith("/")
    anchored = "/" in glob[:-1]
    wanted = glob.strip("/").split("/")
    if not anchored:
        wanted = ["**", *wanted]
    parts = path.split("/")
    ends = range(1, len(parts) + (not folder_only))
    return any(_segments(wanted, parts[:end]) for end in ends)


def _segments(wanted, parts):
    if not wanted:
        return not parts
    if wanted[0] == "**":
        least = 1 if len(wanted) == 1 else 0
        return any(_segments(wanted[1:], parts[skip:]) for skip in range(least, len(parts) + 1))
    return bool(parts) and _one(wanted[0], parts[0]) and _segments(wanted[1:], parts[1:])


def _one(pattern, text):
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(_one(pattern[1:], text[skip:]) for skip in range(len(text) + 1))
    return bool(text) and pattern[0] in ("?", text[0]) and _one(pattern[1:], text[1:])


_SEGMENT = st.text("ab*?", min_size=1, max_size=4)
_GLOB = st.lists(st.one_of(_SEGMENT, st.just("**")), min_size=1, max_size=4).map("/".join)
_SHAPED = st.builds(
    lambda start, middle, end: start + middle + end, st.sampled_from(["", "/"]), _GLOB, st.sampled_from(["", "/"])
)
_PATH = st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=4).map("/".join)


@settings(deadline=None)
@given(glob=_SHAPED, paths=st.lists(_PATH, min_size=1, max_size=30))
def test_globs_agree_with_their_definition(glob, paths):
    covered = matches(glob_regex(glob), pa.array([path.encode() for path in paths], pa.binary())).to_pylist()
    assert covered == [_reference(glob, path) for path in paths]


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=40), st.binary(min_size=1, max_size=40))
def test_any_text_is_refused_or_is_an_expression_of_its_own_characters_only(glob, path):
    try:
        regex = glob_regex(glob)
    except UsageError:
        return
    matches(regex, pa.array([path], pa.binary()))
    if not set(glob) & set("*?[\\/"):
        assert path_matches(glob, b"x/" + glob.encode())
        assert path_matches(glob, path) == (glob.encode() in path.split(b"/"))


@pytest.mark.parametrize(
    ("glob", "path", "covered"),
    [
        ("caf?.py", "café.py".encode(), True),
        ("caf?.py", b"caf\xe9.py", True),  # Latin-1
        ("?", "€".encode(), True),
        ("?", b"a\n", False),
        ("x*", b"x\n\xff\x00y", True),
        ("[!a]", "é".encode(), True),
        ("[!a]", b"/", False),
        ("[+-9]", b"x/y", False),  # the range spans the slash
        ("Makefile", b"makefile", False),
    ],
)
def test_globs_read_bytes(glob, path, covered):
    assert path_matches(glob, path) is covered


@pytest.mark.parametrize(
    "glob",
    ["", "/", "//", "!a", "a//b", "./a", "a/../b", "..", "a\x00", "a\n", "[a", "[]", "[b-a]", "[[:alpha:]]", "[é]",
     "a\\", "x" * 513, "*" + "a*" * MAX_WILDCARDS, "\u202eyp.", "a\udcff"],
)  # fmt: skip
def test_globs_with_no_one_meaning_are_refused(glob):
    with pytest.raises(UsageError, match="glob"):
        glob_regex(glob)


@pytest.mark.parametrize(
    "glob", ["*a" * MAX_WILDCARDS + "b", "**/a/" * 10 + "b", "?" * MAX_WILDCARDS + "b", "[!b]*" * 16 + "b"]
)
def test_no_glob_is_slow_on_a_hostile_path(glob):
    paths = pa.array([b"a" * 4096, b"a/" * 2048 + b"a"] * 8, pa.binary())
    started = time.monotonic()
    matches(glob_regex(glob), paths)
    assert time.monotonic() - started < 5  # backtracking would outlast the sun; measured 0.0-0.1 s
