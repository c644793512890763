"""Progress on stderr: one live line a stage on a terminal, plain lines otherwise, silence when asked."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from collections.abc import Iterator
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress

from foundation import clock

SECONDS_BETWEEN_LINES = 30.0
SECONDS_BEFORE_FIRST_LINE = 2.0


@dataclasses.dataclass
class Line:
    """The progress of one stage; `advance` is called once a finished task."""

    label: str
    total: int
    done: int = 0
    reused: int = 0

    def advance(self, *, reused: bool) -> None:
        """One more task is finished."""
        self.done += 1
        self.reused += reused


@dataclasses.dataclass
class _PlainLine(Line):
    stream: TextIO = sys.stderr
    last: float = dataclasses.field(default_factory=clock.monotonic)
    wait: float = SECONDS_BEFORE_FIRST_LINE

    def advance(self, *, reused: bool) -> None:
        super().advance(reused=reused)
        if clock.monotonic() - self.last >= self.wait and self.done < self.total:
            self.last, self.wait = clock.monotonic(), SECONDS_BETWEEN_LINES
            print(f"{self.label}: {self.done}/{self.total}", file=self.stream, flush=True)


@dataclasses.dataclass
class _LiveLine(Line):
    bar: RichProgress | None = None
    handle: int = 0

    def advance(self, *, reused: bool) -> None:
        super().advance(reused=reused)
        if self.bar is not None:
            self.bar.update(self.handle, completed=self.done)  # type: ignore[arg-type]


@dataclasses.dataclass
class Progress:
    """Where progress goes: `quiet` says nothing, `live` draws on a terminal, else plain lines to `stream`."""

    quiet: bool = False
    live: bool = dataclasses.field(default_factory=sys.stderr.isatty)
    stream: TextIO = dataclasses.field(default_factory=lambda: sys.stderr)

    @contextlib.contextmanager
    def stage(self, label: str, total: int) -> Iterator[Line]:
        """The line of one stage of `total` tasks; ends with a summary line when it took a while or re-used work."""
        began = clock.monotonic()
        if self.quiet:
            yield Line(label, total)
            return
        if self.live:
            with self._live(label, total) as line:
                yield line
        else:
            line = _PlainLine(label, total, stream=self.stream)
            yield line
        seconds = clock.monotonic() - began
        if seconds >= SECONDS_BEFORE_FIRST_LINE and not self.live:
            kept = f", {line.reused} re-used" if line.reused else ""
            print(f"{label}: {line.done} done{kept}, {seconds:.1f} s", file=self.stream, flush=True)

    @contextlib.contextmanager
    def _live(self, label: str, total: int) -> Iterator[Line]:
        console = Console(file=self.stream)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with RichProgress(*columns, console=console, transient=True) as bar:
            handle = bar.add_task(label, total=total)
            yield _LiveLine(label, total, bar=bar, handle=int(handle))
