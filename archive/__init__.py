"""Archives in Software Heritage's format: open, read, write from local sources, list, verify."""

from archive.ingest import IngestReport, SourceReport, add_metadata, ingest
from archive.listing import OriginRow, list_origins
from archive.reader import Archive, open_archive
from archive.verify import Damage, VerifyReport, verify

__all__ = [
    "Archive",
    "Damage",
    "IngestReport",
    "OriginRow",
    "SourceReport",
    "VerifyReport",
    "add_metadata",
    "ingest",
    "list_origins",
    "open_archive",
    "verify",
]
