# Everything here starts from a bare Python: `make demo` on a fresh clone needs nothing else.

PYTHON ?= python3
VENV   ?= .venv
EVENTS ?= 300000
JOBS   ?= 6
SECONDS ?= 60

REPORTS = $(wildcard $(addprefix tests/unit/test_, docker_*.py tutum_*.py credentials.py endings.py fram*.py liveness.py pieces.py \
  proxy.py recordings.py times.py uris.py simulator_rest.py simulator_told.py) $(addprefix tests/integration/test_, docker_*.py tutum_*.py import*.py \
  spellings.py restored_files.py older_copy.py file_rights.py duckdb.py backup.py export_*.py postgres.py neighbours.py rights.py references.py cli_completion.py))

bin   := $(VENV)/bin
quiet := --quiet --disable-pip-version-check

# Rewriting and compiling the tests takes each of pytest's processes longer than collecting them.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test test-fast test-random test-model reports differential faults booted fuzz mutations lint format docs bench clean

help:  ## what can be made
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "  %-18s %s\n", $$1, $$2}'

demo: $(VENV)/.demo  ## see it work: a simulated platform, the daemon, and what it answers
	@$(bin)/archiver demo

test: $(VENV)/.dev  ## run every test (ARGS="-k spool" to choose)
	@$(bin)/python -m pytest -n $(JOBS) --dist worksteal $(ARGS)

test-fast: $(VENV)/.dev  ## run what takes no database and no daemon: the unit tests and the layers
	@$(bin)/lint-imports --no-logo
	@$(bin)/python -m pytest -n $(JOBS) tests/unit $(ARGS)

test-random: $(VENV)/.dev  ## run the tests that make up examples, with other examples than ever before
	@$(bin)/python -m pytest -n $(JOBS) --hypothesis-profile=random -m hypothesis $(ARGS)

test-model: $(VENV)/.dev  ## hold the archive against its model, with other histories than ever before (SECONDS=3600)
	@ARCHIVER_TEST_MODEL_SECONDS=$(SECONDS) $(bin)/python -m pytest -n 0 --timeout 0 tests/integration/test_model.py -k random $(ARGS)

reports: $(VENV)/.dev  ## run what stands for the public reports of people who do this job: streams, files, restores, shells
	@$(bin)/python -m pytest -n $(JOBS) $(REPORTS) $(ARGS)

differential: $(VENV)/.dev  ## compare random streams of frames with the `websockets` package (ARGS="6000 SEED")
	@$(bin)/python -m tests.differential $(ARGS)

faults: $(VENV)/.dev  ## do to the daemon all that goes wrong, and write docs/faults.md (FAULTS=full, ARGS="--seed 7 --jobs 4 --results FILE --only killed")
	@$(bin)/python -m tests.faults $(if $(filter full,$(FAULTS)),--full) $(if $(findstring --only,$(ARGS)),,--write) $(ARGS)

booted: $(VENV)/.dev  ## run the systemd units in a machine that is booted for it (root, systemd-nspawn)
	@ARCHIVER_TEST_BOOTED=1 $(bin)/python -m pytest -n 0 -rs tests/acceptance/test_booted.py $(ARGS)

fuzz: $(VENV)/.fuzz  ## feed what reads streams with inputs that find new ways through it (SECONDS=600 each, ARGS="frames --keep")
	@$(bin)/python -m tests.fuzz --seconds $(SECONDS) $(ARGS)

mutations: $(VENV)/.dev  ## put faults into storage and queries, and list those that neither the model nor a test notices (SECONDS=3600)
	@$(bin)/python -m tests.mutations --seconds $(SECONDS) $(ARGS)

lint: $(VENV)/.dev  ## style, types and the layers
	@$(bin)/ruff check
	@$(bin)/ruff format --check
	@$(bin)/mypy
	@$(bin)/lint-imports --no-logo

format: $(VENV)/.dev  ## put the code into the one style
	@$(bin)/ruff check --fix-only --quiet
	@$(bin)/ruff format

docs: $(VENV)/.dev  ## write the generated pages anew: commands, schema, picture
	@$(bin)/python docs/generate.py

bench: $(VENV)/.dev  ## measure the figures, with their floors and peers (EVENTS=10000000 for the full size)
	@$(bin)/python -m bench --events $(EVENTS) --write bench/RESULTS.md $(ARGS)

clean:  ## remove what the other targets made
	rm -rf $(VENV) build dist .bench .demo .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .fuzz

# The stamps hold until pyproject.toml changes. The demo's stamp asks only for what the demo runs.

$(VENV)/.venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "archiver needs Python 3.11 or newer, and '$(PYTHON)' is: $$($(PYTHON) --version 2>&1 | head -n 1)" >&2; \
	  echo "name another one: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "'$(PYTHON)' has no venv module; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@echo "setting up $(VENV) ..." >&2
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.demo: pyproject.toml | $(VENV)/.venv
	@echo "installing archiver with what its demo needs ..." >&2
	@$(bin)/python -m pip install $(quiet) --editable '.[demo]'
	@touch $@

# pip reads dependency groups since 25.1, and Python 3.11 may bring an older one.
$(VENV)/.dev: pyproject.toml | $(VENV)/.venv
	@echo "installing archiver with its development tools ..." >&2
	@$(bin)/python -m pip install $(quiet) --upgrade 'pip>=25.1'
	@$(bin)/python -m pip install $(quiet) --editable '.[demo,postgres]' --group dev --group pg
	@touch $(VENV)/.demo $@

$(VENV)/.fuzz: $(VENV)/.dev
	@$(bin)/python -m pip install $(quiet) --group fuzz
	@touch $@
