"""Language classification: files a CPU second, who decided, and how often rightly.

    python benchmarks/languages.py LABELLED.parquet [MORE.parquet] [--truth TRUTH.parquet] [--prefix linguist]

The tables have columns id, filename and content (bytes); the right Linguist names stand in a column `language`, there
or in the table of `--truth` (joined by id; null: not scored). Prints, once with the file's name and once with its id
for a name: speed (best of three runs over everything, one process, one thread), and for each source of an answer how
many there are and how many are right. `--prefix` leaves out the rows whose column `source` begins so (the samples that
Linguist's classifier, and ours, are made of).
"""

from __future__ import annotations

import argparse
import time

import polars as pl
import pyarrow as pa

from stages.decoding import decode
from stages.languages import classify

RUNS = 3


def main() -> None:
    """Read the files, classify them by name and by id, print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--truth", default=None)
    parser.add_argument("--prefix", default=None)
    parser.add_argument("--min-confidence", type=float, default=None)
    options = parser.parse_args()
    files = pl.concat([pl.read_parquet(path) for path in options.files], how="diagonal")
    if options.truth is not None:
        files = files.join(
            pl.read_parquet(options.truth).select("id", "language"), on="id", how="left", maintain_order="left"
        )
    if options.prefix is not None:
        files = files.filter(~pl.col("source").str.starts_with(options.prefix))
    files = files.filter(pl.col("language").is_not_null())
    texts = decode(pa.array(files["content"].to_list(), pa.large_binary()))["text"].combine_chunks()
    settings = {} if options.min_confidence is None else {"min_confidence": options.min_confidence}
    for column in ("filename", "id"):
        report(files, texts, column, settings)


def report(files: pl.DataFrame, texts: pa.LargeStringArray, column: str, settings: dict[str, float]) -> None:
    """Classify `texts` under the names in `column`; print speed and accuracy."""
    names = pa.array([name.encode() for name in files[column].to_list()], pa.binary())
    classify(names.slice(0, 200), texts.slice(0, 200))  # loads models and compiles
    best = float("inf")
    for _ in range(RUNS):
        began = time.process_time()
        classes = classify(names, texts, **settings)
        best = min(best, time.process_time() - began)
    found = pl.DataFrame(
        {"truth": files["language"], "language": classes["language"], "source": classes["language_source"]}
    ).with_columns(right=pl.col("language").eq_missing(pl.col("truth").replace("(none)", None)))
    answered = found.filter(pl.col("language").is_not_null())
    print(f"by {column}: {len(found)} files, {len(found) / best:,.0f} files a CPU second")
    print(f"  right {found['right'].mean():.4f}, answered {len(answered) / len(found):.4f}, ", end="")
    print(f"right among answered {answered['right'].mean():.4f}")
    for source, count, right in answered.group_by("source").agg(pl.len(), pl.mean("right")).sort("source").rows():
        print(f"  {source:20s} {count:6d}  {count / len(found):6.1%}  right {right:.3f}")


if __name__ == "__main__":
    main()
