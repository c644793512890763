"""A small archive with a case for every stage, and helpers to build it in many ways."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import random
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.orc as orc

from archive.ingest import ingest
from foundation.frames import frame
from foundation.schema import DECISIONS, RELEASE, REPOSITORIES
from pipeline.build import BuildResult, build
from pipeline.recipe import Recipe
from pipeline.recipe_file import parse_recipe
from stages.contents import CONTENTS, PLACED

SCHEMAS = {"repositories": REPOSITORIES, "occurrences": PLACED, "contents": CONTENTS, "decisions": DECISIONS}
ROOT = Path(__file__).resolve().parent.parent.parent
VISIT = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
RECIPE: dict[str, dict[str, object]] = {
    "release": {"name": "mill", "version": "1.0.0"},
    "catalog": {"max_bytes": 200_000},
    "deduplication": {"threshold": 0.7},
}
MIT = """MIT License

Copyright (c) {year} {holder}

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""
# Made up on the spot: valid for nothing.
SECRETS = ("ghp_" + "a8Kq2Zr7Wm4Xt9Yb3Nc6Vd1Lf5Hg0Js8Pz2Q", "kerstin.albrecht@solarwerk-nord.de")


def program(seed: int, *, lines: int = 40, header: str = "") -> str:
    """A Python module of its own: enough distinct tokens to be nobody's near duplicate."""
    rng = random.Random(seed)
    words = ["".join(rng.choices("abcdefghijklmnop", k=rng.randint(4, 9))) for _ in range(lines)]
    body = [
        f"def {word}_{number}(value, {words[number - 1]}):\n"
        f"    result = value * {rng.randint(2, 999)} + len({words[number - 1]})"
        f"\n    return result - {rng.randint(2, 999)} if result > {number} else {words[(number * 7) % lines]!r}\n"
        for number, word in enumerate(words)
    ]
    return header + "\n\n".join(body)


def repositories() -> dict[str, dict[str, bytes]]:
    """Files of each origin, by path."""
    alpha = program(1)
    secret = program(5) + f'\n\nTOKEN = "{SECRETS[0]}"\nCONTACT = "{SECRETS[1]}"\n'
    spdx = "# SPDX-License-Identifier: {}\n"
    files: dict[str, dict[str, str | bytes]] = {
        "permissive": {
            "LICENSE": MIT.format(year=2020, holder="Ada Mill"),
            "README.md": "# permissive\n\nA library that grinds things.\n",
            "src/alpha.py": alpha,
            "src/gpl_header.py": program(2, header=spdx.format("GPL-3.0-or-later")),
            "src/secret.py": secret,
            "src/generated.py": "# This file is generated. Do not edit.\n" + program(6),
            "empty.py": "",
            "big.py": program(7, lines=4000),
            "picture.png": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
            "noise.dat2": random.Random(3).randbytes(3000),
            "src/tiny_one.py": "x = 1\n",
            "src/tiny_two.py": "y = 2\n",
        },
        "copyleft": {
            "COPYING": "SPDX-License-Identifier: GPL-2.0-only\n",
            "tool.py": program(8),
            "mit_header.py": program(9, header=spdx.format("MIT")),
        },
        "nothing": {"loose.py": program(10)},
        "copies": {
            "LICENSE": MIT.format(year=2024, holder="Grace Stone"),
            "lib/alpha_exact.py": alpha,
            "lib/alpha_near.py": alpha.replace("result > 3 ", "result > 33 ") + "\n\nLAST = 1\n",
            "lib/secret_other.py": secret.replace(SECRETS[1], "karl.brandt@solarwerk-nord.de"),
        },
    }
    return {
        origin: {path: data if isinstance(data, bytes) else data.encode() for path, data in tree.items()}
        for origin, tree in files.items()
    }


