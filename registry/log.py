"""The append-only hash-chained log, and its verification.

    hash(n) = SHA-256(canonical JSON of {"sequence": n, "previous": hash(n-1), "event": event}), hash(0) = 64 zeros

An event is {request, before, after, reason, at, commitment}. `commitment` is HMAC-SHA256 under the
request's random salt over the private part: the selector (on receipt) and the actor. So the log can be
shown to anyone: names, being guessable, could be tested against plain hashes but not against these; a
holder of the salt can prove what was asked; erasing the salt unlinks the entry for good.
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import json

import sqlalchemy as sa

from foundation.canonical import Json, canonical_json, fingerprint
from foundation.errors import IntegrityError
from foundation.exclusions import NO_HASH
from registry import lifecycle, schema


@dataclasses.dataclass(frozen=True)
class Head:
    """A point of the log: its sequence and hash (hex); (0, 64 zeros) before the first entry."""

    sequence: int = 0
    hash: str = NO_HASH


@dataclasses.dataclass(frozen=True)
class Change:
    """One transition of a request, as its `transitions` row says."""

    request: int
    before: lifecycle.State | None
    after: lifecycle.State
    reason: str
    actor: str
    at: str


def head(connection: sa.Connection) -> Head:
    """The last entry of the log."""
    last = sa.select(schema.log.c.sequence, schema.log.c.hash).order_by(schema.log.c.sequence.desc()).limit(1)
    row = connection.execute(last).one_or_none()
    return Head(row.sequence, row.hash) if row else Head()


def append(connection: sa.Connection, change: Change, *, salt: str, selector: Json) -> Head:
    """Record `change` in log and transitions; the caller holds the write lock.

    `selector` is the selector's JSON on receipt, else None.
    """
    last = head(connection)
    event = canonical_json(_event(change, salt=salt, selector=selector))
    entry = Head(last.sequence + 1, chain(last.sequence + 1, last.hash, json.loads(event)))
    connection.execute(
        schema.log.insert().values(sequence=entry.sequence, previous=last.hash, event=event.decode(), hash=entry.hash)
    )
    connection.execute(
        schema.transitions.insert().values(
            sequence=entry.sequence,
            request_id=change.request,
            before=change.before,
            after=change.after,
            reason=change.reason,
            actor=change.actor,
            at=change.at,
        )
    )
    return entry


def chain(sequence: int, previous: str, event: Json) -> str:
    """Hash (hex) of a log entry."""
    return fingerprint({"sequence": sequence, "previous": previous, "event": event})


def _event(change: Change, *, salt: str, selector: Json) -> dict[str, Json]:
    private = {"actor": change.actor, "selector": selector}
    commitment = hmac.new(bytes.fromhex(salt), canonical_json(private), hashlib.sha256).hexdigest()
    return {
        "request": change.request,
        "before": change.before,
        "after": change.after,
        "reason": change.reason,
        "at": change.at,
        "commitment": commitment,
    }


def verify(connection: sa.Connection, *, selectors: dict[int, Json], expected: Head | None = None) -> Head:
    """Check every entry and everything it commits to; the log's head.

    Raises IntegrityError naming the first sequence at which the chain, a transition, a selector, a salt or
    an actor is not what was recorded, or at which `expected` (a head noted earlier) is not in the log.
    """
    salts = {row.id: row.salt for row in connection.execute(sa.select(schema.requests.c.id, schema.requests.c.salt))}
    columns = (schema.log, schema.transitions)
    joined = sa.outerjoin(schema.log, schema.transitions, schema.log.c.sequence == schema.transitions.c.sequence)
    rows = connection.execute(
        sa.select(*columns)
        .select_from(joined)
        .order_by(schema.log.c.sequence)
        .set_label_style(sa.LABEL_STYLE_TABLENAME_PLUS_COL)
    )
    last, states = Head(), dict[int, lifecycle.State]()
    for row in rows:
        sequence = last.sequence + 1
        problem = _entry_problem(row, last) or _change_problem(row, states, salts=salts, selectors=selectors)
        if problem:
            raise _broken(sequence, problem)
        states[row.transitions_request_id] = row.transitions_after
        last = Head(sequence, row.log_hash)
        if expected and expected.sequence == sequence and expected.hash != last.hash:
            raise _broken(sequence, f"hash is {last.hash}, but {expected.hash} was noted earlier")
    _check_ends(connection, last, expected, unlogged=sorted(set(salts) - set(states)))
    return last


def _entry_problem(row: sa.Row[tuple[object, ...]], last: Head) -> str:
    """What is wrong with the chain at `row`, or an empty string."""
    if row.log_sequence != last.sequence + 1:
        return "entry is missing"
    if row.log_previous != last.hash:
        return "previous hash differs from the hash of the entry before"
    try:
        event = json.loads(row.log_event)
        if canonical_json(event).decode() != row.log_event:
            return "event is not canonical JSON"
    except (ValueError, RecursionError):
        return "event is not JSON"
    return "" if chain(row.log_sequence, row.log_previous, event) == row.log_hash else "hash does not match the event"


def _change_problem(
    row: sa.Row[tuple[object, ...]],
    states: dict[int, lifecycle.State],
    *,
    salts: dict[int, str],
    selectors: dict[int, Json],
) -> str:
    """What is wrong between the event at `row` and the tables it speaks of, or an empty string."""
    if row.transitions_sequence is None:
        return "transition is missing"
    request = row.transitions_request_id
    if request not in salts or request not in selectors:
        return f"request {request} or its selector is missing"
    if (
        states.get(request) != row.transitions_before
        or row.transitions_after not in lifecycle.TRANSITIONS[states.get(request)]
    ):
        return f"request {request} could not go from {states.get(request)} to {row.transitions_after}"
    change = Change(
        request=request,
        before=row.transitions_before,
        after=row.transitions_after,
        reason=row.transitions_reason,
        actor=row.transitions_actor,
        at=row.transitions_at,
    )
    selector = selectors[request] if change.before is None else None
    found, event = _event(change, salt=salts[request], selector=selector), json.loads(row.log_event)
    if not isinstance(event, dict) or set(event) != set(found):
        return "event has other fields than the log's"
    differing = sorted(key for key in found if event[key] != found[key])
    return f"{', '.join(differing)} differs from what was recorded for request {request}" if differing else ""


def _check_ends(connection: sa.Connection, last: Head, expected: Head | None, *, unlogged: list[int]) -> None:
    """What the walk over the log cannot see: entries cut off at its end, requests without any."""
    count, beyond = connection.execute(
        sa.select(sa.func.count(), sa.func.max(schema.transitions.c.sequence)).select_from(schema.transitions)
    ).one()
    if max(beyond or 0, expected.sequence if expected else 0) > last.sequence or count > last.sequence:
        raise _broken(last.sequence + 1, "entry is missing")
    if unlogged:
        raise _broken(last.sequence + 1, f"request {unlogged[0]} has no entry")


def _broken(sequence: int, problem: str) -> IntegrityError:
    return IntegrityError(
        f"log entry {sequence}: {problem}", hint="the registry was changed by other means; restore it from a backup"
    )
