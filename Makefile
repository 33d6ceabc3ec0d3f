# `make demo` and `make test` need Python 3.11 to 3.14 and make, nothing else.
# `make demo PYTHON=python3.13` takes another Python than `python3`.
.PHONY: demo test lint screenshots menus bench soak hostile

PYTHON ?= python3
# uv makes the environment. Where it is missing, pip gets it, into the environment.
UV := $(shell command -v uv || echo .venv/bin/uv)

# Where this is set, each of the many processes that are started here would compile for
# seconds what it imports.
unexport PYTHONDONTWRITEBYTECODE

demo: .venv/ready  ## bake with defaults into build/ and serve it (PORT= changes 8000)
	rm -rf build
	.venv/bin/cookiecutter --no-input --default-config --output-dir build .
	$(MAKE) --directory build/django_d_tale run

# No bytecode stands in the tree that is baked, or it would be baked with it.
test: .venv/ready  ## run every test of the template and of what it generates
	PYTHONPYCACHEPREFIX=$(CURDIR)/.venv/pycache .venv/bin/python -m pytest $(ARGS)

# Without a cache: it would stand in the tree that is baked, and be baked with it.
lint: .venv/ready
	.venv/bin/ruff check --no-cache
	.venv/bin/ruff format --no-cache --check

screenshots: .venv/ready  ## make the pictures of the README again, with Chromium
	SCREENSHOTS=docs .venv/bin/python -m pytest tests/test_browser.py -k screenshots

menus: .venv/ready  ## make docs/menus.md again, with Chromium
	MENUS=docs .venv/bin/python -m pytest tests/test_menus.py

bench: .venv/ready  ## measure a baked project beside bare Django and the tutorial
	.venv/bin/python -m bench $(if $(ONLY),--only $(ONLY))

soak: .venv/ready  ## let 50 people work while parts of the site fail (MINUTES= changes 30)
	SOAK_MINUTES=$(or $(MINUTES),30) .venv/bin/python -m pytest --numprocesses 0 tests/test_soak.py

hostile: .venv/ready  ## send hostile files and operations to a site, with nothing beside it
	HOSTILE_ALONE=1 .venv/bin/python -m pytest --numprocesses 0 -rP tests/test_hostile_site.py

.venv/ready: pyproject.toml $(filter .venv/%,$(UV))
	$(UV) sync --python $(PYTHON) --inexact
	touch $@

.venv/bin/uv:
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet uv
