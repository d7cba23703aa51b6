# People and CI call the same targets: .ci/run is `make test` and nothing else.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.PHONY: build run demo rehearsal check test model soak bench lint layers ceph concourse picture clean help \
	app-test app-package app-deploy app-rollback infra-plan infra-apply platform-smoke \
	builder-image branch-list branch-deploy branch-prune judge-test judge-selftest judge-package set-pipelines

VERSION = $(shell git describe --always --dirty 2>/dev/null || echo dev)
LDFLAGS = -X main.version=$(VERSION)

# The go command leaves directories with a dot out of ./...
PACKAGES = ./... ./.ci/bench ./.ci/layers ./.ci/tally

# What stores in Ceph needs cgo and librados: the tag is set wherever a compiler
# finds the headers, and `make CEPH=` does without. Elsewhere it is pure Go.
CEPH := $(shell printf '\043include <rados/librados.h>' | $${CC:-gcc} -E -o /dev/null - 2>/dev/null && echo ceph)
TAGS = $(if $(CEPH),-tags ceph)

# The race detector slows a test down several times over and eats memory, so
# two packages at a time is what a machine of two cores carries.
GOTEST = go test -race -p 2 $(TAGS)

build: ## Put bin/app and bin/validator in place: with Ceph where librados is, else pure Go.
	@mkdir -p bin
	CGO_ENABLED=$(if $(CEPH),1,0) go build $(TAGS) -trimpath -ldflags '$(LDFLAGS)' -o bin/ ./app ./validator

run: build ## Rehearse a whole day on this machine, until Ctrl-C.
	@bin/validator rehearse

demo: build ## The same day, which ends by itself: exit 0 when it went as expected.
	@bin/validator rehearse --demo

rehearsal: build ## The day with Ceph and Concourse, both real: wants root, or WITH=--with-ceph.
	@bin/validator rehearse $(WITH) --demo

WITH = --with-ceph --with-concourse

check: lint layers ## The fast loop: format, vet, staticcheck, layers, short tests.
	@$(GOTEST) -short $(PACKAGES)

test: ## Everything, after installing what it needs: what CI runs.
	@.ci/test.sh

model: ## Search the model of the fall-back, with every rule in turn broken.
	@app/store/fallback/model.sh test

soak: ## Bigger models, then the proof of the fall-back over and over, for SOAK=1h.
	@app/store/fallback/model.sh soak
	@BOGOPS_SOAK=$(SOAK) BOGOPS_FREEZE=30s go test $(TAGS) -count=1 -v -timeout 0 -run '^TestNoFault' ./app/proof

SOAK = 1h

bench: ## Measure the app beside what the field uses; ONLY=disk, ONLY=ceph: one half of it.
	@[ "$(ONLY)" = ceph ] || .ci/bench.sh
	@[ "$(ONLY)" = disk ] || .ci/bench-ceph.sh

lint: ## Check the format, then run go vet (with and without Ceph) and staticcheck.
	@unformatted=$$(gofmt -s -l .); if [ -n "$$unformatted" ]; then \
		printf 'not formatted (gofmt -s -w mends it):\n%s\n' "$$unformatted"; exit 1; fi
	@go vet $(PACKAGES)
	@$(if $(CEPH),go vet $(TAGS) $(PACKAGES))
	@go tool staticcheck $(TAGS) -checks all $(PACKAGES)

layers: ## Check who may import whom, and the rules of the house on files.
	@go run ./.ci/layers

concourse: ## Start a real Concourse in concourse-data/, and print how to use and stop it.
	@infra/concourse/ci.sh concourse-data start
	@infra/concourse/ci.sh concourse-data env

ceph: ## Start a real Ceph cluster in ceph-data/ and print how to use and stop it.
	@infra/ceph/cluster.sh ceph-data $$([ -e ceph-data/ceph.conf ] && echo start || echo init)
	@infra/ceph/cluster.sh ceph-data env

picture: ## Draw docs/wall.png anew, in Chromium.
	@dir=$$(mktemp -d) && BOGOPS_PICTURES=$$dir go test -count=1 -run '^TestPictures$$/^morning$$' ./validator/board && \
		mv $$dir/morning.png docs/wall.png && rm -r $$dir

# The jobs of pipelines/ by their names, for people too. The variables come from
# the command line or the environment; those of tasks are in their task.yml.

# What says most about the app and needs neither Ceph nor a disk that is quick.
QUICK = $(addprefix ./app/,admit api logbuf process selfaudit store store/filestore store/memstore store/storetest)
DIST ?= dist
PACKAGE ?= $(DIST)
PLATFORM ?= local
READY_WITHIN ?= 2m
rollout = @[ '$(PLATFORM)' = local ] || { echo 'PLATFORM is $(PLATFORM): want local'; exit 1; }; exec pipelines/tool.sh rollout

# Without Ceph everything is pure Go, and comes out of one cache.
app-test app-package judge-test judge-selftest judge-package: export CGO_ENABLED = $(if $(CEPH),1,0)

app-test: ## Vet the app and run its quick tests: what a push has to pass.
	@go vet $(TAGS) ./app $(QUICK)
	@go test $(TAGS) -short $(QUICK)

app-package: ## Make the app's package and image, and the tools that deploy it, in dist/.
	@go run ./pipelines/package --out '$(DIST)' $(if $(CEPH),--tags ceph) \
		--tool rollout=./infra/rollout/cmd --tool validator=./validator

app-deploy: ## Roll out the package in dist/ to the fleet: FLEET_URL, FLEET_TOKEN.
	$(rollout) deploy --ready-within $(READY_WITHIN) --package '$(PACKAGE)'/bogops-app-*.tar.gz $(if $(NONCE),--nonce "$$(cat '$(NONCE)')")

app-rollback: ## Roll out the release before again.
	$(rollout) rollback --ready-within $(READY_WITHIN)

infra-plan: ## Show what infra-apply would change about what runs the platform.
	$(rollout) plan

infra-apply: ## Bring what runs the platform to what the tree says.
	$(rollout) apply

platform-smoke: ## Hold a platform against the bronze level: BOGOPS_URL, BOGOPS_TOKEN.
	@exec pipelines/tool.sh validator probe --level bronze --brick api --brick tls

branch-list branch-deploy branch-prune: branch-%: # what pipelines/branch.sh does
	@exec pipelines/branch.sh $*

# What tasks run in where no registry has an image: see infra/concourse/image.
builder-image:
	@TREE='$(CURDIR)' BUILD='./app ./validator ./infra/rollout/cmd ./pipelines/package' TEST='$(QUICK)' \
		infra/concourse/image/build.sh builder '$(OUT)'

judge-test: ## Run the judge's quick tests.
	@go test -short ./validator/...

judge-selftest: ## Have the judge judge what is known to be right, and wrong.
	@go run ./validator selftest

judge-package: ## Make the judge's image in dist/.
	@go run ./pipelines/package --out '$(DIST)' --judge

set-pipelines: ## Give Concourse the pipelines, by a TARGET that fly is logged in to.
	@pipelines/set-pipelines.sh

clean: ## Remove what make and the rehearsal put into the tree.
	@[ ! -d ceph-data ] || infra/ceph/cluster.sh ceph-data destroy
	@[ ! -d concourse-data ] || concourse-data/bin/ci.sh concourse-data destroy
	rm -rf bin bench dist rehearsal

help: ## Show this list.
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(firstword $(MAKEFILE_LIST)) | \
		while IFS="$$(printf '\t')" read -r name text; do printf '  make %-15s %s\n' "$$name" "$$text"; done
