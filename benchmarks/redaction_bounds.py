"""Redaction against hostile input: CPU seconds for texts that aim at one detector each, and how they grow.

    python benchmarks/redaction_bounds.py [--megabytes 10] [--only NAME ...] [--sensitivity medium] [--limit 10]

For each generator, CPU seconds (one process, one thread) for half the size and for the whole; `x` is their ratio: 2 is
linear. Ends with an error if a text of the whole size takes longer than the limit. The texts are repetitions of a short
unit, which is where a regular expression or a parser that looks far ahead, again and again, loses its time.
"""

from __future__ import annotations

import argparse
import sys
import time

import pyarrow as pa

from stages.redaction import Settings, redact

HYPHENS = "-----"
# name: (unit, path). A unit that ends in a line end makes many lines, any other makes one long line.
UNITS: dict[str, tuple[str, str]] = {
    "passwords, one line": ("password=", "x.py"),
    "passwords, lines": ("password=\n", "x.py"),
    "passwords with values": ("password = 'aB3${h}' ", "x.py"),
    "password lines, env": ("DB_PASSWORD=Q{h}Z\n", "x.env"),
    "password words in prose": ("the password is secret token key ", "x.md"),
    "names without values": ("secret_key_", "x.py"),
    "colons and passwords": ("password::", "x.py"),
    "a@": ("a@", "x.txt"),
    "a@a.": ("a@a.", "x.txt"),
    "dots after @": ("a@" + "a." * 500, "x.txt"),
    "addresses": ("olga.{h}@forge.io ", "x.txt"),
    "quoted local parts": ('"a"@', "x.txt"),
    "at and dot": ("a at b dot ", "x.txt"),
    "local parts": ("a.b-c+", "x.txt"),
    "digits": ("4", "x.txt"),
    "digits and spaces": ("4111 1111 ", "x.txt"),
    "digits and hyphens": ("1-", "x.txt"),
    "cards": ("45567375{d} ", "x.txt"),
    "IBANs": ("GB82WEST123456{d} ", "x.txt"),
    "phones, one line": ("+1202{d} ", "x.md"),
    "phones, lines": ("tel: +1 (202) {d}\n", "x.md"),
    "phone words": ("phone ", "x.md"),
    "brackets of phones": ("+1(", "x.md"),
    "1.1.1.1.": ("1.1.1.1.", "x.txt"),
    "addresses, v4": ("78.141.62.146 ", "x.txt"),
    "::": ("::", "x.txt"),
    "a:b:": ("a:1:", "x.txt"),
    "addresses, v6": ("2a03:6885:f2e8:7f72::8b1,", "x.txt"),
    "hardware addresses": ("00:1B:44:11:3A:B7-", "x.txt"),
    "double quotes": ('"', "x.js"),
    "nested quotes": ("\"'`", "x.js"),
    "backslashes": ("\\", "x.json"),
    "escaped quotes": ('\\"', "x.json"),
    "key headers": (HYPHENS + "BEGIN RSA PRIVATE KEY" + HYPHENS, "x.txt"),
    "key headers, lines": (HYPHENS + "BEGIN RSA PRIVATE KEY" + HYPHENS + "\n", "x.txt"),
    "key footers": (HYPHENS + "END RSA PRIVATE KEY" + HYPHENS + "\n", "x.txt"),
    "headers and other footers": (
        HYPHENS + "BEGIN RSA PRIVATE KEY" + HYPHENS + "A1b2C3d4" * 8 + HYPHENS + "END EC PRIVATE KEY" + HYPHENS,
        "x.txt",
    ),
    "PuTTY headers": ("PuTTY-User-Key-File-2: ", "x.ppk"),
    "URLs with colons": ("://a:b:c:", "x.txt"),
    "URLs with passwords": ("http://a:bZ{h}@h ", "x.txt"),
    "Bearer": ("Bearer ", "x.txt"),
    "bearers with values": ("bearer a1b2c3d4{h}i9 ", "x.txt"),
    "basic": ("authorization basic ", "x.txt"),
    "JWT heads": ("eyJhbGciOiJ.eyJ", "x.txt"),
    "JWTs": ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0NzExIn0.vs{h} ", "x.txt"),
    "keys of providers": ("AKIAV4TK7LRX{d} ", "x.txt"),
    "login pairs": ('auth("a","b', "x.py"),
    "calls": ('pass("', "x.c"),
    "netrc": ("machine h login u password aB{h} ", ".netrc"),
    "base64": ("c3VwZXIgbG9uZyBzdHJpbmcgd2l0aCBlbnRyb3B5Cg", "x.txt"),
    "base64 in quotes": ('"c3VwZXIgbG9uZyBzdHJpbmcgd2l0aCBlbnRyb3B5Cg" ', "x.js"),
    "base64 lines": ("c3VwZXIgbG9uZyBzdHJpbmcgd2l0aCBlbnRyb3B5Cg\n", "x.txt"),
    "hex": ("2b00042f7481c7b056c4b410d28f33cf", "x.txt"),
    "hex in quotes": ("'2b00042f7481c7b056c4b410d28f33cf', ", "x.py"),
    "INI lines": ("k{h} = v{d}\n", "x.ini"),
    "INI sections": ("[a]\nk = %(k)s\n", "x.cfg"),
    "no type, options": ("k{h} = v{d}\n", "x"),
    "YAML lines": ("k{h}: v{d}\n", "x.yml"),
    "YAML, one key": ("- password: aB3{h}\n", "x.yml"),
    "YAML flow": ("[", "x.yml"),
    "YAML indents": (" a:\n", "x.yml"),
    "returns": ("password=x\r", "x.ini"),
    "line ends": ("\n", "x.yml"),
    "spaces": (" ", "x.yml"),
    "zero bytes": ("\x00", "x"),
    "broken UTF-8": ("\ufffd", "x.txt"),
    "letters of many bytes": ("пароль=Ä{h}€ ", "x.txt"),
    "names": ("Signed-off-by: Olga N <olga.{h}@forge.io>\n", "x.txt"),
    "author tags": ("@author ", "x.java"),
    "placeholders": ("<EMAIL> <KEY> password=<PASSWORD> ", "x.txt"),
    "templates": ("password=${A} ", "x.sh"),
    "XML elements": ("<password>", "x.xml"),
    "arrows": ("token=>", "x.rb"),
    "words": ("lorem ipsum dolor sit amet ", "x.txt"),
}


