"""Copies that are one text only after redaction: the joining worker against the rule said plainly, however split."""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path

import polars as pl
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.exchange import bucket_of, gather, scatter
from foundation.frames import arrow, frame
from foundation.tables import read_table
from foundation.tasks import Part, Task, perform
from stages.contents import weigh_copies
from stages.contents.choosing import representatives
from stages.contents.copies import with_copies
from stages.contents.schemas import REFUSED, TEXT_COPIES, YIELDING
from stages.contents.witnesses import with_copy_heard
from stages.deduplication import CANDIDATES, exact_duplicates
from stages.licences import Settings
from tests.contents.inputs import DAY, best, name_of, occurrence, overrules, placed, texts

POLICIES = st.sampled_from(["earliest_origin", "any_copy", "best_copy"])
EVERY = ("permissive", "no_license", "non_permissive")


def run(stage, tasks):
    return [perform(task) for task in tasks]


def run_twice_backwards(stage, tasks):
    for task in reversed(tasks):
        perform(task)
    return run(stage, tasks)


def text_copies(made, policy, *, keep):
    """TEXT_COPIES of contents of which nothing is refused but for the licence of their paths."""
    contents = placed(*(row for _, group in made.values() for row in group))
    work = with_copy_heard(with_copies(representatives(contents), contents, policy))
    texts = {content: text for content, (text, _) in made.items()}
    return work.with_columns(
        text_sha256=pl.col("sha1_git").replace_strict(texts, return_dtype=pl.String),
        text_key=pl.col("sha1_git").replace_strict(texts, return_dtype=pl.String),
        text_part=pl.lit(0, pl.Int32),
        kept=pl.col("licence_class").is_in(keep),
    ).select(TEXT_COPIES.names)


def scattered(root, rows, buckets, deal):
    """`rows` in parts as `deal` says, as reading tasks would write them."""
    parts = []
    for number in sorted(set(deal)):
        mine = rows.filter(pl.Series(deal) == number)
        task = Task("x:y", "1", str(root), "read", f"{number:06d}", ("copies",))
        scatter(task, "copies", arrow(mine, TEXT_COPIES), TEXT_COPIES, key="text_key", buckets=buckets)
        path = task.output_path("copies")
        parts.append(Part(str(path.relative_to(root)), "", mine.height, path.stat().st_size))
    return tuple(parts)


def weighed(root, rows, chosen, *, buckets=1, deal=None, runner=run):
    copies = scattered(root, rows, buckets, deal or [0] * rows.height)
    found = weigh_copies(runner, root=str(root), copies=copies, settings=chosen, buckets=buckets)
    tables = []
    for parts, schema in ((found.refused, REFUSED), (found.yielding, YIELDING)):
        read = [frame(read_table(Path(root, part.path)).cast(schema)) for part in parts]
        tables.append(pl.concat([frame(schema.empty_table()), *read]).sort("sha1_git"))
    return found, *tables


@settings(max_examples=50, deadline=None)
@given(texts(), POLICIES, st.booleans(), st.integers(1, 4), st.data())
def test_the_same_rule_as_for_identical_bytes_for_any_partition(made, policy, keep_all, buckets, data):
    chosen = Settings(copies=policy, keep=EVERY if keep_all else EVERY[:2])
    rows = text_copies(made, policy, keep=chosen.keep)
    deal = data.draw(st.lists(st.integers(0, 3), min_size=rows.height, max_size=rows.height))
    expected = {}
    for content, (text, group) in made.items():
        mine = best(group)
        own = overrules(group, policy, of=mine)
        everywhere = [row for other, rows_ in made.values() if other == text for row in rows_]
        if not own and mine["licence_class"] != "non_permissive":
            expected[content] = overrules(everywhere, policy, of=mine)
    expected = {content: deciders for content, deciders in expected.items() if deciders}
    with tempfile.TemporaryDirectory() as folder:
        found, refused, yielding = weighed(
            Path(folder), rows, chosen, buckets=buckets, deal=deal, runner=run_twice_backwards
        )
        for part in found.refused:
            task = Task("x:y", "1", folder, "x", "0", (), {"refused": (part,)})
            for bucket in range(buckets):
                names = gather(task, "refused", bucket, REFUSED)["sha1_git"]
                assert set(bucket_of(names, buckets)) <= {bucket}
    assert set((yielding if keep_all else refused)["sha1_git"]) == set(expected)
    assert not (refused if keep_all else yielding).height
    for row in refused.to_dicts():
        named = json.loads(row["evidence"])["copy"]
        deciders = {(f"swh:1:cnt:{each['sha1_git']}", each["origin"]) for each in expected[row["sha1_git"]]}
        assert (named["swhid"], named["origin"]) in deciders
        assert row["value"] == named["expression"] == "GPL-2.0-only"
        assert (row["stage"], row["reason"], row["threshold"]) == (
            "licences",
            "licence_refused",
            "permissive or no_license",
        )


def story(*rows):
    """Contents of one text, one occurrence each."""
    return {row["sha1_git"]: (hashlib.sha256(b"text").hexdigest(), [row]) for row in rows}


def refused_by(tmp_path, made, policy="earliest_origin"):
    rows = text_copies(made, policy, keep=("permissive",))
    return weighed(tmp_path, rows, Settings(copies=policy))[1]["sha1_git"].to_list()


