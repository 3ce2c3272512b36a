# Each target does all of its own set-up (tools/setup says how); a second run begins at once.
#   ARGS      passed on to the program or to pytest:  make run ARGS="--duration 20"
#   PYTHON    the interpreter for .venv:              make test PYTHON=python3.12
#   WORKERS   test processes at a time

BIN := .venv/bin
ARGS ?=
WORKERS ?= 2
FUZZ_SECONDS ?= 60
export FUZZ_SECONDS

.DEFAULT_GOAL := help
.PHONY: help run test check format test-browser test-engines test-faults test-faults-long test-fuzz test-slow bench vectors lock clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | while IFS='	' read -r name text; do printf '  make %-14s %s\n' "$$name" "$$text"; done

run: ## record a demonstration, verify it, print the verdict
	@tools/setup run
	@$(BIN)/unbroken demo $(ARGS)

test: ## everything that must pass before a commit: check, then the tests
	@tools/setup test
	@$(MAKE) --no-print-directory check
	@$(BIN)/pytest -n $(WORKERS) --dist worksteal -m "not browser and not engines and not faults and not fuzz and not slow" $(ARGS)

check: ## format, lint, types and who may import whom
	@tools/setup check
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

format: ## format the code and mend what the linter can
	@tools/setup check
	@$(BIN)/ruff check --fix-only --quiet
	@$(BIN)/ruff format

test-browser: ## pages and players in Chromium
	@tools/setup browser
	@$(BIN)/pytest -m browser $(ARGS)

test-engines: ## the archive on a real S3 server and a real PostgreSQL
	@tools/setup engines
	@$(BIN)/pytest -m engines $(ARGS)

test-faults: ## what a day of faults does to a real recorder on a real file system
	@tools/setup faults
	@$(BIN)/pytest -n $(WORKERS) -m faults $(ARGS)

test-faults-long: ## the same with 200 kills and 200 power cuts
	@tools/setup faults
	@KILLS=200 POWER_CUTS=200 $(BIN)/pytest -n $(WORKERS) -m faults $(ARGS)

test-fuzz: ## hostile input for FUZZ_SECONDS per decoder
	@tools/setup test
	@$(BIN)/pytest -n $(WORKERS) -m fuzz $(ARGS)

test-slow: ## tests that take longer than a minute
	@tools/setup test
	@$(BIN)/pytest -m slow $(ARGS)

bench: ## measure against the numbers in bench/README.md
	@tools/setup bench
	@$(BIN)/python -m bench $(ARGS)

vectors: ## write the test vectors anew from their fixed seeds
	@tools/setup run
	@$(BIN)/python -m tests.vectors.build $(ARGS)

lock: ## write requirements/*.lock from pyproject.toml (ARGS=--upgrade for the newest versions)
	@tools/setup check
	@tools/lock $(ARGS)

clean: ## remove what was built or recorded here, .venv too
	rm -rf .venv .cache .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache demo bench/out archive/site/vendor
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
