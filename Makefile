# Every target does the set-up it needs: Debian packages, .venv, the native library.
# Each step checks first whether there is anything to do.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: fuzz help setup demo test lint bench bench-full clean packages environment native

# Compilers, build tools, the libraries that the bridge and the Fortran hosts link (FFTW: one host
# alone), the MPI with which the tests spread a host over ranks, and the headers for the extension
# that shows hosts.
PACKAGES := gfortran g++ cmake ninja-build make pkg-config libzip-dev nlohmann-json3-dev \
	libudunits2-dev librandom123-dev libssl-dev libnetcdff-dev \
	libfftw3-dev libopenmpi-dev openmpi-bin python3-dev

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

setup: native ## install what is missing and build the native library

demo: setup ## train, compile, run in Fortran, score, write the report (minutes)
	@.venv/bin/hybrid demo

test: setup ## run the tests
	@.venv/bin/python -m pytest

lint: environment ## run every checker of Python, Fortran and C++ sources
	@.ci/lint

bench: setup ## measure every subject at its smallest size, beside its peers (at most 6 minutes)
	@.venv/bin/python -m benchmarks --quick

bench-full: setup ## measure every subject at every size (about an hour)
	@.venv/bin/python -m benchmarks --download

fuzz: setup ## feed mutated archives and manifests to the native library (minutes; needs clang)
	@cd tests && PYTHONPATH=.. ../.venv/bin/python -m bridge.fuzz.campaign

clean: ## remove what was built and cached; .venv and results/ stay
	rm -rf build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find benchmarks closures fortran_bridge hybrid solvers tests -name __pycache__ -prune \
	  -exec rm -rf {} +

packages:
	@.ci/system-packages $(PACKAGES)

environment:
	@.ci/python-environment

native: packages environment
	@.venv/bin/hybrid bridge build
