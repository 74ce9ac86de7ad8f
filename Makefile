# What developers type. `make` alone lists it.

# A Python to use in place of the first one found: make setup PYTHON=/opt/python3.12/bin/python3
PYTHON ?=
VENV := .venv
BIN := $(VENV)/bin
# Newer than pyproject.toml when what stands in .venv is what pyproject.toml asks for.
READY := $(VENV)/ready
# Options for pytest: make test ARGS="tests/domain -k lock"
ARGS ?=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

.PHONY: help
help: ## Show what can be made
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(READY) ## Make .venv with all that the other targets need
	@echo "Ready: $(BIN)/boutre --help"

$(READY): pyproject.toml .ci/venv
	@sh .ci/venv $(VENV) $(PYTHON)
	@[ -t 1 ] || quiet=--quiet; $(BIN)/python -m pip install --disable-pip-version-check $$quiet --editable '.[dev]' || { \
		echo "The packages could not be installed; pip says why above. It needs a package index, by the network or by its settings." >&2; exit 1; }
	@touch $@

.PHONY: demo
demo: $(READY) ## Run the whole bus once on the sample feeds, show who got what, and stop it
	@$(BIN)/boutre demo

.PHONY: up
up: $(READY) ## Start the same bus, and leave it running to play with
	@$(BIN)/boutre up

.PHONY: down
down: ## Stop what make up started
	@if [ -x $(BIN)/boutre ]; then $(BIN)/boutre down; else echo "There is no .venv, so nothing was started from here."; fi

.PHONY: test
test: $(READY) ## Run every test for which this machine has what it needs, and name what was left out
	@$(BIN)/python -m pytest -rs -n 2 --dist loadgroup --no-loadscope-reorder $(ARGS)

.PHONY: check
check: $(READY) ## Check style, types, layers, schemas and every declaration; needs no broker
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/boutre schemas check
	$(BIN)/boutre check

.PHONY: report
report: $(READY) ## Judge matching: by incidents of which the truth is known, and by nights that never were
	@$(BIN)/boutre evaluate samples/incidents
	@$(BIN)/boutre simulate

.PHONY: bench
bench: $(READY) ## Measure the bus beside its peers on the same work, and write docs/performance.md: half an hour
	@[ -t 1 ] || quiet=--quiet; $(BIN)/python -m pip install --disable-pip-version-check $$quiet --editable '.[dev,bench]'
	@$(BIN)/python -m benchmarks $(ARGS)

# Options of a run: make chaos ARGS="--records 100000 --kills 100 --nodes 3 --seed 7"; ARGS=--help shows all.
.PHONY: chaos
chaos: $(READY) ## Kill everything that can die on a real Kafka, and account for every record
	@PYTHONPATH=tests $(BIN)/python -m chaos $(ARGS)

.PHONY: faults
faults: $(READY) ## Inject every fault into a whole bus, as root, and note what operations were told: half an hour
	@PYTHONPATH=tests $(BIN)/python -m faults $(ARGS)

.PHONY: clean
clean: down ## Delete what was made here: .venv, the laptop's keys and data, output, caches
	rm -rf $(VENV) .boutre out dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
