# `make demo` and `make test` do everything on a fresh machine: the virtual environment is made when it is missing.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint types bench docs clean

demo: $(VENV)/.installed
	$(BIN)/comp demo comp-demo --again

test: lint types
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed
	$(BIN)/mypy

$(VENV)/.installed: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@

# Each prints both sides and their ratio; those that need a trained competition, or an hour, are run by hand.
BENCHMARKS := confusion rle splits augment losses depthwise bootstrap leaderboard verdicts training

bench: $(VENV)/.installed
	@failed=; for name in $(BENCHMARKS); do echo "== $$name"; \
	  $(BIN)/python -m tests.benchmarks.bench_$$name || failed="$$failed $$name"; done; \
	  test -z "$$failed" || { echo "a bound was missed in:$$failed"; exit 1; }

docs: $(VENV)/.installed
	$(BIN)/python docs/generate.py

clean:
	rm -rf $(VENV) build dist *.egg-info comp-demo
