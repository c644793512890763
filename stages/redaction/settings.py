"""What is redacted, how eagerly, and what stands in its place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

import pydantic

NAME = "redaction"
VERSION = "2"

# Redaction drops no content, so it has no reason codes.
REASONS: Mapping[str, str] = MappingProxyType({})

Kind = Literal["EMAIL", "KEY", "PASSWORD", "IP_ADDRESS", "PHONE", "CREDIT_CARD", "IBAN", "MAC_ADDRESS"]
Sensitivity = Literal["low", "medium", "high"]
AddressClass = Literal["private", "loopback", "link_local", "documentation", "multicast", "reserved", "resolver"]

DEFAULT_KINDS: tuple[Kind, ...] = ("EMAIL", "KEY", "PASSWORD", "IP_ADDRESS", "PHONE", "CREDIT_CARD")

# StarCoder's tokens where it has one (arXiv:2305.06161 §4.3); ours in the same style elsewhere.
DEFAULT_PLACEHOLDERS: Mapping[Kind, str] = MappingProxyType(
    {
        "EMAIL": "<EMAIL>",
        "KEY": "<KEY>",
        "PASSWORD": "<PASSWORD>",
        "IP_ADDRESS": "<IP_ADDRESS>",
        "PHONE": "<PHONE>",
        "CREDIT_CARD": "<CREDIT_CARD>",
        "IBAN": "<IBAN>",
        "MAC_ADDRESS": "<MAC_ADDRESS>",
    }
)

_PLACEHOLDER = re.compile(r"<[A-Z][A-Z0-9_]{0,38}>")


def _complete(placeholders: dict[Kind, str]) -> dict[Kind, str]:
    """Defaults where none is given; refuses a shape that a detector could mistake for a value."""
    for kind, text in placeholders.items():
        if not _PLACEHOLDER.fullmatch(text):
            raise ValueError(f"placeholder of {kind} must look like <WORD> (capitals, digits, _), got {text!r}")
    return {**DEFAULT_PLACEHOLDERS, **placeholders}


class Settings(pydantic.BaseModel):
    """The redaction policy of a build.

    `kinds` lists what is looked for. `sensitivity`: `low` redacts only values whose own shape proves them
    (provider tokens, key blocks, checksummed numbers); `medium` adds values whose context names them
    (password = …); `high` adds bare high-entropy strings, obfuscated e-mail addresses and decoy-like values.
    `keep_addresses` are the classes of IP address that name nobody. `phone_regions` are the regions whose
    national formats are tried beside a telephone word. `kingfisher` adds the kingfisher-secret-scanner rules.
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    kinds: tuple[Kind, ...] = DEFAULT_KINDS
    sensitivity: Sensitivity = "medium"
    placeholders: Annotated[dict[Kind, str], pydantic.AfterValidator(_complete)] = pydantic.Field(
        default_factory=dict,
        validate_default=True,  # what stands in for each kind; given ones replace defaults
    )
    keep_addresses: tuple[AddressClass, ...] = (
        "private",
        "loopback",
        "link_local",
        "documentation",
        "multicast",
        "reserved",
        "resolver",
    )
    phone_regions: tuple[Annotated[str, pydantic.Field(pattern=r"^[A-Z]{2}$")], ...] = ("US", "GB", "DE", "FR")
    kingfisher: bool = True

    @property
    def level(self) -> int:
        """The sensitivity as a number: 0 low, 1 medium, 2 high."""
        return ("low", "medium", "high").index(self.sensitivity)
