# `make help` lists what there is. What a fresh machine lacks beyond Go, Python 3 and a C
# compiler is installed below .cache/ (tools) and as a managed runtime (Python), never into the
# system, but for Debian packages where make runs as root (`make deps`).
SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
TAGS    := duckdb_arrow
# -trimpath and an empty build id: the same commit gives the same bytes anywhere.
GOFLAGS_BUILD := -tags $(TAGS) -trimpath -buildvcs=false -ldflags "-s -w -buildid= -X main.version=$(VERSION)"
RUN     := bin/millpond runtime run -- python
TOOLS   := .cache/tools

GOLANGCI_VERSION      := v2.15.0
SCHEMATHESIS_VERSION  := 4.32.5
PROTOC_GEN_GO_VERSION := v1.36.12
PROTOC_GEN_GRPC_VERSION := v1.6.2
GRPCIO_TOOLS_VERSION  := 1.85.1

.PHONY: help build runtime test test-go test-race test-e2e test-browser test-types screens lint vet fuzz generate demo demo-stop coverage bench deps clean acceptance

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

build: ## bin/millpond
	go build $(GOFLAGS_BUILD) -o bin/millpond ./cmd/millpond

demo: ## build, start, run the study guide's workflow on real flights, leave the server running
	demo/run.sh

demo-stop: ## stop the server that the demo left running
	demo/stop.sh

test: deps lint test-go test-race test-e2e test-browser ## everything that CI runs; installs what it needs

test-go: ## unit tests and recorded answers of real Spark
	go test -tags $(TAGS) ./...

test-race: ## the packages without C code, under the race detector
	go test -race -short $$(test/pure.sh)

test-e2e: build runtime $(TOOLS)/schemathesis/bin/schemathesis ## real pyspark and mlflow clients against bin/millpond
	MILLPOND_BIN=$(CURDIR)/bin/millpond SCHEMATHESIS=$(CURDIR)/$(TOOLS)/schemathesis/bin/schemathesis $(RUN) -m pytest -q test/e2e python/tests

test-browser: build runtime ## the pages in Chromium, on runs that the MLflow client logs
	MILLPOND_BIN=$(CURDIR)/bin/millpond go test -count 1 ./test/browser

test-types: ## the types of the pages' modules (needs npm)
	cd internal/ui && npm ci --no-audit --no-fund && npm run check

screens: build ## pictures of every page for docs/screens, of the demo's server
	docs/screens.sh

runtime: ## the managed Python runtime: clients, libraries, pytest
	go run ./cmd/millpond-runtime

vet:
	go vet -tags $(TAGS) ./...

lint: vet $(TOOLS)/golangci-lint ## gofmt, go vet and golangci-lint
	@test -z "$$(gofmt -l cmd content internal bench)" || { echo 'gofmt these:'; gofmt -l cmd content internal bench; exit 1; }
	$(TOOLS)/golangci-lint run --build-tags $(TAGS) ./...

FUZZTIME ?= 20s
fuzz: ## every fuzz test for FUZZTIME
	@for f in $$(grep -rlE '^func Fuzz' --include='*_test.go' internal); do \
	  for name in $$(grep -oE '^func Fuzz[A-Za-z0-9_]+' $$f | cut -d' ' -f2); do \
	    echo "== $$(dirname $$f) $$name"; go test -tags $(TAGS) -run '^$$' -fuzz "^$$name$$" -fuzztime $(FUZZTIME) ./$$(dirname $$f); done; done

generate: build runtime $(TOOLS)/protoc-gen-go $(TOOLS)/protoc-gen-go-grpc ## the protocol's Go code, from proto/
	bin/millpond runtime run -- uv pip install -q --target .cache/protoc grpcio-tools==$(GRPCIO_TOOLS_VERSION)
	PATH=$(CURDIR)/$(TOOLS):$$PATH PYTHONPATH=.cache/protoc $(RUN) -m grpc_tools.protoc -I proto \
	  --go_out=. --go_opt=module=github.com/millpond/millpond \
	  --go-grpc_out=. --go-grpc_opt=module=github.com/millpond/millpond proto/spark/connect/*.proto

coverage: ## docs/coverage.md, what covers each objective of the course
	go run -tags $(TAGS) ./cmd/millpond learn coverage content -o docs/coverage.md

bench: build runtime ## race real Spark, MLflow, scikit-learn and LightGBM; writes bench/RESULTS.md
	$(RUN) bench/run.py

acceptance: build runtime ## the acceptance programs beside the checkout (../shared)
	test/acceptance.sh

$(TOOLS)/schemathesis/bin/schemathesis:
	python3 -m venv $(TOOLS)/schemathesis
	$(TOOLS)/schemathesis/bin/pip install -q schemathesis==$(SCHEMATHESIS_VERSION)

$(TOOLS)/golangci-lint:
	GOBIN=$(CURDIR)/$(TOOLS) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
$(TOOLS)/protoc-gen-go:
	GOBIN=$(CURDIR)/$(TOOLS) go install google.golang.org/protobuf/cmd/protoc-gen-go@$(PROTOC_GEN_GO_VERSION)
$(TOOLS)/protoc-gen-go-grpc:
	GOBIN=$(CURDIR)/$(TOOLS) go install google.golang.org/grpc/cmd/protoc-gen-go-grpc@$(PROTOC_GEN_GRPC_VERSION)

deps: $(TOOLS)/golangci-lint ## what the tests need and this machine lacks
	test/deps.sh

clean: ## what was built; the caches stay
	rm -rf bin dist
