# `make demo` and `make test` need only make and Python 3.11 to 3.14.
# `make demo PYTHON=python3.13` uses that Python instead of `python3`.
.PHONY: demo help test package coverage project lint screenshots menus bench corpus soak cold hostile release

PYTHON ?= python3
# uv creates .venv. If uv is not installed, pip first installs it into .venv.
UV := $(shell command -v uv || echo .venv/bin/uv)

LIBRARY := {{cookiecutter.project_slug}}/packages/django-dtale

# With PYTHONDONTWRITEBYTECODE, each process that the tests start would spend seconds on compiling
# its imports.
unexport PYTHONDONTWRITEBYTECODE

demo: .venv/ready  ## bake with defaults into build/ and serve it (PORT= changes 8000)
	rm -rf build
	.venv/bin/cookiecutter --no-input --default-config --output-dir build .
	$(MAKE) --directory build/django_d_tale run

help:  ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "%-12s %s\n", $$1, $$2}' Makefile

# Cookiecutter would copy bytecode from the template's tree into each bake, so write it to .venv.
test: .venv/ready  ## run all tests of the template and of the project that it generates
	PYTHONPYCACHEPREFIX=$(CURDIR)/.venv/pycache .venv/bin/python -m pytest $(ARGS)

package: project  ## run the library's own tests (ARGS="-k sharing" runs some of them)
	cd build/django_d_tale && PYTHONPYCACHEPREFIX=$(CURDIR)/.venv/pycache .venv/bin/python $(MEASURE) -m pytest \
		-c ../../tests/package/pytest.ini --numprocesses auto $(CURDIR)/tests/package $(ARGS)

# The coverage excludes processes that the tests start.
coverage:  ## run the library's own tests, and measure their coverage
	$(MAKE) package MEASURE="-m slipcover --branch --dont-wrap-pytest --json --out coverage.json \
		--source packages/django-dtale/src/django_dtale"
	build/django_d_tale/.venv/bin/python -m slipcover --branch --skip-covered \
		--merge build/django_d_tale/coverage.json --out build/coverage.json

# The library is tested inside a project. Each run bakes build/ again but keeps its environment.
project: .venv/ready  ## bake into build/, and install the dependencies of the library's tests
	rm -rf build/django_d_tale/*
	.venv/bin/cookiecutter --no-input --default-config --overwrite-if-exists --output-dir build .
	$(MAKE) --directory build/django_d_tale .venv/ready
	$(UV) sync --directory build/django_d_tale --inexact --all-extras
	$(UV) pip install --quiet --python build/django_d_tale/.venv --group package

# Cookiecutter would copy ruff's cache from the template's tree into each bake. mypy runs in a
# project, because its Django plugin imports the settings. It uses the project's configuration,
# and checks the library and the site.
lint: project  ## check style, spelling, prose, templates and types
	.venv/bin/ruff check --no-cache . $(LIBRARY)
	.venv/bin/ruff format --no-cache --check . $(LIBRARY)
	.venv/bin/codespell
	PYTHONPYCACHEPREFIX=$(CURDIR)/.venv/pycache .venv/bin/python -m pytest --quiet --numprocesses 0 tests/template/test_prose.py
	find {{*}} -name '*.html' -exec .venv/bin/djade --check --target-version 5.2 {} +
	cd build/django_d_tale && .venv/bin/mypy .

screenshots: .venv/ready  ## take screenshots of all pages, update the references and the documents
	SCREENSHOTS=docs .venv/bin/python -m pytest tests/system/test_browser.py tests/system/test_views.py \
		tests/system/test_screenshots.py -k "screenshots and not gallery"

menus: .venv/ready  ## update docs/menus.md with Chromium
	MENUS=docs .venv/bin/python -m pytest tests/system/test_menus.py

bench: .venv/ready  ## compare a baked project with bare Django and D-Tale (ONLY= selects)
	ROWS=$(ROWS) .venv/bin/python -m bench $(if $(ONLY),--only $(ONLY))

# Nobody imports the packages. Those for one version of Python serve all versions, and they
# are installed without what they depend on.
corpus: project build/corpus/ready  ## open the data files of 70 packages and compare each cell (ONLY= selects)
	cd build/django_d_tale && PYTHONPYCACHEPREFIX=$(CURDIR)/.venv/pycache PYTHONPATH=$(CURDIR)/tests \
		DJANGO_SETTINGS_MODULE=package.settings .venv/bin/python -m corpus ../corpus $(ONLY)

build/corpus/ready: $(wildcard tests/corpus/*.txt) | .venv/ready
	rm -rf build/corpus
	$(UV) pip install --quiet --python .venv --target build/corpus/packages --no-deps \
		--python-version 3.12 --only-binary :all: --requirement tests/corpus/packages.txt
	$(UV) venv --quiet --seed --python .venv/bin/python build/corpus/pip
	build/corpus/pip/bin/python -m pip download --quiet --no-deps --no-binary :all: \
		--dest build/corpus/packages --requirement tests/corpus/sources.txt
	build/corpus/pip/bin/python -m pip download --quiet --no-deps --no-binary :all: \
		--dest build/corpus/test_files --requirement tests/corpus/test_files.txt
	touch $@

soak: .venv/ready  ## simulate 50 users while parts of the site fail (MINUTES= changes 30)
	SOAK_MINUTES=$(or $(MINUTES),30) .venv/bin/python -m pytest --numprocesses 0 tests/system/test_soak.py

cold: .venv/ready  ## open D-Tale in 120 servers that have just started
	COLD_STARTS=all .venv/bin/python -m pytest --numprocesses 0 tests/system/test_cold_start.py

hostile: .venv/ready  ## send hostile files and operations to a site (needs an idle machine)
	HOSTILE_ALONE=1 .venv/bin/python -m pytest --numprocesses 0 -rP tests/system/test_hostile_site.py

release:  ## set VERSION= everywhere, check the changelogs, commit and tag
	@$(PYTHON) scripts/release.py $(VERSION)

.venv/ready: pyproject.toml $(filter .venv/%,$(UV))
	$(UV) sync --python $(PYTHON) --inexact
	touch $@

.venv/bin/uv:
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet uv
