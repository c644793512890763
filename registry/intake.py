"""Recording a submission: once for each open selector and requester, received and held in one transaction."""

from __future__ import annotations

import dataclasses
import secrets
from typing import cast

import sqlalchemy as sa

from foundation.canonical import fingerprint
from foundation.clock import timestamp
from foundation.errors import UsageError
from foundation.exclusions import Selector
from registry import lifecycle, log, rows, schema
from registry.selectors import understood

MAX_REQUESTER = 320  # characters; the longest e-mail address (64 + 1 + 255, RFC 5321 §4.5.3.1)
MAX_NOTE = 10_000
NO_RECEIPT = "(issued when recorded)"


@dataclasses.dataclass(frozen=True)
class Submission:
    """What became of a submission; `created` is false when the same request was open already.

    `receipt` is a bearer secret: whoever holds it can follow and withdraw the request. An intake open to
    strangers shows it only when `created`, because a repeat proves nothing about who repeats.
    """

    receipt: str
    request: int
    state: lifecycle.State
    sequence: int
    understood: str
    created: bool


@dataclasses.dataclass(frozen=True)
class Wish:
    """A submission before it is recorded; UsageError for text that the store could not hold as it is."""

    selector: Selector
    requester: str
    note: str
    hold: bool

    def __post_init__(self) -> None:
        check_private(self.requester, "requester", MAX_REQUESTER)
        check_private(self.note, "note", MAX_NOTE)

    @property
    def fingerprint(self) -> str:
        """Equal for submissions that ask the same for the same requester."""
        return fingerprint({"selector": self.selector.model_dump(mode="json"), "requester": self.requester})


def preview(wish: Wish) -> Submission:
    """What `record` would answer in an empty registry."""
    state, sequence = ("held", 2) if wish.hold else ("received", 1)
    return Submission(
        receipt=NO_RECEIPT,
        request=1,
        state=cast(lifecycle.State, state),
        sequence=sequence,
        understood=understood(wish.selector),
        created=True,
    )


def record(connection: sa.Connection, wish: Wish, *, dry_run: bool) -> Submission:
    """Record `wish`, or find its open twin; the caller holds the write lock, and rolls back on a dry run."""
    return _open_twin(connection, wish) or _new_request(connection, wish, dry_run=dry_run)


def _new_request(connection: sa.Connection, wish: Wish, *, dry_run: bool) -> Submission:
    number = 1 + (connection.execute(sa.select(sa.func.max(schema.requests.c.id))).scalar() or 0)
    receipt, salt, at = secrets.token_hex(24), secrets.token_hex(32), timestamp()
    connection.execute(
        schema.requests.insert().values(
            id=number,
            receipt=receipt,
            salt=salt,
            fingerprint=wish.fingerprint,
            requester=wish.requester or None,
            note=wish.note or None,
        )
    )
    rows.insert_selector(connection, number, wish.selector)
    change = log.Change(request=number, before=None, after="received", reason="submitted", actor="requester", at=at)
    entry = log.append(connection, change, salt=salt, selector=wish.selector.model_dump(mode="json"))
    if wish.hold:
        held = log.Change(request=number, before="received", after="held", reason="on_receipt", actor="intake", at=at)
        change, entry = held, log.append(connection, held, salt=salt, selector=None)
    return Submission(
        receipt=NO_RECEIPT if dry_run else receipt,
        request=number,
        state=change.after,
        sequence=entry.sequence,
        understood=understood(wish.selector),
        created=True,
    )


def _open_twin(connection: sa.Connection, wish: Wish) -> Submission | None:
    """The open request that equals `wish`, if there is one."""
    query = sa.select(schema.requests.c.id, schema.requests.c.receipt).where(
        schema.requests.c.fingerprint == wish.fingerprint
    )
    for number, receipt in connection.execute(query.order_by(schema.requests.c.id)).all():
        mine = schema.transitions.c.request_id == number
        sequence = connection.execute(sa.select(sa.func.max(schema.transitions.c.sequence)).where(mine)).scalar_one()
        last = rows.last_change(connection, number)
        if last and last.after in lifecycle.OPEN:
            return Submission(
                receipt=receipt,
                request=number,
                state=last.after,
                sequence=sequence,
                understood=understood(wish.selector),
                created=False,
            )
    return None


def salt_of(connection: sa.Connection, request: int) -> str:
    """The salt (hex) of a request's commitments."""
    query = sa.select(schema.requests.c.salt).where(schema.requests.c.id == request)
    return str(connection.execute(query).scalar_one())


def check_private(text: str, what: str, limit: int) -> None:
    """UsageError for text that a database cannot hold as it is, or that is too long; content is nobody's business."""
    if len(text) > limit:
        raise UsageError(f"{what} has {len(text)} characters, at most {limit} are allowed")
    if "\x00" in text or (not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text)):
        raise UsageError(f"{what} holds a NUL or a broken character", hint="type it instead of pasting")
