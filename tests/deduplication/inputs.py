"""Inputs and oracles of the deduplication tests: parts on disk, exact Jaccard by plain sets, union-find."""

from __future__ import annotations

import hashlib
import random
import re
from pathlib import Path

import pyarrow as pa
from hypothesis import strategies as st

from foundation import tables
from foundation.tasks import Part, finished, perform
from stages.deduplication import CANDIDATES, TEXTS, sign

WORD = re.compile(rb"[A-Za-z0-9_]+")


def run(stage, tasks):
    return [finished(task) or perform(task) for task in tasks]


def run_twice_backwards(stage, tasks):
    """What a nervous cluster does: any order, every task repeated."""
    for task in reversed(tasks):
        perform(task)
    return [perform(task) for task in tasks]


def shingles(text):
    tokens = WORD.findall(text.encode())
    return {b" ".join(tokens[at : at + 5]) for at in range(len(tokens) - 4)}


def jaccard(left, right):
    a, b = shingles(left), shingles(right)
    return len(a & b) / len(a | b) if a | b else 0.0


def name_of(label):
    return hashlib.sha1(str(label).encode(), usedforsecurity=False).hexdigest()


def write_part(root, name, table, schema):
    written = tables.write_table(Path(root, f"{name}.parquet"), table, schema)
    return Part(f"{name}.parquet", written.sha256, written.rows, written.bytes)


def write_inputs(root, docs, settings, *, parts=1, seed=0, stars=None):
    """CANDIDATES and TEXTS parts of {sha1_git: text}, dealt to `parts` parts by `seed`."""
    dice = random.Random(seed)
    names = sorted(docs)
    dice.shuffle(names)
    where = {name: dice.randrange(parts) for name in names}
    candidates = []
    for part in range(parts):
        mine = [name for name in names if dice.random() < 1 / (parts - part)]
        names = [name for name in names if name not in set(mine)]
        signed = sign(pa.array([docs[name] for name in mine], pa.large_string()), settings)
        ranks = [-(stars or {}).get(name, 0) for name in mine]
        columns = {
            "sha1_git": mine,
            "text_sha256": [hashlib.sha256(docs[name].encode()).hexdigest() for name in mine],
            "signature": signed["signature"],
            "shingles": signed["shingles"],
            "rank_licence": [0] * len(mine),
            "rank_stars": ranks,
            "rank_forks": [0] * len(mine),
            "rank_first_seen": [None] * len(mine),
            "rank_path": [b"a.py"] * len(mine),
            "text_part": [where[name] for name in mine],
        }
        table = pa.table(
            {
                key: pa.array(value, CANDIDATES.field(key).type) if isinstance(value, list) else value
                for key, value in columns.items()
            }
        )
        candidates.append(write_part(root, f"candidates-{part}", table, CANDIDATES))
    texts = []
    for part in range(parts):
        mine = [name for name in docs if where[name] == part]
        table = pa.table(
            {"sha1_git": pa.array(mine, pa.string()), "text": pa.array([docs[n] for n in mine], pa.large_string())}
        )
        texts.append(write_part(root, f"texts-{part}", table, TEXTS))
    return tuple(part for part in candidates if part.rows), tuple(texts)


def rows_of(root, parts):
    rows = [row for part in parts for row in tables.read_table(Path(root, part.path)).to_pylist()]
    return sorted(rows, key=lambda row: row["sha1_git"])


def expected_near(docs, threshold, stars=None):
    """NEAR rows by brute force: greedy in the total order, clusters by union-find over all pairs."""
    order = sorted(docs, key=lambda name: (-(stars or {}).get(name, 0), name))
    root = {name: name for name in order}

    def find(name):
        while root[name] != name:
            name = root[name]
        return name

    similar = {}
    for i, a in enumerate(order):
        for b in order[i + 1 :]:
            value = jaccard(docs[a], docs[b])
            if value >= threshold:
                similar[a, b] = value
                x, y = find(a), find(b)
                root[max(x, y)] = min(x, y)
    kept, removed = [], {}
    for name in order:
        match = next((other for other in kept if (other, name) in similar), None)
        if match is None:
            kept.append(name)
        else:
            removed[name] = (match, similar[match, name])
    sizes = {}
    for name in order:
        sizes[find(name)] = sizes.get(find(name), 0) + 1
    rows = [
        {
            "sha1_git": name,
            "cluster": find(name),
            "kept": removed.get(name, (None, None))[0],
            "jaccard": removed.get(name, (None, None))[1],
        }
        for name in order
        if sizes[find(name)] > 1
    ]
    return sorted(rows, key=lambda row: row["sha1_git"])


def family(dice, *, words, copies, edits, prefix):
    """Versions of one file: the first has `words` distinct words, each next one changes `edits` of the one before."""
    tokens = [f"{prefix}_{at}" for at in range(words)]
    out = []
    for copy in range(copies):
        out.append(" ".join(tokens))
        for _ in range(edits):
            tokens[dice.randrange(words)] = f"{prefix}_{copy}_{dice.randrange(10**9)}"
    return out


def corpus(seed, *, families=12, copies=4):
    """{sha1_git: text} of version chains of several sizes and rates of change, and files that are alone."""
    dice = random.Random(seed)
    texts = []
    for number in range(families):
        words = dice.choice([8, 30, 120, 400])
        texts += family(
            dice, words=words, copies=copies, edits=dice.choice([0, 1, words // 60, words // 25]), prefix=f"f{number}"
        )
    texts += ["a b c d", "x y", "", "+-*/ <>", "one two three four"]
    return {name_of((seed, at)): text for at, text in enumerate(dict.fromkeys(texts))}


code = st.lists(
    st.sampled_from(
        ["def", "return", "x", "y1", "_", "==", "  ", "\n", "é", "(", ")", "日本", "0", "if", "Z" * 40, "\x00"]
    ),
    max_size=120,
).map("".join) | st.text(max_size=80)
