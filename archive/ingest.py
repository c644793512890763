"""Ingest: local git repositories, folders and archives become visits of an archive in Software Heritage's format.

Output: an archive folder (`content/<sha1>`, `graph/<export>/orc/<table>/`), new or appended to. Invariants:
- ids equal Software Heritage's for the same bytes;
- each commit appends whole files, children before parents and visits last, so a killed ingest leaves an
  archive as valid as before, and running it again completes it;
- the same source with the same bytes and visit date adds nothing.

Cost: every byte is read, hashed four times and compressed once. Memory: rows of up to
OBJECTS_BEFORE_COMMIT objects plus the largest single source; contents stream.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow as pa

from archive import orc
from archive.metadata import FILE_NAME, read_bytes, read_metadata
from archive.reader import exports
from archive.sources import (
    PACKED_SUFFIXES,
    Limits,
    Loaded,
    Note,
    SourceError,
    is_git,
    is_packed,
    load_directory,
    load_git,
    load_packed,
)
from archive.write import OBJECTS_BEFORE_COMMIT, ArchiveWriter, Rows
from foundation.errors import UsageError
from foundation.storage import write_atomic
from foundation.storage.local import LocalStore

MAX_CONTENT_BYTES = 100_000_000  # Software Heritage's max_content_size
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclasses.dataclass(frozen=True)
class SourceReport:
    """What became of one source.

    `status`: full; partial (bytes were missing, see `notes`); unchanged (this very visit was there); failed (see
    `problem`; nothing of it can be reached in the archive).
    """

    source: str
    origin: str
    visit_type: str
    status: str
    snapshot: str | None = None
    visit: int | None = None
    objects: int = 0
    notes: tuple[Note, ...] = ()
    problem: str = ""


@dataclasses.dataclass(frozen=True)
class IngestReport:
    """What an ingest did: the archive, its export, each source in the order given, new content objects."""

    archive: str
    export: str
    sources: tuple[SourceReport, ...]
    contents_written: int

    @property
    def failed(self) -> tuple[SourceReport, ...]:
        """The sources that were not ingested."""
        return tuple(source for source in self.sources if source.status == "failed")


def ingest(
    sources: Sequence[str | Path],
    out: str | Path,
    *,
    visit_date: dt.datetime,
    origins: Mapping[str, str] | None = None,
    export_name: str | None = None,
    max_content_bytes: int = MAX_CONTENT_BYTES,
    limits: Limits | None = None,
) -> IngestReport:
    """Add a visit at `visit_date` (aware) of each of `sources` to the archive `out`, and say what was done.

    `origins`: URL by source as given; without one, a git repository's remote `origin`, else
    `https://local.invalid/<kind>/<name>`. `export_name`: default the archive's newest export, else the date.
    A source that cannot be read is reported as failed and the others go on. Raises UsageError for arguments that
    cannot be, StorageError when `out` cannot be written, ConflictError when another process writes to it.
    """
    if visit_date.tzinfo is None:
        raise UsageError("the visit date has no time zone", hint="give one, e.g. 2026-01-31T00:00:00+00:00")
    paths = [_checked_source(source, Path(out)) for source in sources]
    urls = {source: checked_origin(url) for source, url in (origins or {}).items()}
    export = export_name or _default_export(Path(out), visit_date)
    if not re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z._-]{0,99}", export):
        raise UsageError(
            f"not an export name: {export!r}", hint="expected a date such as 2026-01-31, letters, digits, . _ -"
        )
    with ArchiveWriter(out, export=export, max_content_bytes=max_content_bytes) as writer:
        session = _Session(writer, visit_date, limits or Limits())
        for given, path in zip(map(str, sources), paths, strict=True):
            session.add(given, path, urls.get(given))
        session.finish()
        return IngestReport(str(out), export, tuple(session.reports), writer.contents_written)


def add_metadata(out: str | Path, file: str) -> None:
    """Put the repositories file `file` beside the archive `out`; ConfigError if it is not one."""
    read_metadata(file)
    write_atomic(Path(out) / FILE_NAME, read_bytes(file))


def checked_origin(url: str) -> str:
    """`url` if it can name an origin; UsageError otherwise."""
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if not parts.scheme or not parts.netloc or not url.isprintable() or " " in url or len(url) > 2048:
        raise UsageError(f"not an origin URL: {url[:200]!r}", hint="expected e.g. https://example.org/owner/name")
    if "@" in parts.netloc:
        raise UsageError("the origin URL holds a user name or password", hint="leave out what stands before the @")
    return url


class _Session:
    """One ingest at work: rows that wait for the next commit, and the visits known so far."""

    def __init__(self, writer: ArchiveWriter, visit_date: dt.datetime, limits: Limits) -> None:
        self.writer, self.limits = writer, limits
        self.date = (visit_date - _EPOCH) // dt.timedelta(microseconds=1)
        self.pending, self.reports = Rows(), list[SourceReport]()
        self.visits = _known_visits(writer)
        self.seen: dict[str, str] = {}

    def add(self, given: str, path: Path, origin: str | None) -> None:
        """Load one source and queue its visit."""
        try:
            loaded = self._load(path)
            url = origin or checked_origin(loaded.origin)
            self._refuse_twice(given, url)
        except UsageError as error:
            self.reports.append(SourceReport(given, origin or "", "", "failed", problem=str(error)))
            return
        self.seen[url] = given
        self.reports.append(self._visit(given, url, loaded))
        if len(self.pending) >= OBJECTS_BEFORE_COMMIT:
            self.finish()

    def finish(self) -> None:
        """Commit what waits."""
        self.writer.commit(self.pending)
        self.pending = Rows()

    def _refuse_twice(self, given: str, url: str) -> None:
        if url in self.seen:
            raise SourceError(
                f"{given} has the same origin as {self.seen[url]}: {url}", hint="give it another with --origin"
            )

    def _load(self, path: Path) -> Loaded:
        if path.is_dir():
            return load_git(path, self.writer) if is_git(path) else load_directory(path, self.writer)
        return load_packed(path, self.writer, self.limits)

    def _visit(self, given: str, url: str, loaded: Loaded) -> SourceReport:
        status = "partial" if loaded.incomplete else "full"
        known = self.visits.get(url, [])
        same = [number for number, date, snapshot in known if (date, snapshot) == (self.date, loaded.snapshot)]
        number = same[0] if same else 1 + max((visit for visit, _, _ in known), default=0)
        objects = len(loaded.rows)
        # rows of an unchanged visit too: should an earlier ingest have been killed, this completes it
        self.pending.update(loaded.rows)
        if not same:
            self.pending.visit(
                origin=url,
                visit=number,
                date=self.date,
                visit_type=loaded.visit_type,
                snapshot=loaded.snapshot,
                status=status,
            )
        status = "unchanged" if same else status
        return SourceReport(given, url, loaded.visit_type, status, loaded.snapshot, number, objects, loaded.notes)


def _known_visits(writer: ArchiveWriter) -> dict[str, list[tuple[int, int, str | None]]]:
    """(visit, final date in microseconds, snapshot) of every visit in the archive, by origin."""
    store = LocalStore.at(str(writer.out))
    columns = ["origin", "visit", "date", "snapshot", "status"]
    files = [info for info in store.list(f"graph/{writer.export}/orc/origin_visit_status") if info.key.endswith(".orc")]
    table = orc.read_table(store, files, table="origin_visit_status", columns=columns)
    table = table.set_column(2, "date", table["date"].cast(pa.int64()))
    found: dict[str, list[tuple[int, int, str | None]]] = {}
    for row in table.to_pylist():
        found.setdefault(row["origin"], []).append((row["visit"], row["date"], row["snapshot"]))
    return found


def _checked_source(source: str | Path, out: Path) -> Path:
    path = Path(source)
    if not path.exists():
        raise UsageError(f"there is no {path}", hint="check the path")
    if path.is_dir():
        if out.resolve().is_relative_to(path.resolve()):
            raise UsageError(f"the archive {out} lies inside its source {path}", hint="choose an --out elsewhere")
    elif not is_packed(path):
        raise UsageError(
            f"cannot ingest the file {path}",
            hint=f"expected a folder, a git repository, or {', '.join(PACKED_SUFFIXES)}",
        )
    return path


def _default_export(out: Path, visit_date: dt.datetime) -> str:
    if out.is_dir():
        present = exports(LocalStore.at(str(out)))
        if present:
            return present[-1]
    return visit_date.astimezone(dt.UTC).date().isoformat()
