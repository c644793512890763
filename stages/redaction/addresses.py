"""IP addresses, versions 4 and 6, and MAC addresses (RFC 791, RFC 4291 §2.2; EUI-48/64).

An address is kept when its class is one of `Settings.keep_addresses` (IANA special-purpose registries, as
Python's `ipaddress` knows them, and the well-known public resolvers), and when its context says that it is
something else: version numbers, object identifiers, requirement pins, `a::b` of a programming language.
A span is the address with its zone, without port or prefix length.
"""

from __future__ import annotations

import functools
import ipaddress
import re
import socket
from collections.abc import Iterator

from stages.redaction.model import Finding, Rule, Window, without_placeholders, words

_QUAD = r"(?:\d{1,3}\.){3}\d{1,3}"
# Not part of a longer word or number; `a-b` only where both are addresses (a range).
_V4 = re.compile(
    rf"(?:(?<![\w.\-])|(?<=\.\d-)|(?<=\.\d\d-)|(?<=\.\d\d\d-)){_QUAD}(?!\w|\.\d|-(?!{_QUAD}(?![\w\-]|\.\d))\w)"
)
_V6 = re.compile(
    r"(?<![\w:.%\-])(?:[0-9A-Fa-f]{0,4}:){2,8}(?:(?:\d{1,3}\.){3}\d{1,3}|[0-9A-Fa-f]{0,4})(?:%[\w.\-]{1,32})?(?![\w:]|\.\d)"
)
_VERSION_BEFORE = re.compile(
    r"(?:(?:version|ver|release|revision|firmware|build|oid|object_?identifier|section|chapter|since|(?<![a-z])v|rev)\w{0,12}[\"'\])]{0,2}\s*[:=(\"',]{0,4}\s*|[=~!<>^]=\s*|\^|~)[\"']?$",
    re.I,
)
_NUMBER_BEFORE = re.compile(r"(?:^|[^\d.])\d*\.\d+[ ,]$")
_PORT_OR_PREFIX = re.compile(r":\d{1,5}\b|/\d{1,2}\b")
_CUE = re.compile(
    r"(?<![a-z])(?:ip|ipv4|ipv6|addr|address|host|inet6?|dns|server|peer|bind|gateway|subnet|route)", re.I
)
_RESOLVERS = frozenset(
    ipaddress.ip_address(text)
    for text in words(
        "8.8.8.8 8.8.4.4 1.1.1.1 1.0.0.1 9.9.9.9 149.112.112.112 208.67.222.222 208.67.220.220 4.2.2.1 4.2.2.2 "
        "4.2.2.3 4.2.2.4 64.6.64.6 64.6.65.6 77.88.8.8 77.88.8.1 94.140.14.14 94.140.15.15 114.114.114.114 223.5.5.5 "
        "223.6.6.6 2001:4860:4860::8888 2001:4860:4860::8844 2606:4700:4700::1111 2606:4700:4700::1001 2620:fe::fe "
        "2620:fe::9 2620:119:35::35 2620:119:53::53"
    )
)
# Multicast that stays on a link or site (IPv6 scopes 1-5, RFC 4291 §2.7; IPv4 local network control, RFC 5771 §4, and
# administratively scoped, RFC 2365) names nobody; wider groups can (GLOP and RFC 3306 ones hold their owner's number).
_NEAR_GROUPS = (
    *(ipaddress.ip_network(text) for text in ("224.0.0.0/23", "239.0.0.0/8")),
    *(ipaddress.ip_network(f"ff{flags:x}{scope:x}::/16") for flags in range(16) for scope in range(1, 6)),
)
_DOCUMENTATION = tuple(
    ipaddress.ip_network(text)
    for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20")
)
_MAC = re.compile(
    r"(?<![\w:.\-])(?:[0-9A-F]{2}([:-])(?:[0-9A-F]{2}\1){4}(?:[0-9A-F]{2}\1[0-9A-F]{2}\1)?[0-9A-F]{2}"
    r"|(?:[0-9A-F]{4}\.){2,3}[0-9A-F]{4})(?![\w:.\-])",
    re.I,
)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def find_addresses(window: Window) -> Iterator[Finding]:
    """IP addresses in `window` that the policy does not keep."""
    text = window.text
    if window.crowded:
        yield from _by_form(window)
        return
    cued = _CUE.search(without_placeholders(text)) is not None
    for match in _V4.finditer(text):
        address = parse(match[0])
        if (
            address
            and not _kept(address, window)
            and not _is_version(text, match.start())
            and _is_likely(text, match, cued=cued)
        ):
            yield window.finding(*match.span(), "IP_ADDRESS", "ipv4")
    for match in _V6.finditer(text):
        address = parse(match[0])
        if address and not _kept(address, window) and _is_spelled_out(text, match, cued=cued):
            yield window.finding(*match.span(), "IP_ADDRESS", "ipv6")


def _by_form(window: Window) -> Iterator[Finding]:
    """Every address of any class, whatever stands beside it."""
    for rule, pattern, family in (("ipv4", _V4, socket.AF_INET), ("ipv6", _V6, socket.AF_INET6)):
        for match in pattern.finditer(window.text):
            try:
                socket.inet_pton(family, match[0].partition("%")[0])
            except (OSError, ValueError):
                continue
            yield window.finding(*match.span(), "IP_ADDRESS", rule)


