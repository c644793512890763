"""All addresses of a repository have one key, and different repositories have different ones."""

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from foundation.origins import name_key, name_keys, origin_key, origin_keys

SAME = [
    "https://github.com/Landley/Toybox",
    "http://github.com/landley/toybox/",
    "https://www.github.com/landley/toybox.git",
    "https://github.com:443/landley//toybox.git/",
    "https://user:secret@github.com/landley/toybox",
    "git://github.com/landley/toybox.git",
    "git@github.com:landley/toybox.git",
    "ssh://git@github.com:22/landley/toybox",
    "git+https://github.com/landley/toybox#readme",
    "HTTPS://GITHUB.COM./landley/toybox",
    "  github.com/landley/toybox\n",
]


@pytest.mark.parametrize("address", SAME)
def test_addresses_of_one_repository_have_one_key(address):
    assert origin_key(address) == "github.com/landley/toybox"


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("https://git.zx2c4.com/password-store", "git.zx2c4.com/password-store"),
        ("https://gitlab.com/a/b/c.git", "gitlab.com/a/b/c"),
        ("https://git.example.org:8443/a/b", "git.example.org:8443/a/b"),
        ("https://git.sr.ht/%7Euser/x", "git.sr.ht/~user/x"),
        ("https://git.example.org/?p=a.git", "git.example.org/?p=a"),
        ("https://git.example.org/a@b/c", "git.example.org/a@b/c"),
        ("https://git.example.org/www.site", "git.example.org/www.site"),
        ("https://github.com/a/b.wiki", "github.com/a/b.wiki"),
        ("", ""),
    ],
)
def test_keys_keep_what_tells_repositories_apart(address, key):
    assert origin_key(address) == key


_PART = st.text(st.characters(codec="utf-8", exclude_characters="/\n"), min_size=1, max_size=8)


@settings(deadline=None)
@given(st.lists(_PART, min_size=1, max_size=4).map("/".join), st.sampled_from(["https://", "git@", ""]))
def test_keys_have_neither_case_nor_decoration(path, scheme):
    key = origin_key(f"{scheme}{path}")
    assert not key.endswith(("/", ".git"))
    assert "//" not in key


@settings(deadline=None)
@given(st.lists(st.text(max_size=12), max_size=8))
@example(["A/B.git", "/x/", " y ", "ΑΣ", "\x1cz", "\u0130/x", "a\n", "x.GIT/"])
def test_one_name_and_many_names_are_read_alike(names):
    together = pl.DataFrame({"n": names}, schema={"n": pl.String}).select(name_keys(pl.col("n")))["n"].to_list()
    assert [name_key(name) for name in names] == together


def test_nulls_stay_null():
    assert pl.DataFrame({"o": ["https://a.b/c", None]}).select(origin_keys(pl.col("o")))["o"].to_list() == [
        "a.b/c",
        None,
    ]
