"""What may happen to a request.

    received ──► held ──► effective
       │  │       │  │       │  │
       │  └───────┼──┴► refused◄┘      (reason code)
       └──────────┴────► withdrawn ◄── effective

A request excludes while it is held or effective: from the moment of receipt, before anyone has looked
at it. Refused and withdrawn are final; who changes their mind submits again.
"""

from __future__ import annotations

from typing import Final, Literal

from foundation.errors import ConflictError, UsageError

State = Literal["received", "held", "effective", "refused", "withdrawn"]

STATES: Final[tuple[State, ...]] = ("received", "held", "effective", "refused", "withdrawn")
EXCLUDING: Final[tuple[State, ...]] = ("held", "effective")
OPEN: Final[tuple[State, ...]] = ("received", "held", "effective")
TRANSITIONS: Final[dict[State | None, tuple[State, ...]]] = {
    None: ("received",),
    "received": ("held", "refused", "withdrawn"),
    "held": ("effective", "refused", "withdrawn"),
    "effective": ("refused", "withdrawn"),
    "refused": (),
    "withdrawn": (),
}
# Codes, never free text: they are in the log, which others may read. Refusals as in B2 "Appeals" of the style notes.
REASON_CODES: Final[dict[State, tuple[str, ...]]] = {
    "received": ("submitted",),
    "held": ("on_receipt", "after_review"),
    "effective": ("verified", "honoured"),
    "refused": ("not_owner", "not_found", "shared_content", "duplicate", "abuse"),
    "withdrawn": ("by_requester",),
}


def require_allowed(request: int, before: State | None, after: State) -> None:
    """ConflictError naming the request unless it may go from `before` to `after`."""
    if after not in TRANSITIONS[before]:
        allowed = ", ".join(TRANSITIONS[before]) or "nothing, this state is final"
        raise ConflictError(
            f"request {request} is {before}: it cannot become {after}", hint=f"allowed from {before}: {allowed}"
        )


def require_reason(state: State, reason: str) -> None:
    """UsageError unless `reason` is one of the codes of `state`."""
    if reason not in REASON_CODES[state]:
        raise UsageError(f"{reason!r} is no reason code for {state}", hint=f"one of {', '.join(REASON_CODES[state])}")
