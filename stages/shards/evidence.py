"""The tables of evidence as a flow of tasks: assembled rows and stated texts → `attribution`, `licences`, `languages`.

What each table holds: `crediting`, and `list_languages` here. How many parts they have follows from the release's rows
alone: `attribution` one for PART_ROWS, `licences` one for TEXT_ROWS, `languages` one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import pyarrow as pa

from foundation.canonical import Json
from foundation.exchange import buckets_present
from foundation.schema import RELEASE_LANGUAGES
from foundation.tables import RELEASE_ZSTD_LEVEL, write_table
from foundation.tasks import Counts, Outcome, Part, Runner, Task, parts_of
from stages.languages import table as vocabulary
from stages.licences import TOOL

VERSION = "2"
PART_ROWS = 1 << 20  # release rows of one part of attribution: at most about as many credits, 1 kB each
TEXT_ROWS = 1 << 18  # release rows of one part of licences: some thousand texts, 10 kB each

_CREDITING = "stages.shards.crediting"
_LICENCE = "licence:"


@dataclasses.dataclass(frozen=True)
class ReleaseTable:
    """A table of the release: into how many `parts` its keys are hashed, and the parts that have rows, by number."""

    parts: int
    files: Mapping[int, Part]


@dataclasses.dataclass(frozen=True)
class Credited:
    """What the evidence tables are made from: see `pipeline.flow` for each.

    `rows` are the assembled rows (ROWS), `stated` (STATED_TEXTS) is bucketed by origin and `texts` (NOTICE_TEXTS) by
    text_sha256, both into `buckets`; `languages` are those of the rows.
    """

    buckets: int
    rows: tuple[Part, ...]
    stated: tuple[Part, ...]
    texts: tuple[Part, ...]
    languages: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class _Flow:
    run: Runner
    root: str
    context: Mapping[str, Json]

    def step(
        self,
        worker: str,
        outputs: tuple[str, ...],
        jobs: Mapping[int, Mapping[str, Sequence[Part]]],
        *,
        key: str,
        params: Mapping[str, Json],
    ) -> list[Outcome]:
        """One task for each of `jobs` (number → inputs); the number is its parameter `key`."""
        tasks = [
            Task(
                worker=worker,
                version=VERSION,
                root=self.root,
                folder=f"shards/evidence/{worker.rpartition(':')[2]}",
                partition=f"{number:05d}",
                outputs=outputs,
                inputs={name: tuple(parts) for name, parts in inputs.items()},
                params={**params, key: number},
                context=dict(self.context),
            )
            for number, inputs in sorted(jobs.items())
        ]
        return self.run("release: evidence", tasks)


def list_evidence(
    run: Runner,
    made: Credited,
    *,
    root: str,
    context: Mapping[str, Json],
    part_rows: int = PART_ROWS,
    text_rows: int = TEXT_ROWS,
) -> dict[str, ReleaseTable]:
    """Make the evidence tables, by name. Every wave resumes from its finished tasks; the driver holds descriptors."""
    flow = _Flow(run, root, context)
    buckets: dict[str, Json] = {"buckets": made.buckets}
    jobs: dict[int, Mapping[str, Sequence[Part]]] = {number: {"rows": (part,)} for number, part in enumerate(made.rows)}
    credited = flow.step(f"{_CREDITING}:credit", ("credits",), jobs, key="number", params=buckets)
    rows = sum(part.rows for part in made.rows)
    parts, text_parts = max(1, -(-rows // part_rows)), max(1, -(-rows // text_rows))
    found = _found(flow, made, parts_of(credited, "credits"), parts)
    attribution = _listed(flow, parts_of(found, "credits"))
    texts = _texts(flow, made, parts_of(found, "wanted"), names=_names(credited), parts=text_parts)
    licences = flow.step(
        f"{_CREDITING}:list_texts",
        ("licences",),
        {part: {"texts": texts} for part in buckets_present(root, texts)},
        key="part",
        params={},
    )
    languages = flow.step(
        f"{__name__}:list_languages", ("languages",), {0: {}}, key="part", params={"languages": list(made.languages)}
    )
    return {
        "attribution": ReleaseTable(parts, _parts(attribution, "attribution")),
        "languages": ReleaseTable(1, _parts(languages, "languages")),
        "licences": ReleaseTable(text_parts, _parts(licences, "licences")),
    }


def _found(flow: _Flow, made: Credited, owed: tuple[Part, ...], parts: int) -> list[Outcome]:
    jobs: dict[int, Mapping[str, Sequence[Part]]] = {
        bucket: {"credits": owed, "stated": made.stated} for bucket in buckets_present(flow.root, owed)
    }
    params: dict[str, Json] = {"buckets": made.buckets, "parts": parts}
    return flow.step(f"{_CREDITING}:find", ("credits", "wanted"), jobs, key="bucket", params=params)


def _listed(flow: _Flow, owed: tuple[Part, ...]) -> list[Outcome]:
    jobs: dict[int, Mapping[str, Sequence[Part]]] = {
        part: {"credits": owed} for part in buckets_present(flow.root, owed)
    }
    return flow.step(f"{_CREDITING}:list_attribution", ("attribution",), jobs, key="part", params={})


def _texts(
    flow: _Flow, made: Credited, wanted: tuple[Part, ...], *, names: Sequence[str], parts: int
) -> tuple[Part, ...]:
    """RELEASE_LICENCES of all that is shipped, bucketed by text_sha256 into `parts`."""
    params: dict[str, Json] = {"ids": list(names), "parts": parts, "tool": TOOL}
    standard = flow.step(f"{_CREDITING}:canonical", ("texts",), {0: {}}, key="number", params=params)
    jobs: dict[int, Mapping[str, Sequence[Part]]] = {
        bucket: {"wanted": wanted, "texts": made.texts} for bucket in buckets_present(flow.root, wanted)
    }
    found = flow.step(f"{_CREDITING}:pick", ("texts",), jobs, key="bucket", params={"parts": parts})
    return parts_of(standard, "texts") + parts_of(found, "texts")


def _names(credited: Sequence[Outcome]) -> list[str]:
    """The licences and exceptions that any shipped row's expression names."""
    keys = {key for outcome in credited for key in outcome.counts if key.startswith(_LICENCE)}
    return sorted(key.removeprefix(_LICENCE) for key in keys)