def test_a_date_that_nobody_knows_never_wins_and_never_protects(tmp_path):
    gpl, mit = name_of("gpl"), name_of("mit")
    undated = occurrence(gpl, "o:gpl", licence="GPL-2.0-only")
    dated = occurrence(gpl, "o:gpl", licence="GPL-2.0-only", day=9)
    assert refused_by(tmp_path / "a", story(undated, occurrence(mit, "o:mit", day=3))) == []
    assert refused_by(tmp_path / "b", story(dated, occurrence(mit, "o:mit"))) == [mit]
    assert refused_by(tmp_path / "c", story(undated, occurrence(mit, "o:mit")), "any_copy") == [mit]


def test_the_policy_says_whether_an_earlier_copy_refuses_or_stands_first(tmp_path):
    gpl, mit = name_of("gpl"), name_of("mit")
    made = story(
        occurrence(gpl, "o:gpl", licence="GPL-2.0-only", day=1),
        occurrence(mit, "o:mit", day=3),
    )
    rows = text_copies(made, "earliest_origin", keep=EVERY)
    for number, allow in enumerate([("MIT",), ("MIT", "GPL-2.0-only")]):
        chosen = Settings(keep=EVERY, allow=allow)
        _, refused, yielding = weighed(tmp_path / str(number), rows, chosen)
        assert refused["sha1_git"].to_list() == ([mit] if number == 0 else [])
        assert yielding["sha1_git"].to_list() == ([] if number == 0 else [mit])
        assert refused["threshold"].to_list() == (["allow: MIT"] if number == 0 else [])


def test_what_the_policy_refuses_is_not_laundered_by_a_licence_that_it_keeps(tmp_path):
    """GPL code under an LGPL header of somebody else, where the recipe allows the LGPL: as with MIT."""
    gpl, lgpl = name_of("gpl"), name_of("lgpl")
    chosen = Settings(keep=EVERY, allow=("MIT", "LGPL-2.1-only"))
    late = occurrence(lgpl, "o:lgpl", licence="GPL-2.0-only", day=3) | {"licence_expression": "LGPL-2.1-only"}
    made = story(occurrence(gpl, "o:gpl", licence="GPL-2.0-only", day=1), late)
    rows = text_copies(made, "earliest_origin", keep=EVERY)
    _, refused, yielding = weighed(tmp_path, rows.with_columns(kept=pl.col("sha1_git") == lgpl), chosen)
    assert (refused["sha1_git"].to_list(), yielding.height) == ([lgpl], 0)

    same = placed(occurrence(gpl, "o:gpl", licence="GPL-2.0-only", day=1), late | {"sha1_git": gpl, "rank_licence": 0})
    plain, asked = (
        with_copies(representatives(same), same, "earliest_origin", settings=each) for each in (None, chosen)
    )
    assert plain["licence_expression"].to_list() == ["LGPL-2.1-only"]
    assert asked["licence_expression"].to_list() == ["GPL-2.0-only"]


def test_a_third_permissive_copy_that_is_the_earliest_protects_the_text(tmp_path):
    first, gpl, late = (name_of(each) for each in ("first", "gpl", "late"))
    made = story(
        occurrence(first, "o:first", day=1),
        occurrence(gpl, "o:gpl", licence="GPL-2.0-only", day=2),
        occurrence(late, "o:late", day=3),
    )
    assert refused_by(tmp_path / "a", made) == []
    assert refused_by(tmp_path / "b", made, "any_copy") == sorted([first, late])


def candidates(root, names, *, text="f" * 64, stars=None):
    """One CANDIDATES part: contents of one text."""
    rows = {name: [None] * len(names) for name in CANDIDATES.names}
    rows |= {"sha1_git": names, "text_sha256": [text] * len(names), "rank_licence": [0] * len(names)}
    rows |= {"rank_stars": [-(stars or {}).get(name, 0) for name in names], "rank_first_seen": [DAY] * len(names)}
    rows |= {"text_part": [0] * len(names)}
    task = Task("x:y", "1", str(root), "read", "000000", ("candidates",))
    table = pa.table({name: pa.array(rows[name], CANDIDATES.field(name).type) for name in CANDIDATES.names})
    task.write("candidates", table, CANDIDATES)
    return (Part("read/candidates-000000.parquet", "", len(names)),)


def named(root, name, contents, *, text="f" * 64):
    task = Task("x:y", "1", str(root), "read", "000000", (name,))
    table = pa.table({"sha1_git": contents, "text_sha256": [text] * len(contents)}, schema=YIELDING)
    task.write(name, table, YIELDING)
    return (Part(f"read/{name}-000000.parquet", "", len(contents)),)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(["plain", "excluded", "yielding"]), min_size=1, max_size=6), st.randoms())
def test_exact_duplicates_leave_the_excluded_out_and_the_yielding_last(kinds, dice):
    names = [name_of(at) for at in range(len(kinds))]
    stars = {name: dice.randrange(4) for name in names}
    groups = {kind: [n for n, k in zip(names, kinds, strict=True) if k == kind] for kind in set(kinds)}
    with tempfile.TemporaryDirectory() as root:
        found = exact_duplicates(
            run,
            root=root,
            folder="exact",
            candidates=candidates(root, names, stars=stars),
            excluded=named(root, "excluded", groups.get("excluded", [])),
            yielding=named(root, "yielding", groups.get("yielding", [])),
        )
        rows = [row for part in found for row in read_table(Path(root, part.path)).to_pylist()]
    order = sorted(
        (name for name in names if name not in groups.get("excluded", [])),
        key=lambda name: (name in groups.get("yielding", []), -stars[name], name),
    )
    assert sorted(row["sha1_git"] for row in rows) == sorted(order[1:])
    assert {row["kept"] for row in rows} <= set(order[:1])
