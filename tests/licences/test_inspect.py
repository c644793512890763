"""From files to expressions: loose files, and a whole small repository through every step of the stage."""

from __future__ import annotations

import json

import polars as pl
import pyarrow as pa

from stages import licences
from stages.licences import MemoResolver
from tests.licences.texts import GPL_HEADER, licence_text

FILES = {
    "LICENSE": "Copyright (c) 2020 Ann\n\n" + licence_text("mit"),
    "README.md": "# Thing\n\nA thing.\n\n## License\n\nGPL-3.0, see COPYING.\n",
    "src/plain.py": "import os\n",
    "src/tagged.c": "/* SPDX-License-Identifier: MPL-2.0 */\nint x;\n",
    "src/gpl.py": "#!/usr/bin/env python\n# Copyright 2019 Bob\n#\n"
    + "\n".join(f"# {x}" for x in GPL_HEADER.splitlines()),
    "src/pointer.go": "// Copyright 2020 Ann\n// See the LICENSE file for licensing information.\npackage x\n",
    "third_party/fast/Cargo.toml": '[package]\nname = "fast"\nlicense = "MIT OR Apache-2.0"\n',
    "third_party/fast/LICENSE-MIT": licence_text("mit"),
    "third_party/fast/LICENSE-APACHE": licence_text("apache-2.0"),
    "third_party/fast/src/lib.rs": "fn main() {}\n",
}
EXPECTED = {
    "src/plain.py": ("MIT", "repository"),
    "src/tagged.c": ("MPL-2.0", "header"),
    "src/gpl.py": ("GPL-3.0-or-later", "header"),
    "src/pointer.go": ("MIT", "repository"),
    "third_party/fast/src/lib.rs": ("Apache-2.0 OR MIT", "directory"),
}


def frame(table: pa.Table) -> pl.DataFrame:
    return pl.DataFrame(pl.from_arrow(table))


def test_a_repository_through_every_step(resolver: MemoResolver) -> None:
    rows = pl.DataFrame(
        {"origin": "u", "path": [p.encode() for p in FILES], "sha1_git": list(FILES), "text": list(FILES.values())}
    )
    kinds = licences.licence_kind(rows["path"].to_arrow().cast(pa.binary()))
    work = rows.with_columns(kind=pl.Series(kinds.to_pylist(), dtype=pl.String)).filter(pl.col("kind").is_not_null())
    notices = licences.notices_of_files(work.to_arrow())
    said = licences.stated(frame(notices), frame(resolver(notices)))
    statements = work.select("origin", "path", "sha1_git", file_kind="kind").join(said, on=["sha1_git", "file_kind"])
    placed = licences.spread(
        rows, statements, pl.DataFrame(schema={"origin": pl.String, "declared_licence": pl.String})
    )
    inside = licences.notices_of_headers(rows.with_columns(language=pl.lit(None, pl.String)).to_arrow())
    final = licences.with_headers(placed, frame(inside), frame(resolver(inside)))
    got = {row["sha1_git"]: (row["licence_expression"], row["licence_source"]) for row in final.to_dicts()}
    assert {path: got[path] for path in EXPECTED} == EXPECTED
    evidence = json.loads(final.filter(pl.col("sha1_git") == "src/gpl.py")["licence_evidence"][0])
    assert (evidence["path"], evidence["lines"]) == ("src/gpl.py", [4, 12])
    assert evidence["tool"] == licences.TOOL
    assert evidence["rule"].endswith(".RULE")


def test_loose_files_each_state_their_own(resolver: MemoResolver) -> None:
    names = ["src/gpl.py", "src/plain.py", "LICENSE", "third_party/fast/Cargo.toml", "src/tagged.c"]
    table = pa.table({"id": names, "path": names, "content": pa.array([FILES[n].encode() for n in names], pa.binary())})
    found = licences.inspect(table, resolver=resolver)
    assert found.schema == licences.INSPECTED
    assert found.select(["id", "spdx", "class"]).to_pylist() == [
        {"id": "src/gpl.py", "spdx": "GPL-3.0-or-later", "class": "non_permissive"},
        {"id": "src/plain.py", "spdx": None, "class": "no_license"},
        {"id": "LICENSE", "spdx": "MIT", "class": "permissive"},
        {"id": "third_party/fast/Cargo.toml", "spdx": "Apache-2.0 OR MIT", "class": "permissive"},
        {"id": "src/tagged.c", "spdx": "MPL-2.0", "class": "non_permissive"},
    ]


def test_files_that_are_no_text_state_nothing(resolver: MemoResolver) -> None:
    table = pa.table(
        {"id": ["a", "b"], "path": ["a.bin", "b"], "content": pa.array([b"\x00\xff\x00" * 50, b""], pa.binary())}
    )
    assert licences.inspect(table, resolver=resolver)["class"].to_pylist() == ["no_license", "no_license"]


def test_a_licence_file_may_give_another_licence_to_one_file() -> None:
    text = licence_text("mit") + "\n\nmksignames.c:\n\n" + GPL_HEADER + "\n"
    table = pa.table(
        {"sha1_git": ["a"], "path": pa.array([b"COPYING"], pa.binary()), "kind": ["licence_file"], "text": [text]}
    )
    own, part = licences.notices_of_files(table).to_pylist()
    assert own["scope"] is None and "GNU" not in own["text"]
    assert part["scope"] == ["mksignames.c", "*/mksignames.c"] and part["start_line"] == own["end_line"]
    assert "Permission is hereby granted" not in part["text"]


def test_a_heading_before_any_terms_parts_nothing() -> None:
    text = "mksignames.c:\n\n" + GPL_HEADER + "\n"
    table = pa.table(
        {"sha1_git": ["a"], "path": pa.array([b"COPYING"], pa.binary()), "kind": ["licence_file"], "text": [text]}
    )
    (only,) = licences.notices_of_files(table).to_pylist()
    assert only["scope"] is None
