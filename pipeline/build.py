"""One build, from a recipe to a published release.

    OUT/builds/<name>/    work tables, completion records, `build.json` (what was asked), `tables.json` (what was made)
    OUT/releases/<name>/<version>/

`build.json` holds everything that determines the release; a build folder serves one such document, and a
resumed build that differs from it is refused with the differing fields, unless told to re-run what changed
(tasks whose own inputs did not change are re-used even then). One build at a time works in a folder.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata as distributions
from pathlib import Path

from archive.metadata import METADATA_SCHEMA, read_metadata
from archive.reader import Archive, open_archive
from foundation import tables
from foundation.canonical import Json, differing_fields, fingerprint, readable_json
from foundation.errors import ConfigError, ConflictError, IntegrityError
from foundation.exclusions import EMPTY, ExclusionList, read_exclusions, write_exclusions
from foundation.layout import shard_path, table_path
from foundation.storage import remove_stale, write_atomic
from foundation.storage.atomic import storage_error
from foundation.tasks import Part
from manifests import FunnelStage, ReleaseFacts, publish
from pipeline.flow import Flow, Flowed, funnel_of
from pipeline.overrides import Applied, check_overrides, write_overrides
from pipeline.policies import STAGES
from pipeline.progress import Progress
from pipeline.recipe import Recipe
from pipeline.recipe_file import load_recipe
from pipeline.runner import Ledger, LocalRunner, summary
from pipeline.wiping import wipe_names
from stages import decisions, deduplication
from stages.contents import PROBLEMS

DETECTORS_AT_MOST = 4


@dataclasses.dataclass(frozen=True)
class Request:
    """A build as asked for: the recipe, and what the command line said of where, when and how.

    `workers` 0 runs in this process without Ray. `address` names a Ray cluster. `exclusions` is a file of
    `gristmill optout export`. `rerun_changed` lets a resumed build go on although its request changed. `keep_names`
    keeps the work tables that hold names as the archive has them (`pipeline.wiping`).
    """

    recipe: Recipe
    out: Path
    archive: str = ""
    as_of: dt.date | None = None
    exclusions: Path | None = None
    workers: int = 0
    address: str | None = None
    rerun_changed: bool = False
    keep_names: bool = False
    progress: Progress = dataclasses.field(default_factory=lambda: Progress(quiet=True))

    @property
    def root(self) -> Path:
        """The build's folder, absolute."""
        return Path(self.out).resolve() / "builds" / self.recipe.release.name

    @property
    def releases(self) -> Path:
        """The folder of all releases under `out`, absolute."""
        return Path(self.out).resolve() / "releases"

    @property
    def as_of_day(self) -> dt.date | None:
        """The as-of day: the command line's, else the recipe's."""
        return self.as_of or self.recipe.archive.as_of


@dataclasses.dataclass(frozen=True)
class BuildResult:
    """A finished build: its release, Merkle root (hex) and funnel, what the near-duplicate search and the guard found,
    what each stage cost, and what became of the licence overrides.
    """

    release: Path
    merkle_root: str
    rows: int
    raw_bytes: int
    funnel: tuple[dict[str, Json], ...]
    near: deduplication.Effort
    guard: decisions.Report
    stages: tuple[dict[str, float | int | str], ...]
    overrides: Applied = dataclasses.field(default_factory=Applied)

    def to_json(self) -> dict[str, Json]:
        """The same as JSON, the guard's report in its short form."""
        plain = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        short = {"near": self.near.to_json(), "guard": self.guard.short(), "overrides": self.overrides.to_json()}
        return {**plain, "release": str(self.release), **short}


def build(
    recipe: Recipe | str | Path,
    *,
    out: str | Path,
    archive: str = "",
    as_of: dt.date | None = None,
    exclusions: str | Path | None = None,
    workers: int | None = None,
    address: str | None = None,
    rerun_changed: bool = False,
    keep_names: bool = False,
    progress: Progress | None = None,
) -> BuildResult:
    """Build and publish a release; returns where it is and what was counted.

    `recipe`: a Recipe, a TOML file, or the name of a shipped recipe. `archive`: folder or `s3://` URI, over the
    recipe's. `as_of`: a day (UTC, inclusive). `workers`: Ray workers on this machine (default: its cores; 0: no Ray).
    Raises the errors of `foundation.errors`: a partial build keeps its finished parts and the same call resumes.
    """
    loaded = recipe if isinstance(recipe, Recipe) else load_recipe(recipe)
    request = Request(
        recipe=loaded,
        out=Path(out),
        archive=archive or loaded.archive.uri,
        as_of=as_of,
        exclusions=Path(exclusions) if exclusions else None,
        workers=(os.cpu_count() or 1) if workers is None else workers,
        address=address,
        rerun_changed=rerun_changed,
        keep_names=keep_names,
        progress=progress or Progress(quiet=True),
    )
    return perform(request)


