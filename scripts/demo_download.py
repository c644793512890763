"""Fetches the demo's packages with the ordinary clients, by pinned name and version, and checks each SHA-256.

A package is never built, installed or run: pip is asked for wheels alone, without dependencies, and npm
only to download. A file appears under its final name whole and checked, or not at all.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from foundation.canonical import sha256_file
from foundation.errors import ConfigError, IntegrityError, PartialFailure

PINS = Path(__file__).with_name("demo_packages.toml")

# The wheels of one fixed platform, so that every machine and every Python gets the same files.
_PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
_PIP = (
    *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--retries", "2"),
    *("--no-deps", "--only-binary", ":all:", "--require-hashes", "--implementation", "cp", "--python-version", "3.11"),
    *(argument for platform in _PLATFORMS for argument in ("--platform", platform)),
)
_NPM = ("npm", "pack", "--ignore-scripts", "--silent", "--fetch-retries", "2")


class Pin(BaseModel):
    """One package of the demo: exactly which file of which version, and its SHA-256 (hex)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    client: Literal["pip", "npm"]
    name: str
    version: str
    file: str
    sha256: str
    licences: Literal["permissive", "copyleft", "dual", "mixed", "none"]
    brings: str = "Python"


def read_pins(path: Path = PINS) -> tuple[Pin, ...]:
    """The pinned packages, in the file's order."""
    return tuple(Pin.model_validate(entry) for entry in tomllib.loads(path.read_text("utf-8"))["package"])


def fetch(pins: Sequence[Pin], folder: Path, say: Callable[[str], None]) -> list[Path]:
    """Paths below `folder` of all packages, downloading the missing ones; npm's are left out without npm.

    `say` takes the progress lines. PartialFailure when a client cannot download (offline), IntegrityError
    when a file is not the pinned one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not shutil.which("npm"):
        skipped = sum(pin.client == "npm" for pin in pins)
        say(f"demo: npm is not installed: going on without its {skipped} packages")
        pins = [pin for pin in pins if pin.client != "npm"]
    missing = [pin for pin in pins if not _is_there(folder / pin.file, pin)]
    say(f"demo: {len(pins) - len(missing)} packages are here, downloading {len(missing)}")
    for client in ("pip", "npm"):
        wanted = [pin for pin in missing if pin.client == client]
        for batch in _one_version_each(wanted):
            _fetch_batch(client, batch, folder)
    return [folder / pin.file for pin in pins]


def _is_there(path: Path, pin: Pin) -> bool:
    return path.is_file() and sha256_file(path) == pin.sha256


def _one_version_each(pins: Sequence[Pin]) -> Iterator[list[Pin]]:
    """`pins` in batches that name each package once: pip refuses two versions of one in the same call."""
    seen: Counter[str] = Counter()
    batches: dict[int, list[Pin]] = {}
    for pin in pins:
        batches.setdefault(seen[pin.name], []).append(pin)
        seen[pin.name] += 1
    yield from batches.values()


def _fetch_batch(client: str, pins: Sequence[Pin], folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix=".tmp-", dir=folder) as name:
        temp = Path(name)
        command = _pip_command(pins, temp) if client == "pip" else _npm_command(pins, temp)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise PartialFailure(
                f"{client} could not download the demo's packages:\n{_last_lines(done.stderr + done.stdout)}",
                hint=f"the demo needs {client}'s package index; check the network, then run `make demo` again",
            )
        for pin in pins:
            _accept(temp / pin.file, pin, folder / pin.file)


def _pip_command(pins: Sequence[Pin], temp: Path) -> list[str]:
    wanted = temp / "requirements.txt"
    wanted.write_text("".join(f"{pin.name}=={pin.version} --hash=sha256:{pin.sha256}\n" for pin in pins))
    return [*_PIP, "--dest", str(temp), "--requirement", str(wanted)]


def _npm_command(pins: Sequence[Pin], temp: Path) -> list[str]:
    return [*_NPM, "--pack-destination", str(temp), *(f"{pin.name}@{pin.version}" for pin in pins)]


def _accept(temp: Path, pin: Pin, target: Path) -> None:
    if not temp.is_file():
        raise ConfigError(
            f"{pin.client} did not bring {pin.file} for {pin.name} {pin.version}", hint=f"check the pin in {PINS.name}"
        )
    found = sha256_file(temp)
    if found != pin.sha256:
        raise IntegrityError(
            f"{pin.file} is not the pinned file: sha256 {found}, expected {pin.sha256}",
            hint="the index served another file under this version; do not use it",
        )
    temp.replace(target)


def _last_lines(text: str, count: int = 6) -> str:
    lines = [line for line in text.splitlines() if line.strip() and "is ignored" not in line]
    return "\n".join(f"  {line}" for line in lines[-count:]) or "  (it said nothing)"
