"""Replacement touches spans and nothing else; doing it again changes nothing."""

import re
from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stages.redaction.model import Finding
from stages.redaction.replace import clear_of_returns, merge, substitute
from stages.redaction.settings import DEFAULT_PLACEHOLDERS
from tests.redaction.samples import AWS_ID, GITHUB, JWT, PASSWORD, PEM, PLAIN_PASSWORD, SLACK_HOOK, run

FRAGMENTS = st.sampled_from(
    [
        "password",
        "secret",
        "token",
        "api_key",
        "AUTH",
        "=",
        ": ",
        ' = "',
        '"',
        "'",
        "\n",
        "\r\n",
        "\r",
        " ",
        "\t",
        "<",
        ">",
        "(",
        ")",
        ",",
        ";",
        "@",
        "://",
        ":",
        "/",
        "é",
        "🔒",
        "中文",
        "[a]\n",
        "- ",
        "{",
        "}",
        "\\n",
        "#",
        "x@y.io",
        "marta@brightforge.io",
        "78.141.62.146",
        "2a03:6885:f2e8:7f72::8b1",
        "+44 7700 900461",
        "4556739744508063",
        "<EMAIL>",
        "<KEY>",
        "<PASSWORD>",
        "Bearer ",
        "machine h login u password ",
        "phone ",
        "user:",
        AWS_ID,
        GITHUB,
        JWT,
        PASSWORD,
        PEM,
        PLAIN_PASSWORD,
        SLACK_HOOK,
        "kagUAt4qxhgsb7dl4JWWqicQxOidC10WI0kLjIdS",
        "deadbeef",
        "true",
        "\x00",
        "\u2028",
        "\x0b",
        "%(x)s",
        "*a",
        "&a ",
    ]
)
TEXTS = st.lists(FRAGMENTS | st.text(max_size=6), max_size=24).map("".join)
PATHS = st.sampled_from(
    ["a.py", "a.yml", "a.ini", "a.env", "a.txt", "a.js", "a.c", "README", "a.json", "package-lock.json"]
)
MANY = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@MANY
@given(TEXTS, PATHS)
def test_redacting_twice_changes_nothing(text, path):
    redacted, _ = run(text, path)
    again, spans = run(redacted, path)
    assert (again, spans) == (redacted, [])


@MANY
@given(TEXTS, PATHS)
def test_spans_account_for_every_change(text, path):
    redacted, spans = run(text, path)
    at = old = 0
    for span in spans:
        assert span["start"] >= at
        same = span["start"] - at
        assert redacted[at : span["start"]] == text[old : old + same]
        plain = DEFAULT_PLACEHOLDERS[span["kind"]]  # a string where only a value can stand: see the tests of syntax
        bare = path.endswith((".py", ".js", ".c", ".json")) and redacted[span["start"]] == '"'
        assert redacted[span["start"] : span["end"]] == (f'"{plain}"' if bare else plain)
        kept = 0
        while redacted[span["end"] + kept : span["end"] + kept + 1] in {"\n", "\r"} and not text[
            old + same + span["original_length"] :
        ].endswith(redacted[span["end"] :]):
            kept += 1
        replaced = text[old + same : old + same + span["original_length"] + kept]
        assert "".join(char for char in replaced if char in "\r\n").endswith(redacted[span["end"] : span["end"] + kept])
        at, old = span["end"] + kept, old + same + span["original_length"] + kept
    assert redacted[at:] == text[old:]
    assert len(redacted) - len(text) == sum(span["end"] - span["start"] - span["original_length"] for span in spans)
    assert redacted.count("\n") == text.count("\n")


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60), st.data())
def test_merge_covers_what_findings_cover_and_nothing_else(data, draw):
    kinds = st.sampled_from(sorted(DEFAULT_PLACEHOLDERS))
    place = st.integers(0, len(data))
    findings = [
        Finding(min(a, b), max(a, b), kind, "d", "r")
        for a, b, kind in draw.draw(st.lists(st.tuples(place, place, kinds), max_size=8))
        if a != b
    ]
    spans = merge(findings)
    assert spans == merge(list(reversed(findings)))
    assert all(left.end <= right.start for left, right in pairwise(spans))
    covered = {at for one in findings for at in range(one.start, one.end)}
    assert {at for one in spans for at in range(one.start, one.end)} == covered
    result = substitute(data, spans, dict(DEFAULT_PLACEHOLDERS))
    for span, start, end in zip(spans, result.starts, result.ends, strict=True):
        assert result.original(start, end) == (span.start, span.end)
        assert result.original(start + 1, end) == (span.start, span.end)
        assert result.data[start:].startswith(DEFAULT_PLACEHOLDERS[span.kind].encode())
    assert result.original(0, len(result.data)) == (0, len(data))


def test_values_at_both_ends_of_a_text_and_side_by_side():
    assert run("marta@forge.io", "a.md")[0] == "<EMAIL>"
    assert run("é marta@forge.io 🔒 olga@forge.io", "a.md")[0] == "é <EMAIL> 🔒 <EMAIL>"
    assert run("78.141.62.146|marta@forge.io", "a.md")[0] == "<IP_ADDRESS>|<EMAIL>"


def test_offsets_are_characters_of_the_shipped_text():
    redacted, (first, second) = run("é🔒 marta@forge.io 中 olga@équipe.fr", "a.md")
    assert [redacted[span["start"] : span["end"]] for span in (first, second)] == ["<EMAIL>", "<EMAIL>"]
    assert [first["original_length"], second["original_length"]] == [len("marta@forge.io"), len("olga@équipe.fr")]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_key_over_several_lines_keeps_its_line_ends(newline):
    text = f"a{newline}{PEM}{newline}b{newline}".replace("\n", newline) if newline == "\r\n" else f"a\n{PEM}\nb\n"
    text = text.replace("\r\r", "\r")
    redacted, spans = run(text, "k.txt")
    assert redacted == f"a{newline}<KEY>{newline * 5}b{newline}"
    assert spans[0]["original_length"] == len(PEM.replace("\n", ""))


@pytest.mark.parametrize("before", ["\r", "a\r", "a\r\r", "a\r\n"])
@pytest.mark.parametrize("after", ["\n", "\r", "\r\n"])
def test_line_ends_kept_of_one_span_stay_as_many(before, after):
    data = f"{before}secret{after}b\n".encode()
    (span, *more) = clear_of_returns(data, [Finding(0, len(data) - 2, "KEY", "d", "r")])
    result = substitute(data, [span, *more], dict(DEFAULT_PLACEHOLDERS)).data
    assert re.findall(rb"\r\n?|\n", result) == re.findall(rb"\r\n?|\n", data)
    assert b"secret" not in result


def test_null_and_empty_texts_pass_through():
    from stages.redaction import Settings, redact

    table = redact(
        pa.array([None, "", "x@y.forge.io"], pa.large_string()),
        pa.array([b"a", b"b", None], pa.binary()),
        settings=Settings(),
    )
    assert table["text"].to_pylist() == [None, "", "<EMAIL>"]
    assert [len(spans) for spans in table["redactions"].to_pylist()] == [0, 0, 1]
