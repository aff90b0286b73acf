# `make help` lists what there is. Every target works on a fresh machine with Rust, Go and make.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CONTROL_PLANE := go -C cluster run .

.PHONY: help
help: ## Show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## Everything from nothing: a cluster, the chart, the operator, the samples, a token, a web app to sign in to, the dashboard
	@scripts/demo up

.PHONY: demo-dashboard
demo-dashboard: ## Another one-time token for the dashboard of the demo
	@scripts/demo dashboard

.PHONY: demo-down
demo-down: ## Remove what `make demo` left running
	@scripts/demo down

.PHONY: test
test: ## Every test, lane by lane (about 35 minutes on two cores)
	@scripts/test

.PHONY: test-fast
test-fast: ## Unit tests, protocol, store on SQLite: no cluster, under a minute once built
	@scripts/test fast

.PHONY: test-store
test-store: ## The store on PostgreSQL
	@scripts/test store

.PHONY: test-cluster
test-cluster: ## The operator at a real API server
	@scripts/test cluster

.PHONY: test-journey
test-journey: ## The binary, the chart, client libraries and a browser
	@scripts/test journey

.PHONY: test-faults
test-faults: ## Every workload with a fault at every write and in every interval of events
	@scripts/test faults

.PHONY: test-consumers
test-consumers: ## Programs and libraries of other projects against one installation; writes docs/consumers/README.md
	@scripts/consumers --write

.PHONY: bench
bench: ## The benchmarks; takes minutes and prints tables
	@scripts/bench

.PHONY: bench-hold
bench-hold: ## Whether it holds: victims beside one attack after the other, with 512 MiB (about 20 minutes; SECONDS_EACH=10 is shorter)
	@scripts/bench hold --seconds $(or $(SECONDS_EACH),60)

.PHONY: soak
soak: ## Mixed traffic, changes and restarts for MINUTES (60): memory, files, rows and latency stay as they were
	@scripts/bench hold --soak $(or $(MINUTES),60)

.PHONY: fuzz
fuzz: ## Every fuzz target for a minute each
	@scripts/fuzz 60

.PHONY: check
check: ## Format, clippy, deny, freshness of generated files
	@scripts/check

.PHONY: generate
generate: ## Write the generated files: CRDs, the chart's CRDs and table of values, deploy/install.yaml, docs/reference
	@scripts/generate

.PHONY: docs
docs: ## Build the documentation as a site, target/site/index.html, which needs no network
	@scripts/docs

.PHONY: pictures
pictures: ## Take the screenshots of docs/pictures again
	@scripts/pictures

.PHONY: cluster-build
cluster-build: ## Build the control plane, kubectl and helm (about 5 minutes the first time)
	@$(CONTROL_PLANE) build

.PHONY: cluster-up
cluster-up: ## Start Kubernetes in the background; prints the path of its kubeconfig
	@$(CONTROL_PLANE) up

.PHONY: cluster-down
cluster-down: ## Stop it and remove its files
	@$(CONTROL_PLANE) down
