"""What can be ingested: git repositories, plain directories, and archives (tar, zip, wheel)."""

from archive.sources.directory import load_directory
from archive.sources.git import is_git, load_git
from archive.sources.packed import PACKED_SUFFIXES, Limits, is_packed, load_packed
from archive.sources.source import Loaded, Note, SourceError

__all__ = [
    "PACKED_SUFFIXES",
    "Limits",
    "Loaded",
    "Note",
    "SourceError",
    "is_git",
    "is_packed",
    "load_directory",
    "load_git",
    "load_packed",
]
