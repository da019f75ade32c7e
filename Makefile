# One door for commands: `make help` is built from the comments behind the targets.
# Every target makes its own environment first: a virtual environment from the lock, by uv where present, else by pip.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Processes of a suite.
WORKERS := 2
READY := $(VENV)/.ready
# Some environments forbid Python to keep what it compiled: each of a suite's hundred processes would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
# openid-client for the tests that want a client of somebody else's; without npm they are skipped, and say so.
INDEPENDENT := tests/independent_client/node_modules/.ready
.PHONY: help env demo up down check lint types imports test check-browser-behave unit integration browser behave independent-client screenshots bench compose-demo compose-test compose-down lock clean

help: ## list these commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

env: $(READY) ## make the virtual environment from the lock

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else f"Python 3.11 to 3.13 is needed, {sys.executable} is {v[0]}.{v[1]}: name another one with make PYTHON=python3.12")'
	@echo "making the environment in $(VENV), once: a minute or two without a word" >&2
	@if command -v uv >/dev/null 2>&1; then \
	  uv venv -q --allow-existing --python "$(PYTHON)" $(VENV) && \
	  uv pip install -q --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock && \
	  uv pip install -q --python $(BIN)/python --no-deps -e . ; \
	else \
	  { [ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV); } && \
	  $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes --no-compile -r requirements.lock && \
	  { $(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || true; } && \
	  $(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -e . ; \
	fi
	@touch $@

demo: $(READY) ## start the platform, register a TPP, run a journey of every kind, leave the platform up
	@$(BIN)/sandbox demo

up: $(READY) ## start the platform in the foreground; Ctrl-C stops it
	@$(BIN)/sandbox up

down: $(READY) ## stop a platform left up by `make demo`
	@$(BIN)/sandbox down

check: lint types imports ## lint, types and import contracts

lint: $(READY)
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: $(READY)
	@$(BIN)/mypy

imports: $(READY)
	@$(BIN)/lint-imports

unit: $(READY) ## the fast tests, no I/O
	@$(BIN)/pytest -q -n $(WORKERS) --dist loadfile tests/unit

independent-client: $(INDEPENDENT)

$(INDEPENDENT): tests/independent_client/package-lock.json
	@if command -v npm >/dev/null 2>&1; then cd tests/independent_client && npm ci --silent --no-audit --no-fund && touch node_modules/.ready; \
	  else echo "npm is missing: the tests of the independent client will be skipped" >&2; fi

integration: $(READY) independent-client ## real servers on loopback, real PostgreSQL
	@$(BIN)/pytest -q -n 3 --dist loadfile tests/integration

browser: $(READY) ## the pages in a real Chromium
	@$(BIN)/pytest -q -rs -n $(WORKERS) --dist loadfile tests/browser

behave: $(READY) ## the acceptance suite, over the wire, on a platform of its own; every answer judged by the Berlin Group's YAMLs
	@transcript=$$(mktemp) && trap 'rm -f "$$transcript"' EXIT && \
	  $(BIN)/behave --no-capture --format progress -D transcript="$$transcript" $(BEHAVE) && \
	  $(BIN)/python -m tests.support.judge_transcript "$$transcript"

test: $(READY) ## everything above: the one command that CI runs
	@# Three lanes side by side: two of them wait for servers more than they compute, and unit takes what they leave.
	@$(MAKE) --no-print-directory --jobs 3 --output-sync=target unit integration check-browser-behave

check-browser-behave:
	@$(MAKE) --no-print-directory check
	@$(MAKE) --no-print-directory browser WORKERS=1
	@# Beside the others on two cores, what is in force within a second may take some.
	@$(MAKE) --no-print-directory behave BEHAVE="-D second=20"

screenshots: $(READY) ## take the README's pictures anew, from a platform of its own
	@$(BIN)/python -m tests.browser.screenshots

bench: $(READY) ## measure the edge beside nginx, as a ratio
	@$(BIN)/python -m benchmarks.edge

compose-demo: $(READY) ## the platform in containers: build, start, a journey of every kind, leave it up
	@docker/compose.sh demo

compose-test: $(READY) ## the acceptance suite against the platform in containers, which stays up
	@docker/compose.sh test

compose-down: ## stop the platform in containers; its volumes stay
	@docker/compose.sh down

lock: ## resolve the dependencies anew (needs uv)
	uv lock && uv export --frozen --no-emit-project --all-groups --all-extras --no-header --no-annotate -q -o requirements.lock

clean: ## remove the virtual environment and caches; certificates and state stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