def perform(request: Request) -> BuildResult:
    """Carry out `request`; see `build`."""
    opened = open_requested(request)
    excluded = exclusions_of(request)
    with build_folder(request.root):
        identity = identity_of(request, opened, excluded)
        settle_identity(request, identity)
        remove_stale(request.root)
        context, digest = _context(request, excluded)
        named = _metadata(request, opened)
        with _runner(request) as runner:
            flow = Flow(
                run=runner,
                root=str(request.root),
                recipe=request.recipe,
                archive=opened,
                as_of=end_of_day(request.as_of_day),
                exclusions_sha256=digest,
                context=context,
                overrides=write_overrides(request.root, request.recipe),
            )
            flowed = flow.everything(named)
            ledger = runner.ledger
        check_problems(request.recipe, flowed.tally)
        applied = check_overrides(request.root, request.recipe, flowed.notices)
        result = _publish(request, flowed, identity, excluded, ledger)
        if not request.keep_names:
            wipe_names(request.root, ledger.stages)
        return dataclasses.replace(result, overrides=applied)


def open_requested(request: Request) -> Archive:
    """The archive that the request names; ConfigError when it names none."""
    if not request.archive:
        raise ConfigError(
            "no archive given", hint="give --archive FOLDER or s3://…, or set uri in the recipe's [archive]"
        )
    section = request.recipe.archive
    s3 = section.s3.settings() if section.s3 else None
    return open_archive(request.archive, export=section.export or None, s3=s3, metadata=section.metadata or None)


def exclusions_of(request: Request) -> ExclusionList:
    """The exclusions that the release must honour; ConfigError when they are older than the recipe demands."""
    section = request.recipe.optout
    path = request.exclusions or (Path(section.exclusions) if section.exclusions else None)
    found = read_exclusions(path) if path else EMPTY
    if found.sequence < section.minimum_sequence:
        raise ConfigError(
            f"exclusions are at sequence {found.sequence}, the recipe demands at least {section.minimum_sequence}",
            hint="export them again: gristmill optout export --out FILE, then --exclusions FILE",
        )
    return found


