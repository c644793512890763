"""Fuzz redaction for long: the properties of `tests/redaction/properties.py` on very many texts.

    PYTHONPATH=. python benchmarks/fuzz_redaction.py [--examples 100000]
    PYTHONPATH=. python benchmarks/fuzz_redaction.py --atheris [--seconds 600]

The first form draws examples with hypothesis and shrinks what fails; the second is guided by the coverage of
Gristmill's own redaction code (atheris, a front for libFuzzer: an input is a list of pieces of the grammar and bytes).
Both end with an error at the first text for which a property does not hold, and print how many texts there were.
"""

from __future__ import annotations

import argparse
import sys
import time

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

LEVELS = ("medium", "high", "low")


def draw_many(examples: int) -> None:
    """Check as many examples of hypothesis; none is kept on disk."""
    from tests.redaction.properties import PATHS, TEXTS, check

    count, start = 0, time.monotonic()

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(TEXTS, st.sampled_from(PATHS), st.sampled_from(LEVELS))
    def every(text: str, path: str, level: str) -> None:
        nonlocal count
        count += 1
        if count % 5_000 == 0:
            print(f"{count} examples, {time.monotonic() - start:.0f} s", flush=True)
        check(text, path, level)

    every()
    print(f"{count} examples in {time.monotonic() - start:.0f} s: every property holds")


def guide(seconds: int) -> None:
    """Let atheris look for inputs that reach new code, for about so many seconds."""
    try:
        import atheris
    except ImportError:
        sys.exit("atheris is not installed: pip install atheris (wheels for Linux and CPython 3.11 to 3.13)")
    with atheris.instrument_imports(include=["stages.redaction"]):
        from tests.redaction.properties import PATHS, PIECES, check

    def one(data: bytes) -> None:
        source = atheris.FuzzedDataProvider(data)
        path, level = PATHS[source.ConsumeIntInRange(0, len(PATHS) - 1)], LEVELS[source.ConsumeIntInRange(0, 2)]
        text = ""
        while source.remaining_bytes() > 1 and len(text) < 2_000:
            number = source.ConsumeIntInRange(0, len(PIECES) + 15)
            if number < len(PIECES):
                text += PIECES[number]
            else:
                raw = source.ConsumeBytes(source.ConsumeIntInRange(0, 12))
                text += raw.decode("utf-8", "replace") * (number - len(PIECES) + 1)
        check(text, path, level)

    atheris.Setup(
        [sys.argv[0], f"-max_total_time={seconds}", "-max_len=256", "-print_final_stats=1", "-timeout=60"], one
    )
    atheris.Fuzz()


def main() -> None:
    """Fuzz in the way asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=100_000)
    parser.add_argument("--atheris", action="store_true")
    parser.add_argument("--seconds", type=int, default=600)
    options = parser.parse_args()
    if options.atheris:
        guide(options.seconds)
    else:
        draw_many(options.examples)


if __name__ == "__main__":
    main()
