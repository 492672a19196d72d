# omie-control: `make up` runs it, `make test` tests it, `make help` lists the rest.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ASSETS := src/omie_control/web/static/vendor
JOBS ?= 2
.DEFAULT_GOAL := help
.PHONY: up test check bench bench-scale campaign lock assets docs wheel clean help

# Without ensurepip (a bare Debian), the venv is made empty and the system's pip fills it.
$(BIN)/python:
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || { rm -rf $(VENV); $(PYTHON) -m venv --without-pip $(VENV); }

# One stamp a lock file: installed again only when the lock changes. The lock is whole, so nothing is resolved (--no-deps): pip
# before 24 would ask for the newest release behind an extra such as pydantic[email], and refuse it for lack of a hash.
INSTALL = $(BIN)/python -m pip --version >/dev/null 2>&1 && PIP="$(BIN)/python -m pip" || PIP="$(PYTHON) -m pip --python $(BIN)/python"; \
	PIP_DISABLE_PIP_VERSION_CHECK=1 $$PIP install --quiet --require-hashes --no-deps

$(VENV)/.runtime: requirements.txt pyproject.toml | $(BIN)/python
	@echo "Preparing $(VENV) (the first time takes a minute)…"
	@$(INSTALL) -r requirements.txt && $$PIP install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.runtime
	@$(INSTALL) -r requirements-dev.txt
	@touch $@

# What the browser needs comes from npm, never from this repository.
$(ASSETS)/.made: package-lock.json requirements-node.txt assets.py | $(VENV)/.runtime
	@$(BIN)/python assets.py
	@touch $@

assets: $(ASSETS)/.made ## fetch the browser's libraries through npm

up: $(VENV)/.runtime $(ASSETS)/.made ## set up everything and run the system; Ctrl-C stops it
	@exec $(BIN)/omie-control up

test: $(VENV)/.dev $(ASSETS)/.made ## set up everything and run the tests, against real servers
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup

check: $(VENV)/.dev ## lint, types, layer contracts, audit of dependencies
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m tests.audit

bench: $(VENV)/.dev $(ASSETS)/.made ## measure against the plain design and write docs/benchmarks.md
	@$(BIN)/python -m benchmarks

bench-scale: $(VENV)/.dev ## ingest with ten million executions in the tables (some ten minutes, 30 GB)
	@$(BIN)/python -m benchmarks --scale

campaign: $(VENV)/.dev $(ASSETS)/.made ## kills under load, spoilt writes, tampering, equal calls, key changes, fuzzed bodies: hours, and the books
	@$(BIN)/python -m tests.campaign --cycles 200
	@$(BIN)/python -m tests.campaign.writes --writes 10000
	@$(BIN)/python -m tests.campaign.tampering --records 1000
	@$(BIN)/python -m tests.campaign.equal_calls --rounds 1000
	@$(BIN)/python -m tests.campaign.rotation --rate 200 --rotations 6
	@$(BIN)/python -m tests.campaign.bodies --bodies 1000000

docs: $(VENV)/.dev ## write the generated pages of docs/reference/ again
	@$(BIN)/python docs/generate.py

wheel: $(VENV)/.dev $(ASSETS)/.made ## build the wheel, with everything inside
	@$(BIN)/python -m build --wheel --no-isolation --outdir dist .

lock: $(VENV)/.dev ## lock the dependencies again, with hashes
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
		pyproject.toml --extra build --output-file requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
		pyproject.toml --extra build --extra dev --constraint requirements.txt --output-file requirements-dev.txt

clean: ## remove what was built; the data in ~/.omie-control stays
	@rm -rf $(VENV) $(ASSETS) dist build node_modules .pytest_cache .mypy_cache .ruff_cache

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'
