# demo: the page · test: the whole suite · check: format, lint, types, floors, suite · bench: speed report
PYTHON ?= python3
PORT ?= 7860
VENV := .venv
BIN := $(VENV)/bin
RUN := OMP_NUM_THREADS=2 TOKENIZERS_PARALLELISM=false

.PHONY: demo test check lint bench setup setup-dev

demo: setup
	@echo "mvr: http://127.0.0.1:$(PORT)"
	@GRADIO_SERVER_PORT=$(PORT) $(BIN)/python app.py

test: setup-dev
	$(RUN) $(BIN)/python -m pytest -m "not real_data and not slow"

lint: setup-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test

bench: setup
	$(BIN)/python -m eval.speed --out eval/results/speed