def _parts(outcomes: Sequence[Outcome], output: str) -> dict[int, Part]:
    return {int(str(o.task.params["part"])): o.parts[output] for o in outcomes if o.parts[output].rows}


def list_languages(task: Task) -> Counts:
    """Worker: the languages named by the parameter `languages`, and their groups → `languages` (RELEASE_LANGUAGES)."""
    asked = task.params["languages"]
    rows = languages_table({str(name) for name in asked}) if isinstance(asked, list | tuple) else languages_table(set())
    write_table(task.output_path("languages"), rows, RELEASE_LANGUAGES, level=RELEASE_ZSTD_LEVEL)
    return {"languages": rows.num_rows}


def languages_table(names: set[str]) -> pa.Table:
    """RELEASE_LANGUAGES of the Linguist languages `names` and the groups they belong to."""
    known = vocabulary()
    groups = {group for name in names if (group := known[name].group) is not None}
    rows = [
        {
            "language": name,
            "linguist_id": known[name].id,
            "type": known[name].type,
            "group": known[name].group,
            "extensions": known[name].extensions,
            "filenames": known[name].filenames,
            "interpreters": known[name].interpreters,
            "aliases": known[name].aliases,
            "occurs": name in names,
        }
        for name in sorted(names | groups)
    ]
    return pa.Table.from_pylist(rows, schema=RELEASE_LANGUAGES)
