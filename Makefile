# Everything runs in .venv, made from the pinned requirements; needs git, python3 >= 3.11 and make.
PYTHON ?= python3
BIN := .venv/bin
RUN_ENV = DEBUG=$${DEBUG:-1} DATABASE_POOL_SIZE=$${DATABASE_POOL_SIZE:-20}
URL ?= http://127.0.0.1:$(or $(PORT),8000)

.DEFAULT_GOAL := help
.PHONY: help run demo test test-all stack stack-test chaos fuzz advisories bench-fanout bench-analytics bench-predictions bench-live lighthouse load e2e screenshots lint format messages dashboards lock clean

help: ## Show what can be done
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/.runtime ## Run the clinic on http://127.0.0.1:8000 (PORT, DATABASE_URL, REDIS_URL … from the environment)
	@$(RUN_ENV) exec $(BIN)/python manage.py serve

demo: .venv/.runtime ## Walk the loop against the running server: sign in, socket, feedback, events, ranking
	@DEBUG=1 $(BIN)/python manage.py demo --url $(URL)

test: .venv/.develop ## Lint, types, checks, then the suite on SQLite and on real PostgreSQL and Redis
	@$(BIN)/python -m tests.run

test-all: .venv/.develop ## The same with all that takes long: every way through the browser, the stack, drills
	@$(BIN)/python -m tests.run --thorough

e2e: .venv/.develop ## Every way through the dashboard in a browser; `make test` walks the main ones (some minutes)
	@DEBUG=1 $(BIN)/python -m pytest -q -n 2 --dist loadfile tests/e2e

stack: .venv/.develop ## The clinic as in production: nginx with TLS, gunicorn, uvicorn, worker, PostgreSQL, Redis, Prometheus
	@$(BIN)/python -m tests.stack --demo $${FOLDER:+--folder $$FOLDER}

stack-test: .venv/.develop ## Try that stack: requests, restarts under load, outages, logs, alarms, backup drill (a quarter of an hour)
	@$(BIN)/python -m tests.run --only stack

fuzz: .venv/.develop ## Send 20,000 requests made of the API's schema, as each role, and look at every answer (CASES= MINUTES=30 SEED=…)
	@$(BIN)/python -m tests.fuzz --cases $${CASES:-20000} --minutes $${MINUTES:-30} $${SEED:+--seed $$SEED}

advisories: .audit/bin/pip-audit ## Ask PyPI whether a pinned version has a known weakness; fails, and says so, where it cannot be asked
	@.audit/bin/pip-audit --strict --disable-pip --no-deps --progress-spinner off -r requirements.txt -r requirements-dev.txt \
		|| { echo "Not shown to be free of known weaknesses: see above."; exit 1; }

chaos: .venv/.develop ## Kill, restart and mislead real servers under load at random (MINUTES=5 SEED=…)
	@$(BIN)/python -m tests.chaos --minutes $${MINUTES:-5} $${SEED:+--seed $$SEED}

bench-fanout: .venv/.develop ## One event to 1,000 sockets beside the usual designs; 10,000 idle sockets (some minutes)
	@$(BIN)/python -m benchmarks.fanout

bench-analytics: .venv/.develop ## Reading, posting and rebuilding as a history grows to 10,000,000 reports (half an hour)
	@$(BIN)/python -m benchmarks.analytics

bench-predictions: .venv/.develop ## How good predictions are, what training takes and serving costs (DRUGLIB=folder of the reviews)
	@$(BIN)/python -m benchmarks.predictions

load: .venv/.develop ## People who use the clinic, with sockets (USERS=1000 RATE=50 TIME=2m, URL= and ACCOUNTS= of a stack that runs)
	@$(BIN)/python -m benchmarks.load --users $${USERS:-1000} --rate $${RATE:-50} --time $${TIME:-2m} $${URL:+--url $$URL --accounts $$ACCOUNTS}

bench-live: .venv/.develop ## How soon a change is on the screen of whoever watches (nginx, Chromium; some minutes)
	@$(BIN)/python -m benchmarks.live

lighthouse: .venv/.develop ## What Lighthouse says about the dashboard on a phone (nginx, Chromium, node, npm; some minutes)
	@$(BIN)/python -m benchmarks.lighthouse

screenshots: .venv/.develop ## Take docs/screenshots anew from the running server with its demonstration clinic
	@$(BIN)/python -m tests.e2e.screenshots --url $(URL)

lint: .venv/.develop ## The quick half of `make test`
	@$(BIN)/python -m tests.run --only lint

format: .venv/.develop ## Put the code into its one shape
	@$(BIN)/ruff check --fix-only . && $(BIN)/ruff format .

messages: .venv/.develop ## Collect the texts for translators, then compile what they wrote
	@$(BIN)/pybabel -q extract -F locale/babel.cfg -k gettext_lazy -k _ --no-location --project=Avicenna --version=0.1 --copyright-holder="the Avicenna maintainers" --sort-output -o locale/messages.pot .
	@$(BIN)/pybabel -q update -D django -i locale/messages.pot -d locale -l fa --no-fuzzy-matching --ignore-obsolete
	@$(BIN)/pybabel -q compile -D django -d locale
	@$(BIN)/pybabel -q compile -D django -d locale/frameworks

dashboards: .venv/.develop ## Write Grafana's dashboards anew from docker/grafana/build.py
	@$(BIN)/python docker/grafana/build.py

lock: ## Resolve the requirements anew from pyproject.toml (needs uv)
	uv pip compile --universal --python-version 3.11 --no-emit-index-url --no-header pyproject.toml -o requirements.txt
	uv pip compile --universal --python-version 3.11 --no-emit-index-url --no-header --extra dev -c requirements.txt pyproject.toml -o requirements-dev.txt

clean: ## Remove the environment and caches; data stays
	rm -rf .venv .audit .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Avicenna needs Python 3.11 or newer (PYTHON=python3.12 make …).")'
	@$(PYTHON) -m venv .venv || { echo "python3 cannot make a virtual environment; on Debian: apt install python3-venv"; rm -rf .venv; exit 1; }

# Beside .venv: what it brings along is for nothing else.
.audit/bin/pip-audit:
	@$(PYTHON) -m venv .audit && .audit/bin/pip install -q --disable-pip-version-check pip-audit==2.10.1

.venv/.runtime: requirements.txt | .venv/bin/python
	@echo "Installing what Avicenna needs into .venv …"
	@$(BIN)/pip install -q --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/.develop: requirements-dev.txt | .venv/bin/python
	@echo "Installing what the tests need into .venv …"
	@$(BIN)/pip install -q --disable-pip-version-check -r requirements-dev.txt
	@touch $@ .venv/.runtime
