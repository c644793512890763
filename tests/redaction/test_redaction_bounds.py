"""Hostile text ends, in time that grows with its length, and without more than a small multiple of its size."""

import re
import time

import pytest

from stages.redaction import redact as _redact  # noqa: F401 — loads the stage before the clock runs
from tests.redaction.samples import GITHUB, PASSWORD, run

UNITS = {
    "addresses": ("a@", "x.txt"),
    "mails": ("aaaa@bbb.cc ", "x.txt"),
    "dots": ("a.", "x.py"),
    "names": ("password=", "x.py"),
    "groups": ("4111 1111 ", "x.txt"),
    "phones": ("+12025550143 ", "x.md"),
    "colons": ("1:2:", "x"),
    "ips": ("1.2.3.44 ", "x"),
    "headers": ("-----BEGIN RSA PRIVATE " + "KEY-----", "x"),
    "urls": ("http://a:b@", "x"),
    "quotes": ("\"'", "x.js"),
    "calls": ('pass("', "x.c"),
    "tokens": ("eyJhbGciOiJ.eyJ", "x"),
    "bearers": ("bearer ", "x"),
    "returns": ("password=x\r", "x.ini"),
    "nesting": ("[", "x.yml"),
    "percent": ("%(a)s", "x.ini"),
    "backslashes": ("\\", "x.json"),
    "spaces": (" ", "x.yml"),
    "names in one word": ("secret_key", "x.py"),
    "names and quotes": ("?api_key='", "x.conf"),
    "blanks after a value": ('password = "x1y2z3w4v5"' + " " * 900 + "x\n", "x.py"),
    "blanks and a pragma": ('password = "x1y2z3w4v5"' + " " * 900 + "pragma:\n", "x.py"),
    "references": ('password = "x1y2z3w4v5"' + "=a(" * 200 + "\n", "x.py"),
    "PuTTY headers": ("PuTTY-User-Key-File-2: ", "x.ppk"),
    "cards": ("4556737512345678 4556737587654321 ", "x.txt"),
    "names of people": ("@author Olga Nowak ", "x.java"),
    "quoted local parts": ('"a b"@', "x.txt"),
    "details": ("a+b=c/", "x.txt"),
    "settings": (";password=", "x.yml"),
    "kubernetes": ("kind: Secret\ndata:\n  a: bbbbbbbbbb1\n---\n", "x.yml"),
    "next lines": ("secret:\n  abcdefgh12\n", "x.yml"),
    "services": ("github token ", "x.txt"),
    "pairs": ('auth("a","b', "x.py"),
}


def seconds(unit: str, path: str, size: int) -> float:
    """CPU seconds of the quicker of two runs: what is loaded on first use is not the text's."""
    text = unit * (size // len(unit))
    spent = []
    for _ in range(2):
        start = time.process_time()
        run(text, path)
        spent.append(time.process_time() - start)
    return min(spent)


@pytest.fixture(scope="module")
def ordinary():
    """CPU seconds of three times the larger size, every word an address: what is below is too short to compare."""
    return seconds("olga@forge.io ", "x.txt", 240_000)


@pytest.mark.parametrize("name", UNITS)
def test_time_grows_with_length_alone(name, ordinary):
    unit, path = UNITS[name]
    run("x", path)
    small, large = seconds(unit, path, 20_000), seconds(unit, path, 80_000)
    assert large < 8 * max(small, ordinary)


def test_yaml_whose_aliases_explode_is_scanned_as_lines():
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    redacted, _ = run(bomb + f"token: {GITHUB}\n", "bomb.yml")
    assert redacted == bomb + "token: <KEY>\n"


def test_yaml_that_contains_itself_ends():
    assert run(f"a: &a [*a]\ntoken: {GITHUB}\n", "loop.yml")[0] == "a: &a [*a]\ntoken: <KEY>\n"


def test_yaml_whose_merges_explode_is_scanned_as_lines():
    bomb = "a: &a {k: v}\n" + "".join(
        f"{new}: &{new}\n  <<: [{', '.join([f'*{old}'] * 12)}]\n"
        for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert run(bomb + f"token: {GITHUB}\n", "bomb.yml")[0] == bomb + "token: <KEY>\n"


def test_ini_whose_values_explode_ends():
    bomb = "[a]\n" + "".join(f"v{n} = " + f"%(v{n + 1})s" * 9 + "\n" for n in range(9)) + "v9 = x\n"
    assert run(bomb + f"token = {GITHUB}\n", "bomb.ini")[0] == bomb + "token = <KEY>\n"


@pytest.mark.parametrize("size", [5_000, 300_000, 2_500_000])
def test_values_in_one_long_line_are_found_wherever_they_stand(size):
    filler = "var é=1;" * (size // 9)
    text = f'{filler}password="{PASSWORD}";{filler}t="{GITHUB}";{filler}mail="olga@forge.io"'
    redacted, _ = run(text, "min.js")
    assert redacted == f'{filler}password="<PASSWORD>";{filler}t="<KEY>";{filler}mail="<EMAIL>"'


@pytest.mark.parametrize("between", ["\n", " "])
def test_in_a_crowd_every_value_goes_by_its_form(between):
    """24,000 values: far beyond the share of exact work, in lines and in one line that blocks cut anywhere."""
    text = between.join(f"mail: ña.{n:06d}@forge.io password=Q{n:07x}Z!" for n in range(12_000))
    redacted, spans = run(text, "x.env")
    assert not re.search(r"[0-9]", redacted)
    assert redacted.count(between) >= text.count(between) and redacted.count("mail:") == 12_000
    assert len(spans) >= 12_000


def test_in_a_flood_neighbours_become_one_and_lines_stay():
    text = "".join(f"tel: +1 (202) {n:08d}\n" for n in range(60_000))
    redacted, spans = run(text, "x.md")
    assert not re.search(r"[0-9]", redacted)
    assert redacted.count("\n") == 60_000
    assert 50_000 <= len(spans) < 51_000
    assert run(redacted, "x.md") == (redacted, [])


def test_a_value_far_from_a_flood_keeps_what_stands_around_it():
    flood = "".join(f"tel: +1 (202) {n:08d}\n" for n in range(60_000))
    redacted, _ = run(flood + "\nwords " * 100 + "olga@forge.io" + " words" * 100, "x.md")
    assert redacted.endswith("\nwords " * 100 + "<EMAIL>" + " words" * 100)
