"""The kernels against the plain Python that the published rules are written in."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stages.quality import SIGNALS, measure

BASE64 = re.compile(r"[a-zA-Z0-9+/\n=]{64,}")
HEX = re.compile(r"(?:\b(?:0x|\\x)?[0-9a-fA-F]{2}(?:,|\b\s*)){8,}")
ESCAPES = re.compile(r"(?:\\u[0-9a-fA-F]{4}){8,}")

LETTERS = "aZ09 fF\t\n\r\x0b\x0c\x1c\x85\u2028\xa0\u3000_,.x\\u0éß統計²Ⅷ🙂"
UNITS = [
    "ab",
    "0x1F",
    r"\x41",
    r"\u00e9",
    ",",
    " ",
    "\n",
    "\u3000",
    "\x85",
    "é",
    "_",
    "g",
    "0x",
    "\\",
    "A" * 40,
    "=\n",
    "🙂",
]


def signals(text: str, language: str | None = None) -> dict[str, object]:
    return measure(pa.array([text], pa.large_string()), pa.array([language], pa.string())).to_pylist()[0]


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    """The first call compiles the kernels, which no example's deadline should pay for."""
    signals("<p>", "HTML")


@given(st.text(alphabet=LETTERS, max_size=200))
@example("a\r\nb\r\rc")
@example("\n")
@example("")
def test_lines_and_letters_are_those_of_str(text: str) -> None:
    found, lines = signals(text), text.splitlines()
    assert found["num_lines"] == len(lines)
    assert found["max_line_length"] == max(map(len, lines), default=0)
    assert found["avg_line_length"] == pytest.approx(sum(map(len, lines)) / len(lines) if lines else 0)
    assert found["alpha_fraction"] == pytest.approx(sum(map(str.isalpha, text)) / len(text) if text else 0)
    assert found["alphanum_fraction"] == pytest.approx(sum(map(str.isalnum, text)) / len(text) if text else 0)


@given(st.lists(st.sampled_from(UNITS), max_size=60).map("".join))
@example(r"a" + r"\x41" * 9)
@example(r"\x41" * 9)
@example("41 42 43 44 45 46 47 48 é")
@example("41,42,43,44,45,46,47,48,")
@example("0x41, " * 20)
@example("4" * 64 + "," + r"\u0041" * 8)
@example("\n".join(["41"] * 40))
@settings(max_examples=600)
def test_encoded_data_is_what_the_regular_expressions_find(text: str) -> None:
    spans = [match.span() for pattern in (BASE64, HEX, ESCAPES) for match in pattern.finditer(text)]
    covered = {at for start, end in spans for at in range(start, end)}
    found = signals(text)
    assert found["encoded_max_match"] == max((end - start for start, end in spans), default=0)
    assert found["encoded_fraction"] == pytest.approx(len(covered) / len(text) if text else 0)


class _Visible(HTMLParser):
    """Text outside script and style, as BeautifulSoup's get_text has it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.hidden += tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in ("script", "style") and self.hidden > 0

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.words.append(data)


def visible(html: str) -> int:
    parser = _Visible()
    parser.feed(html)
    parser.close()
    return len(" ".join("".join(parser.words).split()))


PIECES = [
    "<p>",
    "</p>",
    "<a href='x>y' title=\"a > b\">",
    "</a>",
    "<br/>",
    "Grüße ",
    "two  words\n",
    "&amp;",
    "&lt;",
    "<!-- <b>not</b> -->",
    "<!DOCTYPE html>",
    "<style>p > a { }</style>",
    "<script>if (a < b) '</p>';</script>",
    "<SCRIPT src=x></SCRIPT >",
    "1 < 2",
]


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_visible_text_of_well_formed_html_is_the_parsers(html: str) -> None:
    assert signals(html, "HTML")["html_visible_characters"] == visible(html)


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 200_000 + "deep",
        "<a " * 300_000,
        "<!" * 500_000,
        "<!--" * 250_000,
        "<script>" * 120_000,
        "<script></scrip" * 60_000,
        "".join(f"<b a={number}>" for number in range(60_000)) + "<p>x" * 60_000,
        '<a href="' + "x" * 1_000_000,
        "&" * 1_000_000,
        "</" * 400_000,
    ],
)
def test_hostile_html_is_read_once(html: str) -> None:
    found = signals(html, "HTML")["html_visible_characters"]
    assert isinstance(found, int) and 0 <= found <= len(html)


@given(st.text(alphabet="<>!-/='\" sScriptye&;#x", max_size=60))
@settings(max_examples=300)
def test_any_soup_gives_a_count_within_its_length(html: str) -> None:
    found = signals(html, "HTML")
    assert 0 <= int(str(found["html_visible_characters"])) <= len(html)


def test_rows_are_independent_and_nulls_stay_null() -> None:
    texts = ["x = 1\n", None, "<p>hello</p>", "41 " * 20, ""]
    languages = ["Python", "HTML", "HTML", None, "C"]
    table = measure(pa.array(texts, pa.large_string()), pa.array(languages, pa.string()))
    assert table.schema == SIGNALS
    assert set(table.to_pylist()[1].values()) == {None}
    for at in (0, 2, 3, 4):
        assert table.to_pylist()[at] == signals(str(texts[at]), languages[at])
    sliced = measure(pa.array(texts, pa.large_string()).slice(2, 2), pa.array(languages, pa.string()).slice(2, 2))
    assert sliced.to_pylist() == table.to_pylist()[2:4]


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("# AUTO-GENERATED by tool\n", True),
        ("a\nb\nc\nd\n// Automatically Generated\n", True),
        ("a\nb\nc\nd\ne\n// automatically generated\n", False),
        ("this file is generated", True),
        ("this file is generate", False),
        ("autogenerate", False),
        ("aautogenerated", True),
    ],
)
def test_markers_count_in_the_first_five_lines(text: str, marked: bool) -> None:
    assert signals(text)["autogenerated_marker"] is marked


def test_git_lfs_pointers_are_known_by_their_form() -> None:
    oid = "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
    pointer = "version https://git-lfs.github.com/spec/v1\n" + oid
    assert signals(pointer)["lfs_pointer"] is True
    assert signals(pointer + "x" * 1024)["lfs_pointer"] is False
    assert signals("version https://example.org/v1\n" + oid)["lfs_pointer"] is False
    assert signals("see version https://git-lfs.github.com/spec/v1\n" + oid)["lfs_pointer"] is False
