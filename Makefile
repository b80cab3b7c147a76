# Keydesk: `make demo` to look at it, `make test` to change it.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PORT ?= 5000
UV ?= uv
# Three for two processors: many tests wait for other processes.
WORKERS ?= $(shell echo $$(( ($$(getconf _NPROCESSORS_ONLN) * 3 + 1) / 2 )))
PYTEST_ARGS ?= -q -n $(WORKERS)
export PORT

help: ## Show what make can do
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile | awk -F'|' '{ printf "  make %-10s %s\n", $$1, $$2 }'

install: $(STAMP) ## Install the portal into .venv

demo: $(STAMP) ## Start a portal with example orders on 127.0.0.1 (PORT=5000, RESET=1 starts over)
	@$(BIN)/keydesk demo $(if $(RESET),--reset)

demo-order: $(STAMP) ## Tell the demo that runs of a paid order
	@$(BIN)/keydesk demo order

test: $(STAMP) ## Check types, style and every test, in real browsers, mail servers and databases
	@.ci/need chromium postgresql sqlite3 curl openssl
	@$(MAKE) --no-print-directory lint
	@$(BIN)/pytest $(PYTEST_ARGS)

lint: $(STAMP) ## Check style, format and types
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check . || { echo "Run 'make format'."; exit 1; }
	@$(BIN)/mypy --no-error-summary

format: $(STAMP) ## Format the code and mend what can be mended
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .

messages: $(STAMP) ## Bring the translations of the e-mails up to date with their templates
	@$(BIN)/pybabel --quiet extract --mapping-file babel.cfg --add-location file --width 100 \
		--project Keydesk --output-file $(VENV)/messages.pot templates/emails
	@$(BIN)/pybabel --quiet update --ignore-pot-creation-date --no-fuzzy-matching --width 100 \
		--input-file $(VENV)/messages.pot --output-dir portal/locale
	@$(BIN)/pybabel --quiet compile --directory portal/locale

bench: $(STAMP) ## Measure a portal of 1,000,000 orders
	@$(BIN)/python -m bench

lock: ## Renew requirements.lock (needs uv)
	@$(UV) pip compile pyproject.toml --quiet --upgrade --universal --python-version 3.11 \
		--all-extras --generate-hashes --no-emit-index-url --no-header \
		--no-annotate --output-file requirements.lock

clean: ## Remove what make and the tests made; the demo's data stays
	@rm -rf $(VENV) *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis test-results
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A dead symbolic link stands here when the Python a .venv was made with has gone: made anew then.
$(STAMP): requirements.lock pyproject.toml
	@.ci/venv $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: help install demo demo-order test lint format messages bench lock clean
