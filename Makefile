# Everything a developer or CI runs. A fresh machine needs Python 3.11 or newer, pip, make and git.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
WORKERS ?= 2
DEMO_ARGS ?=
FUZZ ?= 10

.PHONY: help demo test check lint fuzz bench setup setup-dev format browser pins migration clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

demo: setup ## Start Headwater with a sample API's traffic on http://127.0.0.1:8000
	$(BIN)/headwater demo $(DEMO_ARGS)

test: setup-dev browser ## Run the whole test suite
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(TEST_ARGS)

lint: setup-dev ## Format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint ## The same, and unit tests: under a minute
	$(BIN)/python -m pytest tests/unit tests/test_map.py -q -n $(WORKERS)

fuzz: setup-dev ## Try the doors with hostile input, FUZZ times as long as one minute
	HEADWATER_FUZZ_FACTOR=$(FUZZ) $(BIN)/python -m pytest tests/fuzz -n $(WORKERS) --dist loadfile

bench: setup-dev ## Run the benchmarks; results go to benchmarks/results
	$(BIN)/python -m benchmarks

format: setup-dev ## Format the code and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

setup: $(VENV)/.run ## Install Headwater with its pinned requirements into .venv

setup-dev: $(VENV)/.dev ## The same, with the tools of development

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Headwater needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements/run.txt pyproject.toml hatch_build.py | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/run.txt
	$(BIN)/python -m pip install --quiet --no-deps -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml hatch_build.py | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --no-deps -e .
	@touch $@ $(VENV)/.run

browser: ## Say whether the browser tests can run
	@command -v chromium chromium-browser google-chrome >/dev/null 2>&1 \
	  || echo "No Chromium on this machine: browser tests are skipped (they fail where CI is set)."

pins: setup-dev ## Renew requirements/*.txt from pyproject.toml
	$(BIN)/python requirements/compile.py

clean: ## Remove what was built; keeps data directories
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis src/headwater/web/vendor