def make(folder: Path, trees: dict[str, dict[str, bytes]] | None = None) -> Path:
    """An archive of `trees` (default: `repositories()`) under `folder`."""
    sources: list[str] = []
    origins: dict[str, str] = {}
    for name, files in (trees or repositories()).items():
        base = folder / "sources" / name
        for path, data in files.items():
            (base / path).parent.mkdir(parents=True, exist_ok=True)
            (base / path).write_bytes(data)
        sources.append(str(base))
        origins[str(base)] = f"https://example.org/team/{name}"
    ingest(sources, folder / "archive", visit_date=VISIT, origins=origins, export_name="2026-01-02")
    return folder / "archive"


@dataclasses.dataclass(frozen=True)
class Built:
    """A finished build and its tables."""

    out: Path
    result: BuildResult

    def table(self, name: str) -> pl.DataFrame:
        """A table of the flow, by its name in tables.json."""
        import json

        root = self.out / "builds" / "mill"
        paths = json.loads((root / "tables.json").read_bytes())[name]
        return pl.concat([frame(SCHEMAS[name].empty_table()), *(pl.read_parquet(root / path) for path in paths)])

    @property
    def decisions(self) -> pl.DataFrame:
        """The decisions."""
        return self.table("decisions")

    @property
    def occurrences(self) -> pl.DataFrame:
        """The occurrences."""
        return self.table("occurrences")

    @property
    def rows(self) -> pl.DataFrame:
        """The rows of the release."""
        shards = sorted((self.result.release / "data").rglob("*.parquet"))
        return pl.concat([frame(RELEASE.empty_table()), *(pl.read_parquet(path) for path in shards)])


def build_in(
    out: Path,
    archive: Path | str,
    *,
    recipe: Recipe | None = None,
    workers: int = 0,
    memo: Path | None = None,
    **options: object,
) -> Built:
    """Build `archive` into `out`, with the licence memo of an earlier build if one is given."""
    chosen = recipe or parse_recipe(RECIPE, name="mill")
    target = out / "builds" / "mill" / "licences" / "memo"
    if memo is not None and not target.exists():
        shutil.copytree(memo, target)
    return Built(out, build(chosen, out=out, archive=str(archive), workers=workers, **options))  # type: ignore[arg-type]


def shuffle(archive: Path, target: Path, *, seed: int) -> Path:
    """The same archive with the rows of every ORC file shuffled and its files renamed."""
    rng = random.Random(seed)
    shutil.copytree(archive, target)
    for path in sorted(target.glob("graph/*/orc/*/*.orc")):
        table = orc.read_table(path)
        order = list(range(table.num_rows))
        rng.shuffle(order)
        path.unlink()
        name = hashlib.sha1(f"{seed}{path.name}".encode(), usedforsecurity=False).hexdigest()
        orc.write_table(table.take(pa.array(order, pa.int64())), path.with_name(f"{path.parent.name}-{name}.orc"))
    return target


def damage(archive: Path, target: Path, *, share: float = 0.0, path: str = "") -> Path:
    """A copy of `archive` in which some content objects (a share, or that of one path) are not gzip any more."""
    shutil.copytree(archive, target)
    objects = sorted((target / "content").iterdir())
    if path:
        data = repositories()["permissive"][path]
        objects = [target / "content" / hashlib.sha1(data, usedforsecurity=False).hexdigest()]
    else:
        objects = objects[: int(len(objects) * share)]
    for each in objects:
        each.chmod(0o644)
        each.write_bytes(b"not gzip" + each.read_bytes()[8:])
    return target


KILLED = """
import random, sys
from pathlib import Path
from tests.support import mill
mill.build_in(Path(sys.argv[1]), sys.argv[2])
"""


def killed_build(out: Path, archive: Path, *, memo: Path, records: int) -> int:
    """Run the build in its own process and SIGKILL it once `records` tasks are recorded; returns its exit status."""
    target = out / "builds" / "mill" / "licences" / "memo"
    if not target.exists():
        shutil.copytree(memo, target)
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(out), str(archive)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while process.poll() is None:
        if count_records(out) >= records:
            process.kill()
            break
    return process.wait()


def count_records(out: Path) -> int:
    """How many tasks of the build in `out` are recorded as finished."""
    return sum(1 for _ in (out / "builds").rglob(".record-*.json"))
