"""Licence texts for tests, from the licence database that the environment has installed."""

from __future__ import annotations

import functools
import importlib.resources


@functools.cache
def licence_text(key: str) -> str:
    """The text of ScanCode's licence `key`, without its front matter."""
    whole = importlib.resources.files("licensedcode").joinpath("data", "licenses", f"{key}.LICENSE").read_text("utf-8")
    return whole.split("---", 2)[2].strip()


GPL_HEADER = """This program is free software: you can redistribute it and/or modify
it under the terms of the GNU General Public License as published by
the Free Software Foundation, either version 3 of the License, or
(at your option) any later version.

This program is distributed in the hope that it will be useful,
but WITHOUT ANY WARRANTY; without even the implied warranty of
MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE. See the
GNU General Public License for more details."""
