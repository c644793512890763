"""One spelling for the many addresses of a repository: `host/path`, lower case.

An *origin key* is what two addresses of the same repository have in common: no scheme, user, `www.`,
default port, fragment, doubled or trailing slash or `.git`. Names compare without case on every host:
nearly all forges do so, and where one does not, an opt-out covers a namesake too rather than missing
the repository it meant. All functions are linear in their input (polars' regular expressions are).
"""

from __future__ import annotations

import re

import polars as pl

_SCP = r"^(?:[^/@:]+@)?([^/@:]+):([^0-9/].*)$"  # git@host:path
_SCHEME = r"^(?:[a-z][a-z0-9+.-]*://)+"
_USER = r"^[^/]*@"
_WWW = r"^(?:www\.)+"
_DEFAULT_PORT = r"^([^/:]+):(?:22|80|443|9418)(/|$)"  # ssh, http, https, git
_ROOT_DOT = r"^([^/]*[^/.])\.+(/|$)"  # fully qualified host, `github.com.`
_TAIL = r"(?:\.git|/)+$"


def origin_keys(addresses: pl.Expr) -> pl.Expr:
    """The origin key of each address (String → String, nulls kept): `https://GitHub.com/A/b.git` → `github.com/a/b`."""
    lower = addresses.str.strip_chars().str.to_lowercase()
    host_first = (
        pl.when(lower.str.contains("://", literal=True)).then(lower).otherwise(lower.str.replace(_SCP, "${1}/${2}"))
    )
    return (
        host_first.str.replace(_SCHEME, "")
        .str.replace(r"#.*$", "")
        .str.replace(_USER, "")
        .str.replace(_WWW, "")
        .str.replace(_DEFAULT_PORT, "${1}${2}")
        .str.replace(_ROOT_DOT, "${1}${2}")
        .str.replace_all("%7e", "~", literal=True)
        .str.replace_all(r"/{2,}", "/")
        .str.replace(_TAIL, "")
    )


def name_keys(names: pl.Expr) -> pl.Expr:
    """The comparable form of full names without a host (`Owner/Repo.git/` → `owner/repo`), nulls kept."""
    return names.str.strip_chars().str.to_lowercase().str.strip_chars_start("/").str.replace(_TAIL, "")


def hosts(keys: pl.Expr) -> pl.Expr:
    """The host of each origin key."""
    return keys.str.extract(r"^([^/]*)", 1)


def origin_key(address: str) -> str:
    """`origin_keys` for one address."""
    return str(pl.select(origin_keys(pl.lit(address))).item())


def name_key(name: str) -> str:
    """`name_keys` for one name."""
    if name.isascii() and name.isprintable():  # what Python and polars read alike, thousands of times faster
        return re.sub(_TAIL, "", name.strip().lower().lstrip("/"))
    return str(pl.select(name_keys(pl.lit(name))).item())
