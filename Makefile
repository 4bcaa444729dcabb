# Everything a checkout needs; each target sets up what it uses. Paths are relative, so any folder name will do.
PYTHON ?= python3
BIN := .venv/bin
RUN := $(BIN)/python -m

.PHONY: help demo test check format perf reference clean
help:            ## List the targets
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

.venv/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed (PYTHON=...)"; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "The venv module is missing. On Debian: apt install python3-venv"; exit 1; }
	@touch $@

.venv/installed: .venv/made pyproject.toml constraints.txt
	$(RUN) pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

.venv/installed-dev: .venv/installed
	$(RUN) pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: .venv/installed   ## Evaluate a simulated model that erodes under pressure; shows a failing gate
	@$(RUN) pytest --model=demo:eroding -n 2 -q -r N --tb=no --show-capture=no; status=$$?; \
	if [ $$status -eq 1 ]; then \
	  echo; echo "This is what a blocked merge looks like: the gate failed (exit status 1), as it should for demo:eroding."; \
	  echo "Reports: reports/latest/summary.md   One conversation: $(BIN)/jmedethic show latest ja-jma21-s5-01"; \
	else echo "unexpected exit status $$status"; exit 1; fi

test: .venv/installed-dev   ## Run the tests
	$(RUN) pytest tests -n 2 --dist worksteal -q --timeout 180

check: .venv/installed-dev   ## Lint, types, cases, tests
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(RUN) jmedethic_pytest cases validate
	$(RUN) pytest tests -n 2 --dist worksteal -q --timeout 180

format: .venv/installed-dev   ## Format the code
	$(RUN) ruff check --fix .
	$(RUN) ruff format .

perf: .venv/installed   ## Measure speed and memory (a quarter of an hour); PERF="--only wall" for a part
	$(BIN)/python perf/run.py $(PERF)

reference: .venv/installed   ## Write docs/reference from the code
	$(BIN)/python docs/make_reference.py

clean:           ## Remove what can be made again (not reports/)
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis
