"""Who is credited: exactly what a plain reading of each row's evidence says, whatever the order of the rows."""

from __future__ import annotations

import json
from collections import Counter

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from foundation.frames import frame
from foundation.schema import RELEASE
from stages.languages import vocabulary
from stages.shards.crediting import _READ, credited, merged
from stages.shards.evidence import languages_table

SCHEMA = {name: frame(RELEASE.empty_table()).schema[name] for name in _READ}
ORIGINS = ("https://a.example/x", "https://b.example/y")


def said(notice: str, path: str | None) -> dict[str, object]:
    return {"kind": "text", "notice": notice, "path": path, "lines": [1, 2], "score": 1.5, "rule": None, "tool": "t"}


@st.composite
def documents(draw: st.DrawFn) -> dict[str, object]:
    """Evidence of a path: one to three statements, perhaps of a copy that has no name."""
    first, *others = draw(
        st.lists(
            st.tuples(st.sampled_from("nm"), st.sampled_from(["LICENSE", "é/COPYING", "a\\xff"])),
            min_size=1,
            max_size=3,
        )
    )
    found = said(*first)
    if others:
        found["with"] = [said(*other) for other in others]
    if draw(st.booleans()):
        found["copy"] = {"origin": draw(st.sampled_from([*ORIGINS, None])), "path": "p", "policy": "x"}
    return found


@st.composite
def rows(draw: st.DrawFn) -> list[dict[str, object]]:
    made = []
    for number in range(draw(st.integers(0, 12))):
        source = draw(st.sampled_from(["repository", "header", None]))
        path = f"src/{number}.py"
        evidence = draw(documents()) if source else None
        if source == "header":
            below = evidence if draw(st.booleans()) else None
            evidence = said("h", path) | ({"path_licence": below} if below else {})
        made.append(
            {
                "origin": draw(st.sampled_from(ORIGINS)),
                "path": path,
                "repo_name": "n",
                "swhid": f"swh:1:cnt:{'0' * 40};origin=o;anchor=swh:1:rev:{'2' * 40};path=/{path}",
                "length_bytes": number,
                "license_type": "permissive" if source else "no_license",
                "licence_expression": draw(st.sampled_from(["MIT", "Apache-2.0"])) if source else None,
                "licence_source": source,
                "licence_evidence": json.dumps(evidence) if evidence else None,
            }
        )
    return made


def plain(drawn: list[dict[str, object]]) -> Counter[tuple[object, ...]]:
    """(origin, expression, source, notice, licence origin, path, counted as) → rows, the slow way."""
    found: Counter[tuple[object, ...]] = Counter()
    for row in drawn:
        seen: set[tuple[object, ...]] = set()
        document = json.loads(str(row["licence_evidence"] or '{"notice": null, "path": null, "kind": null}'))
        for leads, part in ((True, document), (False, document.get("path_licence"))):
            if part is None:
                continue
            copy = part.get("copy")
            place = row["origin"] if copy is None else copy["origin"]
            for at, statement in enumerate([part, *part.get("with", ())]):
                own = row["licence_source"] == "header" and leads
                path = None if own or place is None else statement["path"]
                key = (*(row[f"licence_{name}"] for name in ("expression", "source")), statement["notice"], place, path)
                found[row["origin"], *key, "files"] += key not in seen
                found[row["origin"], *key, "leading"] += at == 0 and leads
                seen.add(key)
    return +found


@given(rows(), st.randoms())
def test_credits_are_what_the_evidence_says(drawn: list[dict[str, object]], order) -> None:
    whole = merged(credited(pl.DataFrame(drawn, schema=SCHEMA)))
    key = ["origin", "licence_expression", "licence_source", "notice", "licence_origin", "licence_path"]
    counted: Counter[tuple[object, ...]] = Counter()
    for row in whole.to_dicts():
        for name in ("files", "leading"):
            counted[*(row[column] for column in key), name] += row[name]
    assert +counted == plain(drawn)
    assert whole["leading"].sum() == len(drawn)
    assert set(whole["anchor"]) <= {f"swh:1:rev:{'2' * 40}"}
    order.shuffle(drawn)
    shuffled = [merged(credited(pl.DataFrame(part, schema=SCHEMA))) for part in (drawn[::2], drawn[1::2])]
    assert merged(pl.concat(shuffled)).equals(whole)


def test_a_header_of_many_files_is_one_entry_that_names_the_first() -> None:
    drawn = [
        {"origin": ORIGINS[0], "path": path, "licence_source": "header", "licence_expression": "MIT", "length_bytes": 5}
        | {"license_type": "permissive", "licence_evidence": json.dumps(said("h", path)), "swhid": "x"}
        for path in ("b.py", "a.py", "c.py")
    ]
    whole = merged(credited(pl.DataFrame(drawn, schema=SCHEMA)))
    assert whole.select("files", "bytes", "leading", "own_path", "licence_path").rows() == [(3, 15, 3, "a.py", None)]


def test_languages_come_with_their_groups_and_without_colours() -> None:
    rows = languages_table({"Python", "BibTeX"}).to_pylist()
    assert [(row["language"], row["group"], row["occurs"]) for row in rows] == [
        ("BibTeX", "TeX", True),
        ("Python", None, True),
        ("TeX", None, False),
    ]
    assert rows[1]["linguist_id"] == 303
    assert ".py" in rows[1]["extensions"]
    assert "color" not in " ".join(rows[0])


@given(st.sets(st.sampled_from(vocabulary()), max_size=30))
def test_every_language_asked_for_is_there_once(names: set[str]) -> None:
    rows = languages_table(names).to_pylist()
    assert {row["language"] for row in rows if row["occurs"]} == names
    assert [row["language"] for row in rows] == sorted({row["language"] for row in rows})
    assert {row["group"] for row in rows if row["group"]} <= {row["language"] for row in rows}