@contextlib.contextmanager
def build_folder(root: Path) -> Iterator[None]:
    """Hold the build folder `root` alone (it is made if need be); ConflictError while another build holds it."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        handle = os.open(root / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise storage_error(error, root) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise ConflictError(
            f"another build is working in {root}", hint="wait for it to end, or give another --out or release name"
        ) from error
    else:
        yield
    finally:
        os.close(handle)


def identity_of(request: Request, opened: Archive, excluded: ExclusionList) -> dict[str, Json]:
    """Everything that determines the release, as JSON."""
    return {
        "recipe": request.recipe.identity(),
        "archive": opened.identity(),
        "as_of": request.as_of_day.isoformat() if request.as_of_day else None,
        "registry": {"sequence": excluded.sequence, "log_head": excluded.log_head},
        "policies": {stage.NAME: stage.VERSION for stage in STAGES},
    }


def settle_identity(request: Request, identity: Mapping[str, Json]) -> None:
    """Record `identity` in a new build folder; ConflictError says in what an old one differs from it."""
    path = request.root / "build.json"
    if path.is_file():
        try:
            recorded = json.loads(path.read_bytes())
        except ValueError as error:
            raise IntegrityError(f"{path} is damaged", hint="remove the build folder and build again") from error
        changed = differing_fields(recorded, identity)
        if changed and not request.rerun_changed:
            raise ConflictError(
                f"{request.root} was begun with another request: " + "; ".join(changed[:8]),
                hint="give another release name or --out, or --rerun-changed to redo what the change touches",
            )
    write_atomic(path, readable_json(identity))


def check_problems(recipe: Recipe, tally: Mapping[str, int]) -> None:
    """IntegrityError when more contents are missing or damaged than the recipe allows."""
    damaged = {name: count for name, count in tally.items() if name in {f"contents/{code}" for code in PROBLEMS}}
    damaged |= {name: count for name, count in tally.items() if name == "catalog/missing"}
    total, bad, allowed = sum(tally.values()), sum(damaged.values()), recipe.catalog.max_problem_fraction
    if bad > allowed * total:
        listed = ", ".join(f"{name} {count}" for name, count in sorted(damaged.items()))
        raise IntegrityError(
            f"{bad} of {total} contents are missing or damaged ({listed}); the recipe allows {allowed:.2%}",
            hint="check the archive with `gristmill archive verify`, or raise [catalog] max_problem_fraction",
        )


def end_of_day(day: dt.date | None) -> str | None:
    """The last microsecond of `day`, UTC, ISO-8601; None stays None."""
    return dt.datetime.combine(day, dt.time.max, tzinfo=dt.UTC).isoformat() if day else None


def _context(request: Request, excluded: ExclusionList) -> tuple[dict[str, Json], str]:
    """(context of every task, SHA-256 of the exclusions in force)."""
    section = request.recipe.archive.s3
    context: dict[str, Json] = {
        "archive": request.archive,
        "s3": dataclasses.asdict(section.settings()) if section else None,
        "exclusions": None,
    }
    if excluded.entries:
        path = request.root / "inputs" / "exclusions.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_exclusions(path, excluded)
        context["exclusions"] = str(path)
    return context, fingerprint(excluded.model_dump(mode="json"))


def _metadata(request: Request, opened: Archive) -> Part | None:
    if opened.metadata is None:
        return None
    table = read_metadata(opened.metadata, s3=opened.s3)
    path = request.root / "inputs" / "repositories.parquet"
    written = tables.write_table(path, table, METADATA_SCHEMA)
    return Part("inputs/repositories.parquet", written.sha256, written.rows, written.bytes)


@contextlib.contextmanager
def _runner(request: Request) -> Iterator[LocalRunner]:
    memo = request.root / "licences" / "memo"
    settings = request.recipe.licences
    if request.workers == 0 and request.address is None:
        from stages.licences import MemoResolver

        yield LocalRunner(request.progress, services={"licences": MemoResolver(memo, settings=settings)})
        return
    from pipeline.ray_runner import ray_runner

    with ray_runner(
        progress=request.progress,
        workers=max(1, request.workers),
        address=request.address,
        detectors=min(DETECTORS_AT_MOST, max(1, request.workers)),
        memo=memo,
        licence_settings=settings.params(),
    ) as runner:
        yield runner  # type: ignore[misc]


def _publish(
    request: Request,
    flowed: Flowed,
    identity: Mapping[str, Json],
    excluded: ExclusionList,
    ledger: Ledger,
) -> BuildResult:
    funnel = funnel_of(flowed.tally)
    staging = request.root / "staging"
    checksums = _stage(request.root, staging, flowed)
    release = request.recipe.release
    facts = ReleaseFacts(
        name=release.name,
        version=release.version,
        recipe=request.recipe.identity(),
        archive=dict(identity["archive"]),  # type: ignore[arg-type]
        tools=tools(),
        registry_sequence=excluded.sequence,
        registry_log_head=excluded.log_head,
        policies={stage.NAME: stage.VERSION for stage in STAGES},
        funnel=[FunnelStage.model_validate(row) for row in funnel],
        parameters={
            "as_of": identity["as_of"],
            "shingles": deduplication.SHINGLES,
            "guard": flowed.guard.totals(),
        },
        checksums=checksums,
        table_parts={name: table.parts for name, table in flowed.tables.items()},
    )
    target = publish(staging, request.releases, facts)
    _record_tables(request, flowed, target)
    from manifests import load_manifest

    manifest = load_manifest(target)
    return BuildResult(
        release=target,
        merkle_root=manifest.merkle_root,
        rows=manifest.totals.rows,
        raw_bytes=flowed.raw_bytes,
        funnel=tuple(funnel),
        near=deduplication.effort_of(ledger.stages),
        guard=flowed.guard,
        stages=tuple(summary(ledger)),
    )


def _stage(root: Path, staging: Path, flowed: Flowed) -> dict[str, str]:
    """Hard-link finished shards and tables to their places in a release; returns their checksums by path."""
    shutil.rmtree(staging, ignore_errors=True)
    numbers: dict[tuple[str, str | None], int] = {}
    placed: dict[str, Part] = {}
    for shard in sorted(flowed.shards, key=lambda each: (each.licence_class, each.language or "", each.slice)):
        number = numbers.get((shard.licence_class, shard.language), 0)
        numbers[shard.licence_class, shard.language] = number + 1
        placed[shard_path(shard.licence_class, shard.language, number)] = shard.part
    for name, table in flowed.tables.items():
        placed |= {table_path(name, number): part for number, part in table.files.items()}
    try:
        (staging / "data").mkdir(parents=True)
        for path, part in placed.items():
            (staging / path).parent.mkdir(parents=True, exist_ok=True)
            os.link(root / part.path, staging / path)
    except OSError as error:
        raise storage_error(error, staging) from error
    return {path: part.sha256 for path, part in placed.items()}


def _record_tables(request: Request, flowed: Flowed, target: Path) -> None:
    named: dict[str, Sequence[Part]] = {
        "repositories": flowed.catalog.repositories,
        "occurrences": flowed.placed,
        "contents": flowed.contents,
        "decisions": flowed.decisions,
        "notices": flowed.notices,
    }
    document: dict[str, Json] = {name: [part.path for part in parts] for name, parts in named.items()}
    document["release"] = os.path.relpath(target, request.root)
    write_atomic(request.root / "tables.json", readable_json(document))


def tools() -> dict[str, str]:
    """Versions of the libraries that shape a release's bytes or decisions."""
    names = (
        "detect-secrets",
        "enry-python",
        "faust-cchardet",
        "hyperscan",
        "license-expression",
        "numpy",
        "phonenumbers",
        "polars",
        "pyarrow",
        "scancode-toolkit-mini",
    )
    return {name: distributions.version(name) for name in names}
