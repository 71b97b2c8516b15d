# Few words; `make` alone lists them.
# Tried, not only looked for: a version manager's stand-in may be there without its Python.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && \
	echo $$python && break; done)
BIN := .venv/bin
# What to give pytest: make test PYTEST="-n 4 tests/unit"; two cores are what CI has. Small portions,
# or one worker is left with all the slow ones.
PYTEST ?= -n 2 --maxschedchunk 2
comma := ,
# Both engines, PostgreSQL and MariaDB are promised where `make engines` can install them: missing
# is a failure there.
PROMISED := $(if $(CI),yes,$(shell [ "$$(id -u)" = 0 ] && command -v apt-get))
export STEROIDS_TEST_ENGINES ?= $(if $(PROMISED),docker$(comma)podman)
# For these two alone: a visitor's `make demo` installs no database.
test bench: export STEROIDS_TEST_DATABASES ?= $(if $(PROMISED),postgres$(comma)mariadb)

.PHONY: help demo test check bench images engines venv
.PHONY: check-format check-lint check-types check-imports check-sizes

help: ## This list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 16

demo: engines venv ## See it work: an example monorepo, six tasks, three sections
	@$(BIN)/steroids demo

test: engines venv check ## All checks and all tests
	$(BIN)/python -m pytest $(PYTEST)

check: venv ## Format, lint, types, import contracts, file sizes
	@$(MAKE) --no-print-directory -k -j5 $(if $(filter output-sync,$(.FEATURES)),-O) \
		check-format check-lint check-types check-imports check-sizes

bench: engines venv .venv/bench ## Start-up, disk, claims, side by side with what people use now
	@$(BIN)/python -m tests.benchmarks

images: engines venv ## Build the runner image on every engine
	@for engine in $(or $(subst $(comma), ,$(STEROIDS_TEST_ENGINES)),auto); do \
		$(BIN)/steroids images build --engine $$engine || exit 1; done

engines: ## Install and start Docker and Podman where they are missing (Debian, Ubuntu, root)
	@bash tests/support/engines.sh

venv: .venv/installed ## The package with its development tools in .venv

.venv/installed: pyproject.toml
	@[ -n "$(PYTHON)" ] || \
		{ echo 'Steroids needs Python 3.11 or newer: make PYTHON=/path/to/python3 venv' >&2; exit 1; }
	@$(PYTHON) -m venv .venv || \
		{ echo 'Python cannot make a venv; on Debian: apt-get install python3-venv' >&2; exit 1; }
	@$(BIN)/python -m pip install -q --disable-pip-version-check 'pip>=25.1'
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e . --group dev
	@touch $@

# What is only measured against: nobody else needs it.
.venv/bench: .venv/installed
	@$(BIN)/python -m pip install -q --disable-pip-version-check --group bench
	@touch $@

check-format:
	@$(BIN)/ruff format --check -q . || { echo 'mend with: .venv/bin/ruff format' >&2; exit 1; }
check-lint:
	@$(BIN)/ruff check -q .
check-types:
	@$(BIN)/mypy --no-error-summary
check-imports:
	@$(BIN)/lint-imports --no-cache > .venv/imports.log || { cat .venv/imports.log; exit 1; }
check-sizes:
	@$(BIN)/python tests/support/check_sizes.py
