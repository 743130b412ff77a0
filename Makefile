# Everything a person does with this repository. `make` alone lists it.
# Needs Python 3.11 to 3.13, make and, for what is missing, apt-get.

PYTHON ?= python3
BIN := .venv/bin
SETUP = @$(PYTHON) demo/setup/setup.py
DEMO = @$(BIN)/python -m demo

.DEFAULT_GOAL := help
.PHONY: help demo demo-status demo-stop demo-clean test coverage check bench parts lock pictures secrets setup
.NOTPARALLEL:

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Make .venv as uv.lock says
	$(SETUP) environment

demo: ## Start Airflow, five databases and two S3 sites, and run every pipeline once
	$(SETUP) demo
	$(DEMO) start

demo-status: ## Say what of the demo runs, and where
	$(SETUP) environment
	$(DEMO) status

demo-stop: ## Stop the demo; nothing is lost
	$(SETUP) environment
	$(DEMO) stop

demo-clean: ## Stop the demo and remove all its data
	$(SETUP) environment
	$(DEMO) clean

parts: ## Fetch what tests need beside Debian's packages (PostgreSQL 18)
	$(SETUP) environment
	@$(BIN)/python demo/parts/postgres_set.py

test: ## All gates and all tests
	$(SETUP) tests
	@$(BIN)/python demo/parts/postgres_set.py
	@$(MAKE) --no-print-directory gates
	@$(BIN)/pytest $(SHARED_OUT)

coverage: ## All tests once more, and what none of them reached, line by line (a tenth slower)
	$(SETUP) tests
	@$(BIN)/python demo/parts/postgres_set.py
	@$(BIN)/pytest $(SHARED_OUT) --cov --cov-report=
	@$(BIN)/coverage report

SHARED_OUT := --numprocesses 3 --dist loadfile --no-loadscope-reorder

check: ## The fast subset: style, types, order of the rooms, pure tests
	$(SETUP) environment
	@$(MAKE) --no-print-directory gates
	@$(BIN)/pytest -q tests/unit tests/house

.PHONY: gates
gates:
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/basedpyright --level error
	@$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports

bench: ## Measure what docs/explanation/performance.md says (ONLY=vault: one part; WRITE=1: rewrite the page)
	$(SETUP) tests
	@PYTHONPATH=tests $(BIN)/python -m bench $(ONLY) $(if $(WRITE),--write)

lock: ## Resolve the dependencies anew and export requirements.txt
	$(SETUP) environment
	@$(BIN)/uv lock
	@$(BIN)/uv export --frozen $(EXPORT) --output-file requirements.txt

# tests/house/test_requirements_come_from_the_lock.py reads these options from here.
EXPORT := --quiet --no-dev --extra airflow --no-emit-project --no-header --no-annotate

pictures: ## Take the screenshots of docs/pictures from the running demo
	$(SETUP) pictures
	$(DEMO) start
	@$(BIN)/python -m demo.pictures

secrets: ## Write the secret files that docker-compose.yaml asks for
	@$(PYTHON) include/pgtend_airflow/compose/make_secrets.py
