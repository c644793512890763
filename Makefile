# Gristmill: `make demo` runs the main job on real packages, `make test` runs all tests.
# Both need python3 (3.11+), make and git alone: the environment is made on demand in .venv.

SHELL := /bin/bash
PY := .venv/bin/python
ROOMS := archive foundation manifests pipeline registry stages

.DEFAULT_GOAL := help
.PHONY: help setup demo test check lint types imports sizes format docs docs-check lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Make .venv from requirements/lock.txt (done by every other target when needed)
	@scripts/setup.sh

demo: setup ## Turn 30 well-known packages into a verified release in demo/
	@$(PY) -m scripts.demo

test: setup ## Run all tests
	@$(PY) -m pytest -q --durations=10

check: lint types imports sizes docs-check ## Everything CI checks besides the tests

lint: setup ## Style and banned calls (ruff)
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .

types: setup ## Static types (mypy --strict)
	@$(PY) -m mypy --strict $(addprefix -p ,$(ROOMS)) -p scripts

imports: setup ## Who may import whom (import-linter)
	@.venv/bin/lint-imports --no-logo

sizes: setup ## Size limits, annotations and docstrings
	@$(PY) -m scripts.check_sizes $(ROOMS) scripts

docs: setup ## Write docs/reference/ from the code
	@$(PY) -m scripts.make_reference

docs-check: setup ## Fail when docs/reference/ is not what the code says
	@$(PY) -m scripts.make_reference --check

format: setup ## Format the code
	@$(PY) -m ruff format .
	@$(PY) -m ruff check --fix-only --quiet .

lock: ## Resolve pyproject.toml into requirements/lock.txt again (LOCKFLAGS=--upgrade takes newer versions)
	@scripts/lock.sh $(LOCKFLAGS)

clean: ## Remove the environment, caches and the demo's output (not its downloads)
	rm -rf .venv .venv.lock .mypy_cache .pytest_cache .ruff_cache .import_linter_cache *.egg-info build dist
	rm -rf demo/archive demo/out
