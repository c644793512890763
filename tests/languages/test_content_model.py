"""Language by text alone: its tokens, its determinism, what it tells apart, and where it stays silent."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.languages import classify, content, vocabulary
from stages.languages.classes import CANDIDATE_LEADS, CONTENT_LEADS
from stages.languages.linguist import by_own_name
from stages.languages.tokens import MARKS, hashes, scan, token_hash

ERLANG = """\
-module(counter).
-export([start/0, loop/1]).

start() -> spawn(counter, loop, [0]).

loop(N) ->
    receive
        {increment, By} -> loop(N + By);
        {get, From} -> From ! {value, N}, loop(N);
        stop -> ok
    end.
"""
COBOL = """\
       IDENTIFICATION DIVISION.
       PROGRAM-ID. TOTALS.
       DATA DIVISION.
       WORKING-STORAGE SECTION.
       01 WS-TOTAL PIC 9(5) VALUE ZERO.
       PROCEDURE DIVISION.
           PERFORM VARYING WS-I FROM 1 BY 1 UNTIL WS-I > 10
               ADD WS-I TO WS-TOTAL
           END-PERFORM.
           DISPLAY WS-TOTAL.
           STOP RUN.
"""
VHDL = """\
library ieee;
use ieee.std_logic_1164.all;

entity latch is
  port (clk, d : in std_logic; q : out std_logic);
end entity;

architecture rtl of latch is
begin
  process (clk)
  begin
    if rising_edge(clk) then
      q <= d;
    end if;
  end process;
end architecture;
"""
ELIXIR = """\
defmodule Greeter do
  use GenServer

  def start_link(opts), do: GenServer.start_link(__MODULE__, opts)

  @impl true
  def handle_call({:hello, name}, _from, state) do
    {:reply, "hello #{name}", state |> Map.put(:last, name)}
  end
