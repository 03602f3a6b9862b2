# Two commands on a fresh machine: `make run` and `make test`. Everything is installed into .venv.
PYTHON ?= python3
BIN := .venv/bin
# more extras, each with a comma before it: make test EXTRAS=,torch
EXTRAS ?=
# the same import name, with or without 600 MB of CUDA libraries
BOOSTERS := $(shell command -v nvidia-smi > /dev/null 2>&1 && echo gpu || echo cpu)

.PHONY: run test lint docs clean

run: .venv/installed
	$(BIN)/foldwise run titanic

test: .venv/installed-dev
	$(BIN)/python -m pytest -q -n 2

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: .venv/installed-dev
	$(BIN)/foldwise schema --check docs/pipeline.schema.json
	$(BIN)/foldwise catalogue --check docs/steps.md
	$(BIN)/foldwise dvc --check

.venv/bin/uv: constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt uv
	touch $@

.venv/installed: .venv/bin/uv pyproject.toml constraints.txt
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --constraint constraints.txt --editable ".[$(BOOSTERS)$(EXTRAS)]"
	touch $@

.venv/installed-dev: .venv/bin/uv pyproject.toml constraints.txt
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --constraint constraints.txt --editable ".[$(BOOSTERS),dev$(EXTRAS)]"
	touch $@ .venv/installed

clean:
	rm -rf .venv build dist *.egg-info
