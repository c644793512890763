"""What the catalog reads and what it never lets in: settings, policy version, reason codes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import pydantic

NAME = "catalog"
VERSION = "2"

REASONS: Mapping[str, str] = MappingProxyType(
    {
        "no_full_visit": "the origin has no full visit (with a snapshot) on or before the as-of date",
        "not_selected": "the recipe's origin patterns, visit types or star minimum leave the repository out",
        "no_head": "the snapshot has no branch that HEAD, the default branch or a fallback leads to",
        "head_unresolved": "HEAD leads to an object that the archive does not hold, or round in a circle",
        "origin_secret": "the origin's URL holds a password or token; the repository is listed without it",
        "missing_directory": "a directory of the tree is not in the archive",
        "too_deep": "the path has more folders than the recipe allows",
        "submodule": "the entry is a submodule: its code belongs to another repository",
        "symlink": "the entry is a symbolic link: its bytes are a path, not code",
        "missing": "the archive's tables do not know the content",
        "skipped_content": "Software Heritage skipped the content (too large, or refused)",
        "hidden": "the archive marks the content as not visible",
        "too_large": "the content is longer than the recipe allows",
        "empty": "the content has no bytes",
        "path_rule": "the recipe leaves out this path or extension",
    }
)

_BINARY = (
    "7z a apk avi bin bmp bz2 class dat db dex dll dmg dylib eot exe flac gif gz ico icns iso jar jpeg jpg "
    "ko lib lz4 lzma m4a mkv mo mov mp3 mp4 mpeg npy npz o obj ogg otf parquet pdb pdf pickle pkl png psd "
    "pyc pyd pyo rar rlib so sqlite swf tar tgz tif tiff ttc ttf war wasm wav webm webp whl woff woff2 xls "
    "xlsx xz zip zst"
)
BINARY_EXTENSIONS = tuple(_BINARY.split(" "))


class Settings(pydantic.BaseModel):
    """Which repositories and paths a build looks at (globs: `*` within, `**` across folders)."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    include_origins: tuple[str, ...] = ("**",)  # globs on origin URLs; one must match
    exclude_origins: tuple[str, ...] = ()  # globs on origin URLs; none may match
    visit_types: tuple[str, ...] = ()  # empty: all
    minimum_stars: int = pydantic.Field(default=0, ge=0)  # by the repository metadata
    allow_partial_visits: bool = False  # read origins that have no full visit
    max_bytes: int = pydantic.Field(default=1_000_000, gt=0)  # longest content that is read
    max_depth: int = pydantic.Field(default=64, gt=0, le=1000)  # folders above a file
    exclude_paths: tuple[str, ...] = ()  # globs on paths that are left out
    exclude_extensions: tuple[str, ...] = BINARY_EXTENSIONS  # in lower case, without the dot
    max_problem_fraction: float = pydantic.Field(default=0.01, ge=0, le=1)  # missing or damaged contents borne