def seconds(text: str, path: str, settings: Settings) -> float:
    """CPU seconds to redact `text`."""
    texts, paths = pa.array([text], pa.large_string()), pa.array([path.encode()], pa.binary())
    start = time.process_time()
    redact(texts, paths, settings=settings)
    return time.process_time() - start


def text_of(unit: str, size: int) -> str:
    """`unit` repeated to about `size` bytes of UTF-8."""
    count = max(1, size // len(unit.replace("{h}", "8 digits").replace("{d}", "8 digits").encode()))
    if "{h}" not in unit and "{d}" not in unit:
        return unit * count
    numbers = (number * 2_654_435_761 & 0xFFFFFFFF for number in range(1, count + 1))  # Knuth's multiplicative hash
    return "".join(unit.replace("{h}", f"{n:08x}").replace("{d}", f"{n % 10**8:08d}") for n in numbers)


def main() -> None:
    """Measure, print a line a generator, and fail if one takes too long."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=10)
    parser.add_argument("--only", nargs="+", default=None)
    parser.add_argument("--sensitivity", default="medium", choices=["low", "medium", "high"])
    parser.add_argument("--limit", type=float, default=10.0)
    options = parser.parse_args()
    settings, size = Settings(sensitivity=options.sensitivity), int(options.megabytes * 1_000_000)
    seconds("x = 1\npassword = 'aB3$xY9z'\n", "x.py", settings)  # loads and compiles every detector
    slow = []
    print(f"| text | s for {options.megabytes / 2:g} MB | s for {options.megabytes:g} MB | x |\n|---|---|---|---|")
    for name in options.only or UNITS:
        unit, path = UNITS[name]
        half, whole = (seconds(text_of(unit, part), path, settings) for part in (size // 2, size))
        slow += [name] if whole > options.limit else []
        print(f"| {name} | {half:.2f} | {whole:.2f} | {whole / max(half, 1e-9):.1f} |", flush=True)
    if slow:
        sys.exit(f"over {options.limit:g} s: {', '.join(slow)}")


if __name__ == "__main__":
    main()
