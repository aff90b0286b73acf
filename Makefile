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
test: ## Every test, lane by lane (about an hour on two cores)
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

.PHONY: test-site
test-site: ## Every page of the documentation in a browser
	@scripts/test site

.PHONY: test-faults
test-faults: ## Every workload with a fault at every write and in every interval of events
	@scripts/test faults

.PHONY: test-upgrade
test-upgrade: ## The release before beside this program on one database: upgrade, rollback and upgrade again
	@scripts/test upgrade

.PHONY: test-node
test-node: ## The packaged chart and the image on a real node, through an outage of the database, an upgrade and a rollback; wants root
	@scripts/test node

.PHONY: test-node-all
test-node-all: ## Every drill on a real node; writes docs/operations/drills.md
	@scripts/test node-all

.PHONY: test-consumers
test-consumers: ## Programs and libraries of other projects against one installation; writes docs/consumers/README.md
	@scripts/consumers --write

.PHONY: image
image: ## A static, reproducible OCI image without docker: target/image
	@scripts/image

.PHONY: image-twice
image-twice: ## Build the image twice and compare the digests
	@scripts/image --twice

.PHONY: release
release: ## Everything that a version consists of, signed with a key of its own, pushed to a registry of its own, and verified
	@scripts/release test

.PHONY: olm
olm: ## The bundle for the Operator Lifecycle Manager: target/olm
	@scripts/olm

.PHONY: bench
bench: ## The benchmarks; takes minutes and prints tables
	@scripts/bench

.PHONY: bench-scale
bench-scale: ## CLIENTS (100,000) at a real API server: created, restarted, a policy changed, rotated, replaced (about 25 minutes)
	@scripts/bench scale --clients $(or $(CLIENTS),100000)

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
cluster-build: ## Build the control plane, kubectl, helm and promtool (about 8 minutes the first time)
	@$(CONTROL_PLANE) build

.PHONY: cluster-up
cluster-up: ## Start Kubernetes in the background; prints the path of its kubeconfig
	@$(CONTROL_PLANE) up

.PHONY: cluster-down
cluster-down: ## Stop it and remove its files
	@$(CONTROL_PLANE) down
