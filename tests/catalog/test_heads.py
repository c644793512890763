"""Which branch a repository is read at: aliases, unborn HEADs, renamed defaults, tags, circles."""

import datetime as dt

import polars as pl
import pytest

from foundation.frames import arrow, frame
from stages.catalog.heads import RELEASE_HOPS, TARGETED, choose_branch, follow_aliases, follow_objects
from stages.catalog.sources import RELEASES, REVISIONS
from stages.catalog.visits import SELECTED, latest_visits

ONE, TWO = "1" * 40, "2" * 40


def branches(*rows: tuple[str, str, str]) -> pl.DataFrame:
    made = [("s", name.encode(), target, kind) for name, target, kind in rows]
    return pl.DataFrame(
        made,
        schema={"snapshot_id": pl.String, "name": pl.Binary, "target": pl.String, "target_type": pl.String},
        orient="row",
    )


def alias(name: str) -> str:
    return name.encode().hex()


def repository(**values: object) -> pl.DataFrame:
    row = {field.name: None for field in SELECTED} | {"origin": "o", "snapshot": "s"} | values
    return frame(arrow(pl.DataFrame([row]), SELECTED))


def chosen(rows: pl.DataFrame, **values: object) -> dict[str, object]:
    return choose_branch(repository(**values), follow_aliases(rows)).row(0, named=True)


@pytest.mark.parametrize(
    ("rows", "default", "branch"),
    [
        (
            [
                ("HEAD", alias("refs/heads/trunk"), "alias"),
                ("refs/heads/trunk", ONE, "revision"),
                ("refs/heads/main", TWO, "revision"),
            ],
            None,
            "refs/heads/trunk",
        ),
        ([("HEAD", ONE, "revision"), ("refs/heads/main", TWO, "revision")], "main", "HEAD"),
        (
            [("HEAD", alias("refs/heads/gone"), "alias"), ("refs/heads/master", ONE, "revision")],
            None,
            "refs/heads/master",
        ),
        (
            [
                ("HEAD", alias("refs/heads/gone"), "alias"),
                ("refs/heads/main", TWO, "revision"),
                ("refs/heads/dev", ONE, "revision"),
            ],
            "dev",
            "refs/heads/dev",
        ),
        ([("refs/heads/zeta", TWO, "revision"), ("refs/heads/alpha", ONE, "revision")], "gone", "refs/heads/alpha"),
        ([("HEAD", alias("a"), "alias"), ("a", alias("b"), "alias"), ("b", ONE, "release")], None, "b"),
        ([("HEAD", alias("HEAD"), "alias"), ("refs/heads/main", ONE, "revision")], None, "refs/heads/main"),
        ([("HEAD", "zz-not-hex", "alias"), ("refs/heads/main", ONE, "revision")], None, "refs/heads/main"),
    ],
)
def test_the_branch_that_head_means(rows: list[tuple[str, str, str]], default: str | None, branch: str) -> None:
    found = chosen(branches(*rows), default_branch=default)
    assert (found["branch"], found["target"], found["reason"]) == (
        branch,
        ONE if branch != "HEAD" or rows[0][1] == ONE else TWO,
        None,
    )


def test_a_snapshot_without_a_usable_branch_gives_a_reason() -> None:
    found = chosen(
        branches(("HEAD", alias("x"), "alias"), ("x", alias("HEAD"), "alias"), ("refs/tags/v1", ONE, "release"))
    )
    assert (found["reason"], found["target"]) == ("no_head", None)


def test_branch_names_that_are_not_text_are_escaped() -> None:
    rows = pl.DataFrame([("s", b"refs/heads/\xff\n", ONE, "revision")], schema=branches().schema, orient="row")
    assert chosen(rows)["branch"] == "refs/heads/\\xff\n"


def settled(target: str, kind: str, *, revisions: list[tuple] = (), releases: list[tuple] = ()) -> dict[str, object]:
    row = repository().with_columns(target=pl.lit(target), target_type=pl.lit(kind), hops=pl.lit(0))
    rows = frame(arrow(row, TARGETED))
    known = pl.DataFrame(list(revisions), schema=pl.from_arrow(REVISIONS.empty_table()).schema, orient="row")
    tags = pl.DataFrame(list(releases), schema=pl.from_arrow(RELEASES.empty_table()).schema, orient="row")
    for _ in range(RELEASE_HOPS + 2):
        done, rows = follow_objects(rows, known, tags)
        if done.height:
            return done.row(0, named=True)
    raise AssertionError("never settled")


DAY = dt.datetime(2020, 1, 2, tzinfo=dt.UTC)


def test_revisions_releases_and_directories_lead_to_roots() -> None:
    revision = (ONE, TWO, DAY, DAY)
    assert settled(ONE, "revision", revisions=[revision])["root"] == TWO
    tagged = settled("a" * 40, "release", revisions=[revision], releases=[("a" * 40, ONE, "revision")])
    assert (tagged["root"], tagged["revision"], tagged["anchor"]) == (TWO, ONE, f"swh:1:rev:{ONE}")
    package = settled("a" * 40, "release", releases=[("a" * 40, TWO, "directory")])
    assert (package["root"], package["revision"], package["anchor"]) == (TWO, None, f"swh:1:rel:{'a' * 40}")
    assert settled(TWO, "directory")["anchor"] == f"swh:1:dir:{TWO}"


def test_lost_objects_and_circles_of_releases_give_a_reason() -> None:
    assert settled(ONE, "revision")["reason"] == "head_unresolved"
    circle = [("a" * 40, "b" * 40, "release"), ("b" * 40, "a" * 40, "release")]
    assert settled("a" * 40, "release", releases=circle)["reason"] == "head_unresolved"
    assert settled(ONE, "content")["reason"] == "head_unresolved"


def statuses(*rows: tuple[int, str, str, str | None]) -> pl.DataFrame:
    made = [
        ("o", visit, dt.datetime.fromisoformat(day).replace(tzinfo=dt.UTC), "git", status, snapshot, "o")
        for visit, day, status, snapshot in rows
    ]
    names = ["origin", "visit", "date", "type", "status", "snapshot", "key"]
    return pl.DataFrame(made, schema=names, orient="row").cast(
        {"snapshot": pl.String, "date": pl.Datetime("us", "UTC")}
    )


VISITS = statuses(
    (1, "2020-01-01", "full", "early"),
    (2, "2021-01-01", "full", "late"),
    (3, "2022-01-01", "partial", "half"),
    (4, "2023-01-01", "failed", None),
    (4, "2023-01-01", "created", None),
)


@pytest.mark.parametrize(
    ("day", "partial", "snapshot"),
    [
        (None, False, "late"),
        (dt.datetime(2020, 6, 1, tzinfo=dt.UTC), False, "early"),
        (dt.datetime(2021, 1, 1, tzinfo=dt.UTC), False, "late"),
        (dt.datetime(2019, 1, 1, tzinfo=dt.UTC), False, None),
        (None, True, "late"),
    ],
)
def test_the_latest_full_visit_not_after_the_day(day: dt.datetime | None, partial: bool, snapshot: str | None) -> None:
    for rows in (VISITS, VISITS.reverse()):
        assert latest_visits(rows, as_of=day, partial=partial)["snapshot"].to_list() == [snapshot]


def test_a_partial_visit_counts_only_when_allowed_and_alone() -> None:
    only = statuses((1, "2020-01-01", "partial", "half"))
    assert latest_visits(only, as_of=None, partial=False)["snapshot"].to_list() == [None]
    assert latest_visits(only, as_of=None, partial=True)["snapshot"].to_list() == ["half"]