def find_macs(window: Window) -> Iterator[Finding]:
    """Hardware addresses, all-zero and broadcast ones left out."""
    for match in _MAC.finditer(window.text):
        digits = re.sub(r"\W", "", match[0]).lower()
        if len(set(digits)) > 2:
            yield window.finding(*match.span(), "MAC_ADDRESS", "mac")


@functools.lru_cache(maxsize=4096)
def address_class(address: Address) -> str:
    """`public`, or the class of `Settings.keep_addresses` that `address` belongs to."""
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped:
        return address_class(mapped)
    # IPv6 space that the IETF only holds in reserve (`1::`) is written by people all the same.
    ones = address.packed.count(255) == len(address.packed)
    reserved = address.is_unspecified or ones or (address.version == 4 and address.is_reserved)
    classes = (
        ("resolver", address in _RESOLVERS),
        ("documentation", any(address in network for network in _DOCUMENTATION)),
        ("loopback", address.is_loopback),
        ("link_local", address.is_link_local),
        ("reserved", reserved),
        ("multicast", address.is_multicast and any(address in network for network in _NEAR_GROUPS)),
        ("private", address.is_private),
    )
    return next((name for name, holds in classes if holds), "public")


@functools.lru_cache(maxsize=4096)
def parse(text: str) -> Address | None:
    """The address that `text` spells; four groups of three digits may have leading zeros, as logs write them."""
    if len(text) == 15 and text[3::4] == "..." and text.isascii():
        text = ".".join(str(int(group)) for group in text.split("."))
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _kept(address: Address, window: Window) -> bool:
    return address_class(address) in window.settings.keep_addresses


def _is_version(text: str, start: int) -> bool:
    return _VERSION_BEFORE.search(text[max(0, start - 40) : start]) is not None


def _is_spelled_out(text: str, match: re.Match[str], *, cued: bool) -> bool:
    """Whether a valid IPv6 address is one here, and not `a::b` of Haskell, C++, Rust or Perl."""
    bare = match[0].partition("%")[0]
    groups = [group for group in bare.split(":") if group]
    if len(groups) == 8 and all(len(group) == 2 for group in groups):
        return False  # eight pairs: a fingerprint or an EUI-64
    if not any(char.isdigit() for char in bare):  # else names
        around = text[match.start() - 1 : match.start()] + text[match.end() : match.end() + 1]
        alone = match[0].startswith("::") and match[0] == text.strip("\r\n")
        several = len(groups) >= 3 or match[0].startswith("::")
        return len(groups) >= 6 or alone or (several and cued and around in {'""', "''", "``"})
    if bare.endswith("::") and groups[0].isdigit() and len(groups) == 1 and not cued:
        return text[match.end() : match.end() + 1] == "/" or match[0] == text.strip(
            "\r\n"
        )  # else a number before the `::` of reStructuredText
    sliced = text[match.start() - 1 : match.start()] == "[" and text[: match.start() - 1][-2:] != "//"
    if len(groups) >= 3 or (any(len(group) == 4 for group in groups) and not sliced):
        return True
    if sliced:
        return False
    beside = text[: match.start()].rstrip(" \t")[-1:] + text[match.end() :].lstrip(" \t")[:1]
    return not beside.strip("\"'`<>\r\n%/") or cued


def _is_likely(text: str, match: re.Match[str], *, cued: bool) -> bool:
    """Whether four numbers are an address: one in forty addresses has no number above 99, most versions have none."""
    sizes = {len(group) for group in match[0].split(".")}
    if 3 in sizes:
        return True
    if _NUMBER_BEFORE.search(text, max(0, match.start() - 16), match.start()):
        return False  # a drawing's path, a table of decimals
    around = text[max(0, match.start() - 1) : match.start()] + text[match.end() : match.end() + 1]
    return (
        cued
        or (sizes == {2} and around in {'""', "''"})
        or text[: match.start()].endswith(("//", "@"))
        or _PORT_OR_PREFIX.match(text, match.end()) is not None
        or match[0] == text.strip("\r\n")
    )


IP_ADDRESSES = Rule(
    name="ip",
    kinds=("IP_ADDRESS",),
    triggers=(
        r"(?:^|[^0-9.])[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]",
        r"(?:^|[^0-9A-Za-z_:.%\-])(?:[0-9A-Fa-f]{1,4}:){2}",
        r"(?:^|[^0-9A-Za-z_:.%\-])[0-9A-Fa-f]{1,4}::",
        r"(?:^|[^0-9A-Za-z_:.%\-])::[0-9A-Fa-f]{1,4}(?:$|[^0-9A-Za-z_])",
    ),
    find=find_addresses,
)
MAC_ADDRESSES = Rule(
    name="mac",
    kinds=("MAC_ADDRESS",),
    triggers=(
        r"(?:[0-9A-Fa-f]{2}[:\-]){5}[0-9A-Fa-f]{2}",
        r"(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}",
    ),
    find=find_macs,
)
