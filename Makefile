# The few verbs that people and CI share. Each does its own set-up, in one command.
VENV ?= .venv
export CALLCENTER_VENV := $(VENV)
BIN := $(VENV)/bin

.PHONY: help demo test lint format bench frontend asterisk clean

help:
	@echo "make demo    the whole service with a simulated PBX and sample customers"
	@echo "make test    all tests, with a real Asterisk, PostgreSQL and browser where they can be had"
	@echo "make lint    formatting, types, layers, spelling"
	@echo "make bench   speed and memory, as ratios; writes bench/RESULTS.md"

demo: frontend
	@$(BIN)/callcenter demo

test: dev frontend
	@scripts/test-parts
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile $(PYTEST)

lint: dev
	@scripts/lint

format: dev
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

bench: dev
	@$(BIN)/python -m bench $(BENCH)

frontend: run
	@scripts/build-frontend

asterisk:
	@scripts/asterisk-testbed prepare

.PHONY: run dev
run:
	@scripts/bootstrap run
dev:
	@scripts/bootstrap dev

clean:
	rm -rf $(VENV) .cache dist build screenpop/static screenpop/web/node_modules
