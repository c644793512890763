#!/usr/bin/env bash
# Resolves pyproject.toml (with all its extras) into requirements/lock.txt: exact versions with the hashes of
# every wheel, for CPython 3.11 and later, wheels only, and no index host. Asks the index that pip is set up with.
set -euo pipefail
cd "$(dirname "$0")/.."

tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
"${PYTHON:-python3}" -m venv "$tools"
"$tools/bin/pip" install --quiet --only-binary :all: uv

# uv reads no pip configuration, so hand it what pip knows (never printed).
index=$("$tools/bin/pip" config get global.index-url 2>/dev/null || true)
if [ -n "${PIP_INDEX_URL:-$index}" ]; then export UV_DEFAULT_INDEX="${PIP_INDEX_URL:-$index}"; fi

"$tools/bin/uv" pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
    --only-binary :all: --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate \
    --custom-compile-command "make lock" --quiet --output-file requirements/lock.txt "$@" >/dev/null
echo "requirements/lock.txt: $(grep -c '==' requirements/lock.txt) pins" >&2
