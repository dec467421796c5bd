# Two commands matter: `make reproduce` and `make test`. Each makes .venv where it is missing.

PYTHON ?= python3
PROFILE ?= quick
ARGS ?=
FILES ?= 10000
LOCK_FLAGS ?=

VENV := .venv
BIN := $(VENV)/bin
LOCKED := $(VENV)/.locked
INSTALLED := $(VENV)/.installed
NBVAL := --nbval --nbval-current-env --nbval-sanitize-with tests/nbval_sanitize.cfg \
	--nbval-cell-timeout=1800 -p no:randomly
# Two processes: tests in any order, a notebook as a whole in one of them.
SIDE_BY_SIDE := -n 2 --dist
BOUNDS := tests/test_scaling.py tests/test_structures.py tests/test_descriptor.py tests/test_windows.py tests/test_bayes.py \
	tests/faults/test_geometry.py

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help venv lab reproduce paper test lint test-unit test-bounds test-kills fuzz test-notebooks bench html fetch lock clean distclean

help: ## show this list
	@awk 'BEGIN { FS = ":[^#]*## "; print "make TARGET [VARIABLE=value ...]\n" } \
	     /^[a-z-]+:[^#]*## / { printf "  %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  PYTHON=$(PYTHON)    interpreter from which .venv is made (3.11 to 3.13)"
	@echo "  PROFILE=$(PROFILE)     amount of work of 'reproduce': quick or paper"
	@echo "  ARGS=             further arguments of 'reproduce', e.g. ARGS='--only 03'"
	@echo "  FILES=$(FILES)      mutated files of 'fuzz'"
	@echo "  LOCK_FLAGS=       further arguments of 'lock', e.g. LOCK_FLAGS=--upgrade"

venv: $(INSTALLED) ## make .venv from requirements.lock

# The stamps come last, and .venv is emptied first, so an interrupted install is done again.
$(LOCKED): requirements.lock
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v < (3, 14) else \
	    "Found Python %d.%d as $(PYTHON); 3.11, 3.12 or 3.13 is needed (TensorFlow has no wheels for others)." % v \
	    + "\nName one: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

$(INSTALLED): $(LOCKED) pyproject.toml
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .
	@touch $@

reproduce: $(INSTALLED) ## run all notebooks in order (quick: about half an hour on two cores)
	$(BIN)/arise reproduce --profile $(PROFILE) $(ARGS)

paper: ## the same at the paper's full sizes (goes on where it was interrupted)
	@$(MAKE) reproduce PROFILE=paper ARGS="--resume $(ARGS)"

test: lint test-unit test-notebooks ## style, types, unit tests, then every notebook against its stored outputs

lint: $(INSTALLED) ## ruff, mypy, and the order of the floors (import-linter)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test-unit: $(INSTALLED) ## unit, property and golden tests, examples of the docstrings, structure of the notebooks
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) worksteal --doctest-modules tests arise_lib

test-kills: $(INSTALLED) ## ten times the tests that end runs from outside
	for i in 1 2 3 4 5 6 7 8 9 10; do $(BIN)/python -m pytest -q tests/faults/test_runs.py || exit 1; done

fuzz: $(INSTALLED) ## read FILES mutated files and count what came of them (goes on where it was interrupted)
	PYTHONPATH=$(CURDIR) $(BIN)/python tests/fuzz_reading.py $(FILES) --record build/fuzz.jsonl

# Compiled code trusts its arrays; here every index is checked. Ten times slower.
test-bounds: $(INSTALLED) ## the unit tests of compiled code, with the bounds of arrays checked
	NUMBA_BOUNDSCHECK=1 NUMBA_CACHE_DIR=$(CURDIR)/build/bounds $(BIN)/python -m pytest $(BOUNDS)

test-notebooks: $(INSTALLED) ## run the notebooks and compare with their stored outputs
	$(BIN)/python -m pytest $(NBVAL) $(SIDE_BY_SIDE) loadfile notebooks

bench: $(INSTALLED) ## time the descriptor engine, the network and the scans
	$(BIN)/python benchmarks/bench.py $(ARGS)

lab: $(INSTALLED) ## open the notebooks in JupyterLab
	$(BIN)/jupyter lab notebooks

html: $(INSTALLED) ## write the notebooks as HTML to build/html
	$(BIN)/jupyter nbconvert --to html --output-dir build/html notebooks/*.ipynb

fetch: $(INSTALLED) ## download the external data (checksummed) into the cache
	$(BIN)/arise fetch --all

# Every direct and indirect requirement for Python 3.11 to 3.13 in one file; pins are kept
# unless pyproject.toml forbids them or LOCK_FLAGS=--upgrade is given.
lock: ## re-resolve requirements.lock from pyproject.toml
	$(PYTHON) -m venv --clear build/lock-venv
	build/lock-venv/bin/python -m pip install --disable-pip-version-check --quiet uv
	build/lock-venv/bin/uv pip compile pyproject.toml --extra test --extra baselines --extra bench --extra dask \
	    --group build --universal --python-version 3.11 --fork-strategy fewest \
	    --generate-hashes --no-emit-index-url --no-emit-find-links \
	    --custom-compile-command "make lock" --quiet $(LOCK_FLAGS) --output-file requirements.lock
	rm -rf build/lock-venv

clean: ## remove derived results and build outputs
	rm -rf build data/derived .import_linter_cache .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info
	find arise_lib benchmarks notebooks tests -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true
	find notebooks -name .ipynb_checkpoints -prune -exec rm -rf {} + 2>/dev/null || true

distclean: clean ## the same, and .venv
	rm -rf $(VENV)
