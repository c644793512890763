"""Between the tables' rows and the registry's nouns."""

from __future__ import annotations

import dataclasses
import json

import sqlalchemy as sa

from foundation.canonical import Json, canonical_json
from foundation.errors import IntegrityError
from foundation.exclusions import Exclusion, Selector
from registry import schema
from registry.lifecycle import EXCLUDING, State
from registry.log import Change

_LISTS = ("names", "purposes")


@dataclasses.dataclass(frozen=True)
class Request:
    """A request and where it stands: `sequence` and `at` are those of its last transition, `received` of its first."""

    id: int
    state: State
    reason: str
    selector: Selector
    sequence: int
    received: str
    at: str
    effective_sequence: int | None = None

    @property
    def excludes(self) -> bool:
        """Whether builds leave out what it names."""
        return self.state in EXCLUDING

    def exclusion(self) -> Exclusion:
        """The exclusion this request makes; only for one that `excludes`."""
        return Exclusion.model_validate(
            {
                **self.selector.model_dump(),
                "id": f"optout-{self.id}",
                "state": self.state,
                "effective_sequence": self.effective_sequence,
                "cutoff": None if self.selector.include_future else self.received,
            }
        )


def insert_selector(connection: sa.Connection, request: int, selector: Selector) -> None:
    """Store the selector of a request."""
    fields = selector.model_dump(mode="json")
    lists = {name: canonical_json(fields[name]).decode() for name in _LISTS}
    connection.execute(schema.selectors.insert().values(request_id=request, position=1, **(fields | lists)))


def selector_documents(connection: sa.Connection) -> dict[int, Json]:
    """Each request's selector as the JSON its commitment was made over; damaged lists are left as text."""
    found: dict[int, Json] = {}
    for row in connection.execute(sa.select(schema.selectors)).mappings():
        fields = {name: row[name] for name in Selector.model_fields}
        for name in _LISTS:
            try:
                fields[name] = json.loads(fields[name])
            except (ValueError, TypeError):
                fields[name] = str(fields[name])
        found[row["request_id"]] = fields
    return found


def requests_at(connection: sa.Connection, sequence: int, documents: dict[int, Json]) -> list[Request]:
    """Every request as it stood at `sequence`, by id."""
    chosen = schema.transitions.c.sequence <= sequence
    rows = connection.execute(sa.select(schema.transitions).where(chosen).order_by(schema.transitions.c.sequence))
    found: dict[int, Request] = {}
    for row in rows:
        earlier = found.get(row.request_id)
        found[row.request_id] = Request(
            id=row.request_id,
            state=row.after,
            reason=row.reason,
            selector=earlier.selector if earlier else _selector(row.request_id, documents),
            sequence=row.sequence,
            received=earlier.received if earlier else row.at,
            at=row.at,
            effective_sequence=row.sequence if row.after == "effective" else None,
        )
    return [found[number] for number in sorted(found)]


def last_change(connection: sa.Connection, request: int) -> Change | None:
    """The request's last transition, or None if there is no such request."""
    mine = schema.transitions.c.request_id == request
    query = sa.select(schema.transitions).where(mine).order_by(schema.transitions.c.sequence.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return Change(request=request, before=row.before, after=row.after, reason=row.reason, actor=row.actor, at=row.at)


def _selector(request: int, documents: dict[int, Json]) -> Selector:
    try:
        return Selector.model_validate_json(canonical_json(documents[request]))
    except (KeyError, ValueError) as error:
        raise IntegrityError(
            f"request {request}: its selector is missing or damaged", hint="run `gristmill optout verify`"
        ) from error