end
"""
TCL = """\
proc fib {n} {
    if {$n < 2} { return $n }
    return [expr {[fib [expr {$n - 1}]] + [fib [expr {$n - 2}]]}]
}
foreach i {1 2 3 4} { puts "fib $i: [fib $i]" }
set total [llength $argv]
"""
TEXTS = {"Erlang": ERLANG, "COBOL": COBOL, "VHDL": VHDL, "Elixir": ELIXIR, "Tcl": TCL}


def read(*texts: bytes) -> content.Reading:
    offsets = np.concatenate([[0], np.cumsum([len(text) for text in texts])]).astype(np.int64)
    return content.read(np.frombuffer(b"".join(texts), dtype=np.uint8), offsets)


def row(path: str, text: str, **settings: float) -> dict[str, object]:
    found = classify(pa.array([path.encode()], pa.binary()), pa.array([text], pa.large_string()), **settings)
    return dict(found.to_pylist()[0])


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("#!/usr/bin/env python3\nx = 1", ["SHEBANG#!python", "x", "="]),
        ('#include <a.h>\nint x2 = f("a b"); // why', ["#include", "<a.h>", "int", "x", "=", "f", "(", ")", ";"]),
        ('<p class="a">text</p>', ["<p>", "class=", "text", "</p>"]),
        ("a && b << 0x1F; /* no */ c|d", ["a", "&&", "b", "<<", ";", "c", "|", "d"]),
        ("(* no *) let é = 1.5e-3f", ["let", "é", "="]),
        ("don't stop", ["don", "'", "t", "stop"]),
        ("<!-- no --><br>{- no -}", ["<br>"]),
        ("/* never closed", ["/*", "never", "closed"]),
    ],
)
def test_tokens_are_words_and_signs_without_literals_and_comments(text: str, tokens: list[str]) -> None:
    assert hashes(text.encode()).tolist() == [token_hash(token.encode()) for token in tokens]


@pytest.mark.parametrize(
    ("text", "mark"),
    list(
        zip(
            [
                "  // a",
                "# a",
                "-- a",
                "%% a",
                "; a",
                "' a b",
                "/* a",
                "x (* a",
                "x {- a",
                "<!-- a",
                "rem a",
                "! a",
                '" set it',
            ],
            MARKS,
            strict=True,
        )
    ),
)
def test_comment_marks_are_seen(text: str, mark: str) -> None:
    for padded in (text, f"x\n{text}\n"):
        marks = np.zeros(len(MARKS), dtype=np.uint8)
        scan(np.frombuffer(padded.encode(), dtype=np.uint8), np.empty(100, dtype=np.uint32), marks)
        assert [MARKS[at] for at in np.flatnonzero(marks)] == [mark]


@settings(deadline=None)  # the first call compiles
@given(st.lists(st.binary(max_size=200) | st.text("ab \n\"'/*<>-!(){};#0x.", max_size=200).map(str.encode), max_size=5))
def test_a_text_has_the_same_bits_in_every_batch(texts: list[bytes]) -> None:
    together = read(*texts)
    for at, text in enumerate(texts):
        alone = read(text)
        assert alone.scores[0].tobytes() == together.scores[at].tobytes()
        assert alone.prose[0] == together.prose[at]
        assert len(hashes(text)) <= len(text)
    assert np.isfinite(together.scores).all()


@pytest.mark.parametrize("opening", [b"/*", b"(*", b"{-", b"<!--", b"<a ", b"'\n", b'"', b"<!-- --"])
def test_nothing_that_stays_open_takes_long(opening: bytes) -> None:
    """Each byte is looked at a bounded number of times, whatever opens without end."""
    text = opening * (1 << 16)
    assert len(hashes(text)) <= len(text)


def test_only_the_head_counts() -> None:
    head = ERLANG.encode() * 90
    assert len(head) > content.HEAD
    longer = read(head, head[: content.HEAD] + b" SELECT FROM WHERE" * 100).scores
    assert longer[0].tobytes() == longer[1].tobytes()


@pytest.mark.parametrize("language", sorted(TEXTS))
def test_languages_beyond_guesslang_are_told_without_a_name(language: str) -> None:
    found = row("3f2a", TEXTS[language])
    assert (found["language"], found["language_source"]) == (language, "content")
    assert float(str(found["language_confidence"])) > 0.5


@pytest.mark.parametrize("language", sorted(TEXTS))
def test_texts_decide_among_the_languages_of_an_extension(language: str) -> None:
    reading = read(TEXTS[language].encode())
    best = content.ranked(reading.scores[0], dict.fromkeys((language, "Makefile", "Roff"), 0.0))
    assert best is not None and best[0] == language and best[1] > 0
    favoured = content.ranked(reading.scores[0], {language: 0.0, "Roff": 1e6})
    assert favoured is not None and favoured[0] == "Roff"
    assert content.ranked(reading.scores[0], {"No such language": 0.0}) is None


def test_licences_and_prose_have_no_language() -> None:
    notice = (Path(content.__file__).parent / "data" / "guesslang.notice.txt").read_text()
    assert row("3f2a", notice)["language"] is None
    assert row("3f2a", "It was a dark night, and the rain fell on the town.\n" * 20)["language"] is None


def test_below_the_threshold_there_is_no_answer() -> None:
    scores = [row("3f2a", TCL, min_confidence=at / 10)["language_confidence"] for at in range(11)]
    for at, confidence in enumerate(scores):
        assert confidence is None or float(str(confidence)) >= at / 10 - 1e-6
    assert scores[0] is not None and scores[10] is None


def test_an_own_name_is_two_letters_at_least() -> None:
    known = [by_own_name(name) for name in ("a.kotlin", "a.KOTLIN", "kotlin", "a.c", "a.nothing", "a.")]
    assert known == ["Kotlin", "Kotlin", None, None, None, None]


def test_confidence_grows_with_the_lead() -> None:
    for leads, shares in (CONTENT_LEADS, CANDIDATE_LEADS):
        assert list(leads) == sorted(set(leads)) and list(shares) == sorted(shares)
        assert shares[0] > 0 and shares[-1] < 1


def test_every_class_has_a_linguist_name() -> None:
    names = set(vocabulary())
    assert set(content.load().languages) <= names and len(content.load().languages) > 700
    assert {name for kin in content.RELATIVES.values() for name in kin} | set(content.RELATIVES) <= names


def test_the_data_are_those_of_the_notice() -> None:
    data = Path(content.__file__).parent / "data"
    digest = hashlib.sha256((data / "tokens.npz").read_bytes()).hexdigest()
    notice = (data / "tokens.notice.txt").read_text()
    assert digest in notice and "Apache License" in notice and "BSD" in notice and "2026-11-23" in notice
    assert (data / "tokens.npz").stat().st_size < 2_000_000
