# Each target makes what it needs, in a virtual environment of its own.
#   make demo     fit real measurements, print the reports, draw the pictures
#   make test     run the tests; make quick leaves out the slow ones
#   make lint docs bench sanitize wheel clean
# Another interpreter:  make test PYTHON=python3.13 VENV=.venv-3.13

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
SOURCES := pyproject.toml setup.py $(wildcard $(foreach end,pyx pxd pxi h inc,lmoo/_core/*.$(end) lmoo/_core/*/*.$(end)) lmoo/include/lmoo.h)
# One computation at a time: the threads of a BLAS only get in each other's way here.
export OPENBLAS_NUM_THREADS ?= 1
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: everything demo test quick lint docs bench sanitize wheel clean

$(VENV)/.python:
	@echo "== making the virtual environment $(VENV)"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	touch $@

# Installed in place, so that changes of Python files need no new installation.
# Not quiet: pip shows what it does.
$(VENV)/.%: $(SOURCES) | $(VENV)/.python
	@echo "Installing lmoo[$*] in $(VENV): downloads, then a compilation of about a minute"
	$(BIN)/python -m pip install --editable ".[$*]"
	touch $@

# All that any target wants, in one installation instead of one each.
everything: | $(VENV)/.python
	$(BIN)/python -m pip install --quiet --editable ".[plot,test,lint,docs,bench,dask,files]"
	touch $(foreach extra,plot test lint docs bench dask files,$(VENV)/.$(extra))

demo: $(VENV)/.plot
	@echo "== fitting, and drawing into demo/"
	$(BIN)/python -m lmoo demo

test: $(VENV)/.test
	$(BIN)/python -m pytest -n auto --dist worksteal --durations 15
	# blockwise/cluster.py is imported where there is a Dask client alone; JAX is no part of .[test].
	$(BIN)/python -m pytest -n auto --dist worksteal --doctest-modules --doctest-glob="*.md" --ignore lmoo/blockwise/cluster.py \
	    --ignore-glob "lmoo/integrations/jax*.py" lmoo README.md

quick: $(VENV)/.test
	$(BIN)/python -m pytest -n auto --dist worksteal -m "not slow"

lint: $(VENV)/.lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python docs/packages.py --check >/dev/null
	$(BIN)/python docs/words.py
	for header in lmoo/_core/*.h lmoo/_core/*/*.h lmoo/include/*.h; do \
	    echo "#include \"$$header\"" | $(CC) -std=c11 -Wall -Wextra -Werror -fsyntax-only -I. -Ilmoo/_core -Ilmoo/include \
	        $$($(BIN)/python -c "import sysconfig, numpy; print('-isystem', \
	        sysconfig.get_path('include'), '-isystem', numpy.get_include())") -x c - || exit 1; \
	done

docs: $(VENV)/.docs
	$(BIN)/python -m sphinx -W --keep-going -q -d docs/_build/trees -b html docs docs/_build/html
	$(BIN)/python docs/check_pages.py docs/_build/html
	$(BIN)/python -m sphinx -W --keep-going -q -d docs/_build/trees -b doctest docs docs/_build/doctest

bench: $(VENV)/.bench
	$(BIN)/python benchmarks/versus_scipy.py
	$(BIN)/python benchmarks/import_time.py
	$(BIN)/python benchmarks/nist_table.py
	$(BIN)/python benchmarks/curve_fit.py

# The kernels with their assertions, under AddressSanitizer and UndefinedBehaviorSanitizer.
sanitize: $(VENV)/.test
	$(BIN)/python -m pip install --quiet --upgrade "setuptools>=77" Cython
	LMOO_SANITIZE=1 $(BIN)/python setup.py --quiet build --build-base build/sanitize \
	    --build-lib build/sanitize/lib
	LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libubsan.so)" \
	    ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 \
	    PYTHONPATH=build/sanitize/lib PYTHONMALLOC=malloc \
	    $(BIN)/pytest -p no:cacheprovider -n auto --dist worksteal tests/sanitizers.py tests/core tests/leastsq \
	    tests/test_mgh.py

wheel: $(VENV)/.python
	$(BIN)/python -m pip install --quiet build
	$(BIN)/python -m build

clean:
	rm -rf build dist .venv .venv-* *.egg-info demo docs/_build docs/api docs/gallery docs/sg_execution_times.rst
	rm -f lmoo/_core/*.c lmoo/_core/*.so lmoo/_core/*.pyd
