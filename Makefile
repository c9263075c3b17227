PYTHON ?= python3
VENV := .venv
CHOSEN := not exhaustive
BIN := $(VENV)/bin
READY := $(VENV)/.ready
VERSION := -c 'import sys; print("%d.%d" % sys.version_info[:2])'
DOCS := $(VENV)/.docs

.PHONY: run smoke test test-all share lint types unit mutants fuzz judge repeatability cost selfcheck gate rounds peers rows limits audit \
	verify-simd verify-truth figures outputs docs full-report \
	catalogue-accuracy sample portable oldest interpreters versions cold steps history clean

run: $(READY)                ## the default preset, with its tables
	$(BIN)/python -m actbench run

smoke: $(READY)              ## a few seconds: does it work here?
	$(BIN)/python -m actbench run --preset smoke

test: $(READY)               ## lint, types and every behaviour once: two minutes
	$(MAKE) --no-print-directory --jobs=2 lint types unit

test-all: $(READY)           ## likewise, and everything exhaustive: a quarter of an hour
	$(MAKE) --no-print-directory --jobs=2 lint types unit CHOSEN=

share: CHOSEN = exhaustive
share: unit                  ## a part of the exhaustive tests: make share SHARE=2/8

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy --cache-dir .mypy_cache/$(VENV) $(TARGET:%=--python-version %)

unit: export PYTHONDONTWRITEBYTECODE = # what hundreds of processes import is compiled once
unit: $(READY)
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal -q -m "$(CHOSEN)" $(SHARE:%=--share %)

sample: $(READY)             ## less than a minute of tests: what depends most on the versions of Python and libraries
	$(BIN)/python -m tests.sample

portable:                    ## lint, types and the sample, in an environment for make PYTHON=python3.13
	$(MAKE) VENV=.venv-$(shell $(PYTHON) $(VERSION)) lint types sample

oldest:                      ## likewise, with the oldest versions that pyproject.toml allows: make PYTHON=python3.11
	$(PYTHON) .ci/oldest.py > .venv-oldest.txt
	$(MAKE) VENV=.venv-oldest PYTHON=$(PYTHON) CONSTRAINTS=.venv-oldest.txt lint types sample

interpreters: $(READY)       ## both, on every Python that is supported and on this machine
	$(BIN)/python .ci/interpreters.py

mutants: $(READY)            ## do the tests notice faults? a hundred of them, one by one: an hour or two
	$(BIN)/python -m benchmarks.mutants

fuzz: $(READY)               ## ten thousand damaged runs: refused, or read as they were measured: a few minutes
	$(BIN)/python -m benchmarks.fuzz
	$(BIN)/python -m benchmarks.fuzz --of train --count 2000

judge: $(READY)              ## right kernels in other styles accepted, cheats refused, one by one: four minutes
	$(BIN)/python -m benchmarks.judge

repeatability: $(READY)      ## how far ratios scatter over runs, beside stock pyperf: about a quarter of an hour
	$(BIN)/python -m benchmarks.repeatability

cost: $(READY)               ## what a case costs, beside stock pyperf: about ten minutes
	$(BIN)/python -m benchmarks.cost

selfcheck: $(READY)          ## what is a live check worth on this host? about five minutes
	$(BIN)/python -m actbench selfcheck

gate: $(READY)               ## how often does it cry wolf? forty live checks, about forty minutes
	$(BIN)/python -m benchmarks.gate

rounds: $(READY)             ## what does a round of a live check cost, and what may it cost? ten minutes on an idle host
	$(BIN)/python -m benchmarks.rounds

audit: $(READY)              ## where torch's and jax's own gradients are wrong, where installed: about five minutes
	$(BIN)/python -m benchmarks.audit

peers: $(READY)              ## actbench's kernels beside other libraries, where installed: about ten minutes
	$(BIN)/python -m benchmarks.peers

rows: $(READY)               ## loops along rows and swiglu beside other libraries, where installed: two minutes
	$(BIN)/python -m benchmarks.rows

limits: $(READY)             ## what interleaving, shorter chains and prefetching are worth to numba-simd: ten minutes
	$(BIN)/python -m benchmarks.limits -a '*' -n 4096,100000
	$(BIN)/python -m benchmarks.small_calls
	$(BIN)/python -m benchmarks.limits -a logistic,tanh -s recompute,cached -n 1000000,4000000,16000000
	$(BIN)/python -m benchmarks.readers

verify-simd: $(READY)        ## how far are the branch-free functions from the truth? every float32: a few minutes
	$(BIN)/python -m benchmarks.verify_simd

verify-truth: $(READY)       ## is the truth true? 48 definitions against 1 200 digits: a minute
	$(BIN)/python -m benchmarks.truth

figures: $(READY)            ## the pictures and tables that the documents show, from results/
	$(BIN)/python -m benchmarks.figures
	$(BIN)/python -m benchmarks.summaries
	$(BIN)/python -m benchmarks.pages

outputs: $(READY)            ## what commands print, as the documents quote it: five minutes of a quiet host
	$(BIN)/python -m benchmarks.pages.outputs
	$(BIN)/python -m benchmarks.first_answer
	$(BIN)/python -m benchmarks.pages

docs: $(DOCS)                ## the documents, warnings being errors: build/docs/index.html
	$(BIN)/python -m sphinx --quiet --fresh-env --fail-on-warning --keep-going --nitpicky docs build/docs

full-report: $(READY)        ## what a report of ten thousand cases takes, in seconds and bytes: a minute
	$(BIN)/python -m benchmarks.full_report

catalogue-accuracy: $(READY) ## what the accuracy of every activation in float64 takes: 90 s of processor time at most
	$(BIN)/python -m benchmarks.catalogue_accuracy

cold: $(READY)               ## do ratios with cold operands repeat, and is the cold copy as fast as one of a gigabyte?
	$(BIN)/python -m benchmarks.cold

steps: $(READY)              ## how precise are ratios of steps, does a formula equal itself, are gains what is predicted? half an hour
	$(BIN)/python -m benchmarks.training precision
	$(BIN)/python -m benchmarks.training twins
	$(BIN)/python -m benchmarks.training gains

versions: $(READY)           ## is actbench slower than the version of another environment? make versions OTHER=PYTHON
	$(BIN)/python -m benchmarks.versions $(OTHER)

history: $(READY)            ## steps that are false and found in resampled runs, the page of a long history: two minutes
	$(BIN)/python -m benchmarks.history steps
	$(BIN)/python -m benchmarks.history page

clean:
	rm -rf $(VENV) .venv-* build dist docs/_dark docs/reference/activations docs/reference/commands .mypy_cache .pytest_cache .ruff_cache .hypothesis

ifneq ($(origin PYTHON), file)  # where PYTHON is named, an environment of another version is made anew
ifneq ($(shell $(PYTHON) $(VERSION)), $(shell $(BIN)/python $(VERSION) 2>&1))
.PHONY: $(READY)
endif
endif

$(READY): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "actbench needs Python 3.11 or newer: make PYTHON=python3.13")'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable . --group dev $(CONSTRAINTS:%=--constraint %)
	touch $@

$(DOCS): $(READY)
	$(BIN)/python -m pip install --quiet --group docs
	touch $@
