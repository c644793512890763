"""Languages: what language each content is in, over Linguist's whole vocabulary, and whether it is
vendored, generated or documentation.

`classify` asks Linguist (enry-python) by real path and text, and a model of texts (`content.py`) where the name
says nothing or several languages share it; `refuse` applies the recipe's policy. Columns and invariants:
`stages/languages/classes.py`.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from stages.decoding import decode
from stages.languages.classes import CLASSES, classify
from stages.languages.policy import refuse
from stages.languages.settings import NAME, REASONS, VERSION, Settings
from stages.languages.vocabulary import Language, table, vocabulary

__all__ = [
    "CLASSES",
    "INSPECTED",
    "NAME",
    "REASONS",
    "VERSION",
    "Language",
    "Settings",
    "classify",
    "inspect",
    "refuse",
    "table",
    "vocabulary",
]

INSPECTED = pa.schema(
    [
        ("id", pa.string()),
        ("language", pa.string()),
        ("vendored", pa.bool_()),
        ("generated", pa.bool_()),
        ("documentation", pa.bool_()),
    ]
)


def inspect(files: pa.Table, settings: Settings | None = None) -> pa.Table:
    """INSPECTED for `files` with columns id (string), path (string or binary) and content (binary), row by row."""
    chosen = settings or Settings()
    texts = decode(pc.cast(files["content"], pa.large_binary()).combine_chunks())["text"]
    paths = pc.cast(files["path"], pa.binary()).combine_chunks()
    classes = classify(paths, texts.combine_chunks(), min_confidence=chosen.min_confidence)
    return pa.table(
        [pc.cast(files["id"], pa.string()), *(classes[name] for name in INSPECTED.names[1:])],
        schema=INSPECTED,
    )
