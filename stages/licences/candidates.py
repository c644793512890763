"""Which paths may speak of licences, by name alone.

Output: one of `KINDS` or null for each path. The names are those that The Stack v2 scanned, without README,
ABOUT, NOTICE and guidelines as licence files, and never a name with a source-code extension
(`license.py`, `copying.c`, `mit-scheme.scm`). Cost: about 3 µs a path; memory a few bytes a path.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

KINDS = ("licence_file", "licenses_folder", "dot_license", "manifest", "readme")
"""`licence_file` a text that states its directory's licence; `licenses_folder` texts kept for reference (REUSE
`LICENSES/`, third-party collections); `dot_license` REUSE's sidecar of one file; `manifest` a package manifest,
REUSE.toml, DEP-5; `readme` a README at the top, or a web page there."""

_TEXT = r"txt|text|md|mkd|mdown|markdown|rst|rest|html?|adoc|asciidoc|org|textile|rdoc|pod|tex|rtf|license|licence"
_NAMED = (
    r"(?:[al]?gpl|lesser|lib|mit|bsd|apache|artistic|isc|mpl|epl|cpl|cddl|zlib|boost|bsl|cc0|psf|ofl|eupl|unlicense"
    r"|public-?domain|docs?|code|data|fonts?|en|fsf|gnu|perl|ruby|python|academic|creative-?commons|cc-by[a-z-]*)"
)
_END = rf"(?:\.(?:{_TEXT}))?$"
_STRONG = r"(?:un)?li[cs]en[cs]es?|li[cs]en[cs]ing|copy(?:left|right|rights|ing)"
_FAMILY = r"[al]?gpl|lgpl|bsdl?|mitx?|apache|artistic|eupl|gfdl|[cm]pl|cc0|legal|disclaimer|isc|zlib|wtfpl|ofl|psf"
_VERSION = r"(?:[-_. ]?v?\d+(?:[._-]\d+)*)?"
_THIRD = r"third|3rd|vendor|bundled|dependenc|attribution|other|external"

# RE2 over raw bytes, newlines allowed in names; (?i) folds ASCII letters.
_PATTERNS = {
    "manifest": (
        r"(?s)(?:^|/)(?:package\.json|bower\.json|pyproject\.toml|setup\.cfg|setup\.py|Cargo\.toml|composer\.json"
        r"|pom\.xml|DESCRIPTION|META\.json|META\.yml|Makefile\.PL|PKG-INFO|REUSE\.toml|\.reuse/dep5|debian/copyright"
        r"|[^/]+\.(?:dist-info|egg-info)/(?:METADATA|PKG-INFO)|[^/]+\.(?:gemspec|cabal|nuspec|podspec|rockspec|opam))$"
    ),
    "dot_license": r"(?s)[^/]\.license$",
    "installed": rf"(?is)(?:^|/)[^/]+\.(?:dist-info|egg-info)/(?:[^/]*/)*(?:[^/]*[-_. ])?(?:{_STRONG})[^/]*$",
    "licenses_folder": rf"(?is)(?:^|/)(?:LICEN[CS]ES?)/(?:[^/]+/)*[^/.][^/]*?(?:\.(?:{_TEXT})|-[^/]*|\.\d|/[^/.]+)?$",
    "third_party": rf"(?is)(?:^|/)[^/]*(?:{_THIRD})[^/]*(?:li[cs]en[cs]e|notice|copyright)[^/]*$"
    rf"|(?is)(?:^|/)li[cs]en[cs]es?[-_. ](?:{_THIRD})[^/]*$|(?is)\.(?:dist|egg)-info/(?:[^/]*/)*(?:{_THIRD})[^/]*/",
    "licence_file": (
        rf"(?is)(?:^|/)(?:[^/]*[-_. ])?(?:{_STRONG})[v-]?\d*"
        rf"(?:[-_. ](?:{_NAMED}|[a-z0-9+]*{_VERSION}))*?{_VERSION}{_END}"
        rf"|(?is)(?:^|/)(?:{_FAMILY}){_VERSION}(?:[-_. ](?:only|or-later|clause|license|licence|\d))*{_END}"
    ),
    "readme": rf"(?is)^(?:[^/]+/)?readme(?:[-_. ](?:en|us))?{_END}|(?is)^[^/.][^/]*\.html?$",
}
_SOURCE = (
    r"(?is)\.(?:py[iwx]?|c|h|cc|cpp|cxx|hh|hpp|m|mm|js|mjs|cjs|jsx|ts|tsx|vue|go|rs|java|kt|kts|scala|groovy|clj|cs|fs"
    r"|vb|rb|php|pl|pm|t|sh|bash|zsh|fish|ps1|bat|cmd|lua|r|jl|hs|lhs|ml|mli|ex|exs|erl|hrl|el|lisp|scm|ss|rkt|sql"
    r"|swift|dart|d|nim|zig|v|vhd|asm|s|f|f90|pas|adb|ads|cob|css|scss|less|sass|json|xml|ya?ml|toml|ini|cfg|conf|csv"
    r"|tsv|svg|png|jpe?g|gif|ico|bmp|webp|pdf|docx?|odt|zip|gz|bz2|xz|7z|tar|jar|class|so|dll|exe|o|a|bin|wasm|map|snap"
    r"|lock|patch|diff|po|pot|mo|qml|ui|vim|ipynb|in|am|ac|m4|cmake|mk|j2|jinja2?|tpl|tmpl|template|erb|hbs|mustache"
    r"|ejs|proto|graphql|tf|gradle|properties|plist|header|snippet)$"
)


def licence_kind(paths: pa.Array | pa.ChunkedArray) -> pa.Array:
    """The kind (string, one of `KINDS`) of each path (binary, no leading slash), null where the name says nothing."""
    flat = paths.combine_chunks() if isinstance(paths, pa.ChunkedArray) else paths
    flat = flat.cast(pa.binary())
    hit = {name: pc.match_substring_regex(flat, pattern) for name, pattern in _PATTERNS.items()}
    text = pc.invert(pc.match_substring_regex(flat, _SOURCE))
    licence = pc.and_(hit["licence_file"], text)
    third = pc.and_(hit["third_party"], text)
    collection = pc.and_(hit["licenses_folder"], text)
    conditions = pa.StructArray.from_arrays(
        [
            hit["manifest"],
            hit["dot_license"],
            third,
            pc.and_(hit["installed"], text),
            collection,
            licence,
            hit["readme"],
        ],
        names=["manifest", "dot_license", "third", "installed", "collection", "licence", "readme"],
    )
    chosen = ("manifest", "dot_license", "licenses_folder", "licence_file", "licenses_folder", "licence_file", "readme")
    return pc.case_when(conditions, *(pa.scalar(kind, pa.string()) for kind in chosen), pa.scalar(None, pa.string()))
