#!/usr/bin/env bash
# Makes .venv from requirements/lock.txt, or does nothing when it is there and in step with the lock.
# Needs python3 (3.11 or later) alone; PYTHON=... chooses another interpreter. Exit 3: this machine cannot.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { echo "setup: $*" >&2; }
refuse() { echo "error: $1" >&2; echo "hint: $2" >&2; exit 3; }

suits() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null; }

choose_python() {
    if [ -n "${PYTHON:-}" ]; then
        suits "$PYTHON" || refuse "$PYTHON is not Python 3.11 to 3.14" "set PYTHON to one that is"
        echo "$PYTHON"
        return
    fi
    local name
    for name in python3 python3.13 python3.12 python3.11 python3.14; do
        if suits "$name"; then echo "$name"; return; fi
    done
    refuse "no Python 3.11 to 3.14 found; python3 is $(python3 --version 2>/dev/null || echo 'not installed')" \
        "install one (Debian 12, Ubuntu 24.04 and later: apt-get install python3) or set PYTHON to one"
}

has_venv() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

# Debian and Ubuntu ship python3 without venv and ensurepip; their package is python3-venv or python3.X-venv.
provide_venv() {
    has_venv "$1" && return
    local version package sudo=""
    version=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    package="python$version-venv"
    if [ "$(id -u)" != 0 ]; then sudo="sudo -n"; fi
    if command -v apt-get >/dev/null && $sudo true 2>/dev/null; then
        say "$1 has no venv module: installing Debian's package $package"
        $sudo apt-get update -qq >/dev/null || true
        $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null || true
    fi
    has_venv "$1" || refuse "$1 has no venv module (ensurepip is missing)" \
        "run: sudo apt-get install $package   (then the same command again)"
}

install_lock() {
    say "installing $(grep -c '==' requirements/lock.txt) pinned packages into .venv (about 2 minutes)"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --retries 8 --timeout 60 --no-compile --require-hashes \
        --only-binary :all: --requirement requirements/lock.txt >&2 || {
        echo "error: the packages of requirements/lock.txt could not be installed" >&2
        echo "hint: pip must reach a package index (see the lines above); then run the same command again" >&2
        exit 4
    }
}

install_project() {
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index \
        --config-settings editable_mode=compat --editable . >&2
}

if [ "$(uname -s)-$(uname -m)" != "Linux-x86_64" ]; then
    refuse "this is $(uname -s) on $(uname -m)" "Gristmill's language detector has wheels for Linux on x86_64 alone"
fi

exec 9>.venv.lock # two makes at once: the second waits
flock 9

lock_now=$(sha256sum <requirements/lock.txt)
project_now=$(sha256sum <pyproject.toml)
[ "$(cat .venv/.lock-stamp 2>/dev/null)" = "$lock_now" ] || {
    python=$(choose_python)
    provide_venv "$python"
    rm -rf .venv
    say "making .venv with $("$python" --version)"
    "$python" -m venv .venv
    install_lock
    echo "$lock_now" >.venv/.lock-stamp
}
[ "$(cat .venv/.project-stamp 2>/dev/null)" = "$project_now" ] || {
    install_project
    echo "$project_now" >.venv/.project-stamp
}
