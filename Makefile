# demo: set up and start the page · test: set up and run the suite · check: format, lint, types, floors, suite
# bench: print the speed report · PORT=, PYTHON= override
PYTHON ?= python3
PORT ?= 7860
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
PYTEST := OMP_NUM_THREADS=2 TOKENIZERS_PARALLELISM=false $(BIN)/python -m pytest

.PHONY: demo test lint check bench setup

demo: $(VENV)/.run
	@echo "mvr opens at http://127.0.0.1:$(PORT) (Ctrl-C stops it)"
	@GRADIO_SERVER_PORT=$(PORT) $(BIN)/python app.py

test: $(VENV)/.test chromium
	$(PYTEST) -m "not real_data and not slow and not postgres"

lint: $(VENV)/.test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test

bench: $(VENV)/.run
	$(BIN)/python -m eval.speed --out eval/results/speed

setup: $(VENV)/.run

$(VENV)/.run: requirements.txt pyproject.toml
	@$(PYTHON) .ci/preflight.py
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing requirements.txt into $(VENV) (some minutes the first time) ..."
	@$(PIP) torch==2.14.1 torchvision==0.29.1
	@$(PIP) -r requirements.txt
	@$(PIP) --no-deps -e .
	@touch $@

$(VENV)/.test: $(VENV)/.run requirements-dev.txt requirements-ray.txt
	@$(PIP) -r requirements-dev.txt -r requirements-ray.txt
	@touch $@

# The browser tests drive the system's chromium: Playwright's own build is not fetched.
.PHONY: chromium
chromium:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing chromium for the browser tests ..."; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; \
	  else echo "the browser tests need chromium: install it with your package manager and run this again"; exit 1; fi
