"""The registry's desk: submit, decide, withdraw, list, status, export, check, verify.

registry = open_registry("optout.db")            # or postgresql://user@host/database
done = registry.submit(parse_selector("owner", "landley"), requester="rob@example.org")
registry.decide(done.request, "effective", reason="verified", actor="alex")
exclusions = registry.export()
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import sqlalchemy as sa

from foundation.clock import timestamp
from foundation.errors import UsageError
from foundation.exclusions import EMPTY, Exclusion, ExclusionList, Selector
from registry import lifecycle, log, rows, schema
from registry.check import covering, make_question
from registry.intake import Submission, Wish, check_private, preview, record, salt_of
from registry.selectors import clip
from registry.store import Store

MAX_ACTOR = 100  # characters


@dataclasses.dataclass(frozen=True)
class Decided:
    """A transition that was made (or, on a dry run, would be)."""

    request: int
    before: lifecycle.State
    after: lifecycle.State
    reason: str
    sequence: int


class Registry:
    """The opt-out registry at one place; safe for use by many threads, one instance a process.

    Every method raises ConfigError if there is no registry, ConflictError if another process holds it
    for longer than its busy timeout, StorageError if its place cannot be read or written.
    """

    def __init__(self, location: str | Path) -> None:
        self._store = Store(location)

    def submit(
        self, selector: Selector, *, requester: str = "", note: str = "", hold: bool = True, dry_run: bool = False
    ) -> Submission:
        """Record a request to leave out `selector`; makes the registry if there is none.

        It is received and held in one transaction, and so excludes from now on; `hold=False` leaves it
        received. The same selector from the same requester, while open, gives the same receipt again.
        `requester` (a contact) and `note` are stored as they are and shown to nobody.
        """
        wish = Wish(selector=selector, requester=requester, note=note, hold=hold)
        if dry_run and not self._store.exists():
            return preview(wish)
        self._store.create()
        with self._store.writing(dry_run=dry_run) as connection:
            return record(connection, wish, dry_run=dry_run)

    def decide(self, request: int, state: str, *, reason: str, actor: str, dry_run: bool = False) -> Decided:
        """Move a request to held, effective or refused, with one of the state's reason codes.

        ConflictError if the lifecycle does not allow it, UsageError for an unknown request, state or code.
        """
        if state not in ("held", "effective", "refused"):
            raise UsageError(f"cannot decide {clip(state)!r}", hint="one of held, effective, refused")
        return self._move(request, cast(lifecycle.State, state), reason=reason, actor=actor, dry_run=dry_run)

    def withdraw(self, receipt: str, *, dry_run: bool = False) -> Decided:
        """Take a request back; only the holder of its receipt can. UsageError if no request has it."""
        request = self._by_receipt(receipt)
        return self._move(request, "withdrawn", reason="by_requester", actor="requester", dry_run=dry_run)

    def status(self, receipt: str) -> rows.Request:
        """Where the request with this receipt stands. UsageError if no request has it."""
        number = self._by_receipt(receipt)
        return next(request for request in self.list() if request.id == number)

    def list(self, *, state: str | None = None, kind: str | None = None) -> tuple[rows.Request, ...]:
        """All requests by id, or those in `state` and of `kind`; without receipts, requesters and notes."""
        if state not in (None, *lifecycle.STATES):
            raise UsageError(f"unknown state {clip(str(state))!r}", hint=f"one of {', '.join(lifecycle.STATES)}")
        with self._store.reading() as connection:
            last = log.head(connection)
            found = rows.requests_at(connection, last.sequence, rows.selector_documents(connection))
        return tuple(one for one in found if state in (None, one.state) and kind in (None, one.selector.kind))

    def export(self, sequence: int | None = None) -> ExclusionList:
        """The exclusions in force at `sequence` (default: now); the same sequence always gives the same list.

        The log is verified first: IntegrityError if it was tampered with. UsageError for a sequence to come.
        """
        with self._store.reading() as connection:
            documents = rows.selector_documents(connection)
            last = log.verify(connection, selectors=documents)
            wanted = last.sequence if sequence is None else sequence
            if not 0 <= wanted <= last.sequence:
                raise UsageError(f"no sequence {wanted}: the registry is at {last.sequence}")
            if wanted == 0:
                return EMPTY
            hash_of = sa.select(schema.log.c.hash).where(schema.log.c.sequence == wanted)
            log_head = connection.execute(hash_of).scalar_one()
            standing = rows.requests_at(connection, wanted, documents)
        entries = tuple(request.exclusion() for request in standing if request.excludes)
        return ExclusionList(sequence=wanted, log_head=log_head, entries=entries)

    def check(
        self,
        *,
        origin: str | None = None,
        path: bytes | str | None = None,
        swhid: str | None = None,
        names: Sequence[str] = (),
        owner_id: int | None = None,
        repository_id: int | None = None,
    ) -> tuple[Exclusion, ...]:
        """The exclusions that cover an origin (URL or `owner/name`), a path in it, or a content; empty if none.

        `names` are further full names the origin has or had; `swhid` is `swh:1:cnt:…`, qualifiers ignored.
        """
        question = make_question(
            origin=origin, path=path, swhid=swhid, names=names, owner_id=owner_id, repository_id=repository_id
        )
        return covering(question, self.export())

    def verify_log(self, *, expected: log.Head | None = None) -> log.Head:
        """Check the hash chain and all it commits to; the log's head.

        IntegrityError names the first sequence that is wrong. `expected` is a head noted earlier (from an
        exclusions file, say): only with one can a rewritten or shortened history be told from the true one.
        """
        with self._store.reading() as connection:
            return log.verify(connection, selectors=rows.selector_documents(connection), expected=expected)

    def close(self) -> None:
        """Close all connections."""
        self._store.close()

    def _move(self, request: int, state: lifecycle.State, *, reason: str, actor: str, dry_run: bool) -> Decided:
        lifecycle.require_reason(state, reason)
        if not actor:
            raise UsageError("who decides is missing", hint="give the actor")
        check_private(actor, "actor", MAX_ACTOR)
        with self._store.reading():  # a missing registry is not made here
            pass
        with self._store.writing(dry_run=dry_run) as connection:
            last = rows.last_change(connection, request) if 0 < request < 2**63 else None
            if last is None:
                raise UsageError(f"no request {request}", hint="`gristmill optout ls` shows them")
            lifecycle.require_allowed(request, last.after, state)
            change = log.Change(
                request=request, before=last.after, after=state, reason=reason, actor=actor, at=timestamp()
            )
            entry = log.append(connection, change, salt=salt_of(connection, request), selector=None)
        return Decided(request=request, before=last.after, after=state, reason=reason, sequence=entry.sequence)

    def _by_receipt(self, receipt: str) -> int:
        with self._store.reading() as connection:
            query = sa.select(schema.requests.c.id).where(schema.requests.c.receipt == receipt)
            found = (
                connection.execute(query).scalar_one_or_none() if receipt.isascii() and "\x00" not in receipt else None
            )
        if found is None:
            raise UsageError("no request has this receipt", hint="copy it whole, as `submit` printed it")
        return int(found)


def open_registry(location: str | Path) -> Registry:
    """The registry at a file path, `sqlite:///FILE` or `postgresql://…`; touches nothing until used."""
    return Registry(location)
