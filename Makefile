# Two commands do everything from a fresh clone: `make demo` and `make test`.
# Both make their own .venv first; nothing else is needed but Python 3.11+ and make.

SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.set-up
DEMO_STAMP := $(VENV)/.set-up-demo
LTS := 5.26.28

# Some machines set it. Then each process compiles all that it imports, and a test that runs a command
# takes seconds longer.
unexport PYTHONDONTWRITEBYTECODE

# The first Python that is new enough and can make a virtual environment.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

.PHONY: help setup demo test test-lts lts-server test-pythons test-long release-check test-oldest check format docs wheel-test bench bench-smoke clean

help:
	@echo "make demo         the main job: graph, cells, training set, model"
	@echo "make test         the tests, against a real Neo4j that they start themselves"
	@echo "make setup        only make .venv"
	@echo "make check        format, lint, types, layers"
	@echo "make test-pythons the tests without a server, on the other Pythons that are here"
	@echo "make test-long    the long tests"
	@echo "make docs         the documentation site, into dist/site"
	@echo "make bench        the benchmarks (BENCH='load merge parse read export neighbors batches')"

setup: $(STAMP)

# Makes the environment, or brings it up to date.
INSTALL = test -n "$(PYTHON)" || { echo "tosg needs Python 3.11 or newer with venv; set PYTHON=..." >&2; exit 1; }; \
	echo "making $(VENV): some 8 GB with PyTorch, a minute or more by your connection" >&2; \
	PYTHONPATH=tests $(PYTHON) -m support.environments $(VENV) -c constraints.txt

# The stamp is newer than what it was made from, or the environment is made again (what
# fits is kept).
$(STAMP): pyproject.toml constraints.txt
	@$(INSTALL) -e '.[all,demo,py2neo,ray]' --group dev
	@touch $(STAMP) $(DEMO_STAMP)

# The demo needs no tools of development.
$(DEMO_STAMP): pyproject.toml constraints.txt
	@$(INSTALL) -e '.[all,demo]'
	@touch $(DEMO_STAMP)

demo: $(DEMO_STAMP)
	$(BIN)/tosg demo

# Java's second compiler does not pay in servers that live for minutes: without it the suite takes a
# sixth to a quarter less, and a twentieth less with the serial collector. Java then keeps 48 MB for
# compiled code unless told otherwise; a long session fills them, and Neo4j fails.
BRIEF := TOSG_NEO4J_JVM="-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m \
	-XX:-UseG1GC -XX:+UseSerialGC"

# Several processes, each with a server of its own; a file's tests stay together. One thread each:
# threads of many processes that wait for each other take ten times as long.
PYTEST := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 POLARS_MAX_THREADS=1 \
	$(BRIEF) $(BIN)/python -m pytest \
	-n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder --durations 40 --durations-min 10

test: setup
	$(PYTEST) -m "not slow"
	$(MAKE) test-lts

# The part that needs no server, on Python 3.12 and 3.13 where they are installed, each in an
# environment of its own: of a test with parameters one case, in `make test-long` all.
test-pythons: setup
	OMP_NUM_THREADS=1 POLARS_MAX_THREADS=1 $(BIN)/python tests/other_pythons.py

# A shorter leg on the long-term support version of Neo4j; other files are not even collected.
test-lts: setup
	TOSG_NEO4J_VERSION=$(LTS) $(PYTEST) -m "lts and not slow" \
		$$(grep -rl --include='test_*.py' 'mark\.lts' tests)

# Downloads that server, so that nobody waits for it later.
lts-server: setup
	TOSG_NEO4J_VERSION=$(LTS) $(BIN)/tosg up >/dev/null
	TOSG_NEO4J_VERSION=$(LTS) $(BIN)/tosg down

test-long: setup
	TOSG_TEST_LONG=1 $(BIN)/python -m pytest -m "slow or deep"
	TOSG_TEST_LONG=1 $(MAKE) test-pythons
	$(BRIEF) $(BIN)/python -m benchmarks load --small
	$(MAKE) release-check test-oldest

# Wheel and sdist as they are uploaded; each extra alone in an empty environment. Many gigabytes.
release-check: setup
	$(BIN)/python tests/release_check.py

# On the oldest PyTorch and PyTorch Geometric that pyproject.toml allows.
test-oldest: setup
	$(BIN)/python tests/oldest_versions.py

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Any warning is an error. The variable silences an advertisement of the theme's authors.
docs: setup
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# The wheel in an empty environment and an empty folder: catches every way in which the mapping
# of folders can go wrong.
wheel-test: setup
	$(BIN)/python tests/wheel_check.py

BENCH ?= load merge parse read export batches
bench: setup
	@for b in $(BENCH); do $(BIN)/python -m benchmarks $$b --json || exit 1; done

# They share a graph; `load`, which has servers of its own, is run with the long tests.
bench-smoke: setup
	@export $(BRIEF); for b in merge read export batches; do \
		$(BIN)/python -m benchmarks $$b --small --json || exit 1; \
	done

clean:
	rm -rf $(VENV) dist build
