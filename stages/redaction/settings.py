"""What is redacted, how eagerly, and what stands in its place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self

import pydantic

NAME = "redaction"
VERSION = "2"

# Redaction drops no content, so it has no reason codes.
REASONS: Mapping[str, str] = MappingProxyType({})

Kind = Literal["EMAIL", "KEY", "PASSWORD", "IP_ADDRESS", "PHONE", "CREDIT_CARD", "IBAN", "MAC_ADDRESS", "NAME"]
Sensitivity = Literal["low", "medium", "high"]
IpStyle = Literal["placeholder", "documentation"]
AddressClass = Literal["private", "loopback", "link_local", "documentation", "multicast", "reserved", "resolver"]

DEFAULT_KINDS: tuple[Kind, ...] = ("EMAIL", "KEY", "PASSWORD", "IP_ADDRESS", "PHONE", "CREDIT_CARD")

# RFC 2606 §2-3, RFC 6761 §6, RFC 6762 §3; example.edu is held by the same registry for the same end.
RESERVED_DOMAINS = (
    "example.com",
    "example.net",
    "example.org",
    "example.edu",
    "example",
    "invalid",
    "test",
    "localhost",
    "localdomain",
    "local",
)

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
        "NAME": "<NAME>",
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
    At `high`, `kinds` has NAME too (people in author tags and commit trailers) where a recipe does not list kinds.
    `keep_addresses` are the classes of IP address that name nobody, `keep_domains` the domains of e-mail addresses
    (they and all below them) that name nobody. `phone_regions` are the regions whose
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
    keep_domains: tuple[Annotated[str, pydantic.Field(pattern=r"^[^\s@.A-Z][^\s@A-Z]{0,252}$")], ...] = RESERVED_DOMAINS
    number: bool = False  # equal values of a file get equal placeholders, others others: <EMAIL_1>, <EMAIL_2>
    ip_style: IpStyle = "placeholder"  # or addresses of RFC 5737 and RFC 3849 in the place of IP addresses
    phone_regions: tuple[Annotated[str, pydantic.Field(pattern=r"^[A-Z]{2}$")], ...] = ("US", "GB", "DE", "FR")
    kingfisher: bool = True

    @pydantic.model_validator(mode="after")
    def check_kept_addresses(self) -> Self:
        """Documentation addresses stay when they are what is put in."""
        if self.ip_style == "documentation" and "documentation" not in self.keep_addresses:
            raise ValueError(
                "ip_style = documentation puts documentation addresses in, so keep_addresses must hold documentation"
            )
        return self

    @pydantic.model_validator(mode="before")
    @classmethod
    def _names_at_high(cls, given: Any) -> Any:
        """NAME among the kinds that are looked for by default, if the sensitivity is high."""
        if isinstance(given, Mapping) and given.get("sensitivity") == "high" and "kinds" not in given:
            return {**given, "kinds": (*DEFAULT_KINDS, "NAME")}
        return given

    @property
    def level(self) -> int:
        """The sensitivity as a number: 0 low, 1 medium, 2 high."""
        return ("low", "medium", "high").index(self.sensitivity)
