# demo: set up the core and start the page · models: set up everything · test: set up and run the suite
# check: format, lint, types, floors, suite · bench: print the speed report · lock: resolve the versions anew
# PORT=, PYTHON= override
PYTHON ?= python3
PORT ?= 7860
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
PYTEST := TOKENIZERS_PARALLELISM=false $(BIN)/python -m pytest
# files side by side, a thread each; browsers that measure seconds run alone
SIDE_BY_SIDE := OMP_NUM_THREADS=1 $(PYTEST) -n 2 --dist loadfile
# only the browsers' folder is collected, for which nothing heavy is imported; a browser shares the machine with the
# server it shows: a test that failed once runs once more and is named at the end
BROWSER := tests/browser --reruns 1 -raR
# browsers wait more than they work
BROWSERS := OMP_NUM_THREADS=1 $(PYTEST) -n 3 --dist loadfile $(BROWSER)
QUICK := not real_data and not slow and not postgres
SCRIPTS := $(wildcard assets/js/*.js assets/js/*/*.js)

EXTRAS := train data index gpu render servers ray download timelines mcp subsonic

.PHONY: demo models test test-more lint check bench lock chromium $(EXTRAS)

demo: $(VENV)/.core
	@echo "mvr opens at http://127.0.0.1:$(PORT) (Ctrl-C stops it)"
	@GRADIO_SERVER_PORT=$(PORT) $(BIN)/python app.py

models: $(VENV)/.full
	@echo "torch, transformers, open_clip, datasets, faiss and moviepy are ready; mvr doctor says what each system lacks"

# one extra beside what is there: the line that a command types out when it lacks it
$(EXTRAS): $(VENV)/.core
	@$(PIP) -e '.[$@]'

test: $(VENV)/.test chromium
	$(SIDE_BY_SIDE) -m "$(QUICK) and not browser"
	$(BROWSERS) -m "$(QUICK) and browser"

# what needs real media, a PostgreSQL server or minutes of statistics
test-more: $(VENV)/.test chromium
	$(SIDE_BY_SIDE) -m "(real_data or slow or postgres) and not browser"
	$(BROWSERS) -m "(real_data or slow) and browser and not alone"
	OMP_NUM_THREADS=2 $(PYTEST) $(BROWSER) -m "alone"

lint: $(VENV)/.test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .
	@if command -v node >/dev/null; then for script in $(SCRIPTS); do node --check $$script || exit 1; done; fi

check: lint test

bench: $(VENV)/.full
	$(BIN)/python -m eval.speed --out eval/results/speed

lock: $(VENV)/.test
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/python .ci/lock.py

# Each mark says what lies in the environment: the core alone, everything that runs, everything that tests need.
# Byte code is made when a module is first used: that is quicker to install and a fifth smaller.
$(VENV)/.core: requirements-core.txt pyproject.toml
	@$(PYTHON) .ci/preflight.py 3
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@if [ ! -e $(VENV)/.full ]; then echo "installing the core into $(VENV) (a minute or two the first time) ..."; \
	  $(PIP) --no-compile -r requirements-core.txt; fi
	@$(PIP) --no-deps -e .
	@touch $@

$(VENV)/.full: requirements.txt pyproject.toml
	@$(PYTHON) .ci/preflight.py 9
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing everything into $(VENV) (some minutes the first time) ..."
	@$(PIP) -r requirements.txt
	@$(PIP) --no-deps -e .
	@touch $@

$(VENV)/.test: requirements-dev.txt pyproject.toml
	@$(PYTHON) .ci/preflight.py 9
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing everything, and what the tests need, into $(VENV) (some minutes the first time) ..."
	@$(PIP) -r requirements-dev.txt
	@$(PIP) --no-deps -e .
	@touch $@ $(VENV)/.full

# The browser tests drive the system's chromium: Playwright's own build is not fetched.
chromium:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing chromium for the browser tests ..."; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; \
	  else echo "the browser tests need chromium: install it with your package manager and run this again"; exit 1; fi
