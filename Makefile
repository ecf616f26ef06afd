# Two commands matter: `make demo` and `make test`. Each sets up everything it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := .stamps
COMPILED := $(STAMPS)/compiled
TEMPLATE := src/durabase/templates/react-ts
CLIENT := $(TEMPLATE)/client

.PHONY: demo test compiled-test check docs bench clean

demo: $(STAMPS)/demo
	@$(BIN)/durabase demo $(ARGS)

test: $(STAMPS)/dev $(STAMPS)/tools
	@$(MAKE) --no-print-directory check
	@$(BIN)/python -m pytest

# The same tests against a wheel whose hot modules are compiled; needs a C compiler.
compiled-test: $(STAMPS)/dev $(COMPILED)/made
	@$(COMPILED)/bin/python -c "import durabase.mergeable.hashes as h; assert not h.__file__.endswith('.py')"
	@$(COMPILED)/bin/python -m pytest tests/vectors tests/property tests/unit

check: $(STAMPS)/dev
	@$(BIN)/ruff format --check --quiet src tests examples bench scripts docs/conf.py hatch_build.py
	@$(BIN)/ruff check --quiet src tests examples bench scripts docs/conf.py hatch_build.py
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

docs: $(STAMPS)/docs
	@$(BIN)/python -m sphinx -q -W --keep-going -d $(STAMPS)/doctrees docs build/docs
	@echo "durabase: the documentation is in build/docs"

bench: $(STAMPS)/demo $(COMPILED)/made
	@$(BIN)/python bench/run.py $(ARGS)

clean:
	rm -rf $(VENV) $(STAMPS) build/docs $(CLIENT)/node_modules $(CLIENT)/dist tests/interop/node_modules tests/e2e/solara/node_modules

# What the commands above stand on. Each stamp is made once and again when its inputs change.
$(STAMPS)/python: pyproject.toml scripts/setup.py
	@mkdir -p $(STAMPS)
	@$(PYTHON) scripts/setup.py venv $(VENV)
	@touch $@

$(STAMPS)/demo: $(STAMPS)/python $(STAMPS)/client
	@touch $@

CLIENT_SOURCES := $(wildcard $(CLIENT)/*.json $(CLIENT)/*.ts $(CLIENT)/*.html $(CLIENT)/src/*)

$(STAMPS)/client: $(CLIENT_SOURCES) scripts/setup.py
	@mkdir -p $(STAMPS)
	@$(PYTHON) scripts/setup.py client $(CLIENT)
	@touch $@

$(STAMPS)/dev: $(STAMPS)/demo
	@$(PYTHON) scripts/setup.py dev $(VENV)
	@touch $@

$(COMPILED)/made: pyproject.toml hatch_build.py scripts/setup.py $(shell find src/durabase -name node_modules -prune -o -name '*.py' -print)
	@rm -rf $(COMPILED)
	@$(PYTHON) scripts/setup.py compiled $(COMPILED)
	@touch $@

$(STAMPS)/docs: $(STAMPS)/python
	@$(PYTHON) scripts/setup.py docs $(VENV)
	@touch $@

$(STAMPS)/tools: scripts/setup.py $(wildcard tests/interop/package-lock.json tests/interop/*/package-lock.json tests/e2e/solara/package-lock.json)
	@mkdir -p $(STAMPS)
	@$(PYTHON) scripts/setup.py tools
	@touch $@
