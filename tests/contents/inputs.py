"""Occurrences as the flow has them before it chooses, and the rule of copies said plainly, as an oracle."""

from __future__ import annotations

import hashlib

import polars as pl
from hypothesis import strategies as st

from foundation.frames import frame
from stages.contents.schemas import PLACED, UNKNOWN_DATE

CLASSES = {"MIT": "permissive", "GPL-2.0-only": "non_permissive", None: "no_license"}
RANK = {"permissive": 0, "no_license": 1, "non_permissive": 2}
DAY = 86_400_000_000


def name_of(label):
    return hashlib.sha1(str(label).encode(), usedforsecurity=False).hexdigest()


def occurrence(content, origin, path="a.py", *, licence="MIT", day=None, stars=0, reason=None):
    """One PLACED row; `day` counts from 1970, None is a date that nobody knows."""
    return {
        "origin": origin,
        "path": path.encode(),
        "mode": 0o100644,
        "sha1_git": content,
        "length": 10,
        "reason": reason,
        "evidence": None,
        "licence_expression": licence,
        "licence_class": CLASSES[licence],
        "licence_source": "repository" if licence else None,
        "licence_evidence": f'{{"expression":"{licence}","path":"LICENSE"}}' if licence else None,
        "rank_licence": RANK[CLASSES[licence]],
        "rank_stars": -stars,
        "rank_forks": 0,
        "rank_first_seen": UNKNOWN_DATE if day is None else day * DAY,
    }


def placed(*rows):
    return pl.DataFrame(list(rows), schema=frame(PLACED.empty_table()).schema)


@st.composite
def texts(draw):
    """{content: (text_sha256, its occurrences)}: contents that share texts, in few origins with few dates."""
    made = {}
    for number in range(draw(st.integers(1, 8))):
        content, text = name_of(number), hashlib.sha256(bytes([draw(st.integers(0, 2))])).hexdigest()
        rows = [
            occurrence(
                content,
                f"https://example.org/{number}/{at}",
                draw(st.sampled_from(["a.py", "b.py"])),
                licence=draw(st.sampled_from(list(CLASSES))),
                day=draw(st.sampled_from([None, 1, 2, 3])),
                stars=draw(st.integers(0, 2)),
            )
            for at in range(draw(st.integers(1, 3)))
        ]
        made[content] = (text, rows)
    return made


def best(rows):
    return min(rows, key=lambda r: (r["rank_licence"], r["rank_stars"], r["rank_first_seen"], r["path"], r["origin"]))


def decider(rows, policy):
    """The occurrence of `rows`, all of one text, that overrules later or other copies; None if there is none."""
    if policy == "any_copy":
        spoken = [row for row in rows if row["licence_class"] == "non_permissive"]
    else:
        spoken = [row for row in rows if row["rank_first_seen"] < UNKNOWN_DATE]
    order = ("rank_first_seen", "rank_licence")
    lowest = min(([row[name] for name in order] for row in spoken), default=None)
    return lowest, [row for row in spoken if [row[name] for name in order] == lowest]


def overrules(rows, policy, *, of):
    """The occurrences (equally early) of which one overrules the content that `of` represents; empty if none does."""
    if policy == "best_copy" or of["licence_class"] == "non_permissive":
        return []
    lowest, first = decider(rows, policy)
    if not first or first[0]["licence_class"] != "non_permissive":
        return []
    return first if policy == "any_copy" or lowest[0] < of["rank_first_seen"] else []
