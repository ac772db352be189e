# Every target sets up what it needs by itself: a virtual environment in $(VENV), once.
# On a fresh machine: Python 3.11 or newer, make, and a C compiler (without one: NumPy only).

PYTHON ?= python3
VENV ?= .venv
OUT ?= out
EXAMPLES = cnn_digits denoising_autoencoder siamese_digits tabular own_equations
RUN = $(VENV)/bin/python
SETUP = @$(PYTHON) scripts/setup_env.py --venv $(VENV) --extras

.PHONY: help demo examples test test-all lint format types golden bench clean env-demo env-dev env-bench

help:
	@echo 'make demo       derive, compile and train on scanned digits; writes $(OUT)/'
	@echo 'make examples   train the networks in examples/, about two minutes'
	@echo 'make test       the tests'
	@echo 'make test-all   the tests with full counts and large sweeps'
	@echo 'make lint       ruff: rules and format'
	@echo 'make format     let ruff mend what it can'
	@echo 'make types      mypy --strict'
	@echo 'make golden     rewrite generated/, the golden files'
	@echo 'make bench      the speed comparison'
	@echo 'make clean      remove what the targets made, the environment included'
	@echo 'Variables: PYTHON=$(PYTHON) VENV=$(VENV) OUT=$(OUT) ARGS= (passed on to pytest or the demo)'

env-demo:
	$(SETUP) plot,sklearn

env-dev:
	$(SETUP) dev,plot,sklearn

env-bench:
	$(SETUP) bench,sklearn

demo: env-demo
	@$(RUN) -m symbackprop demo --out $(OUT) $(ARGS)

examples: env-demo
	@set -e; for name in $(EXAMPLES); do echo "== examples/$$name.py"; $(RUN) examples/$$name.py; done

test: env-dev
	$(RUN) -m pytest $(ARGS)

test-all: env-dev
	$(RUN) -m pytest -m '' --hypothesis-profile=full $(ARGS)

lint: env-dev
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

format: env-dev
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

types: env-dev
	$(RUN) -m mypy

golden: env-dev
	$(RUN) -m pytest tests/golden --update $(ARGS)

bench: env-bench
	$(RUN) benchmarks/digits.py $(ARGS)

clean:
	rm -rf .venv out build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find symbackprop tests examples benchmarks scripts -name __pycache__ -prune -exec rm -rf {} +
