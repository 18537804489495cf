# The commands people use. `make help` lists them; each does its own set-up and installs nothing the second time.
.DEFAULT_GOAL := help
SHELL := /bin/bash
# The newest of these that runs makes .venv; PYTHON= chooses another.
PYTHON ?= python3.13 python3.12 python3.11 python3
ARGS ?=
BIN := $(CURDIR)/.venv/bin
# Byte-code is compiled at installation: where Python may not write it later, start-up would take twice as long.
INSTALL := $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python
# One worker per core, each with one OpenMP thread: several would wait for each other, and keep the cores busy with it.
# The tests of a file stay together, as they share what is dear to make.
# Byte-code is kept, whatever the environment says: the tests start hundreds of processes.
PYTEST := PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 python -m pytest --numprocesses logical --dist loadfile --no-loadscope-reorder
export PATH := $(BIN):$(PATH)

.PHONY: help main test test-all lint format ui bench cluster pictures clean

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo 'ARGS are passed on, e.g. make main ARGS="-P n_trials=5"'

main: .venv/runtime  ## Run the whole pipeline on MNIST: download, tune, evaluate
	mlflow run . -e main --env-manager local $(ARGS)

test: .venv/dev  ## Run the tests
	$(PYTEST) $(ARGS)

test-all: .venv/dev  ## Run the tests, the slow ones too
	$(PYTEST) -m 'slow or not slow' $(ARGS)

lint: .venv/dev  ## Check format, types and who imports whom
	ruff check .
	ruff format --check .
	mypy
	lint-imports

format: .venv/dev  ## Format the code
	ruff check --fix .
	ruff format .

ui: .venv/runtime  ## Show the runs in the browser
	mlflow ui --host 127.0.0.1 $(ARGS)

bench: .venv/bench  ## Measure against the usual design, PyTorch, JAX, KerasTuner, Ray Tune, Spark (over an hour)
	python -m benchmarks $(ARGS)

cluster: .venv/dev  ## Start PostgreSQL, an MLflow server and a Dask cluster on this machine, to try several processes
	python -m deploy.cluster $(ARGS)

pictures: .venv/bench .venv/dev  ## Take the pictures of the README from real runs (needs Chromium)
	python -m docs.pictures $(ARGS)

clean:  ## Remove the environment and the caches; runs and models stay
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

# Tried, not looked up: a name on the PATH may be the stand-in of a version manager that has no such version.
SUITS := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
FIRST = $(shell for python in $(PYTHON); do "$$python" -c '$(SUITS)' 2>/dev/null && echo "$$python" && break; done)
NONE = PYTHON must be Python 3.11, 3.12 or 3.13 with venv, got $(PYTHON); install one, or name it: make PYTHON=/path/to/python

.venv/bin/uv:
	$(or $(FIRST),$(error $(NONE))) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

.venv/runtime: pyproject.toml conda.yaml | .venv/bin/uv
	@echo 'Installing the pinned dependencies into .venv (once, about a minute)'
	$(INSTALL) --requirements pyproject.toml
	@touch $@

.venv/bench: pyproject.toml conda.yaml | .venv/bin/uv
	@echo 'Installing the pinned dependencies and the rivals into .venv (once, about a minute)'
	$(INSTALL) --requirements pyproject.toml --extra bench
	@touch .venv/runtime $@

.venv/dev: pyproject.toml conda.yaml | .venv/bin/uv
	@echo 'Installing the pinned dependencies and the tools into .venv (once, about a minute)'
	$(INSTALL) --requirements pyproject.toml --extra dev
	@touch .venv/runtime $@
